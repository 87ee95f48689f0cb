"""The quality verdict names what is wrong with a record."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_ecg import regular, synthetic

from uniecg.record import Record
from uniecg.signal import measure
from uniecg.signal.filters import mains_hum

TIME_S = np.arange(5000) / 500.0


def with_signal(signal: np.ndarray, rate_hz: float = 500.0) -> Record:
    return Record(signal, rate_hz)


def test_a_clean_record_is_usable_without_reasons() -> None:
    quality = measure(synthetic(regular(70))).quality
    assert quality.verdict == "usable"
    assert quality.reasons == ()
    assert not quality.leads


def test_missing_flat_and_clipped_leads_are_named() -> None:
    signal = synthetic(regular(70)).signal.copy()
    signal[3] = np.nan
    signal[7] = 0.25
    signal[10] = np.clip(signal[10], -10.0, 0.3)
    quality = measure(with_signal(signal)).quality
    assert quality.verdict == "limited"
    assert quality.leads["aVR"] == ("missing",)
    assert quality.leads["V2"] == ("flat",)
    assert "clipped" in quality.leads["V5"]


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_mains_hum_is_named_and_removed(mains_hz: float) -> None:
    clean = synthetic(regular(70))
    hum = 0.25 * np.sin(2 * np.pi * mains_hz * TIME_S)
    m = measure(with_signal(clean.signal + hum))
    assert "mains hum" in m.quality.leads["I"]
    assert m.heart_rate_bpm == pytest.approx(70, abs=1.0)
    assert m.qrs_ms == pytest.approx(measure(clean).qrs_ms, abs=12)
    frequency, amplitude = mains_hum(clean.signal + hum)
    assert frequency == mains_hz
    np.testing.assert_allclose(amplitude, 0.25, rtol=0.1)


def test_wander_and_muscle_noise_are_named() -> None:
    clean = synthetic(regular(70)).signal
    wander = measure(with_signal(clean + 2.0 * np.sin(2 * np.pi * 0.2 * TIME_S))).quality
    assert "baseline wander" in wander.leads["II"]
    noise = 0.15 * np.random.default_rng(1).standard_normal(clean.shape)
    muscle = measure(with_signal(clean + noise)).quality
    assert "muscle noise" in muscle.leads["II"]
    assert muscle.verdict == "limited"


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros((12, 5000)), "no usable lead"),
        (np.full((12, 5000), np.nan), "no usable lead"),
        (0.2 * np.random.default_rng(0).standard_normal((12, 5000)), "no repeating QRS complex"),
    ],
)
def test_hopeless_records_are_unusable_and_yield_no_numbers(signal: np.ndarray, reason: str) -> None:
    m = measure(with_signal(signal))
    assert m.quality.verdict == "unusable"
    assert reason in m.quality.reasons
    assert np.isnan([m.heart_rate_bpm, m.pr_ms, m.qrs_ms, m.qt_ms, m.qrs_axis_deg]).all()
    assert len(m.beats) == 0


@pytest.mark.parametrize("claimed_hz", [100.0, 2500.0])
def test_a_wrong_sampling_rate_is_noticed(claimed_hz: float) -> None:
    quality = measure(with_signal(synthetic(regular(75)).signal, claimed_hz)).quality
    assert quality.verdict != "usable"
    assert quality.reasons


@pytest.mark.parametrize("duration_s", [0.002, 0.3, 1.0])
def test_short_records_say_so(duration_s: float) -> None:
    m = measure(synthetic([0.4], duration_s))
    assert "too short" in m.quality.reasons
    assert np.isnan(m.heart_rate_bpm)


def test_a_sampling_rate_too_low_for_a_qrs_complex() -> None:
    assert "sampling rate too low" in measure(Record(np.ones((12, 50)), 5.0)).quality.reasons
