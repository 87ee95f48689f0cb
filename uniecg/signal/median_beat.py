"""The median beat: preparing the signal, levelling it on the PR segments, averaging the dominant beats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy.interpolate import CubicSpline

from uniecg.signal.beats import BeatSet, cut
from uniecg.signal.delineate import delineate, qrs_bounds
from uniecg.signal.filters import (
    ANALYSIS_RATE,
    DRIFT_STEP,
    FloatArray,
    IntArray,
    drift,
    interpolate,
    mains_hum,
    remove_mains,
    smooth,
)
from uniecg.signal.order_statistics import middle, quantiles
from uniecg.signal.pacing import blank, pacing_spikes
from uniecg.signal.waves import MS, NAN, LeadBounds, Waves

BEFORE, AFTER = 250, 375
"""Samples of the beat window before and after the fiducial point: 0.5 s and 0.75 s."""

QRS_WINDOW = (120, 200)
"""The same for a first look at the QRS complex."""

QRS_REACH = 60


@dataclass(frozen=True)
class Prepared:
    """Signals of the usable leads at 500 Hz.

    Attributes
    ----------
    level : ndarray, shape (n_leads, n_samples), mV
        Without hum, pacing spikes and fast noise.
    calm : ndarray, shape (n_leads, n_samples), mV
        The same without drift.
    spikes : ndarray of int
        Samples of pacing spikes.
    hum : ndarray, shape (n_leads,), mV
        Amplitude of the mains hum that was removed.
    """

    level: FloatArray
    calm: FloatArray
    spikes: IntArray
    hum: FloatArray


def prepare(signal: FloatArray) -> Prepared:
    """Clean the usable leads.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV, at 500 Hz
    """
    frequency, hum = mains_hum(signal)
    clean = remove_mains(signal, frequency)
    spikes = pacing_spikes(clean)
    level = smooth(blank(clean, spikes))
    return Prepared(level, level - drift(level), spikes, hum)


@dataclass(frozen=True)
class Analysis:
    """Median beat of the dominant shape with its boundaries.

    Attributes
    ----------
    beat : ndarray, shape (n_leads, 625), mV
    waves : Waves
        In samples of `beat`; the fiducial point of a beat lies at sample 250.
    lead_bounds : LeadBounds
        The same in each lead.
    noise : ndarray, shape (n_leads,), mV
        Standard error of `beat`.
    levelled : ndarray, shape (n_leads, n_samples), mV
        The signal with its PR segments at zero.
    windows : ndarray, shape (n_dominant, n_leads, 625), mV
        The single beats; NaN outside of the record.
    """

    beat: FloatArray
    waves: Waves
    lead_bounds: LeadBounds
    noise: FloatArray
    levelled: FloatArray
    windows: FloatArray


def analyse(ready: Prepared, beats: BeatSet) -> Analysis:
    """Average the dominant beats and delineate the average.

    Parameters
    ----------
    ready : Prepared
    beats : BeatSet
    """
    index = beats.index[beats.dominant]
    n_leads = len(ready.calm)
    if index.size == 0:
        empty = np.zeros((n_leads, BEFORE + AFTER))
        nowhere = LeadBounds(*(np.full(n_leads, NAN) for _ in range(6)))
        none = np.zeros((0, n_leads, BEFORE + AFTER))
        return Analysis(empty, Waves(), nowhere, np.ones(n_leads), ready.calm, none)
    beat, _ = _median_beat(ready.calm, index, *QRS_WINDOW)
    onset, _, _ = qrs_bounds(beat, QRS_WINDOW[0])
    onset += BEFORE - QRS_WINDOW[0]
    levelled = _level_on_pr(ready, index, onset - BEFORE) if math.isfinite(onset) else ready.calm
    beat, windows = _median_beat(levelled, index, BEFORE, AFTER)
    noise = np.maximum(_beat_noise(windows, beat), 1e-3 * np.ptp(beat, axis=1) + 1e-9)
    waves, lead_bounds = delineate(beat, BEFORE, _cycle(beats), noise, _spike(ready.spikes, index))
    return Analysis(beat, waves, lead_bounds, noise, levelled, windows)


def _median_beat(
    signal: FloatArray, index: IntArray, before: int, after: int
) -> tuple[FloatArray, FloatArray]:
    """Return the median beat and all windows; beats cut by the ends of the record count only if there are no others."""
    windows = cut(signal, index, before, after)
    whole = (index >= before) & (index + after <= signal.shape[1])
    if whole.sum() >= min(3, len(index)):
        return middle(windows[whole]), windows
    padded = np.pad(signal, ((0, 0), (before, after)), mode="edge")
    # A QRS complex cut by the end of the record has no true boundaries.
    inside = (index >= QRS_REACH) & (index < signal.shape[1] - QRS_REACH)
    used = index[inside] if inside.any() else index
    return middle(cut(padded, used + before, before, after)), windows


def _spike(spikes: IntArray, index: IntArray) -> float:
    """Sample of the beat window at which at least half of the beats have a pacing spike; NaN if there is none."""
    if spikes.size == 0:
        return NAN
    ahead = index - spikes[np.searchsorted(spikes, index).clip(1) - 1]
    near = ahead[(ahead >= 0) & (ahead < QRS_WINDOW[0])]
    return BEFORE - median(near.tolist()) if 2 * near.size >= index.size else NAN


def _level_on_pr(ready: Prepared, index: IntArray, onset: float) -> FloatArray:
    """Subtract a spline through the PR segments of the dominant beats: takes out drift, leaves ST alone.

    References
    ----------
    Meyer & Keiser 1977, Comput Biomed Res 10:459.
    """
    signal = ready.level
    at = index + int(onset - 8 * MS)
    inside = at[(at >= 4) & (at < signal.shape[1] - 4)]
    if inside.size == 0:
        return np.asarray(signal - np.median(signal, axis=1, keepdims=True))
    knots = cut(signal, inside, 4, 4).mean(axis=2)
    if inside.size < 3:
        return np.asarray(signal - knots.mean(axis=0)[:, None])
    # Before the first and behind the last knot the drift goes on as the slow part of the signal does.
    step = DRIFT_STEP
    at = np.arange(0, signal.shape[1] + step, step)
    every = np.clip(at, inside[0], inside[-1])
    line = CubicSpline(inside, knots, bc_type="natural")(every).T.astype(signal.dtype)
    for sign, part in ((1.0, np.minimum(at, signal.shape[1] - 1)), (-1.0, every)):
        line += sign * (signal[:, part] - ready.calm[:, part])
    return np.asarray(signal - interpolate(line, 0.0, step, signal.shape[1]))


def _beat_noise(windows: FloatArray, beat: FloatArray) -> FloatArray:
    """Standard error of the median beat in each lead, from how much the beats differ."""
    whole = np.isfinite(windows[:, 0, 0]) & np.isfinite(windows[:, 0, -1])
    rest = windows[whole, :, ::4] - beat[:, ::4]
    if len(rest) < 2:
        slope = np.abs(np.diff(beat, axis=1))
        return np.asarray(np.median(slope, axis=1)) * 2.0
    spread = 1.4826 * quantiles(np.abs(rest).transpose(1, 0, 2).reshape(len(beat), -1), 0.5)[0]
    return np.asarray(1.2533 * spread / math.sqrt(len(rest)))


def _cycle(beats: BeatSet) -> float:
    """Typical RR in samples after a dominant beat; one second if there is none."""
    intervals = np.diff(beats.index)[beats.dominant[:-1]]
    return median(intervals.tolist()) if intervals.size else ANALYSIS_RATE
