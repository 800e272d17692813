"""What a sweep goes through: it is killed or told to stop, its store goes away, fills up or is tampered with, the clock
jumps. Afterwards the same command gives what an undisturbed run gives, and the engine is called again only for blocks
that were in flight.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.flows.counted_sweep import BLOCKS, CountedSweep, blocks, counted_sweep, graded, kill, stored, wait_until
from tests.servers import S3, s3_of, serving
from tests.store.damage import footer_of, rewritten


@pytest.fixture
def sweep(tmp_path: Path) -> CountedSweep:
    return counted_sweep(tmp_path, seconds=0.3)


@pytest.fixture
def runs(s3: S3) -> Path:
    """A folder in which the S3 server keeps a store's objects."""
    return s3.root / s3.new_bucket() / "runs"


def url(runs: Path) -> str:
    return f"s3://{runs.parent.name}/runs"


def is_whole(sweep: CountedSweep, runs: Path) -> bool:
    """Whether the store has exactly what an undisturbed run stores: each sample once, with its verdict."""
    expected = sweep.recorded()
    right = {(problem, index) for problem, index, text in expected if not text.endswith("-1")}
    verdicts = [(problem, index, "correct" if (problem, index) in right else "wrong") for problem, index, _ in expected]
    return stored(runs) == expected and graded(runs) == verdicts and not list((runs / "claims").rglob("*.json"))


def could_kill(pid: int) -> bool:
    """Kill a process; False if it has ended already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def test_a_sweep_that_is_killed_stopped_and_tampered_with_loses_nothing(
    sweep: CountedSweep, runs: Path, prefect_url: str
) -> None:
    killed = sweep.start("--store", url(runs), PREFECT_API_URL=prefect_url)
    wait_until(lambda: len(blocks(runs, "verdicts")) >= 2, "something is graded", running=killed)
    kill(killed.pid)
    killed.communicate()
    assert 2 <= len(blocks(runs)) < BLOCKS
    left_by_the_dead = set((runs / "claims").rglob("*.json"))

    stopped = sweep.start(
        "--store", url(runs), command=["env", "--default-signal=TERM,INT"], PREFECT_API_URL=prefect_url
    )
    graded_before = len(blocks(runs, "verdicts"))
    wait_until(lambda: len(blocks(runs, "verdicts")) > graded_before + 1, "something more is graded", running=stopped)
    stopped.send_signal(signal.SIGTERM)
    _, err = stopped.communicate(timeout=300)
    assert stopped.returncode == 143
    assert err.strip() == "monkeys: interrupted. Finished work is saved; run the same command again to resume."
    assert set((runs / "claims").rglob("*.json")) <= left_by_the_dead, "its blocks are free for others at once"
    assert len(blocks(runs)) < BLOCKS

    assert sweep.run("--store", url(runs), PREFECT_API_URL=prefect_url).code == 0
    assert is_whole(sweep, runs)
    in_flight = sweep.drawn_again()
    assert in_flight <= 2, "one block for each of the two that were interrupted"
    assert len(sweep.calls()) == BLOCKS + in_flight

    torn, replaced, source, *_ = blocks(runs)
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    shutil.copy(source, replaced)
    _, _, _, judges_another, other, *_ = blocks(runs, "verdicts")
    shutil.copy(other, judges_another)
    assert sweep.run("--store", url(runs), PREFECT_API_URL=prefect_url).code == 0
    assert is_whole(sweep, runs)
    assert len(sweep.calls()) == BLOCKS + in_flight + 2, "only what was damaged is drawn again"
    assert len(list((runs / "damaged").rglob("*.parquet"))) == 3, "and kept aside"


def test_a_sweep_survives_a_dying_engine_and_an_outage_of_the_s3_server(
    sweep: CountedSweep, tmp_path: Path, prefect_url: str
) -> None:
    """The run itself retries; the user need not do anything."""
    s3 = s3_of(tmp_path / "s3" / "buckets")
    with serving(s3):
        runs = s3.root / s3.new_bucket() / "runs"
        process = sweep.start("--store", url(runs), PREFECT_API_URL=prefect_url, **s3.environment)
        wait_until(lambda: len(sweep.calls()) >= 2, "it draws", running=process)
        wait_until(lambda: could_kill(sweep.calls()[-1].engine), "a call is under way", running=process)
        wait_until(lambda: len(blocks(runs, "verdicts")) >= 3, "something is graded", running=process)
    time.sleep(60)
    assert process.poll() is None, "it waits"
    before = len(blocks(runs))
    with serving(s3):
        out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (0, ""), out
    assert before < BLOCKS
    assert is_whole(sweep, runs)
    assert sweep.drawn_again() == 1, "what the dead engine was drawing; what was drawn is kept until the store is back"
    assert len(sweep.calls()) == BLOCKS + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=384k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_ends_the_sweep_in_one_line(sweep: CountedSweep, small_disk: Path, prefect_url: str) -> None:
    runs = small_disk / "runs"
    ended = sweep.run("--store", str(runs), PREFECT_API_URL=prefect_url)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "cannot be written (No space left on device); free some space, then run the same command again" in ended.err
    assert 0 < len(blocks(runs)) < BLOCKS
    assert not [path for path in runs.rglob("*") if path.name.startswith(".tmp")], "no half object is left"

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert sweep.run("--store", str(runs), PREFECT_API_URL=prefect_url).code == 0
    assert is_whole(sweep, runs)
    assert sweep.drawn_again() <= 1


def test_a_clock_that_jumps_does_not_break_claims(sweep: CountedSweep, tmp_path: Path, prefect_url: str) -> None:
    """Two sweeps share a set, and the clock of one jumps days forward and back while both are running."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler, to move the clock of one process")
    library, now = tmp_path / "jumping_clock.so", tmp_path / "now"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    now.write_text("0")
    fake = {"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(now)}
    runs = tmp_path / "runs"
    both = [sweep.start(PREFECT_API_URL=prefect_url, **fake), sweep.start(PREFECT_API_URL=prefect_url)]
    wait_until(lambda: len({call.process for call in sweep.calls()}) == 2, "both draw", running=both[0])
    for jump in ("260000", "-170000", "3600"):
        now.write_text(jump)
        time.sleep(0.7)
    ended = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert is_whole(sweep, runs)
    assert sweep.drawn_again() == 0


def with_footer(path: Path, **fields: object) -> None:
    data = path.read_bytes()
    path.write_bytes(rewritten(data, footer_of(data) | fields))


def test_damage_of_every_kind_is_named_and_the_same_command_makes_the_set_whole(
    sweep: CountedSweep, tmp_path: Path, prefect_url: str
) -> None:
    runs = tmp_path / "runs"
    assert sweep.run(PREFECT_API_URL=prefect_url).code == 0
    first, second, third, *_ = blocks(runs)
    with_footer(first, engine=None)
    with_footer(second, drawn_at=[])
    unknown = blocks(runs, "verdicts")[-1]
    table = pq.read_table(unknown)
    verdicts = pa.array(["splendid"] * table.num_rows)
    unknown.write_bytes(rewritten(unknown.read_bytes(), table=table.set_column(2, "verdict", verdicts)))
    (folder,) = (runs / "samples").iterdir()
    (folder / "set.json").write_bytes(b"[]")
    claim = runs / "claims" / folder.name / "samples" / "p00000" / "i0000000" / "0123.json"
    claim.parent.mkdir(parents=True, exist_ok=True)
    claim.write_bytes(b"{")
    third.unlink()

    ended = sweep.run(PREFECT_API_URL=prefect_url)
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert f"{unknown}: its column verdict has the unknown value 'splendid') and is set aside; run the sweep" in line
    assert f"{first} is damaged" in ended.out or f"{second} is damaged" in ended.out
    assert "set.json is damaged (a JSON object was expected, not a list) and was moved to damaged/" in ended.out

    assert sweep.run(PREFECT_API_URL=prefect_url).code == 0
    assert is_whole(sweep, runs)
    assert len(list((runs / "damaged").rglob("*.parquet"))) == 3
