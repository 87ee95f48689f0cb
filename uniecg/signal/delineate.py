"""Wave boundaries on the multi-lead median beat: QRS here, P and T in their own modules.

Boundaries are global: one onset and one offset for all leads together, as the CSE working party and Kligfield
et al. 2007 ask for; beside them, the extent of each wave in each lead.

References
----------
CSE Working Party 1985, Eur Heart J 6:815: recommendations for measurement standards.
Kligfield et al. 2007, J Am Coll Cardiol 49:1109: global intervals from simultaneous leads.
Surawicz et al. 2009, J Am Coll Cardiol 53:976: terminal forces of bundle branch blocks.
"""

from __future__ import annotations

import numpy as np

from uniecg.signal.filters import FloatArray
from uniecg.signal.order_statistics import percentile
from uniecg.signal.p_wave import p_wave
from uniecg.signal.t_wave import t_wave
from uniecg.signal.waves import MS, NAN, LeadBounds, Waves, lead_extent, leave, leave_last, velocity

QRS_ON_LEVEL = 0.03
QRS_OFF_LEVEL = 0.045
QUIET_MS = 10.0
QRS_SEARCH_MS = (130.0, 160.0)
QRS_BURST_LEVEL = 0.09
"""Twice the limit at the end: terminal forces, steeper than the beginning of a T wave."""

QRS_BURST_GAP_MS = 40.0
"""The broad top of the R' of right bundle branch block, whose terminal forces last 40 ms or more."""

QRS_SHORTEST_MS, QRS_TURN_LEVEL = 40.0, 0.35
"""Behind the steepest moment of QRS, and the share of its speed to which the turn into T slows down."""

QRS_LEAD_SHARE = 0.04
P_LEAD_SHARE = 0.2


def qrs_bounds(beat: FloatArray, fiducial: int) -> tuple[float, float, float]:
    """Find onset, peak and offset of the QRS complex by the spatial velocity.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    fiducial : int
        A sample inside the QRS complex.

    Returns
    -------
    onset, r_peak, offset : float, samples
        NaN where the window ends before the boundary.
    """
    speed = velocity(beat)
    n = len(speed)
    reach_on, reach_off = (int(part * MS) for part in QRS_SEARCH_MS)
    core = slice(max(fiducial - int(60 * MS), 0), min(fiducial + int(80 * MS), n))
    top = core.start + int(np.argmax(speed[core]))
    peak_speed = float(speed[top])
    if peak_speed <= 0.0:
        return NAN, NAN, NAN
    calm_before = _calm(speed[max(top - reach_on, 0) : max(top - int(30 * MS), 1)])
    calm_after = _calm(speed[min(top + int(40 * MS), n - 1) : min(top + reach_off + int(40 * MS), n)])
    quiet = int(QUIET_MS * MS)
    on = leave(speed[max(top - reach_on, 0) : top + 1][::-1], QRS_ON_LEVEL * peak_speed + calm_before, quiet)
    after, low = speed[top : min(top + reach_off, n)], QRS_OFF_LEVEL * peak_speed + calm_after
    off = leave_last(after, low, quiet, QRS_BURST_LEVEL * peak_speed + calm_after, int(QRS_BURST_GAP_MS * MS))
    if off is None:
        off = leave(after, low, quiet)
    if off is None:
        off = _slowest(after, peak_speed)
    onset = top - on if on is not None else NAN
    offset = top + off if off is not None else NAN
    left = int(onset) if np.isfinite(onset) else max(top - int(50 * MS), 0)
    right = int(offset) if np.isfinite(offset) else min(top + int(50 * MS), n - 1)
    base = beat[:, left : left + 1]
    r_peak = left + int(np.argmax(np.sum(np.square(beat[:, left : right + 1] - base), axis=0)))
    return float(onset), float(r_peak), float(offset)


def _slowest(after: FloatArray, peak_speed: float) -> int | None:
    """Where a wide QRS complex turns into T without a calm stretch between, as in fast ventricular tachycardia."""
    first = int(QRS_SHORTEST_MS * MS)
    late = after[first:]
    return first + int(np.argmin(late)) if late.size and late.min() < QRS_TURN_LEVEL * peak_speed else None


def _calm(speed: FloatArray) -> float:
    """Return the velocity of the calm stretches, the tenth percentile."""
    return percentile(speed, 0.1) if speed.size else 0.0


def delineate(
    beat: FloatArray, fiducial: int, rr: float, noise: FloatArray, spike: float = NAN
) -> tuple[Waves, LeadBounds]:
    """Delineate one (median) beat.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
        Levelled on the PR segment; only leads worth using.
    fiducial : int
        A sample inside the QRS complex.
    rr : float, samples
        Typical length of the cycle.
    noise : ndarray, shape (n_leads,), mV
    spike : float, samples
        Where the beat has a pacing spike; NaN if it has none.

    Returns
    -------
    global_bounds : Waves
    lead_bounds : LeadBounds
    """
    qrs_on, r_peak, qrs_off = qrs_bounds(beat, fiducial)
    if qrs_on < spike < r_peak:
        # The stimulus starts the complex; what lies before is the edge of the blanked spike.
        qrs_on = spike
    t_peak, t_off, lead_t_peak, lead_t_off = t_wave(beat, qrs_on, qrs_off, rr, noise)
    # The end of T is vague; a P wave may stand on its last part.
    known = np.isfinite(t_off)
    earliest = t_peak + 0.6 * (t_off - t_peak) - rr if known else qrs_on - 0.5 * rr
    p_on, p_peak, p_off = p_wave(beat, qrs_on, earliest, t_off - rr if known else earliest, noise)
    leads = LeadBounds(
        *lead_extent(beat, p_on, p_off, P_LEAD_SHARE, noise),
        *lead_extent(beat, qrs_on, qrs_off, QRS_LEAD_SHARE, noise),
        lead_t_peak,
        lead_t_off,
    )
    return Waves(p_on, p_peak, p_off, qrs_on, r_peak, qrs_off, t_peak, t_off), leads
