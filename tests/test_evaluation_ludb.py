"""Scoring wave marks: known errors come out as what they are."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from synthetic_ecg import regular, synthetic

from uniecg.errors import InputError, MissingDependencyError
from uniecg.evaluation import TASKS, delineators, ludb
from uniecg.evaluation.wave_marks import waves_from_symbols
from uniecg.record import LEADS

R_S = regular(70)[1:-1]
MARKS = {"p": (-0.21, -0.16, -0.11), "N": (-0.042, 0.0, 0.046), "t": (0.19, 0.28, 0.37)}


def rows(*times: tuple[float, float, float]) -> dict[str, np.ndarray]:
    none = np.zeros((0, 3))
    return {"p": none, "t": none, "qrs": np.array(times).reshape(-1, 3)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two synthetic records with their true boundaries, in the layout of the shared data."""
    records = [synthetic(regular(70), seed=seed) for seed in (0, 1)]
    table = {
        "uid": ["ludb-001", "ludb-002"],
        "split": ["test", "test"],
        "sampling_rate": [500.0, 500.0],
        "signal_uv": [np.round(record.signal * 1000).astype(np.int16).ravel() for record in records],
    }
    (tmp_path / "ecg").mkdir()
    (tmp_path / "ludb").mkdir()
    pq.write_table(pa.table(table), tmp_path / "ecg" / "ecg_500hz.parquet")
    with gzip.open(tmp_path / "ludb" / "annotations.csv.gz", "wt", newline="") as lines:
        out = csv.writer(lines)
        out.writerow(["uid", "lead", "sample", "symbol"])
        for uid in table["uid"]:
            for lead in LEADS:
                for at in R_S:
                    for symbol, times in MARKS.items():
                        for kind, shift in zip(("(", symbol, ")"), times, strict=True):
                            out.writerow([uid, lead, round(500 * (at + shift)), kind])
    return tmp_path


def test_the_task_on_records_whose_boundaries_are_known(data: Path) -> None:
    outcome = TASKS["ludb"](None, data=data / "ecg" / "ecg_500hz.parquet", seed=3)
    assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome
    assert (outcome["task"], outcome["n"], outcome["seed"]) == ("ludb", 2, 3)
    metrics = outcome["metrics"]
    for name in ("qrs_on", "r_peak", "qrs_off", "p_on", "t_off"):
        assert metrics[f"beat_{name}_sensitivity"]["value"] == 1.0
        assert metrics[f"beat_{name}_ppv"]["value"] == 1.0
        assert metrics[f"beat_{name}_sd_ms"]["value"] < 6.0
    assert metrics["p_present_f1"]["value"] == 1.0
    assert metrics["qrs_mae_ms"]["value"] < 12.0
    low, high = metrics["qt_mae_ms"]["ci95"]
    assert low <= metrics["qt_mae_ms"]["value"] <= high


def test_missed_false_and_shifted_marks_are_counted() -> None:
    truth = rows((0.96, 1.0, 1.05), (1.96, 2.0, 2.05), (2.96, 3.0, 3.05))
    found = rows((0.97, 1.0, 1.05), (1.45, 1.5, 1.55), (2.98, 3.0, 3.05), (3.9, 4.0, 4.1))
    errors, missed, false = ludb.boundary_errors(truth, found, "qrs", 0)
    np.testing.assert_allclose(errors, [0.01, 0.02])
    assert (missed, false) == (1, 1)  # the last one lies behind the last mark of the reader


def test_a_boundary_the_reader_left_open_is_not_judged() -> None:
    truth = rows((0.96, 1.0, 1.05), (np.nan, 2.0, 2.05), (2.96, 3.0, 3.05))
    assert ludb.boundary_errors(truth, rows((1.96, 2.0, 2.05)), "qrs", 0)[1:] == (2, 0)


def test_one_mark_matches_once() -> None:
    truth, found = rows((1.0, 1.1, 1.2), (1.1, 1.2, 1.3)), rows((1.04, 1.14, 1.24))
    errors, missed, false = ludb.boundary_errors(truth, found, "qrs", 1)
    assert (len(errors), missed, false) == (1, 1, 0)


def test_brackets_may_be_missing() -> None:
    waves = waves_from_symbols([0.1, 0.2, 0.3, 0.5, 0.6], ["(", "N", ")", "t", ")"])
    np.testing.assert_allclose(waves["qrs"], [[0.1, 0.2, 0.3]])
    np.testing.assert_allclose(waves["t"], [[np.nan, 0.5, 0.6]])


def test_intervals_are_read_within_a_lead() -> None:
    beat = {
        wave: np.array([times]) + 1.0 for wave, times in zip(("p", "qrs", "t"), MARKS.values(), strict=True)
    }
    assert ludb.intervals_of({"I": beat, "II": beat}) == pytest.approx([168.0, 88.0, 412.0])


def test_other_packages_are_named_and_optional(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="neurokit2, openecg, openecg-codec, biosppy"):
        ludb.run(None, data=data, against=["ecglib"])
    monkeypatch.setitem(__import__("sys").modules, "neurokit2", None)
    with pytest.raises(MissingDependencyError, match=r"uniecg\[compare\]"):
        delineators.load("neurokit2")


def test_data_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"annotations\.csv\.gz"):
        ludb.run(None, data=tmp_path)
    with pytest.raises(InputError, match="--data"):
        ludb.run(None)
