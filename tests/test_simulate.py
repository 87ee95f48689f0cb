"""Simulated ECGs measure as what was asked for, look like what they are called, and the truth about them holds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from uniecg.attributes import Attributes
from uniecg.errors import InputError
from uniecg.evaluation.generation import find_beats, heart_rate_bpm, lead_residual_mv
from uniecg.evaluation.simulator import shows
from uniecg.record import LEADS
from uniecg.signal import measure
from uniecg.signal.criteria import findings
from uniecg.simulate import OWN_NAMES, SIMULATED, Noise, Simulation, simulate
from uniecg.simulate.lead_field import DOWER, frontal_axis_deg
from uniecg.simulate.noise import NoiseEvent
from uniecg.simulate.patterns import ACTIVATION
from uniecg.simulate.truth import MARKS
from uniecg.simulate.waves import Hump, curves, soft_hump
from uniecg.text.statements import STATEMENTS


def draw(
    *statements: str,
    seed: int = 0,
    noise: float | Noise = 0.0,
    duration_s: float = 10.0,
    **attributes: object,
) -> Simulation:
    wanted = Attributes(**attributes)  # type: ignore[arg-type]
    return simulate(statements, wanted, duration_s, rng=np.random.default_rng(seed), noise=noise)


# Humps: where waves begin and end


def test_humps_peak_at_one_and_are_zero_outside_of_their_limits() -> None:
    hump = Hump(np.ones(3), 0.05, 0.02, 0.03, hold_s=0.01)
    heights = curves([hump], np.array([0.029, 0.03, 0.05, 0.055, 0.06, 0.075, 0.09, 0.095]))[0]
    np.testing.assert_allclose(heights[[0, 1, 6, 7]], 0.0, atol=1e-12)
    np.testing.assert_allclose(heights[[2, 3, 4]], 1.0)
    assert 0.3 < heights[5] < 0.4  # cos(45 degrees) cubed


def test_soft_humps_have_a_twentieth_of_their_height_where_they_are_last_visible() -> None:
    heights = curves([soft_hump(np.ones(3), 0.1, 0.05, 0.08)], np.array([0.05, 0.18]))[0]
    np.testing.assert_allclose(heights, 0.05, rtol=1e-6)


def test_a_leftward_dipole_has_an_axis_near_zero_and_a_downward_one_near_ninety() -> None:
    left, down = DOWER[:2, 0], DOWER[:2, 1]
    assert abs(frontal_axis_deg(*left)) < 10
    assert abs(frontal_axis_deg(*down) - 90) < 20


# What is asked for is what is measured


@pytest.mark.parametrize("rate", [50.0, 75.0, 100.0, 150.0])
def test_measured_rate_is_the_rate_asked_for(rate: float) -> None:
    drawn = draw("SR", seed=int(rate), heart_rate_bpm=rate)
    assert drawn.attributes.heart_rate_bpm == pytest.approx(rate, abs=0.1)
    assert measure(drawn.record).heart_rate_bpm == pytest.approx(rate, abs=1)
    assert heart_rate_bpm(find_beats(drawn.record)) == pytest.approx(rate, abs=1)  # XQRS of wfdb


@pytest.mark.parametrize(
    ("statement", "pr_ms", "qrs_ms", "qt_ms"),
    [("SR", 150, 85, 380), ("SR", 190, 104, 420), ("1AVB", 260, 95, 400), ("CRBBB", 160, 140, 420)],
)
def test_measured_intervals_are_those_asked_for(
    statement: str, pr_ms: float, qrs_ms: float, qt_ms: float
) -> None:
    asked = {"heart_rate_bpm": 70.0, "pr_ms": pr_ms, "qrs_ms": qrs_ms, "qt_ms": qt_ms}
    drawn = draw(statement, seed=5, **asked)
    m = measure(drawn.record)
    for name, limit in (("pr_ms", 8), ("qrs_ms", 6), ("qt_ms", 12)):
        assert getattr(drawn.attributes, name) == asked[name]
        assert getattr(m, name) == pytest.approx(asked[name], abs=limit)


@pytest.mark.parametrize("axis", [-60.0, -10.0, 45.0, 100.0, 170.0])
def test_measured_axis_is_the_axis_asked_for(axis: float) -> None:
    drawn = draw("SR", seed=2, qrs_axis_deg=axis)
    assert drawn.attributes.qrs_axis_deg == pytest.approx(axis, abs=0.5)
    assert abs((measure(drawn.record).qrs_axis_deg - axis + 180) % 360 - 180) < 6


def test_what_is_not_asked_for_goes_with_the_diagnosis() -> None:
    blocks = [draw("CLBBB", seed=seed).attributes for seed in range(20)]
    normals = [draw("NORM", seed=seed).attributes for seed in range(20)]
    assert min(a.qrs_ms or 0 for a in blocks) >= 120 > 112 > max(a.qrs_ms or 999 for a in normals)
    assert np.mean([a.age or 0 for a in blocks]) > np.mean([a.age or 0 for a in normals]) + 10
    both = draw("CRBBB", "LAFB").attributes
    assert (both.qrs_ms or 0) >= 120
    assert {a.sex for a in normals} == {"female", "male"}


# The look of a normal ECG


def test_normal_ecg_has_the_features_a_reader_expects() -> None:
    for seed in range(6):
        m = measure(draw("NORM", seed=seed).record)
        assert m.leads["II"].p_mv > 0.04
        avr = m.leads["aVR"]
        assert max(avr.r_mv, avr.r_prime_mv) < -min(avr.q_mv, avr.s_mv)
        r = [m.leads[f"V{number}"].r_mv for number in (1, 2, 3)]
        assert r[0] < r[1] < r[2]
        assert -m.leads["V1"].s_mv > r[0]
        assert all(m.leads[lead].t_mv > 0.05 for lead in ("II", "V2", "V3", "V4", "V5"))
        assert all(abs(m.leads[lead].j_mv) < 0.15 for lead in LEADS)


def test_normal_p_waves_point_down_and_left() -> None:
    normals = [measure(draw("NORM", seed=seed).record) for seed in range(12)]
    assert 45.0 < np.median([m.p_axis_deg for m in normals]) < 75.0  # normal: 0 to 75 degrees
    assert max(m.p_axis_deg for m in normals) < 90.0
    assert all(0.015 < m.leads["I"].p_mv < m.leads["II"].p_mv < 0.25 for m in normals)
    assert min(m.leads["V1"].p_terminal_mv for m in normals) > -0.1  # below: the left atrium is enlarged
    assert measure(draw("NORM", "REVERSAL LA/RA", seed=3).record).leads["I"].p_mv < -0.015


def test_women_have_lower_voltages_and_old_people_an_axis_further_left() -> None:
    def mean(quantity: str, **person: object) -> float:
        drawn = (draw("NORM", seed=seed, **person) for seed in range(12))
        return float(np.mean([getattr(measure(d.record).leads["V4"], quantity) for d in drawn]))

    assert mean("r_mv", age=40.0, sex="male") > 1.05 * mean("r_mv", age=40.0, sex="female")
    axis = {
        age: np.mean([draw("NORM", seed=seed, age=age).attributes.qrs_axis_deg or 0 for seed in range(12)])
        for age in (25.0, 80.0)
    }
    assert axis[25.0] > axis[80.0] + 10


# Diagnoses


@pytest.mark.parametrize(
    "statement",
    ["CLBBB", "CRBBB", "IRBBB", "LAFB", "LPFB", "IVCD", "WPW", "LVH", "RVH", "LAO/LAE", "RAO/RAE", "IMI", "AMI", "LMI",
     "STEMI inferior", "STEMI anterior", "STEMI posterior", "ISCLA", "INJIN", "PERICARDITIS", "EARLY REPOLARISATION",
     "LNGQT", "SHQT", "LVOLT", "HYPERK", "AFIB", "AFLT", "SVARR", "3AVB", "2AVB", "2AVB1", "2AVB21", "PACE", "PVC",
     "PAC", "BIGU", "VT", "REVERSAL LA/RA"],
)  # fmt: skip
def test_diagnosis_meets_its_criteria(statement: str) -> None:
    met = [shows(statement, measure(draw(statement, seed=seed, noise=1.0).record)) for seed in range(10)]
    assert sum(met) >= 8


def test_normals_raise_hardly_any_alarm() -> None:
    found = [set(findings(measure(draw("NORM", seed=seed, noise=1.0).record))) for seed in range(20)]
    assert sum(bool(codes - {"SR", "NORM"}) for codes in found) <= 2


def test_acute_inferior_infarction_has_reciprocal_depression_in_avl() -> None:
    m = measure(draw("STEMI inferior", seed=1).record)
    assert m.leads["III"].j_mv > 0.1
    assert m.leads["aVL"].j_mv < -0.05


def test_every_scp_statement_can_be_simulated_and_every_other_one_has_a_name() -> None:
    assert set(STATEMENTS) <= SIMULATED
    assert SIMULATED - set(STATEMENTS) == set(OWN_NAMES)


@pytest.mark.parametrize("statement", sorted(SIMULATED))
def test_every_statement_gives_a_finite_record_that_keeps_einthoven(statement: str) -> None:
    drawn = draw(statement, seed=7, noise=2.0, duration_s=4.0)
    assert drawn.record.signal.shape == (12, 2000)
    assert np.isfinite(drawn.record.signal).all()
    assert 0.05 < np.abs(drawn.record.signal).max() < 12.0
    assert lead_residual_mv(drawn.record.signal) < 1e-5
    assert statement in drawn.statements
    json.dumps(drawn.to_dict(), allow_nan=False)


@pytest.mark.parametrize("first", sorted(ACTIVATION))
def test_patterns_of_activation_can_be_combined(first: str) -> None:
    for second in ACTIVATION:
        drawn = draw(first, second, "IMI", seed=1, duration_s=2.0)
        assert np.isfinite(drawn.record.signal).all()
        assert np.abs(drawn.record.signal).max() < 8.0


# Rhythms


@pytest.mark.parametrize(
    ("asked", "rate", "shown"),
    [
        (("SR",), 45.0, ("SBRAD",)),
        ((), 75.0, ("SR",)),
        (("CLBBB",), 120.0, ("CLBBB", "STACH")),
        (("AFIB", "CRBBB"), 80.0, ("AFIB", "CRBBB")),
        (("2AVB",), 40.0, ("2AVB", "2AVB21")),
    ],
)
def test_the_truth_names_the_rhythm_that_was_drawn(
    asked: tuple[str, ...], rate: float, shown: tuple[str, ...]
) -> None:
    drawn = simulate(asked, Attributes(heart_rate_bpm=rate), rng=np.random.default_rng(0))
    assert drawn.statements == shown


def test_the_truth_of_interchanged_electrodes_is_that_of_the_leads_as_they_are_named() -> None:
    asked = Attributes(qrs_axis_deg=40.0)
    right, swapped = (
        simulate(codes, asked, rng=np.random.default_rng(3)) for codes in (["SR"], ["REVERSAL LA/RA"])
    )
    measured = measure(swapped.record).qrs_axis_deg
    assert swapped.attributes.qrs_axis_deg == pytest.approx(measured, abs=10)
    assert right.attributes.qrs_axis_deg == pytest.approx(40.0, abs=1)
    # Left and right arm interchanged: II shows what III showed.
    np.testing.assert_array_equal(swapped.beats.in_lead("II")["t_on"], right.beats.in_lead("III")["t_on"])


def test_hypokalaemia_has_a_u_wave_larger_than_t() -> None:
    drawn = simulate(["HYPOK"], Attributes(heart_rate_bpm=60), rng=np.random.default_rng(0))
    times, v3 = drawn.beats.in_lead("V3"), drawn.record["V3"]
    at = np.round(drawn.record.sampling_rate * np.stack([times["t_peak"], times["t_off"] + 0.05])[:, 1:-1])
    t, u = v3[at.astype(int)]
    assert (u > t + 0.05).all()


def test_bigeminy_begins_and_ends_with_the_pattern() -> None:
    for seed in range(10):
        kind = draw("BIGU", seed=seed).beats.kind
        assert ((kind == "pvc")[1:] != (kind == "pvc")[:-1]).all()


def test_fibrillation_has_no_p_waves_and_irregular_beats() -> None:
    drawn = draw("AFIB", seed=3)
    assert np.isnan(drawn.beats.times["p_on"]).all()
    assert drawn.beats.p_waves_s.size == 0
    rr = np.diff(drawn.beats.times["r_peak"])
    assert rr.std() / rr.mean() > 0.12


@pytest.mark.parametrize(("rate", "ratio"), [(150.0, 2), (100.0, 3), (75.0, 4)])
def test_flutter_waves_go_a_whole_number_to_a_beat(rate: float, ratio: int) -> None:
    drawn = draw("AFLT", seed=1, heart_rate_bpm=rate, duration_s=20.0)
    lead = drawn.record["aVL"].astype(float)
    power = np.abs(np.fft.rfft(lead * np.hanning(lead.size))) ** 2
    hz = np.fft.rfftfreq(lead.size, 1 / 500)
    near = np.abs(hz - ratio * rate / 60) < 0.3
    others = (hz > 3.8) & (hz < 6.0) & ~near
    assert power[near].max() > power[others].max()


def test_wenckebach_prolongs_pr_and_mobitz_two_does_not() -> None:
    def pr(code: str) -> np.ndarray:
        times = draw(code, seed=4, duration_s=20.0).beats.times
        return np.asarray(times["qrs_on"] - times["p_on"])

    assert np.nanmax(pr("2AVB1")) - np.nanmin(pr("2AVB1")) > 0.04
    assert np.nanmax(pr("2AVB2")) - np.nanmin(pr("2AVB2")) < 0.002
    blocked = draw("2AVB21", seed=4).beats
    assert blocked.p_waves_s.size >= 2 * len(blocked) - 2


def test_premature_beats_are_named_in_the_truth_and_wide_where_they_are_ventricular() -> None:
    drawn = draw("PVC", "PAC", seed=6)
    kinds = drawn.beats.kind.tolist()
    assert "pvc" in kinds
    assert "pac" in kinds
    width = drawn.beats.times["qrs_off"] - drawn.beats.times["qrs_on"]
    early = drawn.beats.kind == "pvc"
    assert np.nanmin(width[early]) > 0.14 > np.nanmax(width[~early])
    couplet = draw("COUPLET", seed=1).beats.kind
    assert ((couplet[1:] == "pvc") & (couplet[:-1] == "pvc")).any()


def test_ventricular_tachycardia_is_wide_fast_and_dissociated() -> None:
    drawn = draw("VT", seed=2, heart_rate_bpm=170.0)
    m = measure(drawn.record)
    assert m.qrs_ms > 120
    assert m.heart_rate_bpm == pytest.approx(170, abs=1)
    assert drawn.attributes.pr_ms is None
    assert 8 <= drawn.beats.p_waves_s.size <= 17
    assert set(drawn.beats.kind) == {"pvc"}


def test_every_paced_beat_has_its_spike() -> None:
    drawn = draw("PACE", seed=1)
    onset = drawn.beats.times["qrs_on"]
    ahead = onset[np.isfinite(onset)][:, None] - drawn.beats.spikes_s
    assert (np.abs(ahead - 0.002).min(axis=1) < 0.003).all()
    assert measure(drawn.record).paced_fraction > 0.8


# Truth


def test_waves_of_a_beat_follow_each_other_in_all_leads_together_and_in_each() -> None:
    order = [name for name in MARKS if name != "t_on"]  # T begins under the ST segment
    beats = draw("SR", seed=9, heart_rate_bpm=60.0).beats
    inner = np.flatnonzero(np.isfinite([beats.times[name] for name in order]).all(axis=0))
    assert inner.size >= 7
    table = np.stack([beats.times[name][inner] for name in order])
    assert (np.diff(table, axis=0) > 0).all()
    for lead in LEADS:
        times = beats.in_lead(lead)
        for first, last in (("p_on", "p_off"), ("qrs_on", "qrs_off"), ("t_on", "t_off")):
            extent = times[last] - times[first]
            assert (extent[np.isfinite(extent)] > 0).all()
        inside = times["qrs_on"][inner] >= beats.times["qrs_on"][inner] - 0.002
        assert inside[np.isfinite(times["qrs_on"][inner])].all()


def test_between_t_and_p_the_signal_is_level_and_qrs_stands_where_the_truth_says() -> None:
    drawn = draw("SR", seed=9, heart_rate_bpm=55.0)
    time_s = np.arange(drawn.record.n_samples) / 500
    times = drawn.beats.times
    for end, start in zip(times["t_off"][:-1], times["p_on"][1:], strict=True):
        calm = (time_s > end + 0.05) & (time_s < start - 0.04)
        assert calm.sum() > 20
        assert np.abs(drawn.record.signal[:, calm]).max() < 1e-3
    slope = np.abs(np.diff(drawn.record.signal, axis=1)).max(axis=0)
    steep = time_s[np.flatnonzero(slope > 0.3 * slope.max())]
    beats = (steep[:, None] >= times["qrs_on"]) & (steep[:, None] <= times["qrs_off"])
    assert beats.any(axis=1).all()


def test_r_peaks_of_the_truth_are_found_by_an_independent_detector() -> None:
    drawn = draw("SR", seed=11, heart_rate_bpm=80.0)
    found = find_beats(drawn.record)
    apart = np.abs(found[:, None] - drawn.beats.times["r_peak"]).min(axis=1)
    assert np.median(apart) < 0.03
    assert abs(found.size - len(drawn.beats)) <= 1


def test_the_same_seed_gives_the_same_ecg_and_another_seed_another() -> None:
    first, again, other = (
        draw("AFIB", seed=1, noise=1.0),
        draw("AFIB", seed=1, noise=1.0),
        draw("AFIB", seed=2),
    )
    assert first.record == again.record
    assert first.to_dict() == again.to_dict()
    assert not np.array_equal(first.record.signal, other.record.signal)


@pytest.mark.parametrize("rate", [100.0, 250.0, 1000.0])
def test_sampling_rate_and_length_are_those_asked_for(rate: float) -> None:
    drawn = simulate(["SR"], None, 7.5, rng=np.random.default_rng(0), sampling_rate=rate)
    assert drawn.record.sampling_rate == rate
    assert drawn.record.duration_s == pytest.approx(7.5)


# Noise and electrodes


def test_noise_is_the_noise_named() -> None:
    event = NoiseEvent("pop", "V3", 4.0, 5.0)
    clean = draw("SR", seed=3, noise=Noise())
    noisy = draw("SR", seed=3, noise=Noise(events=(event,)))
    added = noisy.record.signal - clean.record.signal
    touched = np.abs(added).max(axis=1) > 0.1
    assert [lead for lead, is_touched in zip(LEADS, touched, strict=True) if is_touched] == ["V3"]
    moments = np.flatnonzero(np.abs(added[LEADS.index("V3")]) > 0.05) / 500
    assert moments.min() >= 4.0
    assert moments.max() <= 5.0
    assert noisy.noise.events == (event,)


def test_mains_hum_has_its_frequency_and_clipping_its_level() -> None:
    clean = draw("SR", seed=3, noise=Noise())
    added = draw("SR", seed=3, noise=Noise(mains_mv=0.05, mains_hz=60.0)).record.signal - clean.record.signal
    spectrum = np.abs(np.fft.rfft(added[LEADS.index("V2")]))
    assert np.fft.rfftfreq(5000, 1 / 500)[spectrum.argmax()] == pytest.approx(60.0)
    clipped = draw("SR", seed=3, noise=Noise(clip_mv=0.4)).record
    assert max(np.abs(clipped[lead]).max() for lead in ("I", "II", "V3", "V4")) == pytest.approx(0.4)


def test_stronger_noise_is_more_noise() -> None:
    levels = []
    for strength in (0.0, 1.0, 3.0):
        drawn = [draw("SR", seed=seed, noise=strength).noise for seed in range(20)]
        levels.append(np.mean([noise.wander_mv + noise.muscle_mv for noise in drawn]))
    assert levels[0] == 0.0 < levels[1] < levels[2]


def test_interchanged_arm_electrodes_turn_lead_one_over_and_leave_the_chest_alone() -> None:
    right, wrong = draw("SR", seed=5), draw("SR", "REVERSAL LA/RA", seed=5)
    np.testing.assert_allclose(wrong.record["I"], -right.record["I"], atol=1e-6)
    np.testing.assert_allclose(wrong.record["II"], right.record["III"], atol=1e-6)
    np.testing.assert_allclose(wrong.record["aVR"], right.record["aVL"], atol=1e-6)
    np.testing.assert_allclose(wrong.record["V4"], right.record["V4"], atol=1e-6)


# Errors


def test_unknown_statements_and_impossible_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="cannot simulate XYZ"):
        draw("XYZ")
    with pytest.raises(InputError, match=r"0\.1 s"):
        draw("SR", duration_s=0.1)
