"""Samples that are programs, graded by their problems' tests."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from sandboxes import SandboxUnavailableError
from sandboxes.batch import Batch
from tasks.batch_grading.inputs import SampleText
from tasks.batch_grading.verdict_file import GradesSamples
from tasks.errors import RESUME
from tasks.graders.base.code import chosen
from tasks.graders.base.programs import Program, grade_programs
from tasks.graders.stdio import StdioGrader
from tasks.records import GradedSample, Problem

# The number of samples whose programs are found together.
_READ_AHEAD = 256


def by_tests(problems: Mapping[str, Problem], batch: Batch, extracting: StdioGrader | None = None) -> GradesSamples:
    """Grades programs on the tests of their problems.

    Args:
        problems: the problems by id.
        batch: where programs run. It bounds how many samples are taken ahead.
        extracting: finds the program in a sample's text; None: the text is the program.
    """

    def programs(samples: Iterator[tuple[int, SampleText]]) -> Iterator[Program]:
        while chunk := list(islice(samples, _READ_AHEAD)):
            for (number, sample), text in zip(chunk, _programs(chunk, extracting), strict=True):
                yield Program(problems[sample.problem_id], number, text)

    def graded(samples: Iterator[tuple[int, SampleText]]) -> Iterator[GradedSample]:
        return grade_programs(programs(samples), batch, StdioGrader.rule)

    return graded


def _programs(chunk: Sequence[tuple[int, SampleText]], extracting: StdioGrader | None) -> Iterator[str]:
    """The program of each sample."""
    if extracting is None:
        yield from (sample.text for _, sample in chunk)
        return
    for program in chosen(extracting.found(sample.text for _, sample in chunk)):
        if program is None:
            raise SandboxUnavailableError(f"the process that reads programs was lost. {RESUME}")
        yield program
