"""One theorem of a text in Lean 4, found among its tokens."""

from tasks.datasets.formal.statement import Statement, Unreadable
from tasks.provers.lean4.tokens import NotTokensError, tokens


def statement(header: str, text: str) -> Statement:
    """The theorem of a text that ends in `:=`, `:= by`, `:= sorry` or `:= by sorry`. What stands before it in the text
    belongs to the header.

    Raises:
        Unreadable: the text has another form.
    """
    try:
        found = [token for token in tokens(text) if token.kind != "doc"]
    except NotTokensError as error:
        raise Unreadable(str(error)) from error
    places = [number for number, token in enumerate(found) if token.text in ("theorem", "lemma")]
    if len(places) != 1:
        raise Unreadable(f"has {len(places)} theorems, not one")
    start = places[0]
    for ending in ("sorry", "by"):
        if found[-1].text == ending:
            found.pop()
    if found[-1].text != ":=" or len(found) < start + 4:
        raise Unreadable("does not end in `:=`, `:= by` or `:= by sorry`")
    name, begin = found[start + 1].text, found[start].start
    before = "\n\n".join(part for part in (header.strip(), text[:begin].strip()) if part)
    return Statement(before, f"{text[begin : found[-1].end]} by", name, found[start + 1].start - begin)
