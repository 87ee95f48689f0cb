"""Measured values in the words of a legend: names of quantities, numbers with their units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ..report import Evidence

_UNIT_SUFFIX = re.compile(r"_(ms|s|mv|mvs|bpm|deg|count|ratio)$")
_WAVES = {word.lower(): word for word in ("P", "PR", "Q", "QRS", "R", "RR", "S", "ST", "T", "QT", "QTc", "J")}
_WORDS = {
    "heart_rate_bpm": "rate",
    "p_fraction": "beats with a P wave",
    "paced_fraction": "paced beats",
    "rr_irregularity": "step from RR to RR",
    "rr_cv": "RR variation",
    "atrial_regularity": "regular share of atrial activity",
    "r_peak_ms": "R peak time",
    "r_prime_mv": "R'",
    "r_s_ratio_v1": "R/S",
    "qtc_excess_ms": "QTc",
    "cornell_excess_mv": "Cornell voltage",
    "sokolow_lyon_mv": "Sokolow-Lyon voltage",
    "pvc_count": "premature ventricular beats",
    "pac_count": "premature atrial beats",
    "st_up_count": "leads with ST elevation",
    "st_down_count": "leads with ST depression",
    "t_inverted_count": "leads with inverted T",
    "t_flat_count": "leads with flat T",
    "q_inferior_count": "inferior leads with abnormal Q",
    "q_anterior_count": "anterior leads with abnormal Q",
    "q_septal_count": "septal leads with abnormal Q",
    "q_lateral_count": "lateral leads with abnormal Q",
    "limb_qrs_mv": "largest QRS of the limb leads",
    "chest_qrs_mv": "largest QRS of the chest leads",
}
_SPACE = "\N{NO-BREAK SPACE}"
_SHARES = ("_fraction", "_irregularity", "_cv", "_regularity", "_share")


def quantity_words(quantity: str) -> str:
    """Return the name of a quantity without its unit: ``"qrs_ms"`` is ``"QRS"``."""
    if quantity in _WORDS:
        return _WORDS[quantity]
    words = _UNIT_SUFFIX.sub("", quantity).split("_")
    return " ".join(_WAVES.get(word, word) for word in words)


def value_text(item: Evidence) -> str:
    """Return the value with its unit; shares in percent, differences from a limit as such; "" without a value."""
    if item.value is None or not math.isfinite(item.value):
        return ""
    if item.quantity.endswith(_SHARES):
        return f"{100 * item.value:.0f}{_SPACE}%"
    if "_excess_" in item.quantity:
        side = "above" if item.value >= 0 else "below"
        return f"{_number(abs(item.value), item.unit)} {side} the limit"
    return _number(item.value, item.unit)


def values_text(evidence: Iterable[Evidence]) -> str:
    """Return values by quantity, each with its leads: ``"Q 40 ms in II, 44 ms in III, aVF; QRS 96 ms"``."""
    found: dict[str, dict[str, list[str]]] = {}
    for item in evidence:
        leads = found.setdefault(quantity_words(item.quantity), {}).setdefault(value_text(item), [])
        if item.lead and item.lead not in leads:
            leads.append(item.lead)
    parts = []
    for words, values in found.items():
        places = (value + (f" in {', '.join(leads)}" if leads else "") for value, leads in values.items())
        parts.append(f"{words} {', '.join(places)}".strip())
    return "; ".join(parts)


def _number(value: float, unit: str) -> str:
    if unit == "degrees":
        return f"{value:.0f}°"
    number = f"{value:.0f}" if unit in ("ms", "bpm") or value == round(value) else f"{value:.2f}"
    return f"{number}{_SPACE}{unit}".rstrip()
