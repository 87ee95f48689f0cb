"""How atria and ventricles relate: PR from beat to beat, pauses, beats that fail to come.

References
----------
Kusumoto F. M. et al. 2019, ACC/AHA/HRS guideline on bradycardia and conduction delay, JACC 74:e51 (types of block).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np

from uniecg.signal.filters import FloatArray
from uniecg.signal.measurements import Measurements

DROPPED = 1.5
"""A pause of so many cycles holds a beat that failed to come."""


def pr_of_beats_ms(m: Measurements) -> FloatArray:
    """PR interval of every beat, NaN where it has no P wave.

    Parameters
    ----------
    m : Measurements

    Returns
    -------
    ndarray, shape (n_beats,), ms
    """
    return np.asarray(1000.0 * (m.beats.qrs_on_s - m.beats.p_on_s))


def cycles_before(m: Measurements) -> FloatArray:
    """Each RR interval over the one before it; NaN beside early beats and gaps.

    A long interval behind an early beat is a compensatory pause, not a dropped beat.

    Returns
    -------
    ndarray, shape (n_beats,)
    """
    ratio = np.full(len(m.beats), math.nan)
    if len(m.beats) < 3:
        return ratio
    ratio[2:] = m.beats.rr_s[2:] / m.beats.rr_s[1:-1]
    odd = m.beats.premature | (m.beats.wide & ~m.beats.dominant)
    ratio[odd] = math.nan
    ratio[1:][odd[:-1]] = math.nan
    return ratio


def longest_pause_ratio(m: Measurements) -> float:
    """Largest ratio of an RR interval to the one before it; NaN if no two follow each other."""
    ratio = cycles_before(m)
    return float(np.nanmax(ratio)) if np.isfinite(ratio).any() else math.nan


def dropped_count(m: Measurements) -> float:
    """Pauses of 1.5 cycles or more between beats that all have a P wave."""
    if len(m.beats) < 4:
        return math.nan
    with_p = np.isfinite(m.beats.p_peak_s)
    pause = cycles_before(m) >= DROPPED
    return float((pause & with_p & np.roll(with_p, 1)).sum())


def pr_growth_ms(m: Measurements) -> float:
    """Median of PR before a dropped beat less PR behind it: positive in Wenckebach, zero in Mobitz 2."""
    pr = pr_of_beats_ms(m)
    behind = np.flatnonzero(cycles_before(m) >= DROPPED)
    growth = pr[behind - 1] - pr[behind]
    growth = growth[np.isfinite(growth)]
    return median(growth.tolist()) if growth.size else math.nan


AV_RELATION: Mapping[str, Callable[[Measurements], float]] = {
    "longest_pause_ratio": longest_pause_ratio,
    "dropped_count": dropped_count,
    "pr_growth_ms": pr_growth_ms,
}
"""Quantity of the relation between atria and ventricles -> function of the measurements."""
