"""What graders that run code share: from a sandbox's status to a verdict, and reasons in a few words."""

from sandboxes import Outcome, Status
from tasks.records import Verdict

VERDICT_OF = {
    Status.ERROR: Verdict.ERROR,
    Status.TIME_LIMIT: Verdict.TIME_LIMIT,
    Status.MEMORY_LIMIT: Verdict.MEMORY_LIMIT,
    Status.OUTPUT_LIMIT: Verdict.OUTPUT_LIMIT,
    Status.INFRASTRUCTURE: Verdict.INFRASTRUCTURE,
}
"""The verdict on a program that did not end well. Of one that did (`Status.OK`), its output or checker decides."""

_LONGEST = 120


def shortened(text: str) -> str:
    """At most 120 characters of a text, with the cut marked."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def reason(outcome: Outcome) -> str:
    """Why a program failed: the last line that it wrote to stderr, where it ended with an error, or the limit."""
    lines = outcome.stderr.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return shortened(last if outcome.status is Status.ERROR and last else outcome.detail)
