"""Numbers by reference: the language model points at numbers and never spells them.

A small model copies digits badly and can invent them. So every number of a request is followed by a
slot token ``<|n0|>``, ``<|n1|>``, ..., every measured quantity has a token of its own, and replies are
learned with tokens in place of digits. Filled in afterwards, a number in a reply is one that was asked
for or measured, by construction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import value_of
from uniecg.text.explain import significant_st
from uniecg.text.numbers import NUMBER, find_numbers

__all__ = ["SLOT_TOKENS", "fill", "mark_numbers", "measured_values", "point", "request_values"]

MAX_REQUEST_NUMBERS = 10
# "V1" is a lead; a minus counts as a sign only where no word or digit stands before it.
_REQUEST_NUMBER = re.compile(r"(?<![vV\d.,])(?:(?<![\w)])[-\u2212])?\d+(?:\.\d+)?")
_DIGITS = re.compile(NUMBER)
_MENTIONED = ("heart_rate_bpm", "atrial_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg")
_PHRASES = {
    "premature_beats": re.compile(r"(\d+) premature beat"),
    "wide_beats": re.compile(r"(\d+) wide beat"),
    "rr_cv_percent": re.compile(r"vary by (\d+) %"),
    "sokolow_lyon_mv": re.compile(r"Sokolow-Lyon (\d+\.\d)"),
    "limb_qrs_mv": re.compile(r"[Ll]imb lead QRS up to (\d+\.\d)"),
    "st_elevation_mv": re.compile(r"ST elevation in [^().]*?\(?up to (\d+\.\d) mV"),
    "st_depression_mv": re.compile(r"ST depression in [^().]*?\(?up to (\d+\.\d) mV"),
}
_NOTHING = "\0"
_SLOT = re.compile(r"<\|(\w+)\|>")
SLOT_TOKENS = [f"<|{name}|>" for name in (*_MENTIONED, *_PHRASES)]
SLOT_TOKENS += [f"<|n{index}|>" for index in range(MAX_REQUEST_NUMBERS)]


def request_values(request: str) -> dict[str, str]:
    """Slot name to digits of the first ten numbers of a request, in their order."""
    found = [match[0].replace("\u2212", "-") for match in _REQUEST_NUMBER.finditer(request)]
    return {f"n{index}": digits for index, digits in enumerate(found[:MAX_REQUEST_NUMBERS])}


def mark_numbers(request: str) -> str:
    """The request with a slot token behind each of its first ten numbers."""
    index = -1

    def mark(match: re.Match[str]) -> str:
        nonlocal index
        index += 1
        return match[0] + (f"<|n{index}|>" if index < MAX_REQUEST_NUMBERS else "")

    return _REQUEST_NUMBER.sub(mark, request)


def measured_values(m: Measurements) -> dict[str, str]:
    """Slot name to digits as explanations write them; what was not measured is left out."""
    st = significant_st(m).values()
    numbers = {
        "heart_rate_bpm": m.heart_rate_bpm,
        "atrial_rate_bpm": m.atrial_rate_bpm,
        "pr_ms": m.pr_ms,
        "qrs_ms": m.qrs_ms,
        "qt_ms": m.qt_ms,
        "qtc_ms": m.qtc_fridericia_ms,
        "qrs_axis_deg": m.qrs_axis_deg,
        "premature_beats": float(m.beats.premature.sum()),
        "wide_beats": value_of(m, "pvc_count", None),
        "rr_cv_percent": 100 * m.rr_cv,
        "sokolow_lyon_mv": value_of(m, "sokolow_lyon_mv", None),
        "limb_qrs_mv": value_of(m, "limb_qrs_mv", None),
        "st_elevation_mv": max((level for level in st if level > 0), default=math.nan),
        "st_depression_mv": -min((level for level in st if level < 0), default=math.nan),
    }
    return {
        name: f"{value:.1f}" if name.endswith("_mv") else str(round(value))
        for name, value in numbers.items()
        if math.isfinite(value)
    }


def point(text: str, values: Mapping[str, str]) -> str:
    """Replace digits by slot tokens wherever a value is known to be meant; :func:`fill` is the inverse.

    Parameters
    ----------
    text : str
        A reply in digits.
    values : mapping
        From :func:`measured_values` (reply about an ECG) or :func:`request_values` (reply to a request).
    """
    places: list[tuple[int, int, str]] = []
    for quantity in _MENTIONED:
        for mention in find_numbers(text, quantity):
            if (number := _DIGITS.search(text, mention.start, mention.end)) is not None:
                places.append((*number.span(), quantity))
    for name, pattern in _PHRASES.items():
        places += [(*match.span(1), name) for match in pattern.finditer(text)]
    taken = {start for start, _, name in places if name in values}
    free = {name: digits for name, digits in values.items() if re.fullmatch(r"n\d+", name)}
    for match in _DIGITS.finditer(text):
        equal = [slot for slot, value in free.items() if float(value) == float(match[0])]
        if equal and match.start() not in taken:
            places.append((*match.span(), equal[0]))
            del free[equal[0]]
    result, end = "", 0
    for start, stop, name in sorted(places):
        digits = text[start:stop]
        if start < end or name not in values or float(values[name]) != float(digits):
            continue
        result += text[end:start] + f"<|{name}|>"
        end = stop
    return result + text[end:]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace slot tokens by their digits and drop every phrase that points at nothing; other tokens vanish.

    A reply of which nothing is left says that it cannot be measured.
    """

    def digits(match: re.Match[str]) -> str:
        return values.get(match[1], _NOTHING) if match[0] in SLOT_TOKENS else ""

    filled = _SLOT.sub(digits, text).strip()
    if _NOTHING not in filled:
        return filled
    kept = []
    for sentence in re.split(r"(?<=[.?!])\s+", filled):
        parts = [part for part in sentence.rstrip(".").split(", ") if _NOTHING not in part]
        if parts and all(parts):
            words = ", ".join(parts)
            kept.append(words[0].upper() + words[1:] + ".")
    return " ".join(kept) or "This cannot be measured here."
