"""What no ECG can show, whoever asks for it: rates outside of life, numbers that contradict a name or each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from uniecg.attributes import NUMERIC, Attributes
from uniecg.text.attributes import parse_attributes
from uniecg.text.numbers import find_numbers
from uniecg.text.statements import STATEMENTS, VOCABULARY, Limit, conflicts, parse_statements

__all__ = ["contradiction", "impossible"]

_WITHOUT_PR = ("AFIB", "AFLT", "SVTAC", "PSVT", "ATACH", "JUNC", "VT", "VF", "IVR", "3AVB")
BLOCKED = frozenset({"2AVB", "2AVB1", "2AVB2", "2AVB21", "3AVB"})
"""AV blocks behind which the ventricles do not beat at the rate of the sinus node."""
_QUANTITIES = {
    "heart_rate_bpm": ("a rate", "bpm"), "pr_ms": ("PR", "ms"), "qrs_ms": ("QRS", "ms"),
    "qrs_axis_deg": ("a QRS axis", "degrees"),
}  # fmt: skip
"""What is asked for as a number and limited by statements: how it is called, and its unit."""

SINUS_RATES = {"SBRAD": (0.0, 60.0, "below 60"), "STACH": (100.0, 1e3, "above 100")}
"""Lowest and highest rate that a name allows, in bpm.

References
----------
Kusumoto et al. 2019, J Am Coll Cardiol 74:e51 (bradycardia); Page et al. 2016, J Am Coll Cardiol 67:e27 (tachycardia).
"""


def impossible(request: str, description: str) -> str | None:
    """Say why an ECG cannot be as it is asked for.

    Parameters
    ----------
    request : str
        What the user asked for.
    description : str
        The same in canonical words (:func:`uniecg.text.attributes.restate`).

    Returns
    -------
    str or None
        One or two sentences; None if nothing speaks against it.
    """
    rates = NUMERIC["heart_rate_bpm"]
    for mention in find_numbers(request, "heart_rate_bpm"):
        if mention.comparison == "=" and not rates.low <= mention.value <= rates.high:
            return (
                f"A heart rate of {mention.value:g} bpm is not possible; "
                f"please ask for {rates.low:g} to {rates.high:g} bpm."
            )
    asked = parse_attributes(description)
    for code in parse_statements(description):
        low, high, words = SINUS_RATES.get(code, (0.0, 1e3, ""))
        if asked.heart_rate_bpm is not None and not low <= asked.heart_rate_bpm <= high:
            return (
                f"{STATEMENTS[code].name.capitalize()} is {words} bpm, not {asked.heart_rate_bpm:g} bpm. "
                "Please change one of them."
            )
    if asked.qrs_ms is not None and asked.qt_ms is not None and asked.qrs_ms >= asked.qt_ms:
        return (
            f"The QT interval holds the QRS complex, so QT {asked.qt_ms:g} ms cannot go with "
            f"QRS {asked.qrs_ms:g} ms. Please change one of them."
        )
    return None


def contradiction(codes: Collection[str], attributes: Attributes) -> str | None:
    """Say which statements exclude each other, or which number a statement.

    Parameters
    ----------
    codes : collection of str
        Of `VOCABULARY`.
    attributes : Attributes

    Returns
    -------
    str or None
        One sentence; None if nothing speaks against it.
    """
    for one, other in conflicts(codes):
        return (
            f"{VOCABULARY[one].name} and {VOCABULARY[other].name} cannot be true of the same ECG; "
            "leave one of them out"
        )
    without = next((code for code in codes if code in _WITHOUT_PR), None)
    if without is not None and attributes.pr_ms is not None:
        return f"{VOCABULARY[without].name} has no PR interval; leave PR {attributes.pr_ms:g} ms out"
    for code, limit in _limits(codes):
        value = getattr(attributes, limit.quantity)
        # Rates are named in whole beats: 60 is at the border of bradycardia, and 100 at that of tachycardia.
        border = limit.quantity == "heart_rate_bpm" and value == limit.value
        if value is not None and not border and not limit.allows(value):
            name, unit = _QUANTITIES[limit.quantity]
            return (
                f"{VOCABULARY[code].name} means {name} {limit.sign} {limit.value:g} {unit}, not {value:g} {unit}; "
                "change one of them"
            )
    return None


def _limits(codes: Collection[str]) -> Iterator[tuple[str, Limit]]:
    """What statements demand of the numbers that are asked for."""
    named = [(code, limit) for code in codes for limit in VOCABULARY[code].implies]
    wide_ms = max(
        (limit.value for _, limit in named if limit.quantity == "qrs_ms" and ">" in limit.sign), default=0.0
    )
    for code, limit in named:
        # Of two blocks the one that takes longer sets the width of QRS.
        of_atria = limit.quantity == "heart_rate_bpm" and bool(BLOCKED & set(codes))
        narrow = limit.quantity == "qrs_ms" and "<" in limit.sign and limit.value <= wide_ms
        if limit.quantity in _QUANTITIES and not of_atria and not narrow:
            yield code, limit
