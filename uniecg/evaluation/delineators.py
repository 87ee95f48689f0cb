"""Programs that mark waves: this package, and others to compare with (extra ``compare``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import signal as sps

from uniecg.errors import InputError, require
from uniecg.evaluation.wave_marks import FloatArray, Marks
from uniecg.record import LEADS, Record
from uniecg.signal import Measurements, measure
from uniecg.signal.criteria import findings

Delineator = Callable[[Record], Marks | Measurements]
"""Marks of a record, or measurements that hold them (see `marks_of`)."""


def uniecg() -> Delineator:
    """All measurements and criteria of this package."""

    def run(record: Record) -> Measurements:
        m = measure(record)
        findings(m)
        return m

    return run


def marks_of(m: Measurements) -> Marks:
    """Marks of all leads from the measurements of this package.

    Parameters
    ----------
    m : Measurements
    """
    return {lead: _marks(m, lead) for lead in LEADS}


def _marks(m: Measurements, lead: str) -> dict[str, FloatArray]:
    beats, own = m.beats, m.lead_times(lead)
    waves = {
        "p": (own["p_on_s"], beats.p_peak_s, own["p_off_s"]),
        "qrs": (own["qrs_on_s"], beats.r_peak_s, own["qrs_off_s"]),
        "t": (np.full(len(beats), np.nan), own["t_peak_s"], own["t_off_s"]),
    }
    marks = {wave: np.stack(times, axis=1) for wave, times in waves.items()}
    return {wave: rows[np.isfinite(rows[:, 1])] for wave, rows in marks.items()}


def neurokit2() -> Delineator:
    """NeuroKit2 with its defaults: ``ecg_clean``, ``ecg_peaks``, ``ecg_delineate`` (wavelets), lead by lead."""
    nk: Any = require("neurokit2", "compare")

    def lead(signal: FloatArray, rate: float) -> Mapping[str, FloatArray]:
        clean = nk.ecg_clean(signal, sampling_rate=rate)
        _, info = nk.ecg_peaks(clean, sampling_rate=rate)
        peaks = np.asarray(info["ECG_R_Peaks"])
        _, found = nk.ecg_delineate(clean, peaks, sampling_rate=rate)

        def rows(wave: str) -> FloatArray:
            at = peaks if wave == "R" else found[f"ECG_{wave}_Peaks"]
            return _rows(found[f"ECG_{wave}_Onsets"], at, found[f"ECG_{wave}_Offsets"], rate)

        return {"p": rows("P"), "qrs": rows("R"), "t": rows("T")}

    return _lead_by_lead(lead)


def biosppy() -> Delineator:
    """BioSPPy with its defaults: the Hamilton segmenter, Q, S, P and T positions from templates, lead by lead."""
    ecg: Any = require("biosppy.signals.ecg", "compare")

    def lead(signal: FloatArray, rate: float) -> Mapping[str, FloatArray]:
        found = ecg.ecg(signal, rate, show=False)
        q, s = ecg.getQPositions(found), ecg.getSPositions(found)
        p, t = ecg.getPPositions(found), ecg.getTPositions(found)
        return {
            "p": _rows(p["P_start_positions"], p["P_positions"], p["P_end_positions"], rate),
            "qrs": _rows(q["Q_start_positions"], found["rpeaks"], s["S_end_positions"], rate),
            "t": _rows(t["T_start_positions"], t["T_positions"], t["T_end_positions"], rate),
        }

    return _lead_by_lead(lead)


def openecg() -> Delineator:
    """OpenECG's boundary detector with the weights in its package (trained on a part of LUDB), lead by lead."""
    detector = require("openecg.deploy", "compare").Inference()

    def lead(signal: FloatArray, rate: float) -> Mapping[str, FloatArray]:
        n = round(len(signal) * 250.0 / rate)
        slow = sps.resample_poly(signal, 1, 2) if rate == 500.0 else sps.resample(signal, n)
        found: dict[str, list[tuple[float, float, float]]] = {"p": [], "qrs": [], "t": []}
        for number, window in enumerate(detector.predict(slow)):
            for wave in window:
                on, off = (10.0 * number + at / 250.0 for at in (wave.start, wave.end))
                found[wave.name.lower()].append((on, 0.5 * (on + off), off))
        return {wave: np.array(rows).reshape(-1, 3) for wave, rows in found.items()}

    return _lead_by_lead(lead)


def openecg_codec() -> Delineator:
    """OpenECG's codec (P, QRS and T of every sample, with the weights in its package), lead by lead."""
    encode = require("openecg", "compare").encode
    model = require("openecg.deploy", "compare").OnnxCodec()
    names = {1: "p", 2: "qrs", 3: "t", 4: "qrs"}

    def lead(signal: FloatArray, rate: float) -> Mapping[str, FloatArray]:
        fast = signal if rate == 500.0 else sps.resample(signal, round(len(signal) * 500.0 / rate))
        found: dict[str, list[tuple[float, float, float]]] = {"p": [], "qrs": [], "t": []}
        for on, off, kind in encode(fast[:5000], fs=500, model=model).events("frame"):
            if kind in names:
                found[names[kind]].append((on / 500.0, 0.5 * (on + off) / 500.0, off / 500.0))
        return {wave: np.array(rows).reshape(-1, 3) for wave, rows in found.items()}

    return _lead_by_lead(lead)


DELINEATORS: Mapping[str, Callable[[], Delineator]] = {
    "neurokit2": neurokit2,
    "openecg": openecg,
    "openecg-codec": openecg_codec,
    "biosppy": biosppy,
}
"""Name of another package -> what makes its delineator (imports it)."""


def load(name: str) -> Delineator:
    """Import another package and return its delineator.

    Raises
    ------
    InputError
        If the name is not one of `DELINEATORS`.
    MissingDependencyError
        If the package is not installed.
    """
    if name not in DELINEATORS:
        raise InputError(f"--against {name}: not one of {', '.join(DELINEATORS)}")
    return DELINEATORS[name]()


def _rows(on: Any, peak: Any, off: Any, rate: float) -> FloatArray:
    """Samples of three lists, as seconds; the lists of some packages differ in length: then waves go by their peak."""
    peaks = np.asarray(peak, dtype=np.float64)
    ons, offs = np.asarray(on, dtype=np.float64), np.asarray(off, dtype=np.float64)
    rows = np.full((len(peaks), 3), np.nan)
    rows[:, 1] = peaks
    for column, times, inside in ((0, ons, -1.0), (2, offs, 1.0)):
        if len(times) == len(peaks):
            rows[:, column] = times
            continue
        for row, at in enumerate(peaks):
            beyond = times[(inside * (times - at) >= 0) & (np.abs(times - at) < 0.2 * rate)]
            rows[row, column] = beyond[np.argmin(np.abs(beyond - at))] if beyond.size else np.nan
    return rows[np.isfinite(peaks)] / rate


def _lead_by_lead(lead: Callable[[FloatArray, float], Mapping[str, FloatArray]]) -> Delineator:
    nothing = {wave: np.zeros((0, 3)) for wave in ("p", "qrs", "t")}

    def run(record: Record) -> Marks:
        marks: dict[str, Mapping[str, FloatArray]] = {}
        for name in LEADS:
            try:
                marks[name] = lead(np.asarray(record[name], dtype=np.float64), float(record.sampling_rate))
            except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError):
                marks[name] = nothing  # these packages raise on leads in which they find no beats
        return marks

    return run
