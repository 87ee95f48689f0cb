"""Beats and intervals against cardiologists' annotations (LUDB, a test split: thresholds were not tuned on it)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from uniecg.record import Record
from uniecg.signal import measure

N_RECORDS = 30


@pytest.fixture(scope="module")
def annotated(shared: Path) -> list[tuple[Record, pd.DataFrame]]:
    table = pq.read_table(
        shared / "data" / "ecg" / "ecg_500hz.parquet",
        columns=["uid", "signal_uv"],
        filters=[("dataset", "=", "LUDB")],
    )
    marks = pd.read_csv(shared / "data" / "ludb" / "annotations.csv.gz")
    by_record = dict(list(marks.groupby("uid")))
    pairs = []
    for row in range(min(N_RECORDS, table.num_rows)):
        signal = np.asarray(table["signal_uv"][row].values, np.float32).reshape(12, -1) / 1000.0
        pairs.append((Record(signal, 500.0), by_record[table["uid"][row].as_py()]))
    return pairs


def waves(marks: pd.DataFrame, symbol: str) -> pd.DataFrame:
    """Rows lead, on, peak, off (samples) of one kind of wave, from the triples of marks ``( symbol )``."""
    rows = []
    for lead, part in marks.sort_values(["lead", "sample"], kind="stable").groupby("lead"):
        samples, symbols = part["sample"].tolist(), part["symbol"].tolist()
        for at in range(1, len(samples) - 1):
            if symbols[at - 1 : at + 2] == ["(", symbol, ")"]:
                rows.append((lead, *samples[at - 1 : at + 2]))
    return pd.DataFrame(rows, columns=["lead", "on", "peak", "off"])


def reference_beats(qrs: pd.DataFrame) -> np.ndarray:
    """Seconds of the beats marked in at least half of the leads."""
    peaks = np.sort(qrs["peak"].to_numpy())
    groups = np.split(peaks, np.flatnonzero(np.diff(peaks) > 75) + 1)
    return np.array([np.median(group) for group in groups if len(group) >= 6]) / 500.0


def test_qrs_detection(annotated: list[tuple[Record, pd.DataFrame]]) -> None:
    hits = misses = extra = 0
    for record, marks in annotated:
        truth = reference_beats(waves(marks, "N"))
        found = measure(record).beats.r_peak_s
        found = found[(found > truth.min() - 0.12) & (found < truth.max() + 0.12)]
        near = np.abs(found[:, None] - truth[None, :]) < 0.1
        hits += int(near.any(axis=0).sum())
        misses += int((~near.any(axis=0)).sum())
        extra += int((~near.any(axis=1)).sum())
    assert hits / (hits + misses) >= 0.99
    assert hits / (hits + extra) >= 0.99


def test_intervals(annotated: list[tuple[Record, pd.DataFrame]]) -> None:
    errors: dict[str, list[float]] = {"qrs": [], "qt": [], "pr": []}
    for record, marks in annotated:
        m = measure(record)
        qrs, t, p = waves(marks, "N"), waves(marks, "t"), waves(marks, "p")
        errors["qrs"].append(m.qrs_ms - 2.0 * float((qrs["off"] - qrs["on"]).median()))
        pairs = qrs.merge(t, on="lead", suffixes=("", "_t"))
        pairs = pairs[(pairs["peak_t"] > pairs["peak"]) & (pairs["peak_t"] < pairs["peak"] + 300)]
        errors["qt"].append(m.qt_ms - 2.0 * float((pairs["off_t"] - pairs["on"]).median()))
        before = qrs.merge(p, on="lead", suffixes=("", "_p"))
        before = before[(before["peak_p"] < before["peak"]) & (before["peak_p"] > before["peak"] - 200)]
        if len(before):
            errors["pr"].append(m.pr_ms - 2.0 * float((before["on"] - before["on_p"]).median()))
    mean = {name: float(np.nanmean(np.abs(values))) for name, values in errors.items()}
    assert mean["qrs"] <= 12.0, mean
    assert mean["qt"] <= 20.0, mean
    assert mean["pr"] <= 14.0, mean
