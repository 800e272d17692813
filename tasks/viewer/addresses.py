"""The addresses of pages. A problem is named by its position in the dataset: ids may hold anything."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tasks.errors import UserError


def address_of_set(name: str, verdicts: str | None = None) -> str:
    """The page of a set."""
    return _with(f"/sets/{quote(name, safe='')}", verdicts)


def address_of_problem(name: str, position: int, verdicts: str | None = None, query: str = "") -> str:
    """The page of a problem; `query` is that of `tasks.viewer.query`."""
    return _with(f"/sets/{quote(name, safe='')}/{position}", verdicts, query)


def address_of_sample(name: str, position: int, index: int, verdicts: str | None = None) -> str:
    """The page of a sample."""
    return _with(f"/sets/{quote(name, safe='')}/{position}/{index}", verdicts)


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
