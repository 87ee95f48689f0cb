"""What the delineation of P, QRS and T shares: the boundaries it returns and curves that fuse all leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import ANALYSIS_RATE, FloatArray

MS = ANALYSIS_RATE / 1000.0
"""Samples in one millisecond."""

NAN = float("nan")

FOOT = 1.28
"""How far a wave reaches beyond its steepest point, in lengths of the tangent from there to the base line.

The tangent itself (1.0) ends before the wave does: readers, who look for the return to the line, find QT some 10 ms
longer (Panicker et al. 2009, Ann Noninvasive Electrocardiol 14:108). 1.28 is where a wave has fallen to a twentieth
of its height: 1.12 for a raised cosine, 1.45 for a Gaussian, their mean.
"""


CLEAR = 8.0
"""A wave of this many standard errors of the median beat can be measured in a single lead."""


@dataclass(frozen=True)
class Waves:
    """Global boundaries in samples (500 Hz) on one beat window; NaN where a wave is absent."""

    p_on: float = NAN
    p_peak: float = NAN
    p_off: float = NAN
    qrs_on: float = NAN
    r_peak: float = NAN
    qrs_off: float = NAN
    t_peak: float = NAN
    t_off: float = NAN


@dataclass(frozen=True)
class LeadBounds:
    """The same in each lead, arrays of shape (n_leads,).

    Where a lead shows no clear P or QRS, its boundaries are the global ones; without a clear T they are NaN.
    """

    p_on: FloatArray
    p_off: FloatArray
    qrs_on: FloatArray
    qrs_off: FloatArray
    t_peak: FloatArray
    t_off: FloatArray


def slopes(beat: FloatArray) -> FloatArray:
    """Central differences, at the ends one-sided ones, per sample; three times faster than `numpy.gradient`.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), n_samples >= 2
    """
    result: FloatArray = np.empty_like(beat)
    result[:, 1:-1] = 0.5 * (beat[:, 2:] - beat[:, :-2])
    result[:, 0], result[:, -1] = beat[:, 1] - beat[:, 0], beat[:, -1] - beat[:, -2]
    return result


def velocity(beat: FloatArray) -> FloatArray:
    """Spatial velocity: root mean square over the leads of the slope, averaged over 6 ms.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV

    Returns
    -------
    ndarray, shape (n_samples,), mV per sample
    """
    slope = slopes(beat)
    speed: FloatArray = ndimage.uniform_filter1d(np.sqrt(np.mean(np.square(slope), axis=0)), 3)
    return speed


def leave(speed: FloatArray, limit: float, quiet: int) -> int | None:
    """Return where the speed first stays below the limit for `quiet` samples.

    Parameters
    ----------
    speed : ndarray, shape (n_samples,)
    limit : float
    quiet : int, samples
    """
    below = speed < limit
    if below.size < quiet:
        return None
    run = np.convolve(below, np.ones(quiet), "valid")
    hits = np.flatnonzero(run >= quiet - 0.5)
    return int(hits[0]) if hits.size else None


def leave_last(speed: FloatArray, limit: float, quiet: int, burst: float, gap: int) -> int | None:
    """Return where the speed stays low and does not exceed `burst` again within `gap` samples.

    Parameters
    ----------
    speed : ndarray, shape (n_samples,)
    limit : float
    quiet : int, samples
    burst : float
        Speed of another part of the same wave, such as the R' of right bundle branch block.
    gap : int, samples

    Returns
    -------
    int or None
        None if it does not.
    """
    at = leave(speed, limit, quiet)
    while at is not None:
        again = np.flatnonzero(speed[at : at + gap] > burst)
        if again.size == 0:
            return at
        start = at + int(again[-1])
        rest = leave(speed[start:], limit, quiet)
        at = start + rest if rest is not None else None
    return None


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
        In units of the noise; 0 outside of [first, last].
    """
    part = curve[:, first : last + 1] / np.maximum(noise, 1e-6)[:, None]
    rest = part.copy()
    far = min(reach, part.shape[1])
    rest[:, far:] -= 0.5 * part[:, : part.shape[1] - far]
    rest[:, :far] -= 0.5 * part[:, :1]
    rest[:, : part.shape[1] - far] -= 0.5 * part[:, far:]
    rest[:, part.shape[1] - far :] -= 0.5 * part[:, -1:]
    height: FloatArray = np.zeros(curve.shape[1])
    height[first : last + 1] = np.sqrt(np.mean(np.square(rest), axis=0))
    return height


def lead_extent(
    beat: FloatArray, on: float, off: float, share: float, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Tell in each lead from where to where a wave can be seen between its global boundaries.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    on, off : float, samples
    share : float
        A lead moves where its slope exceeds this share of its steepest.
    noise : ndarray, shape (n_leads,), mV
        Leads whose wave is smaller than `CLEAR` times this keep the global boundaries.

    Returns
    -------
    on, off : ndarray, shape (n_leads,), samples
    """
    n_leads = len(beat)
    if not (np.isfinite(on) and np.isfinite(off)):
        return np.full(n_leads, NAN), np.full(n_leads, NAN)
    first, last = max(int(on), 0), min(int(off), beat.shape[1] - 1)
    start = max(first - 2, 0)  # as far as slope and its mean reach
    slope = np.abs(slopes(beat[:, start : last + 3]))
    slope = ndimage.uniform_filter1d(slope, 3, axis=1)[:, first - start : last + 1 - start]
    moves = slope > share * slope.max(axis=1, keepdims=True)
    clear = np.ptp(beat[:, first : last + 1], axis=1) > CLEAR * noise
    begin = np.where(clear, first + moves.argmax(axis=1), on)
    end = np.where(clear, last - moves[:, ::-1].argmax(axis=1), off)
    return begin, end
