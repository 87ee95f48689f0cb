"""Comparisons of two ECGs, follow-ups, and dialogues: what users are told rests on the records and on what was said."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from measured import example, leads

from uniecg.signal.measurements import Measurements
from uniecg.text.attributes import parse_attributes
from uniecg.text.comparisons import changes, draw_comparison, values_compared
from uniecg.text.dialogues import bare_request, draw_edits, draw_follow_ups, follow_up
from uniecg.text.knowledge import definition
from uniecg.text.requests import Split
from uniecg.text.statements import STATEMENTS, parse_statements
from uniecg.text.verdicts import FEATURES
from uniecg.text.verify import check_claims

SPLITS: tuple[Split, ...] = ("train", "heldout")
Ecg = tuple[Measurements, tuple[str, ...]]
SINUS: Ecg = (example(), ("SR", "IMI"))
FIBRILLATION: Ecg = (
    example(
        heart_rate_bpm=118.0, rr_ms=508.0, rr_cv=0.2, rr_irregularity=0.2, p_fraction=0.0, p_ms=math.nan,
        pr_ms=math.nan, qrs_ms=140.0, qtc_fridericia_ms=480.0,
    ),
    ("AFIB", "IMI"),
)  # fmt: skip
NORMAL: Ecg = (example(leads=leads()), ("NORM", "SR"))


def test_changes_name_what_came_went_and_moved() -> None:
    said = changes(SINUS, FIBRILLATION)
    assert said.startswith("New: atrial fibrillation. No longer there: sinus rhythm.")
    assert (
        "The heart rate is higher in the second ECG: 72 bpm in the first ECG, 118 bpm in the second." in said
    )
    assert "QRS duration is longer in the second ECG: 92 ms in the first ECG, 140 ms in the second." in said
    assert "PR interval" not in said  # there is none in the second
    assert changes(SINUS, SINUS) == "No change that the measurements show."
    assert changes(FIBRILLATION, SINUS).startswith("New: sinus rhythm. No longer there: atrial fibrillation.")


def test_small_differences_are_none() -> None:
    qrs = FEATURES["QRS duration"]
    wider = (example(qrs_ms=95.0), ("SR",))
    assert values_compared(SINUS, wider, qrs)[0] == "none"
    assert values_compared(SINUS, FIBRILLATION, qrs)[0] == "second"
    assert values_compared(FIBRILLATION, SINUS, qrs)[0] == "first"
    assert values_compared(SINUS, FIBRILLATION, FEATURES["PR interval"])[0] == "not sure"


def _truth(sentence: str, first: Ecg, second: Ecg) -> None:
    """A sentence that tells of both ECGs is held against each by the claim checker and by the statements."""
    both = re.fullmatch(r"(?:Yes|No): in both ECGs (.*)", sentence)
    parts = re.fullmatch(r"(?:Yes|No): in the first ECG (.*), in the second (.*)", sentence)
    assert both or parts, sentence
    halves = (both[1], both[1]) if both else (parts[1], parts[2]) if parts else ("", "")
    for half, (m, codes) in zip(halves, (first, second), strict=True):
        assert [claim for claim in check_claims(half, m) if claim.ok is False] == [], sentence
        said = parse_statements(half)
        if half.startswith("it shows "):
            assert set(said) <= set(codes), sentence


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("first", "second"), [(SINUS, FIBRILLATION), (FIBRILLATION, NORMAL), (SINUS, SINUS)])
def test_comparisons_are_balanced_and_true_of_both(first: Ecg, second: Ecg, split: Split) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_comparison(rng, first, second, split, "verify") for _ in range(200)]
    answers = Counter(question.answers for question in drawn)
    assert set(answers) == {("yes",), ("no",)}
    assert abs(answers[("yes",)] - answers[("no",)]) < 4 * math.sqrt(200)
    for question in drawn[:60]:
        _truth(question.sentence, first, second)


def test_comparison_lists() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_comparison(rng, SINUS, FIBRILLATION, form="query") for _ in range(250)]
    said = {(question.sentence, question.answers) for question in drawn}
    assert ("Only the second ECG shows atrial fibrillation.", ("atrial fibrillation",)) in said
    assert ("Only the first ECG shows sinus rhythm.", ("sinus rhythm",)) in said
    still = "Both ECGs show inferior myocardial infarction."
    assert (still, ("myocardial infarction in inferior leads",)) in said
    apart = {
        question.sentence
        for _ in range(100)
        for question in [draw_comparison(rng, (SINUS[0], ()), (FIBRILLATION[0], ()), form="query")]
        if question.topic == "statement"
    }
    assert "The two ECGs have nothing in common that can be judged." in apart
    assert not [sentence for sentence in apart if "no statement" in sentence]
    abnormal = ("rr interval", "qrs duration", "qt interval", "qt corrected")
    assert abnormal in {question.answers for question in drawn if question.topic == "range"}


def test_follow_ups_rest_on_the_record() -> None:
    m, codes = SINUS
    assert follow_up("value", "qt", m, codes) == "The QT interval is 400 ms."
    assert follow_up("normal", "pr", m, codes) == "Yes. The PR interval is 160 ms, normal."
    assert follow_up("normal", "pr", example(pr_ms=240.0), codes) == "No. The PR interval is 240 ms, long."
    assert follow_up("normal", "pr", *FIBRILLATION).startswith("There is no PR interval")
    assert "Q waves in II, III and aVF" in follow_up("why", "IMI", m, codes)
    assert "II, III and aVF" in follow_up("leads", "IMI", m, codes)
    assert follow_up("meaning", "IMI", m, codes).endswith(STATEMENTS["IMI"].definition)
    assert follow_up("sure", "IMI", m, codes).startswith("Yes, the criteria of inferior")
    assert follow_up("sure", "DIG", m, codes) == "No: the measurements alone cannot judge digitalis effect."
    # What the measurements contradict gets no grounds.
    assert follow_up("why", "AFIB", m, codes).startswith(
        "No: the measurements speak against atrial fibrillation"
    )
    start, end = re.findall(r"\d+\.\d\d", follow_up("where", "IMI", m, codes))[:2]
    assert 0.0 <= float(start) < float(end) <= m.duration_s


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("ecg", [SINUS, FIBRILLATION, NORMAL])
def test_dialogues_about_an_ecg(ecg: Ecg, split: Split) -> None:
    m, codes = ecg
    rng = np.random.default_rng(0)
    for _ in range(25):
        dialogue = draw_follow_ups(rng, m, codes, split, turns=4)
        assert len(dialogue) == 4
        answers = [exchange.answer for exchange in dialogue]
        assert len(set(answers)) >= 3
        for exchange in dialogue:
            explained = exchange.answer in {definition(code) for code in codes}
            assert exchange.action == ("answer" if explained else "interpret")
            assert exchange.request
            assert not set("{}") & set(exchange.request + exchange.answer)
            shown = exchange.answer
            for code in STATEMENTS:  # a definition names limits, not measurements
                shown = shown.replace(STATEMENTS[code].definition, "")
            assert [claim for claim in check_claims(shown, m) if claim.ok is False] == [], exchange


def test_dialogues_without_statements_talk_about_values() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        for exchange in draw_follow_ups(rng, example(), ()):
            assert re.search(r"\d", exchange.answer), exchange


@pytest.mark.parametrize("split", SPLITS)
def test_every_edit_restates_the_whole_description(split: Split) -> None:
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(60):
        dialogue = draw_edits(rng, split)
        for before, after in pairwise(dialogue):
            if after.action == "generate":
                assert sorted(parse_statements(after.answer)) == sorted(after.statements), after
                assert parse_attributes(after.answer) == after.attributes, after
                changed += (before.statements, before.attributes) != (after.statements, after.attributes)
            else:
                assert (after.statements, after.attributes) == (before.statements, before.attributes)
    assert changed > 60


@pytest.mark.parametrize("split", SPLITS)
def test_a_request_that_hangs_in_the_air_asks_back(split: Split) -> None:
    rng = np.random.default_rng(0)
    drawn = [bare_request(rng, split) for _ in range(60)]
    assert {exchange.action for exchange in drawn} == {"answer"}
    assert {exchange.answer.split(":")[0] for exchange in drawn} == {
        "There is no ECG yet that I could change",
        "Please attach an ECG (signal file or picture) and I will interpret it.",
    }


def test_same_generator_same_dialogues() -> None:
    def drawn(seed: int) -> list[object]:
        rng = np.random.default_rng(seed)
        talk = [draw_follow_ups(rng, *SINUS) for _ in range(5)]
        return [*talk, *(draw_edits(rng) for _ in range(5)), *(bare_request(rng) for _ in range(5))]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_the_page_shows_what_its_example_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "requests.md"
    if not page.is_file():
        pytest.skip("needs the repository, not only the package")
    text = page.read_text(encoding="utf-8")
    (code,), (shown,) = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("python", "text"))
    exec(compile(code, page.name, "exec"), {})
    assert capsys.readouterr().out == shown
