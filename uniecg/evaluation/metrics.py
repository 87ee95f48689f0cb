"""Scores and their uncertainty, without any model.

References
----------
.. [1] Hanley JA, McNeil BJ. The meaning and use of the area under a ROC curve. Radiology 1982;143:29-36.
.. [2] Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc
   1927;22:209-212.
.. [3] Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman & Hall 1993 (percentile interval;
   whole clusters, here patients, are drawn when observations are not independent).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Interval = tuple[float, float]
Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution


def roc_auc(truth: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half [1]_.

    Parameters
    ----------
    truth : array_like, shape (n,)
        1 or True for positives.
    score : array_like, shape (n,)
        Any monotone score (probabilities or logits).

    Returns
    -------
    float
        NaN if one of the two classes is absent.
    """
    positive = np.asarray(truth).astype(bool)
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    if n_positive == 0 or n_negative == 0:
        return math.nan
    rank_sum = float(rankdata(np.asarray(score))[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def macro_auc(truth: ArrayLike, score: ArrayLike) -> float:
    """Mean of `roc_auc` over the classes that have positives and negatives.

    Parameters
    ----------
    truth, score : array_like, shape (n, n_classes)

    Returns
    -------
    float
        NaN if no class has both.
    """
    truth, score = np.asarray(truth), np.asarray(score)
    areas = np.array([roc_auc(t, s) for t, s in zip(truth.T, score.T, strict=True)])
    return float(areas[~np.isnan(areas)].mean()) if (~np.isnan(areas)).any() else math.nan


def f1_score(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Harmonic mean of precision and recall of one class; 0 if there is nothing to find and nothing found.

    Parameters
    ----------
    truth, predicted : array_like of bool, shape (n,)
    """
    truth, predicted = np.asarray(truth).astype(bool), np.asarray(predicted).astype(bool)
    total = int(truth.sum() + predicted.sum())
    return float(2 * (truth & predicted).sum() / total) if total else 0.0


def macro_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean of `f1_score` over classes.

    Parameters
    ----------
    truth, predicted : array_like of bool, shape (n, n_classes)
    """
    columns = zip(np.asarray(truth).T, np.asarray(predicted).T, strict=True)
    return float(np.mean([f1_score(t, p) for t, p in columns]))


def wilson_ci(successes: int, n: int) -> Interval:
    """95 % interval of a proportion [2]_.

    Parameters
    ----------
    successes, n : int

    Returns
    -------
    tuple of float
        Both NaN if `n` is 0.
    """
    if n == 0:
        return math.nan, math.nan
    share = successes / n
    centre = share + Z95**2 / (2 * n)
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    scale = 1 + Z95**2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def bootstrap_ci(
    statistic: Callable[[NDArray[np.int64]], float],
    n: int,
    *,
    seed: int,
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
) -> Interval:
    """95 % percentile interval of a statistic of resampled rows [3]_.

    Parameters
    ----------
    statistic : callable
        Takes row indices (with repetitions), returns the statistic of these rows; NaN results are left out.
    n : int
        Number of rows.
    seed : int
        Makes the interval repeatable.
    groups : array_like, shape (n,), optional
        Rows of one group (patient) are drawn together.
    n_resamples : int
        Number of bootstrap samples.

    Returns
    -------
    tuple of float
        Both NaN if no resample gave a number.
    """
    rng = np.random.default_rng(seed)
    _, members = np.unique(np.arange(n) if groups is None else np.asarray(groups), return_inverse=True)
    order = np.argsort(members, kind="stable").astype(np.int64)
    rows_of = np.split(order, np.cumsum(np.bincount(members))[:-1]) if n else []
    values = []
    for _ in range(n_resamples if n else 0):
        drawn = rng.integers(0, len(rows_of), len(rows_of))
        values.append(statistic(np.concatenate([rows_of[group] for group in drawn])))
    finite = np.array([value for value in values if not math.isnan(value)])
    if finite.size == 0:
        return math.nan, math.nan
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
