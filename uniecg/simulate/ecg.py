"""Simulated 12-lead ECGs: statements and attributes in, a record and the exact truth about it out."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from uniecg.attributes import Attributes
from uniecg.errors import InputError
from uniecg.record import LEADS, Record, derive_limb_leads
from uniecg.simulate.atrial import fibrillation, flutter
from uniecg.simulate.heart import Heart, atrial_humps, normal_heart, vary, vector, ventricular_humps
from uniecg.simulate.intervals import person
from uniecg.simulate.lead_field import REVERSALS, draw_lead_field
from uniecg.simulate.noise import Noise, clip, draw_noise, noise_signal
from uniecg.simulate.patterns import ACTIVATION, ectopic, retrograde_p
from uniecg.simulate.plan import NORMAL, PACED, PREMATURE_ATRIAL, PREMATURE_VENTRICULAR, Floats
from uniecg.simulate.repolarisation import REPOLARISATION
from uniecg.simulate.request import check_numbers, sinus_of
from uniecg.simulate.rhythm import draw_timeline
from uniecg.simulate.size import set_axis, set_voltage
from uniecg.simulate.timeline import P_ONSET_TO_PEAK_S, Timeline
from uniecg.simulate.truth import MARKS, BeatTimes, Extent, Simulation, extent
from uniecg.simulate.waves import Hump, add_beats

RHYTHM_CODES = (
    "SR", "SBRAD", "STACH", "SARRH", "AFIB", "AFLT", "SVTAC", "PSVT", "SVARR", "JUNC", "VT", "PVC", "PAC", "PRC(S)",
    "BIGU", "TRIGU", "COUPLET", "1AVB", "LPR", "2AVB", "2AVB1", "2AVB2", "2AVB21", "3AVB",
)  # fmt: skip
RHYTHMS_OF_THEIR_OWN = frozenset({
    "SBRAD", "STACH", "SARRH", "AFIB", "AFLT", "SVTAC", "PSVT", "JUNC", "VT", "PACE", "2AVB", "2AVB1", "2AVB2",
    "2AVB21", "3AVB",
})  # fmt: skip
"""Beside them no sinus rhythm is named."""
OTHER_CODES = ("NORM", "LNGQT", "LVOLT", *(f"REVERSAL {name}" for name in REVERSALS))
OWN_NAMES: dict[str, str] = {
    "2AVB1": "second degree AV block type Mobitz I", "2AVB2": "second degree AV block type Mobitz II",
    "2AVB21": "2:1 AV block", "JUNC": "junctional rhythm", "VT": "ventricular tachycardia",
    "COUPLET": "ventricular couplets", "SHQT": "short QT interval", "PERICARDITIS": "acute pericarditis",
    "EARLY REPOLARISATION": "early repolarisation", "HYPERK": "hyperkalaemia", "HYPOK": "hypokalaemia",
    "STEMI anterior": "acute anterior myocardial infarction", "STEMI inferior": "acute inferior myocardial infarction",
    "STEMI lateral": "acute lateral myocardial infarction", "STEMI posterior": "acute posterior myocardial infarction",
    **{f"REVERSAL {name}": f"interchanged electrodes {name}" for name in REVERSALS},
}  # fmt: skip
"""Names of the statements that are no SCP-ECG codes."""

SIMULATED: frozenset[str] = frozenset({*RHYTHM_CODES, *ACTIVATION, *REPOLARISATION, *OTHER_CODES})
"""Statements that can be simulated: SCP-ECG codes, and names of our own where that vocabulary has no word."""

KINDS = {NORMAL: "dominant", PREMATURE_ATRIAL: "pac", PREMATURE_VENTRICULAR: "pvc", PACED: "paced"}
WIDE_ESCAPE_MS = 118.0
STEADY_PR_MS = 12.0
"""Where PR changes more from beat to beat, as in Wenckebach, the record has no one PR interval."""
BREATHING_SHARE = 0.04
"""How much QRS and T grow and shrink with breathing (Surawicz & Knilans 2008)."""


@dataclass(frozen=True, eq=False)
class _Beat:
    """One kind of beat: its humps from the onset of QRS, and how far they reach."""

    qrs: list[Hump]
    st_t: list[Hump]
    qrs_extent: Extent
    t_extent: Extent


def simulate(
    statements: Collection[str],
    attributes: Attributes | None = None,
    duration_s: float = 10.0,
    *,
    rng: np.random.Generator,
    sampling_rate: float = 500.0,
    noise: float | Noise = 0.0,
) -> Simulation:
    """Simulate an ECG.

    Dipoles of the atria, of ventricular activation and of repolarisation are drawn as functions of time and seen
    through the lead field of one person (Dower's matrix, turned and scaled). I, II and V1 to V6 are independent, the
    other limb leads follow from I and II.

    Parameters
    ----------
    statements : collection of str
        Members of `SIMULATED`. Without a rhythm among them: sinus rhythm.
    attributes : Attributes, optional
        Age, sex, rate, PR, QRS, QT and axis that are wanted; the rest is drawn from what goes with the statements.
    duration_s : float, s
    rng : numpy.random.Generator
        Source of everything that is drawn.
    sampling_rate : float, Hz
    noise : float or Noise
        0 for none, 1 for an ordinary recording, 3 for a poor one; or exactly which.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        If a statement cannot be simulated, or numbers are impossible or contradict each other.

    References
    ----------
    Dower GE et al. Clin Cardiol 1980;3:87-95 (lead field); the modules of this package name the sources of each
    pattern.
    """
    codes = tuple(dict.fromkeys(statements))
    unknown = [code for code in codes if code not in SIMULATED]
    if unknown:
        raise InputError(
            f"cannot simulate {', '.join(unknown)}; known statements: {', '.join(sorted(SIMULATED))}"
        )
    wanted = attributes or Attributes()
    check_numbers(wanted, duration_s, sampling_rate, noise)
    told, age, sex = person(codes, wanted, rng)
    timing_codes = set(codes)
    if "2AVB" in codes and not timing_codes & {"2AVB1", "2AVB2", "2AVB21", "3AVB"}:
        timing_codes.add(
            "2AVB21" if (told.heart_rate_bpm or 0.0) < 46.0 else str(rng.choice(["2AVB1", "2AVB2"]))
        )
    timeline = draw_timeline(timing_codes, told, duration_s, rng=rng)
    timing = timeline.timing
    heart = normal_heart(rng, age, sex)
    field = draw_lead_field(rng)
    for table in (ACTIVATION, REPOLARISATION):
        for code, pattern in table.items():
            if code in codes:
                pattern(heart, timing.qrs_s, rng)
    if "3AVB" in codes and 1000.0 * timing.qrs_s >= WIDE_ESCAPE_MS and not set(codes) & set(ACTIVATION):
        ectopic(heart, rng)
    set_axis(heart, field, told.qrs_axis_deg)
    set_voltage(heart, field, timing.qrs_s, codes, sex)
    n_samples = round(duration_s * sampling_rate)
    main, main_timing = heart, timing
    seen = field  # by the leads as they are named, whatever electrode they hold
    for name, matrix in REVERSALS.items():
        if f"REVERSAL {name}" in codes:
            seen = matrix @ seen
    conducted = _beat(heart, timing.qrs_s, timing.qt_s, seen)
    ventricular = conducted
    if timeline.ventricular.any():
        other, wide = copy.copy(heart), timing.ventricular
        ectopic(other, rng)
        if timeline.ventricular.all():
            set_axis(other, field, told.qrs_axis_deg)
            main, main_timing = other, wide
        set_voltage(other, field, wide.qrs_s, (), sex)
        ventricular = _beat(other, wide.qrs_s, wide.qt_s, seen)
    total = np.zeros((3, n_samples))
    _add_ventricles(total, timeline, conducted, ventricular, sampling_rate, rng)
    p_s, p_of_beat, p_extents = _add_atria(total, timeline, heart, seen, codes, sampling_rate, rng)
    spikes_s = _add_spikes(total, timeline, sampling_rate, rng)
    eight: Floats = seen @ total
    added = noise if isinstance(noise, Noise) else draw_noise(noise, duration_s, rng)
    if added != Noise():
        eight = clip(eight + noise_signal(added, n_samples, sampling_rate, rng), added)
    plan = timeline.plan()
    statements_shown = _shown_statements(codes, timing_codes, plan.heart_rate_bpm)
    metadata = {"age": age, "sex": sex, "source": "simulated by UniECG", "statements": list(statements_shown)}
    record = Record(derive_limb_leads(eight.astype(np.float32)), sampling_rate, metadata=metadata)
    beats = _beat_times(timeline, conducted, ventricular, p_s, p_of_beat, p_extents, spikes_s)
    pr_ms = 1000.0 * (beats.times["qrs_on"] - beats.times["p_on"])
    pr_ms = pr_ms[np.isfinite(pr_ms)]
    steady = pr_ms.size > 0 and float(np.ptp(pr_ms)) < STEADY_PR_MS
    shown = replace(
        told,
        heart_rate_bpm=None if math.isnan(plan.heart_rate_bpm) else round(plan.heart_rate_bpm, 2),
        pr_ms=told.pr_ms if steady else None,
        qrs_ms=round(1000.0 * main_timing.qrs_s, 1),
        qt_ms=round(1000.0 * main_timing.qt_s, 1),
        qrs_axis_deg=round(set_axis(main, seen), 1),
    )
    return Simulation(record, statements_shown, shown, plan, beats, added)


def _shown_statements(
    codes: tuple[str, ...], timing_codes: Collection[str], rate_bpm: float
) -> tuple[str, ...]:
    """What was asked for, with the kind of block that was drawn and the sinus rhythm that nobody mentioned."""
    found = (*codes, *sorted(set(timing_codes) - set(codes)))
    if set(codes) & RHYTHMS_OF_THEIR_OWN or math.isnan(rate_bpm):
        return found
    sinus = sinus_of(rate_bpm)
    return (*(code for code in found if code != "SR"), sinus) if sinus not in found else found


def _beat(heart: Heart, qrs_s: float, qt_s: float, field: Floats) -> _Beat:
    qrs, st_t = ventricular_humps(heart, qrs_s, qt_s)
    t = [hump for hump in st_t if hump.soft]
    return _Beat(qrs, st_t, extent(qrs, field, soft=False), extent(t, field, soft=True))


def _onsets(timeline: Timeline) -> Floats:
    return np.where(
        timeline.ventricular,
        timeline.timing.ventricular.qrs_on(timeline.r_s),
        timeline.timing.qrs_on(timeline.r_s),
    )


def _add_ventricles(
    total: Floats,
    timeline: Timeline,
    conducted: _Beat,
    ventricular: _Beat,
    sampling_rate: float,
    rng: np.random.Generator,
) -> None:
    onset_s = _onsets(timeline)
    breath = np.sin(2.0 * np.pi * (rng.uniform(0.18, 0.33) * onset_s + rng.uniform()))
    scale = 1.0 + BREATHING_SHARE * rng.uniform(0.3, 1.0) * breath
    for kind, beat in ((~timeline.ventricular, conducted), (timeline.ventricular, ventricular)):
        add_beats(total, beat.qrs + beat.st_t, onset_s[kind], sampling_rate, scale[kind])


def _add_atria(
    total: Floats,
    timeline: Timeline,
    heart: Heart,
    field: Floats,
    codes: Collection[str],
    sampling_rate: float,
    rng: np.random.Generator,
) -> tuple[Floats, NDArray[np.int64], list[Extent]]:
    """Add atrial activity; peaks of P waves, which one led to each beat, and the extent of each from its onset."""
    n_samples = total.shape[1]
    nothing = np.full(timeline.r_s.size, -1, dtype=np.int64)
    if timeline.atrial == "fibrillation":
        total += fibrillation(n_samples, sampling_rate, rng)
    elif timeline.atrial == "flutter":
        total += flutter(timeline, n_samples, sampling_rate, rng)
    if "JUNC" in codes and rng.random() < 0.5:  # the atria are excited backwards, behind QRS
        retrograde_p(heart)
        humps = atrial_humps(heart, 0.2)
        onset_s = _onsets(timeline) + timeline.timing.qrs_s + float(rng.uniform(0.02, 0.05))
        add_beats(total, humps, onset_s, sampling_rate)
        return onset_s + P_ONSET_TO_PEAK_S, nothing, []
    if timeline.p_s.size == 0:
        return timeline.p_s, nothing, []
    early = np.zeros(timeline.p_s.size, dtype=bool)
    led = timeline.p_of_beat
    early[led[(timeline.beat_class == PREMATURE_ATRIAL) & (led >= 0)]] = True
    usual = atrial_humps(heart, timeline.timing.pr_s)
    extents = [extent(_p_only(usual), field, soft=True)]
    groups = [(~early, usual)]
    if early.any():
        # The early P wave begins elsewhere in the atria.
        other = copy.copy(heart)
        size = float(np.linalg.norm(heart.right_atrium))
        other.right_atrium = 0.8 * size * _unit(vary(rng, vector(-0.2, 0.5, 0.4), 0.6))
        groups.append((early, atrial_humps(other, timeline.timing.pr_s)))
        extents.append(extent(_p_only(groups[1][1]), field, soft=True))
    shown = timeline.shown_p
    onset_s = timeline.p_s - P_ONSET_TO_PEAK_S
    for kind, humps in groups:
        add_beats(total, humps, onset_s[kind & shown], sampling_rate)
    index = np.where((led >= 0) & shown[np.maximum(led, 0)], led, -1)
    return np.where(shown, timeline.p_s, np.nan), index, [extents[int(kind)] for kind in early]


def _p_only(humps: list[Hump]) -> list[Hump]:
    """Without atrial repolarisation."""
    return [hump for hump in humps if hump.soft]


def _unit(value: Floats) -> Floats:
    return np.asarray(value / max(float(np.linalg.norm(value)), 1e-9))


def _add_spikes(total: Floats, timeline: Timeline, sampling_rate: float, rng: np.random.Generator) -> Floats:
    """Stimuli of a pacemaker, 2 ms before QRS."""
    paced = timeline.beat_class == PACED
    if not paced.any():
        return np.empty(0)
    spikes_s = np.round((_onsets(timeline)[paced] - 0.002) * sampling_rate) / sampling_rate
    size = float(rng.uniform(0.5, 1.1))
    spike = Hump(size * vary(rng, vector(0.35, 0.9, -0.3), 0.2), 0.0, 0.0025, 0.0025)
    add_beats(total, [spike], spikes_s, sampling_rate)
    return np.asarray(spikes_s[(spikes_s >= 0.0) & (spikes_s < timeline.duration_s)])


def _beat_times(
    timeline: Timeline,
    conducted: _Beat,
    ventricular: _Beat,
    p_s: Floats,
    p_of_beat: NDArray[np.int64],
    p_extents: list[Extent],
    spikes_s: Floats,
) -> BeatTimes:
    """Put the extents of the waves where the beats are."""
    onset_s, duration_s = _onsets(timeline), timeline.duration_s
    next_on_s = np.append(onset_s[1:], np.inf)
    n = onset_s.size
    times = {name: np.full(n, np.nan) for name in MARKS}
    leads = {name: np.full((n, len(LEADS)), np.nan) for name in MARKS}

    def put(names: tuple[str, str, str], beats: NDArray[np.bool_], at_s: Floats, wave: Extent) -> None:
        for name, place, lead_place in zip(
            names,
            (wave.on_s, wave.peak_s, wave.off_s),
            (wave.lead_on_s, wave.lead_peak_s, wave.lead_off_s),
            strict=True,
        ):
            times[name][beats] = at_s + place
            leads[name][beats] = at_s[:, None] + lead_place

    for kind, beat in ((~timeline.ventricular, conducted), (timeline.ventricular, ventricular)):
        put(("qrs_on", "r_peak", "qrs_off"), kind, onset_s[kind], beat.qrs_extent)
        put(("t_on", "t_peak", "t_off"), kind, onset_s[kind], beat.t_extent)
    for beat_index in np.flatnonzero(p_of_beat >= 0).tolist():
        p = int(p_of_beat[beat_index])
        one = np.arange(n) == beat_index
        put(("p_on", "p_peak", "p_off"), one, p_s[p : p + 1] - P_ONSET_TO_PEAK_S, p_extents[p])
    for name in MARKS:
        late = times[name] > next_on_s
        for values in (times[name], leads[name]):
            # What the next QRS complex covers, or lies outside of the record, cannot be seen.
            values[late] = np.nan
            values[~((values >= 0.0) & (values < duration_s))] = np.nan
    inside = np.isfinite(times["r_peak"])
    return BeatTimes(
        {name: values[inside] for name, values in times.items()},
        {name: values[inside] for name, values in leads.items()},
        np.array([KINDS[kind] for kind in timeline.beat_class.tolist()])[inside],
        p_s[(p_s >= 0.0) & (p_s < duration_s)],
        spikes_s,
    )
