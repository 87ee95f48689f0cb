"""Interpretation task: do the model's words say what the record's labels say?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, metric, progress, read_examples, result, sample
from uniecg.evaluation.metrics import bootstrap_ci
from uniecg.evaluation.rhythm import CLASSES

VERSION = "1.0"
REQUESTS = (
    "Interpret this ECG.",
    "What does this recording show?",
    "Please write a report of the attached ECG.",
)
ALWAYS = ("SR", "NORM")


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Statements, rhythm and "normal" in the words of the reply, beside the labels.

    Parameters
    ----------
    pipe : Pipeline
        Called as ``pipe(request, record=record).report``.
    data : Path
        PTB-XL folder or Parquet file; records without statements are left out.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    seed : int
        Seed of the bootstrap (over patients), of the requests and of the choice of `n` records.
    n : int, optional
        Use at most so many records.

    Returns
    -------
    dict
        ``statement_f1`` is the micro F1 of all statements the reply names, ``rhythm_accuracy`` counts records whose
        label is of a class of the task `rhythm`, ``normal_f1`` is the F1 of calling an ECG normal, and
        ``contradicted`` the share of replies in which the measurements contradict a statement (lower is better). A
        reply that is no interpretation names nothing. Baseline: "sinus rhythm, normal ECG", always.

    Raises
    ------
    InputError
        If there are no labelled records.
    """
    rng = np.random.default_rng(seed)
    usable = (example for example in read_examples(data, split, "interpretation") if example.statements)
    truth, named, contradicted, patients = [], [], [], []
    for example in progress(sample(usable, n, seed), "interpretation"):
        report = pipe(str(rng.choice(REQUESTS)), record=example.record).report
        findings = () if report is None else report.findings
        truth.append(set(example.statements))
        named.append({finding.code for finding in findings})
        contradicted.append(any(finding.status == "contradicted" for finding in findings))
        patients.append(example.patient)
    if not truth:
        raise InputError(f"{data}: no records with statements in split {split!r}; choose another --split")
    always = [set(ALWAYS)] * len(truth)
    rhythms = [rhythm_of(codes) for codes in truth]

    def scored(counts: NDArray[np.float64], baseline: NDArray[np.float64]) -> dict[str, Any]:
        ci95 = bootstrap_ci(lambda i: f1_of(counts[i]), len(counts), seed=seed, groups=patients)
        return metric(f1_of(counts), ci95, f1_of(baseline))

    known = np.array([rhythm is not None for rhythm in rhythms])
    right = np.array([rhythm_of(codes) == rhythm for codes, rhythm in zip(named, rhythms, strict=True)])
    sinus = np.array([rhythm == "sinus" for rhythm in rhythms])
    against = np.array(contradicted, dtype=float)
    metrics = {
        "statement_f1": scored(overlap(truth, named), overlap(truth, always)),
        "normal_f1": scored(
            overlap([codes & {"NORM"} for codes in truth], [codes & {"NORM"} for codes in named]),
            overlap([codes & {"NORM"} for codes in truth], [{"NORM"}] * len(truth)),
        ),
        "rhythm_accuracy": metric(
            mean_where(right, known),
            bootstrap_ci(lambda i: mean_where(right[i], known[i]), len(right), seed=seed, groups=patients),
            mean_where(sinus, known),
        ),
        "contradicted": metric(
            float(against.mean()),
            bootstrap_ci(lambda i: float(against[i].mean()), len(against), seed=seed, groups=patients),
        ),
    }
    return result("interpretation", VERSION, seed, len(truth), metrics)


def rhythm_of(codes: Iterable[str]) -> str | None:
    """The first class of the task `rhythm` that one of the statements belongs to."""
    codes = set(codes)
    return next((name for name, members in CLASSES.items() if codes & set(members)), None)


def overlap(truth: list[set[str]], named: list[set[str]]) -> NDArray[np.float64]:
    """(n, 3) right, needless and missing statements of each record."""
    rows = [(len(t & s), len(s - t), len(t - s)) for t, s in zip(truth, named, strict=True)]
    return np.array(rows, dtype=np.float64)


def f1_of(counts: NDArray[np.float64]) -> float:
    """Micro F1 of rows of right, needless and missing; NaN if there is nothing to find."""
    right, needless, missing = counts.sum(0)
    whole = 2 * right + needless + missing
    return float(2 * right / whole) if whole else float("nan")


def mean_where(values: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> float:
    """Mean of the chosen values; NaN if none is chosen."""
    return float(values[chosen].mean()) if chosen.any() else float("nan")
