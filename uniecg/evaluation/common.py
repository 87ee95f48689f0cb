"""What all evaluation tasks share: the pipeline they need, how they read data, the form of a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from uniecg import datasets
from uniecg.datasets import Example
from uniecg.errors import InputError
from uniecg.evaluation.metrics import Interval, bootstrap_ci, wilson_ci
from uniecg.record import Record
from uniecg.report import Report

Item = TypeVar("Item")


class ReplyLike(Protocol):
    """What evaluation reads of a reply."""

    @property
    def record(self) -> Record | None: ...

    @property
    def report(self) -> Report | None: ...


class Pipeline(Protocol):
    """What the tasks call; each task needs only some of it.

    A pipeline may also have ``superclass_thresholds`` (class -> probability, chosen on validation records).
    """

    def __call__(
        self, request: str, record: Record | None = None, *, seed: int | None = None
    ) -> ReplyLike: ...

    def route(self, request: str, has_ecg: bool) -> str: ...

    def superclass_probabilities(
        self, record: Record | None = None, image: NDArray[np.uint8] | None = None
    ) -> Mapping[str, float]: ...

    def mapper_embeddings(self, text: str) -> NDArray[np.floating[Any]]: ...

    def statement_embeddings(self, codes: Iterable[str]) -> NDArray[np.floating[Any]]: ...

    def reconstruct(self, record: Record) -> Record: ...


Task = Callable[..., dict[str, Any]]


def result(
    task: str, version: str, seed: int, n: int, metrics: dict[str, Any], **extra: Any
) -> dict[str, Any]:
    """The form every task returns, ready for JSON.

    Parameters
    ----------
    task, version : str
        Name of the task and version of its definition: numbers compare only within one version.
    seed : int
        Seed it ran with.
    n : int
        Number of cases.
    metrics : dict
        Name to `metric`.
    **extra
        Further entries, such as a confusion matrix.
    """
    return {"task": task, "version": version, "seed": seed, "n": n, "metrics": metrics, **extra}


def metric(value: float, ci95: Interval, baseline: float | None = None, **extra: Any) -> dict[str, Any]:
    """One number with its 95 % interval and what a trivial method reaches; NaN becomes None."""
    return {
        "value": _number(value),
        "ci95": [_number(limit) for limit in ci95],
        "baseline": _number(baseline),
        **extra,
    }


def share(hits: Iterable[bool], baseline: float | None = None, **extra: Any) -> dict[str, Any]:
    """A proportion with its Wilson interval."""
    hits = [bool(hit) for hit in hits]
    value = sum(hits) / len(hits) if hits else math.nan
    return metric(value, wilson_ci(sum(hits), len(hits)), baseline, **extra)


def average(
    values: Iterable[float], seed: int, baseline: float | None = None, **extra: Any
) -> dict[str, Any]:
    """A mean with its bootstrap interval; NaN values are left out."""
    rows = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    if rows.size == 0:
        return metric(math.nan, (math.nan, math.nan), baseline, **extra)
    ci95 = bootstrap_ci(lambda index: float(rows[index].mean()), rows.size, seed=seed)
    return metric(float(rows.mean()), ci95, baseline, **extra)


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Iterate with a progress bar on stderr, shown on terminals only."""
    console = Console(stderr=True)
    yield from track(
        items, description, total, console=console, transient=True, disable=not console.is_terminal
    )


def read_examples(data: Path | None, split: str | None, task: str) -> Iterator[Example]:
    """Yield examples from a PTB-XL folder, a Parquet file or a folder of Parquet files.

    Raises
    ------
    InputError
        If no data was given or it is in none of these layouts.
    """
    if data is None:
        raise InputError(
            f"the task {task} needs --data: a PTB-XL folder or a Parquet file (see docs/formats.md)"
        )
    yield from datasets.read_examples(data, split)


def sample(cases: Iterable[Item], n: int | None, seed: int) -> Iterable[Item]:
    """At most `n` of the cases, drawn at random so that a limited run is not the head of a sorted file.

    References
    ----------
    Vitter JS. Random sampling with a reservoir. ACM Trans Math Softw 1985;11:37-57 (algorithm R: one pass, at
    most `n` records in memory).
    """
    if n is None:
        return cases
    rng = np.random.default_rng(seed)
    reservoir: list[Item] = []
    for count, case in enumerate(cases):
        if count < n:
            reservoir.append(case)
        elif (place := int(rng.integers(0, count + 1))) < n:
            reservoir[place] = case
    return reservoir


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
