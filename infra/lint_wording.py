"""Finds unidiomatic wording in code, messages and docs: python infra/lint_wording.py [PATH …]

Each rule has a pattern and what to write instead. Names of functions and classes are also checked, as sentences. A line
that contains `words: ok` is exempt.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".j2", ".js", ".css"}
LEFT_OUT = ("uv.lock", "infra/lint_wording.py", "CHANGELOG.md", "tasks/prompts/", "tasks/engines/bundled/")
ALLOWED = "words: ok"
_DEFINITION = re.compile(r"\s*(?:async )?(?:def|class) (\w+)")


class Rule(NamedTuple):
    """An idiom, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str


def _rule(pattern: str, instead: str) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), instead)


RULES = (
    _rule(r"\bow(ed|es|e|ing)\b", "missing (samples), pending (verdicts)"),
    _rule(r"(?<![a-z])(owed|owes)(?![a-z])", "missing, pending"),
    _rule(
        r"(?<!there )\b(is|are|was|were|be) no (?!(longer|more|less|fewer|such|one|way|use|need|doubt|reason)\b)[a-z]",
        "is not a",
    ),
    _rule(r"(?<!there )\b(?:is|are) (?-i:none)\b(?! [%e])", "is not one, does not exist"),
    _rule(r"\bso many\b", "N, that many, the number of"),
    _rule(r"\bname spaces?\b", "namespace"),
    _rule(r"\bdata sets?\b", "dataset"),
    _rule(r"\bwhite space\b", "whitespace"),
    _rule(r"\btime-outs?\b", "timeout"),
    _rule(r"\banew\b", "again"),
    _rule(r"\bas far as\b", "if, where, up to"),
    _rule(r"\btill\b", "until"),
    _rule(r"\bheed(s|ed|ing)?\b", "respect, depend on"),
    _rule(r"\bmend(s|ed|ing)?\b", "fix"),
    _rule(r"\bside by side\b", "concurrently, in parallel, next to each other"),
    _rule(r"\bbesides?\b", "next to, in addition to, other than"),
    _rule(r"\bfor all that\b", "even so"),
    _rule(
        r"\b(files?|objects?|samples?|results?|verdicts?|blocks?|sets?|it|they|page|report) lies?\b", "is stored, is in"
    ),
    _rule(r"(?<!fault )\bof (its|their|our) own\b", "its own, separate, dedicated"),
    _rule(r"\bthe same command goes on\b", "run the same command again to resume"),
    _rule(
        r"\b(un)?judg(e|es|ed|ing|ement|ements)\b|(?<![a-z])(judge|judged|judgement)(?![a-z])", "grade, graded, verdict"
    ),
    _rule(r"(?<![a-z.])_?most_(?!common)[a-z]", "max_, MAX_"),
    _rule(r"\bmeanwhile had\b|\bwherefore\b|\bthereof\b|\bhereby\b", "plain words"),
    _rule(r"\b(was|were|is|are|been|being) given up\b", "cancelled, ended"),
    _rule(r"\bgo(es|ing)? on (with|without|from)\b|\bgo(es)? on$", "continue"),
    _rule(r"\bsomebody else's\b|\bof another('s)? make\b", "another, of another kind"),
    _rule(r"\ball the same\b", "even so, nevertheless"),
    _rule(r"\bnot to be had\b|\bto be had\b", "available"),
    _rule(r"\b(what|which|that|this|how) (it|he|one) (is|was) to be\b", "should be"),
    _rule(r"\b(is|was|are|were) begun\b|\bhas begun\b|\bhave begun\b", "started"),
    _rule(r"\bnobody need\b|\bneed not be told\b", "need not be reported"),
    _rule(r"\bis called after\b|\bare called after\b", "is named after"),
)


def files(paths: list[str]) -> Iterator[Path]:
    """The text files below these paths, or all text files, including untracked ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths],  # noqa: S607 - git from the PATH
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        path = Path(name)
        if path.suffix in SUFFIXES and not name.startswith(LEFT_OUT) and path.is_file():
            yield path


def findings(path: Path) -> Iterator[str]:
    """One line for each match of a rule."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if ALLOWED in line:
            continue
        defined = _DEFINITION.match(line)
        texts = [line] if defined is None else [line, defined.group(1).replace("_", " ")]
        for rule in RULES:
            found = next(filter(None, map(rule.pattern.search, texts)), None)
            if found is not None:
                yield f"{path}:{number}: {found.group().strip()!r}: write: {rule.instead}"


def main(paths: list[str]) -> int:
    """Print the findings. Returns the exit status: 1 if there are any."""
    found = [line for path in files(paths) for line in findings(path)]
    print(*found, sep="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
