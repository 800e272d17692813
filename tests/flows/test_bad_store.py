"""Unusable stores, on real servers: one clear line, exit code 2, and nothing changed."""

import json
from pathlib import Path

import pytest

from tasks.store.fsspec_store import FsspecStore
from tests.flows.command import Ended, monkeys, refused
from tests.servers import S3
from tests.store.stored import fill

SHOW, SAMPLES, CHECK = ("show", "arith"), ("samples", "arith"), ("check", "arith")
REGRADE, SWEEP = ("regrade", "arith", "--grader", "final_answer"), ("sweep", "sweep.yaml")
EACH_WAY_TO_OPEN_A_STORE = pytest.mark.parametrize("command", [("ls",), REGRADE, SWEEP], ids=lambda each: each[0])


def is_one_line(ended: Ended, *says: str) -> None:
    assert ended.code == 2, ended.out + ended.err
    assert len(ended.err.splitlines()) == 1, ended.err
    for each in says:
        assert each in ended.err


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@EACH_WAY_TO_OPEN_A_STORE
@pytest.mark.parametrize("server", ["s3_process", "moto_process"])
def test_a_missing_bucket_is_reported_in_one_line(
    server: str, command: tuple[str, ...], recorded: Path, request: pytest.FixtureRequest
) -> None:
    s3: S3 = request.getfixturevalue(server)
    ended = refused(*command, "--store", "s3://nosuchbucket/runs", cwd=recorded, **s3.environment)
    is_one_line(ended, "store: ", "nosuchbucket")


@EACH_WAY_TO_OPEN_A_STORE
@pytest.mark.slow
def test_wrong_credentials_are_reported_in_one_line(command: tuple[str, ...], recorded: Path, s3_process: S3) -> None:
    bucket = s3_process.new_bucket()
    wrong = {**s3_process.environment, "AWS_SECRET_ACCESS_KEY": "not-the-secret"}
    before = contents(s3_process.root / bucket)
    ended = refused(*command, "--store", f"s3://{bucket}/runs", cwd=recorded, **wrong)
    is_one_line(ended, "store: ", bucket, "ignature")
    assert "not-the-secret" not in ended.err
    assert contents(s3_process.root / bucket) == before


@EACH_WAY_TO_OPEN_A_STORE
@pytest.mark.slow
def test_credentials_in_the_url_are_refused_and_not_repeated(command: tuple[str, ...], recorded: Path) -> None:
    ended = refused(*command, "--store", "s3://key:MARKED@bucket/runs", cwd=recorded)
    is_one_line(ended, "store: ", "AWS_SECRET_ACCESS_KEY")
    assert "MARKED" not in ended.out + ended.err


@pytest.mark.parametrize("command", [SHOW, CHECK, ("gc",), REGRADE], ids=lambda each: each[0])
def test_an_unreadable_object_is_reported_in_one_line(
    command: tuple[str, ...], tmp_path: Path, prefect_url: str
) -> None:
    sweep = fill(FsspecStore(str(tmp_path / "runs")))
    path = Path(sweep.samples.url(sweep.samples.blocks()[0]))
    path.unlink()
    path.symlink_to(path)
    before = contents(tmp_path / "runs")
    ended = monkeys(*command, cwd=tmp_path, PREFECT_API_URL=prefect_url)
    is_one_line(ended, "store: ", path.name, "fix the link")
    assert contents(tmp_path / "runs") == before


@pytest.mark.parametrize("command", [SHOW, SAMPLES, CHECK, REGRADE], ids=lambda each: each[0])
@pytest.mark.slow
def test_a_set_with_a_newer_schema_is_refused_in_one_line(command: tuple[str, ...], recorded: Path, s3: S3) -> None:
    bucket = s3.new_bucket()
    sweep = fill(FsspecStore(f"s3://{bucket}/runs"))
    path = s3.root / bucket / "runs" / "samples" / sweep.samples.identity.name / "set.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    before = contents(s3.root / bucket)
    ended = refused(*command, "--store", f"s3://{bucket}/runs", cwd=recorded)
    is_one_line(ended, "has schema 99, written by a newer version of monkeys")
    assert contents(s3.root / bucket) == before
