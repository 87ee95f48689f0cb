"""Measurements for tests of the text layer: one inferior infarction and a strategy over all that can be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from uniecg.record import LEADS
from uniecg.signal.measurements import Beats, LeadMeasurements, Measurements
from uniecg.signal.quality import Quality

PLAIN = {
    "p_mv": 0.1,
    "q_mv": 0.0,
    "q_ms": 0.0,
    "r_mv": 0.8,
    "r_ms": 50.0,
    "s_mv": -0.4,
    "s_ms": 30.0,
    "r_prime_mv": 0.0,
    "r_peak_ms": 40.0,
    "j_mv": 0.0,
    "st_mv": 0.02,
    "t_mv": 0.2,
}


def leads(**changes: Mapping[str, float]) -> dict[str, LeadMeasurements]:
    """Twelve leads of a normal ECG with changes in some of them."""
    return {name: LeadMeasurements(**{**PLAIN, **changes.get(name, {})}) for name in LEADS}


def beats(count: int = 12, premature: int = 0, wide: int = 0) -> Beats:
    """Regular beats, the first of which are premature or wide."""
    times = 0.5 + 0.8 * np.arange(count)
    first = np.arange(count)
    return Beats(
        p_on_s=times - 0.2,
        p_peak_s=times - 0.15,
        p_off_s=times - 0.1,
        qrs_on_s=times - 0.04,
        r_peak_s=times,
        qrs_off_s=times + 0.05,
        t_peak_s=times + 0.28,
        t_off_s=times + 0.36,
        rr_s=np.diff(times, prepend=np.nan),
        premature=first < premature,
        wide=first < wide,
        dominant=first >= wide,
        paced=np.zeros(count, dtype=bool),
        kind=np.where(first < wide, "pvc", np.where(first < premature, "pac", "dominant")),
    )


def example(**changes: Any) -> Measurements:
    """An acute inferior infarction in sinus rhythm, with changes."""
    inferior = {"q_mv": -0.3, "q_ms": 40.0, "st_mv": 0.18}
    values: dict[str, Any] = {
        "duration_s": 10.0,
        "quality": Quality("usable", (), {}),
        "heart_rate_bpm": 72.3,
        "rr_ms": 830.0,
        "rr_cv": 0.03,
        "rr_irregularity": 0.02,
        "pr_ms": 160.4,
        "p_ms": 100.0,
        "qrs_ms": 91.6,
        "qt_ms": 400.0,
        "qtc_bazett_ms": 438.0,
        "qtc_fridericia_ms": 425.0,
        "qrs_axis_deg": 45.2,
        "p_axis_deg": 50.0,
        "p_fraction": 1.0,
        "paced_fraction": 0.0,
        "beats": beats(),
        "leads": leads(
            II=inferior,
            III=inferior,
            aVF=inferior,
            V1={"s_mv": -1.2},
            V2={"st_mv": -0.12},
            V5={"r_mv": 1.1, "t_mv": -0.2},
        ),
    }
    return Measurements(**{**values, **changes})


def _maybe(low: float, high: float) -> st.SearchStrategy[float]:
    return st.just(math.nan) | st.floats(low, high)


_LEAD = st.builds(
    LeadMeasurements,
    q_mv=st.just(0.0) | _maybe(-2.0, 0.0),
    q_ms=_maybe(0.0, 80.0),
    r_mv=_maybe(0.0, 4.0),
    s_mv=_maybe(-4.0, 0.0),
    r_prime_mv=st.just(0.0) | _maybe(0.0, 1.0),
    st_mv=_maybe(-0.8, 0.8),
    t_mv=_maybe(-1.0, 1.5),
)

MEASUREMENTS: st.SearchStrategy[Measurements] = st.builds(
    Measurements,
    duration_s=st.just(10.0),
    quality=st.sampled_from(["usable", "limited", "unusable"]).map(lambda verdict: Quality(verdict, (), {})),
    heart_rate_bpm=_maybe(20.0, 300.0),
    rr_cv=_maybe(0.0, 0.6),
    rr_irregularity=_maybe(0.0, 0.6),
    pr_ms=_maybe(60.0, 400.0),
    qrs_ms=_maybe(50.0, 250.0),
    qt_ms=_maybe(200.0, 700.0),
    qtc_bazett_ms=_maybe(250.0, 700.0),
    qtc_fridericia_ms=_maybe(250.0, 700.0),
    qrs_axis_deg=_maybe(-180.0, 180.0),
    p_fraction=_maybe(0.0, 1.0),
    atrial_rate_bpm=_maybe(150.0, 450.0),
    atrial_regularity=_maybe(0.0, 1.0),
    paced_fraction=_maybe(0.0, 1.0),
    amplitude_known=st.booleans(),
    sex=st.sampled_from([None, "female", "male"]),
    beats=st.builds(beats, st.integers(0, 20), st.integers(0, 5), st.integers(0, 3)),
    leads=st.dictionaries(st.sampled_from(LEADS), _LEAD, max_size=12).map(
        lambda found: {name: found[name] for name in LEADS if name in found}
    ),
)
