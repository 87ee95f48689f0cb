"""How much of PTB-XL's labels the words of its reports hold: a trained classifier beside the rules of the vocabulary.

    python benchmarks/report_ceiling.py --data ../shared/data

A logistic regression for every statement sees all runs of one to three words of a report and everything the rules read
in it. Unlike the rules it may learn any habit of the readers who labelled: which wall they meant by a machine's
sentence, which findings they left out. It is trained on the half of the reports that was looked at while the rules were
written, and tested on reports it has not seen: of the same half by cross-validation, in which its one threshold is
chosen too, and then on the half that was held out. Equal texts are never on both sides. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from uniecg.errors import InputError
from uniecg.evaluation.common import metric, progress, result
from uniecg.evaluation.metrics import bootstrap_ci
from uniecg.evaluation.statements import READ_FOLDS, Report, read_reports
from uniecg.text.statements import STATEMENTS, parse_statements

TASK, VERSION = "report-ceiling", "1.0"
LONGEST_RUN = 3
RAREST = 2
"""Runs of words in fewer reports are left out."""
FOLDS = 5
ITERATIONS = 300
PENALTY = 0.1
"""Half of it times the squared weights is added to the sum of the losses."""
THRESHOLDS = np.linspace(0.2, 0.6, 17)
CODES = sorted(STATEMENTS)
READ = "read: "
Array = NDArray[np.float64]


def features(report: Report) -> set[str]:
    """Runs of words, and codes that the rules read."""
    words = re.findall(r"\w+", report.text.lower())
    runs = {
        " ".join(words[start : start + length])
        for length in range(1, LONGEST_RUN + 1)
        for start in range(len(words) - length + 1)
    }
    return runs | {READ + code for code in parse_statements(report.text)}


class Classifier:
    """One logistic regression a statement: runs of words count more where they are rare, and to one in all."""

    def __init__(self, reports: Sequence[set[str]], labels: Array) -> None:
        counts = Counter(name for report in reports for name in report)
        kept = sorted(name for name, count in counts.items() if count >= RAREST)
        self.column = {name: number for number, name in enumerate(kept)}
        self.weight = {name: 1.0 + math.log(len(reports) / counts[name]) for name in kept}
        inputs, truth = self._matrix(reports), torch.tensor(labels, dtype=torch.float32)
        self.parameters = torch.zeros(len(kept) + 1, len(CODES), requires_grad=True)
        optimizer = torch.optim.Adam([self.parameters], lr=0.1)
        for _ in range(ITERATIONS):
            logits = self._logits(inputs)
            loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="sum")
            loss = loss + 0.5 * PENALTY * self.parameters[:-1].square().sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def _matrix(self, reports: Sequence[set[str]]) -> torch.Tensor:
        rows, columns, values = [], [], []
        for row, report in enumerate(reports):
            known = [name for name in sorted(report) if name in self.column]
            length = math.sqrt(sum(self.weight[name] ** 2 for name in known if READ not in name)) or 1.0
            rows += [row] * len(known)
            columns += [self.column[name] for name in known]
            values += [1.0 if READ in name else self.weight[name] / length for name in known]
        size = (len(reports), len(self.column))
        return torch.sparse_coo_tensor(torch.tensor([rows, columns]), torch.tensor(values), size).coalesce()

    def _logits(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.sparse.mm(inputs, self.parameters[:-1]) + self.parameters[-1]

    def __call__(self, reports: Sequence[set[str]]) -> Array:
        """Probabilities, shape (n, statements)."""
        with torch.inference_mode():
            return self._logits(self._matrix(reports)).sigmoid().double().numpy()


def f1(truth: Array, said: Array) -> float:
    """Micro F1 of two tables of zeros and ones."""
    return float(2.0 * (truth * said).sum() / max(1.0, truth.sum() + said.sum()))


def table(codes: Sequence[Sequence[str] | frozenset[str]]) -> Array:
    """Zeros and ones, shape (n, statements)."""
    return np.array([[float(code in row) for code in CODES] for row in codes])


def run(data: Path, seed: int) -> dict[str, object]:
    """Train, choose the threshold, score."""
    reports, _ = read_reports(data)
    seen = [report for report in reports if not report.held_out and report.fold in READ_FOLDS]
    unseen = [report for report in reports if report.held_out]
    if not seen or not unseen:
        raise InputError(f"{data}: not enough reports; use the whole table of PTB-XL")
    words = {text: features(Report(text, frozenset(), 0, False)) for text in {r.text for r in reports}}

    def inputs(rows: Sequence[Report]) -> list[set[str]]:
        return [words[row.text] for row in rows]

    texts = sorted({report.text for report in seen})
    fold_of = dict(zip(texts, np.random.default_rng(seed).permutation(len(texts)) % FOLDS, strict=True))
    folds = np.array([fold_of[report.text] for report in seen])
    truth = table([report.codes for report in seen])
    guessed = np.zeros_like(truth)
    for fold in progress(range(FOLDS), "cross-validation", FOLDS):
        rest = [seen[index] for index in np.flatnonzero(folds != fold)]
        part = [seen[index] for index in np.flatnonzero(folds == fold)]
        guessed[folds == fold] = Classifier(inputs(rest), truth[folds != fold])(inputs(part))
    threshold = float(max(THRESHOLDS, key=lambda value: f1(truth, (guessed >= value) * 1.0)))

    held_out = table([report.codes for report in unseen])
    trained = (Classifier(inputs(seen), truth)(inputs(unseen)) >= threshold) * 1.0
    metrics = {}
    for name, rows, labels, said in (
        ("looked_at", seen, truth, (guessed >= threshold) * 1.0),
        ("held_out", unseen, held_out, trained),
    ):
        rules = table([parse_statements(row.text) for row in rows])
        same = [row.text for row in rows]
        ci95 = bootstrap_ci(
            lambda index, labels=labels, said=said: f1(labels[index], said[index]),
            len(rows),
            seed=seed,
            groups=same,
        )
        hits = float((labels * said).sum())
        metrics[f"micro_f1_{name}"] = metric(
            f1(labels, said),
            ci95,
            baseline=f1(labels, rules),
            precision=hits / float(said.sum()),
            recall=hits / float(labels.sum()),
            n=len(rows),
            texts=len(set(same)),
        )
    return result(TASK, VERSION, seed, len(unseen), metrics, threshold=threshold, baseline="the rules alone")


def main() -> None:
    """Parse the options, run, print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="as for uniecg evaluate")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(run(options.data, options.seed), indent=1))


if __name__ == "__main__":
    main()
