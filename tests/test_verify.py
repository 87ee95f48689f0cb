"""Claims of a text are found and held against the measurements."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import MEASUREMENTS, beats, example, leads

from uniecg.record import Record
from uniecg.signal import measure
from uniecg.signal.measurements import Measurements
from uniecg.signal.quality import Quality
from uniecg.text.explain import explain, measurement_text
from uniecg.text.statements import STATEMENTS
from uniecg.text.verify import Claim, check_claims, check_report, objection

CODES = st.lists(st.sampled_from(sorted(STATEMENTS)), unique=True, max_size=6)


def _found(
    text: str, m: Measurements | None = None
) -> list[tuple[str, str | None, float | str | None, bool | None]]:
    return [(c.quantity, c.lead, c.stated, c.ok) for c in check_claims(text, m or example())]


@settings(max_examples=100)
@given(MEASUREMENTS, CODES, st.integers(0, 2**32 - 1))
def test_explanations_never_contradict_their_measurements(
    m: Measurements, codes: list[str], seed: int
) -> None:
    for rng in (None, np.random.default_rng(seed)):
        for style in ("report", "short", "impression"):
            text = explain(m, codes, rng=rng, style=style)  # type: ignore[arg-type]
            assert [claim for claim in check_claims(text, m) if claim.ok is False] == [], text
    assert [claim for claim in check_claims(measurement_text(m), m) if claim.ok is False] == []


def test_every_number_and_lead_of_an_explanation_is_checked() -> None:
    claims = check_claims(explain(example(), ["SR", "IMI"]), example())
    assert all(claim.ok for claim in claims)
    numbers = {claim.quantity: claim.stated for claim in claims if isinstance(claim.stated, float)}
    assert numbers == {
        "heart_rate_bpm": 72.0,
        "pr_ms": 160.0,
        "qrs_ms": 92.0,
        "qt_ms": 400.0,
        "qtc_ms": 425.0,
        "qrs_axis_deg": 45.0,
        "st_elevation": 0.2,
        "st_depression": 0.1,
    }
    named = {(c.quantity, c.lead) for c in claims if c.lead}
    assert named == {
        *(("st_elevation", lead) for lead in ("II", "III", "aVF")),
        *(("q_wave", lead) for lead in ("II", "III", "aVF")),
        ("st_depression", "V2"),
        ("t_inversion", "V5"),
    }


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("QRS duration of 90 ms", ("qrs_ms", None, 90.0, True)),
        ("QRS duration of 120 ms", ("qrs_ms", None, 120.0, False)),
        ("QRS duration is 0.09 s", ("qrs_ms", None, 90.0, True)),
        ("heart rate 72/min", ("heart_rate_bpm", None, 72.0, True)),
        ("at about 74 beats per minute", ("heart_rate_bpm", None, 74.0, True)),
        ("a ventricular rate of 90 bpm", ("heart_rate_bpm", None, 90.0, False)),
        ("the PR interval was 164 ms", ("pr_ms", None, 164.0, True)),
        ("QTc 438 ms", ("qtc_ms", None, 438.0, True)),
        ("QTc 480 ms", ("qtc_ms", None, 480.0, False)),
        ("axis -30\u00b0", ("qrs_axis_deg", None, -30.0, False)),
        ("an axis of 47 degrees", ("qrs_axis_deg", None, 47.0, True)),
        ("the rate is above 100 bpm", ("heart_rate_bpm", None, 100.0, False)),
        ("a QRS of less than 110 ms", ("qrs_ms", None, 110.0, True)),
        ("PR of 200 ms or more", ("pr_ms", None, 200.0, False)),
        ("ST elevation of 2 mm in lead III", ("st_elevation", "III", 0.2, True)),
        ("ST elevation of 0.4 mV in II", ("st_elevation", "II", 0.4, False)),
        ("elevated ST segments in aVF", ("st_elevation", "aVF", "present", True)),
        ("ST-segment depression in V5", ("st_depression", "V5", "present", False)),
        ("ST segments are depressed in V2", ("st_depression", "V2", "present", True)),
        ("ST elevation in the inferior leads", ("st_elevation", "inferior leads", "present", True)),
        ("ST elevation in the lateral leads", ("st_elevation", "lateral leads", "present", False)),
        ("Inferior ST elevation", ("st_elevation", "inferior leads", "present", True)),
        ("no ST elevation", ("st_elevation", None, "absent", None)),
        ("without Q waves", ("q_wave", None, "absent", False)),
        ("no inverted T waves in V4", ("t_inversion", "V4", "absent", True)),
        ("negative T waves in V5", ("t_inversion", "V5", "present", True)),
        ("pathological Q waves in V4", ("q_wave", "V4", "present", False)),
        ("S wave of 1.2 mV in V1", ("s_mv", "V1", 1.2, True)),
        ("R in V5 2.4 mV", ("r_mv", "V5", 2.4, False)),
        ("Sokolow-Lyon index of 2.3 mV", ("sokolow_lyon_mv", None, 2.3, True)),
        ("a wide QRS", ("qrs_ms", None, "wide QRS", False)),
        ("normal axis", ("qrs_axis_deg", None, "normal axis", True)),
        ("the rhythm is irregular", ("rr_cv", None, "irregular", False)),
        ("slightly irregular", ("rr_cv", None, "slightly irregular", False)),
        ("no P waves", ("p_fraction", None, "P waves", False)),
    ],
)
def test_single_claims(text: str, claim: tuple[str, str | None, float | str, bool | None]) -> None:
    assert _found(text) == [claim]


@settings(max_examples=60)
@given(MEASUREMENTS, st.data())
def test_a_wrong_number_never_passes(m: Measurements, data: st.DataObject) -> None:
    text = explain(m, ["AFLT"])
    numbers = list(re.finditer(r"(?<=rate )\d+|(?<=QRS )\d+|(?<=QT )\d+|(?<=QTc )\d+|(?<=axis )-?\d+", text))
    for number in numbers:
        change = data.draw(st.sampled_from([-40, -25, 25, 40]))
        right = [float(number[0])]
        if text[: number.start()].endswith("QTc "):  # either formula may be meant
            right += [m.qtc_bazett_ms, m.qtc_fridericia_ms]
        other = round((max if change > 0 else min)(right)) + change
        wrong = text[: number.start()] + str(other) + text[number.end() :]
        assert any(claim.ok is False for claim in check_claims(wrong, m)), wrong


def test_lead_ranges_and_lists() -> None:
    m = example(leads=leads(V2={"st_mv": 0.2}, V3={"st_mv": 0.3}, V4={"st_mv": 0.01}))
    assert _found("ST elevation in V2-V4", m) == [
        ("st_elevation", "V2", "present", True),
        ("st_elevation", "V3", "present", True),
        ("st_elevation", "V4", "present", False),
    ]
    assert _found("ST elevation in V2 (0.2 mV) and V3 (0.1 mV)", m) == [
        ("st_elevation", "V2", 0.2, True),
        ("st_elevation", "V3", 0.1, False),
    ]
    assert _found("ST elevation in V2 and V3 (up to 0.5 mV)", m)[-1] == ("st_elevation", None, 0.5, False)


def test_slightly_irregular_is_less_than_irregular() -> None:
    for variation, right in ((0.03, False), (0.0625, True), (0.2, False)):
        assert _found("slightly irregular", example(rr_cv=variation)) == [
            ("rr_cv", None, "slightly irregular", right)
        ]


def test_axis_turns_around_and_negated_numbers() -> None:
    assert _found("axis 178 degrees", example(qrs_axis_deg=-179.0)) == [("qrs_axis_deg", None, 178.0, True)]
    assert _found("the rate is not 72 bpm") == [("heart_rate_bpm", None, 72.0, False)]


def test_counts_of_beats() -> None:
    m = example(beats=beats(12, premature=4))
    assert _found("4 premature beats", m) == [("premature_beats", None, 4.0, True)]
    assert _found("1 premature beat", m) == [("premature_beats", None, 1.0, False)]


def test_what_was_not_measured_is_neither_right_nor_wrong() -> None:
    nothing = Measurements(duration_s=10.0, quality=Quality("unusable", ("no beats found",), {}))
    claims = check_claims(
        "Rate 72 bpm, regular, ST elevation in V2 (up to 0.2 mV), no Q waves, wide QRS.", nothing
    )
    assert len(claims) == 5
    assert {claim.ok for claim in claims} == {None}
    unknown_scale = example(amplitude_known=False)
    assert _found("ST elevation in II", unknown_scale) == [("st_elevation", "II", "present", None)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Left bundle branch block is a delay of the left ventricle.",
        "A normal rate is 60 to 100 bpm and a normal PR interval 120-200 ms.",
        "Impression: long QT interval, prolonged PR interval, low QRS voltage, ST depression, T wave inversion.",
    ],
)
def test_texts_without_claims_about_this_record(text: str) -> None:
    assert [claim for claim in check_claims(text, example()) if claim.ok is False] == []


def test_report_shows_what_contradicts() -> None:
    text = "Rate 110 bpm. Impression: sinus rhythm, sinus tachycardia."
    report = check_report(text, example())
    assert report.text == text
    assert [(finding.code, finding.status) for finding in report.findings] == [
        ("SR", "supported"),
        ("STACH", "contradicted"),
    ]
    assert report.findings[0].evidence
    assert report.warnings == ("'Rate 110 bpm' contradicts the measurement of heart_rate_bpm, measured 72.3",)
    assert json.loads(report.to_json())["quality"] == "usable"


def test_claims_are_plain_values() -> None:
    assert check_claims("PR 160 ms", example()) == [Claim("pr_ms", None, 160.0, 160.4, True, "PR 160 ms")]


def test_measurements_object_to_a_rhythm_they_contradict(examples: dict[str, Record]) -> None:
    m = measure(examples["atrial_fibrillation"])
    said = objection(check_report("Impression: sinus rhythm.", m), m)
    assert said == "Contradicted by the measurements: sinus rhythm. They fit: atrial fibrillation."
    assert objection(check_report("Impression: atrial fibrillation.", m), m) == ""
