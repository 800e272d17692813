"""How often graders agree with labels, how many ways of writing an answer they accept, and how fast they are.

    python benchmarks/graders.py DATA [--only gsm8k math golds contests humaneval speed]

DATA is a folder with real data: gsm8k/ (test rows, each with four labelled model answers), math/ (rows of MATH),
reward_models/ (50 MATH problems with 8 labelled responses each), code_contests/ (30 contest problems with labelled
submissions), humaneval/ (problems, and 100 samples for each of 50). Prints every disagreement. Exits with 1 if a target
is missed.
"""

import argparse
import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from humaneval import problem_of
from math_rewritings import Rewritten, framed, last_digit_changed, near_misses, rewritings
from results import Result, Target, at_least, at_most, report

from flows.command_line.terminal import literal, stdout
from sandboxes import Sandbox
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.answers.isolated.pool import IsolatedPool
from tasks.answers.minerva_math import boxed
from tasks.audit.agreement import Agreement, agreement
from tasks.audit.labelled import LABELLED, gold_answers
from tasks.datasets.gsm8k import Gsm8kDataset
from tasks.datasets.humaneval import HumanEvalDataset
from tasks.datasets.math500 import Math500Dataset
from tasks.graders import Grader
from tasks.graders.base.requirements import require_check
from tasks.graders.code_contests import CodeContestsGrader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.graders.humaneval import HumanEvalGrader
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader
from tasks.graders.stdio import StdioGrader
from tasks.records import AnswerCheck, LabelledSample, Problem, Sample, StdioCheck, StdioTest, Verdict

MATH_GRADERS = (MathGrader(), MathTolerantGrader(), MathVerifyGrader())

# Row 3 of the 50 MATH problems: the answer is 4:30 p.m., all eight responses say so, and all eight are labelled wrong,
# because the tool that labelled them had first mangled the gold answer into "4:30p..".
MISLABELLED = {"3"}


def share(figure: str, of: Agreement, target: float | None = None) -> Result:
    """The share of samples on which grader and labels agree. If there is a target, prints every disagreement."""
    measured = f"{of.agreed:,} of {of.samples:,} = {100 * of.rate:.2f} %"
    if target is None:
        return Result(figure, measured)
    for kind, cases in (("wrongly accepted", of.false_positives), ("wrongly rejected", of.false_negatives)):
        for case in cases:
            words = (f"{figure}: {kind} {case.sample.problem_id}: gold {case.gold},", f"{case.verdict}, {case.detail};")
            show(" ".join(" ".join([*words, case.sample.text[-100:]]).split()))
    return Result(figure, measured, target=Target(f"≥ {100 * target:g} %", of.rate >= target))


def show(line: str) -> None:
    """Print an indented line, which may hold text that a model wrote."""
    stdout().print(literal(f"   {line}"), soft_wrap=True)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file]


def gsm8k(data: Path) -> Iterator[Result]:
    """200 questions, each with four labelled answers."""
    problems = Gsm8kDataset(path=str(data / "gsm8k" / "test_first200.jsonl"), shots=0).load()
    by_question = {problem.question: problem.id for problem in problems}
    known = [
        LabelledSample(by_question[row["question"]], answer["solution"], str(answer["is_correct"]) == "True", LABELLED)
        for row in lines_of(data / "gsm8k" / "model_solutions_first200.jsonl.gz")
        for answer in row.values()
        if isinstance(answer, dict)
    ]
    for grader in (Gsm8kGrader(), Gsm8kTolerantGrader()):
        yield share(f"GSM8K gold, {grader.name}", agreement(grader, problems, list(gold_answers(problems)), None), 1)
    written = [(problem, text) for problem in problems for text in _ways(require_check(problem, AnswerCheck).answer)]
    ways = [LabelledSample(problem.id, text, True, LABELLED) for problem, text in written]
    yield share("GSM8K gold in six forms, gsm8k_tolerant", agreement(Gsm8kTolerantGrader(), problems, ways, None), 1)
    yield share("GSM8K labels, gsm8k_tolerant", agreement(Gsm8kTolerantGrader(), problems, known, None), 0.995)
    # These answers follow `A:`, where the paper's samples have `####`.
    marked = [replace(each, text=re.sub(r"^A: ?", "#### ", each.text, flags=re.MULTILINE)) for each in known]
    yield share("GSM8K labels, A: as ####, gsm8k", agreement(Gsm8kGrader(), problems, marked, None))


def _ways(answer: str) -> Iterator[str]:
    """Samples that give a number, in forms that earlier versions of the grader did not read."""
    number = int(answer.replace(",", ""))
    yield f"#### Step 1: Add 3 and 4\nThat is 7.\n#### {number}"
    yield f"#### 1. Add 3 and 4\nThat is 7.\nThe answer is {number}."
    yield f"#### Solution\n3 + 4 = 7, so it is therefore {number}"
    yield f"#### {number:,}".replace(",", "\u202f")
    yield f"The answer is ${number:,}$.".replace(",", "\u00a0")
    yield f"#### 2 x {number} = {2 * number} / 2 = {number}"


def math(data: Path) -> Iterator[Result]:
    """Gold answers against themselves, ten ways to write each answer, near misses, and 400 labelled responses."""
    problems = Math500Dataset(path=str(data / "math" / "math500_first200.jsonl")).load()
    for grader in MATH_GRADERS:
        yield share(f"MATH-500 gold, {grader.name}", agreement(grader, problems, list(gold_answers(problems)), None), 1)
    for what, ways, correct in (("rewritten", rewritings, True), ("near misses", near_misses, False)):
        written = [way for problem in problems for way in ways(require_check(problem, AnswerCheck).answer)]
        for grader in MATH_GRADERS:
            tolerant = grader.name == "math_tolerant"
            yield share(
                f"MATH {what}, {grader.name}", _rewritten(grader, written, correct=correct), 0.99 if tolerant else None
            )
            if correct and tolerant:
                for form in dict.fromkeys(way.form for way in written):
                    of_form = [way for way in written if way.form == form]
                    yield share(f"  {form}", _rewritten(grader, of_form, correct=True), None)
    rows = lines_of(data / "reward_models" / "qwen25math_math_cot_50x8_rm.jsonl.gz")
    asked = [Problem(str(row["idx"]), row["question"], AnswerCheck(row["answer"])) for row in rows]
    labels = [
        LabelledSample(str(row["idx"]), text, label, LABELLED)
        for row in rows
        for text, label in zip(row["code"], row["score"], strict=True)
    ]
    repaired = [replace(each, correct=True) if each.problem_id in MISLABELLED else each for each in labels]
    for grader in MATH_GRADERS[1:]:
        name, library = f"Qwen responses, {grader.name}", grader.name == "math_verify"
        yield share(f"{name}, labels as given", agreement(grader, asked, labels, None), 0.99 if library else None)
        right = agreement(grader, asked, repaired, None)
        yield share(f"{name}, 8 wrong labels corrected", right, None if library else 0.99)


def golds(data: Path) -> Iterator[Result]:
    """All gold answers of the data, in the places where samples give them, and with their last digit changed.

    The graders' rules were chosen on the even rows; the targets are for the odd ones.
    """
    rows = [row for path in sorted((data / "math").glob("*.jsonl*")) for row in lines_of(path)]
    answers = [row.get("answer") or boxed(row["solution"]) or "" for row in rows]
    for half, part in (("even rows", answers[::2]), ("odd rows", answers[1::2])):
        has_target = half == "odd rows"
        sampled = [(answer, sample) for answer in part for sample in framed(answer).values()]
        of = _sampled(MathTolerantGrader(), sampled, correct=True)
        yield share(f"MATH golds in {len(framed(''))} places, {half}, math_tolerant", of, 0.995 if has_target else None)
        changed = [(answer, other) for answer in part if (other := last_digit_changed(answer)) is not None]
        for grader in MATH_GRADERS:
            place = "the prompt's form" if grader.name == "math" else "a box"
            of = _sampled(grader, [(answer, framed(other)[place]) for answer, other in changed], correct=False)
            for case in of.false_positives:
                show(f"{grader.name}: last digit changed, accepted: gold {case.gold}")
            yield Result(
                f"MATH golds, last digit changed, {half}, {grader.name}",
                f"{len(of.false_positives)} of {of.samples:,} accepted",
                target=Target("0", not of.false_positives) if has_target and grader.name != "math" else None,
            )


def _sampled(grader: Grader, sampled: Sequence[tuple[str, str]], *, correct: bool) -> Agreement:
    """Agreement on pairs of a gold answer and a sample, each graded as a separate problem."""
    problems = [Problem(f"{at}", "", AnswerCheck(answer)) for at, (answer, _) in enumerate(sampled)]
    known = [
        LabelledSample(problem.id, text, correct, LABELLED)
        for problem, (_, text) in zip(problems, sampled, strict=True)
    ]
    return agreement(grader, problems, known, None)


def _rewritten(grader: Grader, written: Sequence[Rewritten], *, correct: bool) -> Agreement:
    """Agreement on rewritten answers, each graded as a separate problem."""
    problems = [Problem(f"{at} {way.form}", "", AnswerCheck(way.gold)) for at, way in enumerate(written)]
    known = [
        LabelledSample(problem.id, framed(way.text)["the prompt's form"], correct, LABELLED)
        for problem, way in zip(problems, written, strict=True)
    ]
    return agreement(grader, problems, known, None)


def contests(data: Path) -> Iterator[Result]:
    """30 contest problems with real submissions: those labelled correct must pass, those labelled wrong must fail."""
    known: dict[str, list[LabelledSample]] = {"correct": [], "wrong": []}
    problems, skipped = [], Counter[str]()
    for row in lines_of(data / "code_contests" / "icpc_style_30.jsonl.gz"):
        tests = tuple(StdioTest(test["input"], test["output"]) for test in row["tests"])
        problems.append(Problem(row["id"], "", StdioCheck(tests), time_limit_s=10, memory_limit_mb=1024))
        for solution in row["solutions"]:
            if solution["language"] != "python3":
                skipped["another language"] += 1
            elif solution["label"] == "disputed":
                skipped["disputed"] += 1
            else:
                correct = solution["label"] == "correct"
                text = f"```\n{solution['code']}\n```"
                known["correct" if correct else "wrong"].append(LabelledSample(row["id"], text, correct, LABELLED))
    with BubblewrapConfig().open() as sandbox:
        for grader in (CodeContestsGrader(), StdioGrader()):
            for label, samples in known.items():
                of = agreement(grader, problems, samples, sandbox)
                yield share(
                    f"contests, labelled {label}, {grader.name}", of, 1 if grader.name == "code_contests" else None
                )
    yield Result("contests, submissions left out", ", ".join(f"{count} {why}" for why, count in skipped.items()))


def humaneval(data: Path) -> Iterator[Result]:
    """50 problems with 100 samples each, graded twice."""
    path = data / "humaneval" / "HumanEval.jsonl.gz"
    problems = {problem.id: problem for problem in HumanEvalDataset(path=str(path)).load()}
    known = lines_of(path)
    pairs = [
        (problem, Sample(problem.id, index, text))
        for row in lines_of(data / "humaneval" / "codegen16b_t0.8_n100_first50.jsonl.gz")
        for problem in [problems[problem_of(row["prompt"], known)["task_id"]]]
        for index, text in enumerate(row["samples"])
    ]
    with BubblewrapConfig().open() as sandbox:
        counts = [_counts(HumanEvalGrader(), pairs, sandbox) for _ in range(2)]
    same = sum(counts[0][problem] == counts[1][problem] for problem in counts[0])
    yield Result(
        "HumanEval, problems with the same count twice",
        f"{same} of {len(counts[0])}",
        target=Target("all", same == len(counts[0])),
    )
    yield Result("HumanEval, correct", f"{sum(counts[0].values()):,} of {len(pairs):,}")


def _counts(grader: Grader, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox) -> dict[str, int]:
    counts = {problem.id: 0 for problem, _ in pairs}
    for graded in grader.grade(pairs, sandbox):
        counts[graded.problem_id] += graded.verdict is Verdict.CORRECT
    return counts


def speed(data: Path) -> Iterator[Result]:
    """Answers graded per second, after a warm-up, and what an answer costs on which the algebra hangs."""
    problems = {
        each.id: each for each in Gsm8kDataset(path=str(data / "gsm8k" / "test_first200.jsonl"), shots=0).load()
    }
    by_question = {problem.question: problem for problem in problems.values()}
    pairs = [
        (by_question[row["question"]], Sample(by_question[row["question"]].id, index, answer["solution"]))
        for row in lines_of(data / "gsm8k" / "model_solutions_first200.jsonl.gz")
        for index, answer in enumerate(each for each in row.values() if isinstance(each, dict))
    ]
    graders: tuple[Grader, ...] = (Gsm8kGrader(), Gsm8kTolerantGrader())
    for grader in graders:
        yield _rate(f"speed, {grader.name}", grader, pairs * 10, 2_000)
    rows = lines_of(data / "reward_models" / "qwen25math_math_cot_50x8_rm.jsonl.gz")
    responses = [
        (Problem(str(row["idx"]), "", AnswerCheck(row["answer"])), Sample(str(row["idx"]), index, text))
        for row in rows
        for index, text in enumerate(row["code"])
    ]
    for grader in MATH_GRADERS[1:]:
        yield _rate(f"speed, {grader.name}, 400 responses", grader, responses, 200)
    written = [
        way
        for each in Math500Dataset(path=str(data / "math" / "math500_first200.jsonl")).load()
        for way in rewritings(require_check(each, AnswerCheck).answer)
    ]
    asked = [
        (
            Problem(f"{at}", "", AnswerCheck(way.gold)),
            Sample(f"{at}", 0, f"Final Answer: The final answer is ${way.text}$. I hope it is correct."),
        )
        for at, way in enumerate(written)
    ]
    for grader in MATH_GRADERS:
        yield _rate(f"speed, {grader.name}, {len(asked):,} rewritten answers, all different", grader, asked, 200)
    yield from _hangs()


def _rate(figure: str, grader: Grader, pairs: Sequence[tuple[Problem, Sample]], target: float) -> Result:
    """The number of samples that two otherwise idle cores grade per second, from the CPU time of all processes."""
    list(grader.grade(pairs[:20], None))  # starts the processes
    started, own_s = time.perf_counter(), time.process_time()
    graded_samples = list(grader.grade(pairs, None))
    clock = len(graded_samples) / (time.perf_counter() - started)
    own_s, others_s = time.process_time() - own_s, sum(graded.cpu_s for graded in graded_samples)
    # This process uses at most one core; the others share the rest of the two.
    rate = len(graded_samples) / max(own_s, (own_s + others_s) / 2)
    measured = f"{rate:,.0f} /s on two idle cores ({clock:,.0f} /s measured)"
    return Result(figure, measured, target=at_least(rate, target, "/s"))


HANGS = {
    "a tower of powers": "9^{9^{9^{9}}}",
    "a factorial": "(10^{9})!",
    "a sum of many terms": r"\sum_{k=1}^{10^{8}} \frac{1}{k^{2}+\sin k}",
    "an integral": r"\int_0^1 \sin(\sin(\sin(x^{x^{x}}))) dx",
    "deep brackets": "(" * 400 + "x" + ")" * 400,
}


def _hangs() -> Iterator[Result]:
    """Each hang costs at most its limit on CPU time, and does not delay or lose other verdicts."""
    limit = 2.0
    pool = IsolatedPool("tasks.answers.symbolic_equality:same", cpu_s=limit, processes=2)
    list(pool.map([(r"x^2 - 1", "(x-1)(x+1)")] * 4))
    cpu_s = wall_s = 0.0
    failure = Counter[str]()
    for hang in HANGS.values():
        started = time.perf_counter()
        before, answer, after = pool.map([(r"x^2 - 1", "(x-1)(x+1)"), ("7", hang), (r"x^2 - 4", "(x-2)(x+2)")])
        wall_s, cpu_s = max(wall_s, time.perf_counter() - started), max(cpu_s, answer.cpu_s)
        failure[str(answer.failure or answer.value)] += 1
        if not (before.value and after.value):
            yield Result("hang: the answers before and after it", "lost", target=Target("graded", met=False))
    started = time.perf_counter()
    pool.call(r"x^2 - 1", "(x-1)(x+1)")
    replaced = time.perf_counter() - started
    pool.close()
    shown = ", ".join(f"{count} × {how}" for how, count in failure.items())
    figure = f"hang, limit {limit:g} s of CPU time: most CPU time"
    yield Result(figure, cpu_s, "s", target=at_most(cpu_s, limit + 0.2, "s"))
    yield Result("hang: longest wall-clock time", f"{wall_s:.2f} s ({shown})")
    yield Result("hang: time to the next verdict after one", 1000 * replaced, "ms")


PARTS: dict[str, Callable[[Path], Iterator[Result]]] = {
    "gsm8k": gsm8k,
    "math": math,
    "golds": golds,
    "contests": contests,
    "humaneval": humaneval,
    "speed": speed,
}


def main() -> int:
    """Measure the chosen parts and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with real data")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure; default: all")
    arguments = parser.parse_args()
    return report([result for name in arguments.only for result in PARTS[name](arguments.data)])


if __name__ == "__main__":
    sys.exit(main())
