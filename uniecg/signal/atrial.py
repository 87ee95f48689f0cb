"""Atrial activity between the ventricular complexes: flutter and fibrillation waves."""

from __future__ import annotations

import numpy as np

from uniecg.signal.filters import ANALYSIS_RATE, FloatArray, IntArray, block_means
from uniecg.signal.waves import NAN

BAND_HZ = (2.5, 12.0)
FLUTTER_HZ = (3.3, 6.7)
MIN_S = 3.0


def without_beats(signal: FloatArray, index: IntArray, beat: FloatArray, before: int) -> FloatArray:
    """Subtract the median beat at every dominant beat (average beat subtraction, Slocum et al. 1985).

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV
    index : ndarray of int, shape (n_beats,)
    beat : ndarray, shape (n_leads, n_window), mV
        From the QRS onset to the end of T.
    before : int
        Sample of `beat` that lies on the index.
    """
    rest: FloatArray = signal.copy()
    n, width = signal.shape[1], beat.shape[1]
    taper = np.minimum(1.0, np.minimum(np.arange(width), np.arange(width)[::-1]) / 10.0)
    shaped = beat * taper
    for centre in index:
        start = int(centre) - before
        low, high = max(start, 0), min(start + width, n)
        if high > low:
            rest[:, low:high] -= shaped[:, low - start : high - start]
    return rest


def atrial_activity(rest: FloatArray) -> tuple[float, float]:
    """Find the strongest rate between 200 and 400 per minute and how much of the power is at it.

    Parameters
    ----------
    rest : ndarray, shape (n_leads, n_samples), mV, at 500 Hz
        Signal without ventricular complexes.

    Returns
    -------
    rate_bpm : float, per minute
    regularity : float
        Share (0 to 1) of the power between 2.5 and 12 Hz within 0.35 Hz of that rate and of its double.

    References
    ----------
    Flutter waves are regular at 240 to 340 per minute (Saoudi et al. 2001); fibrillation is spread over 4 to 9 Hz.
    """
    n = rest.shape[1]
    if n < MIN_S * ANALYSIS_RATE or rest.shape[0] == 0:
        return NAN, NAN
    thin = block_means(rest, 10)
    thin = (thin - thin.mean(axis=1, keepdims=True)) * np.hanning(thin.shape[1])
    size = 2048 if thin.shape[1] <= 2048 else thin.shape[1]
    power = np.square(np.abs(np.fft.rfft(thin, size, axis=1))).sum(axis=0)
    frequency = np.fft.rfftfreq(size, 10.0 / ANALYSIS_RATE)
    band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    flutter = (frequency >= FLUTTER_HZ[0]) & (frequency <= FLUTTER_HZ[1])
    total = float(power[band].sum())
    if total <= 0.0:
        return NAN, NAN
    top = float(frequency[flutter][np.argmax(power[flutter])])
    near = band & ((np.abs(frequency - top) < 0.35) | (np.abs(frequency - 2 * top) < 0.35))
    return 60.0 * top, float(power[near].sum() / total)
