"""Measure a record: rate, intervals, axes, amplitudes, rhythm, quality."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median
from typing import TypedDict

import numpy as np

from uniecg.record import LEADS, Record
from uniecg.signal import quality as q
from uniecg.signal.assess import assess
from uniecg.signal.atrial import SAME_WAVES, atrial_activity, waves_between_beats, without_beats
from uniecg.signal.atrial_waves import UNKNOWN, AVRelation, av_relation
from uniecg.signal.beat_times import beat_times
from uniecg.signal.beats import BeatSet, align_beats, find_r_peaks
from uniecg.signal.filters import BoolArray, FloatArray, fill_gaps, to_analysis_rate
from uniecg.signal.lead_waves import axis_deg, lead_waves, pr_level
from uniecg.signal.measurements import Beats, LeadMeasurements, Measurements
from uniecg.signal.median_beat import BEFORE, Analysis, analyse, prepare
from uniecg.signal.rhythm import Rates, gaps_in, irregularity, rates, rr_intervals
from uniecg.signal.waves import MS, NAN, LeadBounds, Waves

SEXES = {"female": "female", "f": "female", "male": "male", "m": "male"}
MIN_DURATION_S = 0.8
MIN_SAMPLING_RATE = 50.0
MIN_CONSISTENCY, SHARE_ALIKE = 0.55, 0.4
"""Likeness to the dominant beat that this share of beats must have: in bigeminy half of them have another shape."""
POSSIBLE_RATE_BPM = (20.0, 320.0)
POSSIBLE_QRS_MS = (40.0, 280.0)
MIN_QT_LEADS = 5
MIN_DELTA_QRS_MV = 0.3


class _Intervals(TypedDict):
    pr_ms: float
    p_ms: float
    qrs_ms: float
    qt_ms: float
    qtc_bazett_ms: float
    qtc_fridericia_ms: float


def measure(record: Record) -> Measurements:
    """Measure an ECG.

    Never raises on a poor signal: what cannot be measured is NaN, and `Measurements.quality` says why.

    Parameters
    ----------
    record : Record
        Any leads, any length, any sampling rate; millivolt, or normalised amplitudes of unknown scale.

    Returns
    -------
    Measurements

    References
    ----------
    Bazett 1920, Heart 7:353; Fridericia 1920, Acta Med Scand 53:469 (rate correction of QT).
    Kligfield et al. 2007, J Am Coll Cardiol 49:1109 (global intervals from simultaneous leads).
    """
    m = _measured(record)
    quality = assess(record, m)
    # What people would refuse to read is not read: such a lead counts as missing.
    leads = {
        name: LeadMeasurements() if quality.lead_verdict(name) == "unusable" else waves
        for name, waves in m.leads.items()
    }
    return replace(m, quality=quality, leads=leads)


def _measured(record: Record) -> Measurements:
    raw = np.asarray(record.signal, dtype=np.float32)
    filled, valid = fill_gaps(raw)
    good, reasons = q.usable_leads(filled, valid)
    duration_s = raw.shape[1] / float(record.sampling_rate)
    known = _amplitude_known(filled[good], record)
    age = _number(record.metadata.get("age"))
    sex = SEXES.get(str(record.metadata.get("sex", "")).strip().lower())
    rate_too_low = float(record.sampling_rate) < MIN_SAMPLING_RATE
    if duration_s < MIN_DURATION_S or rate_too_low or not good.any():
        verdict = q.verdict(LEADS, reasons, duration_s, 0, rate_too_low=rate_too_low)
        return Measurements(duration_s, verdict, age=age, sex=sex, amplitude_known=known)
    for lead in np.flatnonzero(good & q.clipped(filled, float(record.sampling_rate))):
        reasons[lead].append(q.CLIPPED)
    ready = prepare(to_analysis_rate(filled[good], float(record.sampling_rate)))
    beats = align_beats(ready.calm, find_r_peaks(ready.calm))
    analysis = analyse(ready, beats)
    size = np.ptp(analysis.beat[:, BEFORE - 50 : BEFORE + 75], axis=1)
    drift = np.ptp(ready.level - ready.calm, axis=1)
    noises = q.noise_reasons(size, drift, ready.hum, q.fast_noise(ready.level))
    for lead, named in zip(np.flatnonzero(good), noises, strict=True):
        reasons[lead].extend(named if len(beats.index) else [])
    alike = float((beats.similarity >= MIN_CONSISTENCY).mean())
    consistent = len(beats.index) < 3 or alike >= SHARE_ALIKE
    rr_s = rr_intervals(beats.index, gaps_in(raw[good], float(record.sampling_rate)))
    values = rates(rr_s)
    qrs_ms = (analysis.waves.qrs_off - analysis.waves.qrs_on) / MS
    plausible = _is_plausible(values["heart_rate_bpm"], qrs_ms)
    verdict = q.verdict(
        LEADS, reasons, duration_s, len(beats.index), consistent=consistent, plausible=plausible
    )
    if verdict.verdict == "unusable":
        return Measurements(duration_s, verdict, age=age, sex=sex, amplitude_known=known)
    times = beat_times(ready, beats, analysis, rr_s)
    intervals = _intervals(analysis.waves, times, values)
    leads = dict(
        zip(
            np.array(LEADS)[good].tolist(),
            lead_waves(analysis.beat, analysis.waves, analysis.lead_bounds),
            strict=True,
        )
    )
    rest = _without_ventricles(beats, analysis)
    rate, regularity = atrial_activity(rest) if rest is not None else (NAN, NAN)
    between = waves_between_beats(analysis.levelled, times)
    if between[1] > max(SAME_WAVES, regularity):
        rate, regularity = between
    av = _av(rest, analysis, times)
    return Measurements(
        duration_s,
        verdict,
        **values,
        **intervals,
        rr_irregularity=irregularity(times),
        qrs_axis_deg=_axis(analysis.beat, good, analysis.waves.qrs_on, analysis.waves.qrs_off)
        if known
        else NAN,
        p_axis_deg=_axis(analysis.beat, good, analysis.waves.p_on, analysis.waves.p_off) if known else NAN,
        p_fraction=_p_fraction(times),
        atrial_rate_bpm=rate,
        atrial_regularity=regularity,
        paced_fraction=float(times.paced.mean()),
        qt_dispersion_ms=_qt_dispersion(analysis.lead_bounds),
        delta_ms=_delta(list(leads.values())) if known else NAN,
        p_waves_s=av.p_s,
        p_rate_bpm=av.p_rate_bpm,
        blocked_p_count=av.blocked_p_count,
        pr_range_ms=av.pr_range_ms,
        pr_drift_ms=av.pr_drift_ms,
        beats=times,
        leads={name: leads.get(name, LeadMeasurements()) for name in LEADS},
        age=age,
        sex=sex,
        amplitude_known=known,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _is_plausible(rate_bpm: float, qrs_ms: float) -> bool | None:
    """Judge rate and QRS duration together: False if impossible, None if both lean to the same wrong sampling rate."""
    for value, (low, high) in ((rate_bpm, POSSIBLE_RATE_BPM), (qrs_ms, POSSIBLE_QRS_MS)):
        if math.isfinite(value) and not low <= value <= high:
            return False
    if math.isfinite(rate_bpm) and math.isnan(qrs_ms):
        return None
    slow = rate_bpm < 45.0 and qrs_ms > 160.0
    fast = rate_bpm > 110.0 and qrs_ms < 62.0
    return None if slow or fast else True


def _amplitude_known(signal: FloatArray, record: Record) -> bool:
    """Return False for normalised amplitudes: said so by the metadata, or every lead with the same spread."""
    units = str(record.metadata.get("units", "mV")).lower()
    if units not in {"mv", "uv", "µv", "v", "none", ""}:
        return False
    spread = signal.std(axis=1)
    return len(spread) < 3 or float(spread.std()) > 0.03 * float(spread.mean())


def _intervals(waves: Waves, times: Beats, values: Rates) -> _Intervals:
    qt_ms = (waves.t_off - waves.qrs_on) / MS
    rr_s = values["rr_ms"] / 1000.0
    has_p = _p_fraction(times) >= 0.5
    return {
        "pr_ms": (waves.qrs_on - waves.p_on) / MS if has_p else NAN,
        "p_ms": (waves.p_off - waves.p_on) / MS if has_p else NAN,
        "qrs_ms": (waves.qrs_off - waves.qrs_on) / MS,
        "qt_ms": qt_ms,
        "qtc_bazett_ms": qt_ms / math.sqrt(rr_s) if math.isfinite(rr_s) else NAN,
        "qtc_fridericia_ms": qt_ms / rr_s ** (1 / 3) if math.isfinite(rr_s) else NAN,
    }


def _p_fraction(times: Beats) -> float:
    """Share of beats with a P wave; wide beats of another shape cannot show one and do not count."""
    counted = times.dominant | ~times.wide
    return float(np.isfinite(times.p_peak_s[counted]).mean()) if counted.any() else NAN


def _axis(beat: FloatArray, good: BoolArray, on: float, off: float) -> float:
    """Frontal axis of the area between two boundaries, from any two limb leads."""
    if not (math.isfinite(on) and math.isfinite(off)):
        return NAN
    rows = {name: row for row, name in enumerate(np.array(LEADS)[good].tolist())}
    level = pr_level(beat, on)
    area = {name: float((beat[row, int(on) : int(off) + 1] - level[row]).sum()) for name, row in rows.items()}
    if "I" in area and "aVF" in area:
        return axis_deg(area["I"], area["aVF"])
    if "I" in area and "II" in area:
        return axis_deg(area["I"], area["II"] - 0.5 * area["I"])
    return NAN


def _without_ventricles(beats: BeatSet, analysis: Analysis) -> FloatArray | None:
    waves = analysis.waves
    if not (math.isfinite(waves.qrs_on) and math.isfinite(waves.t_off)):
        return None
    start, stop = int(waves.qrs_on) - 5, int(waves.t_off) + 5
    return without_beats(
        analysis.levelled, beats.index[beats.dominant], analysis.beat[:, start:stop], BEFORE - start
    )


def _av(rest: FloatArray | None, analysis: Analysis, times: Beats) -> AVRelation:
    if rest is None:
        return UNKNOWN
    return av_relation(rest, analysis.beat, analysis.waves, analysis.noise, times)


def _qt_dispersion(bounds: LeadBounds) -> float:
    """Longest less shortest QT over at least five leads with a clear T wave."""
    qt = bounds.t_off - bounds.qrs_on
    qt = qt[np.isfinite(qt)]
    return float(np.ptp(qt)) / MS if qt.size >= MIN_QT_LEADS else NAN


def _delta(leads: list[LeadMeasurements]) -> float:
    large = [lead.delta_ms for lead in leads if lead.qrs_mv >= MIN_DELTA_QRS_MV]
    return median(large) if large else NAN
