"""Scores against values worked out by hand or by scikit-learn and scipy (the call stands beside the number)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniecg.evaluation.metrics import bootstrap_ci, f1_score, macro_auc, macro_f1, roc_auc, wilson_ci


def test_roc_auc_by_hand() -> None:
    assert roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75
    assert roc_auc([0, 1], [0.2, 0.9]) == 1.0
    assert roc_auc([1, 0], [0.2, 0.9]) == 0.0
    assert roc_auc([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]) == 0.5


def test_roc_auc_agrees_with_scikit_learn() -> None:
    # rng = default_rng(7); t = rng.integers(0, 2, 50); s = rng.normal(size=50).round(1) + t
    # sklearn.metrics.roc_auc_score(t, s), scikit-learn 1.9.1
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 50)
    score = rng.normal(size=50).round(1) + truth
    assert roc_auc(truth, score) == pytest.approx(0.7592592592592592, abs=1e-12)


def test_roc_auc_of_one_class_is_nan() -> None:
    assert math.isnan(roc_auc([1, 1], [0.1, 0.2]))
    assert math.isnan(macro_auc([[1], [1]], [[0.1], [0.2]]))


@given(st.lists(st.tuples(st.booleans(), st.integers(-50, 50)), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_roc_auc_depends_on_the_order_only(rows: list[tuple[bool, int]]) -> None:
    truth, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=float)
    first, stretched = roc_auc(truth, score), roc_auc(truth, np.exp(score / 10))
    turned = roc_auc(~truth, score)
    if math.isnan(first):
        assert math.isnan(turned)
    else:
        assert stretched == pytest.approx(first)
        assert turned == pytest.approx(1 - first)


def test_macro_auc_leaves_out_classes_that_do_not_occur() -> None:
    truth = [[1, 0], [0, 0], [1, 0], [0, 0]]
    score = [[0.9, 0.1], [0.1, 0.2], [0.8, 0.3], [0.3, 0.4]]
    assert macro_auc(truth, score) == 1.0


def test_f1_by_hand() -> None:
    assert f1_score([1, 1, 0, 0], [1, 0, 1, 0]) == 0.5
    assert f1_score([0, 0], [0, 0]) == 0.0
    assert macro_f1([[1, 0], [0, 1]], [[1, 1], [0, 1]]) == pytest.approx((1 + 2 / 3) / 2)


def test_wilson_interval() -> None:
    # scipy.stats.binomtest(45, 50).proportion_ci(method="wilson"), scipy 1.17
    assert wilson_ci(45, 50) == pytest.approx((0.786398, 0.956522), abs=1e-5)
    assert wilson_ci(0, 10)[0] == 0.0
    assert wilson_ci(10, 10)[1] == pytest.approx(1.0)
    assert all(math.isnan(limit) for limit in wilson_ci(0, 0))


def test_bootstrap_of_a_mean_is_near_the_textbook_interval() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    low, high = bootstrap_ci(lambda index: float(values[index].mean()), values.size, seed=0)
    assert low == pytest.approx(values.mean() - 1.96 * 0.1, abs=0.05)
    assert high == pytest.approx(values.mean() + 1.96 * 0.1, abs=0.05)


def test_bootstrap_is_repeatable_and_takes_patients_whole() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=40), 10)
    patients = np.repeat(np.arange(40), 10)

    def mean(index: np.ndarray) -> float:
        return float(values[index].mean())

    alone = bootstrap_ci(mean, values.size, seed=3)
    assert alone == bootstrap_ci(mean, values.size, seed=3)
    whole = bootstrap_ci(mean, values.size, seed=3, groups=patients)
    assert whole[1] - whole[0] > 2 * (alone[1] - alone[0])


def test_bootstrap_without_rows_is_nan() -> None:
    assert all(math.isnan(limit) for limit in bootstrap_ci(lambda index: 0.0, 0, seed=0))
