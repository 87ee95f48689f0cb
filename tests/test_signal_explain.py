"""A diagnosis is explained by its named criteria, each with leads, waves and values, or left open."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from measured import MEASUREMENTS, beats, example, leads

from uniecg.examples import example_path
from uniecg.io import read_record
from uniecg.signal import Measurements, measure
from uniecg.signal.criteria import CRITERIA, MASKED, check, check_statement, explain, findings
from uniecg.signal.measurements import Beats
from uniecg.signal.rules import Criterion, Every, Some, Unless, Within, decide


def with_leads(**changes: Mapping[str, float]) -> Measurements:
    return example(leads=leads(**changes))


def timed(rr_s: list[float], pr_s: list[float] | None = None, **changes: Any) -> Beats:
    """Beats with these RR intervals and the PR interval of each beat."""
    r = 0.5 + np.concatenate([[0.0], np.cumsum(rr_s)])
    whole = beats(len(r))
    onset = r - 0.04
    p_on = onset - (np.full(len(r), 0.16) if pr_s is None else np.array(pr_s))
    times = {"p_on_s": p_on, "p_peak_s": p_on + 0.05, "p_off_s": p_on + 0.1, "qrs_on_s": onset, "r_peak_s": r}
    return dataclasses.replace(whole, **times, rr_s=np.diff(r, prepend=np.nan), **changes)


def test_explanation_names_criterion_leads_wave_and_value() -> None:
    up = {"j_mv": 0.25, "st_mv": 0.3}
    m = with_leads(II=up, III=up, aVF={"j_mv": 0.05})
    judged = {item.name: item for item in explain("STEMI inferior", m).criteria}
    finding = judged["ST elevation in 2 inferior leads"]
    assert finding.met is True
    assert finding.leads == ("II", "III")
    assert {(item.quantity, item.value) for item in finding.evidence} == {("j_mv", 0.25)}
    assert all(item.start_s < item.end_s for item in finding.evidence)
    assert explain("STEMI inferior", m).met is True
    assert explain("STEMI lateral", m).met is False


def test_v2_and_v3_need_more_elevation_in_men_and_an_open_sex_leaves_it_open() -> None:
    m = with_leads(V2={"j_mv": 0.17}, V3={"j_mv": 0.17})
    met = {
        sex: check("STEMI anterior", dataclasses.replace(m, sex=sex))[0] for sex in ("female", "male", None)
    }
    assert met == {"female": True, "male": False, None: None}


@pytest.mark.parametrize(
    ("code", "changes", "met"),
    [
        ("LAD", {"qrs_axis_deg": -45.0}, True),
        ("RAD", {"qrs_axis_deg": 180.0}, True),
        ("XAD", {"qrs_axis_deg": -120.0}, True),
        ("XAD", {"qrs_axis_deg": 60.0}, False),
        ("SHQT", {"qtc_fridericia_ms": 330.0}, True),
        ("SNORMO", {"heart_rate_bpm": 75.0}, True),
        ("SNORMO", {"heart_rate_bpm": 105.0}, False),
        ("3AVB", {"heart_rate_bpm": 38.0, "p_fraction": 0.0, "p_rate_bpm": 80.0}, True),
        ("3AVB", {"heart_rate_bpm": 38.0, "p_fraction": 0.0}, None),  # or the atria are silent
        ("3AVB", {"heart_rate_bpm": 38.0, "p_fraction": 1.0}, False),
        ("PACE", {"p_fraction": 0.0, "rr_cv": 0.001, "heart_rate_bpm": 70.0, "qrs_ms": 160.0}, True),
        ("PACE", {"p_fraction": 0.0, "rr_cv": 0.001, "heart_rate_bpm": 70.0}, False),  # a junctional rhythm
        ("RVH", {"qrs_axis_deg": 110.0, "qrs_ms": 140.0}, False),
        ("WPW", {"pr_ms": 100.0, "qrs_ms": 130.0, "delta_ms": 40.0}, True),
        ("WPW", {"pr_ms": 100.0, "qrs_ms": 130.0, "delta_ms": 10.0}, False),
        ("AFIB", {"heart_rate_bpm": 125.0, "rr_irregularity": 0.15}, True),
        ("AFIB", {"heart_rate_bpm": 75.0, "rr_irregularity": 0.15}, False),
        ("AFLT", {"heart_rate_bpm": 150.0, "atrial_regularity": 0.4, "atrial_rate_bpm": 300.0}, True),
        ("AFLT", {"heart_rate_bpm": 70.0, "atrial_regularity": 0.8, "atrial_rate_bpm": 280.0}, True),
        ("VT", {"heart_rate_bpm": 160.0, "qrs_ms": 160.0, "p_fraction": 0.0}, True),
        # A blocked P wave is not measured: a slow, even rhythm leaves 2:1 block open, a fast one excludes it.
        ("2AVB21", {"heart_rate_bpm": 40.0}, None),
        ("2AVB21", {"heart_rate_bpm": 80.0}, False),
    ],
)
def test_rows_of_the_table(code: str, changes: dict[str, Any], met: bool | None) -> None:
    assert check(code, example(**changes))[0] is met


def test_wenckebach_is_told_from_a_steady_pr_and_from_an_early_beat() -> None:
    rr_s = [0.8, 0.8, 1.3, 0.8, 0.8, 1.3, 0.8]
    growing = [0.16, 0.20, 0.24, 0.16, 0.20, 0.24, 0.16, 0.2]
    assert check("2AVB1", example(beats=timed(rr_s, growing)))[0] is True
    assert check("2AVB1", example(beats=timed(rr_s)))[0] is False
    early = np.array([False, False, True, False, False, True, False, False])
    after_early = timed([0.8, 0.5, 1.1, 0.8, 0.5, 1.1, 0.8], premature=early)
    assert check("2AVB", example(beats=after_early))[0] is False


def test_three_wide_beats_in_a_row_are_a_ventricular_tachycardia() -> None:
    wide = np.array([False, False, True, True, True, False])
    rr_s = [0.8, 0.5, 0.4, 0.4, 0.9]
    assert check("VT", example(beats=timed(rr_s, wide=wide, dominant=~wide)))[0] is True
    wide[3] = False
    assert check("VT", example(beats=timed(rr_s, wide=wide, dominant=~wide)))[0] is False


def test_diffuse_elevation_is_pericarditis_or_early_repolarisation_by_st_over_t() -> None:
    diffuse = {
        name: {"j_mv": 0.12, "st_mv": 0.15, "t_mv": 0.4} for name in ("I", "II", "aVF", "V4", "V5", "V6")
    }
    m = with_leads(**diffuse, aVR={"j_mv": -0.1})
    assert check("PERICARDITIS", m)[0] is True
    assert check("EARLY REPOLARISATION", m)[0] is False
    tall_t = {name: {**values, "t_mv": 1.0} for name, values in diffuse.items()}
    m = with_leads(**tall_t, aVR={"j_mv": -0.1})
    assert check("PERICARDITIS", m)[0] is False
    assert check("EARLY REPOLARISATION", m)[0] is None  # the notch at the end of QRS is not measured


def test_rules_stay_open_until_what_is_known_decides() -> None:
    a, b, c = (Criterion(name, Within("qrs_ms"), "S") for name in "abc")
    rule = Every((a, Some((b, c)), Unless(b)))
    assert decide(rule, {}) is None
    assert decide(rule, {"a": True, "b": False}) is None
    assert decide(rule, {"a": True, "b": False, "c": True}) is True
    assert decide(rule, {"a": False}) is False
    assert decide(rule, {"b": True}) is False


@settings(max_examples=40, deadline=None)
@given(MEASUREMENTS)
def test_the_criteria_of_a_diagnosis_explain_its_outcome(m: Measurements) -> None:
    for code, diagnosis in CRITERIA.items():
        judgement = explain(code, m)
        known = {item.name: item.met for item in judgement.criteria}
        masked = any(check(other, m)[0] for other in MASKED.get(code, ()))
        if m.quality.verdict != "unusable":
            assert judgement.met is (None if masked else decide(diagnosis.rule, known)), code


def test_voltages_say_nothing_about_hypertrophy_beside_left_bundle_branch_block() -> None:
    tall = {"aVL": {"r_mv": 1.5}, "V3": {"s_mv": -2.0}}
    assert check("LVH", with_leads(**tall))[0] is True
    m = measure(read_record(example_path("left_bundle_branch_block")))
    assert check("CLBBB", m)[0] is True
    assert check("LVH", m) == (None, ())


def test_rows_that_refine_support_a_statement_but_never_contradict_it_and_are_not_listed() -> None:
    inverted = {"t_mv": -0.3}
    ischaemia = with_leads(II=inverted, III=inverted, aVF=inverted)
    assert check_statement("ISCIN", ischaemia)[0] is True
    assert check("ISCLA", ischaemia)[0] is False
    assert check_statement("ISCLA", ischaemia) == (None, ())
    assert check_statement("CLBBB", ischaemia)[0] is False
    assert check_statement("NOSUCH", ischaemia) == (None, ())
    assert not {"ISCIN", "ISC_"} & set(findings(ischaemia))


def test_a_name_means_one_thing() -> None:
    named = [item for diagnosis in CRITERIA.values() for item in diagnosis.criteria]
    for name in {item.name for item in named}:
        rules = {repr(item.rule) for item in named if item.name == name}
        assert len(rules) == 1, name
