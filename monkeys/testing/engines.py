"""The contract of engines."""

import math
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise

from monkeys.testing.contract import check_class, require
from tasks.engines import Engine, EngineConfig
from tasks.errors import SamplingCancelledError
from tasks.records import Problem, Request, Sample, Sampling
from tasks.store.identity import canonical

GUARD_S = 120.0
"""Seconds after which a call that should have ended is considered to hang."""
SAMPLING = Sampling(temperature=1.0, top_p=1.0, max_tokens=60, stop=(), seed=0)

Drawn = dict[tuple[str, int], Sample]


@dataclass(frozen=True)
class EngineUnderTest:
    """An open engine, some requests, and the samples that it first drew for them."""

    config: EngineConfig
    engine: Engine
    requests: tuple[Request, ...]
    sampling: Sampling
    drawn: Drawn

    @classmethod
    def of(
        cls, config: EngineConfig, engine: Engine, requests: Sequence[Request], sampling: Sampling = SAMPLING
    ) -> "EngineUnderTest":
        """Draw for these requests once."""
        return cls(config, engine, tuple(requests), sampling, draw(engine, requests, sampling))

    def same(self, drawn: Drawn) -> None:
        """Check that samples are those that came first, to the last bit, where the engine is deterministic."""
        if self.engine.deterministic:
            others = [key for key, sample in drawn.items() if sample != self.drawn[key]]
            require(not others, f"deterministic is True, but these samples differ from those drawn first: {others[:5]}")


def check_engine(
    config: EngineConfig,
    prompts: Mapping[str, str],
    *,
    samples: int = 12,
    sampling: Sampling = SAMPLING,
    has_model: bool = False,
) -> None:
    """Check that an engine draws every requested sample once, and the same samples however the work is split.

    Args:
        config: with the fields that it needs.
        prompts: at least two prompts, by problem id.
        samples: how many to draw of each.
        sampling: settings that it can draw with.
        has_model: also check what holds only if a model draws tokens: `max_tokens`, `stop`, `seed`, `cancel`.

    Raises:
        ContractError: a promise is broken; the message says which.
    """
    check_class("engine", config)
    require(len(prompts) >= 2 and samples >= 2, "give at least two prompts, and draw at least two samples of each")
    config.check([Problem(problem_id, prompt) for problem_id, prompt in prompts.items()], samples)
    requests = [Request(problem_id, prompt, 0, samples) for problem_id, prompt in prompts.items()]
    with config.open() as engine:
        opened = EngineUnderTest.of(config, engine, requests, sampling)
        for check in (*ENGINE_CHECKS, *(MODEL_CHECKS if has_model else ())):
            check(opened)
    with config.open() as engine:
        opened.same(draw(engine, requests, sampling))
        if has_model:
            ends_all_calls(engine, requests, engine.cancel)
    if has_model:
        with ExitStack() as closing:
            engine = closing.enter_context(config.open())
            ends_all_calls(engine, requests, closing.close)


def draw(engine: Engine, requests: Sequence[Request], sampling: Sampling) -> Drawn:
    """All samples by problem and index: each once, none missing, and each with sound figures.

    Raises:
        ContractError: a sample comes twice, was not asked for, is missing, or has impossible figures.
    """
    drawn: Drawn = {}
    wanted = {(each.problem_id, index) for each in requests for index in range(each.start, each.stop)}
    for batch in engine.sample(requests, sampling):
        require(isinstance(batch, Sequence), f"sample() yields {type(batch).__name__}, not a sequence of samples")
        for sample in batch:
            _check_sample(sample)
            key = (sample.problem_id, sample.index)
            require(key in wanted, f"sample {key} was not asked for")
            require(key not in drawn, f"sample {key} came twice")
            drawn[key] = sample
    require(len(drawn) == len(wanted), f"{len(drawn)} of {len(wanted)} samples came")
    return drawn


def partition(choice: random.Random, requests: Sequence[Request], parts: int) -> list[Request]:
    """The same samples as requests cut at random, in a random order."""
    cut = []
    for each in requests:
        inner = range(each.start + 1, each.stop)
        edges = [each.start, *sorted(choice.sample(inner, min(parts - 1, len(inner)))), each.stop]
        cut += [Request(each.problem_id, each.prompt, a, b) for a, b in pairwise(edges)]
    choice.shuffle(cut)
    return cut


def _check_sample(sample: Sample) -> None:
    require(isinstance(sample, Sample), f"sample() yields {type(sample).__name__}, not Samples")
    where = f"sample {sample.index} of {sample.problem_id}"
    require(isinstance(sample.text, str), f"{where}: text is {type(sample.text).__name__}")
    try:
        sample.text.encode()
    except UnicodeEncodeError:
        require(False, f"{where}: text is not valid Unicode (a lone surrogate)")
    for name in ("prompt_tokens", "tokens", "cached_prompt_tokens"):
        count = getattr(sample, name)
        require(count is None or (type(count) is int and count >= 0), f"{where}: {name} is {count!r}")
    logprob = sample.logprob
    require(logprob is None or (math.isfinite(logprob) and logprob <= 0), f"{where}: logprob is {logprob!r}")
    require(sample.finish_reason in {None, "stop", "length"}, f"{where}: finish_reason is {sample.finish_reason!r}")


def describes_itself(opened: EngineUnderTest) -> None:
    """Version, label and ingredients are there, and say the same twice."""
    engine, config = opened.engine, opened.config
    require(bool(engine.version) and engine.version == engine.version.strip(), f"version is {engine.version!r}")
    require(isinstance(engine.deterministic, bool), "deterministic is not a bool")
    require(engine.max_concurrent_calls >= 1, f"max_concurrent_calls is {engine.max_concurrent_calls}")
    require(bool(config.label.strip()), "label is empty")
    try:
        first, second = (canonical(config.ingredients(opened.sampling, "{question}")) for _ in range(2))
    except TypeError as error:
        require(False, f"ingredients() is not JSON: {error}")
    else:
        require(first == second, f"ingredients() returns {first!r:.200} and then {second!r:.200}")


def any_partition_gives_the_same(opened: EngineUnderTest) -> None:
    """Cut and shuffled at random, in as many concurrent calls as the engine supports (at most two)."""
    for seed in range(4):
        choice = random.Random(seed)  # noqa: S311 - not a secret
        cut = partition(choice, opened.requests, parts=choice.choice([1, 2, 5, 24]))
        lanes = min(2, opened.engine.max_concurrent_calls)
        with ThreadPoolExecutor(lanes) as pool:
            halves = pool.map(lambda half: draw(opened.engine, half, opened.sampling), [cut[0::2], cut[1::2]])
            drawn = {key: sample for half in halves for key, sample in half.items()}
        require(drawn.keys() == opened.drawn.keys(), "two concurrent calls did not give all samples")
        opened.same(drawn)


def one_sample_alone_is_the_same(opened: EngineUnderTest) -> None:
    """The last sample of each problem, and the first."""
    for each in opened.requests:
        for index in (each.stop - 1, each.start):
            opened.same(draw(opened.engine, [replace(each, start=index, stop=index + 1)], opened.sampling))


def requests_for_nothing_give_nothing(opened: EngineUnderTest) -> None:
    """No requests, and requests for no samples, also next to others."""
    first, second, *_ = opened.requests
    nothing = replace(first, start=1, stop=1)
    draw(opened.engine, [], opened.sampling)
    draw(opened.engine, [nothing], opened.sampling)
    draw(opened.engine, [nothing, replace(second, start=1, stop=2)], opened.sampling)


def closing_early_leaves_the_engine_usable(opened: EngineUnderTest) -> None:
    """An iterator that is closed after its first samples ends its requests, and no others."""
    samples = opened.engine.sample(opened.requests, opened.sampling)
    require(bool(next(samples)), "the first list of samples is empty")
    samples.close()
    opened.same(draw(opened.engine, opened.requests[:1], opened.sampling))


def max_tokens_is_kept(opened: EngineUnderTest) -> None:
    """A sample has at most that many tokens, and a shorter one is the beginning of the longer."""
    for most in (each for each in (1, 2, 7, 20) if each < opened.sampling.max_tokens):
        shorter = draw(opened.engine, opened.requests[:1], replace(opened.sampling, max_tokens=most))
        for key, sample in shorter.items():
            require(sample.tokens is not None and 1 <= sample.tokens <= most, f"{sample.tokens} tokens of {most}")
            whole = opened.drawn[key]
            if opened.engine.deterministic and whole.tokens is not None:
                require(whole.text.startswith(sample.text), f"max_tokens={most} changes the text of {key}")
                require(sample.tokens == min(most, whole.tokens), f"{key}: {sample.tokens} tokens of {whole.tokens}")
                cut = whole.tokens > most
                require((sample.finish_reason == "length") == cut, f"{key}: finish_reason is {sample.finish_reason}")


def stop_strings_end_a_text(opened: EngineUnderTest) -> None:
    """A text ends before the first stop string. The strings are from the samples themselves."""
    longest = max(opened.drawn.values(), key=lambda each: len(each.text)).text
    stop = tuple({longest[at : at + length] for at, length in ((1, 1), (3, 2), (8, 7)) if longest[at : at + length]})
    require(bool(stop), "the samples are too short to take stop strings from")
    for key, sample in draw(opened.engine, opened.requests, replace(opened.sampling, stop=stop)).items():
        require(not any(each in sample.text for each in stop), f"the text of {key} has a stop string in it: {stop}")
        if opened.engine.deterministic:
            whole = opened.drawn[key].text
            cut = whole[: min((at for each in stop if (at := whole.find(each)) >= 0), default=len(whole))]
            require(sample.text == cut, f"{key} ends elsewhere than before its first stop string {stop}")


def seeds_and_problems_differ(opened: EngineUnderTest) -> None:
    """Another seed gives other samples, and so does another problem with the same prompt."""
    hot = replace(opened.sampling, temperature=2.0, max_tokens=30)
    first = replace(opened.requests[0], start=0, stop=4)
    drawn = [
        draw(opened.engine, [first], hot),
        draw(opened.engine, [first], replace(hot, seed=hot.seed + 1)),
        draw(opened.engine, [replace(first, problem_id="another")], hot),
    ]
    texts = [sample.text for each in drawn for sample in each.values()]
    require(len(set(texts)) == len(texts), "samples of other seeds or problems are equal")


def ends_all_calls(engine: Engine, requests: Sequence[Request], end: Callable[[], object]) -> None:
    """Cancelling or closing an engine ends calls with SamplingCancelledError: one in another thread, and later ones."""
    ended: list[BaseException | None] = []
    under_way = threading.Event()
    endless = [replace(each, start=0, stop=4_000) for each in requests]

    def wait() -> None:
        try:
            for _ in engine.sample(endless, replace(SAMPLING, temperature=2.0)):
                under_way.set()
            ended.append(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            ended.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    require(under_way.wait(GUARD_S), f"no sample came within {GUARD_S:.0f} s")
    end()
    thread.join(GUARD_S)
    require(bool(ended), f"a call still runs {GUARD_S:.0f} s after it was to end")
    require(isinstance(ended[0], SamplingCancelledError), f"a call that was to end ended with {ended[0]!r}")
    try:
        list(engine.sample(requests, SAMPLING))
    except SamplingCancelledError:
        return
    require(False, "the engine draws again after its end")


ENGINE_CHECKS: tuple[Callable[[EngineUnderTest], None], ...] = (
    describes_itself,
    any_partition_gives_the_same,
    one_sample_alone_is_the_same,
    requests_for_nothing_give_nothing,
    closing_early_leaves_the_engine_usable,
)
"""Checks of every engine."""

MODEL_CHECKS: tuple[Callable[[EngineUnderTest], None], ...] = (
    max_tokens_is_kept,
    stop_strings_end_a_text,
    seeds_and_problems_differ,
)
"""Checks of engines that draw tokens from a model."""
