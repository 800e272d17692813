"""Scoring as Prefect tasks, with names, retries and logs. As for drawing and grading, the store knows what is done."""

from prefect import get_run_logger, task

from tasks.scorers.checked import CheckedScorer
from tasks.steps.retries import RETRIED
from tasks.store.blocks import Block
from tasks.sweep.scoring import Scoring


@task(task_run_name="plan: which scores are pending", **RETRIED)
def plan_scores(scoring: Scoring) -> list[Block]:
    """The stored blocks of samples that lack scores."""
    blocks = scoring.pending_scores()
    samples = sum(block.samples for block in blocks)
    get_run_logger().info("%s: %d stored samples to score", scoring.scores.identity.name, samples)
    return blocks


@task(task_run_name="score: {block}", **RETRIED)
def score_block(scoring: Scoring, block: Block, scorer: CheckedScorer, *, wait: bool = False) -> str | None:
    """Score a stored block and store the scores; returns their URL.

    None if another sweep is scoring it and `wait` is False.
    """
    url = scoring.score(block, scorer, wait=wait)
    if url is None:
        get_run_logger().info("another sweep is scoring these samples; looking again later")
    else:
        get_run_logger().info("%d scores stored in %s", block.samples, url)
    return url
