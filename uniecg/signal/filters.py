"""Filters that prepare a multi-lead ECG for measuring: gaps, sampling rate, mains hum, baseline.

All functions work on arrays of shape ``(n_leads, n_samples)`` and are zero-phase, so that no wave moves in time.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal as sps

FloatArray = NDArray[np.floating[Any]]
"""Signals are float32: exact to a nanovolt at 10 mV, and twice as fast."""

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

ANALYSIS_RATE = 500.0
"""Sampling rate in Hz at which every record is analysed (Kligfield et al. 2007 ask for at least 500 Hz)."""

BAND_STEP = 4
BAND_RATE = ANALYSIS_RATE / BAND_STEP
"""Sampling rate in Hz of `qrs_band`."""

CONVOLVED_BLOCK = 64
"""Samples convolved at once, as a product of matrices."""

DRIFT_STEP = 20
"""Drift is computed at 25 Hz, fifty times its highest frequency."""

MAX_DRIFT_MATRIX = 512
"""Values at 25 Hz, 20 s: a matrix of 2 MB."""

MAINS_HZ = (50.0, 60.0)
MAINS_RATIO = 8.0


def fill_gaps(signal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bridge non-finite samples by straight lines.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV

    Returns
    -------
    filled : ndarray, shape (n_leads, n_samples), mV
        No NaN; a lead without any finite sample becomes zero.
    valid : ndarray, shape (n_leads,)
        Share of finite samples of each lead, 0 to 1.
    """
    finite = np.isfinite(signal)
    if finite.all():
        return signal, np.ones(len(signal))
    filled, valid = signal.copy(), finite.mean(axis=1)
    for lead in np.flatnonzero(valid < 1.0):
        keep = np.flatnonzero(finite[lead])
        filled[lead] = np.interp(np.arange(filled.shape[1]), keep, filled[lead, keep]) if keep.size else 0.0
    return filled, valid


def to_analysis_rate(signal: FloatArray, sampling_rate: float) -> FloatArray:
    """Resample to `ANALYSIS_RATE` with a polyphase filter.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV
    sampling_rate : float, Hz

    Returns
    -------
    ndarray, shape (n_leads, round(n_samples * 500 / sampling_rate)), mV
    """
    if sampling_rate == ANALYSIS_RATE:
        return signal
    ratio = Fraction(ANALYSIS_RATE / sampling_rate).limit_denominator(1000)
    if ratio.numerator == 0 or ratio.numerator > 5000:
        raise ValueError(f"sampling rate {sampling_rate:g} Hz cannot be analysed")
    result: FloatArray = sps.resample_poly(signal, ratio.numerator, ratio.denominator, axis=1, padtype="line")
    return result


def block_means(signal: NDArray[np.floating], step: int) -> FloatArray:
    """Mean of every `step` samples; a product with equal weights is faster than a mean over a short axis.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
    step : int, samples

    Returns
    -------
    ndarray, shape (n_leads, n_samples // step)
    """
    n_blocks = signal.shape[1] // step
    blocks = signal[:, : n_blocks * step].reshape(len(signal), n_blocks, step)
    means: FloatArray = blocks @ np.full(step, 1.0 / step, dtype=blocks.dtype)
    return means


@lru_cache(maxsize=32)
def _butterworth(
    order: int, cutoff: float | tuple[float, float], kind: str, rate: float = ANALYSIS_RATE
) -> FloatArray:
    sos: FloatArray = sps.butter(order, cutoff, kind, fs=rate, output="sos")
    return sos


def _zero_phase(sos: FloatArray, signal: FloatArray, pad_s: float, rate: float = ANALYSIS_RATE) -> FloatArray:
    pad = min(int(pad_s * rate), signal.shape[1] - 1)
    result: FloatArray = sps.sosfiltfilt(sos, signal, axis=1, padlen=pad)
    return result


def qrs_band(signal: FloatArray) -> FloatArray:
    """Pass 5 to 25 Hz, where QRS complexes stand out of P, T and noise (Pan & Tompkins 1985).

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz
        Smoothed: what lies above 100 Hz would be folded into the band.

    Returns
    -------
    ndarray, shape (n_leads, ceil(n_samples / 4)), at 125 Hz
    """
    thin = signal[:, ::BAND_STEP]
    return _convolve(thin, _shifted_kernels((5.0, 25.0), "bandpass", BAND_RATE, 40, thin.dtype.char))


def smooth(signal: FloatArray, cutoff_hz: float = 60.0) -> FloatArray:
    """Low-pass that keeps the edges of the QRS complex and removes most muscle noise.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz
    cutoff_hz : float, Hz
    """
    reach = int(2.0 * ANALYSIS_RATE / cutoff_hz)
    return _convolve(signal, _shifted_kernels(cutoff_hz, "lowpass", ANALYSIS_RATE, reach, signal.dtype.char))


@lru_cache(maxsize=16)
def _shifted_kernels(
    cutoff_hz: float | tuple[float, float], kind: str, rate: float, reach: int, dtype: str
) -> FloatArray:
    """Matrix that convolves a block of a row with a kernel, shape (block + 2 reach, block).

    The kernel is the impulse response of a second-order Butterworth filter run forward and backward, up to `reach`
    samples from its middle: what is left out is below a thousandth of its height.
    """
    impulse = np.zeros((1, 16 * reach + 1))
    impulse[0, 8 * reach] = 1.0
    response = sps.sosfiltfilt(_butterworth(2, cutoff_hz, kind, rate), impulse, axis=1, padlen=0)[0]
    kernel = response[7 * reach : 9 * reach + 1]
    # Cut off, it keeps its gain at 0 Hz.
    kernel = kernel / kernel.sum() if kind == "lowpass" else kernel - kernel.mean()
    matrix = np.zeros((CONVOLVED_BLOCK + 2 * reach, CONVOLVED_BLOCK))
    for place in range(CONVOLVED_BLOCK):
        matrix[place : place + len(kernel), place] = kernel
    return matrix.astype(dtype)


def _convolve(signal: FloatArray, matrix: FloatArray) -> FloatArray:
    """Convolve each row with a kernel, block by block; beyond its ends a row goes on turned by half a circle.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Longer than the kernel reaches.
    matrix : ndarray
        From `_shifted_kernels`.
    """
    n_leads, n = signal.shape
    width, block = matrix.shape
    reach, n_blocks = (width - block) // 2, -(-n // block)
    padded = np.zeros((n_leads, n_blocks * block + 2 * reach), dtype=signal.dtype)
    padded[:, :reach] = 2.0 * signal[:, :1] - signal[:, reach:0:-1]
    padded[:, reach : reach + n] = signal
    padded[:, reach + n : n + 2 * reach] = 2.0 * signal[:, -1:] - signal[:, -2 : -reach - 2 : -1]
    blocks = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)[:, ::block]
    result: FloatArray = (np.ascontiguousarray(blocks).reshape(-1, width) @ matrix).reshape(n_leads, -1)
    return result[:, :n]


def drift(signal: FloatArray, cutoff_hz: float = 0.5) -> FloatArray:
    """Estimate slow drift with a zero-phase low-pass.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz
    cutoff_hz : float, Hz

    Returns
    -------
    ndarray, shape (n_leads, n_samples)

    References
    ----------
    Kligfield et al. 2007, J Am Coll Cardiol 49:1109: cutting off up to 0.67 Hz is permitted for zero-phase filters.
    """
    n = signal.shape[1]
    if n // DRIFT_STEP < 4:
        return np.broadcast_to(signal.mean(axis=1, keepdims=True), signal.shape)
    means = block_means(signal, DRIFT_STEP)
    # The filter is linear: for a short record one product with its matrix is cheaper.
    short = means.shape[1] <= MAX_DRIFT_MATRIX
    slow = means @ _drift_matrix(means.shape[1], cutoff_hz) if short else _slow(means, cutoff_hz)
    return interpolate(slow, (DRIFT_STEP - 1) / 2.0, DRIFT_STEP, n)


def _slow(means: FloatArray, cutoff_hz: float) -> FloatArray:
    rate = ANALYSIS_RATE / DRIFT_STEP
    return _zero_phase(_butterworth(2, cutoff_hz, "lowpass", rate), means, 2.0, rate)


@lru_cache(maxsize=16)
def _drift_matrix(n: int, cutoff_hz: float) -> FloatArray:
    return _slow(np.eye(n), cutoff_hz).astype(np.float32)


def interpolate(values: FloatArray, first: float, step: int, n: int) -> FloatArray:
    """Straight lines between evenly spaced values, prolonged beyond the ends.

    Parameters
    ----------
    values : ndarray, shape (n_leads, n_values)
        At the samples first, first + step, ...; at least two.
    first : float
        From 0 to `step`.
    step : int
    n : int
        Samples wanted; at most two steps behind the last value.

    Returns
    -------
    ndarray, shape (n_leads, n)
    """
    slope = np.diff(values, axis=1)
    begin = int(np.ceil(first - step))
    line = np.concatenate([values[:, :1] - slope[:, :1], values, values[:, -1:] + slope[:, -1:]], axis=1)
    slope = np.concatenate([slope[:, :1], slope, slope[:, -1:], slope[:, -1:]], axis=1)
    share = ((np.arange(step) + begin - (first - step)) / step).astype(values.dtype)
    dense = slope[:, :, None] * share
    dense += line[:, :, None]
    result: FloatArray = dense.reshape(len(values), -1)[:, -begin : n - begin]
    return result


def mains_hum(signal: FloatArray) -> tuple[float, FloatArray]:
    """Find mains interference by its line in the spectrum.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV, at 500 Hz

    Returns
    -------
    frequency : float, Hz
        50 or 60, whichever is stronger; 0 if neither stands out.
    amplitude : ndarray, shape (n_leads,), mV
        Amplitude of the sine at that frequency in each lead (0 where it does not stand out of its neighbourhood).
    """
    n = signal.shape[1]
    none = np.zeros(signal.shape[0])
    if n < ANALYSIS_RATE / 2:
        return 0.0, none
    # A few single-frequency sums are ten times cheaper than a whole spectrum.
    probes = _mains_probes(n, signal.dtype.char)
    waves = signal @ probes
    lines = np.hypot(*np.split(waves, 2, axis=1)).reshape(len(signal), len(MAINS_HZ), -1)
    best, best_amplitude = 0.0, none
    for mains, (far_left, left, at, right, far_right) in zip(MAINS_HZ, lines.transpose(1, 2, 0), strict=True):
        beside = (far_left + left + right + far_right) / 4.0
        amplitude = np.where(at > MAINS_RATIO * beside, at, 0.0)
        if amplitude.sum() > best_amplitude.sum():
            best, best_amplitude = mains, amplitude
    return best, best_amplitude


@lru_cache(maxsize=8)
def _mains_probes(n: int, dtype: str) -> FloatArray:
    """Windowed cosines, then sines at the mains frequencies and beside them, shape (n, 2 n_frequencies)."""
    window = np.hanning(n)
    offsets = np.array([-4.0, -3.0, 0.0, 3.0, 4.0]) * max(1.0, ANALYSIS_RATE / n)
    angle = (
        2.0
        * np.pi
        * np.outer(np.arange(n) / ANALYSIS_RATE, np.add.outer(np.array(MAINS_HZ), offsets).ravel())
    )
    probes: FloatArray = np.hstack([np.cos(angle), np.sin(angle)]) * (2.0 * window / window.sum())[:, None]
    return probes.astype(dtype)


def remove_mains(signal: FloatArray, frequency: float) -> FloatArray:
    """Notch out mains interference (zero phase, quality factor 15).

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), at 500 Hz
    frequency : float, Hz
        0 leaves the signal as it is.
    """
    if not frequency:
        return signal
    b, a = sps.iirnotch(frequency, 15.0, fs=ANALYSIS_RATE)
    return _zero_phase(sps.tf2sos(b, a), signal, 0.5)
