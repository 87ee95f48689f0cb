"""A report turns into strict JSON and keeps its evidence."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from uniecg.report import Evidence, Finding, Report


def _report() -> Report:
    width = Evidence("V1", 1.0, 1.15, "qrs_ms", np.float32(150.0).item(), "ms")
    return Report(
        text="Impression: complete left bundle branch block.",
        findings=(
            Finding("CLBBB", "complete left bundle branch block", "supported", (width,)),
            Finding("NORM", "normal ECG", "contradicted"),
        ),
        measurements={
            "qrs_ms": np.float64(150.0),
            "pr_ms": math.nan,
            "leads": {"V1": {"st_mv": np.array([0.5])}},
        },
        quality="usable",
        warnings=("lead V3 is missing",),
    )


def test_json_round_trip() -> None:
    report = _report()
    read = json.loads(report.to_json())
    assert read == report.to_dict()
    assert list(read) == ["text", "findings", "measurements", "quality", "warnings"]
    assert read["measurements"] == {"qrs_ms": 150.0, "pr_ms": None, "leads": {"V1": {"st_mv": [0.5]}}}
    assert read["findings"][0]["evidence"] == [
        {"lead": "V1", "start_s": 1.0, "end_s": 1.15, "quantity": "qrs_ms", "value": 150.0, "unit": "ms"}
    ]
    assert "\n" not in report.to_json(indent=None)


def test_contradicted_findings_stand_out() -> None:
    assert [finding.code for finding in _report().contradicted] == ["NORM"]


def test_report_prints_its_text_and_does_not_change() -> None:
    report = _report()
    assert str(report) == report.text
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.text = "other"  # type: ignore[misc]


def test_a_place_without_a_value() -> None:
    assert Evidence(None, 0.0, 10.0, "rhythm").to_dict()["value"] is None
    assert Report("nothing").to_dict()["findings"] == []
