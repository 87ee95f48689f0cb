"""Measuring synthetic records whose truth is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_ecg import P_BEFORE_R_S, P_HALF_S, bump, regular, synthetic

from uniecg.record import LEADS, Record
from uniecg.signal import measure


@pytest.mark.parametrize("rate_bpm", [30, 50, 60, 75, 90, 110, 130, 150, 180, 220, 245])
def test_rate_is_measured_within_one_beat_per_minute(rate_bpm: int) -> None:
    stretch = min(1.0, np.sqrt(60.0 / rate_bpm))
    m = measure(synthetic(regular(rate_bpm), stretch=stretch, p=rate_bpm < 160))
    assert m.heart_rate_bpm == pytest.approx(rate_bpm, abs=1.0)
    assert m.rr_cv < 0.01


def test_intervals_of_a_known_beat() -> None:
    m = measure(synthetic(regular(70)))
    # The QRS begins 42 ms before R and ends 46 ms after it; a wave's foot is too flat to be seen for a few ms.
    assert m.qrs_ms == pytest.approx(88, abs=12)
    assert m.pr_ms == pytest.approx(1000 * (P_BEFORE_R_S + P_HALF_S - 0.042), abs=20)
    assert m.qt_ms == pytest.approx(1000 * (0.28 + 0.09 + 0.042), abs=30)
    assert m.qtc_bazett_ms == pytest.approx(m.qt_ms / np.sqrt(m.rr_ms / 1000))
    assert m.qtc_fridericia_ms == pytest.approx(m.qt_ms / np.cbrt(m.rr_ms / 1000))
    assert m.p_fraction == 1.0


def test_every_beat_gets_its_times() -> None:
    r_s = regular(70)
    beats = measure(synthetic(r_s)).beats
    np.testing.assert_allclose(beats.r_peak_s, r_s, atol=0.006)
    inner = slice(1, -1)
    np.testing.assert_allclose(beats.p_peak_s[inner], r_s[inner] - P_BEFORE_R_S, atol=0.012)
    np.testing.assert_allclose(beats.t_peak_s[inner], r_s[inner] + 0.28, atol=0.02)
    assert not beats.premature.any()
    assert not beats.wide.any()
    assert beats.dominant.all()


def test_no_p_wave_gives_no_number_for_it() -> None:
    m = measure(synthetic(regular(70), p=False))
    assert m.p_fraction == 0.0
    assert np.isnan(m.pr_ms)
    assert np.isnan(m.p_ms)
    assert np.isnan(m.beats.p_on_s).all()


def test_amplitudes_of_the_leads() -> None:
    leads = measure(synthetic(regular(70))).leads
    assert leads["II"].r_mv == pytest.approx(1.1, abs=0.06)
    assert leads["V2"].s_mv == pytest.approx(-1.4, abs=0.1)
    assert leads["V2"].t_mv == pytest.approx(0.4, abs=0.04)
    assert leads["II"].p_mv == pytest.approx(0.15, abs=0.03)
    assert leads["V1"].q_mv == 0.0


def test_axis_follows_the_limb_leads() -> None:
    record = synthetic(regular(70))
    assert measure(record).qrs_axis_deg == pytest.approx(60, abs=12)
    turned = Record(-record.signal, record.sampling_rate)
    assert measure(turned).qrs_axis_deg == pytest.approx(-120, abs=12)


def test_st_elevation_is_measured_in_millivolt() -> None:
    assert measure(synthetic(regular(70))).leads["V5"].st_mv == pytest.approx(0.0, abs=0.03)
    assert measure(synthetic(regular(70), st_mv=0.2)).leads["V5"].st_mv == pytest.approx(0.2, abs=0.04)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.4, 3.0))
def test_scaling_the_signal_scales_amplitudes_and_leaves_times(factor: float) -> None:
    record = synthetic(regular(70), st_mv=0.15, noise_mv=0.0)
    plain, scaled = measure(record), measure(Record(record.signal * factor, record.sampling_rate))
    assert scaled.leads["V4"].st_mv == pytest.approx(factor * plain.leads["V4"].st_mv, abs=0.005)
    assert scaled.leads["V4"].r_mv == pytest.approx(factor * plain.leads["V4"].r_mv, rel=0.02)
    assert scaled.qrs_ms == pytest.approx(plain.qrs_ms, abs=4)


@settings(max_examples=8, deadline=None)
@given(st.floats(-0.2, 0.3))
def test_shifting_the_signal_shifts_the_beats(shift_s: float) -> None:
    r_s = regular(72)
    plain, moved = measure(synthetic(r_s)).beats, measure(synthetic(r_s + shift_s)).beats
    np.testing.assert_allclose(moved.r_peak_s[:8] - plain.r_peak_s[:8], shift_s, atol=0.006)
    np.testing.assert_allclose(moved.t_peak_s[1:8] - plain.t_peak_s[1:8], shift_s, atol=0.015)


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 257.0, 360.0, 1000.0])
def test_the_sampling_rate_does_not_matter(rate_hz: float) -> None:
    m = measure(synthetic(regular(70), rate_hz=rate_hz))
    assert m.heart_rate_bpm == pytest.approx(70, abs=0.5)
    assert m.qrs_ms == pytest.approx(88, abs=16)
    assert m.pr_ms == pytest.approx(168, abs=20)


def test_normalised_amplitudes_give_times_but_no_axis() -> None:
    signal = synthetic(regular(70)).signal
    normalised = (signal - signal.mean(axis=1, keepdims=True)) / signal.std(axis=1, keepdims=True)
    m = measure(Record(normalised, 500.0))
    assert not m.amplitude_known
    assert np.isnan(m.qrs_axis_deg)
    assert m.heart_rate_bpm == pytest.approx(70, abs=0.5)
    assert m.pr_ms == pytest.approx(168, abs=20)


def test_a_wide_early_beat_is_told_from_the_others() -> None:
    r_s = regular(70)
    r_s[5] -= 0.25
    beats = measure(synthetic(r_s, wide=(5,))).beats
    assert np.flatnonzero(beats.wide).tolist() == [5]
    assert np.flatnonzero(beats.premature).tolist() == [5]
    assert not beats.dominant[5]
    assert np.isnan(beats.p_peak_s[5])


def test_pacing_spikes_are_found_and_do_not_disturb() -> None:
    r_s = regular(70)
    record = synthetic(r_s, p=False)
    signal = record.signal.copy()
    for at in r_s:
        signal[:, round((at - 0.06) * 500)] += 2.5
    m = measure(Record(signal, 500.0))
    assert m.paced_fraction == 1.0
    assert m.heart_rate_bpm == pytest.approx(70, abs=1.0)
    assert measure(record).paced_fraction == 0.0


def test_partial_beats_at_the_ends_do_no_harm() -> None:
    m = measure(synthetic(np.arange(0.0, 10.01, 0.8)))
    assert m.heart_rate_bpm == pytest.approx(75, abs=1.0)
    assert m.qrs_ms == pytest.approx(88, abs=12)


def test_a_gap_is_no_pause() -> None:
    record = synthetic(regular(70))
    signal = record.signal.copy()
    signal[:, 2000:2900] = np.nan
    m = measure(Record(signal, 500.0))
    assert m.heart_rate_bpm == pytest.approx(70, abs=1.0)
    assert m.rr_cv < 0.03


def test_drift_leaves_st_alone() -> None:
    record = synthetic(regular(70), st_mv=0.1)
    time_s = np.arange(record.n_samples) / 500.0
    drift = 0.8 * np.sin(2 * np.pi * 0.2 * time_s)
    m = measure(Record(record.signal + drift, 500.0))
    assert m.leads["V5"].st_mv == pytest.approx(measure(record).leads["V5"].st_mv, abs=0.03)
    assert m.p_fraction > 0.8


def test_a_single_lead_is_enough_for_times() -> None:
    m = measure(Record(synthetic(regular(70))["II"][None], 500.0, leads=["II"]))
    assert m.heart_rate_bpm == pytest.approx(70, abs=1.0)
    assert m.pr_ms == pytest.approx(168, abs=24)
    assert np.isnan(m.qrs_axis_deg)
    assert np.isnan(m.leads["V1"].r_mv)


def test_the_dictionary_is_json_without_nan() -> None:
    m = measure(synthetic(regular(70), p=False))
    values = json.loads(json.dumps(m.to_dict(), allow_nan=False))
    assert values["pr_ms"] is None
    assert values["quality"]["verdict"] == "usable"
    assert len(values["beats"]["r_peak_s"]) == len(m.beats)
    assert set(values["leads"]) == set(LEADS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_measuring_never_raises(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rate_hz = float(rng.choice([25, 100, 257.3, 500, 1000]))
    duration_s = float(rng.uniform(0.01, 6.0))
    signal = synthetic(regular(rng.uniform(25, 250), duration_s), duration_s, max(rate_hz, 1)).signal.copy()
    signal = signal[:, : max(signal.shape[1], 1)]
    if signal.size == 0:
        signal = np.zeros((12, 1))
    for lead in range(12):
        kind = rng.integers(0, 6)
        if kind == 0:
            signal[lead] = np.nan
        elif kind == 1:
            signal[lead] = rng.normal()
        elif kind == 2:
            signal[lead, rng.integers(0, signal.shape[1]) :] = np.nan
        elif kind == 3:
            signal[lead] += rng.standard_normal(signal.shape[1])
    m = measure(Record(signal * 10.0 ** rng.uniform(-3, 3), rate_hz))
    json.dumps(m.to_dict(), allow_nan=False)
    assert m.quality.verdict in {"usable", "limited", "unusable"}
    if m.quality.verdict == "unusable":
        assert np.isnan(m.heart_rate_bpm)
        assert m.quality.reasons


def test_bump_is_the_wave_it_claims_to_be() -> None:
    time_s = np.arange(0, 1, 0.001)
    wave = bump(time_s, 0.5, 0.05)
    assert wave.max() == pytest.approx(1.0)
    assert np.flatnonzero(wave > 0).min() == pytest.approx(450, abs=2)
