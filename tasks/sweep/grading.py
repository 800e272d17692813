"""Grading stored samples with one grader: which verdicts are pending, and how a block is graded.

Nothing here knows Prefect: `tasks.steps` wraps these methods as tasks, and tests call them directly.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from sandboxes import Sandbox
from tasks.errors import GradingCancelledError
from tasks.graders import Decided, Grader, GradesTexts, as_grader_of_texts
from tasks.graders.base.functions import FunctionGrader
from tasks.plugins import PluginError, label_of
from tasks.progress import Steps, progress
from tasks.provers import UNCONFIRMED
from tasks.records import GradedSample, Sample
from tasks.store.annotations import VerdictFooter
from tasks.store.blocks import Block
from tasks.store.claims import Claims
from tasks.store.identity import corrections_digest, public_tests_digest, verdict_identity
from tasks.store.retry import retry_while_unavailable
from tasks.store.rows import first_ids
from tasks.store.sample_layout import LAYOUT, SampleFooter
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import SampleSet, StoredSet, VerdictSet
from tasks.sweep.selection import Selection
from tasks.sweep.shared_blocks import claimed, pending_blocks, setting_aside
from tasks.sweep.unstored import MAX_BYTES

VERDICTS = "verdicts"
"""The name of the grading stage in progress."""


class Grading:
    """Grades the stored samples of a selection with one grader; draws nothing."""

    def __init__(
        self,
        *,
        selection: Selection,
        samples: SampleSet,
        grader: Grader,
        limits: Mapping[str, Any] = MappingProxyType({}),
        plugins: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`limits` are the sandbox's, if the grader runs code; `plugins` are the distributions of the plug-ins that
        verdicts depend on, by role; `settings` are the grader's that differ from its defaults."""
        self.selection = selection
        self.samples = samples
        self.grader = grader
        identity = verdict_identity(
            samples.identity,
            grader.name,
            grader.version,
            limits,
            plugins,
            settings=settings,
            corrections=corrections_digest(selection.dataset),
            public_tests=public_tests_digest(selection.dataset, of_functions=_runs_public_tests_of_functions(grader)),
        )
        self.verdicts = VerdictSet(samples.store, samples.identity, identity)
        self.unconfirmed = UNCONFIRMED in limits
        """Whether correct proofs are only proposed (`tasks.provers`)."""
        self.claims = Claims(samples.store, f"claims/{samples.identity.name}")
        self._given_up = threading.Event()

    @contextmanager
    def giving_up_on_error(self) -> Iterator[None]:
        """Where the `with` block ends in an exception, such as Ctrl-C, other threads grade at most one more sample:
        they raise GradingCancelledError, and nothing of their blocks is stored."""
        try:
            yield
        except BaseException:
            self._given_up.set()
            raise

    def pending_verdicts(self) -> list[Block]:
        """The stored blocks with selected samples that lack verdicts."""
        return pending_blocks(self.selection, self.samples, self.verdicts, VERDICTS)

    def stored_samples(self) -> list[Block]:
        """The stored blocks with selected samples; takes one listing, and opens no block."""
        return [block for block in self.samples.blocks() if self.selection.includes(block)]

    def grade(self, block: Block, sandbox: Sandbox | None, *, wait: bool = False) -> str | None:
        """Grade a stored block, if that is still pending, and store the verdicts; returns their URL.

        None if another sweep is grading it and `wait` is False.

        Raises:
            GradingCancelledError: grading was cancelled.
            UserError: the samples turn out to be damaged; they are set aside, to be drawn again.
        """
        claim = f"verdicts/{self.verdicts.identity.name}/{block.grid_cell(1)}"
        return claimed(self.claims, claim, lambda: self._grade_if_pending(block, sandbox), wait=wait)

    def read_samples(self, block: Block) -> tuple[list[Sample], SampleFooter]:
        """The samples of a stored block, in order.

        Raises:
            UserError: the block is damaged; it is set aside, to be drawn again.
        """
        with setting_aside(self.samples, block):
            samples, footer = self.samples.read(block)
            self._check_problems(self.samples, block, [each.problem_id for each in samples[:: len(block.indices)]])
        return samples, footer

    def read_verdicts(self, block: Block, samples: SampleFooter) -> list[GradedSample]:
        """The verdicts on a stored block, in order.

        Raises:
            UserError: they are damaged; they are set aside, to be graded again.
        """
        with setting_aside(self.verdicts, block):
            graded, _ = self.verdicts.read(block, samples)
            self._check_problems(self.verdicts, block, [each.problem_id for each in graded[:: len(block.indices)]])
        return graded

    def verdict_columns(self, block: Block, samples: SampleFooter, names: Sequence[str]) -> tuple[Any, VerdictFooter]:
        """Some columns of the verdicts on a stored block, with `SAMPLE_KEY` among them; raises as `read_verdicts`
        does."""
        with setting_aside(self.verdicts, block):
            table, footer = self.verdicts.columns(block, samples, names)
            self._check_problems(self.verdicts, block, first_ids(table, len(block.indices)))
        return table, footer

    def _check_problems(self, blocks: StoredSet, block: Block, found: Sequence[str]) -> None:
        if list(found) != [problem.id for problem in self.selection.problems_in(block)]:
            raise CorruptObjectError(blocks.url(block), "its problems are not those that the dataset has there")

    def _grade_if_pending(self, block: Block, sandbox: Sandbox | None) -> str:
        self._continue()
        parts, footer = self._read_parts(block)
        if self.verdicts.is_pending(block, footer):
            started = time.monotonic()
            graded = self._graded_parts(parts, sandbox)
            where = described(sandbox) if sandbox is not None and self.grader.runs_code else "none"
            seconds = time.monotonic() - started
            retry_while_unavailable(
                lambda: self.verdicts.write(
                    block, graded, samples_checksum=footer.checksum, made_by=where, seconds=seconds
                )
            )
        else:
            progress.get().advance(VERDICTS, block.samples)
        return self.verdicts.url(block)

    def _graded_parts(self, parts: Iterator[tuple[Block, Any]], sandbox: Sandbox | None) -> Any:
        """The verdicts on a block that is read in parts: as records, or as a table."""
        by_text = as_grader_of_texts(self.grader)
        if by_text is not None:
            return pa.concat_tables(self._graded_texts(part, table["text"], by_text) for part, table in parts)
        graded: list[GradedSample] = []
        for part, table in parts:
            graded += self._graded(part, LAYOUT.to_records(table, self.samples.url(part)), sandbox)
        return graded

    def _graded(self, block: Block, samples: list[Sample], sandbox: Sandbox | None) -> list[GradedSample]:
        problems = {problem.id: problem for problem in self.selection.problems_in(block)}
        pending = {(sample.problem_id, sample.index): at for at, sample in enumerate(samples)}
        given: list[GradedSample | None] = [None] * len(samples)
        steps = Steps(VERDICTS)
        for graded in self.grader.grade([(problems[sample.problem_id], sample) for sample in samples], sandbox):
            if not isinstance(graded, GradedSample):
                raise self._fault(f"returned {type(graded).__name__}, not a GradedSample")
            at = pending.pop((graded.problem_id, graded.index), None)
            if at is None:
                raise self._fault(
                    f"graded sample {graded.index} of problem {graded.problem_id!r}, which was not requested or had"
                    " been graded before"
                )
            given[at] = graded
            steps.advance()
            self._continue()
        steps.flush()
        graded_samples = [graded for graded in given if graded is not None]
        if pending:
            raise self._fault(f"graded {len(graded_samples):,} of {len(samples):,} samples")
        return graded_samples

    def _graded_texts(self, block: Block, texts: Any, grader: GradesTexts) -> Any:
        """The verdicts on a column of texts, as a table."""
        each = len(block.indices)
        decided: list[Decided] = []
        problem_ids: list[str] = []
        steps = Steps(VERDICTS)
        for number, problem in enumerate(self.selection.problems_in(block)):
            problem_ids += [problem.id] * each
            for one in grader.grade_texts(problem, texts.slice(number * each, each).to_pylist()):
                decided.append(one)
                steps.advance()
                self._continue()
            if len(decided) != len(problem_ids):
                graded = len(decided) - number * each
                raise self._fault(f"graded {graded:,} of {each:,} samples of problem {problem.id!r}")
        steps.flush()
        found, details, answers = zip(*decided, strict=True)
        nothing = [0.0] * len(decided)
        return self.verdicts.kind.layout.table_of(
            {
                "problem_id": problem_ids,
                "index": [*block.indices] * len(block.positions),
                "verdict": found,
                "detail": details,
                "cpu_s": nothing,
                "wall_s": nothing,
                "answer": answers,
            }
        )

    def _read_parts(self, block: Block) -> tuple[Iterator[tuple[Block, Any]], SampleFooter]:
        """As `read_samples`, as tables: a large block is read one problem at a time, each as the block of that problem
        alone."""
        with setting_aside(self.samples, block):
            tables, footer = self.samples.read_in_parts(block, MAX_BYTES)

        def parts() -> Iterator[tuple[Block, Any]]:
            position = block.first
            while position < block.last:
                with setting_aside(self.samples, block):
                    table = next(tables)
                    whole = table.num_rows == block.samples
                    part = block if whole else replace(block, first=position, last=position + 1)
                    self._check_problems(self.samples, part, first_ids(table, len(block.indices)))
                yield part, table
                position = part.last

        return parts(), footer

    def _continue(self) -> None:
        if self._given_up.is_set():
            raise GradingCancelledError("grading was cancelled")

    def _fault(self, what: str) -> PluginError:
        return PluginError(f"{label_of('grader', self.grader)} {what}")


def described(sandbox: Sandbox) -> str:
    """The name of a sandbox in results, with how it bounds memory."""
    return f"{sandbox.name}, memory bounded by {sandbox.memory_bound}"


def _runs_public_tests_of_functions(grader: Grader) -> bool:
    """Whether it runs more of a function test than its code; else verdicts do not depend on the rest."""
    return isinstance(grader, FunctionGrader) and bool(grader.behaviour_inputs)
