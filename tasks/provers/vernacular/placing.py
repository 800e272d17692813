"""The place of a proof: a sample supplies the sentences between `Proof.` and `Qed.`, and nothing else.

Inside a proof, a sentence is a bullet, a brace or a tactic, or it is a command. Commands begin with an upper-case
word or an attribute, and tactics do not: what a sample writes can neither end its proof and go on, nor change what
its statement means. A sample is placed if all of its sentences may stand there, and is not run otherwise.

What may surround the body is read and left out: a Markdown fence, the statement itself with what stands before it,
`Proof.`, and a final `Qed.` or `Defined.`. The statement must be repeated token for token; only the word that it begins
with and its name may differ, since prompts may rename it.
"""

import re
from functools import lru_cache

from tasks.answers.fences import last_code
from tasks.provers import PlacedProof, UnplaceableError
from tasks.provers.vernacular.sentences import NotSentencesError, sentences, words
from tasks.records import TheoremCheck

MAX_CHARACTERS = 1_000_000
"""Characters of a sample that are read: a longer one has no answer."""

_STATEMENTS = ("Theorem", "Lemma", "Fact", "Remark", "Corollary", "Proposition", "Property", "Example")
_ENDS = {"Qed", "Defined", "Admitted", "Abort", "Save"}
_LABELS = {"coq", "rocq", "v", "gallina"}
_BULLET = re.compile(r"-+|\++|\*+|\{|\}|(?:\d+|\[\s*\w+\s*\])\s*:\s*\{", re.ASCII)
_TOKEN = re.compile(r"[\w'.]+|\S")
_SAFE_COMMANDS = {"Unshelve."}
_PARALLEL = re.compile(r"par\s*:(?!=)", re.ASCII)
_RANGE = r"\d+(?:\s*-\s*\d+)?"
_SELECTOR = re.compile(rf"(?:all|!|\[\s*\w+\s*\]|{_RANGE}(?:\s*,\s*{_RANGE})*)\s*:(?!=)\s*", re.ASCII)
# The third is a tactic of a module, such as `Z.to_euclidean_division_equations`; no command has a period there.
_TACTIC = re.compile(r"[a-z_][\w.']*|\(|[A-Z][\w']*(?:\.[A-Z][\w']*)*\.[a-z_]|\[>", re.ASCII)
_BODY = re.compile(r':=|[(\[{}\])]|"[^"]*"')
_SHARED = {
    *("Definition", "Fixpoint", "CoFixpoint"),
    *("Inductive", "CoInductive", "Variant", "Record", "Structure", "Class"),
}
# What makes a definition that two compilations of one header do not share if it ends in Qed.
_DEFINING = {"Definition", "Fixpoint", "CoFixpoint", "Instance", "Function"}
# What nothing could be compared with, or what leaves something open.
_NOT_IN_HEADERS = {
    *("Axiom", "Axioms", "Parameter", "Parameters", "Conjecture", "Conjectures", "Primitive"),
    *("Variable", "Variables", "Hypothesis", "Hypotheses", "Context", "Section"),
    *("Admitted", "Abort", "Declare"),
}
_NOT_APART = {"Inductive", "CoInductive", "Variant", "Record", "Structure", "Class"}
"""What declares types: those of two compilations differ, so that they must be shared (`is_shared`)."""


@lru_cache(maxsize=64)
def header_and_statement(check: TheoremCheck) -> tuple[tuple[str, ...], str]:
    """The sentences of a theorem's header, and its statement.

    Raises:
        UnplaceableError: they are not whole sentences, the statement is not one of the theorem's name, or the header
            declares what cannot be compared between two compilations.
    """
    try:
        header, statement = tuple(sentences(check.header)), sentences(check.statement)
    except NotSentencesError as error:
        raise UnplaceableError(f"its header or statement cannot be read: {error}") from error
    begun = {word for sentence in header if ":=" not in sentence for word in words(sentence)[:2]}
    if "Qed" in begun and _DEFINING.intersection(begun):
        raise UnplaceableError("its header has a definition that ends in Qed, so that no other equals it; use Defined")
    for sentence in header:
        refused = _NOT_IN_HEADERS if is_shared(sentence) else _NOT_IN_HEADERS | _NOT_APART
        found = refused.intersection(words(sentence)[:3])
        if found:
            raise UnplaceableError(f"its header has {found.pop()}; move that into a library, and require it")
    modules = sum(opens_module(sentence) - (words(sentence)[:1] == ["End"]) for sentence in header)
    if modules != 0:
        raise UnplaceableError("its header has a module that is not closed")
    if len(statement) != 1:
        raise UnplaceableError(f"its statement has {len(statement)} sentences, not one")
    named = re.match(r"(\w+)\s+([\w']+)", statement[0])
    if named is None or named[1] not in _STATEMENTS or named[2] != check.name:
        raise UnplaceableError(f"its statement does not begin with Theorem {check.name}, or Lemma {check.name}")
    return header, statement[0]


def is_shared(sentence: str) -> bool:
    """Whether a sentence of a header is a definition, whole in itself, that can be moved into a library: it begins with
    its keyword, and has a body, after `:=` outside of all brackets."""
    return not _SHARED.isdisjoint(words(sentence)[:1]) and _has_body(sentence)


def opens_module(sentence: str) -> bool:
    """Whether a sentence opens a module, which `End` closes."""
    return words(sentence)[:1] == ["Module"] and not _has_body(sentence)


def opens_lemma(sentence: str) -> bool:
    """Whether a sentence states a lemma whose proof follows, up to `Qed` or `Defined`."""
    return not set(_STATEMENTS).isdisjoint(words(sentence)[:1]) and not _has_body(sentence)


def _has_body(sentence: str) -> bool:
    """Whether `:=` stands in a sentence outside of all brackets."""
    depth = 0
    for piece in _BODY.findall(sentence):
        if piece == ":=" and depth == 0:
            return True
        depth += (piece in "([{") - (piece in ")]}")
    return False


def place(text: str, check: TheoremCheck) -> PlacedProof:
    """The proof that a sample's text is. Takes time linear in its length.

    Raises:
        UnplaceableError: the text is not the body of a proof.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnplaceableError(f"the sample has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    header, statement = header_and_statement(check)
    try:
        found = sentences(last_code(text, _LABELS))
    except NotSentencesError as error:
        raise UnplaceableError(str(error)) from error
    opening, body = _opened(_after_statement(found, statement))
    body = _without_end(body)
    for sentence in body:
        _require_tactic(sentence)
    if not body:
        raise UnplaceableError("there is no proof")
    proof = (opening, *body, "Qed.")
    # Both tiers run the same sentences: the first gets them one by one, the second as one text.
    if sentences("\n".join(proof)) != list(proof):
        raise UnplaceableError("its sentences are others when they follow one another")
    return PlacedProof(header, check.name, statement, proof)


def _after_statement(found: list[str], statement: str) -> list[str]:
    """What follows the statement, where the sample repeats it: what it puts before it is never run."""
    wanted = _claim(statement)
    last = max((position for position, sentence in enumerate(found) if _claim(sentence) == wanted), default=-1)
    return found[last + 1 :]


def _claim(sentence: str) -> list[str]:
    """The tokens of a statement after the word that it begins with, such as `Lemma`, and its name: only these say what
    it claims. Empty for any other sentence."""
    tokens = _TOKEN.findall(sentence.rstrip("."))
    return tokens[2:] if tokens and tokens[0] in _STATEMENTS else []


def _opened(found: list[str]) -> tuple[str, list[str]]:
    """How the proof is opened, and its body."""
    if not found or words(found[0])[:1] != ["Proof"]:
        return "Proof.", found
    first = words(found[0])
    if len(first) == 1 or first[1] == "using":
        return "Proof.", found[1:]
    if first[1] == "with" and len(first) > 2:
        _require_tactic(found[0].split(None, 2)[2])
        return found[0], found[1:]
    raise UnplaceableError("`Proof` with a term is not a proof by tactics")


def _without_end(body: list[str]) -> list[str]:
    """The body without a final `Qed.` or `Defined.`; nothing may follow either."""
    place = next((at for at, sentence in enumerate(body) if _ENDS.intersection(words(sentence)[:1])), None)
    if place is None:
        return body
    end = " ".join(words(body[place]))
    if end not in {"Qed", "Defined"}:
        raise UnplaceableError(f"`{end[:40]}` does not end a proof")
    if place + 1 < len(body):
        raise UnplaceableError(f"more follows after `{end}`")
    return body[:place]


def _require_tactic(sentence: str) -> None:
    if _BULLET.fullmatch(sentence) or sentence in _SAFE_COMMANDS:
        return
    if _PARALLEL.match(sentence):
        raise UnplaceableError("`par:` needs further processes, which a proof may not start; `all:` does the same")
    selected = _SELECTOR.match(sentence)
    rest = sentence[selected.end() :] if selected else sentence
    if _TACTIC.match(rest):
        return
    word = (re.match(r"\W?[\w']*", sentence) or [""])[0]
    if word[:1].isupper():
        raise UnplaceableError(f"`{word[:40]}` is a command, not a tactic")
    raise UnplaceableError(f"`{sentence[:40]}` is not a tactic")
