"""Edits of a generated ECG, and generation requests with ranges, bullets and units."""

from __future__ import annotations

import re

import numpy as np
import pytest

from uniecg.attributes import NUMERIC, Attributes
from uniecg.errors import InputError
from uniecg.text.asking import by_kind
from uniecg.text.attributes import parse_attributes, read_ranges
from uniecg.text.edit_requests import sample_edit
from uniecg.text.edits import (
    NOTHING_BEFORE,
    Edit,
    apply_edit,
    describe_edit,
    described,
    edit_reply,
    parse_edit,
)
from uniecg.text.numbers import find_ranges
from uniecg.text.requests import Split, families, sample_request
from uniecg.text.shapes import sample_shape
from uniecg.text.slots import fill, point, request_values
from uniecg.text.statements import conflicts, parse_statements

SPLITS: tuple[Split, ...] = ("train", "heldout")
A = Attributes


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        # What is added replaces what it excludes, and values that contradict it go.
        (Edit(add=("AFIB",)), (("SR", "1AVB", "LVH"), A(pr_ms=220.0, age=60.0)), (("LVH", "AFIB"), A(age=60.0))),
        (Edit(add=("CLBBB",)), (("SR", "CRBBB"), A(qrs_ms=150.0)), (("SR", "CLBBB"), A(qrs_ms=150.0))),
        (Edit(add=("CLBBB",)), (("SR",), A(qrs_ms=90.0)), (("SR", "CLBBB"), A())),
        (Edit(add=("PVC",)), (("NORM",), A(age=30.0)), (("PVC",), A(age=30.0))),
        (Edit(add=("NORM",)), (("AFIB", "LVH"), A(heart_rate_bpm=140.0, age=50.0)), (("NORM",), A(age=50.0))),
        (Edit(remove=("AFIB",)), (("AFIB",), A(heart_rate_bpm=130.0)), (("STACH",), A(heart_rate_bpm=130.0))),
        # A new value renames sinus rhythm and drops what it contradicts.
        (Edit(values=A(heart_rate_bpm=120.0)), (("SR",), A()), (("STACH",), A(heart_rate_bpm=120.0))),
        (Edit(values=A(heart_rate_bpm=80.0)), (("STACH",), A()), (("SR",), A(heart_rate_bpm=80.0))),
        (Edit(values=A(heart_rate_bpm=40.0)), (("AFIB",), A()), (("AFIB",), A(heart_rate_bpm=40.0))),
        (Edit(values=A(heart_rate_bpm=80.0)), (("SVTAC",), A()), (("SR",), A(heart_rate_bpm=80.0))),
        (Edit(values=A(heart_rate_bpm=150.0)), (("NORM",), A()), (("STACH",), A(heart_rate_bpm=150.0))),
        (Edit(values=A(qrs_ms=90.0)), (("SR", "CLBBB"), A()), (("SR",), A(qrs_ms=90.0))),
        # The QT interval belongs to its rate.
        (
            Edit(values=A(heart_rate_bpm=90.0)),
            (("SR",), A(heart_rate_bpm=60.0, qt_ms=420.0)),
            (("SR",), A(heart_rate_bpm=90.0)),
        ),
        (Edit(pace="slower"), (("SR",), A(heart_rate_bpm=70.0)), (("SBRAD",), A(heart_rate_bpm=50.0))),
        (Edit(pace="faster"), (("AFIB",), A(heart_rate_bpm=80.0)), (("AFIB",), A(heart_rate_bpm=100.0))),
        (Edit(remove=("STE_",)), (("SR", "STE_"), A()), (("SR",), A())),
        (Edit(remove=("AFIB",)), (("AFIB", "LVH"), A(heart_rate_bpm=99.0)), (("SR", "LVH"), A(heart_rate_bpm=99.0))),
        (Edit(remove=("ISC_",)), (("ISCIN",), A()), (("SR",), A())),  # what is narrower goes with it
        (Edit(older_years=30.0), (("SR",), A(age=50.0, sex="female")), (("SR",), A(age=80.0, sex="female"))),
        (Edit(older_years=-90.0), (("SR",), A(age=50.0)), (("SR",), A(age=0.0))),
        (Edit(values=A(sex="male")), (("SR",), A(sex="female")), (("SR",), A(sex="male"))),
    ],
)  # fmt: skip
def test_an_edit_changes_what_it_says_and_keeps_the_rest(
    edit: Edit, before: tuple[tuple[str, ...], Attributes], after: tuple[tuple[str, ...], Attributes]
) -> None:
    assert apply_edit(edit, *before) == after


def test_replies_restate_or_say_why_not() -> None:
    before = ("SR", "STE_"), A(heart_rate_bpm=70.0, sex="female")
    assert edit_reply(Edit(add=("CLBBB",)), before) == (
        "This is an ECG of sinus rhythm, ST elevation, complete left bundle branch block, ventricular rate 70 bpm, "
        "female."
    )
    assert edit_reply(Edit(add=("CLBBB",)), None) == NOTHING_BEFORE
    assert "has no atrial fibrillation" in edit_reply(Edit(remove=("AFIB",)), before)
    assert "age of the patient was not given" in edit_reply(Edit(older_years=10.0), before)
    assert "exclude each other" in edit_reply(Edit(add=("AFIB", "AFLT")), before)
    assert "QT 200 ms cannot go with QRS 240 ms" in edit_reply(
        Edit(values=A(qrs_ms=240.0, qt_ms=200.0)), before
    )


def test_what_cannot_be_added_together_is_refused() -> None:
    with pytest.raises(InputError, match="complete left bundle branch block and complete right"):
        apply_edit(Edit(add=("CLBBB", "CRBBB")), ("SR",), A())
    with pytest.raises(InputError, match="sinus tachycardia does not go with heart_rate_bpm 50"):
        apply_edit(Edit(add=("STACH",), values=A(heart_rate_bpm=50.0)), ("SR",), A())
    with pytest.raises(KeyError):
        apply_edit(Edit(add=("XYZ",)), ("SR",), A())


@pytest.mark.parametrize("split", SPLITS)
def test_drawn_edits_leave_a_possible_ecg(split: Split) -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(250):
        request = sample_request(rng, "generate", split)
        edit = sample_edit(rng, request.statements, request.attributes, split)
        assert edit.text
        assert not set("{}") & set(edit.text)
        before = conflicts(request.statements)
        assert set(conflicts(edit.statements)) <= set(before), edit
        for name, value in edit.attributes.to_dict().items():
            assert isinstance(value, str) or NUMERIC[name].low <= value <= NUMERIC[name].high
        if edit.answer.startswith("This is an ECG"):
            assert sorted(parse_statements(edit.answer)) == sorted(edit.statements), edit
            assert parse_attributes(edit.answer) == edit.attributes, edit
            for name, value in edit.edit.values.to_dict().items():
                assert getattr(edit.attributes, name) == value
        else:
            refused += 1
    assert refused < 10


@pytest.mark.parametrize("split", SPLITS)
def test_numbers_of_an_edit_stand_in_its_text(split: Split) -> None:
    rng = np.random.default_rng(1)
    seen = 0
    for _ in range(150):
        drawn = sample_edit(rng, ("SR", "LVH"), A(age=50.0, sex="male"), split)
        for value in drawn.edit.values.to_dict().values():
            if not isinstance(value, str):
                assert f"{value:.0f}" in drawn.text
                seen += 1
        if drawn.edit.older_years:
            assert f"{abs(drawn.edit.older_years):.0f}" in drawn.text
    assert seen > 30


@pytest.mark.parametrize("split", SPLITS)
def test_a_change_in_canonical_words_reads_back(split: Split) -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        drawn = sample_edit(rng, ("AFIB", "STE_"), A(age=50.0, heart_rate_bpm=80.0), split)
        words = describe_edit(drawn.edit)
        assert parse_edit(drawn.text, words) == drawn.edit, words
        assert fill(point(words, request_values(drawn.text)), request_values(drawn.text)) == words


def test_a_request_is_more_certain_than_the_model_s_words() -> None:
    assert parse_edit("now at 120 bpm", "The same ECG with ventricular rate 20 bpm.") == Edit(
        values=A(heart_rate_bpm=120.0)
    )
    assert parse_edit("no ST elevation please", "The same ECG slower.") == Edit(
        remove=("STE_",), pace="slower"
    )
    assert parse_edit("an ECG of AF", "This is an ECG of atrial fibrillation.") is None


def test_what_is_generated_rests_on_the_last_description() -> None:
    first = "This is an ECG of atrial fibrillation, female, 70 years. Measured on the result: rate 90 bpm, QRS 88 ms."
    earlier = ["Hello.", "This is an ECG of sinus rhythm.", first, "You are welcome."]
    assert described("now with LBBB", "The same ECG with complete left bundle branch block.", earlier) == (
        "This is an ECG of atrial fibrillation, complete left bundle branch block, female, 70 years."
    )
    assert (
        described("now with LBBB", "The same ECG with complete left bundle branch block.") == NOTHING_BEFORE
    )
    assert described("sinus rhythm between 60 and 80 bpm", "This is an ECG of sinus rhythm.", earlier) == (
        "This is an ECG of sinus rhythm, ventricular rate 70 bpm."
    )
    assert "not possible" in described("AF at 900 bpm", "This is an ECG of atrial fibrillation.")


def test_edits_are_known_in_five_languages() -> None:
    found = {family.options.get("lang", "en") for kind in by_kind("edits").values() for family in kind}
    assert found == {"en", "de", "fr", "es", "sv"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sinus rhythm, rate between 60 and 80", {"heart_rate_bpm": 70.0}),
        ("AF, HR 110-130, F, age 60-70", {"heart_rate_bpm": 120.0, "age": 65.0}),
        ("QRS 0.12-0.16 s at 70 bpm", {"qrs_ms": 140.0}),
        ("PR interval from 120 to 200 ms", {"pr_ms": 160.0}),
        ("QT 380–420 ms, axis between -60 and -30 degrees", {"qt_ms": 400.0, "qrs_axis_deg": -45.0}),
        ("Vorhofflimmern, Frequenz zwischen 60 und 80", {"heart_rate_bpm": 70.0}),
        ("fréquence cardiaque entre 60 et 80", {"heart_rate_bpm": 70.0}),
        ("de 60 a 90 lpm", {"heart_rate_bpm": 75.0}),
        ("frekvens mellan 60 och 80", {"heart_rate_bpm": 70.0}),
        # No ranges of these quantities.
        ("flutter with an atrial rate of 250 to 350/min", {}),
        ("T wave inversion in V2 to V4 at 70 bpm", {}),
        ("rate 80-60", {}),
        ("rate between 5 and 900", {}),
        ("high voltage QRS 78-88/min", {"heart_rate_bpm": 83.0}),
        ("sinus rhythm at 70", {}),
    ],
)
def test_ranges_in_text(text: str, values: dict[str, float]) -> None:
    assert read_ranges(text).to_dict() == values


@pytest.mark.parametrize("split", SPLITS)
def test_drawn_ranges_hold_their_value(split: Split) -> None:
    rng = np.random.default_rng(0)
    ranged = 0
    for _ in range(200):
        request = sample_shape(rng, split)
        assert request.action == "generate"
        assert not request.has_ecg
        assert not set("{}") & set(request.text), request
        for name, value in request.attributes.to_dict().items():
            if isinstance(value, str):
                continue
            ends = find_ranges(request.text, name)
            if ends:
                assert ends[0][0] < value < ends[0][1], request
                assert read_ranges(request.text).to_dict()[name] == value
                ranged += 1
            else:
                digits = {
                    float(number) for number in re.findall(r"\d+(?:\.\d+)?", request.text.replace("-", " "))
                }
                middles = {(low + high) / 2 for low in digits for high in digits if low < high}
                assert {value, -value, value / 1000} & digits or value in middles, request
    assert ranged > 30


def test_bullets_and_seconds_are_drawn_in_both_splits() -> None:
    for split in SPLITS:
        rng = np.random.default_rng(0)
        texts = [sample_shape(rng, split).text for _ in range(150)]
        assert any(re.search(r"\n\s*[->+*] ", text) for text in texts)
        assert any(re.search(r"0\.\d+ s", text) for text in texts)


@pytest.mark.parametrize("split", SPLITS)
def test_refusals_and_questions_back_are_there_in_both_splits(split: Split) -> None:
    asked = {family.options.get("reply", "").split("_")[0] for family in families("answer", split)}
    assert {"attach", "treatment", "offtopic", "impossible"} <= asked


def test_same_generator_same_edits_and_shapes() -> None:
    def drawn(seed: int) -> list[object]:
        rng = np.random.default_rng(seed)
        edits = [sample_edit(rng, ("SR",), A(age=40.0)) for _ in range(20)]
        return [*edits, *(sample_shape(rng) for _ in range(20))]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
