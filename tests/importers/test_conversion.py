import json
from pathlib import Path

import numpy as np
import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.errors import UserError
from tasks.files.counts import read_counts_file
from tasks.importers.convert import convert
from tasks.importers.formats import importer
from tasks.records import Problem, Request, Sampling
from tasks.scaling.estimators import coverage
from tests.importers import other_tools as tools

SAMPLING = Sampling(temperature=0.6, top_p=1.0, max_tokens=10, stop=(), seed=0)
OUTCOMES = Path(__file__).parents[3] / "shared/data/outcomes/large_language_monkeys_outcomes.npz"


def drawn(config: RecordedConfig, problem: str, n: int) -> list[str]:
    config.check([Problem(problem, "?")], n)
    with config.open() as engine:
        return [each.text for some in engine.sample([Request(problem, "?", 0, n)], SAMPLING) for each in some]


def test_counts_are_of_the_samples_with_a_verdict(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "s.jsonl", tools.PLAIN)
    convert(importer("auto", [path]), [path], output=None, counts=tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_text() == "problem,samples,correct\na,2,1\nb,0,0\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["c.csv", "s.jsonl"]


def test_several_files_are_imported_as_one_set(tmp_path: Path) -> None:
    paths = [tools.lines(tmp_path / f"{name}.jsonl", tools.HUMAN_EVAL) for name in "ab"]
    imports = convert(importer("auto", paths), paths, output=tmp_path / "o.jsonl", counts=None)
    assert {problem: each.samples for problem, each in imports.problems.items()} == {"HumanEval/0": 4, "HumanEval/1": 2}


def test_the_engine_draws_what_was_imported_and_the_set_has_its_provenance(tmp_path: Path) -> None:
    path = tools.inspect_eval(tmp_path / "log.eval")
    convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)
    config = RecordedConfig(path=str(tmp_path / "o.jsonl"))
    assert drawn(config, "two", 2) == ["long text", "third"]
    known = config.ingredients(SAMPLING, "")["provenance"]
    assert (known["format"], known["model"], known["sampling"]["seed"]) == ("inspect_ai", "openai/gpt-4o-mini", 7)
    assert known["left_out"] == 1
    assert "log.eval" not in json.dumps(known)


@pytest.mark.parametrize("format_", ["auto", "inspect_ai"])
def test_the_engine_reads_other_tools_files_as_they_are(tmp_path: Path, format_: str) -> None:
    config = RecordedConfig(path=str(tools.inspect_eval(tmp_path / "log.eval")), format=format_, ids="x/{id}")
    assert drawn(config, "x/two", 2) == ["long text", "third"]
    assert drawn(config, "x/1", 2) == ["first", "second"]
    ingredients = config.ingredients(SAMPLING, "")
    assert ingredients["provenance"]["format"] == "inspect_ai"
    assert ingredients["provenance"]["ids"] == "x/{id}"


def test_the_engine_reads_a_folder_whose_content_names_the_set(tmp_path: Path) -> None:
    config = RecordedConfig(path=str(tools.llmonk(tmp_path / "f")), format="llmonk")
    before = config.ingredients(SAMPLING, "")
    assert drawn(config, "gsm8k/0009", 2)[0] == " 9 first\n#### 1"
    (tmp_path / "f" / "9.yaml").write_text("samples: [a]\n")
    assert RecordedConfig(path=str(tmp_path / "f"), format="llmonk").ingredients(SAMPLING, "") != before


def test_the_label_of_a_set_keeps_the_dots_in_the_files_name() -> None:
    path = "runs/Qwen--Qwen2.5-7B_vllm_temp_0.8.raw.jsonl.gz"
    assert RecordedConfig(path=path, format="evalplus").label == "Qwen--Qwen2.5-7B_vllm_temp_0.8"
    assert RecordedConfig(path=path).label == "Qwen--Qwen2"


def test_who_graded_samples_does_not_change_the_set(tmp_path: Path) -> None:
    path = tools.inspect_json(tmp_path / "log.json")
    known = []
    for verdict in (None, "judge"):  # words: ok
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None, verdict=verdict)
        known.append(RecordedConfig(path=str(tmp_path / "o.jsonl")).ingredients(SAMPLING, ""))
    assert known[0] == known[1]
    assert "judge" in (tmp_path / "o.jsonl.provenance.json").read_text()  # words: ok


def test_provenance_of_other_samples_is_refused(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "h.jsonl", tools.HUMAN_EVAL)
    convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)
    with (tmp_path / "o.jsonl").open("a") as file:
        file.write(json.dumps({"problem_id": "HumanEval/1", "index": 1, "text": "new"}) + "\n")
    with pytest.raises(UserError, match="belongs to other samples"):
        RecordedConfig(path=str(tmp_path / "o.jsonl")).ingredients(SAMPLING, "")


def test_ids_without_a_format_are_refused(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "h.jsonl", tools.PLAIN)
    with pytest.raises(UserError, match=r"engine\.ids"):
        RecordedConfig(path=str(path), ids="{id}").ingredients(SAMPLING, "")


@pytest.mark.skipif(not OUTCOMES.exists(), reason="needs the released outcomes, which are not part of the project")
def test_the_released_outcomes_give_the_published_coverage(tmp_path: Path) -> None:
    with np.load(OUTCOMES) as archive:
        outcomes = np.unpackbits(archive["MATH__Pythia_12B"], axis=1)[:, :10_000].astype(bool)
        rows = archive["MATH__Pythia_12B__problem"].tolist()
    path = tools.document(
        tmp_path / "MATH_Pythia-12B.json",
        [
            {"question": "?", "samples": ["x"] * 10_000, "is_corrects": corrects, "orig_dset_idx": row}
            for row, corrects in zip(rows, outcomes.tolist(), strict=True)
        ],
    )
    convert(importer("auto", [path]), [path], output=None, counts=tmp_path / "c.csv")
    counts = read_counts_file(tmp_path / "c.csv")
    measured = coverage(counts, [1, 10, 100, 1_000, 10_000]).coverage
    assert measured == pytest.approx([0.0232, 0.1568, 0.4834, 0.7233, 0.8750], abs=5e-5)
