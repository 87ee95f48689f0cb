"""Requests that no ECG can fulfil are recognised, unusual ones are not refused."""

from __future__ import annotations

import pytest

from uniecg.attributes import Attributes
from uniecg.text.attributes import restate
from uniecg.text.possible import contradiction, impossible


@pytest.mark.parametrize(
    ("request_text", "reason"),
    [
        ("an ECG with 1500 beats per minute", "1500 bpm is not possible"),
        ("ECG with a heart rate of 5 bpm", "5 bpm is not possible"),
        ("sinus tachycardia with a rate of 42 bpm", "Sinus tachycardia is above 100 bpm, not 42 bpm"),
        ("sinus bradycardia, rate 150 bpm", "Sinus bradycardia is below 60 bpm, not 150 bpm"),
        ("normal beats with QRS 240 ms and QT 230 ms", "QT 230 ms cannot go with QRS 240 ms"),
    ],
)
def test_impossible_requests(request_text: str, reason: str) -> None:
    said = impossible(request_text, restate(request_text, ""))
    assert said is not None
    assert reason in said


@pytest.mark.parametrize(
    "request_text",
    [
        "sinus tachycardia, rate 100 bpm",
        "sinus bradycardia, rate 60 bpm",
        "a 42-year-old with sinus tachycardia",
        "atrial flutter with an atrial rate of 320 and a ventricular rate of 80 bpm",
        "atrial fibrillation at 40 bpm",
        "complete heart block, ventricular rate 28 bpm",
        "LBBB with QRS 170 ms and QT 460 ms",
    ],
)
def test_unusual_requests_are_possible(request_text: str) -> None:
    assert impossible(request_text, restate(request_text, "")) is None


@pytest.mark.parametrize(
    ("codes", "attributes", "reason"),
    [
        (["AFIB", "SR"], Attributes(), "atrial fibrillation and sinus rhythm cannot"),
        (["NORM", "CLBBB"], Attributes(), "leave one of them out"),
        (["NORM"], Attributes(qrs_ms=160), "QRS < 120 ms, not 160 ms"),
        (["VT"], Attributes(heart_rate_bpm=40), "a rate >= 100 bpm"),
        (["CRBBB", "LAFB"], Attributes(qrs_ms=100), "QRS >= 120 ms"),
        (["1AVB"], Attributes(pr_ms=140), "PR > 200 ms"),
        (["AFIB"], Attributes(pr_ms=160), "no PR interval"),
        (["LAD"], Attributes(qrs_axis_deg=45), "a QRS axis < -30 degrees"),
    ],
)
def test_contradictions(codes: list[str], attributes: Attributes, reason: str) -> None:
    assert reason in (contradiction(codes, attributes) or "")


@pytest.mark.parametrize(
    ("codes", "attributes"),
    [
        (["CRBBB", "LAFB"], Attributes(qrs_ms=150)),  # of two blocks the longer one counts
        (["3AVB", "SR"], Attributes(heart_rate_bpm=35)),  # the sinus node beats faster
        (["STACH"], Attributes(heart_rate_bpm=100)),
        (["SR", "1AVB"], Attributes(heart_rate_bpm=70, pr_ms=240)),
    ],
)
def test_what_goes_together_is_no_contradiction(codes: list[str], attributes: Attributes) -> None:
    assert contradiction(codes, attributes) is None
