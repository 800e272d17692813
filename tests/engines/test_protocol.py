"""Whatever a server answers is either a reply that can be stored, or is rejected as a whole."""

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.engines.http.protocol import MalformedError, Wire, message_of

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -1, 0, 1])
NAMES = ["index", "text", "message", "content", "logprobs", "token_logprobs", "logprob", "refusal", "error"]
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


def _object(**fields: st.SearchStrategy) -> st.SearchStrategy:
    """An object in which any field may be missing or have any value."""
    return st.fixed_dictionaries({}, optional={name: usual | ANY for name, usual in fields.items()})


NUMBERS = st.lists(st.floats() | ANY, max_size=3)
CHOICE = _object(
    index=st.integers(0, 3),
    text=st.text(),
    message=_object(content=st.text(), refusal=st.text()),
    logprobs=_object(token_logprobs=NUMBERS, content=st.lists(_object(logprob=st.floats()), max_size=3)),
    finish_reason=st.just("stop"),
    token_ids=st.lists(st.integers(), max_size=3),
)
COUNTS = _object(
    prompt_tokens=st.integers(),
    completion_tokens=st.integers(),
    prompt_tokens_details=_object(cached_tokens=st.integers()),
)
REPLY = _object(choices=st.lists(CHOICE, min_size=1, max_size=4), usage=COUNTS)


@settings(max_examples=1_000, deadline=None)
@given(REPLY, st.sampled_from(["completions", "chat"]), st.booleans())
def test_any_reply_is_read_or_rejected_in_one_line(said, api, logprobs):
    try:
        read = Wire("m", api, logprobs, {}, vllm=False).read(json.dumps(said).encode(), 3)
    except MalformedError as error:
        assert "\n" not in str(error)
        return
    assert set(read.choices) <= {0, 1, 2}
    for choice in read.choices.values():
        choice.text.encode()
        assert choice.logprob is None or math.isfinite(choice.logprob)
        assert choice.tokens is None or 0 <= choice.tokens < 2**31
    for count in (read.prompt_tokens, read.cached_prompt_tokens):
        assert count is None or 0 <= count < 2**31


@given(ANY)
def test_any_error_reply_gives_a_short_message_in_one_line(said):
    line = message_of(json.dumps(said).encode())
    assert "\n" not in line
    assert len(line) <= 300


@given(st.binary())
def test_bytes_that_are_not_a_reply_are_rejected(said):
    assert "\n" not in message_of(said)
    try:
        Wire("m", "completions", True, {}, vllm=False).read(said, 3)
    except MalformedError:
        return
    raise AssertionError("random bytes are not a reply")
