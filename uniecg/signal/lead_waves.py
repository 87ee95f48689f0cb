"""Amplitudes and durations of Q, R, S, ST, T and P in each lead of the median beat, and the electrical axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from uniecg.signal.filters import FloatArray, IntArray
from uniecg.signal.measurements import LeadMeasurements
from uniecg.signal.waves import MS, NAN, LeadBounds, Waves

_Run: TypeAlias = tuple[float, float, float]

MIN_WAVE_MV = 0.02
MIN_WAVE_MS = 6.0
MIN_WAVE_SHARE = 0.03
ST_POINT_MS = 60.0
MIN_DELTA_MV = 0.05
MIN_T_PHASE_MV = 0.05


def pr_level(beat: FloatArray, qrs_on: float) -> FloatArray:
    """Level of the PR segment: mean of 16 to 2 ms before the QRS onset.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    qrs_on : float, samples

    Returns
    -------
    ndarray, shape (n_leads,), mV
    """
    stop = max(int(qrs_on - 2 * MS), 1)
    level: FloatArray = beat[:, max(stop - int(14 * MS), 0) : stop].mean(axis=1)
    return level


def lead_waves(beat: FloatArray, waves: Waves, bounds: LeadBounds) -> list[LeadMeasurements]:
    """Measure every lead of a median beat.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_samples), mV
    waves : Waves
        Global boundaries in samples.
    bounds : LeadBounds
        Boundaries in each lead.

    References
    ----------
    CSE Working Party 1985: a wave has at least 20 microvolt and 6 ms. ST at J + 60 ms (Kligfield et al. 2007).
    """
    if not (np.isfinite(waves.qrs_on) and np.isfinite(waves.qrs_off)):
        return [LeadMeasurements() for _ in beat]
    levelled = beat - pr_level(beat, waves.qrs_on)[:, None]
    qrs = levelled[:, int(waves.qrs_on) : int(waves.qrs_off) + 1]
    columns = {
        "delta_ms": _delta_ms(qrs),
        **_p_phases(levelled, waves),
        **_levels_behind(levelled, int(waves.qrs_off)),
        **_t_phases(levelled, waves),
        **_shifts(waves, bounds),
    }
    runs = _runs(qrs, np.maximum(MIN_WAVE_MV, MIN_WAVE_SHARE * np.ptp(qrs, axis=1)))
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        LeadMeasurements(**_qrs_waves(own), **dict(zip(columns, row, strict=True)))
        for own, row in zip(runs, rows, strict=True)
    ]


def _levels_behind(levelled: FloatArray, off: int) -> dict[str, FloatArray]:
    """Level at the J point and 60 ms behind it in each lead, mV."""
    n, st_at = levelled.shape[1], int(off + ST_POINT_MS * MS)
    nowhere = np.full(len(levelled), NAN)
    # Near its end the QRS still moves; 4 ms around J are enough against noise.
    j = levelled[:, off : off + 3].mean(axis=1) if off + 3 <= n else nowhere
    st = levelled[:, max(st_at - 2, 0) : st_at + 3].mean(axis=1) if st_at + 3 <= n else nowhere
    return {"j_mv": j, "st_mv": st}


def _shifts(waves: Waves, bounds: LeadBounds) -> dict[str, FloatArray]:
    """Boundaries of the leads less the global ones, in ms; 0 where a lead has none of its own."""
    shifts = {}
    for item in fields(bounds):
        place = getattr(waves, item.name)
        own = (getattr(bounds, item.name) - place) / MS
        shifts[f"{item.name}_shift_ms"] = np.where(np.isfinite(own), own, 0.0 if np.isfinite(place) else NAN)
    return shifts


def _qrs_waves(runs: Sequence[_Run]) -> dict[str, float]:
    """Name the deflections of a QRS complex: Q before R, S behind it, R' behind S."""
    q = r = s = prime = (0.0, 0.0, NAN)
    for run in runs:
        value = run[0]
        if value < 0:
            if r[0] == 0.0 and value < q[0]:
                q = run
            elif r[0] > 0.0 and value < s[0]:
                s = run
        elif r[0] == 0.0:
            r = run
        elif s[0] < 0.0 and value > prime[0]:
            prime = run
    last_r = prime if prime[0] > r[0] else r
    return {
        "q_mv": q[0],
        "q_ms": q[1],
        "r_mv": r[0],
        "r_ms": r[1],
        "s_mv": s[0],
        "s_ms": s[1],
        "r_prime_mv": prime[0],
        "r_peak_ms": last_r[2] / MS if last_r[0] > 0 else NAN,
    }


def _peaks(part: FloatArray) -> tuple[IntArray, FloatArray]:
    """Place and signed value of the largest deflection of each row."""
    at = np.abs(part).argmax(axis=1)
    return at, part[np.arange(len(part)), at]


def _delta_ms(qrs: FloatArray) -> FloatArray:
    """Slurred beginning: until the first limb is half as steep as it gets; 0 if another wave comes before."""
    result = np.zeros(len(qrs))
    for row, (peak, value) in enumerate(zip(*_peaks(qrs), strict=True)):
        if peak < 3:
            continue
        limb = np.sign(value) * qrs[row, : peak + 1]
        slope = limb[1:] - limb[:-1]
        steep = int(np.argmax(slope >= 0.5 * slope.max()))
        # Less than 0.05 mV is no slurred part, but the mere beginning.
        if limb[: steep + 1].min() > -MIN_WAVE_MV and limb[steep] >= MIN_DELTA_MV:
            result[row] = steep / MS
    return result


def _runs(waves: FloatArray, least: FloatArray) -> list[list[_Run]]:
    """Split each row at its zero crossings: (signed peak in mV, width in ms, position of the peak in samples)."""
    negative, size = np.signbit(waves), np.abs(waves)
    found = []
    for row, changes in enumerate(negative[:, 1:] != negative[:, :-1]):
        own = []
        for start, stop in pairwise([0, *(np.flatnonzero(changes) + 1).tolist(), waves.shape[1]]):
            if stop - start >= MIN_WAVE_MS * MS:
                peak = start + int(size[row, start:stop].argmax())
                if size[row, peak] >= least[row]:
                    own.append((float(waves[row, peak]), (stop - start) / MS, float(peak)))
        found.append(own)
    return found


def _t_phases(levelled: FloatArray, waves: Waves) -> dict[str, FloatArray]:
    """Return the larger and, if it has the other sign and is no noise, the smaller peak of the T wave."""
    nowhere = np.full(len(levelled), NAN)
    absent = {"t_mv": nowhere, "t_second_mv": nowhere}
    if not (np.isfinite(waves.t_peak) and np.isfinite(waves.t_off)):
        return absent
    start = int(max(waves.qrs_off + 40 * MS, waves.t_peak - 90 * MS))
    end = int(min(waves.t_off, levelled.shape[1] - 1))
    stop = int(min(end, waves.t_peak + 70 * MS))
    if stop - start < 4:
        return absent
    _, main = _peaks(levelled[:, start : stop + 1])
    whole = levelled[:, start : end + 1]
    other = np.where(main > 0, whole.min(axis=1), whole.max(axis=1))
    second = np.where((other * main < 0) & (np.abs(other) >= MIN_T_PHASE_MV), other, 0.0)
    return {"t_mv": main, "t_second_mv": second}


def _p_phases(levelled: FloatArray, waves: Waves) -> dict[str, FloatArray]:
    """Return the largest peak of the P wave, and peak (mV) and duration (ms) of its last phase."""
    names = ("p_mv", "p_terminal_mv", "p_terminal_ms")
    if not (np.isfinite(waves.p_on) and np.isfinite(waves.p_off)):
        return {name: np.zeros(len(levelled)) for name in names}
    start, stop = int(waves.p_on), int(waves.p_off)
    # The P wave stands on the TP level, which differs from the PR level when the atria repolarise early.
    first, last = levelled[:, start, None], levelled[:, min(stop, levelled.shape[1] - 1), None]
    foot = first + (last - first) * (np.arange(stop - start + 1) / max(stop - start, 1))
    part = levelled[:, start : stop + 1] - foot
    phases = _runs(part, np.full(len(part), MIN_WAVE_MV))
    ends = np.array([own[-1][:2] if own else (0.0, 0.0) for own in phases])
    return dict(zip(names, (_peaks(part)[1], *ends.T), strict=True))


def axis_deg(lead_i: float, lead_avf: float) -> float:
    """Frontal axis of a net vector from leads I and aVF.

    Parameters
    ----------
    lead_i, lead_avf : float
        Net area (or amplitude) in both leads, same unit.

    Returns
    -------
    float, degrees
        -180 to 180; NaN if there is no vector.

    References
    ----------
    Augmented leads are shorter by sqrt(3)/2 in Einthoven's triangle (Goldberger 1942), hence the factor 2/sqrt(3).
    """
    if not (np.isfinite(lead_i) and np.isfinite(lead_avf)) or (lead_i == 0 and lead_avf == 0):
        return NAN
    return float(np.degrees(np.arctan2(lead_avf * 2.0 / np.sqrt(3.0), lead_i)))
