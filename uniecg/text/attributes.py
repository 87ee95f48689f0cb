"""Requests in canonical words, and the reader of rate, intervals, axis, age and sex in free text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from uniecg.attributes import NUMERIC, Attributes, Sex
from uniecg.text.numbers import find_numbers, find_ranges
from uniecg.text.statements import RHYTHMS, STATEMENTS, parse_statements

__all__ = ["announcement", "describe", "generation_answer", "parse_attributes", "read_ranges", "restate"]


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


_SEX: dict[Sex, re.Pattern[str]] = {
    "female": re.compile(
        r"\b(?:female|wom[ae]n|lady|girl|she|mrs)\b|\b\d{1,3}\s*f\b|\bsex[:=\s]+f\b", re.IGNORECASE
    ),
    "male": re.compile(
        r"\b(?:male|man|gentleman|boy|he|mr)\b|\b\d{1,3}\s*m\b|\bsex[:=\s]+m\b", re.IGNORECASE
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
    values: dict[str, float] = {}
    for name, limits in NUMERIC.items():
        for low, high in find_ranges(text, name):
            if name not in values and limits.low <= low and high <= limits.high:
                values[name] = float(round((low + high) / 2))
    return Attributes(**values)  # type: ignore[arg-type]


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
