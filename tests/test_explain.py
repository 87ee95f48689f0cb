"""Explanations name only what was measured and what was stated."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import MEASUREMENTS, example, leads

from uniecg.errors import InputError
from uniecg.signal.measurements import Measurements
from uniecg.signal.quality import Quality
from uniecg.text.explain import (
    compared_rightly,
    explain,
    inverted_t_leads,
    measurement_text,
    q_wave_leads,
    st_deviations,
)
from uniecg.text.statements import STATEMENTS, parse_statements

CODES = st.lists(st.sampled_from(sorted(STATEMENTS)), unique=True, min_size=1, max_size=6)


def test_measurement_line() -> None:
    assert measurement_text(example()) == (
        "rate 72 normal; rr cv 3 regular; rr step 2; P yes; PR 160 normal; QRS 92 not wide; QT 400; QTc 425 normal; "
        "axis 45 normal; "
        "ST II +0.2 III +0.2 aVF +0.2 V2 -0.1; T neg V5; Q II III aVF; Sokolow 2.3; limb 1.2; "
        "meets sinus rhythm, abnormal Q waves, inferior myocardial infarction; quality good"
    )


def test_canonical_report() -> None:
    assert explain(example(), ["IMI", "SR"]) == (
        "Sinus rhythm, rate 72 bpm, regular, P waves present. PR 160 ms, QRS 92 ms, QT 400 ms, QTc 425 ms, "
        "axis 45 degrees (normal). ST elevation in II, III and aVF (up to 0.2 mV), ST depression in V2 "
        "(up to 0.1 mV). Q waves in II, III and aVF, T wave inversion in V5. "
        "Impression: sinus rhythm, inferior myocardial infarction."
    )


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (
            "PR 184 ms (long), QRS 144 ms (wide), QT 402 ms.",
            "PR 184 ms (normal), QRS 144 ms (wide), QT 402 ms.",
        ),
        ("The QRS axis is -55 degrees, normal.", "The QRS axis is -55 degrees, left."),
        ("The QTc (Fridericia) is 499 ms, normal.", "The QTc (Fridericia) is 499 ms, long."),
        ("The heart rate is 45 bpm, fast.", "The heart rate is 45 bpm, slow."),
        ("QRS 80 ms (wide), axis 120 degrees (left)", "QRS 80 ms (not wide), axis 120 degrees (right)"),
        ("Atrial flutter, 45 bpm, regular", "Atrial flutter, 45 bpm, regular"),
    ],
)
def test_a_value_gets_the_word_of_its_range(said: str, right: str) -> None:
    assert compared_rightly(said, example()) == right


def test_what_explanations_say_of_values_stays() -> None:
    for style in ("report", "short", "teaching"):
        text = explain(example(), ["IMI", "SR"], style=style)  # type: ignore[arg-type]
        assert compared_rightly(text, example()) == text


def test_styles() -> None:
    assert explain(example(), ["SR"], style="short") == (
        "Sinus rhythm, rate 72 bpm, regular, P waves present. QRS 92 ms, QTc 425 ms. Impression: sinus rhythm."
    )
    assert explain(example(), ["NORM", "SR"], style="impression") == "Impression: sinus rhythm, normal ECG."
    with pytest.raises(InputError, match=r"'report', .*'teaching' or 'json'"):
        explain(example(), [], style="long")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        explain(example(), ["XYZ"])


def test_without_statements_only_measurements_are_described() -> None:
    for style in ("report", "short", "impression"):
        text = explain(example(), [], style=style)  # type: ignore[arg-type]
        assert text.startswith("Rate 72 bpm")
        assert "Impression" not in text


def test_words_where_a_value_leaves_the_normal_range() -> None:
    text = explain(example(pr_ms=220.4, qrs_ms=150.0, qtc_fridericia_ms=480.0, qrs_axis_deg=-60.0), [])
    assert (
        "PR 220 ms (long), QRS 150 ms (wide), QT 400 ms, QTc 480 ms (long), axis -60 degrees (left)" in text
    )
    fibrillation = explain(example(rr_cv=0.2, p_fraction=0.0), ["AFIB"])
    assert fibrillation.startswith("Atrial fibrillation, rate 72 bpm, irregular, no P waves. QRS 92 ms")


def test_what_was_not_measured_is_not_mentioned() -> None:
    nothing = Measurements(duration_s=10.0, quality=Quality("unusable", ("no beats found",), {}))
    assert measurement_text(nothing) == "quality poor"
    assert explain(nothing, ["AFIB"]) == (
        "Atrial fibrillation. Signal quality is poor. Impression: atrial fibrillation."
    )
    assert explain(nothing, []) == "Signal quality is poor."


def test_unknown_amplitudes_are_not_given_in_millivolt() -> None:
    m = example(amplitude_known=False)
    for text in (measurement_text(m), explain(m, ["SR", "LVH"])):
        assert "mV" not in text
        assert "ST" not in text
    assert q_wave_leads(m) == ["II", "III", "aVF"]
    assert st_deviations(m) == {}
    assert inverted_t_leads(m) == []


def test_normal_variants_are_left_out() -> None:
    m = example(
        leads=leads(
            III={"q_mv": -0.3, "q_ms": 40.0, "t_mv": -0.2},
            V1={"t_mv": -0.2},
            V2={"st_mv": 0.15},
            aVR={"t_mv": -0.3},
        )
    )
    text = explain(m, [])
    assert "No significant ST deviation." in text
    assert "Q wave" not in text
    assert "T wave" not in text
    assert "ST V2 +0.1" in measurement_text(m) or "ST V2 +0.2" in measurement_text(m)


def test_dropping_items_needs_a_generator_and_keeps_the_order() -> None:
    with pytest.raises(InputError, match="rng"):
        measurement_text(example(), drop=0.5)
    every = measurement_text(example()).split("; ")
    rng = np.random.default_rng(0)
    lengths = set()
    for _ in range(50):
        kept = [item for item in measurement_text(example(), rng=rng, drop=0.5).split("; ") if item]
        assert kept == [item for item in every if item in kept]
        lengths.add(len(kept))
    assert len(lengths) > 3
    assert measurement_text(example(), rng=rng, drop=1.0) == ""


@settings(max_examples=60)
@given(MEASUREMENTS, CODES, st.integers(0, 2**32 - 1))
def test_impression_gives_the_statements_back(m: Measurements, codes: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    for style in ("report", "short", "impression"):
        text = explain(m, codes, rng=rng, style=style)  # type: ignore[arg-type]
        assert set(parse_statements(text)) == set(codes)
        assert len(text.split()) <= 140
        assert "nan" not in text


@settings(max_examples=60)
@given(MEASUREMENTS)
def test_every_integer_stands_in_the_measurement_line(m: Measurements) -> None:
    line = measurement_text(m)
    assert "nan" not in line
    for number in re.findall(r"(?:bpm|PR|QRS|QT|QTc|axis) (-?\d+) ", explain(m, [])):
        assert re.search(rf"(?:PR|QRS|QT|QTc|axis) {number}(?: [a-z ]+)?(?:;|$)", line), (number, line)


def test_wording_varies_with_the_generator_and_repeats_with_the_seed() -> None:
    texts = {explain(example(), ["SR"], rng=np.random.default_rng(seed)) for seed in range(20)}
    assert len(texts) >= 4
    assert explain(example(), ["SR"], rng=np.random.default_rng(3)) in texts
