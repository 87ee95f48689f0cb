"""Requests written in canonical words are read back exactly; free wording is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniecg.attributes import NUMERIC, Attributes
from uniecg.text.attributes import describe, generation_answer, parse_attributes, restate
from uniecg.text.statements import RHYTHMS, STATEMENTS, parse_statements


def _values(name: str) -> st.SearchStrategy[float | None]:
    low, high = NUMERIC[name].low, NUMERIC[name].high
    whole = st.integers(int(low), int(high)).map(float)
    return st.none() | whole | st.floats(low, high, allow_nan=False)


ATTRIBUTES = st.builds(
    Attributes, sex=st.sampled_from([None, "female", "male"]), **{name: _values(name) for name in NUMERIC}
)
CODES = st.lists(st.sampled_from(sorted(STATEMENTS)), unique=True, max_size=8)


@given(CODES, ATTRIBUTES)
def test_parse_is_the_inverse_of_describe(codes: list[str], attributes: Attributes) -> None:
    for text in (describe(codes, attributes), generation_answer(codes, attributes)):
        assert parse_attributes(text) == attributes
        read = parse_statements(text)
        assert sorted(read) == sorted(codes)
        assert [c for c in read if c not in RHYTHMS] == [c for c in codes if c not in RHYTHMS]


def test_canonical_wording() -> None:
    attributes = Attributes(70, "female", 110, 160, 150, 400, -30)
    assert describe(["CLBBB", "SR"], attributes) == (
        "sinus rhythm, complete left bundle branch block, ventricular rate 110 bpm, PR 160 ms, QRS 150 ms, "
        "QT 400 ms, axis -30 degrees, female, 70 years"
    )
    assert generation_answer(["AFIB"]) == "This is an ECG of atrial fibrillation."
    assert generation_answer([]) == "This is an ECG."
    with pytest.raises(KeyError):
        describe(["XYZ"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("an ECG with a rate of 80", Attributes(heart_rate_bpm=80)),
        ("HR 80", Attributes(heart_rate_bpm=80)),
        ("heart rate: about 80 bpm", Attributes(heart_rate_bpm=80)),
        ("AF at 130/min", Attributes(heart_rate_bpm=130)),
        ("sinus rhythm, 55 beats per minute", Attributes(heart_rate_bpm=55)),
        ("make it 120 bpm please", Attributes(heart_rate_bpm=120)),
        ("atrial rate 300, ventricular rate 150", Attributes(heart_rate_bpm=150)),
        ("PR interval of 220 ms", Attributes(pr_ms=220)),
        ("PQ 0.16 s", Attributes(pr_ms=160)),
        ("QRS duration is 140 msec", Attributes(qrs_ms=140)),
        ("QTc 450 ms", Attributes()),
        ("QT/QTc 400/440", Attributes()),
        ("QTc 450 ms, QT 390 ms", Attributes(qt_ms=390)),
        ("axis of -30\u00b0", Attributes(qrs_axis_deg=-30)),
        ("axis \u221245 degrees", Attributes(qrs_axis_deg=-45)),
        ("P axis 60, QRS axis 20", Attributes(qrs_axis_deg=20)),
        ("70F with LBBB", Attributes(age=70, sex="female")),
        ("a 70-year-old woman", Attributes(age=70, sex="female")),
        ("55 yo male", Attributes(age=55, sex="male")),
        ("an elderly man, aged 81", Attributes(age=81, sex="male")),
        ("female patient", Attributes(sex="female")),
        ("10 s of a 12-lead ECG at 500 Hz, S in V1", Attributes()),
        ("a normal rate is 60-100 bpm, here 72 bpm", Attributes(heart_rate_bpm=72)),
        ("rate above 100 bpm, QRS of 120 ms or more", Attributes()),
        ("rate 2000 bpm", Attributes()),
        ("60yo M", Attributes(age=60, sex="male")),
        ("m/55", Attributes(age=55, sex="male")),
        ("weiblich, 70 Jahre", Attributes(age=70, sex="female")),
        ("kvinna 70 år, 140 slag/min", Attributes(age=70, sex="female", heart_rate_bpm=140)),
        ("Infarkt vor 5 Jahren", Attributes()),
        ("QRS .16 s", Attributes(qrs_ms=160)),
        ("axis 45 degrees left", Attributes(qrs_axis_deg=-45)),
        ("axis 45 degrees left bundle branch block", Attributes(qrs_axis_deg=45)),
        ("", Attributes()),
    ],
)
def test_free_text(text: str, expected: Attributes) -> None:
    assert parse_attributes(text) == expected


def test_restating_keeps_what_the_request_names() -> None:
    swapped = "This is an ECG of sinus rhythm, ventricular rate 70 bpm, 110 years."
    assert restate("AF at 110 bpm, 70 years old", swapped) == (
        "This is an ECG of atrial fibrillation, ventricular rate 110 bpm, 70 years."
    )
    assert (
        restate("make it slower", "This is an ECG of sinus bradycardia.")
        == "This is an ECG of sinus bradycardia."
    )
