"""From a problem and a sample to a number: reward models, and models that rate or compare. One scorer per file.

A scorer knows no expected answer. It is opened from a pydantic config class, as an engine is. Its numbers are compared
only with each other: each scorer's documentation says whether they are logits or probabilities.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

from tasks.scorers.replies import Replies


class Candidate(NamedTuple):
    """A sample to score. `question` is the problem's own text; `prompt` is what the engine was asked, with worked
    examples and instructions, but without a chat template. `pivots` are the texts of the samples that a scorer which
    compares (`Comparing`) has to compare it with, the same for all samples of a problem; empty for other scorers."""

    problem_id: str
    question: str
    prompt: str
    text: str
    pivots: tuple[str, ...] = ()

    def read(self, what: Literal["question", "prompt"]) -> str:
        """What a model reads before the text."""
        return self.prompt if what == "prompt" else self.question


class Unscored(NamedTuple):
    """A scorer could not score one candidate; the reason is a few words, such as `longer than 4,096 tokens`."""

    reason: str


class Scored(NamedTuple):
    """A candidate's score, with how it came about in a few words; they are stored with it."""

    value: float
    detail: str = ""


Number = TypeVar("Number", int, float)


class Spent(NamedTuple):
    """What a scorer has used since it was opened, in all calls; None for what is not known.

    `tokens` are completion tokens, and `dollars` are for all tokens. `context` is the sum of the context lengths of all
    tokens, from which FLOPs follow: L·(L + 1) / 2 for each text of L tokens, prompt and completion together. The
    default is that of a model that writes nothing, and whose time has a price that it does not know.

    `unreported` counts the replies of a server that do not say what they used; the sums are those of the others.
    """

    tokens: int | None = 0
    dollars: float | None = None
    prompt_tokens: int | None = None
    context: int | None = None
    unreported: int = 0

    @classmethod
    def reading(cls, texts: Sequence[int]) -> "Spent":
        """What a model uses to read texts of these lengths, in tokens, where nothing is charged for tokens."""
        return cls(prompt_tokens=sum(texts), context=sum(length * (length + 1) // 2 for length in texts))

    def plus(self, other: "Spent") -> "Spent":
        """Both together: what is not known of one is not known of both."""
        return Spent(
            _sum(self.tokens, other.tokens),
            _sum(self.dollars, other.dollars),
            _sum(self.prompt_tokens, other.prompt_tokens),
            _sum(self.context, other.context),
            self.unreported + other.unreported,
        )

    def complete(self) -> "Spent":
        """The sums over all replies: not known if one of them does not say what it used."""
        return Spent(None, None, None, None) if self.unreported else self

    def since(self, before: "Spent") -> "Spent":
        """What was used after a time at which this was what had been used `before`."""
        negative = Spent(*(None if value is None else -value for value in before))  # type: ignore[arg-type]
        return self.plus(negative)


def _sum(a: Number | None, b: Number | None) -> Number | None:
    return None if a is None or b is None else a + b


NOTHING = Spent(0, 0.0, 0, 0)
"""What a scorer that counts everything has used before its first call."""


class Scorer(Protocol):
    """Scores candidates. Up to `max_concurrent_calls` calls of `score` run at once, each in its own thread."""

    @property
    def version(self) -> str:
        """Name and version of the software that scores, such as `onnxruntime 1.31.1`."""
        ...

    @property
    def max_concurrent_calls(self) -> int:
        """How many concurrent calls of `score` keep the scorer busy."""
        ...

    @property
    def max_candidates(self) -> int:
        """How many candidates one call of `score` takes. What a call returned may be stored before the next call."""
        ...

    @property
    def spent(self) -> Spent:
        """What it has used; `Spent()` for a model that costs nothing but time."""
        ...

    def score(self, candidates: Sequence[Candidate]) -> Sequence[float | Scored | Unscored]:
        """A finite number for each candidate, in order, alone or with a detail, or why it has none.

        Raises:
            UserError: something that only the user can fix, such as a model that is not a scorer.
            ScorerFailedError: the scorer failed, and does so again after its own retries.
            ScoringCancelledError: `cancel` was called, or the scorer was closed.
        """
        ...

    def cancel(self) -> None:
        """End all calls of `score` soon and for good; called from another thread than theirs."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """End all calls of `score`, as `cancel` does, and release the scorer's resources."""
        ...


@runtime_checkable
class Resuming(Protocol):
    """A scorer that need not ask again for what it was told in a run that was killed."""

    def score_with(self, candidates: Sequence[Candidate], replies: Replies) -> Sequence[float | Scored | Unscored]:
        """As `Scorer.score`. It asks for no number that `replies` has, and adds each that it is told at once: they are
        stored while the call goes on. Raises as `Scorer.score` does."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A scorer that has something to say about all scores that it gave."""

    def notes(self) -> Iterable[str]:
        """What the user should know, one line each; called at the end of a run."""
        ...


class ScorerConfig(Protocol):
    """What a person writes to choose and configure a scorer."""

    @property
    def name(self) -> str:
        """The name by which a sweep file chooses it."""
        ...

    @property
    def version(self) -> int:
        """The rule's version: scores of two versions are never mixed."""
        ...

    @property
    def label(self) -> str:
        """What messages call it: the model, or the file."""
        ...

    def ingredients(self) -> dict[str, Any]:
        """Everything except the samples that its scores depend on, as JSON: settings, and content hashes instead of
        paths.

        Raises:
            UserError: the model cannot be read.
        """
        ...

    def check(self) -> None:
        """Make sure that it can be opened here; called before any work starts.

        Raises:
            UserError: it cannot, such as for lack of a package.
        """
        ...

    def open(self) -> Scorer:
        """The scorer, ready to score.

        Raises:
            UserError: it cannot be opened as configured.
        """
        ...


@runtime_checkable
class Priced(Protocol):
    """The config of a scorer whose tokens may have a price. Other scorers cost time."""

    @property
    def has_price(self) -> bool:
        """Whether it is known what tokens cost; 0 is a price."""
        ...


@runtime_checkable
class Comparing(Protocol):
    """The config of a scorer that compares each sample with the first `pivots` samples of its problem. Those of these
    that have no score yet come to `score` in one call, if it takes as many."""

    @property
    def pivots(self) -> int:
        """How many; at least 1."""
        ...
