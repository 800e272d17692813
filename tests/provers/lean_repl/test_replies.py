import json
import random

import pytest

from tasks.provers.lean_repl.framing import Frames, TooLongError
from tasks.provers.lean_repl.replies import MAX_REPLY_BYTES, MalformedReplyError, decode_reply, outcome, read_reply
from tasks.records import Verdict
from tests.provers.lean_repl.recorded import needs_recordings, rows

# What each reply of the recorded sessions says, read by hand: c(orrect), e(rror), s(orry), f(ault of the REPL), or the
# reply to a t(actic).
SESSIONS = """
Mathlib/test/20240209:st Mathlib/test/H20231020:cccc Mathlib/test/H20231110:cc Mathlib/test/H20231115:cst
Mathlib/test/H20231115_2:cs Mathlib/test/H20231115_3:ce Mathlib/test/H20231215:cc Mathlib/test/H20231215_2:cs
Mathlib/test/exact:cstsf Mathlib/test/file_env:csc Mathlib/test/induction:csttt Mathlib/test/line_breaks:cs
Mathlib/test/on_goal:cst Mathlib/test/pickle:cst Mathlib/test/pickle_2:tt
Mathlib/test/placeholder_synthesis:cestt all_tactics-20250622:ct all_tactics:c app_type_mismatch:esttt
app_type_mismatch2:esttttf assumption_proof:st by_cases:sttt calc:s def_eval:cc dup_msg:cce dup_sorries:ss
file:c file2:c file_env:ccc have_by_sorry:est import_lean:c incomplete:ee infotree:c infotree_theorem:c
invalid_line_break:ee invalid_tactic:st line_breaks:esc name_generator:stttttttt no_goal_sorry:e
no_goal_sorry_2:e options:ccc pickle_environment:cccc pickle_environment_with_imports:ccccc pickle_open:cccc
pickle_open_2:cc pickle_open_scoped:ccsc pickle_open_scoped_2:cs pickle_proof_state_1:cstttttt
pickle_proof_state_2:tt pickle_proof_state_env:cstttttt proof_branching:stttt proof_branching2:stttttt
proof_step:sttt proof_transitivity:stst readme:stt root_goals:stt self_proof_apply_check:est
self_proof_check:esfsfsfsf self_proof_exact_check:est self_proof_rw:est sorry_hypotheses:st
synthesize_placeholder:e tactic_mode_sorry:st tactic_sorry:s term_sorry:s trace_simp:ccccsttc
unfinished_tactic_block:e unknown_environment:f unknown_proof_state:sf unknown_tactic:sf variables:ccs
"""

OWN = [
    (b'{"env": 0}', "c"),
    (b'{"message": "Unknown environment."}', "f"),
    (
        b'{"messages":\n [{"severity": "info",\n   "pos": {"line": 1, "column": 0}, "data": "Try this"}],\n "env": 3}',
        "c",
    ),
    (
        b'{"messages": [{"severity": "error", "pos": {"line": 2, "column": 0}, "data": "unsolved goals"}], "env": 1}',
        "e",
    ),
    (b'{"sorries": [{"proofState": 0, "goal": "x"}], "env": 1}', "s"),
    (b'{"messages": [{"severity": "warning", "data": "declaration uses \'sorry\'"}], "env": 1}', "s"),
    (b'{"messages": [{"severity": "warning", "data": "declaration uses `sorry`"}], "env": 1}', "s"),
    (b'{"messages": [{"severity": "info", "data": "declaration uses `sorry`"}], "env": 1}', "c"),
    (
        b'{"messages": [{"severity": "info", "data": "{\\"severity\\": \\"error\\"}\\n\\n{\\"env\\": 9}"}], "env": 1}',
        "c",
    ),
    (b'{"proofStatus": "Completed", "proofState": 1, "goals": []}', "t"),
]


def letter(frame: bytes) -> str:
    try:
        reply = decode_reply(frame)
    except MalformedReplyError as error:
        assert str(error) == "the reply to a tactic"
        return "t"
    if reply.fault is not None:
        return "f"
    verdict, detail = outcome(reply)
    if verdict is Verdict.CORRECT:
        return "c"
    assert verdict is Verdict.ERROR
    return "s" if detail == "it uses sorry" else "e"


@pytest.mark.parametrize(("frame", "expected"), OWN)
def test_a_reply_says_what_became_of_a_command(frame: bytes, expected: str):
    assert letter(frame) == expected


@needs_recordings
def test_recorded_sessions_of_the_repl_are_read_byte_for_byte():
    expected = dict(each.rsplit(":", 1) for each in SESSIONS.split())
    chance = random.Random(0)
    sessions = rows("repl_transcripts")
    assert len(sessions) == len(expected) == 71
    for session in sessions:
        written, frames, found = session["stdout"].encode(), Frames(), ""
        while written:
            size = chance.randint(1, 40)
            frames.feed(written[:size])
            written = written[size:]
            while (frame := frames.take()) is not None:
                found += letter(frame)
        assert found == expected[session["name"]], session["name"]
        assert not frames.pending


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"env": 0} {"env": 1}',
        b'PANIC\n{"env": 0}',
        b'{"env": true}',
        b'{"env": "0"}',
        b'{"message": 1}',
        b'{"message": "no", "env": 0}',
        b'{"messages": {"severity": "error"}, "env": 0}',
        b'{"messages": ["error"], "env": 0}',
        b'{"messages": [{"severity": "fatal", "data": ""}], "env": 0}',
        b'{"messages": [{"severity": "error"}], "env": 0}',
        b'{"sorries": 1, "env": 0}',
        b"\xff\xfe",
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_not_a_reply_is_refused(text: bytes):
    with pytest.raises(MalformedReplyError):
        decode_reply(text)


def test_an_error_counts_whatever_else_a_reply_has():
    error = {"severity": "error", "pos": {"line": 1, "column": 0}, "data": "type mismatch"}
    others = [{"severity": severity, "data": "x"} for severity in ("trace", "info", "warning")]
    reply = read_reply({"messages": [*others, error, *others], "sorries": [{}], "env": 0})
    assert outcome(reply) == (Verdict.ERROR, "type mismatch")


def test_a_reply_without_an_end_is_not_collected_for_ever():
    frames = Frames()
    with pytest.raises(TooLongError):
        for _ in range(MAX_REPLY_BYTES // 65_536 + 1):
            frames.feed(b"x" * 65_536)
            assert frames.take() is None


def test_frames_are_cut_at_empty_lines_wherever_the_bytes_are_cut():
    replies = [{"env": number, "messages": [{"data": "a\n\nb\r\n\u2028" * number}]} for number in range(20)]
    written = "".join(json.dumps(reply, indent=1) + "\n\n" for reply in replies).encode()
    for size in (1, 2, 3, 7, 1000, len(written)):
        frames, found = Frames(), []
        for start in range(0, len(written), size):
            frames.feed(written[start : start + size])
            while (frame := frames.take()) is not None:
                found.append(json.loads(frame))
        assert found == replies
