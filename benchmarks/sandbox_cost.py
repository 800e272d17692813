"""CPU time and memory of all processes that take part in an execution: driver, servers, programs, a Docker engine."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def process_table() -> dict[int, tuple[int, float]]:
    """The parent of every process, and its CPU seconds including those of reaped children."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            table[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])) * _TICK_S)
    return table


def family(head: int | None = None) -> dict[int, float]:
    """CPU seconds of a process (by default, this one) and of each of its descendants, by pid."""
    table = process_table()
    members = frontier = {head or os.getpid()}
    while frontier:
        frontier = {pid for pid, (parent, _) in table.items() if parent in frontier} - members
        members = members | frontier
    return {pid: table[pid][1] for pid in members if pid in table}


def servers_below() -> list[int]:
    """The pids of all bubblewrap processes below this one, and of their children."""
    table = process_table()
    found = {pid for pid in family() if Path(f"/proc/{pid}/comm").read_text() == "bwrap\n"}
    return [*found, *(pid for pid, (parent, _) in table.items() if parent in found)]


def largest_resident_mb(pids: list[int]) -> float:
    """The highest peak of resident memory among these processes, in MB."""
    sizes = [0]
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return max(sizes) / 1024


class Meter:
    """CPU seconds of a process and of everything that it starts.

    They are counted by a control group, which includes children that nobody waited for (bubblewrap does not wait for
    its child). If no group can be created, they are read from /proc.

    Args:
        name: name of the control group.
        pid: the process, which is moved into the group; None if a process joins it by itself.
    """

    def __init__(self, name: str, pid: int | None = None):
        version1 = Path("/sys/fs/cgroup/cpuacct")
        self.group = (version1 if version1.is_dir() else Path("/sys/fs/cgroup")) / name
        self._before = next(
            line.rpartition(":")[2]
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if "cpuacct" in line or line.startswith("0::")
        )
        self.works = True
        try:
            self.group.mkdir()
            if pid is not None:
                # With version 2, into a child group: the sandbox creates its groups next to that of its controller.
                joined = self.group if version1.is_dir() else self.group / "driver"
                joined.mkdir(exist_ok=True)
                (joined / "cgroup.procs").write_text(str(pid))
        except OSError:
            self.works = False

    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        if not self.works:
            return sum(family().values())
        usage = self.group / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        return int((self.group / "cpu.stat").read_text().split()[1]) / 1e6

    def close(self) -> None:
        """Remove the group. Processes that are left in it move to the group in which this process started."""
        if self.works:
            home = self.group.parent / self._before.lstrip("/")
            for procs in self.group.glob("**/cgroup.procs"):
                for pid in procs.read_text().split():
                    (home / "cgroup.procs").write_text(pid)
            for folder in sorted(self.group.glob("**/"), reverse=True):
                folder.rmdir()


class Engine:
    """A separate Docker engine in its own control group, which counts the CPU time of engine, shims and containers.

    Raises:
        RuntimeError: the engine cannot run here; the message says why.
    """

    def __init__(self, folder: Path):
        if os.geteuid() != 0 or not shutil.which("dockerd"):
            raise RuntimeError("dockerd is not installed, or this is not root")
        name = f"monkeys-engine-{os.getpid()}"
        self._meter = Meter(name)
        if not self._meter.works:
            raise RuntimeError("no control group can be created to count the CPU time of containers")
        self.cpu_s = self._meter.cpu_s
        self.address = f"unix://{folder}/docker.sock"
        places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
        network = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--cgroup-parent", f"/{name}/containers"]
        enter = ["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(self._meter.group)]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*enter, "dockerd", *places, "-H", self.address, *network], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while b"API listen on" not in (folder / "log").read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"dockerd did not start: {(folder / 'log').read_text()[-300:]}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Pid of the engine's process."""
        return self._process.pid

    def server_pids(self) -> list[int]:
        """Pids of the processes in its containers."""
        return [
            int(pid)
            for file in self._meter.group.glob("containers/**/cgroup.procs")
            for pid in file.read_text().split()
        ]

    def close(self) -> None:
        """Stop the engine."""
        self._process.terminate()
        self._process.wait()
        time.sleep(0.5)
        self._meter.close()


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """A running engine, which `DOCKER_HOST` names inside the `with` block."""
    opened = Engine(folder)
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = opened.address
    try:
        yield opened
    finally:
        os.environ.pop("DOCKER_HOST") if before is None else os.environ.update(DOCKER_HOST=before)
        opened.close()
