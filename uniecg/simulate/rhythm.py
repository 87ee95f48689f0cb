"""Drawing rhythm plans: the timeline of P waves, QRS complexes and T waves from statements and attributes.

Times are peaks in seconds from the start of the record. Statements are SCP-ECG codes.

References
----------
.. [1] Bazett HC. An analysis of the time-relations of electrocardiograms. Heart 1920;7:353-370
   (QT = QTc * sqrt(RR)).
.. [2] Task Force of ESC and NASPE. Heart rate variability. Circulation 1996;93:1043-1065 (respiratory band
   0.15-0.4 Hz, slow band 0.04-0.15 Hz).
.. [3] Tateno K, Glass L. Automatic detection of atrial fibrillation using the coefficient of variation and
   density histograms of RR and delta-RR intervals. Med Biol Eng Comput 2001;39:664-671 (RR cv about 0.24).
.. [4] Bootsma BK et al. Analysis of R-R intervals in patients with atrial fibrillation at rest and during
   exercise. Circulation 1970;41:783-794 (successive RR intervals are uncorrelated).
.. [5] Waldo AL. Treatment of atrial flutter. Heart 2000;84:227-232 (240-340 waves a minute, usually near 300,
   conducted 2:1 or 4:1).
.. [6] Kusumoto FM et al. 2018 ACC/AHA/HRS guideline on bradycardia and cardiac conduction delay. Circulation
   2019;140:e382-e482 (first degree: PR > 200 ms; Mobitz I: PR grows before the dropped beat; third degree: P
   and QRS unrelated).
.. [7] Surawicz B, Knilans TK. Chou's Electrocardiography in Clinical Practice, 6th ed. 2008 (PR 120-200 ms,
   premature beats and their pauses, sinus arrhythmia as RR variation above 10 %).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from uniecg.attributes import Attributes
from uniecg.simulate.plan import (
    CHANNELS,
    NORMAL,
    PACED,
    PREMATURE_ATRIAL,
    PREMATURE_VENTRICULAR,
    REFERENCE_RR_S,
    Floats,
    Ints,
    RhythmPlan,
    atrial_activity,
    plan_from_measurements,
)
from uniecg.simulate.timeline import P_ONSET_TO_PEAK_S, R_PEAK_IN_QRS, Timeline, Timing

__all__ = [
    "CHANNELS",
    "RhythmPlan",
    "draw_timeline",
    "plan_from_measurements",
    "plan_rhythm",
    "usual_attributes",
]

LOWEST_BPM, HIGHEST_BPM = 20.0, 300.0
SECOND_DEGREE = frozenset({"2AVB", "2AVB1", "2AVB2", "2AVB21"})
REFRACTORY_S = 0.30  # the AV node hardly conducts faster, even in fibrillation [4]
TYPICAL_QTC_MS = 405.0
MIN_P_SHIFT_S = 0.04  # one small square: from beat to beat PR changes visibly in complete block

# Resting rate of each rhythm, beats a minute: (lowest, highest) when the request names none.
RATE_RANGES: dict[str, tuple[float, float]] = {
    "VT": (130.0, 200.0), "JUNC": (42.0, 58.0), "2AVB21": (30.0, 44.0), "2AVB1": (46.0, 72.0), "2AVB2": (46.0, 68.0),
    "3AVB": (28.0, 48.0), "2AVB": (40.0, 62.0), "PSVT": (150.0, 210.0), "SVTAC": (150.0, 210.0),
    "PACE": (60.0, 80.0), "AFIB": (65.0, 130.0), "SBRAD": (42.0, 58.0), "STACH": (102.0, 140.0),
    "SARRH": (58.0, 85.0), "SVARR": (65.0, 95.0), "SR": (60.0, 95.0),
}  # fmt: skip


def plan_rhythm(
    statements: Collection[str],
    attributes: Attributes,
    duration_s: float = 10.0,
    *,
    rng: np.random.Generator,
) -> RhythmPlan:
    """Draw the timeline of an ECG with these statements and attributes.

    The rate counted from the first to the last QRS complex equals `attributes.heart_rate_bpm` in every rhythm
    but second-degree block (there: over whole cycles). What is not asked for is drawn from what is usual for
    the rhythm.

    Parameters
    ----------
    statements : collection of str
        SCP-ECG codes; codes that say nothing about timing are ignored. Without a rhythm code: sinus rhythm.
    attributes : Attributes
        `heart_rate_bpm`, `pr_ms`, `qrs_ms` and `qt_ms` are used.
    duration_s : float
        Length of the record, s.
    rng : numpy.random.Generator
        Source of everything that is drawn.

    Returns
    -------
    RhythmPlan

    References
    ----------
    Listed at the head of this module: QT [1]_, sinus variation [2]_, fibrillation [3]_ [4]_, flutter [5]_,
    blocks [6]_, premature beats [7]_.
    """
    return draw_timeline(statements, attributes, duration_s, rng=rng).plan()


def draw_timeline(
    statements: Collection[str],
    attributes: Attributes,
    duration_s: float = 10.0,
    *,
    rng: np.random.Generator,
) -> Timeline:
    """Draw what `plan_rhythm` makes a plan of, with the events that a plan leaves out.

    Parameters
    ----------
    statements : collection of str
        As in `plan_rhythm`; also "2AVB1", "2AVB2" and "2AVB21" (Mobitz I, Mobitz II, 2:1), "JUNC" (junctional
        rhythm), "VT" (ventricular tachycardia) and "COUPLET" (two premature ventricular beats in a row).
    attributes : Attributes
    duration_s : float, s
    rng : numpy.random.Generator

    Returns
    -------
    Timeline
    """
    codes = frozenset(statements)
    rate = _rate(codes, attributes, rng)
    timing = _timing(codes, attributes, 60.0 / rate, rng)
    if "3AVB" in codes:
        return _complete_block(rate, timing, duration_s, rng)
    if codes & SECOND_DEGREE and not codes & {"AFIB", "AFLT"}:
        return _second_degree_block(codes, rate, timing, duration_s, rng)
    rr_s = 60.0 / rate
    first_s = float(rng.uniform(0.0, min(rr_s, duration_s)))
    n_inside = max(0, math.ceil((duration_s - first_s) / rr_s) - 1)
    # One interval more on either side: the P wave or T wave of a beat outside may fall inside.
    shape = _interval_shape(codes, rr_s, n_inside + 2, rng)
    kind = PACED if "PACE" in codes else PREMATURE_VENTRICULAR if "VT" in codes else NORMAL
    beat_class = np.full(n_inside + 3, kind, dtype=np.int64)
    _insert_premature(codes, shape, beat_class, rng)
    if n_inside:
        shape[1:-1] *= n_inside / shape[1:-1].sum()
    # The beats on either side stay outside, or the rate would not be the one asked for.
    shape[0] = max(shape[0], 1.001 * first_s / rr_s)
    shape[-1] = max(shape[-1], 1.001 * ((duration_s - first_s) / rr_s - n_inside))
    r_s = first_s + rr_s * np.concatenate([[-shape[0], 0.0], np.cumsum(shape[1:])])
    if "VT" in codes:
        return _dissociated(r_s, beat_class, timing, duration_s, rng.uniform(60.0, 90.0), rng)
    atrial = "none" if "JUNC" in codes else atrial_activity(codes)
    has_p = beat_class != PREMATURE_VENTRICULAR if atrial == "sinus" else np.zeros(r_s.size, dtype=bool)
    p_of_beat = np.where(has_p, np.cumsum(has_p) - 1, -1)
    return Timeline(
        duration_s, r_s, timing.p_peak(r_s)[has_p], beat_class, timing, atrial, p_of_beat=p_of_beat
    )


def usual_attributes(
    statements: Collection[str], attributes: Attributes, *, rng: np.random.Generator
) -> Attributes:
    """Fill in rate and intervals that are not asked for with what is usual for the statements.

    Parameters
    ----------
    statements : collection of str
        SCP-ECG codes.
    attributes : Attributes
        What is asked for; stays as it is.
    rng : numpy.random.Generator
        Source of what is drawn.

    Returns
    -------
    Attributes
        With rate, QRS and QT, and with PR where P waves are conducted.
    """
    codes = frozenset(statements)
    rate = _rate(codes, attributes, rng)
    timing = _timing(codes, attributes, 60.0 / rate, rng)
    conducted = not codes & {"AFIB", "AFLT", "3AVB", "SVTAC", "PSVT"}
    return replace(
        attributes,
        heart_rate_bpm=round(rate, 1),
        pr_ms=round(1000 * timing.pr_s) if conducted else attributes.pr_ms,
        qrs_ms=round(1000 * timing.qrs_s),
        qt_ms=round(1000 * timing.qt_s),
    )


def _rate(codes: frozenset[str], attributes: Attributes, rng: np.random.Generator) -> float:
    """Ventricular rate, beats a minute."""
    if attributes.heart_rate_bpm is not None:
        return float(np.clip(attributes.heart_rate_bpm, LOWEST_BPM, HIGHEST_BPM))
    if "AFLT" in codes:
        return flutter_rate(rng)
    rhythm = next((code for code in RATE_RANGES if code in codes), "SR")
    return float(rng.uniform(*RATE_RANGES[rhythm]))


def flutter_rate(rng: np.random.Generator) -> float:
    """Ventricular rate of flutter whose waves are conducted 2:1, 3:1 or 4:1 [5], beats a minute."""
    return float(rng.uniform(270.0, 320.0) / rng.choice([2, 3, 4], p=[0.45, 0.1, 0.45]))


def _timing(codes: frozenset[str], attributes: Attributes, rr_s: float, rng: np.random.Generator) -> Timing:
    """PR, QRS and QT as asked, or as usual for the statements and the rate."""
    pr_ms, qrs_ms, qt_ms = attributes.pr_ms, attributes.qrs_ms, attributes.qt_ms
    if pr_ms is None:
        if codes & {"1AVB", "LPR"}:
            pr_ms = rng.uniform(210.0, 300.0)
        elif "WPW" in codes:
            pr_ms = rng.uniform(85.0, 115.0)
        else:
            pr_ms = np.clip(rng.normal(158.0, 18.0), 120.0, 200.0)
    if qrs_ms is None:
        wide = bool(codes & {"CLBBB", "CRBBB", "PACE", "IVCD", "WPW"})
        qrs_ms = rng.uniform(125.0, 160.0) if wide else np.clip(rng.normal(92.0, 9.0), 70.0, 110.0)
    if qt_ms is None:
        qtc_ms = rng.uniform(480.0, 540.0) if "LNGQT" in codes else rng.normal(TYPICAL_QTC_MS, 15.0)
        qt_ms = np.clip(qtc_ms * math.sqrt(rr_s), 200.0, 650.0)
    return Timing(float(pr_ms) / 1000, float(qrs_ms) / 1000, float(qt_ms) / 1000)


def _interval_shape(codes: frozenset[str], rr_s: float, n: int, rng: np.random.Generator) -> Floats:
    """RR intervals relative to their mean, before premature beats."""
    if "AFIB" in codes and "PACE" not in codes:
        return _fibrillation(rr_s, n, rng)
    if codes & {"PACE", "AFLT", "SVTAC", "PSVT", "JUNC", "VT"}:
        return 1.0 + rng.normal(0.0, 0.003, n)
    if "SARRH" in codes:
        cv, breathing = rng.uniform(0.09, 0.16), 0.85
    else:
        # 0.8 to 5.5 % as in PTB-XL; vagal variation fades as the rate rises [2].
        cv = math.exp(rng.uniform(math.log(0.008), math.log(0.055))) * min(1.0, (rr_s / REFERENCE_RR_S) ** 2)
        breathing = rng.uniform(0.3, 0.8)
    beat = rr_s * np.arange(n)
    breath = np.sin(2 * np.pi * (rng.uniform(0.18, 0.35) * beat + rng.uniform()))
    slow = np.sin(2 * np.pi * (rng.uniform(0.04, 0.15) * beat + rng.uniform()))
    # Sines times sqrt(2) and the noise have a standard deviation of 1; the squared weights add up to 1.
    jitter = np.clip(rng.normal(0.0, 1.0, n), -2.0, 2.0)
    waves = math.sqrt(2.0) * (breathing * breath + math.sqrt(0.91 - breathing**2) * slow)
    return np.asarray(np.clip(1.0 + cv * (waves + 0.3 * jitter), 0.6, 1.6), dtype=np.float64)


def _fibrillation(rr_s: float, n: int, rng: np.random.Generator) -> Floats:
    """Independent intervals above the refractory period, cv about 0.15 to 0.30 [3], [4]."""
    floor = min(REFRACTORY_S / rr_s, 0.75)
    target = rng.uniform(0.17, 0.28)
    spread = min(target / (1.0 - floor), 1.0)
    sigma = math.sqrt(math.log(1.0 + spread**2))
    draws = floor + (1.0 - floor) * np.exp(rng.normal(-(sigma**2) / 2, sigma, (16, n)))
    # A short record may look regular by chance; of a few draws the one nearest to the target is taken.
    inside = draws[:, 1:-1] if n > 3 else draws
    cv = inside.std(axis=1) / inside.mean(axis=1)
    return np.asarray(draws[np.argmin(np.abs(cv - target))])


def _insert_premature(
    codes: frozenset[str], shape: Floats, beat_class: Ints, rng: np.random.Generator
) -> None:
    """Shorten the interval before each premature beat and lengthen the one after it, in place.

    After a ventricular one the pause is fully compensatory (the sinus node was not disturbed); an atrial one
    resets the sinus node, so the pause is shorter [7].
    """
    last = beat_class.size - 2  # the last beat inside; the first is 1
    for beat, kind in _premature_beats(codes, last, rng):
        if kind == PREMATURE_VENTRICULAR:
            coupling = rng.uniform(0.55, 0.70)
            pause = 2.0 - coupling
        else:
            coupling, pause = rng.uniform(0.60, 0.78), rng.uniform(1.02, 1.15)
        shape[beat - 1], shape[beat] = coupling, pause
        beat_class[beat] = kind


def _premature_beats(codes: frozenset[str], last: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Which beats (1 .. last in a pattern over the whole record, else 2 .. last - 1) come early, and of which kind."""
    for code, period in (("BIGU", 2), ("TRIGU", 3)):
        if code in codes:
            kind = PREMATURE_ATRIAL if "PAC" in codes and "PVC" not in codes else PREMATURE_VENTRICULAR
            return [(beat, kind) for beat in range(1 + int(rng.integers(period)), last + 1, period)]
    if "COUPLET" in codes:
        first = [beat for beat in (3, 9) if beat + 2 < last]
        return [(beat + step, PREMATURE_VENTRICULAR) for beat in first for step in (0, 1)]
    wanted = [PREMATURE_VENTRICULAR] * ("PVC" in codes) + [PREMATURE_ATRIAL] * bool(codes & {"PAC", "PRC(S)"})
    if "SVARR" in codes:
        wanted += [PREMATURE_ATRIAL] * 2
    if wanted:
        wanted += [wanted[0]] * int(rng.integers(0, 1 + max(1, last // 8)))
    places = np.arange(2 + int(rng.integers(2)), last, 2)  # every second: never two in a row
    chosen = rng.permutation(places)[: len(wanted)]
    return [(int(beat), kind) for beat, kind in zip(chosen, wanted, strict=False)]


def _complete_block(rate: float, timing: Timing, duration_s: float, rng: np.random.Generator) -> Timeline:
    """Third-degree block: regular escape beats, P waves at their own, faster pace [6]."""
    rr_s = 60.0 / rate
    # Where P keeps step with QRS by chance, the record shows 2:1 or 3:1 block instead.
    rates = np.maximum(rng.uniform(68.0, 98.0, 8), 1.3 * rate)
    apart = np.abs(rates / rate - np.round(rates / rate)) * 60.0 / rates >= MIN_P_SHIFT_S
    atrial_rate = float(rates[np.argmax(apart)])
    r_s = np.arange(rng.uniform(-rr_s, 0.0), duration_s + rr_s, rr_s)
    return _dissociated(r_s, np.zeros(r_s.size, dtype=np.int64), timing, duration_s, atrial_rate, rng)


def _dissociated(
    r_s: Floats,
    beat_class: Ints,
    timing: Timing,
    duration_s: float,
    atrial_rate_bpm: float,
    rng: np.random.Generator,
) -> Timeline:
    """Atria at a pace of their own, that of a sinus node."""
    pp_s = 60.0 / atrial_rate_bpm
    cycles = _interval_shape(frozenset(), pp_s, math.ceil(1.3 * duration_s / pp_s) + 2, rng)
    p_s = rng.uniform(-pp_s, 0.0) + pp_s * np.concatenate([[0.0], np.cumsum(cycles)])
    p_s = p_s[p_s < duration_s]
    unled = np.full(r_s.size, -1, dtype=np.int64)
    return Timeline(duration_s, r_s, p_s, beat_class, timing, "sinus", conducted=False, p_of_beat=unled)


def _second_degree_block(
    codes: frozenset[str], rate: float, timing: Timing, duration_s: float, rng: np.random.Generator
) -> Timeline:
    """Mobitz I: PR grows by ever smaller steps until a P wave is dropped; below 45/min fixed 2:1 [6].

    Mobitz II, where it is asked for: PR stays as it is.
    """
    two_to_one = "2AVB21" in codes or (rate < 45.0 and not codes & {"2AVB1", "2AVB2"})
    typed = bool(codes & {"2AVB1", "2AVB2"})
    # P waves a cycle, the last one dropped; in groups of three the type cannot be told.
    group = 2 if two_to_one else int(rng.choice([4, 5, 6] if typed else [3, 4, 5]))
    pp_s = 60.0 / rate * (group - 1) / group
    p_onset_s = np.arange(rng.uniform(-2 * pp_s, -pp_s), duration_s + pp_s, pp_s)
    place = (np.arange(p_onset_s.size) + int(rng.integers(group))) % group
    first_s, fade = (0.04, 0.55) if "2AVB1" in codes else (0.09, 0.5)
    growth_s = np.concatenate([[0.0], np.cumsum(first_s * fade ** np.arange(group - 1))])
    if "2AVB2" in codes:
        growth_s[:] = 0.0
    led = place < group - 1
    r_s = (p_onset_s + timing.pr_s + growth_s[place] + R_PEAK_IN_QRS * timing.qrs_s)[led]
    beat_class = np.zeros(r_s.size, dtype=np.int64)
    p_s = p_onset_s + P_ONSET_TO_PEAK_S
    return Timeline(
        duration_s, r_s, p_s, beat_class, timing, "sinus", conducted=False, p_of_beat=np.flatnonzero(led)
    )
