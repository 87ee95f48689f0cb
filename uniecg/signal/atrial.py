"""Atrial activity between the ventricular complexes: flutter and fibrillation waves."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import ANALYSIS_RATE, FloatArray, IntArray, block_means
from uniecg.signal.measurements import Beats
from uniecg.signal.waves import NAN

BAND_HZ = (2.5, 12.0)
FLUTTER_HZ = (3.3, 6.7)
MIN_S = 3.0

STEP = 5
"""Between the beats, waves are looked for at 100 Hz."""

LAGS = (17, 26)
"""Cycles of flutter waves, 230 to 350 per minute, in hundredths of a second."""

MIN_PAIRS_S = 1.2
"""Less to compare between the beats says nothing: flutter waves are there all the time."""

SAME_WAVES = 0.72
"""From here on a row of waves counts. Of 464 records of `train` and `val` without flutter, 104 of them fibrillations,
the highest has 0.69; of ten flutters with enough time between the beats, six have 0.75 or more."""

LEAST_ALIKE = 0.3
"""Less after one cycle cannot become `SAME_WAVES`, whatever there is after half a cycle."""

QT_S, MEAN_S = 0.4, 0.3


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
    spectrum = np.fft.rfft(thin, size, axis=1)
    power = (np.square(spectrum.real) + np.square(spectrum.imag)).sum(axis=0)
    frequency = np.fft.rfftfreq(size, 10.0 / ANALYSIS_RATE)
    band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    flutter = (frequency >= FLUTTER_HZ[0]) & (frequency <= FLUTTER_HZ[1])
    total = float(power[band].sum())
    if total <= 0.0:
        return NAN, NAN
    top = float(frequency[flutter][np.argmax(power[flutter])])
    near = band & ((np.abs(frequency - top) < 0.35) | (np.abs(frequency - 2 * top) < 0.35))
    return 60.0 * top, float(power[near].sum() / total)


def waves_between_beats(signal: FloatArray, times: Beats) -> tuple[float, float]:
    """Find a row of equal waves between the end of T and the next QRS complex.

    Where a fixed number of flutter waves goes with each beat, the median beat holds them too, and subtracting it
    takes them away. Between the beats they stay.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV, at 500 Hz
    times : Beats

    Returns
    -------
    rate_bpm : float, per minute
    likeness : float
        Half the difference of the autocorrelations after one and after half a cycle, over all leads: 1 for a sine,
        near 0 for a lone P wave. NaN where there is too little between the beats, or nothing repeats.

    References
    ----------
    Saoudi et al. 2001, Eur Heart J 22:1162 (flutter: a regular rate of 240 per minute or more, no level line between
    the deflections).
    """
    rate = ANALYSIS_RATE / STEP
    thin = block_means(signal, STEP).astype(np.float32)
    n = thin.shape[1]
    free = np.ones(n, dtype=np.float32)
    start_s = np.where(np.isfinite(times.qrs_on_s), times.qrs_on_s, times.r_peak_s - 0.04)
    end_s = np.where(np.isfinite(times.t_off_s), times.t_off_s, start_s + QT_S)
    placed = np.isfinite(start_s)
    for start, end in zip(start_s[placed].tolist(), end_s[placed].tolist(), strict=True):
        free[max(int(start * rate) - 1, 0) : int(end * rate) + 2] = 0.0
    low, high = LAGS
    if free[:-low] @ free[low:] < MIN_PAIRS_S * rate:
        return NAN, NAN
    width = int(MEAN_S * rate)
    share = ndimage.uniform_filter1d(free, width, mode="constant")
    mean = ndimage.uniform_filter1d(thin * free, width, axis=1, mode="constant") / np.maximum(share, 1e-9)
    # Rows end to end, zeros between them: one product then compares all leads.
    row = np.pad((thin - mean) * free, ((0, 0), (0, high + 1)))
    energy, flat = np.square(row[:, :n]).sum(axis=0), row.ravel()

    def alike(lag: int) -> float:
        if free[:-lag] @ free[lag:] < MIN_PAIRS_S * rate:
            return NAN
        size = (energy[:-lag] @ free[lag:]) * (free[:-lag] @ energy[lag:])
        return float(flat[:-lag] @ flat[lag:]) / max(math.sqrt(size), 1e-12)

    # A first look at every third lag: the others are no more than a sixth of a half cycle away.
    if not any(alike(lag) >= LEAST_ALIKE for lag in range(low, high + 1, 3)):
        return NAN, NAN
    course = [alike(lag) for lag in range(low - 1, high + 2)]
    tops = [at for at in range(1, len(course) - 1) if course[at - 1] <= course[at] >= course[at + 1]]
    if not tops:
        return NAN, NAN
    top = max(tops, key=course.__getitem__)
    left, height, right = course[top - 1 : top + 2]
    lag = low - 1 + top
    bend = max(2.0 * height - left - right, 1e-12)
    return 60.0 * rate / (lag + 0.5 * (right - left) / bend), 0.5 * (height - alike((lag + 1) // 2))
