"""Wave boundaries on the multi-lead median beat, and their transfer to the single beats.

Boundaries are global: one onset and one offset for all leads together, as the CSE working party and Kligfield
et al. 2007 ask for.

References
----------
CSE Working Party 1985, Eur Heart J 6:815: recommendations for measurement standards.
Lepeschkin & Surawicz 1952, Circulation 6:378: end of T by the tangent through its steepest descent.
Kligfield et al. 2007, J Am Coll Cardiol 49:1109: global intervals from simultaneous leads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import ANALYSIS_RATE, FloatArray

MS = ANALYSIS_RATE / 1000.0
"""Samples in one millisecond."""

NAN = float("nan")
QRS_ON_LEVEL = 0.03
QRS_OFF_LEVEL = 0.045
QUIET_MS = 10.0
QRS_SEARCH_MS = (130.0, 160.0)
MAX_PR_MS = 400.0
MIN_P_FACTOR = 2.0
USUAL_P_PEAK_MS = (100.0, 90.0)
USUAL_T_PEAK_S = (0.30, 0.15)
MAX_T_FALL_S = 0.24
"""From the peak to the end of T at 60 bpm: twice the longest normal interval."""

T_LEAD_SHARE = 0.3
T_END_PERCENTILE = 75.0


@dataclass(frozen=True)
class Waves:
    """Boundaries in samples (500 Hz) on one beat window; NaN where a wave is absent."""

    p_on: float = NAN
    p_peak: float = NAN
    p_off: float = NAN
    qrs_on: float = NAN
    r_peak: float = NAN
    qrs_off: float = NAN
    t_peak: float = NAN
    t_off: float = NAN


def velocity(beat: FloatArray) -> FloatArray:
    """Spatial velocity: root mean square over the leads of the slope, averaged over 6 ms.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV

    Returns
    -------
    ndarray, shape (n_samples,), mV per sample
    """
    slope = np.gradient(beat, axis=1)
    speed: FloatArray = ndimage.uniform_filter1d(np.sqrt(np.mean(np.square(slope), axis=0)), 3)
    return speed


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
    on = _leave(speed[max(top - reach_on, 0) : top + 1][::-1], QRS_ON_LEVEL * peak_speed + calm_before, quiet)
    off = _leave(speed[top : min(top + reach_off, n)], QRS_OFF_LEVEL * peak_speed + calm_after, quiet)
    onset = top - on if on is not None else NAN
    offset = top + off if off is not None else NAN
    left = int(onset) if np.isfinite(onset) else max(top - int(50 * MS), 0)
    right = int(offset) if np.isfinite(offset) else min(top + int(50 * MS), n - 1)
    base = beat[:, left : left + 1]
    r_peak = left + int(np.argmax(np.sum(np.square(beat[:, left : right + 1] - base), axis=0)))
    return float(onset), float(r_peak), float(offset)


def _calm(speed: FloatArray) -> float:
    """Return the velocity of the calm stretches, the tenth percentile."""
    return float(np.percentile(speed, 10)) if speed.size else 0.0


def _leave(speed: FloatArray, limit: float, quiet: int) -> int | None:
    """Return where the speed first stays below the limit for `quiet` samples."""
    below = speed < limit
    if below.size < quiet:
        return None
    run = np.convolve(below, np.ones(quiet), "valid")
    hits = np.flatnonzero(run >= quiet - 0.5)
    return int(hits[0]) if hits.size else None


def project(beat: FloatArray, peak: int, base: FloatArray, noise: FloatArray) -> FloatArray:
    """Fuse the leads into one curve in which the wave at `peak` is positive, weighting by amplitude over noise.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    peak : int
    base : ndarray, shape (n_leads,) or (n_leads, n_samples), mV
    noise : ndarray, shape (n_leads,), mV
    """
    centred = beat - (base[:, None] if base.ndim == 1 else base)
    weight = centred[:, peak] / np.square(np.maximum(noise, 1e-6))
    curve: FloatArray = weight @ centred / max(float(np.abs(weight).sum()), 1e-12)
    return curve


def t_wave(
    beat: FloatArray, qrs_on: float, qrs_off: float, rr: float, noise: FloatArray
) -> tuple[float, float]:
    """Find the peak and the end of the T wave (tangent through the steepest descent).

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

    References
    ----------
    Lepeschkin & Surawicz 1952. The search ends at QT = 0.62 sqrt(RR) s, far beyond any QTc of clinical records.
    """
    if not (np.isfinite(qrs_on) and np.isfinite(qrs_off)):
        return NAN, NAN
    rr_s = float(np.clip(rr / ANALYSIS_RATE, 0.24, 1.6))
    first = int(qrs_off + 50 * MS)
    last = int(min(qrs_on + 0.62 * np.sqrt(rr_s) * ANALYSIS_RATE, qrs_on + rr - 60 * MS, beat.shape[1] - 1))
    peak_last = int(min(qrs_on + 0.50 * np.sqrt(rr_s) * ANALYSIS_RATE, last - 20 * MS))
    if peak_last - first < int(30 * MS):
        return NAN, NAN
    curve = ndimage.uniform_filter1d(beat, int(20 * MS), axis=1)
    usual, spread = (part * np.sqrt(rr_s) * ANALYSIS_RATE for part in USUAL_T_PEAK_S)
    likely = np.exp(-0.5 * np.square((np.arange(first, peak_last + 1) - qrs_on - usual) / spread))
    height = bump(curve, first - int(10 * MS), last, int(90 * MS), noise)
    peak = first + int(np.argmax(height[first : peak_last + 1] * likely))
    base = curve[:, max(int(qrs_on) - int(16 * MS), 0) : max(int(qrs_on) - int(4 * MS), 1)].mean(axis=1)
    fused = project(curve, peak, base, noise)
    window = fused[first : last + 1]
    top = first + int(np.argmax(window[max(peak - first - int(60 * MS), 0) :][: int(120 * MS)]))
    top += max(peak - first - int(60 * MS), 0)
    if fused[top] <= 0.0 or top >= last - 4:
        return NAN, NAN
    last = min(last, top + int(MAX_T_FALL_S * np.sqrt(rr_s) * ANALYSIS_RATE))
    return float(top), _t_end(curve - base[:, None], fused, top, last, noise)


def _t_end(curve: FloatArray, fused: FloatArray, top: int, last: int, noise: FloatArray) -> float:
    """Return a late but not the latest end over the leads with a clear T wave (one noisy lead must not decide)."""
    height = curve[:, top]
    clear = np.flatnonzero(np.abs(height) / np.maximum(noise, 1e-6) > 8.0)
    clear = clear[np.abs(height[clear]) >= T_LEAD_SHARE * np.abs(height).max()] if clear.size else clear
    ends = [_tangent_end(np.sign(height[lead]) * curve[lead], top, last) for lead in clear]
    known = [end for end in ends if np.isfinite(end)]
    together = _tangent_end(fused, top, last)
    if len(known) < 3:
        return together
    late = float(np.percentile(known, T_END_PERCENTILE))
    return max(late, together) if np.isfinite(together) else late


def bump(curve: FloatArray, first: int, last: int, reach: int, noise: FloatArray) -> FloatArray:
    """Height of each sample over the middle of its neighbours at distance `reach`, root mean square over the leads.

    Slopes, such as the rest of a T wave or drift, have no height. Samples outside of [first, last] count as level.

    Parameters
    ----------
    curve : ndarray, shape (n_leads, n_samples), mV
    first, last, reach : int, samples
    noise : ndarray, shape (n_leads,), mV

    Returns
    -------
    ndarray, shape (n_samples,)
        In units of the noise.
    """
    at = np.arange(curve.shape[1])
    inside, before, after = (np.clip(at + shift, first, last) for shift in (0, -reach, reach))
    rest = curve[:, inside] - 0.5 * (curve[:, before] + curve[:, after])
    height: FloatArray = np.sqrt(np.mean(np.square(rest / np.maximum(noise, 1e-6)[:, None]), axis=0))
    return height


def _chord(curve: FloatArray, first: int, last: int) -> FloatArray:
    weight = np.clip((np.arange(curve.shape[1]) - first) / max(last - first, 1), 0.0, 1.0)
    return curve[:, [first]] * (1 - weight) + curve[:, [last]] * weight


def _tangent_end(curve: FloatArray, top: int, last: int) -> float:
    """Return where the tangent through the steepest descent after `top` meets the level after the wave."""
    slope = np.gradient(curve)
    valley = top + int(np.argmin(curve[top : last + 1]))
    steep = top + int(np.argmin(slope[top : max(valley, top + 2) + 1]))
    fall = float(slope[steep])
    if fall >= 0.0:
        return NAN
    floor = float(np.median(curve[max(valley - 6, top) : valley + 7]))
    end = steep + (curve[steep] - floor) / -fall
    return float(min(end, last))


def p_wave(beat: FloatArray, qrs_on: float, earliest: float, noise: FloatArray) -> tuple[float, float, float]:
    """Find the P wave of a median beat.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    qrs_on : float, samples
    earliest : float, samples
        Where the preceding T wave ends.
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
    last = int(qrs_on - 4 * MS)
    if last - first < int(70 * MS):
        return absent
    curve = ndimage.uniform_filter1d(beat, int(12 * MS), axis=1)
    chord = _chord(curve, first, last)
    height = bump(curve, first, last, int(56 * MS), noise)
    inner = slice(first + int(16 * MS), last - int(16 * MS))
    # The rest of a T wave may be larger than a P wave, but it lies farther from the QRS complex than P waves do.
    usual, spread = (part * MS for part in USUAL_P_PEAK_MS)
    distance = np.maximum(qrs_on - np.arange(inner.start, inner.stop) - usual, 0.0)
    peak = inner.start + int(np.argmax(height[inner] * np.exp(-0.5 * np.square(distance / spread))))
    if height[peak] < MIN_P_FACTOR:
        return absent
    fused = project(curve, peak, chord, noise)
    reach = int(80 * MS)
    low, high = max(first, peak - reach), min(last, peak + reach)
    on = _foot(fused[low : peak + 1][::-1])
    off = _foot(fused[peak : high + 1])
    if on is None or off is None or on + off < 30 * MS:
        return absent
    return float(peak - on), float(peak), float(peak + off)


def _foot(side: FloatArray) -> int | None:
    """Return the distance from the peak (first sample) to the foot of the wave: the tangent's base, a little beyond."""
    if side.size < int(10 * MS):
        return None
    valley = int(np.argmin(side))
    if valley < int(8 * MS):
        return None
    slope = -np.gradient(side[: valley + 1])
    steep = int(np.argmax(slope))
    limit = 0.2 * slope[steep]
    after = np.flatnonzero(slope[steep:] < limit)
    return steep + int(after[0]) if after.size else valley


def delineate(beat: FloatArray, fiducial: int, rr: float, noise: FloatArray) -> Waves:
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

    Returns
    -------
    Waves
    """
    qrs_on, r_peak, qrs_off = qrs_bounds(beat, fiducial)
    t_peak, t_off = t_wave(beat, qrs_on, qrs_off, rr, noise)
    # The end of T is vague; a P wave may stand on its last part.
    earliest = t_peak + 0.6 * (t_off - t_peak) - rr if np.isfinite(t_off) else qrs_on - 0.5 * rr
    p_on, p_peak, p_off = p_wave(beat, qrs_on, earliest, noise)
    return Waves(p_on, p_peak, p_off, qrs_on, r_peak, qrs_off, t_peak, t_off)


def match_wave(
    windows: FloatArray, start: int, stop: int, reach: int, scale: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Look for the same wave in every beat: correlation with the mean of the *other* beats.

    Leaving the beat itself out keeps noise from correlating with itself, so that fibrillation yields about 0.

    Parameters
    ----------
    windows : ndarray, shape (n_beats, n_leads, n_samples), mV
    start, stop : int
        Where the wave lies in the window.
    reach : int, samples
        Largest shift tried.
    scale : ndarray, shape (n_leads,), mV
        Noise of each lead.

    Returns
    -------
    correlation : ndarray, shape (n_beats,)
        -1 to 1; NaN where the window leaves the record.
    gain : ndarray, shape (n_beats,)
        Size of the wave relative to the mean of the others.
    shift : ndarray, shape (n_beats,), samples
    """
    n_beats = len(windows)
    nan = np.full(n_beats, NAN)
    low, high = max(start - reach, 0), min(stop + reach, windows.shape[2])
    if n_beats < 3 or stop - start < 8 or high - low <= stop - start:
        return nan, nan.copy(), nan.copy()
    # P waves need steps of 4 ms; the broader T waves are matched in steps of 8 ms.
    step = 2 if stop - start <= int(150 * MS) else 4
    calm = ndimage.uniform_filter1d(windows[:, :, low:high], int(20 * MS), axis=2)
    piece = calm[:, :, ::step] / np.maximum(scale, 1e-6)[None, :, None]
    whole = np.isfinite(piece).all(axis=(1, 2))
    if whole.sum() < 3:
        return nan, nan.copy(), nan.copy()
    width = (stop - start) // step
    views = np.lib.stride_tricks.sliding_window_view(piece[whole], width, axis=2)
    views = views.transpose(0, 2, 1, 3)
    tilt = np.linspace(-1.0, 1.0, width)
    tilt = tilt / np.linalg.norm(tilt)
    flat = views - views.mean(axis=3, keepdims=True)
    flat = flat - (flat @ tilt)[..., None] * tilt
    flat = flat.reshape(flat.shape[0], flat.shape[1], -1)
    centre = min((start - low) // step, flat.shape[1] - 1)
    home = flat[:, centre]
    others = (home.sum(axis=0, keepdims=True) - home) / (len(home) - 1)
    dots = np.einsum("nlk,nk->nl", flat, others)
    norms = np.linalg.norm(flat, axis=2)
    size = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    scores = dots / np.maximum(norms * size[:, None], 1e-12)
    best = scores.argmax(axis=1)
    rows = np.arange(len(best))
    correlation, gain, shift = nan, nan.copy(), nan.copy()
    correlation[whole] = scores[rows, best]
    gain[whole] = dots[rows, best] / np.square(size)
    shift[whole] = float(step) * (best - centre)
    return correlation, gain, shift
