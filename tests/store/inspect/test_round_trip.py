"""A set that is exported is the same set when it is read again: nothing that is known about a sample is lost."""

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.importers import Imported
from tasks.importers.convert import convert
from tasks.importers.formats import importer
from tasks.records import GradedSample, Request, Sample, Sampling, ScoredSample, ToolCall, Turn
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.export import export
from tasks.store.inspect.query import annotated_blocks
from tests.store import golden_sets as golden

SAMPLING = Sampling(temperature=0.6, top_p=1.0, max_tokens=10, stop=(), seed=0)
SAMPLES = [*golden.PLAIN_SAMPLES, *golden.AGENT_SAMPLES, *golden.GROWN_SAMPLES]


def optional(record: type) -> set[str]:
    return {each.name for each in fields(record) if each.default is not MISSING}


def used(records: Iterable[Any]) -> set[str]:
    """The optional fields that some of these records use."""
    return {
        each.name
        for record in records
        for each in fields(record)
        if each.default is not MISSING and getattr(record, each.name) != each.default
    }


def exported(folder: Path, name: str, suffix: str) -> Path:
    store = FsspecStore(str(folder / "store"))
    golden.write(store)
    golden.write_1_1(store)
    found = find(store, name)
    path = folder / f"{name}{suffix}"
    assert export(annotated_blocks(store, found, found.graded_by(None), found.scored_by(None)), path) == 6
    return path


def drawn(config: RecordedConfig) -> list[Sample]:
    ids = [problem.id for problem in golden.PROBLEMS]
    config.check(golden.PROBLEMS, 3)
    with config.open() as engine:
        return [
            sample for some in engine.sample([Request(each, "", 0, 3) for each in ids], SAMPLING) for sample in some
        ]


def test_the_golden_sets_use_every_optional_field_so_that_a_new_one_is_not_forgotten_here() -> None:
    turns = [turn for sample in SAMPLES for turn in sample.turns]
    assert used(SAMPLES) == optional(Sample)
    assert used([*golden.GRADED, *golden.GROWN_GRADED]) == optional(GradedSample)
    assert used(golden.SCORED) == optional(ScoredSample)
    assert used(turns) == optional(Turn)
    assert used(call for turn in turns for call in turn.calls) == optional(ToolCall)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("name", "samples"),
    [("plain", golden.PLAIN_SAMPLES), ("agent", golden.AGENT_SAMPLES), ("grown", golden.GROWN_SAMPLES)],
)
def test_an_exported_set_is_drawn_again_with_every_field(
    tmp_path: Path, name: str, samples: list[Sample], suffix: str
) -> None:
    path = exported(tmp_path, name, suffix)
    assert drawn(RecordedConfig(path=str(path))) == samples
    assert drawn(RecordedConfig(path=str(path), format="plain")) == samples
    convert(importer("auto", [path]), [path], output=tmp_path / "again.jsonl", counts=None)
    assert drawn(RecordedConfig(path=str(tmp_path / "again.jsonl"))) == samples


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_exported_set_says_which_samples_passed_the_public_tests(tmp_path: Path, suffix: str) -> None:
    path = exported(tmp_path, "grown", suffix)
    rows = pd.read_parquet(path).to_dict("records") if suffix == ".parquet" else map(json.loads, path.open())
    assert [row["passed"] for row in rows] == [graded.passed for graded in golden.GROWN_GRADED]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_exported_set_has_every_field_of_its_verdicts_and_scores(tmp_path: Path, suffix: str) -> None:
    path = exported(tmp_path, "plain", suffix)
    rows = pd.read_parquet(path).to_dict("records") if suffix == ".parquet" else map(json.loads, path.open())
    for row, graded, scored in zip(rows, golden.GRADED, golden.SCORED, strict=True):
        found = {name: None if pd.isna(value) else value for name, value in row.items() if name != "turns"}
        assert {name: found[name] for name in (each.name for each in fields(GradedSample))} == {
            each.name: getattr(graded, each.name) for each in fields(GradedSample)
        }
        renamed = {
            each.name: f"score_{each.name}" if each.name == "detail" else each.name for each in fields(ScoredSample)
        }
        assert {name: found[column] for name, column in renamed.items()} == {
            each.name: getattr(scored, each.name) for each in fields(ScoredSample)
        }


def test_an_imported_sample_has_every_optional_field_of_a_sample() -> None:
    defaults = {each.name: each.default for each in fields(Imported)}
    assert {name: defaults.get(name) for name in optional(Sample)} == {
        each.name: each.default for each in fields(Sample) if each.name in optional(Sample)
    }
