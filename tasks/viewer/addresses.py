"""The addresses of pages. A problem is named by its position in the dataset: ids may hold anything."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tasks.errors import UserError


def address_of_set(name: str, verdicts: str | None = None) -> str:
    """The page of a set."""
    return _with(f"/sets/{quote(name, safe='')}", verdicts)


def address_of_problem(
    name: str, position: int, verdicts: str | None = None, query: str = "", *, whole: bool = False
) -> str:
    """The page of a problem; `query` is that of `tasks.viewer.query`, and the `whole` of its texts, however long."""
    wanted = "&".join(filter(None, ("whole=1" if whole else "", query)))
    return _with(f"/sets/{quote(name, safe='')}/{position}", verdicts, wanted)


def address_of_sample(name: str, position: int, index: int, verdicts: str | None = None, *, whole: bool = False) -> str:
    """The page of a sample; the `whole` of its text, however long."""
    return _with(f"/sets/{quote(name, safe='')}/{position}/{index}", verdicts, "whole=1" if whole else "")


def address_of_difference(name: str, position: int, left: int, right: int) -> str:
    """The page of two samples of a problem."""
    return f"/diff?{urlencode({'a': f'{name}/{position}/{left}', 'b': f'{name}/{position}/{right}'})}"


def address_of_comparison(name: str, left: str, right: str) -> str:
    """The page of two verdict sets of a set."""
    return f"/compare?{urlencode({'a': f'{name}/{left}', 'b': f'{name}/{right}'})}"


def _with(path: str, verdicts: str | None, query: str = "") -> str:
    parts = [urlencode({"verdicts": verdicts}) if verdicts else "", query]
    return path + "?" * any(parts) + "&".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class SampleName:
    """A sample as a parameter of an address: `SET/POSITION/INDEX`."""

    samples: str
    position: int
    index: int


def parse_sample_name(text: str) -> SampleName:
    """Raises UserError where the text names no sample."""
    parts = text.rsplit("/", 2)
    if len(parts) == 3 and all(each.isascii() and each.isdigit() and len(each) < 10 for each in parts[1:]):
        return SampleName(parts[0], int(parts[1]), int(parts[2]))
    raise UserError(f"{text!r} names no sample; it is SET/POSITION/INDEX, such as arithmetic-onnx-3f9a0c2be1d4/3/17")


def parse_set_name(text: str) -> tuple[str, str | None]:
    """The set and the verdict set in `SET` or `SET/VERDICTS`."""
    samples, _, verdicts = text.partition("/")
    return samples, verdicts or None
