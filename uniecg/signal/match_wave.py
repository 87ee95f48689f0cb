"""Finding a wave of the median beat again in every single beat."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import FloatArray
from uniecg.signal.waves import MS, NAN


def match_wave(
    windows: FloatArray, start: int, stop: int, reach: int, scale: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Look for the same wave in every beat: correlation with the mean of the *other* beats.

    Leaving the beat itself out keeps noise from correlating with itself, so that fibrillation yields about 0.

    Parameters
    ----------
    windows : ndarray, shape (n_beats, n_leads, n_samples), mV
    start, stop : int
        Where the wave lies in the window.
    reach : int, samples
        Largest shift tried.
    scale : ndarray, shape (n_leads,), mV
        Noise of each lead.

    Returns
    -------
    correlation : ndarray, shape (n_beats,)
        -1 to 1; NaN where the window leaves the record.
    gain : ndarray, shape (n_beats,)
        Size of the wave relative to the mean of the others.
    shift : ndarray, shape (n_beats,), samples
    """
    n_beats = len(windows)
    nan = np.full(n_beats, NAN)
    low, high = max(start - reach, 0), min(stop + reach, windows.shape[2])
    if n_beats < 3 or stop - start < 8 or high - low <= stop - start:
        return nan, nan.copy(), nan.copy()
    # P waves need steps of 4 ms; the broader T waves are matched in steps of 8 ms.
    step = 2 if stop - start <= int(150 * MS) else 4
    calm = ndimage.uniform_filter1d(windows[:, :, low:high], int(20 * MS), axis=2)
    piece = (calm[:, :, ::step] / np.maximum(scale, 1e-6)[None, :, None]).astype(np.float32)
    whole = np.isfinite(piece).all(axis=(1, 2))
    if whole.sum() < 3:
        return nan, nan.copy(), nan.copy()
    width = (stop - start) // step
    views = np.lib.stride_tricks.sliding_window_view(piece[whole], width, axis=2)
    views = views.transpose(0, 2, 1, 3)
    tilt = np.linspace(-1.0, 1.0, width)
    tilt = tilt / np.linalg.norm(tilt)
    flat = views - views.mean(axis=3, keepdims=True)
    flat = flat - (flat @ tilt)[..., None] * tilt
    flat = flat.reshape(flat.shape[0], flat.shape[1], -1)
    centre = min((start - low) // step, flat.shape[1] - 1)
    home = flat[:, centre]
    others = (home.sum(axis=0, keepdims=True) - home) / (len(home) - 1)
    dots = np.einsum("nlk,nk->nl", flat, others)
    norms = np.linalg.norm(flat, axis=2)
    size = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    scores = dots / np.maximum(norms * size[:, None], 1e-12)
    best = scores.argmax(axis=1)
    rows = np.arange(len(best))
    correlation, gain, shift = nan, nan.copy(), nan.copy()
    correlation[whole] = scores[rows, best]
    gain[whole] = dots[rows, best] / np.square(size)
    shift[whole] = float(step) * (best - centre)
    return correlation, gain, shift
