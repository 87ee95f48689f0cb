"""Superclass task: the five diagnostic superclasses of PTB-XL from signals or from drawn pages.

References
----------
Strodthoff N, Wagner P, Schaeffter T, Samek W. Deep learning for ECG analysis: benchmarks and insights from
PTB-XL. IEEE J Biomed Health Inform 2021;25:1519-1528 (macro ROC-AUC over superclasses).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, metric, progress, read_examples, result, sample
from uniecg.evaluation.metrics import bootstrap_ci, f1_score, macro_auc, macro_f1, roc_auc
from uniecg.plot import render_page
from uniecg.text.statements import SUPERCLASSES

VERSION = "1.0"
Array = NDArray[Any]
Score = Callable[[Array, Array], float]


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
    modality: Literal["signal", "image"] = "signal",
) -> dict[str, Any]:
    """Macro and per-class ROC-AUC and macro F1 of `pipe.superclass_probabilities`.

    Parameters
    ----------
    pipe : Pipeline
        Needs `superclass_probabilities`; `superclass_thresholds` is used for F1 where it exists, else 0.5.
    data : Path
        PTB-XL folder or Parquet file. Records without superclass labels are left out; for pages, so are
        records whose millivolts are unknown (they cannot be drawn to scale).
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    seed : int
        Seed of the bootstrap (over patients) and of the choice of `n` records.
    n : int, optional
        Use at most so many records.
    modality : {"signal", "image"}
        Give the pipeline the record, or a page drawn from it.

    Returns
    -------
    dict
        Baselines: 0.5 (chance) for ROC-AUC; for F1 the answer "every class, always".

    Raises
    ------
    InputError
        If there are no labelled records.
    """
    task = "ptbxl-superclass" if modality == "signal" else f"ptbxl-superclass-{modality}"
    usable = (
        example
        for example in read_examples(data, split, task)
        if example.superclasses and (modality == "signal" or example.amplitude_known)
    )
    labels, answers, patients = [], [], []
    for example in progress(sample(usable, n, seed), task):
        if modality == "signal":
            probabilities = pipe.superclass_probabilities(record=example.record)
        else:
            probabilities = pipe.superclass_probabilities(image=render_page(example.record))
        labels.append([name in example.superclasses for name in SUPERCLASSES])
        answers.append([probabilities[name] for name in SUPERCLASSES])
        patients.append(example.patient)
    if not labels:
        raise InputError(
            f"{data}: no records with superclass labels in split {split!r}; choose another --split"
        )
    truth, score = np.array(labels), np.array(answers)
    thresholds: Mapping[str, float] = getattr(pipe, "superclass_thresholds", None) or {}
    predicted = score >= np.array([thresholds.get(name, 0.5) for name in SUPERCLASSES])
    always = np.ones_like(predicted)

    def scored(score_of: Score, t: Array, answers: Array, baseline: float) -> dict[str, Any]:
        ci95 = bootstrap_ci(lambda i: score_of(t[i], answers[i]), len(t), seed=seed, groups=patients)
        return metric(score_of(t, answers), ci95, baseline)

    metrics = {
        "macro_auc": scored(macro_auc, truth, score, baseline=0.5),
        "macro_f1": scored(macro_f1, truth, predicted, baseline=macro_f1(truth, always)),
    }
    for name, t, s, p in zip(SUPERCLASSES, truth.T, score.T, predicted.T, strict=True):
        metrics[f"auc_{name}"] = scored(roc_auc, t, s, baseline=0.5)
        metrics[f"f1_{name}"] = scored(f1_score, t, p, baseline=f1_score(t, np.ones_like(p)))
    prevalence = {name: float(truth[:, column].mean()) for column, name in enumerate(SUPERCLASSES)}
    return result(task, VERSION, seed, len(patients), metrics, prevalence=prevalence)


def run_image(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """`run` on pages drawn from the records, read by the image tower."""
    return run(pipe, data=data, split=split, seed=seed, n=n, modality="image")
