"""Is a record good enough to be measured? Reasons in one phrase per lead, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from uniecg.signal.filters import ANALYSIS_RATE, BoolArray, FloatArray
from uniecg.signal.lead_defects import DROWNED, PARTLY_FLAT, SHIFTED
from uniecg.signal.order_statistics import quantiles

MISSING, FLAT, CLIPPED = "missing", "flat", "clipped"
HUM, WANDER, MUSCLE, GAPS = "mains hum", "baseline wander", "muscle noise", "gaps"
SWAPPED = "electrodes appear swapped"
SPOILED = frozenset({MISSING, FLAT, GAPS})
"""Reasons that exclude a lead from measuring."""
UNREADABLE = SPOILED | {PARTLY_FLAT, SHIFTED, DROWNED}
"""Reasons for which people refuse a lead."""
SHAPELESS = UNREADABLE - {SHIFTED}
"""Those that leave no beat to look at; the average of all beats survives a shift."""

MIN_VALID = 0.6
FLAT_RATIO = 0.02
FLAT_MV = 0.005
CLIPPED_SHARE = 0.01
CLIPPED_S = 0.03
HUM_SHARE = 0.1
MUSCLE_SHARE = 0.05
WANDER_SHARE = 1.0


@dataclass(frozen=True)
class Quality:
    """Verdict on a record.

    Attributes
    ----------
    verdict : {"usable", "limited", "unusable"}
    reasons : tuple of str
        What limits the record as a whole.
    leads : mapping of lead name to tuple of str
        What limits each lead; only leads with a reason.
    """

    verdict: str
    reasons: tuple[str, ...]
    leads: Mapping[str, tuple[str, ...]]

    @property
    def acceptable(self) -> bool:
        """Whether people would keep it as a 12-lead ECG rather than record it again: no lead is unusable."""
        return self.verdict != "unusable" and not any(UNREADABLE & set(lead) for lead in self.leads.values())

    def lead_verdict(self, lead: str) -> str:
        """Return "usable", "limited" or "unusable" for one lead."""
        reasons = self.leads.get(lead, ())
        return "unusable" if UNREADABLE & set(reasons) else "limited" if reasons else "usable"

    def to_dict(self) -> dict[str, object]:
        """Return a JSON-ready dictionary."""
        return {
            "verdict": self.verdict,
            "acceptable": self.acceptable,
            "reasons": list(self.reasons),
            "leads": {lead: list(reasons) for lead, reasons in self.leads.items()},
            "lead_verdicts": {lead: self.lead_verdict(lead) for lead in self.leads},
        }


def usable_leads(signal: FloatArray, valid: FloatArray) -> tuple[BoolArray, list[list[str]]]:
    """Tell missing, gappy and flat leads from usable ones, before any filtering.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV
        Without NaN.
    valid : ndarray, shape (n_leads,)
        Share of finite samples.

    Returns
    -------
    usable : ndarray of bool, shape (n_leads,)
    reasons : list of list of str
    """
    stride = max(signal.shape[1] // 2000, 1)
    low, high = quantiles(signal[:, ::stride], 0.01, 0.99)
    spread = high - low
    moving = spread[(valid >= MIN_VALID) & (spread > 0)]
    typical = median(moving.tolist()) if moving.size else 0.0
    flat = (spread <= FLAT_RATIO * typical) | (spread < FLAT_MV)
    missing, gaps = valid == 0.0, (valid < MIN_VALID) & (valid > 0.0)
    reasons: list[list[str]] = []
    for is_missing, has_gaps, is_flat in zip(missing, gaps, flat, strict=True):
        reasons.append([MISSING] if is_missing else [GAPS] if has_gaps else [FLAT] if is_flat else [])
    return ~(missing | gaps | flat), reasons


def clipped(signal: FloatArray, sampling_rate: float) -> BoolArray:
    """Tell which leads stick at their highest or lowest value (the recorder's range was too small).

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV
        As recorded, without NaN.
    sampling_rate : float, Hz
    """
    least = max(10.0, CLIPPED_S * sampling_rate)
    result = np.zeros(len(signal), dtype=bool)
    n = signal.shape[1]
    for side in (signal, -signal):
        top = side.max(axis=1)
        at_limit = side >= (top - 1e-6 * (1.0 + np.abs(top)))[:, None]
        for lead in np.flatnonzero(np.count_nonzero(at_limit, axis=1) > min(CLIPPED_SHARE * n, least)):
            stuck = int((at_limit[lead, 1:] & at_limit[lead, :-1]).sum())
            far = top[lead] - side[lead].mean() > 3.0 * side[lead].std()
            result[lead] |= stuck > CLIPPED_SHARE * (n - 1) or (stuck > least and far)
    return result


def noise_reasons(
    size: FloatArray, drift: FloatArray, hum: FloatArray, muscle: FloatArray
) -> list[list[str]]:
    """Name the noises of each lead relative to the size of its QRS complex.

    Parameters
    ----------
    size : ndarray, shape (n_leads,), mV
        Peak-to-peak size of the beat.
    drift : ndarray, shape (n_leads,), mV
        Range of the baseline.
    hum : ndarray, shape (n_leads,), mV
        Amplitude of the mains sine.
    muscle : ndarray, shape (n_leads,), mV
        Standard deviation of the fast noise between the beats.
    """
    safe = np.maximum(size, 1e-9)
    named = (
        (HUM, hum / safe > HUM_SHARE),
        (WANDER, drift / safe > WANDER_SHARE),
        (MUSCLE, muscle / safe > MUSCLE_SHARE),
    )
    return [[name for name, is_set in named if is_set[lead]] for lead in range(len(size))]


def verdict(
    names: tuple[str, ...],
    reasons: list[list[str]],
    duration_s: float,
    n_beats: int,
    *,
    consistent: bool = True,
    plausible: bool | None = True,
    rate_too_low: bool = False,
) -> Quality:
    """Combine the reasons of the leads and of the rhythm into a verdict.

    Parameters
    ----------
    names : tuple of str, length n_leads
    reasons : list of list of str, length n_leads
    duration_s : float, seconds
    n_beats : int
    consistent : bool
        Whether the beats found resemble each other.
    plausible : bool or None
        Whether rate and QRS duration are possible in a human being; None if they are most unusual.
    rate_too_low : bool
        Whether the sampling rate is too low for a QRS complex.
    """
    good = sum(not lead for lead in reasons)
    spoiled = sum(bool(SPOILED & set(lead)) for lead in reasons)
    whole: list[str] = []
    if rate_too_low:
        whole.append("sampling rate too low")
    elif spoiled == len(names):
        whole.append("no usable lead")
    elif n_beats == 0:
        whole.append("no QRS complex found")
    elif not consistent:
        whole.append("no repeating QRS complex")
    elif plausible is False:
        whole.append("impossible rate or QRS duration: check the sampling rate")
    dead = bool(whole)
    if plausible is None and not dead:
        whole.append("unusual rate and QRS duration: check the sampling rate")
    if duration_s < 2.0 or (n_beats < 3 and not dead and duration_s < 5.0):
        whole.append("too short")
    if 0 < spoiled < len(names):
        whole.append(f"{spoiled} of {len(names)} leads missing or flat")
    noisy = len(names) - good - spoiled
    if noisy:
        whole.append(f"{noisy} of {len(names)} leads noisy")
    limited = "too short" in whole or plausible is None or spoiled > 0 or noisy > len(names) // 4
    grade = "unusable" if dead else "limited" if limited else "usable"
    leads = {name: tuple(lead) for name, lead in zip(names, reasons, strict=True) if lead}
    return Quality(grade, tuple(whole), leads)


def fast_noise(signal: FloatArray) -> FloatArray:
    """Estimate the fast noise of each lead from second differences, robust against QRS complexes.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV, at 500 Hz

    Returns
    -------
    ndarray, shape (n_leads,), mV
    """
    step = max(int(ANALYSIS_RATE / 100), 1)
    bend = signal[:, 2 * step :: 4] - 2 * signal[:, step:-step:4] + signal[:, : -2 * step : 4]
    if bend.shape[1] == 0:
        return np.zeros(len(signal))
    noise: FloatArray = 1.4826 * quantiles(np.abs(bend), 0.5)[0] / np.sqrt(6.0)
    return noise
