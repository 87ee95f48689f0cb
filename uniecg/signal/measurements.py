"""What `uniecg.signal.measure` returns: plain data, NaN where a value is not there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniecg.record import LEADS
from uniecg.signal.filters import BoolArray, FloatArray
from uniecg.signal.quality import Quality

StringArray = NDArray[np.str_]
NAN = float("nan")
FLAT_T_MV = 0.1
"""T waves below 0.1 mV in either direction are called flat (Rautaharju et al. 2009, J Am Coll Cardiol 53:982)."""


def _json(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def _empty() -> FloatArray:
    return np.zeros(0)


def _none() -> BoolArray:
    return np.zeros(0, dtype=bool)


def _unnamed() -> StringArray:
    return np.zeros(0, dtype=np.str_)


@dataclass(frozen=True, eq=False)
class Beats:
    """Times of every beat in seconds from the start of the record, each of shape (n_beats,); NaN where absent.

    Attributes
    ----------
    p_on_s, p_peak_s, p_off_s, qrs_on_s, r_peak_s, qrs_off_s, t_peak_s, t_off_s : ndarray, seconds
    rr_s : ndarray, seconds
        Interval from the beat before; NaN for the first beat and across a gap in the recording.
    premature, wide, dominant, paced : ndarray of bool
        Early beat; QRS of 120 ms or more; beat of the most frequent shape; pacing spike before the QRS.
    kind : ndarray of str
        "dominant", "pac" (premature, conducted), "pvc" (wide, of another shape), "paced", or
        "other" (of another shape and neither, or cut by an end of the record).
    """

    p_on_s: FloatArray = field(default_factory=_empty)
    p_peak_s: FloatArray = field(default_factory=_empty)
    p_off_s: FloatArray = field(default_factory=_empty)
    qrs_on_s: FloatArray = field(default_factory=_empty)
    r_peak_s: FloatArray = field(default_factory=_empty)
    qrs_off_s: FloatArray = field(default_factory=_empty)
    t_peak_s: FloatArray = field(default_factory=_empty)
    t_off_s: FloatArray = field(default_factory=_empty)
    rr_s: FloatArray = field(default_factory=_empty)
    premature: BoolArray = field(default_factory=_none)
    wide: BoolArray = field(default_factory=_none)
    dominant: BoolArray = field(default_factory=_none)
    paced: BoolArray = field(default_factory=_none)
    kind: StringArray = field(default_factory=_unnamed)

    def __len__(self) -> int:
        return len(self.r_peak_s)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return JSON-ready lists."""
        result: dict[str, list[Any]] = {}
        for item in fields(self):
            values = getattr(self, item.name)
            is_number = values.dtype.kind == "f"
            result[item.name] = [_json(value) for value in values] if is_number else values.tolist()
        return result


@dataclass(frozen=True)
class LeadMeasurements:
    """Amplitudes (mV, against the PR segment) and durations (ms) of the dominant beat in one lead.

    Attributes
    ----------
    p_mv, q_mv, r_mv, s_mv, r_prime_mv, t_mv : float, mV
        Signed peak of each wave; 0 where the lead has no such wave. A QS complex counts as Q.
    st_mv : float, mV
        Level 60 ms after the J point.
    j_mv : float, mV
        Level at the J point.
    q_ms, r_ms, s_ms : float, ms
    r_peak_ms : float, ms
        From QRS onset to the peak of the (last) R wave.
    p_terminal_mv, p_terminal_ms : float, mV, ms
        Peak and duration of the last phase of the P wave, against the line between its ends.
    t_second_mv : float, mV
        Peak of the smaller phase of a biphasic T wave; 0 if T has one phase.
    delta_ms : float, ms
        How long the QRS complex begins slurred: until it is half as steep as it gets, in its first direction.
    p_on_shift_ms, p_off_shift_ms, qrs_on_shift_ms, qrs_off_shift_ms, t_peak_shift_ms, t_off_shift_ms : float, ms
        The boundary in this lead less the global one in `Beats`; 0 where the lead alone does not show it.
    """

    p_mv: float = NAN
    q_mv: float = NAN
    q_ms: float = NAN
    r_mv: float = NAN
    r_ms: float = NAN
    s_mv: float = NAN
    s_ms: float = NAN
    r_prime_mv: float = NAN
    r_peak_ms: float = NAN
    j_mv: float = NAN
    st_mv: float = NAN
    t_mv: float = NAN
    p_terminal_mv: float = NAN
    p_terminal_ms: float = NAN
    t_second_mv: float = NAN
    delta_ms: float = NAN
    p_on_shift_ms: float = NAN
    p_off_shift_ms: float = NAN
    qrs_on_shift_ms: float = NAN
    qrs_off_shift_ms: float = NAN
    t_peak_shift_ms: float = NAN
    t_off_shift_ms: float = NAN

    @property
    def tallest_mv(self) -> float:
        """Height of the tallest positive wave of the QRS complex."""
        return max(self.r_mv, self.r_prime_mv)

    @property
    def deepest_mv(self) -> float:
        """Depth of the deepest negative wave of the QRS complex, as a positive number."""
        return -min(self.q_mv, self.s_mv)

    @property
    def qrs_mv(self) -> float:
        """Size of the QRS complex from its lowest to its highest point."""
        return self.tallest_mv + self.deepest_mv

    @property
    def t_polarity(self) -> str | None:
        """ "upright", "inverted", "biphasic" or "flat"; None if T was not measured."""
        if math.isnan(self.t_mv):
            return None
        if min(abs(self.t_mv), abs(self.t_second_mv)) >= FLAT_T_MV:
            return "biphasic"
        return "flat" if abs(self.t_mv) < FLAT_T_MV else "upright" if self.t_mv > 0 else "inverted"

    def to_dict(self) -> dict[str, float | str | None]:
        """Return a JSON-ready dictionary, None where a value is absent."""
        values: dict[str, float | str | None] = {
            item.name: _json(getattr(self, item.name)) for item in fields(self)
        }
        return values | {"t_polarity": self.t_polarity}


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of one record; NaN where a value is not there.

    Attributes
    ----------
    duration_s : float, seconds
    heart_rate_bpm : float, beats per minute
        From the mean RR interval.
    rr_ms, pr_ms, p_ms, qrs_ms, qt_ms, qtc_bazett_ms, qtc_fridericia_ms : float, ms
    rr_cv : float
        Standard deviation over mean of all RR intervals.
    rr_irregularity : float
        Median absolute difference of successive RR intervals over the median RR, wide beats of another
        shape left out.
    qrs_axis_deg, p_axis_deg : float, degrees
        Frontal axes, -180 to 180.
    p_fraction : float
        Share of beats with a P wave, 0 to 1.
    atrial_rate_bpm, atrial_regularity : float
        Strongest rate of the activity between the QRST complexes (150 to 450 per minute) and the share (0 to 1) of
        its power at that rate and its harmonic: high in flutter, low in fibrillation and sinus rhythm. Where a row
        of waves between the beats shows more (above 0.72), its rate and likeness from one cycle to the next.
    paced_fraction : float
        Share of beats behind a pacing spike.
    qt_dispersion_ms : float, ms
        Longest less shortest QT over the leads with a clear T wave.
    delta_ms : float, ms
        Median of `LeadMeasurements.delta_ms` over the leads with a QRS of 0.3 mV or more.
    p_waves_s : ndarray, seconds
        Peaks of all P waves, conducted or not; empty where they are not regular enough to be trusted.
    p_rate_bpm : float, per minute
        Rate of these P waves.
    blocked_p_count : float
        P waves that no QRS complex follows before the next P wave.
    pr_range_ms : float, ms
        Longest less shortest PR interval.
    pr_drift_ms : float, ms
        Median rise of PR from the first to the last conducted beat before a dropped one; NaN without dropped beats.
    amplitude_known : bool
        False if the amplitudes are normalised and mean no millivolts.
    beats : Beats
    leads : mapping of lead name to LeadMeasurements
    quality : Quality
    """

    duration_s: float
    quality: Quality
    heart_rate_bpm: float = NAN
    rr_ms: float = NAN
    rr_cv: float = NAN
    rr_irregularity: float = NAN
    pr_ms: float = NAN
    p_ms: float = NAN
    qrs_ms: float = NAN
    qt_ms: float = NAN
    qtc_bazett_ms: float = NAN
    qtc_fridericia_ms: float = NAN
    qrs_axis_deg: float = NAN
    p_axis_deg: float = NAN
    p_fraction: float = NAN
    atrial_rate_bpm: float = NAN
    atrial_regularity: float = NAN
    paced_fraction: float = NAN
    qt_dispersion_ms: float = NAN
    delta_ms: float = NAN
    p_waves_s: FloatArray = field(default_factory=_empty)
    p_rate_bpm: float = NAN
    blocked_p_count: float = NAN
    pr_range_ms: float = NAN
    pr_drift_ms: float = NAN
    amplitude_known: bool = True
    age: float | None = None
    sex: str | None = None
    beats: Beats = field(default_factory=Beats)
    leads: Mapping[str, LeadMeasurements] = field(default_factory=dict)

    @property
    def sokolow_lyon_mv(self) -> float:
        """S in V1 plus the larger R of V5 and V6 (Sokolow & Lyon 1949); NaN without millivolts."""
        v1, v5, v6 = (self._in_mv(lead) for lead in ("V1", "V5", "V6"))
        return v1.deepest_mv + max(v5.tallest_mv, v6.tallest_mv)

    @property
    def cornell_mv(self) -> float:
        """R in aVL plus S in V3 (Casale et al. 1987); NaN without millivolts."""
        return self._in_mv("aVL").tallest_mv + self._in_mv("V3").deepest_mv

    @property
    def rs_transition(self) -> float:
        """Chest lead, counted from V1 and interpolated, in which R becomes as large as S; NaN if it never does.

        Usual is 3 to 4 (Surawicz & Knilans 2008). With R/S = 1 halfway between V3 and V4 in logarithms, it is 3.5.
        """
        waves = [self._in_mv(lead) for lead in LEADS[6:]]
        if any(math.isnan(wave.r_mv) for wave in waves):
            return NAN
        ratio = [math.log(max(wave.tallest_mv, 0.01) / max(wave.deepest_mv, 0.01)) for wave in waves]
        if ratio[0] >= 0.0:
            return 1.0
        for number, (before, after) in enumerate(pairwise(ratio), start=1):
            if after >= 0.0:
                return number + before / (before - after)
        return NAN

    def _in_mv(self, lead: str) -> LeadMeasurements:
        """Measurements of a lead if they are in millivolt, else all NaN."""
        known = self.leads.get(lead) if self.amplitude_known else None
        return LeadMeasurements() if known is None else known

    def lead_times(self, lead: str) -> dict[str, FloatArray]:
        """Boundaries of the dominant beats' waves in one lead.

        Parameters
        ----------
        lead : str

        Returns
        -------
        dict of str to ndarray, shape (n_beats,), seconds
            ``p_on_s``, ``p_off_s``, ``qrs_on_s``, ``qrs_off_s``, ``t_peak_s``, ``t_off_s`` as in `Beats`; those of
            another shape keep their global boundaries.
        """
        own = self.leads.get(lead, LeadMeasurements())
        times: dict[str, FloatArray] = {}
        for name in ("p_on", "p_off", "qrs_on", "qrs_off", "t_peak", "t_off"):
            shift_ms = np.nan_to_num(getattr(own, f"{name}_shift_ms"))
            times[f"{name}_s"] = getattr(self.beats, f"{name}_s") + self.beats.dominant * shift_ms / 1000.0
        return times

    def to_dict(self) -> dict[str, object]:
        """Return a JSON-ready dictionary, None where a value is absent."""
        nested = {"quality", "beats", "leads", "p_waves_s"}
        result: dict[str, object] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in nested:
                result[item.name] = _json(value) if isinstance(value, float) else value
        for name in ("sokolow_lyon_mv", "cornell_mv", "rs_transition"):
            result[name] = _json(getattr(self, name))
        result["p_waves_s"] = [_json(value) for value in self.p_waves_s]
        result["quality"] = self.quality.to_dict()
        result["beats"] = self.beats.to_dict()
        result["leads"] = {name: lead.to_dict() for name, lead in self.leads.items()}
        return result
