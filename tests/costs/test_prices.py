import datetime

import pytest

from tasks.costs.prices import ModelPrice, bundled_prices, find_price, parse_prices
from tasks.errors import UserError


def test_every_bundled_price_has_a_date_and_a_source():
    for each in bundled_prices().prices:
        assert each.source.startswith("https://")
        assert each.date <= datetime.date(2026, 11, 29)
        assert each.read <= (each.prompt or 0) <= (each.completion or 0)


def test_a_table_is_yaml_or_json():
    table = parse_prices("prices:\n  - {model: m, prompt: 1, completion: 2, date: 2026-11-01}\n", "f.yaml")
    again = parse_prices('{"prices": [{"model": "m", "prompt": 1, "completion": 2, "date": "2026-11-01"}]}', "f.json")
    assert table == again


def test_the_first_table_wins_and_then_the_first_name():
    mine = parse_prices("prices: [{model: gpt-4o, prompt: 9, completion: 9, date: 2026-11-01}]", "mine")
    tables = (mine, bundled_prices())
    found = find_price(["unknown", "gpt-4o"], tables)
    assert found is not None
    assert found.prompt == 9
    other = find_price(["gpt-4.1", "gpt-4o-mini"], tables)
    assert other is not None
    assert other.model == "gpt-4.1"
    assert find_price(["unknown"], tables) is None


def test_cached_tokens_cost_as_others_unless_they_have_a_price():
    plain = ModelPrice.model_validate({"model": "m", "prompt": 3, "completion": 4, "date": "2026-11-01"})
    assert (plain.read, plain.write) == (3, 3)
    cached = plain.model_copy(update={"cached_read": 0.3, "cached_write": 3.75})
    assert (cached.read, cached.write) == (0.3, 3.75)


def test_a_price_older_than_a_year_is_told():
    each = ModelPrice.model_validate({"model": "m", "hour": 3, "date": "2025-11-29"})
    assert each.age_warning(datetime.date(2026, 11, 29)) is None
    warning = each.age_warning(datetime.date(2026, 11, 30))
    assert warning is not None
    assert "m is from 2025-11-29, more than a year ago" in warning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: is not a table of prices; write `prices:"),
        ("[1, 2]", "is not a table of prices"),
        ("prices: [", "f.yaml: broken YAML"),
        ("prices: [{model: m, prompt: 1, completion: 2}]", "f.yaml: prices.0.date: field required"),
        ("prices: [{model: m, prompt: 1, date: 2026-01-01}]", "prompt and completion are given together"),
        ("prices: [{model: m, date: 2026-01-01}]", "has neither prompt and completion nor hour"),
        ("prices: [{model: m, prompt: -1, completion: 2, date: 2026-01-01}]", "prices.0.prompt: input should be"),
        ("prices: [{model: m, hour: .nan, date: 2026-01-01}]", "prices.0.hour"),
        ("prices: [{model: m, hour: .inf, date: 2026-01-01}]", "prices.0.hour"),
        ("prices: [{model: m, hour: 1, dat: 2026-01-01}]", "prices.0"),
        (
            "prices: [{model: m, hour: 1, date: 2026-01-01}, {model: m, hour: 2, date: 2026-01-01}]",
            "'m' has two prices",
        ),
        ("prices: [{model: m, hour: 1, batch_discount: 50, date: 2026-01-01}]", "batch_discount"),
    ],
)
def test_a_table_that_is_wrong_is_told_in_one_line(text, message):
    with pytest.raises(UserError, match=message) as told:
        parse_prices(text, "f.yaml")
    assert "\n" not in str(told.value)
