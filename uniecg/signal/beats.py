"""Heart beats on all leads at once: finding them, aligning them, telling the dominant shape from the others."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy import ndimage
from scipy import signal as sps

from uniecg.signal.filters import (
    ANALYSIS_RATE,
    BAND_RATE,
    BAND_STEP,
    BoolArray,
    FloatArray,
    IntArray,
    qrs_band,
)
from uniecg.signal.order_statistics import quantiles

ENVELOPE_S = 0.08
REFRACTORY_S = 0.2
THRESHOLD = 0.35
SEARCH_BACK_THRESHOLD = 0.2
SEARCH_BACK_GAP = 1.66
T_WAVE_GAP_S = 0.36
P_BEFORE_S = (0.3, 0.12)
P_MARGIN = 1.5
"""What is found in a long gap must be so much higher than what stands before the other beats: a P wave that no beat
follows looks like those that one follows."""

SAME_SHAPE = 0.8
ALIGN_S = 0.04
SHAPE_S = (0.07, 0.09)
EARLY = 0.8
"""RR before over RR behind, below which a beat came early."""
MAX_CLUSTERED = 300


@dataclass(frozen=True)
class BeatSet:
    """Beats of a record.

    Attributes
    ----------
    index : ndarray of int, shape (n_beats,)
        Aligned fiducial sample of each beat at 500 Hz.
    dominant : ndarray of bool, shape (n_beats,)
        Beats of the most frequent shape.
    similarity : ndarray, shape (n_beats,)
        Correlation of each beat's QRS with the dominant shape over all leads, -1 to 1.
    """

    index: IntArray
    dominant: BoolArray
    similarity: FloatArray


def detection_function(signal: FloatArray) -> FloatArray:
    """QRS energy of all leads fused into one curve; leads without clear peaks count little.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz

    Returns
    -------
    ndarray, shape (ceil(n_samples / 4),), at 125 Hz
        About 1 at a QRS complex, near 0 elsewhere.
    """
    width = int(ENVELOPE_S * BAND_RATE)
    energy = ndimage.uniform_filter1d(np.square(qrs_band(signal)), width, axis=1, mode="constant")
    envelope = np.sqrt(np.maximum(energy, 0.0))
    high, middle = quantiles(envelope, 0.97, 0.5)
    usable = high > 1e-9
    if not usable.any():
        return np.zeros(envelope.shape[1])
    contrast = np.zeros(len(high))
    contrast[usable] = np.clip(high[usable] / np.maximum(middle[usable], 1e-9) - 1.5, 0.01, 10.0)
    scaled = np.minimum(envelope[usable] / high[usable, None], 2.0)
    fused: FloatArray = contrast[usable] @ scaled / contrast[usable].sum()
    return fused


def find_r_peaks(signal: FloatArray) -> IntArray:
    """Find QRS complexes by an adaptive threshold on `detection_function` with a search back in long gaps.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz
        Only leads worth using; no NaN.

    Returns
    -------
    ndarray of int, shape (n_beats,)

    References
    ----------
    Pan & Tompkins 1985, IEEE Trans Biomed Eng 32:230 (band, T-wave gap of 360 ms, search back at 1.66 RR).
    """
    nothing = np.zeros(0, dtype=np.int64)
    curve = detection_function(signal)
    peaks, _ = sps.find_peaks(curve, distance=int(REFRACTORY_S * BAND_RATE))
    if peaks.size == 0:
        return nothing
    heights = curve[peaks]
    block = int(2.5 * BAND_RATE)
    starts = range(0, max(len(curve) - block // 2, 1), block)
    level = median(float(curve[start : start + block].max()) for start in starts)
    if level <= 0.0:
        return nothing
    kept = peaks[heights > THRESHOLD * level]
    for _ in range(3):
        extra = _search_back(kept, peaks, heights, curve, level)
        if extra.size == 0:
            break
        kept = np.sort(np.concatenate([kept, extra]))
    found = BAND_STEP * _without_t_waves(kept, curve)
    return np.asarray(np.minimum(found, signal.shape[1] - 1), dtype=np.int64)


def _search_back(
    kept: IntArray, peaks: IntArray, heights: FloatArray, curve: FloatArray, level: float
) -> IntArray:
    """Return the highest lower peak of each gap longer than 1.66 times the median RR interval."""
    if kept.size < 3:
        return np.zeros(0, dtype=np.int64)
    intervals = np.diff(kept)
    margin = int(0.3 * BAND_RATE)
    found: list[int] = []
    gaps = np.flatnonzero(intervals > SEARCH_BACK_GAP * median(intervals.tolist()))
    if gaps.size == 0:
        return np.zeros(0, dtype=np.int64)
    first, last = (int(part * BAND_RATE) for part in P_BEFORE_S)
    before = [float(curve[at - first : at - last].max()) for at in kept[kept >= first].tolist()]
    least = max(SEARCH_BACK_THRESHOLD * level, P_MARGIN * median(before))
    for gap in gaps:
        inside = (peaks > kept[gap] + margin) & (peaks < kept[gap + 1] - margin)
        inside &= heights > least
        if inside.any():
            candidates = np.flatnonzero(inside)
            found.append(int(peaks[candidates[np.argmax(heights[candidates])]]))
    return np.array(found, dtype=np.int64)


def _without_t_waves(kept: IntArray, curve: FloatArray) -> IntArray:
    """Drop low peaks that follow a higher one within 360 ms: T waves."""
    result: list[int] = []
    for peak in kept:
        close = bool(result) and peak - result[-1] < T_WAVE_GAP_S * BAND_RATE
        if close and curve[peak] < 0.55 * curve[result[-1]]:
            continue
        if close and curve[result[-1]] < 0.4 * curve[peak] and len(result) == 1:
            result.pop()
        result.append(int(peak))
    return np.array(result, dtype=np.int64)


def cut(signal: FloatArray, index: IntArray, before: int, after: int) -> FloatArray:
    """Cut a window around each index; samples outside of the record are NaN.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
    index : ndarray of int, shape (n_beats,)
    before, after : int, samples

    Returns
    -------
    ndarray, shape (n_beats, n_leads, before + after)
    """
    n_leads, n = signal.shape
    windows: FloatArray = np.empty((len(index), n_leads, before + after), dtype=signal.dtype)
    for window, centre in zip(windows, index.tolist(), strict=True):
        start, stop = centre - before, centre + after
        if start < 0 or stop > n:
            window.fill(np.nan)
        first = max(start, 0)
        window[:, first - start : max(n - start, 0)] = signal[:, first : max(stop, 0)]
    return windows


def align_beats(signal: FloatArray, index: IntArray) -> BeatSet:
    """Align beats on the dominant QRS shape by cross-correlation over all leads.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz
        Without drift; only leads worth using.
    index : ndarray of int, shape (n_beats,)

    Returns
    -------
    BeatSet
    """
    n_beats = len(index)
    if n_beats == 0:
        return BeatSet(np.asarray(index, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0))
    before, after = (int(part * ANALYSIS_RATE) for part in SHAPE_S)
    reach = int(ALIGN_S * ANALYSIS_RATE)
    wide = np.nan_to_num(cut(signal, index, before + reach, after + reach))
    scale = np.sqrt(np.mean(np.square(wide), axis=(0, 2), keepdims=True))
    # Damped normalisation: small leads count, pure-noise leads do not take over.
    wide = wide / np.maximum(scale, 0.3 * scale.max() + 1e-9)
    width = before + after
    # Smoothed signals need no more than every other sample, and shifts in steps of 4 ms.
    views = np.lib.stride_tricks.sliding_window_view(wide[:, :, ::2].astype(np.float32), width // 2, axis=2)
    # Drift must not make beats look different.
    views = views - np.einsum("nklw->nkl", views)[..., None] / np.float32(views.shape[3])
    # (n_beats, n_leads, n_lags, width) -> unit vectors (n_beats, n_lags, n_leads * width)
    vectors = views.transpose(0, 2, 1, 3).reshape(n_beats, views.shape[2], -1)
    vectors /= np.maximum(np.sqrt(np.einsum("blw,blw->bl", vectors, vectors)), 1e-12)[:, :, None]
    centre = views.shape[2] // 2
    inside = (index >= before) & (index < signal.shape[1] - after)
    members = _largest_group(vectors, centre, inside, _is_early(index))
    template = vectors[members, centre].mean(axis=0)
    lags = np.full(n_beats, centre)
    similarity = np.zeros(n_beats)
    scores = np.zeros((n_beats, views.shape[2]))
    for _ in range(2):
        template = template / max(float(np.linalg.norm(template)), 1e-12)
        scores = vectors @ template
        lags = scores.argmax(axis=1)
        similarity = scores[np.arange(n_beats), lags]
        group = (
            similarity >= SAME_SHAPE if (similarity >= SAME_SHAPE).any() else similarity >= similarity.max()
        )
        template = vectors[group, lags[group]].mean(axis=0)
    dominant = _same_shape(similarity)
    shift = np.where(similarity > 0.5, np.round(2 * (lags - centre + _parabola(scores, lags))), 0.0)
    return BeatSet(np.asarray(index) + shift.astype(np.int64), dominant, similarity)


def _parabola(scores: FloatArray, best: IntArray) -> FloatArray:
    """Return the offset (-0.5 to 0.5) of the top of the parabola through the best score and its neighbours."""
    rows = np.arange(len(best))
    inner = np.clip(best, 1, scores.shape[1] - 2)
    left, top, right = (scores[rows, inner + step] for step in (-1, 0, 1))
    bend = left - 2 * top + right
    return np.where((inner == best) & (bend < -1e-12), 0.5 * (left - right) / np.minimum(bend, -1e-12), 0.0)


def _is_early(index: IntArray) -> BoolArray:
    """Beats with a shorter interval before them than behind them; the first and the last are taken for punctual."""
    rr, early = np.diff(index), np.zeros(len(index), dtype=bool)
    early[1:-1] = rr[:-1] < EARLY * rr[1:]
    return early


def _largest_group(vectors: FloatArray, centre: int, inside: BoolArray, early: BoolArray) -> IntArray:
    """Return the beats that resemble the beat with most look-alikes, if possible one not cut by the record's end."""
    some = vectors[:MAX_CLUSTERED]
    # Steps of 8 ms through the centre: a narrow QRS complex does not forgive more.
    lags = range(centre % 2, some.shape[1], 2)
    likeness = np.max([some[:, lag] @ some[:, centre].T for lag in lags], axis=0)
    alike = likeness >= SAME_SHAPE
    # Of two shapes about as frequent, as in bigeminy, the punctual, narrower (steeper) one is the conducted beat.
    steep = np.linalg.norm(np.diff(some[:, centre], axis=1), axis=1)
    punctual = 1.0 - 0.5 * early[:MAX_CLUSTERED] @ alike / alike.sum(axis=0)
    count = alike.sum(axis=0) * punctual * np.sqrt(steep / max(float(steep.max()), 1e-12))
    best = int(np.argmax(count + likeness.mean(axis=0) + 2.0 * inside[:MAX_CLUSTERED]))
    return np.flatnonzero(alike[:, best] | (np.arange(len(some)) == best))


def _same_shape(similarity: FloatArray) -> BoolArray:
    """Return which beats share the dominant shape; noise lowers all similarities, so the limit follows the median."""
    limit = min(SAME_SHAPE, median(np.sort(similarity)[len(similarity) // 2 :].tolist()) - 0.12)
    return np.asarray(similarity >= limit)
