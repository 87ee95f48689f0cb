"""What the waves of single leads and of the atria tell: shapes, phases, blocks, kinds of beats."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_ecg import P_BEFORE_R_S, SHAPES, bump, regular, synthetic

from uniecg.record import LEADS, Record
from uniecg.signal import measure
from uniecg.signal.atrial import waves_between_beats
from uniecg.signal.atrial_waves import _trusted
from uniecg.signal.criteria import findings
from uniecg.signal.measurements import Beats
from uniecg.signal.quantities import DERIVED
from uniecg.signal.rhythm import premature_beats

TIME_S = np.arange(5000) / 500.0


def with_waves(record: Record, sizes_mv: dict[str, float], times: np.ndarray, half_s: float) -> Record:
    """Add a wave of its own size to each named independent lead, the limb leads derived."""
    wave = sum((bump(TIME_S, at, half_s) for at in times), np.zeros(TIME_S.size))
    one, two = sizes_mv.get("I", 0.0), sizes_mv.get("II", 0.0)
    limb = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    size = np.array([{**limb, **sizes_mv}.get(lead, 0.0) for lead in LEADS])
    return Record(record.signal + size[:, None] * wave, 500.0)


def with_p(r_s: np.ndarray, p_s: np.ndarray) -> Record:
    """Complexes and P waves (peaks) each at their own times."""
    sizes = {lead: shape[0] for lead, shape in SHAPES.items()}
    return with_waves(synthetic(r_s, p=False), sizes, p_s, 0.05)


def test_every_p_wave_is_conducted_in_sinus_rhythm() -> None:
    m = measure(synthetic(regular(70)))
    assert m.p_rate_bpm == pytest.approx(70, abs=1)
    assert m.blocked_p_count == 0
    assert m.pr_range_ms < 20
    assert np.isnan(m.pr_drift_ms)


def test_two_to_one_block() -> None:
    p_s = np.arange(0.3, 9.8, 0.75)
    m = measure(with_p(p_s[::2] + P_BEFORE_R_S, p_s))
    assert m.p_rate_bpm == pytest.approx(80, abs=1)
    assert m.heart_rate_bpm == pytest.approx(40, abs=1)
    assert m.blocked_p_count == 6
    assert DERIVED["av_ratio"](m) == pytest.approx(2.0, abs=0.05)


def test_wenckebach_prolongs_pr_until_a_beat_drops() -> None:
    p_s = np.arange(0.3, 9.8, 0.8)
    delay = np.array([0.16, 0.24, 0.29, np.nan])[np.arange(len(p_s)) % 4]
    m = measure(with_p((p_s + delay)[np.isfinite(delay)], p_s))
    assert m.p_rate_bpm == pytest.approx(75, abs=1)
    assert m.blocked_p_count == np.isnan(delay[1:-1]).sum()
    assert m.pr_drift_ms == pytest.approx(130, abs=25)


def test_complete_block_has_two_rates() -> None:
    p_s, r_s = np.arange(0.1, 9.9, 0.68), np.arange(0.5, 9.9, 1.55)
    m = measure(with_p(r_s, p_s))
    assert m.heart_rate_bpm == pytest.approx(60 / 1.55, abs=1)
    assert m.p_rate_bpm == pytest.approx(60 / 0.68, abs=2)
    assert m.blocked_p_count >= 4
    assert m.pr_range_ms > 150


def test_a_blocked_p_wave_is_no_beat_and_no_beat_before_its_pause_is_early() -> None:
    r_s = regular(60)
    led = np.delete(r_s, 4)
    sizes = {lead: 3.0 * shape[0] for lead, shape in SHAPES.items()}
    m = measure(with_waves(synthetic(led, p=False), sizes, r_s - P_BEFORE_R_S, 0.03))
    assert len(m.beats) == led.size
    assert m.blocked_p_count == 1
    assert DERIVED["dropped_count"](m) == 1


def test_early_beats_are_told_from_beats_before_a_pause() -> None:
    block = premature_beats(np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0]))
    assert not block.any()
    bigeminy = premature_beats(np.array([0.6, 1.0, 0.6, 1.0, 0.6, 1.0]))
    assert np.flatnonzero(bigeminy).tolist() == [1, 3, 5]
    single = premature_beats(np.array([0.8, 0.8, 0.5, 1.1, 0.8, 0.8]))
    assert np.flatnonzero(single).tolist() == [3]


def test_a_beat_behind_a_pause_has_the_p_wave_that_the_search_over_the_record_found() -> None:
    m = measure(with_p(r_s := np.delete(regular(60), 4), np.delete(regular(60), 4) - P_BEFORE_R_S))
    lost = m.beats.p_peak_s.copy()
    behind = int(np.argmax(np.diff(r_s))) + 1
    found = np.append(m.p_waves_s[~np.isclose(m.p_waves_s, lost[behind])], lost[behind] + 0.05)
    lost[behind] = np.nan
    without = replace(m, beats=replace(m.beats, p_peak_s=lost), p_waves_s=np.zeros(0))
    assert DERIVED["dropped_count"](without) == 0
    shorter = replace(without, p_waves_s=np.sort(found))
    assert DERIVED["dropped_count"](shorter) == 1
    assert DERIVED["pr_growth_ms"](shorter) == pytest.approx(50, abs=10)
    assert DERIVED["pr_growth_ms"](m) == pytest.approx(0, abs=10)


@pytest.mark.parametrize("start_s", [0.22, 0.32])
def test_p_waves_that_pass_by_one_complex_are_found_everywhere(start_s: float) -> None:
    p_s, r_s = np.arange(start_s, 9.9, 0.7), np.arange(0.5, 9.9, 1.43)
    m = measure(with_p(r_s, p_s))
    assert m.p_fraction < 0.5
    assert m.p_rate_bpm == pytest.approx(60 / 0.7, abs=1)
    assert len(m.p_waves_s) == p_s.size


def test_p_waves_march_through_the_complexes_that_hide_them() -> None:
    beats = np.arange(0.9, 10.0, 1.6)
    covered = np.stack([beats - 0.1, beats + 0.45])
    p_s = np.arange(0.2, 10.0, 0.75)
    hidden = ((p_s[:, None] > covered[0]) & (p_s[:, None] < covered[1])).any(axis=1)
    hidden[[0, 1, 4, 5]] = False  # some are seen on T
    assert hidden.sum() >= 2
    seen = p_s[~hidden]
    np.testing.assert_array_equal(_trusted(np.zeros(0), seen, covered), seen)
    rest_of_t = np.sort(np.append(seen, seen[5] + 0.3))
    assert seen[6] - seen[5] == pytest.approx(0.75)
    np.testing.assert_array_equal(_trusted(np.zeros(0), rest_of_t, covered), seen)
    nowhere = covered + 100.0
    assert _trusted(np.zeros(0), seen, nowhere).size == 0


def test_a_row_of_atrial_waves_is_no_p_wave() -> None:
    rng = np.random.default_rng(3)
    r_s = 0.4 + np.cumsum(rng.uniform(0.6, 1.1, 10))
    flutter = with_waves(
        synthetic(r_s[r_s < 9.7], p=False), {"II": 0.2, "V1": 0.15}, np.arange(0, 10, 0.2), 0.1
    )
    m = measure(flutter)
    assert m.p_fraction < 0.5
    assert m.atrial_rate_bpm == pytest.approx(300, abs=6)


@pytest.mark.parametrize(("rate_bpm", "wave_bpm"), [(75.0, 300.0), (68.0, 272.0)])
def test_flutter_waves_in_step_with_the_beats_are_seen_between_them(rate_bpm: float, wave_bpm: float) -> None:
    waves = np.arange(0.05, 10.0, 60.0 / wave_bpm)
    m = measure(with_waves(synthetic(regular(rate_bpm), p=False), {"II": 0.2, "V1": 0.15}, waves, 0.1))
    assert m.atrial_rate_bpm == pytest.approx(wave_bpm, abs=5)
    assert m.atrial_regularity > 0.7
    assert "AFLT" in findings(m)
    for rate in (50.0, 75.0, 95.0):
        assert measure(synthetic(regular(rate))).atrial_regularity < 0.7


def test_a_beat_without_a_place_does_not_stop_the_search_between_beats() -> None:
    waves = np.arange(0.05, 10.0, 0.2)
    record = with_waves(synthetic(regular(75), p=False), {"II": 0.2, "V1": 0.15}, waves, 0.1)
    beats = measure(record).beats
    columns = {item.name: getattr(beats, item.name) for item in fields(beats)}
    more = {
        name: np.append(values, np.nan if values.dtype.kind == "f" else values[-1])
        for name, values in columns.items()
    }
    assert waves_between_beats(record.signal, Beats(**more)) == waves_between_beats(record.signal, beats)


def test_kinds_of_beats() -> None:
    r_s = regular(70)
    r_s[3] -= 0.25
    r_s[7] -= 0.25
    record = synthetic(r_s, wide=(7,))
    kind = measure(record).beats.kind
    assert np.flatnonzero(kind == "pac").tolist() == [3]
    assert np.flatnonzero(kind == "pvc").tolist() == [7]
    signal = synthetic(r_s).signal.copy()
    for at in r_s:
        signal[:, round((at - 0.06) * 500)] += 2.5
    assert (measure(Record(signal, 500.0)).beats.kind == "paced").all()


def test_many_early_beats_are_told_by_what_is_regular_between_them() -> None:
    early = (2, 5, 8)
    r_s = regular(70)
    r_s[list(early)] -= 0.25
    m = measure(synthetic(r_s))
    assert m.rr_irregularity > 0.1
    assert np.flatnonzero(m.beats.kind == "pac").tolist() == list(early)
    irregular = 0.4 + np.cumsum(np.random.default_rng(5).uniform(0.5, 1.1, 11))
    assert not (measure(synthetic(irregular[irregular < 9.7], p=False)).beats.kind == "pac").any()


def test_the_second_part_of_the_qrs_complex_belongs_to_it() -> None:
    r_s = regular(70)
    plain = measure(synthetic(r_s))
    prime = {"I": -0.3, "V1": 0.6, "V2": 0.4, "V6": -0.3}
    m = measure(with_waves(synthetic(r_s), prime, r_s + 0.075, 0.03))
    assert m.leads["V1"].r_prime_mv == pytest.approx(0.6, abs=0.06)
    # The late wave ends 105 ms after R, the plain complex 46 ms after it.
    assert m.qrs_ms - plain.qrs_ms == pytest.approx(59, abs=12)


@pytest.mark.parametrize("gap_s", [0.04, 0.05, 0.06])
def test_a_p_wave_of_two_parts_is_one(gap_s: float) -> None:
    r_s = regular(60)
    sizes = {"I": 0.1, "II": 0.15, "V1": 0.08, "V4": 0.08}
    record = synthetic(r_s, p=False)
    for at in (-0.16 - gap_s, -0.16):
        record = with_waves(record, sizes, r_s + at, 0.03)
    m = measure(record)
    assert m.p_ms == pytest.approx(1000 * (gap_s + 0.06), abs=20)
    assert m.pr_ms == pytest.approx(1000 * (0.19 + gap_s - 0.042), abs=15)


def test_phases_of_p_and_t() -> None:
    r_s = regular(60)
    record = with_waves(synthetic(r_s), {"V1": -0.12}, r_s - 0.12, 0.03)
    record = with_waves(record, {"V4": -0.75, "V5": -0.7}, r_s + 0.30, 0.06)
    leads = measure(record).leads
    assert leads["V1"].p_terminal_mv == pytest.approx(-0.1, abs=0.04)
    assert leads["V1"].p_terminal_ms > 30
    assert leads["II"].p_terminal_mv > 0
    assert leads["II"].t_polarity == "upright"
    assert leads["V4"].t_polarity in ("biphasic", "inverted")
    assert measure(Record(-synthetic(r_s).signal, 500.0)).leads["II"].t_polarity == "inverted"


def test_a_slurred_beginning_is_a_delta_wave() -> None:
    r_s = regular(70)
    sizes = {lead: 0.25 * shape[2] for lead, shape in SHAPES.items()}
    slurred = synthetic(r_s)
    for delay in (-0.06, -0.045, -0.03, -0.015):
        slurred = with_waves(slurred, sizes, r_s + delay, 0.03)
    assert measure(synthetic(r_s)).delta_ms < 20
    assert measure(slurred).delta_ms >= 30


def test_a_late_t_wave_in_some_leads_is_seen_there() -> None:
    r_s = regular(60)
    late = {"V4": 0.45, "V5": 0.35, "V6": 0.25}
    shifted = with_waves(synthetic(r_s), {lead: -size for lead, size in late.items()}, r_s + 0.28, 0.09)
    m = measure(with_waves(shifted, late, r_s + 0.33, 0.09))
    plain = measure(synthetic(r_s))
    assert plain.qt_dispersion_ms < 25
    assert m.qt_dispersion_ms - plain.qt_dispersion_ms == pytest.approx(50, abs=15)
    ends = {
        lead: float(np.nanmedian(m.lead_times(lead)["t_off_s"] - m.beats.r_peak_s)) for lead in ("II", "V5")
    }
    assert ends["V5"] - ends["II"] == pytest.approx(0.05, abs=0.015)


@settings(max_examples=6, deadline=None)
@given(st.integers(45, 110), st.integers(0, 99))
def test_the_extent_in_a_lead_lies_within_the_global_one(rate_bpm: int, seed: int) -> None:
    m = measure(synthetic(regular(rate_bpm), stretch=min(1.0, (60 / rate_bpm) ** 0.5), seed=seed))
    for lead in m.leads:
        own = m.lead_times(lead)
        for wave in ("p", "qrs"):
            on, off = getattr(m.beats, f"{wave}_on_s"), getattr(m.beats, f"{wave}_off_s")
            known = np.isfinite(on) & np.isfinite(off)
            assert (own[f"{wave}_on_s"][known] >= on[known] - 1e-9).all()
            assert (own[f"{wave}_off_s"][known] <= off[known] + 1e-9).all()


def test_derived_quantities_of_the_chest_leads() -> None:
    m = measure(synthetic(regular(70)))
    assert 3.0 < m.rs_transition < 3.6
    assert m.cornell_mv == pytest.approx(m.leads["aVL"].r_mv - m.leads["V3"].s_mv)


@pytest.mark.parametrize("noise_mv", [0.02, 0.05, 0.1])
def test_noise_moves_no_boundary_far(noise_mv: float) -> None:
    m, clean = measure(synthetic(regular(70), noise_mv=noise_mv)), measure(synthetic(regular(70)))
    for name in ("pr_ms", "p_ms", "qrs_ms", "qt_ms"):
        assert getattr(m, name) == pytest.approx(getattr(clean, name), abs=16), name
