"""The file that `monkeys grade` writes: the verdicts in the order of the samples. It exists only once it is complete.

Until then the verdicts are in a log next to it. The log's name contains a hash of what is graded and how, so that the
same work resumes from it and other work does not. A line of the log is the number of a sample, a tab, and its verdict.
Numbers increase by one from 0; a smaller number is a new verdict on a sample on which the sandbox had failed.
"""

import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tasks.batch_grading.inputs import Samples, SampleText
from tasks.errors import UserError
from tasks.files.atomic import replacing
from tasks.records import GradedSample, Verdict

GradesSamples = Callable[[Iterator[tuple[int, SampleText]]], Iterator[GradedSample]]
"""Grades samples, each with a number that is its graded sample's `index`; yields them in any order."""


class VerdictFile:
    """The verdicts on the samples of a file, and their log. Use it in a `with` block.

    Args:
        output: the file to write once every sample has a verdict.
        samples: what is graded.
        work: the `fingerprint` of what is graded and how.

    Raises:
        UserError: the output exists or is a folder; the log cannot be written, or another process is writing it.
    """

    def __init__(self, output: Path, samples: Samples, work: str):
        self.output = output
        self.log = output.with_name(f"{output.name}.{work}.part")
        self.total = samples.count
        self.counts: Counter[Verdict] = Counter()
        self._samples = samples
        self._graded = bytearray(samples.count)
        self._following = 0
        if output.is_dir():
            raise UserError(f"{output}: is a folder; name a file in it")
        if output.exists() and not self.log.exists():
            raise UserError(f"{output}: already exists; remove it, or name another file")
        with self._faults():
            self._file = self.log.open("a+b")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"{output}: another `monkeys grade` is writing it; wait until it has ended") from error
            self._take_up()

    @property
    def pending(self) -> int:
        """How many samples have no verdict yet, or one that says only that the sandbox failed."""
        return self._graded.count(0)

    def grade(self, by: GradesSamples) -> Generator[GradedSample, None, None]:
        """Grade what is pending; yields the graded samples in any order, `index` being the sample's place in its file.

        Args:
            by: grades samples, which it takes with their places in the file. It bounds how many it takes ahead of the
                verdicts that it has given.

        Raises:
            UserError: the log cannot be written, or the samples cannot be read any more.
            SandboxUnavailableError: the process that reads programs was lost.
        """
        # What is taken and not written yet.
        index_of: dict[int, int] = {}
        held: dict[int, GradedSample] = {}

        def pending() -> Iterator[tuple[int, SampleText]]:
            for number, sample in enumerate(self._samples.read()):
                if not self._graded[number]:
                    index_of[number] = sample.index
                    yield number, sample

        for graded in by(pending()):
            if graded.index < self._following:
                self._write(graded, index_of.pop(graded.index))
            else:
                held[graded.index] = graded
            while self._following in held:
                self._write(held.pop(self._following), index_of.pop(self._following))
            yield graded

    def finish(self) -> None:
        """Give the file its name. While verdicts are pending, the log is kept, so that the work can be resumed.

        Raises:
            UserError: they cannot be written.
        """
        with self._faults():
            with replacing(self.output) as fresh, fresh.open("wb") as whole:
                replaced = {number: line for number, line in self._lines() if number is not None}
                for number, line in enumerate(line for at, line in self._lines() if at is None):
                    whole.write(replaced.get(number, line))
            if not self.pending:
                self.log.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if not os.fstat(self._file.fileno()).st_size:
            self.log.unlink(missing_ok=True)
        self._file.close()

    def _take_up(self) -> None:
        """Read what an earlier run has left, and cut off its end from where it says nothing of the samples on: a line
        that was not finished, and failures of the sandbox that nothing came after."""
        self._file.seek(0)
        whole = at = 0
        failed: list[int] = []
        for line in self._file:
            name, _, document = line.partition(b"\t")
            try:
                number, verdict = int(name), Verdict(json.loads(document)["verdict"])
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            at += len(line)
            if verdict is Verdict.INFRASTRUCTURE:
                failed.append(number)
                continue
            for earlier in failed:
                self._count(earlier, Verdict.INFRASTRUCTURE)
            failed.clear()
            self._count(number, verdict)
            whole = at
        self._file.truncate(whole)

    def _count(self, number: int, verdict: Verdict) -> None:
        if number < self._following:
            self.counts[Verdict.INFRASTRUCTURE] -= 1
        self._following = max(self._following, number + 1)
        self.counts[verdict] += 1
        self._graded[number] = verdict is not Verdict.INFRASTRUCTURE

    def _write(self, graded: GradedSample, index: int) -> None:
        line = {
            "problem_id": graded.problem_id,
            "index": index,
            "verdict": graded.verdict.value,
            "detail": graded.detail,
            "cpu_s": round(graded.cpu_s, 6),
            "wall_s": round(graded.wall_s, 6),
        }
        with self._faults():
            # A detail may quote a sample's text, which need not be valid Unicode.
            self._file.write(f"{graded.index}\t{json.dumps(line, ensure_ascii=False)}\n".encode(errors="replace"))
            self._file.flush()
        self._count(graded.index, graded.verdict)

    def _lines(self) -> Iterator[tuple[int | None, bytes]]:
        """Each line of the log without its number; that is given only where the line replaces an earlier one."""
        self._file.seek(0)
        following = 0
        for line in self._file:
            number, _, verdict = line.partition(b"\t")
            yield (int(number) if int(number) < following else None), verdict
            following = max(following, int(number) + 1)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"{self.output}: cannot be written ({error.strerror or error})") from error
