"""Supervised training of the two towers on superclasses and SCP-ECG statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from uniecg.datasets import Example
from uniecg.evaluation.metrics import macro_auc
from uniecg.io.image import page_to_gray
from uniecg.models.configuration_uniecg import SUPERCLASSES, ECGEncoderConfig, PageEncoderConfig
from uniecg.models.ecg_encoder import ECGEncoder
from uniecg.models.page_encoder import PageEncoder
from uniecg.models.processing_uniecg import ecg_values
from uniecg.plot import render_page
from uniecg.training.run import Run


def choose_statements(examples: Sequence[Example], minimum: int) -> list[str]:
    """Codes that at least `minimum` examples carry: fewer cannot be learned."""
    counts = Counter(code for example in examples for code in set(example.statements))
    return sorted(code for code, count in counts.items() if count >= minimum)


def label_vector(example: Example, statements: Sequence[str]) -> np.ndarray:
    """(5 + statements,) of 0, 1 and NaN where the source does not say."""
    superclasses = [
        float(name in example.superclasses) if example.superclasses else np.nan for name in SUPERCLASSES
    ]
    codes = [float(code in example.statements) if example.statements else np.nan for code in statements]
    return np.asarray(superclasses + codes, np.float32)


def augment_signal(values: np.ndarray, rng: np.random.Generator, sampling_rate: float) -> np.ndarray:
    """Vary a (12, T) signal the way recordings vary: time, gain, noise, wander, lost leads.

    The mean QRS axis and lead relations are left alone, since they carry the diagnosis.
    """
    n_samples = values.shape[1]
    values = np.roll(values, rng.integers(n_samples), axis=1) if rng.random() < 0.5 else values.copy()
    values *= np.exp(rng.normal(0, 0.1))
    time = np.arange(n_samples) / sampling_rate
    wander = np.sin(2 * np.pi * (rng.uniform(0.1, 0.5) * time + rng.random()))
    values += rng.normal(0, 0.05, (12, 1)) * wander * (rng.random() < 0.5)
    values += rng.normal(0, rng.uniform(0, 0.02), values.shape)
    if rng.random() < 0.3:  # erase up to two seconds
        start, length = rng.integers(n_samples), rng.integers(int(2 * sampling_rate))
        values[:, start : start + length] = 0
    if rng.random() < 0.25:
        values[rng.permutation(12)[: rng.integers(1, 9)]] = 0
    return values.astype(np.float32)


class SignalDataset(Dataset[dict[str, Any]]):
    """Tower input of each example; augmented, with mix-up, when a generator seed is given."""

    def __init__(self, examples: Sequence[Example], config: ECGEncoderConfig, seed: int | None = None):
        self.signals = [ecg_values(e.record, config.sampling_rate, config.num_samples) for e in examples]
        self.labels = [label_vector(e, config.statements) for e in examples]
        self.amplitude = [e.amplitude_known for e in examples]
        self.sampling_rate = config.sampling_rate
        self.rng = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.signals)

    def __getitem__(self, index: int) -> dict[str, Any]:
        values, labels, known = np.nan_to_num(self.signals[index]), self.labels[index], self.amplitude[index]
        if self.rng is not None:
            values = augment_signal(values, self.rng, self.sampling_rate)
            known = known and self.rng.random() > 0.1
            if self.rng.random() < 0.4:  # mix-up (Zhang et al. 2018)
                other = int(self.rng.integers(len(self)))
                if self.amplitude[other] == self.amplitude[index]:
                    share = float(self.rng.beta(0.3, 0.3))
                    values = share * values + (1 - share) * np.nan_to_num(self.signals[other])
                    labels = share * labels + (1 - share) * self.labels[other]
        return {"ecg_values": values.astype(np.float32), "amplitude_mask": known, "labels": labels}


class PageDataset(Dataset[dict[str, Any]]):
    """A rendered page of each example; drawn anew, varied, when a generator seed is given."""

    def __init__(self, examples: Sequence[Example], config: PageEncoderConfig, seed: int | None = None):
        self.examples = examples
        self.config = config
        self.rng = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        example = self.examples[index]
        height, width = self.config.image_size
        page = page_to_gray(render_page(example.record, rng=self.rng), size=(height, width))
        return {"pixel_values": page[None], "labels": label_vector(example, self.config.statements)}


def tower_metrics(prediction: Any) -> dict[str, float]:
    """Macro ROC-AUC of the superclasses, for Trainer's evaluation."""
    logits = (
        prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    )
    labels = prediction.label_ids[:, : len(SUPERCLASSES)]
    known = ~np.isnan(labels).any(1)
    return {"macro_auc": macro_auc(labels[known], logits[known, : len(SUPERCLASSES)])}


def best_thresholds(labels: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """Per class, the threshold of best F1 on the given (validation) records."""
    chosen = []
    for truth, score in zip(labels.T, probabilities.T, strict=True):
        grid = np.linspace(0.1, 0.9, 33)
        f1 = [2 * np.sum(truth * (score >= t)) / max(1, np.sum(truth) + np.sum(score >= t)) for t in grid]
        chosen.append(float(grid[int(np.argmax(f1))]))
    return chosen


def train_ecg_tower(run: Run) -> None:
    """Train :class:`ECGEncoder` and save it with thresholds chosen on validation records."""
    train, val = run.examples("train"), run.examples("val")
    config = ECGEncoderConfig(
        statements=choose_statements(train, run.settings.get("minimum_examples", 8)),
        **run.settings.get("model", {}),
    )
    _train_tower(run, ECGEncoder(config), lambda part, seed: SignalDataset(part, config, seed), train, val)


def train_page_tower(run: Run) -> None:
    """Train :class:`PageEncoder` on drawn pages; records without real millivolts cannot be drawn to scale."""
    train = [e for e in run.examples("train") if e.amplitude_known]
    val = [e for e in run.examples("val") if e.amplitude_known]
    config = PageEncoderConfig(
        statements=choose_statements(train, run.settings.get("minimum_examples", 8)),
        **run.settings.get("model", {}),
    )
    _train_tower(run, PageEncoder(config), lambda part, seed: PageDataset(part, config, seed), train, val)


def _train_tower(
    run: Run,
    model: ECGEncoder | PageEncoder,
    make: Callable[[Sequence[Example], int | None], Dataset[dict[str, Any]]],
    train: Sequence[Example],
    val: Sequence[Example],
) -> None:
    val = [e for e in val if e.superclasses]
    trainer = run.trainer(
        model,
        make(train, run.seed),
        make(val, None),
        compute_metrics=tower_metrics,
        metric_for_best_model="macro_auc",
    )
    trainer.train(resume_from_checkpoint=run.checkpoint())
    output = trainer.predict(make(val, None))
    logits = output.predictions[0] if isinstance(output.predictions, tuple) else output.predictions
    labels = output.label_ids[:, : len(SUPERCLASSES)]
    probabilities = torch.sigmoid(torch.from_numpy(logits[:, : len(SUPERCLASSES)]).float()).numpy()
    model.config.thresholds = best_thresholds(labels, probabilities)
    run.save(model)
