"""Wave times of every single beat, from the median beat or, for beats of another shape, from the beat itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from uniecg.signal.beats import BeatSet
from uniecg.signal.delineate import qrs_bounds
from uniecg.signal.filters import ANALYSIS_RATE, BoolArray, FloatArray, IntArray
from uniecg.signal.match_wave import match_wave
from uniecg.signal.measurements import Beats, StringArray
from uniecg.signal.median_beat import AFTER, BEFORE, Analysis, Prepared
from uniecg.signal.rhythm import irregularity, premature_beats
from uniecg.signal.t_wave import t_wave
from uniecg.signal.waves import MS, NAN, Waves

WIDE_QRS_MS = 120.0
MIN_P_CORRELATION = 0.5
P_GAIN = (0.3, 3.0)
MIN_P_SHARE, FIBRILLATION_IRREGULARITY = 0.7, 0.1
"""RR intervals of fibrillation differ from one to the next by some 20 % of their mean (Tateno & Glass 2001, Med Biol
Eng Comput 39:664); half of that is more than sinus arrhythmia shows in the median."""


def beat_times(ready: Prepared, beats: BeatSet, analysis: Analysis, rr_s: FloatArray) -> Beats:
    """Place every wave of every beat.

    Parameters
    ----------
    ready : Prepared
    beats : BeatSet
    analysis : Analysis
    rr_s : ndarray, shape (n_beats,), seconds
    """
    n_beats = len(beats.index)
    names = ("p_on", "p_peak", "p_off", "qrs_on", "r_peak", "qrs_off", "t_peak", "t_off")
    table = {name: np.full(n_beats, NAN) for name in names}
    waves = analysis.waves
    rows = np.flatnonzero(beats.dominant)
    for name in names[3:6]:
        table[name][rows] = beats.index[rows] + getattr(waves, name) - BEFORE
    table["r_peak"][rows] = np.where(
        np.isfinite(table["r_peak"][rows]), table["r_peak"][rows], beats.index[rows]
    )
    _place(table, rows, beats.index, analysis, ("p_on", "p_peak", "p_off"), 20, MIN_P_CORRELATION)
    _place(table, rows, beats.index, analysis, ("t_peak", "t_off"), 20, 0.3)
    for row in np.flatnonzero(~beats.dominant):
        found = _single_beat(analysis, beats.index, int(row))
        for name in names:
            table[name][row] = getattr(found, name)
    last = analysis.levelled.shape[1] - 1
    for name in names:
        table[name][(table[name] < 0) | (table[name] > last)] = NAN
    p_on, p_peak, p_off, qrs_on, r_peak, qrs_off, t_peak, t_off = (
        table[name] / ANALYSIS_RATE for name in names
    )
    wide = (table["qrs_off"] - table["qrs_on"]) / MS >= WIDE_QRS_MS
    times = Beats(
        p_on,
        p_peak,
        p_off,
        qrs_on,
        r_peak,
        qrs_off,
        t_peak,
        t_off,
        rr_s=rr_s,
        premature=premature_beats(rr_s[1:]),
        wide=wide,
        dominant=beats.dominant,
        paced=_paced(table, ready.spikes),
    )
    if _is_fibrillation(times):
        times = _without_p(times)
    return replace(times, kind=_kinds(times))


def _kinds(times: Beats) -> StringArray:
    """Name every beat; where the rhythm is irregular altogether, an early beat of usual width is no PAC."""
    kind = np.full(len(times), "dominant", dtype="<U8")
    other = times.wide & ~times.dominant
    kind[~times.dominant] = "other"
    if irregularity(times) <= FIBRILLATION_IRREGULARITY or _regular_but_for_early_beats(times):
        kind[times.premature & ~other] = "pac"
    kind[other & (times.premature | np.isnan(times.p_peak_s))] = "pvc"
    # A lone narrow wave before a beat that looks like the unpaced ones is no stimulus.
    kind[times.paced & (times.wide | ~times.dominant | (times.paced.mean() >= 0.5))] = "paced"
    return kind


def _regular_but_for_early_beats(times: Beats) -> bool:
    """Judge many early beats in a rhythm with P waves by the intervals that no early beat begins or ends."""
    without = irregularity(times, times.premature)
    return not _lacks_p(times) and not without > FIBRILLATION_IRREGULARITY


def _is_fibrillation(times: Beats) -> bool:
    """Judge rare P waves in a clearly irregular rhythm: fibrillation waves that happen to look alike."""
    return _lacks_p(times) and irregularity(times) > FIBRILLATION_IRREGULARITY


def _lacks_p(times: Beats) -> bool:
    found = np.isfinite(times.p_peak_s[times.dominant])
    return bool(found.size and found.mean() < MIN_P_SHARE)


def _without_p(times: Beats) -> Beats:
    absent = np.full(len(times), NAN)
    return replace(times, p_on_s=absent, p_peak_s=absent.copy(), p_off_s=absent.copy())


def _place(
    table: dict[str, FloatArray],
    rows: IntArray,
    index: IntArray,
    analysis: Analysis,
    names: tuple[str, ...],
    reach: int,
    least: float,
) -> None:
    """Write the times of a wave for each dominant beat in which it is found again."""
    places = [getattr(analysis.waves, name) for name in names]
    if not all(math.isfinite(place) for place in places):
        return
    start = int(places[0] - 10 if len(names) == 3 else places[0] - 40)
    correlation, gain, shift = match_wave(
        analysis.windows, start, int(places[-1] + 10), reach, analysis.noise
    )
    judged = np.isfinite(correlation)
    found = (correlation >= least) & (gain > P_GAIN[0]) & (gain < P_GAIN[1])
    # Too few whole beats to compare, or a window cut by the end of the record: trust the median beat.
    trust = found[judged].mean() >= 0.5 if judged.any() else True
    found = np.where(judged, found, trust)
    moved = np.where(judged & found, shift, 0.0)
    for name, place in zip(names, places, strict=True):
        table[name][rows] = np.where(found, index[rows] + place - BEFORE + moved, NAN)


def _single_beat(analysis: Analysis, index: IntArray, row: int) -> Waves:
    """Delineate QRS and T of one beat of another shape."""
    signal = analysis.levelled
    start = max(int(index[row]) - BEFORE, 0)
    piece = signal[:, start : int(index[row]) + AFTER]
    rr = float(index[row + 1] - index[row]) if row + 1 < len(index) else ANALYSIS_RATE
    onset, r_peak, offset = qrs_bounds(piece, int(index[row]) - start)
    t_peak, t_off, _, _ = t_wave(piece, onset, offset, rr, analysis.noise)
    return Waves(NAN, NAN, NAN, onset + start, r_peak + start, offset + start, t_peak + start, t_off + start)


def _paced(table: dict[str, FloatArray], spikes: IntArray) -> BoolArray:
    """Beats with a pacing spike between 60 ms before and 20 ms after the QRS onset."""
    onset = np.where(np.isfinite(table["qrs_on"]), table["qrs_on"], table["r_peak"] - 40 * MS)
    if spikes.size == 0:
        return np.zeros(len(onset), dtype=bool)
    ahead = onset[:, None] - spikes[None, :]
    return np.asarray(((ahead > -20 * MS) & (ahead < 60 * MS)).any(axis=1))
