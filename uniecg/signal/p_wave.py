"""The P wave of a median beat: where it is, where it begins and ends, whether it is one.

References
----------
CSE Working Party 1985, Eur Heart J 6:815: recommendations for measurement standards.
Saoudi et al. 2001, Eur Heart J 22:1162: in flutter there is no level line between the atrial deflections.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import FloatArray
from uniecg.signal.order_statistics import percentile
from uniecg.signal.waves import MS, NAN, bump, leave_last, slopes

MAX_PR_MS = 400.0
MIN_P_FACTOR = 2.0
USUAL_P_PEAK_MS = (100.0, 90.0)
P_REACH_MS = 120.0
"""From the peak to either end: in P waves of 160 ms, the longest in clinical records, the second peak may be
highest."""

FAINT_P, FAINT_SMOOTHING_MS = 5.0, 24.0
"""Below that height (in standard errors) noise moves as fast as the P wave: smooth it more."""

P_GUARD_MS = 20.0
"""Before the QRS onset, where the smoothed curve already shows the QRS complex."""

P_ON_LEVEL, P_OFF_LEVEL = 0.2, 0.3
"""Share of the highest velocity below which P has not begun or is over. The PR segment is not level: the atria
repolarise on it (Ta wave), hence the higher limit at the end."""

P_CORE_LEVEL = 0.4
P_BURST_LEVEL = 0.35
P_NOTCH_MS, P_LATE_NOTCH_MS = 40.0, 20.0
"""The calm notch between the right and the left atrial part: in P mitrale their peaks are 40 ms or more apart. Less
is granted at the end, where the QRS complex may follow at once."""

P_QUIET_MS = 14.0
BUMP_REACH_MS = 56.0
MAX_OTHER_WAVE = 0.8
"""Height, in P waves, of another deflection between T and P from which on they are taken for a row of waves."""


def p_wave(
    beat: FloatArray, qrs_on: float, earliest: float, t_end: float, noise: FloatArray
) -> tuple[float, float, float]:
    """Find the P wave of a median beat.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    qrs_on : float, samples
    earliest : float, samples
        Where the preceding T wave is low enough for a P wave to stand on it.
    t_end : float, samples
        Where that T wave ends.
    noise : ndarray, shape (n_leads,), mV
        Standard error of the median beat.

    Returns
    -------
    onset, peak, offset : float, samples
        NaN where nothing stands out of the noise.
    """
    absent = (NAN, NAN, NAN)
    if not np.isfinite(qrs_on):
        return absent
    first = int(max(qrs_on - MAX_PR_MS * MS, earliest, 0))
    last = int(qrs_on - P_GUARD_MS * MS)
    if last - first < int(50 * MS):
        return absent
    curve = ndimage.uniform_filter1d(beat[:, : last + 1], int(12 * MS), axis=1, mode="nearest")
    height = bump(curve, first, last, int(BUMP_REACH_MS * MS), noise)
    inner = slice(first + int(16 * MS), last)
    # The rest of a T wave may be larger than a P wave, but it lies farther from the QRS complex than P waves do.
    usual, spread = (part * MS for part in USUAL_P_PEAK_MS)
    distance = np.maximum(qrs_on - np.arange(inner.start, inner.stop) - usual, 0.0)
    peak = inner.start + int(np.argmax(height[inner] * np.exp(-0.5 * np.square(distance / spread))))
    if height[peak] < MIN_P_FACTOR:
        return absent
    if height[peak] < FAINT_P:
        curve = ndimage.uniform_filter1d(curve, int(FAINT_SMOOTHING_MS * MS), axis=1, mode="nearest")
    onset, offset = _extent(curve, first, peak, last, noise)
    if offset - onset < 30 * MS or not _stands_alone(height, max(first, int(t_end)), onset, peak):
        return absent
    return float(onset), float(peak), float(offset)


def _extent(curve: FloatArray, first: int, peak: int, last: int, noise: FloatArray) -> tuple[int, int]:
    """Follow the spatial velocity, each lead in units of its noise, outward from the peak until it stays low."""
    slope = slopes(curve) / np.maximum(noise, 1e-6)[:, None]
    speed = ndimage.uniform_filter1d(np.sqrt(np.mean(np.square(slope), axis=0)), int(10 * MS))
    calm = percentile(speed[first : last + 1], 0.2)
    reach, core = int(P_REACH_MS * MS), int(70 * MS)
    low, high = max(first, peak - reach), min(last, peak + reach)
    top = float(speed[max(low, peak - core) : min(high, peak + core) + 1].max()) - calm

    def side(part: FloatArray, level: float, gap_ms: float) -> int:
        fast = np.flatnonzero(part > calm + P_CORE_LEVEL * top)
        start = int(fast[0]) if fast.size else 0
        low, high = calm + level * top, calm + P_BURST_LEVEL * top
        found = leave_last(part[start:], low, int(P_QUIET_MS * MS), high, int(gap_ms * MS))
        return len(part) - 1 if found is None else start + found

    return (
        peak - side(speed[low : peak + 1][::-1], P_ON_LEVEL, P_NOTCH_MS),
        peak + side(speed[peak : high + 1], P_OFF_LEVEL, P_LATE_NOTCH_MS),
    )


def _stands_alone(height: FloatArray, first: int, onset: int, peak: int) -> bool:
    """Tell a P wave from one of a row of flutter or fibrillation waves: before it, the line is level."""
    # Within its reach, `bump` sees T on one side and P on the other.
    reach = int(BUMP_REACH_MS * MS)
    before = height[first + reach : max(onset - reach, 0)]
    return before.size < int(30 * MS) or float(before.max()) < MAX_OTHER_WAVE * float(height[peak])
