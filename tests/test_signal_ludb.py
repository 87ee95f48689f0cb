"""Beats and intervals against cardiologists (LUDB; not unseen: docs/evaluation.md says what was compared on it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uniecg.evaluation import ludb

N_RECORDS = 40


@pytest.fixture(scope="module")
def metrics(shared: Path) -> dict[str, Any]:
    outcome = ludb.run(None, data=shared / "data" / "ecg" / "ecg_500hz.parquet", n=N_RECORDS)
    return {name: entry["value"] for name, entry in outcome["metrics"].items()}


def test_beats_are_found_on_all_leads(metrics: dict[str, Any]) -> None:
    assert metrics["lead_r_peak_sensitivity"] >= 0.998
    assert metrics["lead_r_peak_ppv"] >= 0.998
    assert metrics["p_present_f1"] >= 0.95


def test_intervals_agree_with_the_readers(metrics: dict[str, Any]) -> None:
    assert metrics["qrs_mae_ms"] <= 8.0
    assert metrics["qt_mae_ms"] <= 13.0
    assert metrics["pr_mae_ms"] <= 8.0


def test_boundaries_scatter_within_the_limits_of_the_cse_working_party(metrics: dict[str, Any]) -> None:
    limits = {"p_on": 10.2, "p_off": 12.7, "qrs_on": 7.5, "qrs_off": 11.6, "t_off": 30.6}
    for name, limit in limits.items():
        assert metrics[f"beat_{name}_sd_ms"] <= limit, name
