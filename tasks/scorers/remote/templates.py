"""Texts with places to fill in."""

import re


def filled(template: str, **values: str) -> str:
    """A template with `{name}` replaced by each value, in one pass: what a value contains is not replaced again."""
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda found: values[found[1]], template)
