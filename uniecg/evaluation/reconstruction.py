"""Reconstruction task: what the autoencoder keeps of real records, as signal and as measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, average, progress, read_examples, result, sample
from uniecg.signal.measure import measure

VERSION = "1.0"
QUANTITIES = ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qrs_axis_deg")


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Error of `pipe.reconstruct(record)` and of the measurements of the reconstruction.

    Parameters
    ----------
    pipe : Pipeline
        Needs `reconstruct`, which returns a record of the same sampling rate.
    data : Path
        PTB-XL folder or Parquet file; records with missing leads or unknown millivolts are left out.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    seed : int
        Seed of the bootstrap and of the choice of `n` records.
    n : int, optional
        Use at most so many records.

    Returns
    -------
    dict
        `rmse_mv` and `correlation` are means over records and leads; ``change_<quantity>`` is the mean
        absolute change of what is measured, where it can be measured in both. Baselines: a flat line for the
        signal; for a measurement the typical (median) value of the data.

    Raises
    ------
    InputError
        If there are no such records.
    """
    usable = (
        example.record
        for example in read_examples(data, split, "reconstruction")
        if example.amplitude_known and np.isfinite(example.record.signal).all()
    )
    rmse, flat, correlations = [], [], []
    before: list[list[float]] = []
    after: list[list[float]] = []
    for record in progress(sample(usable, n, seed), "reconstruction"):
        rebuilt = pipe.reconstruct(record)
        length = min(record.n_samples, rebuilt.n_samples)
        original, copy = record.signal[:, :length], rebuilt.signal[:, :length]
        centred = original - np.median(original, axis=1, keepdims=True)
        rmse.append(float(np.sqrt(np.mean((copy - original) ** 2, axis=1)).mean()))
        flat.append(float(np.sqrt(np.mean(centred**2, axis=1)).mean()))
        correlations.append(float(np.nanmean(lead_correlation(original, copy))))
        first, second = measure(record), measure(rebuilt)
        before.append([float(getattr(first, name)) for name in QUANTITIES])
        after.append([float(getattr(second, name)) for name in QUANTITIES])
    if not rmse:
        raise InputError(f"{data}: no complete records in mV in split {split!r}; choose another --split")
    metrics = {
        "rmse_mv": average(rmse, seed, baseline=float(np.mean(flat))),
        "correlation": average(correlations, seed, baseline=0.0),
    }
    for name, old, new in zip(QUANTITIES, np.transpose(before), np.transpose(after), strict=True):
        known = np.isfinite(old) & np.isfinite(new)
        if known.any():
            wrap = 360.0 if name == "qrs_axis_deg" else np.inf
            typical = float(np.median(old[known]))
            metrics[f"change_{name}"] = average(
                _distance(new[known], old[known], wrap),
                seed,
                baseline=float(_distance(old[known], np.full(known.sum(), typical), wrap).mean()),
                measurable=float(known.sum() / max(1, np.isfinite(old).sum())),
            )
    return result("reconstruction", VERSION, seed, len(rmse), metrics)


def lead_correlation(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Pearson correlation of each lead; NaN for a flat lead.

    Parameters
    ----------
    a, b : ndarray, shape (n_leads, T)

    Returns
    -------
    ndarray, shape (n_leads,)
    """
    a = a - a.mean(axis=1, keepdims=True, dtype=np.float64)
    b = b - b.mean(axis=1, keepdims=True, dtype=np.float64)
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    correlation = np.full(scale.shape, np.nan)
    np.divide((a * b).sum(axis=1), scale, out=correlation, where=scale > 0)
    return correlation


def _distance(a: NDArray[np.float64], b: NDArray[np.float64], wrap: float) -> NDArray[np.float64]:
    """Absolute difference, on a circle of `wrap` if that is finite."""
    difference = np.abs(a - b)
    return np.minimum(difference, wrap - difference)
