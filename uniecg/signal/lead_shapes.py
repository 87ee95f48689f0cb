"""Shape of the complexes, derived from the amplitudes and durations of one lead or of two."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from uniecg.signal.lead_waves import axis_deg
from uniecg.signal.measurements import LeadMeasurements, Measurements


def negative_share(lead: LeadMeasurements) -> float:
    """Depth over the whole size of the QRS complex: 1 for a QS complex, above 0.5 for a dominant S, 0 for a pure R."""
    return lead.deepest_mv / lead.qrs_mv if lead.qrs_mv > 0.0 else math.nan


def q_r_ratio(lead: LeadMeasurements) -> float:
    """Depth of Q over the height of R; infinite for a QS complex."""
    if math.isnan(lead.q_mv):
        return math.nan
    return abs(lead.q_mv) / lead.tallest_mv if lead.tallest_mv > 0.0 else math.inf if lead.q_mv < 0 else 0.0


def r_before_s_ratio(lead: LeadMeasurements) -> float:
    """Height of the first R over the depth of S; infinite if there is no S."""
    if math.isnan(lead.r_mv):
        return math.nan
    return lead.r_mv / abs(lead.s_mv) if lead.s_mv < 0.0 else math.inf


def s_r_ms_ratio(lead: LeadMeasurements) -> float:
    """Duration of S over the duration of R; 0 if there is no S behind an R."""
    return lead.s_ms / lead.r_ms if lead.r_ms > 0.0 else 0.0 if lead.r_ms == 0.0 else math.nan


def second_r_mv(lead: LeadMeasurements) -> float:
    """Height of R' above the J point: a raised ST segment is no second R wave."""
    return lead.r_prime_mv - max(lead.j_mv, 0.0)


def early_st_mv(lead: LeadMeasurements) -> float:
    """Mean of the levels at J and 60 ms later: hardly moves with where exactly the QRS complex ends."""
    return 0.5 * (lead.j_mv + lead.st_mv)


def st_t_ratio(lead: LeadMeasurements) -> float:
    """Height of the ST segment over the height of an upright T wave."""
    return lead.st_mv / lead.t_mv if lead.t_mv > 0.0 else math.nan


LEAD_SHAPES: Mapping[str, Callable[[LeadMeasurements], float]] = {
    "negative_share": negative_share,
    "q_r_ratio": q_r_ratio,
    "r_before_s_ratio": r_before_s_ratio,
    "s_r_ms_ratio": s_r_ms_ratio,
    "second_r_mv": second_r_mv,
    "early_st_mv": early_st_mv,
    "st_t_ratio": st_t_ratio,
}
"""Quantity of one lead -> function of its measurements, NaN where it cannot be derived."""


def cornell_product_mvs(m: Measurements) -> float:
    """R in aVL plus S in V3, times the QRS duration: mV s (Molloy et al. 1992)."""
    return m.cornell_mv * m.qrs_ms / 1000.0


def net_axis_deg(m: Measurements) -> float:
    """Frontal axis from the net amplitude (tallest less deepest wave) in I and aVF: the bedside method (Chou 2008).

    `Measurements.qrs_axis_deg` takes the area of the complex instead, which weighs late, slow forces more.
    """
    if not m.amplitude_known or not {"I", "aVF"} <= set(m.leads):
        return math.nan
    one, avf = (m.leads[lead].tallest_mv - m.leads[lead].deepest_mv for lead in ("I", "aVF"))
    return axis_deg(one, avf)
