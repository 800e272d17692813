"""From a configuration to a sweep that can run: names become objects, and everything is checked before any work."""

from pathlib import Path

from flows.config.sweep import SweepConfig
from flows.setup.defaults import load_problems, origins, resolve_grader, select_problems, verdict_origins
from tasks.datasets import Dataset
from tasks.datasets.exclusions import read_exclusions
from tasks.errors import UserError
from tasks.prompts import template
from tasks.records import Price, Sampling
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity, verdict_identity
from tasks.store.sets import SampleSet, VerdictSet
from tasks.sweep.sweep import Sweep


def prepare(config: SweepConfig) -> Sweep:
    """Load the problems, name the result sets and check engine, grader, sandbox and store, in that order.

    Raises:
        UserError: something that only the user can mend; nothing has been written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    job = assemble(config)
    config.engine.check([problem.id for problem in job.problems], config.k)
    job.grader.check(job.problems)
    if job.grader.runs_code:
        config.sandbox.check()
    FsspecStore(config.store).probe()
    return job


def assemble(config: SweepConfig) -> Sweep:
    """Load the problems and name the result sets, without asking whether this machine can draw or judge. Nothing is
    opened or written.

    Raises:
        UserError: problems, model or exclusions cannot be read, or do not fit.
        SandboxUnavailableError: the programs' image is to be asked of a Docker engine, and there is none.
    """
    dataset: Dataset = config.dataset
    problems = load_problems(dataset)
    first = select_problems(problems, config.problems, dataset)
    digest = problems_digest(problems)
    if config.pin is not None and not digest.startswith(config.pin):
        raise UserError(
            f"pin: the problems of {dataset.name} hash to {digest}, not to {config.pin}: they are other texts, or"
            " in another order"
        )
    excluded = read_exclusions(config.exclude, problems) if config.exclude else {}
    if all(problem.id in excluded for problem in first):
        raise UserError(f"exclude: {config.exclude} leaves no problem of the {len(first)} to sample")

    grader = resolve_grader(dataset, config.grader)
    sampling = _sampling(config, dataset)
    chat = config.chat.form() if config.chat else None
    samples = sample_identity(
        f"{dataset.name}-{config.engine.label}",
        dataset=dataset.name,
        problems=digest,
        **config.engine.ingredients(sampling, template(dataset.template)),
        **({"chat": chat.ingredients} if chat else {}),
        plugins=origins(dataset=dataset, engine=config.engine),
    )
    limits = config.sandbox.ingredients() if grader.runs_code else {}
    verdicts = verdict_identity(samples, grader.name, grader.version, limits, verdict_origins(grader, config.sandbox))

    store = FsspecStore(config.store)
    return Sweep(
        problems=problems,
        first=len(first),
        k=config.k,
        template=dataset.template,
        sampling=sampling,
        grader=grader,
        samples=SampleSet(store, samples),
        verdicts=VerdictSet(store, samples, verdicts),
        budget=config.budget,
        price=None if config.price is None else Price(config.price.prompt, config.price.completion),
        excluded=excluded,
        chat=chat,
    )


def prepare_shared(config: SweepConfig) -> Sweep:
    """Like `prepare`, for a store that workers in other folders and on other machines must find.

    Raises:
        UserError: as `prepare` does, or the store is a relative path.
    """
    if "://" not in config.store and not Path(config.store).is_absolute():
        raise UserError(
            f"store: {config.store} is another folder for each worker; give an absolute path or a URL such as"
            " s3://bucket/runs"
        )
    return prepare(config)


def _sampling(config: SweepConfig, dataset: Dataset) -> Sampling:
    """What the config leaves open is the dataset's own."""
    chosen = config.sampling
    return Sampling(
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        max_tokens=chosen.max_tokens or dataset.max_tokens,
        stop=dataset.stop if chosen.stop is None else chosen.stop,
        seed=chosen.seed,
    )
