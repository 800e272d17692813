"""Temporary folders of confined programs, also of processes that were killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxes.scratch import PREFIX, remove_abandoned, scratch_folder

HOLDER = """
import time
from sandboxes.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "file").write_text("text")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_a_folder_is_empty_and_removed_at_the_end() -> None:
    with scratch_folder() as folder:
        assert list(folder.iterdir()) == []
        (folder / "inner").mkdir()
    assert not folder.exists()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path, ending: signal.Signals) -> None:
    variables = {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env=variables)
    try:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        assert folder.parent == tmp_path
        remove_abandoned(tmp_path, young_s=0.0)
        assert (folder / "file").exists()
        holder.send_signal(ending)
        holder.wait(30)
        remove_abandoned(tmp_path)
        assert folder.exists()
        remove_abandoned(tmp_path, young_s=0.0)
        assert not folder.exists()
    finally:
        holder.kill()
        holder.wait()


def test_what_a_link_points_to_is_not_removed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(target)
    (tmp_path / "monkeys-other").mkdir()
    remove_abandoned(tmp_path, young_s=0.0)
    assert target.exists()
    assert (tmp_path / "monkeys-other").exists()
