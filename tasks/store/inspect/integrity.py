"""Is a set intact? Reads every object of it, one block at a time, and changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tasks.store import Store
from tasks.store.annotations import SCORES
from tasks.store.blocks import Block, missing, overlap
from tasks.store.identity import digest
from tasks.store.inspect.catalog import StoredAnnotations, StoredSamples
from tasks.store.problems import problems_key, read_problems
from tasks.store.replies import block_of_replies, read_replies
from tasks.store.rows import first_ids
from tasks.store.sample_layout import LAYOUT
from tasks.store.samples import read_sample_table
from tasks.store.schema import CorruptObjectError


class Finding(NamedTuple):
    """Something that is wrong, and the object or range in which it is."""

    where: str
    what: str


def check(store: Store, samples: StoredSamples) -> Iterator[Finding]:
    """Everything wrong with a set and the annotations on it, as it is found: names, damage, checksums, samples stored
    twice or not at all, verdicts on other samples. A pending verdict is not wrong."""
    yield from _check_name(samples.objects.prefix, samples.name, samples.ingredients)
    yield from (Finding(*fault) for fault in samples.objects.faults.items())
    yield from _overlaps(samples)
    yield from _holes(samples)
    problems: dict[int, str] = {}
    for block in samples.objects.footers:
        yield from _check_samples(store, samples, block, problems)
    yield from _check_problems(store, samples, problems)
    for annotations in samples.annotations:
        if not annotations.from_newer_version:
            yield from _check_name(annotations.objects.prefix, annotations.name, annotations.ingredients)
            yield from (Finding(*fault) for fault in annotations.objects.faults.items())
            yield from _check_replies(store, annotations)
            for block in annotations.objects.footers:
                yield from _check_annotations(store, samples, annotations, block, problems)


def _check_name(prefix: str, name: str, ingredients: Mapping[str, Any]) -> Iterator[Finding]:
    where = f"{prefix}/set.json"
    if not ingredients:
        yield Finding(where, "is missing or broken: what the set depends on is unknown")
    elif not name.endswith(f"-{digest(ingredients)[:12]}"):
        yield Finding(where, "its ingredients do not match the name of the set")


def _overlaps(samples: StoredSamples) -> Iterator[Finding]:
    blocks = list(samples.objects.footers)
    while clash := overlap(blocks):
        one, other = clash
        yield Finding(samples.objects.key(other), f"holds samples that {samples.objects.key(one)} holds too")
        blocks.remove(other)


def _holes(samples: StoredSamples) -> Iterator[Finding]:
    """Gaps below the deepest sample of each problem, and problems without samples before others that have some."""
    blocks = samples.objects.footers
    depth: dict[int, int] = {}
    for block in blocks:
        for position in block.positions:
            depth[position] = max(depth.get(position, 0), block.stop)
    shallowest = min(depth.values(), default=0)
    for position in range(max(depth, default=0)):
        depth.setdefault(position, shallowest)
    for each in sorted(set(depth.values())):
        positions = [position for position, reached in depth.items() if reached == each]
        for hole in missing(blocks, positions, each):
            yield Finding(samples.name, f"{hole} are not stored, though later ones are; the next sweep draws them")


def _check_samples(store: Store, samples: StoredSamples, block: Block, problems: dict[int, str]) -> Iterator[Finding]:
    """One block of samples; adds which problem is at which position."""
    key = samples.objects.key(block)
    try:
        table, _ = read_sample_table(store.read(key), key)
        LAYOUT.check_values(table, key)
    except FileNotFoundError:
        return  # since the listing, a sweep has set it aside
    except CorruptObjectError as error:
        yield Finding(key, error.reason)
        return
    for position, problem_id in zip(block.positions, first_ids(table, len(block.indices)), strict=True):
        if problems.setdefault(position, problem_id) != problem_id:
            yield Finding(key, f"holds problem {problem_id!r} where another block has {problems[position]!r}")


def _check_problems(store: Store, samples: StoredSamples, problems: Mapping[int, str]) -> Iterator[Finding]:
    """The stored problems, given which of them the samples are of; a set that an older version drew has none."""
    key = problems_key(samples.name)
    stored = 0
    try:
        for first, some in read_problems(store, samples.name):
            for position, problem in enumerate(some, first):
                if problems.get(position, problem.problem_id) != problem.problem_id:
                    what = f"{problem.problem_id!r} where the samples are of {problems[position]!r}"
                    yield Finding(key, f"holds problem {what}")
            stored = first + len(some)
    except FileNotFoundError:
        return
    except CorruptObjectError as error:
        yield Finding(key, error.reason)
        return
    if problems and stored <= max(problems):
        yield Finding(key, f"holds {stored} problems, and there are samples of problem {max(problems)}")


def _check_replies(store: Store, annotations: StoredAnnotations[Any]) -> Iterator[Finding]:
    """The replies of a scorer for scores that are not complete."""
    if annotations.kind is not SCORES:
        return
    for key in store.keys(annotations.objects.prefix):
        if block_of_replies(key) is not None:
            try:
                read_replies(store.read(key), key)
            except FileNotFoundError:
                continue  # since the listing, a sweep has completed the scores
            except CorruptObjectError as error:
                yield Finding(key, error.reason)


def _check_annotations(
    store: Store,
    samples: StoredSamples,
    annotations: StoredAnnotations[Any],
    block: Block,
    problems: Mapping[int, str],
) -> Iterator[Finding]:
    key, kind = annotations.objects.key(block), annotations.kind
    annotated = samples.objects.footers.get(block)
    if annotated is None:
        yield Finding(key, f"has {kind.folder} on samples that are not stored")
        return
    try:
        with store.open(key) as file:
            table, footer = kind.read_table(file, key, kind.layout.names)
    except FileNotFoundError:
        return
    except CorruptObjectError as error:
        yield Finding(key, error.reason)
        return
    if footer.samples_checksum != annotated.checksum:
        yield Finding(key, f"has {kind.folder} on other samples than those stored; the next run replaces them")
        return
    held = first_ids(table, len(block.indices))
    if held != [problems.get(position, each) for position, each in zip(block.positions, held, strict=True)]:
        yield Finding(key, f"has {kind.folder} on other problems than those stored")
