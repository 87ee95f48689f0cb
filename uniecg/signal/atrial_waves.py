"""P waves wherever they are, conducted or not, and how they relate to the ventricular complexes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy import signal as sps

from uniecg.signal.filters import ANALYSIS_RATE, BoolArray, FloatArray, IntArray, block_means
from uniecg.signal.measurements import Beats
from uniecg.signal.waves import MS, NAN, Waves, bump

STEP = 4
"""P waves are looked for at 125 Hz."""

SAME_P = 0.7
P_GAIN = (0.4, 2.5)
USUAL_P_MS = 100.0
MIN_PP_S = 0.25
"""240 per minute; faster atrial activity is flutter or fibrillation."""

REGULAR_PP = 0.15
"""Sinus PP intervals that differ by more than 0.16 s (about 15 % at 60 per minute) are called arrhythmia."""

REGULAR_SHARE, REGULAR_SHARE_ALONE = 0.8, 0.9
"""Share of regular intervals asked for, and the same where no P wave goes with the complexes."""

KNOWN_SHARE, LEAST_SHARE = 0.7, 0.4
"""Share of complexes with a P wave before them: to be trusted alone, and to look for more of the same shape."""

MAX_PR_S = 0.6
MIN_WAVES = 4


@dataclass(frozen=True)
class AVRelation:
    """P waves of the whole record.

    Attributes
    ----------
    p_s : ndarray, seconds
        Peaks of all P waves, conducted or not; empty where they are not regular enough to be trusted.
    p_rate_bpm : float, per minute
        From the median PP interval.
    blocked_p_count : float
        P waves that no ventricular complex follows before the next P wave.
    pr_range_ms : float, ms
        Longest less shortest PR interval.
    pr_drift_ms : float, ms
        Median rise of PR from the first to the last conducted beat before a dropped one; NaN without dropped beats.
    """

    p_s: FloatArray
    p_rate_bpm: float = NAN
    blocked_p_count: float = NAN
    pr_range_ms: float = NAN
    pr_drift_ms: float = NAN


UNKNOWN = AVRelation(np.zeros(0))


def av_relation(
    rest: FloatArray, beat: FloatArray, waves: Waves, noise: FloatArray, times: Beats
) -> AVRelation:
    """Find all P waves and relate them to the complexes.

    Parameters
    ----------
    rest : ndarray, shape (n_leads, n_samples), mV
        Signal without ventricular complexes.
    beat : ndarray, shape (n_leads, n_window), mV
        Median beat.
    waves : Waves
        Its boundaries.
    noise : ndarray, shape (n_leads,), mV
        Standard error of the median beat.
    times : Beats
    """
    whole = np.isfinite(times.qrs_on_s)
    qrs_s, conducts = times.qrs_on_s[whole], (times.kind != "pvc")[whole]
    if len(qrs_s) < 3:
        return UNKNOWN
    scaled = block_means(rest, STEP) / np.maximum(noise, 1e-6)[:, None]
    template: FloatArray | None
    lead_in = 0.5 * USUAL_P_MS / 1000.0
    known = times.p_peak_s[np.isfinite(times.p_peak_s)]
    # What few beats have is no P wave that goes with the complexes, but one that passes by.
    if math.isfinite(waves.p_on) and len(known) >= LEAST_SHARE * len(qrs_s):
        start, stop = int(waves.p_on), int(waves.p_off) + 1
        template = beat[:, start:stop:STEP] / np.maximum(noise, 1e-6)[:, None]
        lead_in = (waves.p_peak - waves.p_on) / ANALYSIS_RATE
    else:
        template = _seed(scaled)
    if template is None or template.shape[1] < 5:
        return UNKNOWN
    found = _match(scaled, template) * STEP / ANALYSIS_RATE + lead_in
    # Close to a complex its remains may hide a P wave that was already found in the beat itself.
    extra = found[~_near(found, known, MIN_PP_S / 2.0)]
    every = _trusted(known, extra, np.stack([qrs_s - lead_in, times.t_off_s[whole]]))
    return _relate(every, lead_in, qrs_s, conducts) if len(every) >= MIN_WAVES else UNKNOWN


def _near(times: FloatArray, others: FloatArray, reach: float) -> BoolArray:
    if others.size == 0:
        return np.zeros(len(times), dtype=bool)
    return np.asarray(np.abs(times[:, None] - others).min(axis=1) < reach)


def _seed(scaled: FloatArray) -> FloatArray | None:
    """Average the highest deflections as a first guess of the P wave where none goes with the complexes."""
    n, width = scaled.shape[1], int(USUAL_P_MS * MS / STEP)
    height = bump(scaled, 0, n - 1, int(56 * MS / STEP), np.ones(len(scaled)))
    peaks, found = sps.find_peaks(height, height=0.0, distance=int(MIN_PP_S * ANALYSIS_RATE / STEP))
    inside = (peaks >= width) & (peaks < n - width)
    peaks, heights = peaks[inside], found["peak_heights"][inside]
    if peaks.size < MIN_WAVES:
        return None
    # A single one may be none, or have met a QRS complex; of three the one that recurs middling often is taken.
    firsts = peaks[np.argsort(heights)[[len(heights) * eighths // 8 for eighths in (6, 7, 5)]]]
    again = sorted((_match(scaled, template) for template in _cut(scaled, firsts, width)), key=len)[1]
    return _cut(scaled, again + width // 2, width).mean(axis=0) if again.size >= MIN_WAVES else None


def _cut(scaled: FloatArray, centres: IntArray, width: int) -> FloatArray:
    starts = np.clip(centres - width // 2, 0, scaled.shape[1] - width)
    pieces: FloatArray = scaled[:, starts[:, None] + np.arange(width)].transpose(1, 0, 2)
    return pieces


def _match(scaled: FloatArray, template: FloatArray) -> IntArray:
    """Starts of the stretches that look like the template, at least `MIN_PP_S` apart."""
    width = template.shape[1]
    if scaled.shape[1] <= width:
        return np.zeros(0, dtype=np.int64)
    shape = template - template.mean(axis=1, keepdims=True)
    size = float(np.square(shape).sum())
    # Each sample of the template against the whole record, over all leads at once; then summed along the template.
    products = shape.T @ scaled
    stop = scaled.shape[1] - width + 1
    dots = products[0, :stop].copy()
    for step in range(1, width):
        dots += products[step, step : step + stop]
    total = np.cumsum(np.pad(scaled, ((0, 0), (1, 0))), axis=1)
    squares = np.cumsum(np.pad(np.square(scaled).sum(axis=0), (1, 0)))
    sums = total[:, width:] - total[:, :-width]
    energy = squares[width:] - squares[:-width] - np.square(sums).sum(axis=0) / width
    score = dots / np.sqrt(np.maximum(energy * size, 1e-12))
    gain = dots / max(size, 1e-12)
    score[(gain < P_GAIN[0]) | (gain > P_GAIN[1])] = 0.0
    peaks, _ = sps.find_peaks(score, height=SAME_P, distance=int(MIN_PP_S * ANALYSIS_RATE / STEP))
    return np.asarray(peaks, dtype=np.int64)


def _trusted(known: FloatArray, extra: FloatArray, covered: FloatArray) -> FloatArray:
    """Keep all P waves where they are regular, else those before the complexes if most have one, else none.

    Parameters
    ----------
    known, extra : ndarray, seconds
        Found before the complexes and elsewhere.
    covered : ndarray, shape (2, n_beats), seconds
        From where to where each complex, its T included, may hide a P wave.
    """
    every = np.sort(np.concatenate([known, extra]))
    fallback = known if len(known) >= KNOWN_SHARE * covered.shape[1] else np.zeros(0)
    if len(every) < MIN_WAVES:
        return fallback
    typical = median(np.diff(every).tolist())
    if extra.size:
        # Between two waves one cycle apart there is no third: that is a rest of a T wave.
        spare = np.abs(every[2:] - every[:-2] - typical) < REGULAR_PP * typical
        spare = np.concatenate([[False], spare, [False]]) & ~np.isin(every, known)
        every = every[~spare | np.concatenate([[False], spare[:-1]])]
    gaps = np.diff(every)
    times = np.maximum(np.round(gaps / typical), 1.0)
    fits = np.abs(gaps - times * typical) < REGULAR_PP * typical
    share = REGULAR_SHARE if known.size else REGULAR_SHARE_ALONE
    # A wave hidden in a complex doubles an interval.
    middle = 0.5 * (every[1:] + every[:-1])
    hidden = ((middle[:, None] > covered[0]) & (middle[:, None] < covered[1])).any(axis=1)
    whole = (times == 1.0) | ((times == 2.0) & hidden)
    if fits.mean() < share or whole.mean() < share:
        return fallback
    in_place = np.concatenate([[True], fits]) & np.concatenate([fits, [True]])
    return np.asarray(every[in_place | np.isin(every, known)])


def _relate(p_s: FloatArray, lead_in: float, qrs_s: FloatArray, conducts: BoolArray) -> AVRelation:
    """Give each complex the last P wave before it and count the waves without a complex."""
    onsets = p_s - lead_in
    owner = np.searchsorted(onsets, qrs_s) - 1
    pr = np.where(owner >= 0, qrs_s - onsets[np.maximum(owner, 0)], NAN)
    first = np.concatenate([[True], np.diff(owner) > 0])
    owner = np.where((pr <= MAX_PR_S) & first, owner, -1)
    inside = np.flatnonzero((onsets > qrs_s[0]) & (onsets < qrs_s[-1]))
    # An ectopic beat right before or after a P wave leaves the AV node refractory: no block.
    blocked = ~_near(onsets, qrs_s[~conducts], MAX_PR_S)
    dropped = np.setdiff1d(inside[blocked[inside]], owner)
    conducted = np.flatnonzero((owner >= 0) & conducts)
    rises = []
    for lost in dropped:
        # The run of conducted beats that ends with the P wave before the lost one.
        run: list[int] = []
        for beat in conducted[owner[conducted] < lost][::-1]:
            if owner[beat] != lost - 1 - len(run):
                break
            run.append(int(beat))
        if len(run) >= 2:
            rises.append(pr[run[0]] - pr[run[-1]])
    values = pr[conducted]
    return AVRelation(
        p_s,
        60.0 / median(np.diff(p_s).tolist()),
        float(len(dropped)),
        1000.0 * float(np.ptp(values)) if values.size >= 3 else NAN,
        1000.0 * median(rises) if rises else NAN,
    )
