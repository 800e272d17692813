from dataclasses import replace

import numpy as np
import pytest

from tasks.store.blocks import Block
from tasks.store.inspect.catalog import find
from tasks.store.inspect.usage import usage
from tasks.store.samples import write_samples
from tasks.store.schema import CorruptObjectError
from tests.store.stored import PROBLEMS, K, answers


def found(store, problem_ids=None):
    samples = find(store, "arithmetic")
    return usage(store, samples, list(answers(PROBLEMS, 1)) if problem_ids is None else problem_ids)


def rewrite(store, change):
    """Write every block again, with its samples changed; `change` also gives the end and the seconds of its drawing."""
    drawn = answers(PROBLEMS, K)
    ids = list(drawn)
    for number, (block, _) in enumerate(sorted(find(store, "arithmetic").objects.footers.items())):
        key = find(store, "arithmetic").objects.key(block)
        samples = [drawn[ids[position]][index] for position in block.positions for index in block.indices]
        changed, drawn_at, seconds = change(number, samples)
        store.write(key, write_samples(changed, key, engine="e", drawn_at=drawn_at, seconds=seconds))


def test_usage_is_the_sum_over_the_samples_of_a_problem(filled_store):
    of = found(filled_store)
    for row, (problem, samples) in enumerate(answers(PROBLEMS, K).items()):
        tokens = [sample.tokens or 0 for sample in samples.values()]
        assert of.problem_ids[row] == problem
        assert of.samples[row] == K
        assert of.prompt is not None
        assert of.prompt[row] == 30 * K
        assert of.completion is not None
        assert of.completion[row] == sum(tokens)
        assert of.context is not None
        assert of.context[row] == sum(30 + at for count in tokens for at in range(1, count + 1))
        assert of.shared_prompt is not None
        assert of.shared_prompt[row] == 30
    assert of.cached is None


def test_usage_of_some_problems_is_in_their_order(filled_store):
    whole, ids = found(filled_store), list(answers(PROBLEMS, 1))
    chosen = [ids[7], ids[2], ids[19]]
    some = found(filled_store, chosen)
    assert some.problem_ids == tuple(chosen)
    for name in ("samples", "prompt", "completion", "context", "shared_prompt", "seconds"):
        assert getattr(some, name).tolist() == pytest.approx(getattr(whole.of(chosen), name).tolist())


def test_concurrent_blocks_share_the_seconds_of_the_clock(filled_store):
    blocks = len(find(filled_store, "arithmetic").objects.footers)
    assert blocks > 1
    # All at once, for 10 s.
    rewrite(filled_store, lambda number, samples: (samples, "2026-11-29T12:00:10+00:00", 10.0))
    of = found(filled_store)
    assert of.seconds is not None
    assert of.seconds.sum() == pytest.approx(11, abs=1.01)  # times are stored to the second
    # One after another.
    rewrite(filled_store, lambda number, samples: (samples, f"2026-11-29T12:0{number}:10+00:00", 10.0))
    apart = found(filled_store)
    assert apart.seconds is not None
    assert apart.seconds.sum() == pytest.approx(10 * blocks)
    # Within a block, by tokens.
    assert apart.completion is not None
    first = next(iter(sorted(find(filled_store, "arithmetic").objects.footers)))
    rows = list(first.positions)
    shares = apart.completion[rows] / apart.completion[rows].sum()
    assert apart.seconds[rows] == pytest.approx(10 * shares)


def test_a_count_that_one_sample_lacks_is_not_known(filled_store):
    rewrite(
        filled_store,
        lambda number, samples: (
            [replace(samples[0], tokens=None) if number == 0 else samples[0], *samples[1:]],
            "2026-11-29T12:00:10+00:00",
            10.0,
        ),
    )
    of = found(filled_store)
    assert of.completion is None
    assert of.context is None
    assert of.prompt is not None
    # Problems of other blocks have all their counts.
    last = list(answers(PROBLEMS, 1))[-1]
    assert found(filled_store, [last]).completion is not None


def test_cached_tokens_are_summed_and_prompts_that_differ_are_not_shared(filled_store):
    rewrite(
        filled_store,
        lambda number, samples: (
            [replace(each, cached_prompt_tokens=each.index % 3, prompt_tokens=30 + each.index) for each in samples],
            "2026-11-29T12:00:10+00:00",
            10.0,
        ),
    )
    of = found(filled_store)
    assert of.cached is not None
    assert set(of.cached.tolist()) == {sum(index % 3 for index in range(K))}
    assert of.prompt is not None
    assert set(of.prompt.tolist()) == {30 * K + sum(range(K))}
    assert of.shared_prompt is None


def test_a_damaged_block_is_told_rather_than_left_out(filled_store):
    block = next(iter(find(filled_store, "arithmetic").objects.footers))
    assert isinstance(block, Block)
    filled_store.write(find(filled_store, "arithmetic").objects.key(block), b"torn")
    with pytest.raises(CorruptObjectError, match="run the sweep of arithmetic"):
        found(filled_store)


def test_imported_samples_have_no_seconds(filled_store):
    samples = find(filled_store, "arithmetic")
    imported = replace(samples, ingredients=dict(samples.ingredients) | {"engine": "recorded"})
    of = usage(filled_store, imported, list(answers(PROBLEMS, 1)))
    assert of.seconds is None
    assert of.completion is not None
    assert np.all(of.samples == K)
