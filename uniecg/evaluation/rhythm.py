"""Rhythm task: sinus rhythm, atrial fibrillation, flutter or pacing, told by the criteria alone, no model asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.errors import InputError
from uniecg.evaluation.common import metric, progress, read_examples, result, sample, share
from uniecg.evaluation.metrics import bootstrap_ci, f1_score, macro_f1
from uniecg.signal import Measurements, measure
from uniecg.signal.criteria import check

VERSION = "1.0"
CLASSES = {
    "paced": ("PACE",),
    "flutter": ("AFLT",),
    "fibrillation": ("AFIB",),
    "sinus": ("SR", "SBRAD", "STACH", "SARRH"),
}
"""Class -> its statements. The first class with one of them counts: a paced or flutter record may name others too."""

NONE = "none"


def run(
    pipe: object = None,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Macro and per-class F1 of the rhythm criteria on the rhythm labels of PTB-XL.

    Parameters
    ----------
    pipe : object
        Not used: no model is asked.
    data : Path
        PTB-XL folder, Parquet file or folder of Parquet files. Left out are records of other sources, records
        without a label of the four classes, and copies whose amplitude is lost (with it went the pacing spikes).
    split : str, optional
        ``"train"``, ``"val"``, ``"test"`` or several joined by ``+``, such as ``"val+test"``.
    seed : int
        Seed of the bootstrap (over patients) and of the choice of `n` records.
    n : int, optional
        Use at most so many records.

    Returns
    -------
    dict
        Baseline: always sinus rhythm. ``confusion[label][found]`` counts records; "none" where no criterion is met.

    Raises
    ------
    InputError
        If there are no such records.
    """
    parts = split.split("+") if split else [None]
    read = chain.from_iterable(read_examples(data, part, "rhythm") for part in parts)
    examples = {
        example.uid: example
        for example in read
        if example.dataset == "PTB-XL" and example.amplitude_known and class_of(example.statements) != NONE
    }
    chosen = list(sample(examples.values(), n, seed))
    if not chosen:
        raise InputError(f"{data}: no PTB-XL records with rhythm labels in split {split!r}")
    labels = [class_of(example.statements) for example in chosen]
    found = [classify(measure(example.record)) for example in progress(chosen, "rhythm")]
    patients = [example.patient for example in chosen]
    truth = np.array([[label == name for name in CLASSES] for label in labels])
    answers = np.array([[label == name for name in CLASSES] for label in found])
    always = np.array([[name == "sinus" for name in CLASSES]] * len(chosen))

    def macro(index: np.ndarray, found: np.ndarray) -> float:
        present = truth[index].any(axis=0)  # a class without any record has no F1
        return macro_f1(truth[np.ix_(index, present)], found[np.ix_(index, present)])

    every = np.arange(len(chosen))
    metrics = {
        "macro_f1": metric(
            macro(every, answers),
            bootstrap_ci(lambda index: macro(index, answers), len(chosen), seed=seed, groups=patients),
            macro(every, always),
        ),
        "accuracy": share(
            (a == b for a, b in zip(labels, found, strict=True)), labels.count("sinus") / len(labels)
        ),
    }
    for name, t, a, trivial in zip(CLASSES, truth.T, answers.T, always.T, strict=True):
        ci95 = bootstrap_ci(
            lambda index, t=t, a=a: f1_score(t[index], a[index]), len(t), seed=seed, groups=patients
        )
        metrics[f"f1_{name}"] = metric(f1_score(t, a), ci95, f1_score(t, trivial), records=int(t.sum()))
    confusion = {
        name: dict(Counter(b for a, b in zip(labels, found, strict=True) if a == name)) for name in CLASSES
    }
    return result("rhythm", VERSION, seed, len(chosen), metrics, split=split, confusion=confusion)


def class_of(statements: Iterable[str]) -> str:
    """First class of which a statement is there, else "none"."""
    named = set(statements)
    return next((name for name, codes in CLASSES.items() if named & set(codes)), NONE)


def classify(m: Measurements) -> str:
    """First class whose criteria are met, else "none".

    Parameters
    ----------
    m : Measurements
    """
    met = (name for name, codes in CLASSES.items() if any(check(code, m)[0] for code in codes))
    return next(met, NONE)
