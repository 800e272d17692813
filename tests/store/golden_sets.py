"""Small sets whose files are kept in `golden/<schema version>/`: every later version must read them as they are.

python -m tests.store.golden_sets FOLDER     writes them as this version does, each schema version in its own folder
"""

import sys
from dataclasses import replace
from unittest import mock

from tasks.records import AnswerCheck, Confidence, GradedSample, Problem, Sample, ScoredSample, ToolCall, Turn, Verdict
from tasks.store import Store, sets
from tasks.store.annotations import ScoreFooter, VerdictFooter
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity, score_identity, verdict_identity
from tasks.store.problems import StoredProblem
from tasks.store.sample_layout import SampleFooter
from tasks.store.sets import SampleSet, ScoreSet, VerdictSet

PROBLEMS = [Problem(f"p{number}", f"{number}?", AnswerCheck(str(number))) for number in range(2)]
BLOCK = Block(0, 3, 0, 2)
DRAWN_AT = "2026-11-29T08:00:00+00:00"

PLAIN = sample_identity("plain-toy", dataset="toy", problems=problems_digest(PROBLEMS), engine="toy", seed=0)
AGENT = sample_identity("agent-toy", dataset="toy", problems=problems_digest(PROBLEMS), engine="agent", seed=0)
VERDICTS = verdict_identity(PLAIN, "toy", 1, {"time_limit_s": 10.0})
AGENT_VERDICTS = verdict_identity(AGENT, "toy", 1, {})
SCORES = score_identity(PLAIN, "reward", 1, model="reward-model")

PLAIN_SAMPLES = [
    Sample("p0", 0, "#### 0", 12, 4, -0.5, "stop"),
    Sample("p0", 1, "", None, None, None, None),
    Sample("p0", 2, "∑ and\nmore", 12, 9, -3.25, "length"),
    Sample("p1", 0, "#### 1", 13, 4, -0.125, "stop"),
    Sample("p1", 1, "#### 2", 13, 4, -1.0, "stop"),
    Sample("p1", 2, "\x00", 13, 1, -9.5, "stop"),
]
TURNS = (
    Turn("system", "Fix it."),
    Turn(
        "assistant",
        "I look first.",
        calls=(ToolCall("ls", '{"path": "."}', "call-1"), ToolCall("pwd", "{}")),
        prompt_tokens=100,
        cached_prompt_tokens=64,
        tokens=20,
    ),
    Turn("tool", "a.py ∑", call_id="call-1"),
    Turn("assistant", "patch", prompt_tokens=140, tokens=5),
)
AGENT_SAMPLES = [
    Sample("p0", 0, "patch", 240, 25, None, "stop", cached_prompt_tokens=64, turns=TURNS),
    Sample("p0", 1, "no turns", 100, 3, None, "stop"),
    Sample("p0", 2, "cached alone", 100, 3, None, "stop", cached_prompt_tokens=0),
    *(Sample("p1", index, f"{index}", 100, 3, None, "stop", turns=TURNS[:index]) for index in range(3)),
]
GRADED = [
    GradedSample("p0", 0, Verdict.CORRECT, "", 0.25, 0.5, "0"),
    GradedSample("p0", 1, Verdict.NO_ANSWER, "no #### answer"),
    GradedSample("p0", 2, Verdict.INFRASTRUCTURE, "the sandbox was lost"),
    GradedSample("p1", 0, Verdict.CORRECT, "", 0.0, 0.0, "1", "artifacts/plain-toy/p1-0.log"),
    GradedSample("p1", 1, Verdict.WRONG, "answered 2", 0.0, 0.0, "2"),
    GradedSample("p1", 2, Verdict.ERROR, "ValueError: ∑"),
]
AGENT_GRADED = [GradedSample(each.problem_id, each.index, Verdict.WRONG, "") for each in AGENT_SAMPLES]
SCORED = [
    ScoredSample("p0", 0, 0.75),
    ScoredSample("p0", 1, -1.5, "empty"),
    ScoredSample("p0", 2, None, "too long"),
    *(ScoredSample("p1", index, float(index)) for index in range(3)),
]
PLAIN_CHECKSUM = "c9e7c2c34252b1ed33246fb6b34f7b5cc1b2c6fcd9be763f3649f4319b37a1d4"
AGENT_CHECKSUM = "cddb2a9850f7a2f92caad65be6d515fd7f750b2b9963abc2b169597a77153108"
PLAIN_FOOTER = SampleFooter(PLAIN_CHECKSUM, None, "toy 1", DRAWN_AT, 1.5, reproducible=True)
AGENT_FOOTER = SampleFooter(AGENT_CHECKSUM, 40, "toy 1", DRAWN_AT, 1.5, reproducible=True)
COUNTS = {"correct": 2, "error": 1, "infrastructure": 1, "no_answer": 1, "wrong": 1}
VERDICT_FOOTER = VerdictFooter(PLAIN_CHECKSUM, "none", DRAWN_AT, 0.25, COUNTS)
AGENT_VERDICT_FOOTER = VerdictFooter(AGENT_CHECKSUM, "none", DRAWN_AT, 0.25, {"wrong": 6})
SCORE_FOOTER = ScoreFooter(PLAIN_CHECKSUM, "reward-model", DRAWN_AT, 2.0, unscored=1)


GROWN = sample_identity("grown-toy", dataset="toy", problems=problems_digest(PROBLEMS), engine="toy", seed=1)
GROWN_VERDICTS = verdict_identity(GROWN, "toy", 1, {}, public_tests="0123456789ab")
GROWN_GRADED = [
    GradedSample("p0", 0, Verdict.CORRECT, "", 0.25, 0.5, passed=True),
    GradedSample("p0", 1, Verdict.WRONG, "test 1 of 2", 0.25, 0.5, "a", passed=False),
    GradedSample("p0", 2, Verdict.INFRASTRUCTURE, "the sandbox was lost"),
    *(GradedSample("p1", index, Verdict.WRONG, "test 2 of 2", passed=True) for index in range(3)),
]
GROWN_SAMPLES = [
    replace(
        PLAIN_SAMPLES[0],
        confidence=Confidence(mean=4.5, lowest_group=1.25, bottom_groups=1.5, tail=3.0, top=20, window=2048),
    ),
    *PLAIN_SAMPLES[1:],
]
"""Of a set that was started with confidences and extended without them."""


def write_1_1(store: Store) -> None:
    """Write the sets that have what schema 1.1 added."""
    with mock.patch.object(sets, "now", lambda: DRAWN_AT):
        samples = SampleSet(store, GROWN)
        samples.write(BLOCK, PROBLEMS, GROWN_SAMPLES, "toy 1", 1.5, reproducible=True)
        checksum = samples.stored()[BLOCK].checksum
        verdicts = VerdictSet(store, GROWN, GROWN_VERDICTS)
        verdicts.write(BLOCK, GROWN_GRADED, samples_checksum=checksum, made_by="none", seconds=0.25)


def write(store: Store) -> None:
    """Write the sets of schema 1.0."""
    with mock.patch.object(sets, "now", lambda: DRAWN_AT):
        for identity, drawn in ((PLAIN, PLAIN_SAMPLES), (AGENT, AGENT_SAMPLES)):
            SampleSet(store, identity).write(BLOCK, PROBLEMS, drawn, "toy 1", 1.5, reproducible=True)
        verdicts = VerdictSet(store, PLAIN, VERDICTS)
        verdicts.write(BLOCK, GRADED, samples_checksum=PLAIN_CHECKSUM, made_by="none", seconds=0.25)
        of_agent = VerdictSet(store, AGENT, AGENT_VERDICTS)
        of_agent.write(BLOCK, AGENT_GRADED, samples_checksum=AGENT_CHECKSUM, made_by="none", seconds=0.25)
        scores = ScoreSet(store, PLAIN, SCORES)
        scores.write(BLOCK, SCORED, samples_checksum=PLAIN_CHECKSUM, made_by="reward-model", seconds=2.0)


COUNTED_SCORES = score_identity(PLAIN, "reward", 2)
COUNTED_FOOTER = ScoreFooter(PLAIN_CHECKSUM, "reward-model", DRAWN_AT, 2.0, 1, 600, 12, 33_000, 0.0125)


def write_1_2(store: Store) -> None:
    """Write the sets that have what schema 1.2 added: what scoring used."""
    with mock.patch.object(sets, "now", lambda: DRAWN_AT):
        SampleSet(store, PLAIN).write(BLOCK, PROBLEMS, PLAIN_SAMPLES, "toy 1", 1.5, reproducible=True)
        used = {"prompt_tokens": 600, "tokens": 12, "context": 33_000, "dollars": 0.0125}
        scores = ScoreSet(store, PLAIN, COUNTED_SCORES)
        scores.write(BLOCK, SCORED, samples_checksum=PLAIN_CHECKSUM, made_by="reward-model", seconds=2.0, more=used)


ASKED = sample_identity(
    "asked-toy", dataset="toy", problems=problems_digest(PROBLEMS), engine="toy", template="Q: {question}"
)
ASKED_PROBLEMS = [
    StoredProblem("p0", "0?", {"kind": "answer", "answer": "0"}, "Q: 0?"),
    StoredProblem("p1", "∑\x00\n", {"kind": "stdio", "tests": [{"stdin": "1", "stdout": "2"}]}, "Q: ∑", {"tests": 200}),
    StoredProblem("p2", "", None, None),
]


def write_1_3(store: Store) -> None:
    """Write the set that has what schema 1.3 added: its problems."""
    with mock.patch.object(sets, "now", lambda: DRAWN_AT):
        samples = SampleSet(store, ASKED)
        samples.write_problems(lambda: ASKED_PROBLEMS)
        samples.write(BLOCK, PROBLEMS, PLAIN_SAMPLES, "toy 1", 1.5, reproducible=True)


REPLIED_SCORES = score_identity(PLAIN, "reward", 3)
REPLIED_FOOTER = replace(COUNTED_FOOTER, unscored=6, earlier=((DRAWN_AT, 4.5),))
REPLIES = {bytes(range(32)): 0.5, bytes(range(1, 33)): -1.25}


def write_1_4(store: Store) -> None:
    """Write the sets that have what schema 1.4 added: replies of a scorer for scores that are not complete."""
    with mock.patch.object(sets, "now", lambda: DRAWN_AT):
        SampleSet(store, PLAIN).write(BLOCK, PROBLEMS, PLAIN_SAMPLES, "toy 1", 1.5, reproducible=True)
        ScoreSet(store, PLAIN, REPLIED_SCORES).write_replies(BLOCK, REPLIES, REPLIED_FOOTER)


if __name__ == "__main__":
    write(FsspecStore(f"{sys.argv[1]}/1.0"))
    write_1_1(FsspecStore(f"{sys.argv[1]}/1.1"))
    write_1_2(FsspecStore(f"{sys.argv[1]}/1.2"))
    write_1_3(FsspecStore(f"{sys.argv[1]}/1.3"))
    write_1_4(FsspecStore(f"{sys.argv[1]}/1.4"))
