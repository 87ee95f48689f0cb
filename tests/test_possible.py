"""Requests that no ECG can fulfil are recognised, unusual ones are not refused."""

from __future__ import annotations

import pytest

from uniecg.text.attributes import restate
from uniecg.text.possible import impossible


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
