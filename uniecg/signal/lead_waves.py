"""Amplitudes and durations of Q, R, S, ST, T and P in each lead of the median beat, and the electrical axes."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np

from uniecg.signal.filters import FloatArray
from uniecg.signal.measurements import LeadMeasurements
from uniecg.signal.waves import MS, NAN, LeadBounds, Waves

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
    columns = _shifts(waves, bounds) | _levels_behind(levelled, int(waves.qrs_off))
    return [
        _one_lead(lead, waves, {name: float(values[row]) for name, values in columns.items()})
        for row, lead in enumerate(levelled)
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


def _one_lead(lead: FloatArray, waves: Waves, shared: dict[str, float]) -> LeadMeasurements:
    on, off = int(waves.qrs_on), int(waves.qrs_off)
    qrs = lead[on : off + 1]
    least = max(MIN_WAVE_MV, MIN_WAVE_SHARE * float(np.ptp(qrs)))
    runs = _runs(qrs, least)
    q = r = s = prime = (0.0, 0.0, NAN)
    for value, width, peak in runs:
        wave = (value, width, peak)
        if value < 0:
            if r[0] == 0.0 and value < q[0]:
                q = wave
            elif r[0] > 0.0 and value < s[0]:
                s = wave
        elif r[0] == 0.0:
            r = wave
        elif s[0] < 0.0 and value > prime[0]:
            prime = wave
    last_r = prime if prime[0] > r[0] else r
    p, terminal, terminal_ms = _p_phases(lead, waves)
    t, second = _t_phases(lead, waves)
    return LeadMeasurements(
        p_mv=p,
        q_mv=q[0],
        q_ms=q[1],
        r_mv=r[0],
        r_ms=r[1],
        s_mv=s[0],
        s_ms=s[1],
        r_prime_mv=prime[0],
        r_peak_ms=last_r[2] / MS if last_r[0] > 0 else NAN,
        t_mv=t,
        p_terminal_mv=terminal,
        p_terminal_ms=terminal_ms,
        t_second_mv=second,
        delta_ms=_delta_ms(qrs),
        **shared,
    )


def _delta_ms(qrs: FloatArray) -> float:
    """Slurred beginning: until the first limb is half as steep as it gets; 0 if another wave comes before."""
    peak = int(np.argmax(np.abs(qrs)))
    if peak < 3:
        return 0.0
    limb = np.sign(qrs[peak]) * qrs[: peak + 1]
    slope = np.diff(limb)
    steep = int(np.argmax(slope >= 0.5 * slope.max()))
    # Less than 0.05 mV is no slurred part, but the mere beginning.
    is_slurred = limb[: steep + 1].min() > -MIN_WAVE_MV and limb[steep] >= MIN_DELTA_MV
    return steep / MS if is_slurred else 0.0


def _runs(qrs: FloatArray, least: float) -> list[tuple[float, float, float]]:
    """Split the QRS at its zero crossings: (signed peak in mV, width in ms, position of the peak in samples)."""
    negative, size = np.signbit(qrs), np.abs(qrs)
    crossings = np.flatnonzero(negative[1:] != negative[:-1]) + 1
    found = []
    for start, stop in pairwise([0, *crossings.tolist(), len(qrs)]):
        if stop - start >= MIN_WAVE_MS * MS:
            peak = start + int(size[start:stop].argmax())
            if size[peak] >= least:
                found.append((float(qrs[peak]), (stop - start) / MS, float(peak)))
    return found


def _t_phases(lead: FloatArray, waves: Waves) -> tuple[float, float]:
    """Return the larger and, if it has the other sign and is no noise, the smaller peak of the T wave."""
    if not (np.isfinite(waves.t_peak) and np.isfinite(waves.t_off)):
        return NAN, NAN
    start = int(max(waves.qrs_off + 40 * MS, waves.t_peak - 90 * MS))
    end = int(min(waves.t_off, len(lead) - 1))
    stop = int(min(end, waves.t_peak + 70 * MS))
    if stop - start < 4:
        return NAN, NAN
    part = lead[start : stop + 1]
    main = float(part[np.argmax(np.abs(part))])
    whole = lead[start : end + 1]
    other = float(whole.min() if main > 0 else whole.max())
    return main, other if other * main < 0 and abs(other) >= MIN_T_PHASE_MV else 0.0


def _p_phases(lead: FloatArray, waves: Waves) -> tuple[float, float, float]:
    """Return the largest peak of the P wave, and peak (mV) and duration (ms) of its last phase."""
    if not (np.isfinite(waves.p_on) and np.isfinite(waves.p_off)):
        return 0.0, 0.0, 0.0
    start, stop = int(waves.p_on), int(waves.p_off)
    # The P wave stands on the TP level, which differs from the PR level when the atria repolarise early.
    first, last_level = lead[start], lead[min(stop, len(lead) - 1)]
    foot = first + (last_level - first) * np.arange(stop - start + 1) / max(stop - start, 1)
    part = lead[start : stop + 1] - foot
    runs = _runs(part, MIN_WAVE_MV)
    last, width = runs[-1][:2] if runs else (0.0, 0.0)
    return float(part[np.argmax(np.abs(part))]), last, width


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
