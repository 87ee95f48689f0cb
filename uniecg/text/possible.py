"""What no ECG can show, whoever asks for it: rates outside of life, numbers that contradict a name or each other."""

from __future__ import annotations

from uniecg.attributes import NUMERIC
from uniecg.text.attributes import parse_attributes
from uniecg.text.numbers import find_numbers
from uniecg.text.statements import STATEMENTS, parse_statements

__all__ = ["impossible"]

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
