"""Filters and order statistics against the general functions of numpy and scipy that they are quicker than."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal as sps

from uniecg.signal.filters import BAND_RATE, drift, fill_gaps, interpolate, qrs_band, smooth
from uniecg.signal.order_statistics import middle, percentile, quantiles
from uniecg.signal.waves import bump, slopes


def noisy(n: int = 3000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (np.cumsum(rng.standard_normal((3, n)), axis=1) / 20.0).astype(np.float32)


@pytest.mark.parametrize("n", [400, 2999, 5000])
def test_the_band_of_the_qrs_complex_is_a_butterworth_filter(n: int) -> None:
    signal = smooth(noisy(n))
    sos = sps.butter(2, (5.0, 25.0), "bandpass", fs=BAND_RATE, output="sos")
    expected = sps.sosfiltfilt(sos, signal[:, ::4].astype(float), axis=1, padlen=62)
    found = qrs_band(signal)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_smoothing_is_a_butterworth_filter_and_keeps_the_level() -> None:
    signal = noisy()
    sos = sps.butter(2, 60.0, "lowpass", fs=500.0, output="sos")
    expected = sps.sosfiltfilt(sos, signal.astype(float), axis=1)
    assert np.abs(smooth(signal) - expected).max() < 0.01 * np.abs(signal).max()
    np.testing.assert_allclose(smooth(np.full((2, 600), 3.0, np.float32)), 3.0, rtol=1e-5)


def test_drift_is_slow_and_complete() -> None:
    time_s = np.arange(5000) / 500.0
    slow, fast = np.sin(2 * np.pi * 0.15 * time_s), np.sin(2 * np.pi * 8.0 * time_s)
    found = drift((slow + 0.3 * fast)[None].astype(np.float32))[0]
    assert np.abs(found - slow)[500:-500].max() < 0.03


def test_gaps_are_bridged_by_straight_lines() -> None:
    signal = np.array([[0.0, np.nan, np.nan, 3.0], [np.nan] * 4, [1.0, 2.0, 3.0, 4.0]], np.float32)
    filled, valid = fill_gaps(signal)
    np.testing.assert_allclose(filled, [[0, 1, 2, 3], [0, 0, 0, 0], [1, 2, 3, 4]])
    np.testing.assert_allclose(valid, [0.5, 0.0, 1.0])
    assert np.isnan(signal[0, 1])  # what was given stays as it was


def test_interpolation_is_linear() -> None:
    at = 3.0 + 7.0 * np.arange(20)
    n = 120
    found = interpolate(np.stack([2.0 * at, -at]), 3.0, 7, n)
    np.testing.assert_allclose(found, np.stack([2.0 * np.arange(n), -np.arange(n)]), atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 20, 21, 50])
def test_order_statistics_are_those_of_numpy(n: int) -> None:
    values = np.random.default_rng(n).standard_normal((n, 7))
    np.testing.assert_allclose(middle(values), np.median(values, axis=0))
    for share in (0.0, 0.1, 0.5, 0.75, 1.0):
        assert percentile(values[:, 0], share) == pytest.approx(np.percentile(values[:, 0], 100 * share))
        nearest = np.percentile(values.T, 100 * share, axis=1, method="nearest")
        np.testing.assert_allclose(quantiles(values.T, share)[0], nearest)


def test_slopes_are_those_of_numpy() -> None:
    np.testing.assert_allclose(slopes(noisy(50)), np.gradient(noisy(50), axis=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reach", [5, 40, 90])
def test_the_height_of_a_bump_is_that_over_its_neighbours(reach: int) -> None:
    curve, noise, first, last = noisy(200), np.array([0.1, 0.2, 0.3]), 30, 110
    at = np.arange(first, last + 1)
    sides = curve[:, np.maximum(at - reach, first)] + curve[:, np.minimum(at + reach, last)]
    expected = np.sqrt(np.mean(np.square((curve[:, at] - 0.5 * sides) / noise[:, None]), axis=0))
    found = bump(curve, first, last, reach, noise)
    np.testing.assert_allclose(found[first : last + 1], expected, rtol=1e-5, atol=1e-5)
    assert not found[:first].any()
    assert not found[last + 1 :].any()
