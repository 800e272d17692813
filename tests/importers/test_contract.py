"""What every importer keeps to (`monkeys.testing`), tried on each that is built in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monkeys.testing import check_importer
from tasks.importers import Importer
from tasks.importers.formats import FORMATS
from tests.importers import other_tools as tools

FILES: dict[str, Callable[[Path], Path]] = {
    "llmonk": lambda folder: tools.llmonk(folder / "samples"),
    "monkey_business": lambda folder: tools.document(folder / "MATH_Pythia-12B.json", tools.MONKEY_BUSINESS),
    "human_eval": lambda folder: tools.lines(folder / "samples.jsonl", tools.HUMAN_EVAL),
    "evalplus": lambda folder: tools.lines(folder / "samples.jsonl", tools.EVALPLUS),
    "inspect_ai": lambda folder: tools.inspect_eval(folder / "log.eval"),
    "lm_eval": lambda folder: tools.lines(folder / tools.LM_EVAL_NAME, tools.LM_EVAL),
    "swe_bench": lambda folder: tools.lines(folder / "all_preds.jsonl", tools.SWE_BENCH),
    "plain": lambda folder: tools.lines(folder / "samples.jsonl", tools.PLAIN),
}


@pytest.mark.parametrize("importer", FORMATS, ids=lambda each: each.name)
def test_an_importer_keeps_its_promises(tmp_path: Path, importer: Importer) -> None:
    file = FILES[importer.name](tmp_path)
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"task_id": ')
    check_importer(importer, [file], malformed=[] if importer.name == "llmonk" else [broken])
