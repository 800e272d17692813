"""Messages of the Language Server Protocol, as Lean's server and programs that pretend to be it could write them."""

import pytest

from tasks.provers.lean4.language_server import Diagnostic, Incoming, NotAMessageError, diagnostics, message


def test_messages_are_read_however_their_bytes_arrive() -> None:
    sent = message(id=1, result={}) + message(method="x", params={"text": "é∀ 😀 Content-Length: 5\r\n\r\n{}"})
    for size in (1, 2, 7, len(sent)):
        incoming, found = Incoming(), []
        for at in range(0, len(sent), size):
            incoming.feed(sent[at : at + size])
            while (each := incoming.take()) is not None:
                found.append(each)
        assert [each.get("id") for each in found] == [1, None]
        assert found[1]["params"]["text"].startswith("é∀ 😀")


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: x\r\n\r\n{}",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 2\r\n\r\n{x",
        b"Content-Length: -1\r\n\r\n{}",
        b"hello\r\n\r\n",
        b"x" * 20_000,
        b'Content-Length: 3\r\n\r\n"\xff"',
    ],
)
def test_bytes_that_are_not_a_message_are_refused(data: bytes) -> None:
    incoming = Incoming()
    incoming.feed(data)
    with pytest.raises(NotAMessageError):
        incoming.take()


def test_diagnostics_of_another_version_say_nothing() -> None:
    place = {"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 1}}
    found = {
        "method": "textDocument/publishDiagnostics",
        "params": {"version": 7, "diagnostics": [{"severity": 1, "range": place, "message": "m"}]},
    }
    assert diagnostics(found, 7) == [Diagnostic(1, 3, "m")]
    assert diagnostics(found, 8) is None
    assert diagnostics({"id": 7, "result": {}}, 7) is None
    found["params"] = {"version": 7, "diagnostics": [{"severity": 1}]}
    with pytest.raises(NotAMessageError):
        diagnostics(found, 7)
