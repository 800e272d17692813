"""Results as JSON documents, the same for every interface: plain dicts, lists, numbers and strings."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from tasks.audit.agreement import Agreement
from tasks.costs.comparison import CostComparison
from tasks.importers.convert import Imports
from tasks.records import Confidence
from tasks.report.comparison.delivery import Delivered
from tasks.report.cost.phrases import headline
from tasks.scaling.comparison import Comparison
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, scored_samples
from tasks.store.inspect.query import ScoredRow
from tasks.store.inspect.regrade_diff import Difference
from tasks.sweep.estimate import SweepEstimate


def set_document(samples: StoredSamples) -> dict[str, Any]:
    """A sample set and the verdict sets on it."""
    return {
        "name": samples.name,
        "label": samples.label,
        "newer_schema": samples.from_newer_version,
        "problems": len(samples.by_problem),
        "samples": samples.samples,
        "reproducible": samples.reproducible,
        "tokens": samples.tokens,
        "bytes": samples.objects.bytes,
        "last_drawn": samples.written,
        "damaged_blocks": len(samples.objects.damaged),
        "verdicts": [
            {
                "name": each.name,
                "grader": each.ingredients.get("grader"),
                "version": each.ingredients.get("version"),
                "limits": each.limits,
                "counts": each.counts,
                "pending": each.pending,
                "last_graded": each.written,
            }
            for each in samples.verdicts
        ],
        "scores": [
            {
                "name": each.name,
                "scorer": each.ingredients.get("scorer"),
                "version": each.ingredients.get("version"),
                "settings": each.ingredients.get("settings"),
                "scored": scored_samples(each),
                "pending": each.pending,
                "last_scored": each.written,
            }
            for each in samples.scores
        ],
    }


def sample_document(row: ScoredRow) -> dict[str, Any]:
    """A sample, with its verdict and its score if it has them."""
    graded = {} if row.graded is None else asdict(row.graded)
    scored = {} if row.scored is None else {"score": row.scored.score, "score_detail": row.scored.detail}
    sample = asdict(row.sample)
    confidence = sample.pop("confidence") or {}
    sample |= {f"confidence_{each.name}": confidence.get(each.name) for each in fields(Confidence)}
    return sample | graded | scored


def plan_document(found: SweepEstimate, problem_ids: list[str]) -> dict[str, Any]:
    """What is stored of a sweep, what is missing, and its expected cost; `problem_ids` are in the sweep's order."""
    document = asdict(found)
    for each, cost in zip(
        (document["remaining"], document["upper_bound"], *document["larger_k"]),
        (found.remaining, found.upper_bound, *found.larger_k),
        strict=True,
    ):
        if cost is not None:
            each["seconds"] = cost.seconds
    document["stored"]["held"] = dict(zip(problem_ids, found.stored.held, strict=True))
    return document


def regrade_document(
    samples: StoredSamples, before: StoredVerdicts | None, after: StoredVerdicts, difference: Difference | None
) -> dict[str, Any]:
    """The new verdicts on a set, and how they differ from earlier ones."""
    return {
        "set": samples.name,
        "before": None if before is None else before.name,
        "after": after.name,
        "counts": after.counts,
        "pending": after.pending,
        "difference": None
        if difference is None
        else {
            "samples": difference.samples,
            "changed": difference.changed,
            "uncompared": difference.uncompared,
            "verdicts": [
                {"before": old, "after": new, "samples": count}
                for (old, new), count in sorted(difference.verdicts.items())
            ],
            "problems": [problem._asdict() for problem in difference.problems],
            "changes": [asdict(change) for change in difference.changes],
        },
    }


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """The coverage of each set, and the differences between each set and the first."""
    return {
        "headline": comparison.headline,
        "paired": comparison.paired,
        "sets": [
            {
                "set": each.label,
                "problems": len(each.summary.problems),
                "curve": [
                    {"k": point.k, "coverage": point.coverage, "low": point.low, "high": point.high}
                    for point in each.summary.table
                ],
            }
            for each in comparison.sets
        ],
        "pairs": [asdict(pair) | {"reference": comparison.sets[0].label} for pair in comparison.pairs],
        "notes": list(comparison.notes),
    }


def delivered_document(delivered: Delivered) -> dict[str, Any]:
    """What ways of picking deliver of each set at each k, and the differences between each set and the first."""
    return {
        "problems": delivered.problems,
        "points": [each._asdict() for each in delivered.points],
        "differences": [each._asdict() for each in delivered.differences],
        "notes": list(delivered.notes),
    }


def cost_document(comparison: CostComparison) -> dict[str, Any]:
    """The cost of each set at each k, the frontier, and the answers. Costs are for all problems."""
    document: dict[str, Any] = _named(asdict(comparison))
    for each in document["sets"]:
        del each["curve"]
    return document | {"headline": headline(comparison), "measure": comparison.measure.value}


def _named(value: Any) -> Any:
    """A value with named tuples as mappings, which JSON would write as lists."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _named(each) for name, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list | tuple) else value


def agreements_document(
    agreements: list[Agreement], unavailable: Mapping[str, str], max_examples: int
) -> dict[str, Any]:
    """How far graders agree with labelled samples, with up to `max_examples` disagreements of each kind."""
    return {
        "agreements": [
            {
                "grader": each.grader,
                "samples": each.source,
                "n": each.samples,
                "agreed": each.agreed,
                "not_graded": each.not_graded,
                "false_positives": len(each.false_positives),
                "false_negatives": len(each.false_negatives),
                "examples": [
                    {**asdict(case.sample), "gold": case.gold, "verdict": case.verdict.value, "detail": case.detail}
                    for cases in (each.false_positives, each.false_negatives)
                    for case in cases[:max_examples]
                ],
            }
            for each in agreements
        ],
        "not_run": dict(unavailable),
    }


def import_document(imports: Imports) -> dict[str, Any]:
    """What was read from another tool's files."""
    return {
        "format": imports.format,
        "problems": len(imports.problems),
        "samples": imports.samples,
        "graded": imports.graded,  # words: ok
        "correct": imports.correct,
        "left_out": imports.left_out,
        "provenance": imports.provenance,
    }
