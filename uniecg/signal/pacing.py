"""Pacing spikes: finding them, and taking them out before anything is filtered."""

from __future__ import annotations

import numpy as np
from scipy import signal as sps

from uniecg.signal.filters import FloatArray, IntArray
from uniecg.signal.order_statistics import quantiles

SPIKE_NOISE = 15.0
"""Pacing spikes rise that many times above the usual change within 6 ms; muscle noise does not."""


def pacing_spikes(signal: FloatArray) -> IntArray:
    """Find pacing spikes: deflections of a few milliseconds that rise from and return to a calm line.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV, at 500 Hz

    Returns
    -------
    ndarray of int
        Sample indices, at least 20 ms apart.

    References
    ----------
    Kligfield et al. 2007: stimulus outputs are shorter than 0.5 ms, after the recorder's filter a few ms wide.
    """
    n = signal.shape[1]
    spikes = np.zeros(0, dtype=np.int64)
    if n < 30:
        return spikes
    near, far = 3, 9
    wanted = 2 if signal.shape[0] > 2 else 1
    low, high = quantiles(signal[:, ::6], 0.01, 0.99)
    scale = (high - low)[:, None]
    centre = signal[:, far:-far]
    before, after = signal[:, far - near : n - far - near], signal[:, far + near : n - far + near]
    # A cheap condition that spikes meet and few other samples do.
    bent = np.abs(2.0 * centre - before - after) > 0.4 * scale
    sharp = np.flatnonzero(bent.sum(axis=0, dtype=np.uint8) >= wanted)
    if sharp.size == 0:
        return spikes
    rough = quantiles(np.abs(centre[:, ::7] - before[:, ::7]), 0.5)[0][:, None]
    calm_before = np.abs(before - signal[:, : n - 2 * far])[:, sharp]
    left, right = (centre - before)[:, sharp], (centre - after)[:, sharp]
    height = np.where(left * right > 0, np.minimum(np.abs(left), np.abs(right)), 0.0)
    # The line before the spike is calm; the slope of a narrow R wave goes on beyond the 6 ms beside its peak.
    is_spike = (height > 0.2 * scale) & (height > 5.0 * calm_before) & (height > SPIKE_NOISE * rough)
    total = np.zeros(n - 2 * far)
    total[sharp] = np.where(is_spike.sum(axis=0) >= wanted, (height * is_spike).sum(axis=0), 0.0)
    peaks, _ = sps.find_peaks(total, distance=10)
    return np.asarray(peaks + far, dtype=np.int64)


def blank(signal: FloatArray, where: IntArray, half_width: int = 4) -> FloatArray:
    """Replace the samples around the given indices by straight lines.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
    where : ndarray of int
    half_width : int, samples
    """
    if where.size == 0:
        return signal
    result: FloatArray = signal.copy()
    last = signal.shape[1] - 1
    for centre in where:
        start, stop = max(int(centre) - half_width, 0), min(int(centre) + half_width, last)
        weight = np.linspace(0.0, 1.0, stop - start + 1)
        result[:, start : stop + 1] = signal[:, [start]] * (1 - weight) + signal[:, [stop]] * weight
    return result
