"""The place of a proof in Lean 4: a sample supplies the tactics after `:= by`, and nothing else.

The tactics are put between braces, which they cannot close: brackets must match, and strings, comments and names must
be such that Lean and this reader agree where they end (`tokens` with `strict`). Words that begin a command, run code
while the proof is compiled, or change scopes and options are refused wherever they stand, so that none is run even
where Lean goes on after an error.

What may surround the tactics is read and left out: a Markdown fence, comments, and the statement itself with what
stands before it. The statement must be repeated token for token; only its name may differ, since prompts may rename
it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from tasks.answers.fences import last_code
from tasks.provers import PlacedProof, UnplaceableError
from tasks.provers.lean4 import words
from tasks.provers.lean4.layout import laid_out
from tasks.provers.lean4.tokens import NotTokensError, Token, tokens, without_comments
from tasks.records import TheoremCheck

MAX_CHARACTERS = 1_000_000
"""Characters of a sample that are read: a longer one has no answer."""

_LABELS = {"lean", "lean4", "lean-4"}
_THEOREMS = {"theorem", "lemma"}
_BRACKETS = {")": "(", "]": "[", "}": "{", "⟩": "⟨"}
_COMMAND_AFTER_HASH = re.compile(r"[a-z][a-z_]{2}", re.ASCII)
_NOT_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
_INDENT = 4


@lru_cache(maxsize=64)
def header_and_statement(check: TheoremCheck) -> tuple[str, str]:
    """A theorem's header, and its statement without comments, which ends in `:= by`.

    Raises:
        UnplaceableError: they cannot be read, or the statement has another form or name.
    """
    try:
        for _ in tokens(check.header):
            pass
        found = list(tokens(check.statement, strict=True))
        statement = without_comments(check.statement, found)
    except NotTokensError as error:
        raise UnplaceableError(f"its header or statement cannot be read: {error}") from error
    texts = [token.text for token in found]
    after_name = statement[found[0].end :].lstrip() if found else ""
    if not found or texts[0] not in _THEOREMS or not _is_named(after_name, check.name):
        raise UnplaceableError(f"its statement does not begin with theorem {check.name}, or lemma {check.name}")
    if texts[-2:] != [":=", "by"] or texts.count("theorem") + texts.count("lemma") > 1:
        raise UnplaceableError("its statement is not one theorem that ends in `:= by`")
    _require_matching(found)
    return check.header.strip(), "\n".join(line.rstrip() for line in statement.strip().splitlines() if line.strip())


def without_proof(statement: str) -> str:
    """A statement that `header_and_statement` has read, with `sorry` in place of its proof."""
    return f"{statement.removesuffix('by')}sorry"


def place(text: str, check: TheoremCheck) -> PlacedProof:
    """The proof that a sample's text is: its header and its proof are one piece each. Takes time linear in its length.

    Raises:
        UnplaceableError: the text is not the body of a proof.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnplaceableError(f"the sample has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    header, statement = header_and_statement(check)
    code = last_code(text.replace("\r\n", "\n"), _LABELS)
    try:
        found = list(tokens(code, strict=True))
    except NotTokensError as error:
        raise UnplaceableError(str(error)) from error
    bare = without_comments(code, found)
    at = _after_statement(found, list(tokens(statement, strict=True)))
    term = at > 0 and found[at - 1].text == ":="
    start = found[at - 1].end if at else 0
    body = _without_last_parenthesis(found[at:])
    if not body:
        raise UnplaceableError("there is no proof")
    _require_tactics(body)
    bare = bare[: body[-1].end]
    if character := _NOT_TEXT.search(bare, start):
        raise UnplaceableError(f"the character U+{ord(character[0]):04X}, which Lean does not accept")
    tactics = laid_out(bare, start, body[0], _INDENT)
    if term:
        tactics = " " * _INDENT + "exact\n" + "\n".join("  " + line for line in tactics.split("\n"))
    return PlacedProof((header,), check.name, statement, (f"  {{\n{tactics}\n  }}",))


def _is_named(text: str, name: str) -> bool:
    """Whether a text begins with this name, and the name ends there."""
    return text.startswith(name) and re.match(r"[\w'!?.«]", text[len(name) :]) is None


def _after_statement(found: Sequence[Token], statement: Sequence[Token]) -> int:
    """The number of the first token after the statement, where the sample repeats it.
    A proof by a term follows `:=`."""
    places = [number for number, token in enumerate(found) if token.text in _THEOREMS and token.kind == "word"]
    if not places:
        return 0
    wanted = [token.text for token in statement[_after_name(statement, 0) : -1]]
    for place in reversed(places):
        begin = _after_name(found, place)
        if [token.text for token in found[begin : begin + len(wanted)]] == wanted:
            end = begin + len(wanted)
            return end + 1 if end < len(found) and found[end].text == "by" else end
    raise UnplaceableError(f"`{found[places[-1]].text}` states another theorem than the problem's")


def _after_name(found: Sequence[Token], place: int) -> int:
    """The number of the first token after the name that follows the token at `place`. A name is written without
    whitespace."""
    after = place + 1
    while after + 1 < len(found) and found[after].end == found[after + 1].start and found[after + 1].text not in ":({[":
        after += 1
    return after + 1


def _without_last_parenthesis(body: Sequence[Token]) -> list[Token]:
    """The body without a final `)` that it does not open: a prompt may end in `by (`."""
    found = list(body)
    depth = 0
    for token in found:
        depth += (token.text == "(") - (token.text == ")") if token.kind == "symbol" else 0
    return found[:-1] if depth == -1 and found[-1].text == ")" else found


def _require_tactics(body: Sequence[Token]) -> None:
    previous = None
    for token in body:
        if token.kind == "doc":
            raise UnplaceableError("a documentation comment belongs to a declaration, and may not stand in a proof")
        if token.text == "@[":
            raise UnplaceableError("an attribute may not stand in a proof")
        if token.kind == "word":
            hashed = previous is not None and previous.text == "#" and previous.end == token.start
            if hashed and _COMMAND_AFTER_HASH.match(token.text):
                raise UnplaceableError(f"`#{token.text[:40]}` is a command")
            _require_word(token.text)
        if token.text == "%" and previous is not None and previous.text == "eval":
            raise UnplaceableError("`eval%` runs code while the proof is compiled")
        previous = token
    _require_matching(body)


def _require_word(word: str) -> None:
    if word in words.COMMANDS or word.startswith(words.COMMAND_PREFIXES):
        raise UnplaceableError(f"`{word[:40]}` is a command, and may not stand in a proof")
    if word in words.SCOPES:
        raise UnplaceableError(f"`{word}` changes scopes or options, and may not stand in a proof")
    for part in word.split("."):
        if part in words.COMPILE_TIME:
            raise UnplaceableError(f"`{part}` runs or trusts compiled code, and may not stand in a proof")
        if part in words.UNPROVED:
            raise UnplaceableError(f"`{part}` leaves a goal unproved")


def _require_matching(found: Sequence[Token]) -> None:
    opened: list[str] = []
    for token in found:
        if token.kind != "symbol":
            continue
        for character in token.text:
            if character in "([{⟨":
                opened.append(character)
            elif character in _BRACKETS and (not opened or opened.pop() != _BRACKETS[character]):
                raise UnplaceableError(f"`{character}` closes what is not open")
    if opened:
        raise UnplaceableError(f"`{opened[-1]}` is not closed")
