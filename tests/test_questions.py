"""Questions in ECG-QA's form: answers against an independent computation, balance, and what stays open."""

from __future__ import annotations

import csv
import dataclasses
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import MEASUREMENTS, example, leads

from uniecg.errors import InputError
from uniecg.signal.criteria import check_statement
from uniecg.signal.measurements import Measurements
from uniecg.signal.quality import HUM, MISSING, Quality
from uniecg.text.asking import by_kind, grammars
from uniecg.text.ecg_qa import Form, Question, draw_question, verify_answer
from uniecg.text.requests import ACTIONS, Split, families
from uniecg.text.statements import STATEMENTS, parse_statements
from uniecg.text.verdicts import Verdict, labels, verdicts
from uniecg.text.verify import check_claims

SPLITS: tuple[Split, ...] = ("train", "heldout")
FIBRILLATION = example(
    heart_rate_bpm=118.0, rr_ms=508.0, rr_cv=0.2, rr_irregularity=0.2, p_fraction=0.0, p_ms=math.nan, pr_ms=math.nan,
    qtc_fridericia_ms=480.0,
)  # fmt: skip
NOISY = example(quality=Quality("limited", (), {"V1": (HUM,), "V2": (MISSING,)}))
RECORDS: list[tuple[Measurements, tuple[str, ...]]] = [
    (example(), ("SR", "IMI")),
    (example(leads=leads()), ("NORM", "SR")),
    (FIBRILLATION, ("AFIB", "IMI")),
    (NOISY, ("SR", "DIG")),
]


def drawn(
    m: Measurements,
    codes: tuple[str, ...],
    n: int,
    form: Form | None = None,
    split: Split = "train",
    seed: int = 0,
) -> list[Question]:
    rng = np.random.default_rng(seed)
    return [draw_question(rng, m, codes, split, form) for _ in range(n)]


def met(m: Measurements, codes: tuple[str, ...], what: str, about: str | None = None) -> bool | None:
    found = [v for v in verdicts(m, codes) if v.what == what and (about is None or v.about == about)]
    assert len(found) == 1, (what, about)
    return found[0].met


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize(("m", "codes"), RECORDS)
def test_yes_and_no_are_equally_frequent(m: Measurements, codes: tuple[str, ...]) -> None:
    answers = Counter(question.answers for question in drawn(m, codes, 300, "verify"))
    assert set(answers) == {("yes",), ("no",), ("not sure",)}
    decided = answers[("yes",)] + answers[("no",)]
    assert decided > 240
    assert abs(answers[("yes",)] - answers[("no",)]) < 4 * math.sqrt(decided)


@pytest.mark.parametrize("split", SPLITS)
def test_every_form_and_topic_is_asked_in_both_splits(split: Split) -> None:
    seen = {(q.form, q.topic) for m, codes in RECORDS for q in drawn(m, codes, 250, split=split)}
    topics = {"rhythm", "diagnosis", "form", "sign", "noise", "range", "axis"}
    assert {topic for form, topic in seen if form == "verify"} == topics | {"superclass", "normal"}
    assert {topic for form, topic in seen if form == "choose"} == topics
    assert {topic for form, topic in seen if form == "query"} == topics | {"superclass", "value"}


def test_same_generator_same_questions_and_no_slot_is_left() -> None:
    assert drawn(*RECORDS[0], 40, seed=3) == drawn(*RECORDS[0], 40, seed=3)
    assert drawn(*RECORDS[0], 40, seed=3) != drawn(*RECORDS[0], 40, seed=4)
    for m, codes in RECORDS:
        for question in drawn(m, codes, 100):
            assert question.text
            assert question.sentence.endswith(".")
            assert not set("{}[]|") & set(question.text + question.sentence), question


@settings(max_examples=25, deadline=None)
@given(MEASUREMENTS, st.sets(st.sampled_from(sorted(STATEMENTS)), max_size=4))
def test_a_statement_is_answered_only_where_label_and_criteria_agree(
    m: Measurements, codes: set[str]
) -> None:
    for item in verdicts(m, sorted(codes)):
        if item.code and item.met:
            assert item.code in codes
            assert check_statement(item.code, m)[0] is True
        if item.code and item.met is False:
            excluded = any(item.code in STATEMENTS[other].excludes for other in codes)
            assert item.code not in codes
            assert check_statement(item.code, m)[0] is False or excluded


@settings(max_examples=25, deadline=None)
@given(MEASUREMENTS)
def test_ranges_by_an_independent_computation(m: Measurements) -> None:
    usable = m.quality.verdict != "unusable"
    limits = {
        "PR interval": (m.pr_ms, 120, 200),
        "QRS duration": (m.qrs_ms, -math.inf, 119),
        "QTc": (m.qtc_fridericia_ms, 340, 449 if m.sex == "male" else 459),
        "P duration": (m.p_ms, -math.inf, 119),
    }
    for name, (value, low, high) in limits.items():
        whole = round(value) if math.isfinite(value) and usable else None
        assert met(m, (), "within the normal range", name) is (
            None if whole is None else low <= whole <= high
        )
        assert met(m, (), "above the normal range", name) is (None if whole is None else whole > high)
        if math.isfinite(low):
            assert met(m, (), "below the normal range", name) is (None if whole is None else whole < low)


def test_a_short_rr_belongs_to_a_fast_heart_and_qt_is_judged_for_its_rate() -> None:
    assert met(FIBRILLATION, (), "below the normal range", "RR interval")
    assert met(FIBRILLATION, (), "above the normal range", "QT interval")
    assert met(example(heart_rate_bpm=45.0, rr_ms=1333.0), (), "above the normal range", "RR interval")
    # There is no PR in fibrillation, whatever was measured.
    assert met(example(), ("AFIB",), "within the normal range", "PR interval") is None


@settings(max_examples=25, deadline=None)
@given(MEASUREMENTS)
def test_signs_by_an_independent_computation(m: Measurements) -> None:
    for item in verdicts(m, ()):
        if item.topic != "sign" or item.met is None:
            continue
        lead = item.about.removeprefix("lead ")
        waves = m.leads[lead]
        anterior = lead in ("V2", "V3")
        if item.what == "ST elevation":
            low = 0.15 if anterior else 0.1
            assert (
                min(waves.st_mv, waves.j_mv) >= low if item.met else waves.st_mv < (0.2 if anterior else 0.1)
            )
        elif item.what == "ST depression":
            assert max(waves.st_mv + 0.05, waves.j_mv) <= -0.05 if item.met else waves.st_mv > -0.1
        elif item.what == "T wave inversion":
            assert waves.t_mv <= -0.1 if item.met else waves.t_mv > -0.1 or lead in ("III", "aVL")
        else:
            deep = waves.q_ms >= 30 and -waves.q_mv >= max(0.1, 0.2 * waves.r_mv)
            deep |= waves.r_mv < 0.1 and -waves.s_mv > 5.0 * waves.r_mv  # QS, or nearly so
            deep |= waves.q_mv < 0 and -waves.q_mv >= 5.0 * waves.r_mv
            assert deep or not item.met


def test_lists_name_exactly_the_leads_with_a_sign() -> None:
    raised = {"st_mv": 0.2, "j_mv": 0.15}
    m = example(leads=leads(II=raised, III=raised, aVF=raised, V5={"t_mv": -0.3}))
    found = {(words(q.sentence), q.answers) for q in drawn(m, ("SR",), 600, "query") if q.topic == "sign"}
    assert ("st elevation in ii iii and avf", ("lead II", "lead III", "lead aVF")) in found
    assert ("t wave inversion in v5", ("lead V5",)) in found
    assert ("no lead shows q waves", ("none",)) in found
    assert ("lead v5 shows t wave inversion", ("inverted t-waves",)) in found


def test_noise_is_what_the_quality_check_found() -> None:
    assert met(NOISY, (), "static noise", "lead V1")
    assert met(NOISY, (), "baseline drift", "lead V1") is False
    assert met(NOISY, (), "static noise", "lead V2") is None  # nothing can be seen in a missing lead
    assert met(NOISY, (), "electrode problems", "lead V2")
    assert met(NOISY, (), "static noise", "the recording")


@pytest.mark.parametrize("split", SPLITS)
def test_no_sentence_contradicts_the_measurements(split: Split) -> None:
    claims = 0
    for m, codes in RECORDS:
        for question in drawn(m, codes, 100, split=split):
            found = check_claims(question.sentence, m)
            claims += len(found)
            assert [claim for claim in found if claim.ok is False] == [], question
    assert claims > 100


@settings(max_examples=10, deadline=None)
@given(MEASUREMENTS, st.sets(st.sampled_from(sorted(STATEMENTS)), max_size=3), st.integers(0, 99))
def test_any_record_gets_questions_that_fit_it(m: Measurements, codes: set[str], seed: int) -> None:
    for question in drawn(m, tuple(sorted(codes)), 6, seed=seed):
        assert question.answers
        assert [claim for claim in check_claims(question.sentence, m) if claim.ok is False] == [], question


@pytest.mark.parametrize(("m", "codes"), RECORDS)
def test_sentences_say_what_the_short_answer_says(m: Measurements, codes: tuple[str, ...]) -> None:
    affirmed = 0
    for item in verdicts(m, codes):
        if item.code and item.met is not None and item.topic != "normal":
            (answer,), said = verify_answer(item)
            read = parse_statements(said.split(":")[0])
            assert (item.code in read) == (answer == "yes") == item.met, said
            affirmed += item.met
    assert affirmed == len([code for code in codes if code not in ("NORM", "DIG")])


def test_what_the_criteria_do_not_know_or_contradict_stays_open() -> None:
    m, codes = RECORDS[3]
    assert met(m, codes, "digitalis effect") is None  # there is no criterion
    assert met(example(), ("SR", "AFIB"), "atrial fibrillation") is None  # stated, but contradicted
    assert met(example(), ("SR",), "inferior myocardial infarction") is None  # criteria met, but not stated
    assert (
        met(example(), ("SR",), "T wave inversion", "form") is None
    )  # one lead shows it, the criterion asks for two
    assert met(example(heart_rate_bpm=50.0), ("SBRAD",), "sinus rhythm") is None  # a bradycardia is one
    open_ = Verdict("diagnosis", "digitalis effect", "diagnosis", None, code="DIG")
    assert verify_answer(open_) == (("not sure",), "Digitalis effect cannot be judged in this ECG.")


def test_a_stated_rhythm_rules_out_what_it_excludes() -> None:
    (item,) = [item for item in verdicts(example(), ("SR",)) if item.code == "PSVT"]
    assert item.met is False
    assert verify_answer(item)[1].endswith(": it shows sinus rhythm.")


def test_nothing_is_answered_on_an_unusable_recording() -> None:
    m = dataclasses.replace(example(), quality=Quality("unusable", ("no usable lead",), {}))
    judged = [item for item in verdicts(m, ("SR", "IMI")) if item.met is not None]
    assert {item.topic for item in judged} <= {"noise"}


@pytest.mark.parametrize(("m", "codes"), RECORDS)
def test_a_choice_is_answered_with_what_is_met(m: Measurements, codes: tuple[str, ...]) -> None:
    true = {item.label for item in verdicts(m, codes) if item.met} | {"none"}
    questions = drawn(m, codes, 200, "choose")
    assert all(set(question.answers) <= true for question in questions)
    assert {len(question.answers) for question in questions if question.answers != ("none",)} >= {1}
    assert ("none",) in {question.answers for question in questions}


def test_both_of_two_can_be_true() -> None:
    m = example(leads=leads(V5={"t_mv": -0.3, "q_mv": -0.4, "q_ms": 40.0, "r_mv": 1.0}))
    answers = {q.answers for q in drawn(m, ("SR",), 600, "choose") if q.topic == "sign"}
    assert any(set(pair) == {"inverted t-waves", "q waves present"} for pair in answers)


def test_values_are_the_measured_ones() -> None:
    values = {q.answers for q in drawn(example(), ("SR",), 300, "query") if q.topic == "value"}
    assert values == {(f"{value} ms",) for value in (830, 100, 160, 92, 400, 425)}
    none = {q.answers for q in drawn(FIBRILLATION, ("AFIB",), 300, "query") if q.topic == "value"}
    assert ("not sure",) in none


def test_short_answers_are_those_of_ecg_qa(shared: Path) -> None:
    path = shared / "data" / "ecg_qa" / "ptbxl_answers.csv"
    if not path.is_file():
        pytest.skip("needs the answers of ECG-QA")
    with path.open(encoding="utf-8", newline="") as lines:
        known = {row["class"] for row in csv.DictReader(lines)}
    assert set(labels().values()) <= known
    without = {STATEMENTS[code].name for code in STATEMENTS if code not in labels()}
    for m, codes in RECORDS:
        for question in drawn(m, codes, 150):
            for answer in question.answers:
                assert answer in known | without or re.fullmatch(r"\d+ ms", answer), question


def test_splits_of_all_grammars_share_no_template() -> None:
    sources, names = [], []
    for split in SPLITS:
        group = [family for action in ACTIONS for family in families(action, split)]
        group += [
            family for grammar in grammars() for kind in by_kind(grammar, split).values() for family in kind
        ]
        names.append([family.name for family in group])
        sources.append({words(template.source) for family in group for template in family.templates})
    assert len(set(names[0] + names[1])) == len(names[0]) + len(names[1])
    assert not (sources[0] & sources[1]) - {""}


@pytest.mark.parametrize("grammar", grammars())
def test_whatever_training_asks_for_is_held_out_too(grammar: str) -> None:
    train, heldout = (by_kind(grammar, split) for split in SPLITS)  # type: ignore[arg-type]
    assert set(heldout) == set(train)
    assert all(family.templates for kinds in (train, heldout) for kind in kinds.values() for family in kind)


def test_unknown_names_say_what_to_choose() -> None:
    with pytest.raises(InputError, match="questions, comparisons"):
        by_kind("songs")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="train, heldout"):
        by_kind("questions", "test")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        verdicts(example(), ("XYZ",))
