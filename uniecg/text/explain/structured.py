"""The explanation as JSON: every step of the protocol with its values, and every conclusion with its criteria."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from uniecg.signal.carriers import with_leads
from uniecg.signal.criteria import CRITERIA
from uniecg.signal.criteria import explain as judge_criteria
from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import unit_of, value_of
from uniecg.text.explain.canonical import (
    compared,
    inverted_t_leads,
    q_wave_leads,
    regularity,
    significant_st,
)
from uniecg.text.explain.conclusions import Conclusion, conclude
from uniecg.text.statements import RHYTHMS, STATEMENTS

__all__ = ["structured"]

WORDED = {
    "heart_rate_bpm": "rate",
    "pr_ms": "PR",
    "qrs_ms": "QRS",
    "qtc_fridericia_ms": "QTc",
    "qrs_axis_deg": "axis",
}


def structured(m: Measurements, codes: Sequence[str]) -> str:
    """Explain as JSON text, the steps of the protocol in their order.

    Parameters
    ----------
    m : Measurements
    codes : sequence of str
        Statements to conclude, in the order of the vocabulary.

    Returns
    -------
    str
        Keys ``quality``, ``rhythm``, ``rate``, ``intervals``, ``axis``, ``p_wave``, ``qrs``, ``st_t``,
        ``conclusions`` and ``impression``; null where nothing was measured. A recording that cannot be judged has
        ``quality``, ``conclusions`` and ``impression`` only.
    """
    concluded = conclude(m, codes)
    met = [item.code for item in concluded if item.status == "met"]
    found: dict[str, Any] = {"quality": m.quality.to_dict()}
    if m.quality.verdict != "unusable":
        found |= _protocol(m, met)
    found["conclusions"] = [_conclusion(m, item) for item in concluded]
    found["impression"] = [STATEMENTS[code].name for code in met]
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)


def _protocol(m: Measurements, met: Sequence[str]) -> dict[str, Any]:
    st = significant_st(m)
    return {
        "rhythm": {
            "statements": [STATEMENTS[code].name for code in met if code in RHYTHMS],
            "regularity": regularity(m) or None,
            "rr_cv": _number(m.rr_cv),
            "p_fraction": _number(m.p_fraction),
            "p_rate_bpm": _number(m.p_rate_bpm),
            "blocked_p_count": _number(m.blocked_p_count),
            "paced_fraction": _number(m.paced_fraction),
            "premature_beats_s": _times(m, "premature"),
            "ventricular_beats_s": [_number(time) for time in m.beats.r_peak_s[m.beats.kind == "pvc"]],
        },
        "rate": _value(m, "heart_rate_bpm"),
        "intervals": {name: _value(m, name) for name in ("pr_ms", "qrs_ms", "qt_ms", "qtc_fridericia_ms")},
        "axis": _value(m, "qrs_axis_deg"),
        "p_wave": {
            "p_ms": _value(m, "p_ms"),
            "p_mv": _lead_value(m, "p_mv", "II"),
            "p_terminal_mv": _lead_value(m, "p_terminal_mv", "V1"),
        },
        "qrs": {
            "pathological_q": _by_lead(m, "q_mv", q_wave_leads(m)),
            "sokolow_lyon_mv": _value(m, "sokolow_lyon_mv"),
            "limb_qrs_mv": _value(m, "limb_qrs_mv"),
        },
        "st_t": {
            "st_elevation": _by_lead(m, "st_mv", [lead for lead, level in st.items() if level > 0]),
            "st_depression": _by_lead(m, "st_mv", [lead for lead, level in st.items() if level < 0]),
            "t_inversion": _by_lead(m, "t_mv", inverted_t_leads(m)),
        },
    }


def _number(value: float | None) -> float | None:
    return round(float(value), 4) if value is not None and math.isfinite(value) else None


def _times(m: Measurements, name: str) -> list[float | None]:
    return [_number(time) for time in m.beats.r_peak_s[getattr(m.beats, name)]]


def _value(m: Measurements, quantity: str) -> dict[str, Any] | None:
    value = _number(value_of(m, quantity, None))
    if value is None:
        return None
    found: dict[str, Any] = {"value": value, "unit": unit_of(quantity)}
    word = compared(WORDED[quantity], value, m) if quantity in WORDED else ""
    return found | ({"word": word} if word else {})


def _lead_value(m: Measurements, quantity: str, lead: str) -> dict[str, Any] | None:
    value = _number(value_of(m, quantity, lead))
    return None if value is None else {"lead": lead, "value": value, "unit": unit_of(quantity)}


def _by_lead(m: Measurements, quantity: str, leads: Sequence[str]) -> dict[str, float | None]:
    """Values in mV by lead; null where amplitudes are not in millivolt."""
    return {lead: _number(value_of(m, quantity, lead)) for lead in leads}


def _conclusion(m: Measurements, item: Conclusion) -> dict[str, Any]:
    judged = judge_criteria(item.code, m).criteria if item.code in CRITERIA else ()
    return {
        "code": item.code,
        "name": item.name,
        "status": item.status,
        "criteria": [
            {
                "criterion": one.name,
                "source": one.source,
                "met": one.met,
                "evidence": [evidence.to_dict() for evidence in with_leads(m, one.evidence)],
            }
            for one in judged
        ],
    }
