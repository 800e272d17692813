"""Control groups: where they are made, that they can be entered, and what they bound.

Version 2 has its own rules on who may create a group where; those tests need root, on a machine with it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.linux.cgroup import memory_bound, new_group
from tests.sandboxes.conftest import own_groups
from tests.sandboxes.ordinary_user import PROJECT, as_ordinary_user

ROOT = Path("/sys/fs/cgroup")

# Eight processes that hold a quarter of the limit each: what one may, and all together may not.
_REPORT = """
import os, textwrap
from sandboxes import Limits
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.linux.cgroup import memory_bound
print(memory_bound())
program = '''
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(os.urandom(1 << 20) * 32)
        time.sleep(2)
        os._exit(0)
raise SystemExit(int(any(os.wait()[1] for _ in range(8))))
'''
with BubblewrapConfig(workers=1).open() as sandbox:
    print(sandbox.memory_bound)
    print(sandbox.run(program, b"", Limits(cpu_s=20.0, wall_s=60.0, memory_mb=128)).status.value)
print(open("/proc/self/cgroup").read().strip().rpartition("/")[2])
"""


@pytest.fixture
def top() -> Iterator[Path]:
    """An empty group of version 2 in which memory and processes can be bounded."""
    controllers = ROOT / "cgroup.subtree_control"
    if os.geteuid() != 0 or not controllers.exists() or "memory" not in controllers.read_text().split():
        pytest.skip("needs root, and control groups of version 2")
    folder = ROOT / f"monkeys_test_{os.getpid()}"
    folder.mkdir()
    yield folder
    for path in (*sorted(folder.rglob("*/"), reverse=True), folder):
        if path.is_dir():
            path.rmdir()


def report(place: Path, *, as_user: bool = False, prefix: tuple[str, ...] = ()) -> list[str]:
    """What a process that starts in a group finds: bound, bound of its sandbox, what a greedy program gets, and the
    group that it is in at last."""
    command = [*prefix, sys.executable, "-B", "-c", _REPORT]
    done = subprocess.run(
        ["sh", "-c", 'echo $$ >"$0"; exec "$@"', str(place / "cgroup.procs")]
        + (as_ordinary_user(*command) if as_user else command),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "HOME": "/"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def give(folder: Path, *names: str) -> None:
    """Make a group, and some of its files, the ordinary user's."""
    for path in (folder, *(folder / name for name in names)):
        os.chown(path, 65534, 65534)


def test_next_to_a_group_without_delegated_controllers(top: Path) -> None:
    own = top / "own"
    own.mkdir()
    assert report(own) == ["cgroup v2", "cgroup v2", "memory_limit", "own"]


def test_a_delegated_group_is_divided(top: Path) -> None:
    """As systemd delegates one to a service of a user: the group is the user's, and the service is in it."""
    give(top, "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")
    for _ in range(2):
        assert report(top, as_user=True) == ["cgroup v2", "cgroup v2", "memory_limit", "monkeys"]
        assert [path.name for path in top.iterdir() if path.is_dir()] == ["monkeys"]
        # The next service finds the group as systemd would leave it to one.
        (top / "cgroup.subtree_control").write_text("-memory -pids")


def test_a_group_that_cannot_be_entered_bounds_nothing(top: Path) -> None:
    """Its folder is the user's, who can make groups there, and yet may move no process into them."""
    (top / "cgroup.subtree_control").write_text("+memory +pids")
    (top / "own").mkdir()
    give(top)
    assert report(top / "own", as_user=True)[:2] == ["rlimits", "rlimits"]


def test_the_group_of_somebody_else_is_left_alone(top: Path) -> None:
    assert report(top, as_user=True)[:2] == ["rlimits", "rlimits"]
    assert [path for path in top.iterdir() if path.is_dir()] == []


def test_the_first_group_of_a_machine(top: Path) -> None:
    """It may hold processes and groups."""
    assert report(ROOT) == ["cgroup v2", "cgroup v2", "memory_limit", ""]


def test_the_first_group_of_a_container(top: Path) -> None:
    remount = 'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'
    inside = ("unshare", "--cgroup", "--mount", "sh", "-c", remount, "sh")
    assert report(top, prefix=inside) == ["cgroup v2", "cgroup v2", "memory_limit", "monkeys"]


def test_what_is_bounded_is_not_swapped_out_instead() -> None:
    group = new_group()
    if group is None:
        pytest.skip("this machine lets this user make no control group")
    try:
        files = [path / name for path in own_groups() for name in ("memory.swap.max", "memory.swappiness")]
        assert {path.read_text().strip() for path in files if path.exists()} <= {"0"}
        assert memory_bound() == group.version
    finally:
        group.close()
