"""What a warm Rocq saves: CPU seconds per proof against a fresh `coqc` for each, and memory over many proofs.

    python benchmarks/provers.py [--minif2f STATEMENTS.jsonl.gz] [--proofs 1000] [--samples 100]

A warm process is counted with its start and every header that it loads; a fresh `coqc` is measured on every few of the
same proofs. CPU time is compared, since it does not depend on what else the machine does. The proofs of `theorems` are
its reference proofs, in the order in which a block is graded. Those of miniF2F are short scripts; most fail, as most
samples do.

What samples have in common is measured on samples of the bundled model, each distinct proof once, in the order in which
a block is graded: against the same process that takes back every proof to its statement. Their verdicts are compared.
"""

import argparse
import contextlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from results import Result, at_least, at_most, report

from tasks.datasets.minif2f import MiniF2FDataset
from tasks.datasets.theorems import TheoremsDataset
from tasks.engines.onnx import OnnxConfig
from tasks.graders.base.requirements import require_check
from tasks.prompts import prompt
from tasks.provers import PlacedProof, UnplaceableError
from tasks.provers.coq.installation import Installation, installation
from tasks.provers.coq.warm import OPTIONS, WarmProcess
from tasks.provers.vernacular.placing import place
from tasks.records import Request, Sampling, TheoremCheck

SCRIPTS = (
    *("intros. lra.", "intros. lia.", "intros. nra.", "intros. nia.", "intros. auto.", "intros. reflexivity."),
    *("intros. subst. lra.", "intros. split; lra.", "intros. field_simplify; lra.", "intros. simpl in *. lia."),
    *("intros. ring.", "intros. congruence.", "intuition.", "firstorder.", "intros. exfalso. lra.", "intros. easy."),
    *("intros. psatz R 2.", "intros. destruct H. lra.", "intros. rewrite H. lra.", "intros. apply Rle_antisym; lra."),
)
"""Proofs that a model may write of statements that it does not understand."""
_FRESH = 12
_STATEMENTS = 4
_MEMORY_MB, _CPU_S = 2048, 10.0


def fresh_cpu_s(proofs: Sequence[PlacedProof], rocq: Installation) -> float:
    """CPU seconds per proof of a `coqc` for each."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "proof.v"
        for proof in proofs:
            source.write_text("\n".join(proof.pieces) + "\n", encoding="utf-8")
            command = ["timeout", str(_CPU_S * 3), rocq.compiler, *OPTIONS, "-noglob", str(source)]
            subprocess.run(command, capture_output=True, check=False, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(proofs)


def warm_cpu_s(proofs: Sequence[PlacedProof], rocq: Installation) -> float:
    """CPU seconds per proof of warm processes, with their starts and headers."""
    used, process = 0.0, WarmProcess(rocq, _MEMORY_MB)
    for proof in proofs:
        if not process.usable:
            used += process.cpu_s()
            process.close()
            process = WarmProcess(rocq, _MEMORY_MB)
        process.prove(proof, _CPU_S)
    used += process.cpu_s()
    process.close()
    return used / len(proofs)


def sampled_proofs(count: int) -> list[PlacedProof]:
    """The distinct proofs among `count` samples of the bundled model for every sixth theorem of `theorems`, in the
    order in which they are graded."""
    problems, about = TheoremsDataset().load()[::6], TheoremsDataset
    sampling = Sampling(temperature=0.6, top_p=1.0, max_tokens=about.max_tokens, stop=about.stop, seed=0)
    requests = [Request(each.id, prompt(about.template, each), 0, count) for each in problems]
    theorems = {each.id: require_check(each, TheoremCheck) for each in problems}
    found: set[tuple[str, PlacedProof]] = set()
    with OnnxConfig(model="theorems", threads=1).open() as engine:
        for samples in engine.sample(requests, sampling):
            for sample in samples:
                with contextlib.suppress(UnplaceableError):
                    found.add((sample.problem_id, place(sample.text, theorems[sample.problem_id])))
    return [proof for _, proof in sorted(found, key=lambda each: (each[1].header, each[0], each[1].proof))]


def shared_and_plain(proofs: Sequence[PlacedProof], rocq: Installation) -> tuple[float, float, int]:
    """CPU seconds of running proofs in one process that keeps what they have in common with the one before, and in one
    that does not, without starts and headers; and how many verdicts differ."""
    used, verdicts = [], []
    for shares in (True, False):
        process = WarmProcess(rocq, _MEMORY_MB)
        seconds, found = 0.0, []
        for proof in proofs:
            if not process.usable:
                process.close()
                process = WarmProcess(rocq, _MEMORY_MB)
            process.load((*proof.header, proof.statement))
            before = process.cpu_s()
            if not shares:
                process.forget()
            found.append(process.prove(proof, _CPU_S)[:2])
            seconds += process.cpu_s() - before
        process.close()
        used.append(seconds)
        verdicts.append(found)
    return used[0], used[1], sum(one != other for one, other in zip(*verdicts, strict=True))


def memory_growth(proofs: Sequence[PlacedProof], rocq: Installation, count: int) -> tuple[float, float]:
    """Megabytes of one process after a tenth of `count` proofs, and after all."""
    process = WarmProcess(rocq, _MEMORY_MB)
    early = 0.0
    for number in range(count):
        process.prove(proofs[number % len(proofs)], _CPU_S)
        if number == count // 10:
            early = process.memory_mb()
    late = process.memory_mb()
    process.close()
    return early, late


def theorem_proofs() -> list[PlacedProof]:
    """The reference proofs of `theorems`, by header."""
    dataset = TheoremsDataset()
    problems = {problem.id: require_check(problem, TheoremCheck) for problem in dataset.load()}
    proofs = [place(each.text, problems[each.problem_id]) for each in dataset.solutions()]
    return sorted(proofs, key=lambda proof: proof.header)


def minif2f_proofs(path: str) -> list[list[PlacedProof]]:
    """For some statements that are spread over the file, the scripts."""
    problems = MiniF2FDataset(path=path, exclude="defective").load()
    chosen = problems[:: max(1, len(problems) // _STATEMENTS)][:_STATEMENTS]
    return [[place(script, require_check(problem, TheoremCheck)) for script in SCRIPTS] for problem in chosen]


def main() -> int:
    """Measure, and print a table; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minif2f", help="the statements in Rocq")
    parser.add_argument("--proofs", type=int, default=1000, help="proofs over which memory is watched")
    parser.add_argument("--samples", type=int, default=100, help="samples of each theorem whose proofs are compared")
    options = parser.parse_args()
    rocq, proofs = installation(), theorem_proofs()
    warm, fresh = warm_cpu_s(proofs, rocq), fresh_cpu_s(proofs[:: max(1, len(proofs) // _FRESH)], rocq)
    results = [_compared("theorems", warm, fresh, 10)]
    if options.minif2f:
        groups = minif2f_proofs(options.minif2f)
        warm = warm_cpu_s([proof for group in groups for proof in group], rocq)
        fresh = fresh_cpu_s([proof for group in groups for proof in group[::5]], rocq)
        results.append(_compared("miniF2F", warm, fresh, 3))
    sampled = sampled_proofs(options.samples)
    shared, plain, differ = shared_and_plain(sampled, rocq)
    figure = f"{len(sampled):,} distinct samples of theorems, what they have in common once; rival: each whole"
    ratio = plain / shared
    results.append(Result(figure, 1000 * shared / len(sampled), "CPU ms", 1000 * plain / len(sampled), ratio, None))
    results.append(Result("verdicts that differ between the two", differ, "", 0, None, at_most(differ, 0)))
    one_header = [proof for proof in proofs if proof.header == proofs[-1].header]
    early, late = memory_growth(one_header, rocq, options.proofs)
    figure = f"memory after {options.proofs:,} proofs; rival: after a tenth"
    results.append(Result(figure, late, "MB", early, late / early, at_most(late / early, 1.1)))
    return report(results)


def _compared(name: str, warm: float, fresh: float, bound: float) -> Result:
    figure = f"{name}: a proof in a warm process; rival: a fresh coqc"
    return Result(figure, 1000 * warm, "CPU ms", 1000 * fresh, fresh / warm, at_least(fresh / warm, bound))


if __name__ == "__main__":
    sys.exit(main())
