"""Chooses one patch for each issue of a stored set, as predictions for SWE-bench have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flows.config.pick import ChosenDataset
from flows.config.yaml_file import build_config, read_config
from flows.setup.picking import from_store, selector
from flows.setup.regrade import problems_of
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.graders.swe_bench import SweBenchGrader
from tasks.patches import InapplicableError, NoPatchError
from tasks.records import Problem
from tasks.report.picking.outcomes import Prepared
from tasks.selection import Selector
from tasks.selection.curves import check
from tasks.selection.delivered import delivered
from tasks.selection.outcomes import Outcomes
from tasks.store.inspect.catalog import find
from tasks.store.inspect.opening import open_store
from tasks.store.inspect.query import only_with, select

ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class ChosenPatch:
    """The patch of one issue, empty where none was picked, and the index of the sample that it comes from."""

    issue: str
    patch: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A patch for each issue that has graded samples, in the order of the dataset; the verdict set that the answers
    come from; and whole sentences on what was left out. `model_name` says which samples were picked from, and how."""

    patches: list[ChosenPatch]
    model_name: str
    verdicts: str
    notes: list[str]


def picker(text: str, *, allow_oracle: bool) -> Selector | None:
    """The selector that a person names; None is the oracle.

    Raises:
        UserError: there is none of this name, or it is the oracle and that is not allowed.
    """
    if text.strip() != ORACLE:
        return selector(text)
    if not allow_oracle:
        raise UserError(
            "--by oracle: picks by the verdicts of the hidden tests, so it is not a result; add --allow-oracle to write"
            " it nevertheless"
        )
    return None


def chosen_dataset(store: str, name: str, file: Path | None, overrides: Iterable[str]) -> Dataset:
    """The dataset of a sweep file, or else that which a stored set names.

    Raises:
        UserError: the file or the set cannot be read, or a field is wrong.
    """
    if file is not None:
        return read_config(file, overrides).dataset
    with open_store(store) as opened:
        found = find(opened, name)
    if "dataset" not in found.ingredients:
        raise UserError(f"store: set.json of {found.name} does not name a dataset; see `monkeys check`")
    where = f"predictions {found.name}"
    return build_config(ChosenDataset, {"dataset": found.ingredients["dataset"]}, overrides, where=where).dataset


def choose(
    url: str, name: str, dataset: Dataset, selector: Selector | None, *, k: int | None, verdicts: str | None
) -> Chosen:
    """Pick a sample of each issue, and find its patch by the rules by which it was graded.

    Args:
        url: where the set is stored.
        name: the set.
        dataset: that of the set.
        selector: how a sample is picked; None picks the first that is correct, or else the first.
        k: how many samples it is picked from, those with the lowest indices; None for all.
        verdicts: which of its verdict sets.

    Raises:
        UserError: the set is not there, was not graded by `swe_bench`, was drawn from other problems, or lacks what the
            selector needs.
    """
    with open_store(url) as store:
        found = find(store, name)
        graded = found.graded_by(verdicts)
        if graded is None or graded.ingredients.get("grader") != "swe_bench":
            given = "is not graded" if graded is None else f"is graded by {graded.ingredients.get('grader')}"
            raise UserError(f"{found.name} {given}; predictions are patches that the grader swe_bench has graded")
        settings = graded.ingredients.get("settings") or {}
        grader = SweBenchGrader.model_validate({**settings, "name": "swe_bench"})
        problems = {each.id: each for each in problems_of(dataset, found)}
        read = from_store(url, found.name, graded.name, None)
        if selector is not None:
            check(selector, read.problems)
        read_at = {each.problem_id: at for at, each in enumerate(read.problems)}
        patches, counts = [], []
        for position, (issue, problem) in enumerate(problems.items()):
            if issue not in read_at:
                continue
            outcomes, indices = _first(read, read_at[issue], k)
            counts.append(len(indices))
            picked = _picked(selector, outcomes) if indices else None
            index = None if picked is None else indices[picked]
            text = ""
            if index is not None:
                of_issue = only_with(found, position, index)
                text = next(select(store, of_issue, None, problem=issue, index=index)).sample.text
            patches.append(ChosenPatch(issue, _patch(grader, problem, text), index))
    notes = list(read.notes)
    most = k or max(counts)
    if missing := len(problems) - len(patches):
        notes.append(f"{missing:,} of {len(problems):,} issues have no graded sample: there is no prediction for them.")
    if fewer := sum(each < most for each in counts):
        notes.append(f"{fewer:,} of {len(patches):,} issues have fewer than {most:,} graded samples to pick from.")
    how = ORACLE if selector is None else selector.name
    return Chosen(patches, f"{found.label}.{how}.k{most}", graded.name, notes)


def _first(read: Prepared, at: int, k: int | None) -> tuple[Outcomes, list[int]]:
    """The samples of a problem with an index below k, by rising index, and their indices."""
    known = [(index, position) for position, index in enumerate(read.indices[at]) if index is not None]
    kept = sorted((index, position) for index, position in known if k is None or index < k)
    if not kept:
        return read.problems[at], []
    positions = np.array([position for _, position in kept])
    return read.problems[at].at(positions), [index for index, _ in kept]


def _picked(selector: Selector | None, problem: Outcomes) -> int | None:
    """The position of the sample that is picked; None where there is none."""
    return int(problem.correct.argmax()) if selector is None else delivered(selector, problem)


def _patch(grader: SweBenchGrader, problem: Problem, text: str) -> str:
    """The patch in a sample's text; empty where there is none that could be applied."""
    try:
        return grader.patch(problem, text).patch
    except (NoPatchError, InapplicableError):
        return ""
