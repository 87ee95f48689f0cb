"""The T wave of a median beat or of a single one: its peak and its end, over all leads and in each.

References
----------
Lepeschkin & Surawicz 1952, Circulation 6:378: end of T by the tangent through its steepest descent.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import ANALYSIS_RATE, FloatArray
from uniecg.signal.order_statistics import middle, percentile
from uniecg.signal.waves import CLEAR, FOOT, MS, NAN, bump, project, slopes

USUAL_T_PEAK_S = (0.30, 0.15)
MAX_T_FALL_S = 0.24
"""From the peak to the end of T at 60 bpm: twice the longest normal interval."""

T_LEAD_SHARE = 0.3
T_END_SHARE = 0.75
LEAD_PEAK_SHARE = 0.1
"""How far, in cycles, the peak of T in one lead may lie from the common peak: QT dispersion up to some 100 ms at usual
rates is known in disease (Malik & Batchvarov 2000, J Am Coll Cardiol 36:1749)."""


def t_wave(
    beat: FloatArray, qrs_on: float, qrs_off: float, rr: float, noise: FloatArray
) -> tuple[float, float, FloatArray, FloatArray]:
    """Find the peak and the end of the T wave (beyond the tangent through the steepest descent, see `FOOT`).

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    qrs_on, qrs_off : float, samples
    rr : float, samples
        Length of the cycle that follows.
    noise : ndarray, shape (n_leads,), mV

    Returns
    -------
    peak, offset : float, samples
    lead_peak, lead_offset : ndarray, shape (n_leads,), samples
        NaN in leads without a clear T wave.

    References
    ----------
    Lepeschkin & Surawicz 1952. The search ends at QT = 0.62 sqrt(RR) s, far beyond any QTc of clinical records.
    """
    none = np.full(len(beat), NAN)
    absent = (NAN, NAN, none, none)
    if not (np.isfinite(qrs_on) and np.isfinite(qrs_off)):
        return absent
    rr_s = float(np.clip(rr / ANALYSIS_RATE, 0.24, 1.6))
    first = int(qrs_off + 50 * MS)
    last = int(min(qrs_on + 0.62 * np.sqrt(rr_s) * ANALYSIS_RATE, qrs_on + rr - 60 * MS, beat.shape[1] - 1))
    peak_last = int(min(qrs_on + 0.50 * np.sqrt(rr_s) * ANALYSIS_RATE, last - 20 * MS))
    if peak_last - first < int(30 * MS):
        return absent
    curve = ndimage.uniform_filter1d(beat, int(20 * MS), axis=1)
    usual, spread = (part * np.sqrt(rr_s) * ANALYSIS_RATE for part in USUAL_T_PEAK_S)
    likely = np.exp(-0.5 * np.square((np.arange(first, peak_last + 1) - qrs_on - usual) / spread))
    height = bump(curve, first - int(10 * MS), last, int(90 * MS), noise)
    peak = first + int(np.argmax(height[first : peak_last + 1] * likely))
    base = curve[:, max(int(qrs_on) - int(16 * MS), 0) : max(int(qrs_on) - int(4 * MS), 1)].mean(axis=1)
    fused = project(curve, peak, base, noise)
    start = max(peak - int(60 * MS), first)
    top = start + int(np.argmax(fused[start : last + 1][: int(120 * MS)]))
    if fused[top] <= 0.0 or top >= last - 4:
        return absent
    last = min(last, top + int(MAX_T_FALL_S * np.sqrt(rr_s) * ANALYSIS_RATE))
    together = float(_ends(fused[None], np.array([top]), last)[0])
    reach = int(LEAD_PEAK_SHARE * min(rr_s, 1.0) * ANALYSIS_RATE)
    near = slice(max(first, top - reach), min(top + reach, last - 8) + 1)
    if near.stop - near.start < 2:
        return float(top), together, none, none
    levelled = curve - base[:, None]
    tops = near.start + np.abs(levelled[:, near]).argmax(axis=1)
    height = levelled[np.arange(len(beat)), tops]
    ends = _ends(np.sign(height)[:, None] * levelled, tops, last)
    clear = np.isfinite(ends) & (np.abs(height) > CLEAR * np.maximum(noise, 1e-6))
    clear &= np.abs(height) >= T_LEAD_SHARE * np.abs(height[clear]).max(initial=0.0)
    lead_peak, lead_end = np.where(clear, tops, NAN), np.where(clear, ends, NAN)
    if clear.sum() < 3:
        return float(top), together, lead_peak, lead_end
    # A late but not the latest end over the leads with a clear T wave: one noisy lead must not decide.
    late = percentile(ends[clear], T_END_SHARE)
    return float(top), max(late, together) if np.isfinite(together) else late, lead_peak, lead_end


def _ends(curves: FloatArray, tops: FloatArray, last: int) -> FloatArray:
    """End of the wave after `tops` in each row: beyond the tangent through the steepest descent.

    Parameters
    ----------
    curves : ndarray, shape (n_rows, n_samples)
        Positive at `tops`.
    tops : ndarray of int, shape (n_rows,)
    last : int
    """
    first = max(int(tops.min()) - 1, 0)
    part, tops, last = curves[:, first : last + 1], tops - first, last - first
    rows, at = np.arange(len(curves)), np.arange(last + 1)
    slope = slopes(part)
    valley = np.where(at >= tops[:, None], part, np.inf).argmin(axis=1)
    falling = (at >= tops[:, None]) & (at <= np.maximum(valley, tops + 2)[:, None])
    steep = np.where(falling, slope, np.inf).argmin(axis=1)
    fall = slope[rows, steep]
    beside = np.clip(valley[:, None] + np.arange(-6, 7), tops[:, None], last)
    floor = middle(part[rows, beside.T])
    tangent = (part[rows, steep] - floor) / np.where(fall < 0.0, -fall, NAN)
    return np.asarray(first + np.minimum(steep + FOOT * tangent, last))
