"""Documents of samples have the fields of rows, so that they can be read back as recorded samples."""

import json
from pathlib import Path

import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.records import Confidence, GradedSample, Problem, Request, Sample, Sampling, Turn, Verdict
from tasks.report.documents import sample_document
from tasks.store.inspect.query import ScoredRow

CONFIDENCE = Confidence(1.5, 0.5, 0.75, 1.0, 20, 2048)


@pytest.mark.parametrize("confidence", [None, CONFIDENCE, Confidence(mean=1.5)], ids=["none", "all", "one"])
def test_a_sample_is_read_back_from_its_document(tmp_path: Path, confidence: Confidence | None) -> None:
    sample = Sample("p", 0, "x", 3, 4, -0.5, "stop", 1, (Turn("tool", "y"),), confidence)
    row = ScoredRow(sample, GradedSample("p", 0, Verdict.WRONG, "no"), None)
    document = sample_document(row)
    assert "confidence" not in document
    assert document["confidence_mean"] == (confidence.mean if confidence else None)
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps(document) + "\n")
    config = RecordedConfig(path=str(path))
    config.check([Problem("p", "?")], 1)
    with config.open() as engine:
        ((read,),) = engine.sample([Request("p", "?", 0, 1)], Sampling(1.0, 1.0, 1, (), 0))
    assert read == sample
