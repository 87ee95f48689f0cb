"""Numbers and statements by reference: what is pointed at and filled in again is what was measured or asked for."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import MEASUREMENTS

from uniecg.signal import Measurements
from uniecg.text.attributes import generation_answer
from uniecg.text.explain import explain
from uniecg.text.questions import question_about
from uniecg.text.requests import sample_request
from uniecg.text.slots import fill, mark_request, mark_statements, measured_values, point, request_values
from uniecg.text.statements import STATEMENTS, parse_statements


@settings(max_examples=60, deadline=None)
@given(
    m=MEASUREMENTS, codes=st.sampled_from([("SR",), ("AFIB", "LVH"), ("AFLT", "LVOLT"), ("SR", "PVC", "IMI")])
)
def test_explanations_point_and_fill_back(m: Measurements, codes: tuple[str, ...]) -> None:
    values = measured_values(m)
    text = explain(m, codes, style="report")
    pointed = point(text, values)
    assert fill(pointed, values) == text
    # Whatever number is left spelled out is none of those that were measured for a report.
    spelled = re.findall(r"(?<![VvR'\d.])\d+(?:\.\d+)? (?:ms|bpm|degrees)", re.sub(r"<\|\w+\|>", "", pointed))
    assert not spelled


@settings(max_examples=40, deadline=None)
@given(m=MEASUREMENTS, seed=st.integers(0, 10**6))
def test_answers_to_questions_point_and_fill_back(m: Measurements, seed: int) -> None:
    _, answer = question_about(np.random.default_rng(seed), m, ["SR"])
    values = measured_values(m)
    assert fill(point(answer, values), values) == answer


@pytest.mark.parametrize("seed", range(200))
def test_generating_replies_point_at_the_request(seed: int) -> None:
    request = sample_request(np.random.default_rng(seed), "generate")
    values = request_values(request.text)
    reply = generation_answer(request.statements, request.attributes)
    assert fill(point(reply, values), values) == reply


def test_leads_are_no_numbers_and_signs_are_kept() -> None:
    assert request_values("V1-V4, axis -30, 70F, hr52, QRS 0.12 s, 10-20") == {
        "n0": "-30", "n1": "70", "n2": "52", "n3": "0.12", "n4": "10", "n5": "20",
    }  # fmt: skip
    assert mark_request("70F, pulse 140") == "70<|n0|>f, pulse 140<|n1|>"
    assert mark_request("1 " * 12).count("<|") == 10


def test_equal_numbers_are_used_in_turn() -> None:
    values = request_values("70 bpm, 70 years")
    assert point("ventricular rate 70 bpm, 70 years", values).count("<|n") == 2


def test_a_value_that_was_not_measured_is_never_made_up() -> None:
    text = "Sinus rhythm at <|heart_rate_bpm|> bpm, regular. PR <|pr_ms|> ms, QRS <|qrs_ms|> ms. Impression: x.<|end|>"
    values = {"qrs_ms": "90", "heart_rate_bpm": "70"}
    assert fill(text, values) == "Sinus rhythm at 70 bpm, regular. QRS 90 ms. Impression: x."
    assert fill(text, {}) == "Regular. Impression: x."
    assert fill("The PR interval is <|pr_ms|> ms.", {}) == "This cannot be measured here."


@pytest.mark.parametrize(
    ("request_text", "marked"),
    [
        ("Generate AF with LBBB", "generate <|AFIB|> with <|CLBBB|>"),
        ("1st degree AV block, PR 240 ms", "<|1AVB|>, pr 240<|n0|> ms"),
        ("AFIB but no LBBB", "<|AFIB|> but no lbbb"),
        ("  Élan,\tNORMAL  ECG ", "elan, <|NORM|>"),
    ],
)
def test_requests_name_statements_by_token(request_text: str, marked: str) -> None:
    assert mark_request(request_text) == marked


def test_a_user_cannot_write_tokens() -> None:
    assert "<|generate|>" not in mark_request("<|generate|> <|end|>")
    assert "<|generate|>" not in mark_request("\uff1c\uff5cgenerate\uff5c\uff1e")
    assert request_values("<|n0|> 70") == {"n0": "0", "n1": "70"}


@pytest.mark.parametrize("code", STATEMENTS)
def test_every_statement_has_a_token_that_fills_with_its_name(code: str) -> None:
    name = STATEMENTS[code].name
    assert mark_statements(name) == point(f"x {name}", {})[2:] == f"<|{code}|>"
    text = f"{name[0].upper()}{name[1:]}. Impression: {name}."
    assert point(text, {}) == f"<|{code}|>. Impression: <|{code}|>."
    assert fill(point(text, {}), {}) == text
    assert parse_statements(fill(f"Impression: <|{code}|>.", {})) == [code]


def test_large_models_may_read_requests_as_written() -> None:
    assert mark_request("Élan: AF at 110", plain=False) == "Élan: <|AFIB|> at 110<|n0|>"


@pytest.mark.parametrize(
    "text", ["10\u00b2 at \uff17\uff10 bpm", "axis \u221230\u00b0, 70F", "\u00c9lan 80/min"]
)
def test_numbers_have_the_same_slots_however_a_request_is_read(text: str) -> None:
    def slots(marked: str) -> list[str]:
        return re.findall(r"(\d+)<\|n\d\|>", marked)

    plain, written = (slots(mark_request(text, plain=flag)) for flag in (True, False))
    assert plain == written == [digits.lstrip("-") for digits in request_values(text).values()]
