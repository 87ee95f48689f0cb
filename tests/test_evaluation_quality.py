"""Task quality: verdicts beside those of people, and interchanged electrodes, on tables as the shared data has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uniecg.errors import InputError
from uniecg.evaluation import TASKS, WITHOUT_MODEL
from uniecg.record import Record


def row(signal: np.ndarray, **columns: Any) -> dict[str, Any]:
    values = np.round(signal * 1000).astype(np.int16).ravel()
    return {"uid": "x", "sampling_rate": 500, "signal_uv": values, **columns}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Record]) -> Path:
    """Good records accepted, the same with a dead lead refused, one good one wrongly refused."""
    arrow = pytest.importorskip("pyarrow", reason="needs uniecg[formats]")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs uniecg[formats]")
    made = tmp_path_factory.mktemp("quality") / "ecg"
    made.mkdir()
    labelled = []
    for record in examples.values():
        dead = record.signal.copy()
        dead[9, :] = 0.0
        labelled += [
            row(record.signal, quality="acceptable"),
            row(dead, quality="unacceptable"),
            row(record.signal, quality="indeterminate"),
        ]
    labelled.append(row(examples["normal"].signal, quality="unacceptable"))
    good = [row(record.signal, split="val", dataset="PTB-XL") for record in examples.values()]
    for name, rows in (("quality_500hz", labelled), ("ecg_500hz", good)):
        parquet.write_table(arrow.Table.from_pylist(rows), made / f"{name}.parquet")
    return made.parent


def test_people_and_electrodes(folder: Path) -> None:
    assert "quality" in WITHOUT_MODEL
    found = TASKS["quality"](None, data=folder, split="val")
    metrics = found["metrics"]
    assert found["n"] == 10
    everything = metrics["acceptable_accuracy_all"]
    assert (everything["n"], everything["value"]) == (7, pytest.approx(6 / 7))
    assert everything["baseline"] == pytest.approx(4 / 7)
    halves = [metrics[f"acceptable_accuracy_{half}"] for half in ("tuned_half", "untouched_half")]
    assert sum(half["n"] for half in halves) == 7
    assert (metrics["refused_found_all"]["value"], metrics["accepted_kept_all"]["value"]) == (0.75, 1.0)
    assert metrics["ptbxl_usable"]["value"] == 1.0
    assert metrics["false_alarm_limb_electrodes"]["value"] == 0.0
    assert metrics["noticed_right_and_left_arm"]["value"] == 1.0
    assert metrics["noticed_right_and_left_arm"]["named"] == 1.0
    assert metrics["noticed_V1_and_V2"]["value"] > 0.5


def test_missing_tables_and_splits_are_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"quality_500hz\.parquet"):
        TASKS["quality"](None, data=tmp_path)
    with pytest.raises(InputError, match="--split"):
        TASKS["quality"](None, data=folder, split="test")
