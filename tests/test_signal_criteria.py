"""Criteria judge what was measured: met, contradicted, or cannot be judged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from synthetic_ecg import regular, synthetic

from uniecg.attributes import Attributes
from uniecg.record import Record
from uniecg.signal import Measurements, measure
from uniecg.signal.criteria import CRITERIA, check, findings
from uniecg.signal.misfit import misfit
from uniecg.simulate import simulate


@pytest.fixture(scope="module")
def normal_measurements() -> Measurements:
    return measure(synthetic(regular(70)))


def fibrillation(seed: int) -> Record:
    rng = np.random.default_rng(seed)
    r_s = 0.4 + np.concatenate([[0.0], np.cumsum(rng.uniform(0.45, 1.05, 20))])
    return synthetic(r_s[r_s < 9.8], p=False, noise_mv=0.01, seed=seed)


def test_a_normal_record(normal_measurements: Measurements) -> None:
    assert findings(normal_measurements) == ["SR", "NORM"]
    met, evidence = check("SR", normal_measurements)
    assert met is True
    assert "p_fraction" in {item.quantity for item in evidence}


@pytest.mark.parametrize(("rate_bpm", "code"), [(48, "SBRAD"), (125, "STACH")])
def test_sinus_rates(rate_bpm: int, code: str) -> None:
    m = measure(synthetic(regular(rate_bpm), stretch=min(1.0, np.sqrt(60 / rate_bpm))))
    assert code in findings(m)
    assert "SR" not in findings(m), "the rate says more than sinus rhythm alone"
    assert check("NORM", m)[0] is False


@pytest.mark.parametrize("code", ["HYPERK", "2AVB1", "2AVB2", "SHQT"])
@pytest.mark.parametrize("seed", range(3))
def test_an_ecg_with_one_dangerous_sign_is_not_normal(code: str, seed: int) -> None:
    m = measure(simulate([code], rng=np.random.default_rng(seed), noise=1.0).record)
    assert check("NORM", m)[0] is False
    assert "SARRH" not in findings(m)


@pytest.mark.parametrize("code", ["VT", "PSVT"])
@pytest.mark.parametrize("seed", range(3))
def test_a_tachycardia_whose_p_may_be_t_is_left_open(code: str, seed: int) -> None:
    m = measure(simulate([code], rng=np.random.default_rng(seed), noise=1.0).record)
    assert check("STACH", m)[0] is None
    assert {"SR", "STACH", "SARRH"}.isdisjoint(findings(m))


@pytest.mark.parametrize("seed", range(6))
def test_fibrillation_against_sinus_rhythm(seed: int) -> None:
    m = measure(fibrillation(seed))
    assert check("AFIB", m)[0] is True
    assert check("SR", m)[0] is False


def test_sinus_rhythm_is_no_fibrillation(normal_measurements: Measurements) -> None:
    assert check("AFIB", normal_measurements)[0] is False


def test_premature_beats_are_told_by_their_width() -> None:
    r_s = regular(70)
    r_s[5] -= 0.25
    ventricular, atrial = measure(synthetic(r_s, wide=(5,))), measure(synthetic(r_s))
    assert check("PVC", ventricular)[0] is True
    assert check("PAC", ventricular)[0] is False
    assert check("PAC", atrial)[0] is True
    assert check("PVC", atrial)[0] is False


def test_bigeminy() -> None:
    r_s = np.sort(np.concatenate([np.arange(0.4, 9.5, 1.6), np.arange(0.4, 8.5, 1.6) + 0.55]))
    m = measure(synthetic(r_s, wide=tuple(range(1, len(r_s), 2))))
    assert check("BIGU", m)[0] is True


@pytest.mark.parametrize(
    ("code", "changes", "met"),
    [
        ("1AVB", {"pr_ms": 240.0}, True),
        ("1AVB", {"pr_ms": 160.0}, False),
        ("1AVB", {"pr_ms": float("nan")}, None),
        ("LNGQT", {"qtc_fridericia_ms": 455.0, "sex": "male"}, True),
        ("LNGQT", {"qtc_fridericia_ms": 455.0, "sex": "female"}, False),
        ("PACE", {"paced_fraction": 1.0}, True),
        ("LAFB", {"qrs_axis_deg": 30.0}, False),
    ],
)
def test_thresholds(
    normal_measurements: Measurements, code: str, changes: dict[str, float], met: bool | None
) -> None:
    assert check(code, dataclasses.replace(normal_measurements, **changes))[0] is met


def test_voltage_cannot_be_judged_on_normalised_amplitudes() -> None:
    signal = synthetic(regular(70)).signal
    normalised = (signal - signal.mean(axis=1, keepdims=True)) / signal.std(axis=1, keepdims=True)
    m = measure(Record(normalised, 500.0))
    for code in ("LVH", "LVOLT", "STE_", "QWAVE", "NORM"):
        assert check(code, m)[0] is not True, code
    assert check("LVOLT", m)[0] is None
    assert check("SR", m)[0] is True


def test_evidence_names_lead_place_value_and_unit() -> None:
    record = synthetic(regular(70))
    m = measure(Record(record.signal * 3.0, 500.0))
    met, evidence = check("VCLVH", m)
    assert met is True
    sokolow = next(item for item in evidence if item.quantity == "sokolow_lyon_mv")
    assert sokolow.unit == "mV"
    assert sokolow.value == pytest.approx(3 * (0.9 + 1.3), rel=0.1)
    for code in CRITERIA:
        for item in check(code, m)[1]:
            assert 0.0 <= item.start_s < item.end_s <= m.duration_s


def test_unknown_codes_and_unusable_records_cannot_be_judged(normal_measurements: Measurements) -> None:
    assert check("NOSUCH", normal_measurements) == (None, ())
    unusable = measure(Record(np.zeros((12, 5000)), 500.0))
    assert findings(unusable) == []
    assert all(check(code, unusable)[0] is None for code in CRITERIA)


def test_every_criterion_names_its_source() -> None:
    assert all(criterion.source.strip() for criterion in CRITERIA.values())


def test_a_block_explains_its_own_q_waves_and_st(examples: dict[str, Record]) -> None:
    m = measure(examples["left_bundle_branch_block"])
    listed = set(findings(m))
    assert "CLBBB" in listed
    assert not listed & {"QWAVE", "IMI", "AMI", "ASMI", "STE_", "STD_", "INVT"}
    assert check("ASMI", m) == (None, ())
    assert check("STE_", m)[0] is True  # it is there, but secondary


def test_misfit_counts_what_was_asked_for() -> None:
    measured = measure(synthetic(regular(75)))
    fits = Attributes(heart_rate_bpm=75, qrs_ms=measured.qrs_ms, qrs_axis_deg=measured.qrs_axis_deg + 360)
    assert misfit(fits, ("SR",), measured) == 0
    assert misfit(Attributes(heart_rate_bpm=76), (), measured) == 0
    near, far = (misfit(Attributes(heart_rate_bpm=rate), (), measured) for rate in (85, 120))
    assert 0 < near < far
    assert misfit(Attributes(), ("AFIB", "CLBBB"), measured) == 2
    nothing = measure(Record(np.zeros((12, 5000)), 500.0))
    assert misfit(Attributes(heart_rate_bpm=75), (), nothing) > near


def test_nothing_is_affirmed_from_leads_that_are_missing() -> None:
    signal = synthetic(regular(70)).signal.copy()
    signal[6:10] = np.nan  # V1 to V4
    m = measure(Record(signal, 500.0))
    assert check("NORM", m)[0] is None
    assert check("AMI", m)[0] is None
    assert check("SR", m)[0] is True
