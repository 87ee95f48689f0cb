"""RR intervals: gaps, rates, irregularity, early beats, runs of ventricular beats."""

from __future__ import annotations

from statistics import median
from typing import TypedDict

import numpy as np

from uniecg.signal.filters import ANALYSIS_RATE, BoolArray, FloatArray, IntArray
from uniecg.signal.measurements import Beats, Measurements
from uniecg.signal.waves import NAN

MAX_GAP_S = 0.1
PREMATURE = 0.85
MOSTLY_REGULAR = 0.7
MAX_RUN_RR_S = 0.6


def gaps_in(raw: FloatArray, sampling_rate: float) -> FloatArray:
    """Find the stretches longer than 0.1 s in which most leads are missing.

    Parameters
    ----------
    raw : ndarray, shape (n_leads, n_samples)
        As recorded, with NaN.
    sampling_rate : float, Hz

    Returns
    -------
    ndarray, shape (n_gaps, 2)
        Start and end in samples at 500 Hz.
    """
    finite = np.isfinite(raw)
    if finite.all():
        return np.zeros((0, 2))
    absent = finite.mean(axis=0) < 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[False], absent, [False]]).astype(int)))
    spans: FloatArray = edges.reshape(-1, 2).astype(np.float64) * (ANALYSIS_RATE / sampling_rate)
    return spans[spans[:, 1] - spans[:, 0] > MAX_GAP_S * ANALYSIS_RATE]


def rr_intervals(index: IntArray, gaps: FloatArray) -> FloatArray:
    """Seconds since the beat before; NaN for the first beat and across a gap.

    Parameters
    ----------
    index : ndarray of int, shape (n_beats,)
        Samples at 500 Hz.
    gaps : ndarray, shape (n_gaps, 2)

    Returns
    -------
    ndarray, shape (n_beats,), seconds
    """
    rr_s = np.full(len(index), NAN)
    rr_s[1:] = np.diff(index) / ANALYSIS_RATE
    for start, stop in gaps:
        rr_s[1:][(index[:-1] < stop) & (index[1:] > start)] = NAN
    return rr_s


class Rates(TypedDict):
    """Heart rate and RR statistics; fields of `Measurements`."""

    heart_rate_bpm: float
    rr_ms: float
    rr_cv: float


def rates(rr_s: FloatArray) -> Rates:
    """Rate, mean RR and coefficient of variation of all RR intervals.

    Parameters
    ----------
    rr_s : ndarray, shape (n_beats,), seconds
        NaN where unknown.
    """
    intervals = rr_s[np.isfinite(rr_s)]
    if intervals.size == 0:
        return {"heart_rate_bpm": NAN, "rr_ms": NAN, "rr_cv": NAN}
    mean = float(intervals.mean())
    spread = float(intervals.std() / mean) if intervals.size > 1 else NAN
    return {"heart_rate_bpm": 60.0 / mean, "rr_ms": 1000.0 * mean, "rr_cv": spread}


def premature_beats(intervals: FloatArray) -> BoolArray:
    """Beats that come early: RR below 85 % of the typical RR, or clearly shorter than the pause that follows.

    Parameters
    ----------
    intervals : ndarray, shape (n_beats - 1,), seconds

    Returns
    -------
    ndarray of bool, shape (n_beats,)
    """
    early = np.zeros(len(intervals) + 1, dtype=bool)
    if np.isfinite(intervals).sum() < 3:
        return early
    typical = float(np.nanmedian(intervals))
    before, after = intervals[:-1], intervals[1:]
    # Sinus arrhythmia shortens RR step by step, an early beat at once.
    sudden = np.concatenate([[True], before[1:] < PREMATURE * intervals[:-2]])
    early[1:-1] = (before < PREMATURE * typical) & (after > 1.1 * before) & sudden
    # Where most intervals are alike, one of them before a pause is not early.
    usual = np.abs(intervals - typical) < 0.1 * typical
    odd = ~usual[:-1] | (usual.mean() < MOSTLY_REGULAR)
    early[1:-1] |= (before < 0.8 * 0.5 * (before + after)) & sudden & odd
    early[-1] = intervals[-1] < PREMATURE * min(typical, float(intervals[-2]))
    return early


def irregularity(times: Beats, left_out: BoolArray | None = None) -> float:
    """Median absolute difference of successive RR intervals over the median RR, without those beside wide beats.

    Parameters
    ----------
    times : Beats
    left_out : ndarray of bool, shape (n_beats,), optional
        Further beats whose intervals do not count.
    """
    ectopic = times.wide & ~times.dominant
    if left_out is not None:
        ectopic = ectopic | left_out
    kept = times.rr_s[1:][~(ectopic[1:] | ectopic[:-1])]
    kept = kept[np.isfinite(kept)]
    if kept.size < 3:
        return NAN
    return float(median(np.abs(np.diff(kept)).tolist()) / median(kept.tolist()))


def ventricular_run_count(m: Measurements) -> float:
    """Longest run of wide beats of another shape that follow each other at 100/min or more.

    Parameters
    ----------
    m : Measurements

    References
    ----------
    Three such beats in a row are a ventricular tachycardia (Al-Khatib et al. 2017).
    """
    if len(m.beats) < 3:
        return NAN
    longest = run = 0
    for wide, fast in zip(
        m.beats.wide & ~m.beats.dominant & ~m.beats.paced, m.beats.rr_s < MAX_RUN_RR_S, strict=True
    ):
        run = (run + 1 if run and fast else 1) if wide else 0
        longest = max(longest, run)
    return float(longest)
