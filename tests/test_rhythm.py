"""Rhythm plans: what a request fixes, what physiology fixes, and what the denoiser sees of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniecg.attributes import Attributes
from uniecg.errors import InputError
from uniecg.record import LEADS, Record
from uniecg.signal import measure
from uniecg.simulate import CHANNELS, RhythmPlan, plan_from_measurements, plan_rhythm, usual_attributes

RHYTHMS = ("SR", "SBRAD", "STACH", "SARRH", "AFIB", "AFLT", "PVC", "PAC", "BIGU", "TRIGU", "1AVB", "2AVB",
           "3AVB", "PACE", "SVTAC", "PSVT", "SVARR", "LNGQT", "WPW")  # fmt: skip
EXACT = [code for code in RHYTHMS if code != "2AVB"]


def plan(*statements: str, seed: int = 0, duration_s: float = 10.0, **attributes: float) -> RhythmPlan:
    rng = np.random.default_rng(seed)
    return plan_rhythm(statements, Attributes(**attributes), duration_s, rng=rng)  # type: ignore[arg-type]


def cv(p: RhythmPlan) -> float:
    rr = np.diff(p.r_s)
    return float(rr.std() / rr.mean())


@given(code=st.sampled_from(EXACT), rate=st.integers(30, 200), seed=st.integers(0, 10_000))
@settings(max_examples=150, deadline=None)
def test_rate_from_first_to_last_beat_is_the_one_asked_for(code: str, rate: int, seed: int) -> None:
    assert plan(code, seed=seed, heart_rate_bpm=rate).heart_rate_bpm == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize("rate", [45, 60, 80])
def test_second_degree_block_keeps_the_rate_over_a_long_record(rate: int) -> None:
    p = plan("2AVB", heart_rate_bpm=rate, duration_s=120.0)
    assert p.heart_rate_bpm == pytest.approx(rate, abs=1.0)


@given(
    code=st.sampled_from(RHYTHMS),
    rate=st.one_of(st.none(), st.integers(20, 300)),
    duration_s=st.floats(1.0, 60.0),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=150, deadline=None)
def test_events_are_ascending_and_inside_the_record(
    code: str, rate: int | None, duration_s: float, seed: int
) -> None:
    p = plan_rhythm([code], Attributes(heart_rate_bpm=rate), duration_s, rng=np.random.default_rng(seed))
    for times in (p.r_s, p.p_s, p.t_s):
        assert ((times >= 0) & (times < duration_s)).all()
        assert (np.diff(times) > 0).all()
    assert p.beat_class.shape == p.r_s.shape
    assert np.isfinite(p.channels(125, 0.08)).all()


def test_same_seed_same_plan() -> None:
    a, b, other = plan("AFIB", seed=3), plan("AFIB", seed=3), plan("AFIB", seed=4)
    np.testing.assert_array_equal(a.channels(125, 0.08), b.channels(125, 0.08))
    assert a.r_s.tolist() != other.r_s.tolist()


@pytest.mark.parametrize("seed", range(30))
def test_irregularity_of_each_rhythm(seed: int) -> None:
    assert cv(plan("SR", seed=seed)) < 0.08
    assert cv(plan("AFIB", seed=seed)) > 0.14
    assert cv(plan("SARRH", seed=seed)) > 0.05
    assert cv(plan("AFLT", seed=seed)) < 0.02
    assert cv(plan("PACE", seed=seed)) < 0.02


def test_fibrillation_is_irregularly_irregular_above_the_refractory_period() -> None:
    p = plan("AFIB", heart_rate_bpm=110, duration_s=600.0)
    rr = np.diff(p.r_s)
    assert abs(np.corrcoef(rr[:-1], rr[1:])[0, 1]) < 0.1
    assert rr.min() > 0.28
    assert p.atrial == "fibrillation"
    assert p.p_s.size == 0


def test_usual_rates() -> None:
    for seed in range(30):
        assert plan("SBRAD", seed=seed).heart_rate_bpm < 60
        assert plan("STACH", seed=seed).heart_rate_bpm > 100
        assert 60 <= plan("SR", seed=seed).heart_rate_bpm <= 100
        assert plan("3AVB", seed=seed).heart_rate_bpm <= 50
        assert plan("SVTAC", seed=seed).heart_rate_bpm >= 150


def test_pr_interval_sets_the_p_wave() -> None:
    """The onset of P, half a P wave before its peak, lies one PR before the onset of QRS."""
    for pr_ms in (120.0, 160.0, 240.0):
        p = plan("SR", heart_rate_bpm=60, pr_ms=pr_ms, qrs_ms=90)
        before = p.r_s[1] - p.p_s[p.p_s < p.r_s[1]][-1]
        assert before == pytest.approx(pr_ms / 1000, abs=0.02)
    short, long = plan("SR", heart_rate_bpm=60), plan("1AVB", heart_rate_bpm=60)
    assert long.r_s[-1] - long.p_s[long.p_s < long.r_s[-1]][-1] > 0.19
    assert short.r_s[-1] - short.p_s[short.p_s < short.r_s[-1]][-1] < 0.20


def test_qt_shortens_with_the_rate() -> None:
    def r_to_t(rate: float) -> float:
        p = plan("SR", heart_rate_bpm=rate)
        return float(p.t_s[p.t_s > p.r_s[2]][0] - p.r_s[2])

    assert r_to_t(50) > r_to_t(75) > r_to_t(110)
    explicit = plan("SR", heart_rate_bpm=60, qt_ms=480)
    assert explicit.t_s[explicit.t_s > explicit.r_s[2]][0] - explicit.r_s[2] > 0.34


def test_ventricular_premature_beat_has_no_p_wave_and_a_compensatory_pause() -> None:
    p = plan("PVC", heart_rate_bpm=70, seed=1)
    early = np.flatnonzero(p.beat_class == 2)
    assert early.size >= 1
    for beat in early:
        before, after = p.r_s[beat] - p.r_s[beat - 1], p.r_s[beat + 1] - p.r_s[beat]
        assert before < 0.75 * 60 / 70
        assert before + after == pytest.approx(2 * 60 / 70, rel=0.06)
        assert not ((p.p_s > p.r_s[beat] - 0.3) & (p.p_s < p.r_s[beat])).any()


def test_atrial_premature_beat_has_a_p_wave() -> None:
    p = plan("PAC", heart_rate_bpm=60, seed=2)
    beat = np.flatnonzero(p.beat_class == 1)[0]
    assert ((p.p_s > p.r_s[beat] - 0.3) & (p.p_s < p.r_s[beat])).any()


def test_bigeminy_and_trigeminy_alternate() -> None:
    for code, period in (("BIGU", 2), ("TRIGU", 3)):
        early = np.flatnonzero(plan(code, heart_rate_bpm=80).beat_class == 2)
        assert early.size >= 3
        assert set(np.diff(early)) == {period}


def test_complete_block_dissociates_atria_and_ventricles() -> None:
    p = plan("3AVB")
    assert p.p_s.size > 1.3 * p.r_s.size
    pr = [r - p.p_s[p.p_s < r][-1] for r in p.r_s if (p.p_s < r).any()]
    assert np.ptp(pr) > 0.1
    assert 0.0 < np.diff(p.p_s).std() < 0.1 * np.diff(p.p_s).mean()


@pytest.mark.parametrize("seed", range(20))
def test_p_waves_of_complete_block_do_not_keep_step_with_the_beats(seed: int) -> None:
    p = plan("3AVB", heart_rate_bpm=40, seed=seed)
    ratio = np.diff(p.r_s).mean() / np.diff(p.p_s).mean()
    assert 1.3 < ratio < 2.6
    assert abs(ratio - 2.0) > 0.03


def test_wenckebach_lengthens_pr_until_a_beat_is_dropped() -> None:
    p = plan("2AVB", heart_rate_bpm=60, duration_s=30.0, seed=5)
    pr = np.array([r - p.p_s[p.p_s < r][-1] for r in p.r_s[1:]])
    assert p.p_s.size > p.r_s.size
    rises = np.diff(pr)
    assert (rises > 0.01).sum() >= (rises < -0.01).sum() >= 5


def test_channels_tell_where_in_a_step_each_event_is() -> None:
    p = RhythmPlan(10.0, np.array([0.5, 1.29, 2.1]), np.array([0.36]), np.array([0.8]), np.array([0, 2, 3]))
    rows = dict(zip(CHANNELS, p.channels(125, 0.08), strict=True))
    steps = np.flatnonzero(rows["r_present"])
    np.testing.assert_allclose((steps + (rows["r_offset"][steps] + 1) / 2) * 0.08, p.r_s, atol=1e-6)
    assert np.flatnonzero(rows["premature_ventricular"]).tolist() == [steps[1]]
    assert np.flatnonzero(rows["paced"]).tolist() == [steps[2]]
    assert rows["premature_atrial"].sum() == 0
    assert rows["p_present"].sum() == rows["t_present"].sum() == 1


@pytest.mark.parametrize(("n_steps", "step_s"), [(125, 0.08), (1000, 0.01), (37, 0.1), (250, 0.08), (1, 0.5)])
def test_channels_have_any_resolution(n_steps: int, step_s: float) -> None:
    p = plan("SR", heart_rate_bpm=75)
    rows = p.channels(n_steps, step_s)
    assert rows.shape == (len(CHANNELS), n_steps)
    assert rows.dtype == np.float32
    assert rows[0].sum() == (p.r_s < n_steps * step_s).sum()


def test_phase_runs_from_beat_to_beat() -> None:
    p = RhythmPlan(4.0, np.array([1.0, 2.0, 3.0]), np.empty(0), np.empty(0), np.zeros(3))
    rows = dict(zip(CHANNELS, p.channels(400, 0.01), strict=True))
    phase = np.arctan2(rows["phase_sin"], rows["phase_cos"]) / (2 * math.pi) % 1
    np.testing.assert_allclose(phase, (np.arange(400) + 0.5) / 100 % 1, atol=1e-5)
    np.testing.assert_allclose(rows["log_rr"], math.log(1 / 0.8) / 0.3, rtol=1e-5)


def test_plans_without_beats_or_with_one_have_finite_channels() -> None:
    empty = RhythmPlan(10.0, np.empty(0), np.empty(0), np.empty(0), np.empty(0), "fibrillation")
    rows = dict(zip(CHANNELS, empty.channels(125, 0.08), strict=True))
    assert rows["fibrillation"].min() == 1
    assert rows["phase_cos"].max() == 0
    one = RhythmPlan(10.0, np.array([5.0]), np.empty(0), np.empty(0), np.zeros(1))
    assert np.isfinite(one.channels(125, 0.08)).all()
    assert math.isnan(one.heart_rate_bpm)


@pytest.mark.parametrize(
    ("r_s", "beat_class", "duration_s"),
    [([2.0, 1.0], [0, 0], 10.0), ([1.0, math.nan], [0, 0], 10.0), ([1.0], [0, 0], 10.0), ([1.0], [0], 0.0)],
)
def test_impossible_plans_are_refused(r_s: list[float], beat_class: list[int], duration_s: float) -> None:
    with pytest.raises(InputError, match="rhythm plan"):
        RhythmPlan(duration_s, np.array(r_s), np.empty(0), np.empty(0), np.array(beat_class))


def waves(p: RhythmPlan, sampling_rate: float = 500.0) -> Record:
    """Gaussian P, QRS and T waves where the plan has them."""
    t = np.arange(int(p.duration_s * sampling_rate)) / sampling_rate

    def bumps(times: np.ndarray, width_s: float) -> np.ndarray:
        return np.exp(-0.5 * ((t - times[:, None]) / width_s) ** 2).sum(axis=0)

    ecg = 0.15 * bumps(p.p_s, 0.02) + 1.2 * bumps(p.r_s, 0.012) + 0.3 * bumps(p.t_s, 0.04)
    ecg -= 0.3 * bumps(p.r_s + 0.03, 0.01)
    gains = np.array([0.6, 1.0, 0.4, -0.8, 0.1, 0.7, 0.3, 0.6, 0.9, 1.1, 1.0, 0.8])
    return Record(gains[:, None] * ecg, sampling_rate, LEADS)


def test_measuring_a_drawn_plan_gives_the_plan_back() -> None:
    drawn = plan("SR", heart_rate_bpm=72, pr_ms=160, qt_ms=390)
    read = plan_from_measurements(measure(waves(drawn)), ["SR"])
    inner = drawn.r_s[(drawn.r_s > 0.5) & (drawn.r_s < 9.5)]
    nearest = np.abs(read.r_s[:, None] - inner).min(axis=0)
    assert nearest.max() < 0.02
    assert read.heart_rate_bpm == pytest.approx(72, abs=0.5)
    assert read.duration_s == pytest.approx(10.0)
    assert read.atrial == "sinus"
    assert abs(read.p_s.size - read.r_s.size) <= 2
    assert (read.beat_class == 0).all()


def test_statements_settle_what_a_measured_plan_cannot_know() -> None:
    m = measure(waves(plan("SR", heart_rate_bpm=72)))
    fibrillation = plan_from_measurements(m, ["AFIB"])
    assert fibrillation.atrial == "fibrillation"
    assert fibrillation.p_s.size == 0
    assert (plan_from_measurements(m, ["PACE"]).beat_class == 3).all()


def test_usual_attributes_keep_what_is_asked_and_fill_the_rest() -> None:
    rng = np.random.default_rng(0)
    asked = Attributes(heart_rate_bpm=80.0, qrs_ms=150.0, sex="female")
    told = usual_attributes(["SR", "CLBBB"], asked, rng=rng)
    assert (told.heart_rate_bpm, told.qrs_ms, told.sex, told.age) == (80.0, 150.0, "female", None)
    assert 120 <= told.pr_ms <= 200
    assert 300 <= told.qt_ms <= 450
    assert usual_attributes(["CLBBB"], Attributes(), rng=rng).qrs_ms >= 120
    assert usual_attributes(["AFIB"], Attributes(), rng=rng).pr_ms is None
    assert usual_attributes(["1AVB"], Attributes(), rng=rng).pr_ms > 200
