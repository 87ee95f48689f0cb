"""How people ask: what every drawn request must keep true, and the separation of train and held-out phrasings."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from measured import example

from uniecg.attributes import NUMERIC
from uniecg.errors import InputError
from uniecg.text.explain import measurement_text
from uniecg.text.grammar import expand, parse
from uniecg.text.grammar.cases import surfaces
from uniecg.text.questions import question_about
from uniecg.text.requests import ACTIONS, RequestExample, Split, families, sample_request
from uniecg.text.statements import STATEMENTS

HELDOUT = Path(__file__).parent / "data" / "routing_heldout.tsv"
SPLITS: tuple[Split, ...] = ("train", "heldout")
SEX = {
    "female": r"wom[ae]n|female|lady|frau|patientin|weiblich|femme|patiente|dame|mujer|señora|una paciente|kvinna|f",
    "male": r"m[ae]n|male|gentleman|mann|patienten|männlich|homme|un patient|monsieur|hombre|varón|señor|m",
}


def draw(n: int, seed: int = 0, split: Split = "train", action: str | None = None) -> list[RequestExample]:
    rng = np.random.default_rng(seed)
    return [sample_request(rng, action, split) for _ in range(n)]  # type: ignore[arg-type]


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@pytest.fixture(scope="module")
def many() -> list[RequestExample]:
    return draw(20000)


def test_whether_to_give_a_drug_is_never_asked_as_a_report() -> None:
    """What the ECG shows under a drug is; whether to give it is treatment."""
    decision = re.compile(
        r"(?:can|may) I .*\{drug\}|(?:safe to|fit for|continuing|not to give).*\{drug\}|thrombolyse on|safe to send",
        re.IGNORECASE,
    )
    asked = [
        line
        for line in (files("uniecg") / "text/grammar/interpret_train.txt").read_text("utf-8").splitlines()
        if decision.search(line)
    ]
    assert asked == []


def test_same_generator_same_requests() -> None:
    assert draw(50, seed=3) == draw(50, seed=3)
    assert draw(50, seed=3) != draw(50, seed=4)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("action", ACTIONS)
def test_action_has_what_it_needs(action: str, split: Split) -> None:
    for request in draw(500, split=split, action=action):
        assert request.action == action
        assert "{" not in request.text.replace('{"', "") or request.family == "gen_form"
        if action == "interpret":
            assert request.has_ecg
            assert request.family.split("_")[0] in {"report", "short", "impression", "ask", "any"}
        else:
            assert request.text or request.family == "report_empty"
        if action == "answer":
            assert request.answer or request.action_only
            assert len((request.answer or "").split()) <= 120
        else:
            assert request.answer is None


def test_generate_names_every_value_in_its_text(many: list[RequestExample]) -> None:
    for request in many:
        assert request.action == "generate" or request.attributes.to_dict() == {}
        for name, value in request.attributes.to_dict().items():
            if isinstance(value, str):
                assert re.search(
                    rf"(?<![^\W\d_])(?:yo)?({SEX[value]})(?![^\W\d_])", request.text, re.IGNORECASE
                ), request
            else:
                assert re.search(rf"(?<!\d){value:.0f}(?!\d)", request.text), request
                assert NUMERIC[name].low <= value <= NUMERIC[name].high


def test_generate_statements_can_occur_together(many: list[RequestExample]) -> None:
    for request in many:
        codes = set(request.statements)
        assert codes <= set(STATEMENTS)
        assert len(request.statements) == len(codes)
        assert "NORM" not in codes or len(codes) == 1
        assert sum(STATEMENTS[code].kind == "rhythm" for code in codes) <= 1
        assert not {"AFIB", "1AVB"} <= codes
        assert not {"CLBBB", "CRBBB"} <= codes
        if "STACH" in codes and request.attributes.heart_rate_bpm is not None:
            assert request.attributes.heart_rate_bpm > 100


def test_rates_cover_the_range_and_statements_the_vocabulary() -> None:
    drawn = draw(40000, seed=1, action="generate")
    rates = {int(r.attributes.heart_rate_bpm) for r in drawn if r.attributes.heart_rate_bpm is not None}
    assert len(set(range(20, 251)) - rates) <= 3  # a seldom one may fail to be drawn
    named = {code for request in drawn for code in request.statements}
    assert named == set(STATEMENTS)


def test_no_phrasing_dominates(many: list[RequestExample]) -> None:
    for action in ACTIONS:
        texts = [words(request.text) for request in many if request.action == action and request.text.strip()]
        assert len(set(texts)) > 0.55 * len(texts)
        assert Counter(texts).most_common(1)[0][1] < 0.02 * len(texts)


def test_splits_share_no_family_and_no_template() -> None:
    by_split = [[family for action in ACTIONS for family in families(action, split)] for split in SPLITS]
    names = [{family.name for family in group} for group in by_split]
    assert not names[0] & names[1]
    sources = [{words(t.source) for family in group for t in family.templates} for group in by_split]
    assert not (sources[0] & sources[1]) - {""}


def test_training_never_produces_a_line_of_the_routing_set(many: list[RequestExample]) -> None:
    with HELDOUT.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == 240
    assert {len(row) for row in rows} == {3}
    assert min(Counter(row[0] for row in rows)[action] for action in ACTIONS) >= 70
    assert all(row[1] in "01" and (row[0] != "interpret" or row[1] == "1") for row in rows)
    kept = {words(row[2]) for row in rows}
    assert not kept & {words(request.text) for request in many}
    sources = {words(t.source) for action in ACTIONS for family in families(action) for t in family.templates}
    assert not kept & sources


def test_same_words_route_by_whether_an_ecg_is_there() -> None:
    drawn = draw(9000, seed=2)
    attached = {words(r.text) for r in drawn if r.action == "interpret"}
    missing = {words(r.text) for r in drawn if r.action == "answer" and not r.has_ecg}
    assert len(attached & missing) > 50


def test_questions_are_answered_from_the_measurements() -> None:
    m = example()
    rng = np.random.default_rng(0)
    allowed = set(re.findall(r"\d+", measurement_text(m))) | {"0", "1", "2"}
    seen = set()
    for split in SPLITS:
        for _ in range(300):
            question, answer = question_about(rng, m, ("SR", "IMI"), split)
            assert question
            assert answer
            if re.match(r"Rate|The (heart rate|PR|QRS|QT)", answer):
                assert set(re.findall(r"\d+", answer)) <= allowed
            seen.add(answer)
    assert "The heart rate is 72 bpm, normal." in seen
    assert "Pathological Q waves in II, III and aVF." in seen
    assert any(answer.startswith("No atrial fibrillation") for answer in seen)


def test_questions_without_statements_stay_with_measured_values() -> None:
    rng = np.random.default_rng(0)
    answers = [question_about(rng, example(), ())[1] for _ in range(200)]
    assert not any("It shows" in answer for answer in answers)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "sv"])
def test_names_belong_to_known_statements(language: str) -> None:
    assert set(surfaces(language)) <= set(STATEMENTS)


def test_unknown_split_and_action_say_what_to_choose() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="train, heldout"):
        sample_request(rng, "generate", "test")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="interpret, generate, answer"):
        sample_request(rng, "sing")  # type: ignore[arg-type]


def test_template_notation() -> None:
    template = parse(r"a[b|c|]{slot}\n")
    texts = {expand(template, random.Random(seed)) for seed in range(30)}
    assert texts == {"ab{slot}\n", "ac{slot}\n", "a{slot}\n"}
    with pytest.raises(ValueError, match="not closed"):
        parse("[a|b")
