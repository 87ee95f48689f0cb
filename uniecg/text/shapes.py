"""Generation requests with ranges, as bullet lists and with intervals in seconds, beside those of `sample_request`."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from uniecg.attributes import NUMERIC
from uniecg.text.asking import by_kind
from uniecg.text.grammar import expand
from uniecg.text.grammar.cases import fill_case, rates_of, sample_case
from uniecg.text.requests import RequestExample, Split, finish
from uniecg.text.statements import STATEMENTS

__all__ = ["sample_shape"]

_RANGES = {"rate": "heart_rate_bpm", "age": "age", "pr": "pr_ms", "qrs": "qrs_ms"}
_SECONDS = {"prs": "pr_ms", "qrss": "qrs_ms", "qts": "qt_ms"}
_HALF_WIDTHS = (5, 10, 15, 20)


def _range(name: str, value: float, statements: Sequence[str], draw: random.Random) -> tuple[int, int]:
    """Ends of a range around a value, moved to where the statements allow it."""
    low, high = NUMERIC[name].low, NUMERIC[name].high
    if name == "heart_rate_bpm":
        low, high = rates_of(statements) or (low, high)
    for limit in (
        limit for code in statements for limit in STATEMENTS[code].implies if limit.quantity == name
    ):
        low = max(low, limit.value + (limit.sign == ">")) if ">" in limit.sign else low
        high = min(high, limit.value - (limit.sign == "<")) if "<" in limit.sign else high
    room = int(high - low) // 2
    half = draw.choice([width for width in _HALF_WIDTHS if width <= room] or [room])
    middle = int(min(max(value, math.ceil(low) + half), math.floor(high) - half))
    return middle - half, middle + half


def sample_shape(rng: np.random.Generator, split: Split = "train") -> RequestExample:
    """Draw a generation request of an unusual shape.

    Parameters
    ----------
    rng : numpy.random.Generator
    split : {"train", "heldout"}
        Which set of phrasings to draw from.

    Returns
    -------
    RequestExample
        Of a range the attributes hold the middle, as :func:`uniecg.text.attributes.read_ranges` gives it; all other
        values stand in the text.

    Raises
    ------
    InputError
        If the split is unknown.
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    found = [family for kind in by_kind("shapes", split).values() for family in kind]
    family, template = draw.choice([(family, template) for family in found for template in family.templates])
    language = family.options.get("lang", "en")
    fixed = family.options.get("statements")
    case = sample_case(draw, None if fixed is None else tuple(fixed.split(",")), language)
    text = expand(template, draw)
    meant: dict[str, float] = {}
    for word, name in _RANGES.items():
        value = getattr(case.attributes, name)
        if f"{{{word}lo}}" in text and value is not None:
            low, high = _range(name, value, case.statements, draw)
            text = text.replace(f"{{{word}lo}}", str(low)).replace(f"{{{word}hi}}", str(high))
            meant[name] = float((low + high) // 2)
    for word, name in _SECONDS.items():
        value = getattr(case.attributes, name)
        if f"{{{word}}}" in text and value is not None:
            text = text.replace(f"{{{word}}}", f"{value / 1000:.3f}".rstrip("0"))
            meant[name] = value
    text, named = fill_case(text, case, draw, language)
    return RequestExample(
        finish(text, family, draw),
        "generate",
        False,
        family.name,
        named.statements,
        replace(named.attributes, **meant),  # type: ignore[arg-type]
    )
