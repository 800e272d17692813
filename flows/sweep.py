"""The sweep: load problems → draw samples → grade them in a sandbox → score them → coverage and fit → report.

The same flow starts, resumes and extends a sweep: it does exactly what is missing in the store.
"""

from typing import NamedTuple, Self

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import deployment

from flows.config.sweep import SweepConfig
from flows.runtime.completion import keeps_outcome
from flows.runtime.rounds import draw_and_grade
from flows.runtime.scoring import score_samples
from flows.setup.prepared import prepared_or
from flows.setup.sweep import notes_on_cap, prepare, prepare_for_workers
from tasks.progress import progress
from tasks.report.picking.model import Picking
from tasks.report.sweep.publish import Publication
from tasks.scaling.summary import SweepSummary
from tasks.steps import blocks
from tasks.steps.artifacts import Measurement, measure, report
from tasks.sweep.sweep import Sweep


class SweepResult(NamedTuple):
    """The names of a sweep's sample set, verdict set and score sets, the number of samples that this run drew, and the
    report. `picking` is what ways of picking an answer deliver, or why that is not known; None where the samples have
    nothing to pick by."""

    samples: str
    verdicts: str
    drawn: int
    summary: SweepSummary
    publication: Publication
    scores: tuple[str, ...] = ()
    picking: Picking | str | None = None

    @classmethod
    def of(cls, job: Sweep, drawn: int, measured: Measurement, publication: Publication) -> Self:
        """The result of a sweep that has been measured and published."""
        names = job.samples.identity.name, job.grading.verdicts.identity.name
        scores = tuple(each.scores.identity.name for each in job.scorings)
        return cls(*names, drawn, measured.summary, publication, scores, measured.picking)


def prepare_run(config: SweepConfig) -> Sweep:
    """Like `prepare`, but a run of a deployment refuses a relative store, since it may start in a folder that is
    removed when it ends."""
    return prepare_for_workers(config) if deployment.id else prepare(config)


load = task(name="load: problems", cache_policy=NO_CACHE)(prepared_or(prepare_run))


@flow(name="sweep", flow_run_name="{config.dataset.name}-k{config.k}", task_runner=blocks.grading_runner())
@keeps_outcome
def sweep(config: SweepConfig) -> SweepResult:
    """Draw, grade and score the samples that the budget asks for and the store lacks, and report on the whole sweep. A
    budget with several rounds plans each one from the verdicts of those before; scoring comes after all of them."""
    job = load(config)
    missing, pending = blocks.plan_samples(job), blocks.plan_verdicts(job.grading)
    blocks.show_stored(job.grading, pending)
    for note in notes_on_cap(config):
        progress.get().say(note)
    spending = None if config.cap is None else config.cap.start(job.price)
    drawn = draw_and_grade(config, job, missing, pending, spending)
    scoring_failed = score_samples(job.scorings, config.concurrency_limit, spending)
    measured = measure(job)
    publication = report(job, measured, config.to_yaml())
    if scoring_failed is not None:
        progress.get().say(f"report: {publication.page}")
        raise scoring_failed
    return SweepResult.of(job, drawn, measured, publication)
