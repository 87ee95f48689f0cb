"""Requests in canonical words, and the reader of rate, intervals, axis, age and sex in free text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from uniecg.attributes import NUMERIC, Attributes, Sex
from uniecg.text.numbers import find_numbers, find_range_mentions, find_ranges
from uniecg.text.statements import RHYTHMS, STATEMENTS, parse_statements

__all__ = [
    "announcement",
    "attribute_spans",
    "describe",
    "generation_answer",
    "parse_attributes",
    "parse_ranges",
    "read_ranges",
    "restate",
]


def _number(value: float) -> str:
    """Shortest decimal form that reads back as the same number; integers carry no point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def describe(statements: Iterable[str], attributes: Attributes | None = None) -> str:
    """Write statements and attributes in canonical words; only what is set, always in the same order.

    Parameters
    ----------
    statements : iterable of str
        SCP-ECG codes; rhythms are named first, else their order is kept.
    attributes : Attributes, optional
        Values to name after the statements.

    Returns
    -------
    str
        For example ``"atrial fibrillation, ventricular rate 110 bpm, QRS 150 ms, axis -30 degrees, female, 70 years"``.

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    """
    attributes = attributes or Attributes()
    parts = [STATEMENTS[code].name for code in sorted(statements, key=lambda code: code not in RHYTHMS)]
    for prefix, value, unit in (
        ("ventricular rate ", attributes.heart_rate_bpm, " bpm"),
        ("PR ", attributes.pr_ms, " ms"),
        ("QRS ", attributes.qrs_ms, " ms"),
        ("QT ", attributes.qt_ms, " ms"),
        ("axis ", attributes.qrs_axis_deg, " degrees"),
        ("", attributes.sex, ""),
        ("", attributes.age, " years"),
    ):
        if value is not None:
            parts.append(prefix + (value if isinstance(value, str) else _number(value)) + unit)
    return ", ".join(parts)


def generation_answer(statements: Iterable[str], attributes: Attributes | None = None) -> str:
    """Words with which the model announces a generated ECG; they name what the ECG tokens stand for."""
    what = describe(statements, attributes)
    return f"This is an ECG of {what}." if what else "This is an ECG."


MEASURED_ON = " Measured on the result: "
"""What comes between the announcement of a generated ECG and what was measured on it."""


def announcement(reply: str) -> str:
    """What a reply says of a generated ECG before it is measured; other replies stay whole."""
    return reply.split(MEASURED_ON)[0]


def _beside_age(letter: str) -> str:
    """Expression of a letter for the sex: "70F", "60 yo M", "70/m", "m/55"."""
    years = r"(?:\s*(?:yo|y/o|y\.o\.|yrs?|years?(?:[\s-]+old)?)\s*,?)?"
    return rf"\b\d{{1,3}}{years}\s*/?\s*{letter}\b|(?<![\w/]){letter}/\d{{1,3}}\b"


_SEX: dict[Sex, re.Pattern[str]] = {
    "female": re.compile(
        rf"\b(?:female|wom[ae]n|lady|girl|she|mrs|weiblich\w*|frau|kvinnan?|kvinnlig\w*)\b|\bsex[:=\s]+f\b|{_beside_age('f')}",
        re.IGNORECASE,
    ),
    "male": re.compile(
        rf"\b(?:male|man|gentleman|boy|he|mr|männlich\w*|mann|manlig\w*)\b|\bsex[:=\s]+m\b|{_beside_age('m')}",
        re.IGNORECASE,
    ),
}


def _read(name: str, text: str) -> float | None:
    low, high = NUMERIC[name].low, NUMERIC[name].high
    for mention in find_numbers(text, name):
        if mention.comparison == "=" and low <= mention.value <= high:
            return mention.value
    return None


def parse_attributes(text: str) -> Attributes:
    """Read rate, intervals, axis, age and sex from text.

    Exact inverse of `describe`; also understands free text such as "HR 80", "80/min", "PQ 0.16 s", "axis of -30°",
    "70F" and "a 70-year-old woman". A corrected QT ("QTc") is not a QT. Implausible numbers are passed over.

    Parameters
    ----------
    text : str
        Request, report or the output of `describe`.

    Returns
    -------
    Attributes
        What the text states; the rest is None.
    """
    values = {name: _read(name, text) for name in NUMERIC}
    sexes: list[tuple[int, Sex]] = [
        (match.start(), sex) for sex, pattern in _SEX.items() if (match := pattern.search(text)) is not None
    ]
    return Attributes(sex=min(sexes)[1] if sexes else None, **values)


def parse_ranges(text: str) -> dict[str, tuple[float, float]]:
    """Read plausible ranges such as "rate between 60 and 80": name of the attribute to its lowest and highest value."""
    found: dict[str, tuple[float, float]] = {}
    for name, limits in NUMERIC.items():
        for low, high in find_ranges(text, name):
            if name not in found and limits.low <= low and high <= limits.high:
                found[name] = (low, high)
    return found


def read_ranges(text: str) -> Attributes:
    """Read ranges such as "rate between 60 and 80"; the value is the middle of the range, rounded.

    Parameters
    ----------
    text : str
        Request.

    Returns
    -------
    Attributes
        What the text gives a plausible range for; the rest is None.
    """
    middle = {name: float(round((low + high) / 2)) for name, (low, high) in parse_ranges(text).items()}
    return Attributes(**middle)  # type: ignore[arg-type]


def attribute_spans(text: str) -> list[tuple[int, int]]:
    """Where a text names what `parse_attributes` and `parse_ranges` read, start and end of each."""
    values, ranges = parse_attributes(text).to_dict(), parse_ranges(text)
    spans = [match.span() for sex in _SEX.values() for match in sex.finditer(text)]
    for name in NUMERIC:
        spans += [
            (mention.start, mention.end)
            for mention in find_numbers(text, name)
            if mention.comparison == "=" and mention.value == values.get(name)
        ]
        spans += [
            (start, end)
            for low, high, start, end in find_range_mentions(text, name)
            if (low, high) == ranges.get(name)
        ]
    return spans


def restate(request: str, words: str) -> str:
    """Canonical announcement of what is generated: what the request names, completed by the model's words.

    A model may lose or swap a statement or a number while restating a request. What the request says in
    the words of the vocabulary is certain, so it comes first; the model is needed for the rest.

    Parameters
    ----------
    request : str
        What the user asked for.
    words : str
        How the model restated it.
    """
    named: dict[str, Any] = parse_attributes(request).to_dict() | read_ranges(request).to_dict()
    merged = replace(parse_attributes(words), **named)
    return generation_answer(parse_statements(request) or parse_statements(words), merged)
