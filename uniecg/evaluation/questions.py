"""Questions task: are questions about a record answered as its labels and measurements support?"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, metric, progress, read_examples, result, sample
from uniecg.evaluation.metrics import bootstrap_ci
from uniecg.signal import measure
from uniecg.text.ecg_qa import FORMS, draw_question

VERSION = "1.0"
DEFAULT_N = 100
_WORD = re.compile(r"[\w.]*\w")


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Ask each record a yes/no question, a choice and an open question in held-out phrasings.

    Parameters
    ----------
    pipe : Pipeline
        Called as ``pipe(question, record=record).report``.
    data : Path
        PTB-XL folder or Parquet file; records without statements and unusable ones are left out.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    seed : int
        Seed of questions, bootstrap (over patients) and the choice of `n` records.
    n : int, optional
        Use at most so many records; 100 by default.

    Returns
    -------
    dict
        ``verify`` is the share of yes/no questions with the right one of "yes", "no" and "cannot be judged" at the
        beginning of the reply; as many are to be answered "yes" as "no". ``choose`` and ``query`` are the shares of
        replies with the words and numbers of the reference, in any order. Baseline: the commonest reference.

    Raises
    ------
    InputError
        If there are no labelled records.

    References
    ----------
    Oh et al. 2023, ECG-QA, NeurIPS (forms of questions). References: :func:`uniecg.text.ecg_qa.draw_question`.
    """
    rng = np.random.default_rng(seed)
    said: dict[str, list[str]] = {form: [] for form in FORMS}
    right: dict[str, list[str]] = {form: [] for form in FORMS}
    patients = []
    usable = (example for example in read_examples(data, split, "questions") if example.statements)
    for example in progress(sample(usable, DEFAULT_N if n is None else n, seed), "questions"):
        measurements = measure(example.record)
        if measurements.quality.verdict == "unusable":
            continue
        for form in FORMS:
            question = draw_question(rng, measurements, example.statements, "heldout", form)
            report = pipe(question.text, record=example.record).report
            gist = verdict if form == "verify" else words
            said[form].append("" if report is None else gist(report.text))
            right[form].append(gist(question.sentence))
        patients.append(example.patient)
    if not patients:
        raise InputError(f"{data}: no records with statements in split {split!r}; choose another --split")
    metrics = {}
    for form in FORMS:
        hits = np.array(said[form]) == np.array(right[form])
        ci95 = bootstrap_ci(lambda i, hits=hits: float(hits[i].mean()), len(hits), seed=seed, groups=patients)
        commonest = Counter(right[form]).most_common(1)[0][1] / len(hits)
        metrics[form] = metric(float(hits.mean()), ci95, commonest)
    return result("questions", VERSION, seed, len(patients), metrics)


def verdict(reply: str) -> str:
    """Return "yes" or "no" if a reply begins so, else "open"."""
    first = _WORD.search(reply.lower())
    return first[0] if first is not None and first[0] in ("yes", "no") else "open"


def words(reply: str) -> str:
    """Words and numbers of a reply in the order of the alphabet."""
    return " ".join(sorted(_WORD.findall(reply.lower())))
