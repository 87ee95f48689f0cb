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
    tilt = np.linspace(-1.0, 1.0, width, dtype=np.float32)
    tilt /= np.linalg.norm(tilt)
    level = np.full(width, 1.0 / np.sqrt(width), dtype=np.float32)
    centre = min((start - low) // step, views.shape[2] - 1)
    home = views[:, :, centre]
    home = home - (home @ level)[..., None] * level - (home @ tilt)[..., None] * tilt
    others = (home.sum(axis=0, keepdims=True) - home) / np.float32(len(home) - 1)
    # The mean of the others has neither level nor tilt, so the single beat's need not be taken out before the product.
    dots = np.einsum("nklw,nkw->nl", views, others)
    power = np.einsum("nklw,nklw->nl", views, views)
    for unwanted in (level, tilt):
        power = power - np.square(np.einsum("nklw,w->nkl", views, unwanted)).sum(axis=1)
    norms = np.sqrt(np.maximum(power, 0.0))
    size = np.maximum(np.sqrt(np.einsum("nkw,nkw->n", others, others)), 1e-12)
    scores = dots / np.maximum(norms * size[:, None], 1e-12)
    best = scores.argmax(axis=1)
    rows = np.arange(len(best))
    correlation, gain, shift = nan, nan.copy(), nan.copy()
    correlation[whole] = scores[rows, best]
    gain[whole] = dots[rows, best] / np.square(size)
    shift[whole] = float(step) * (best - centre)
    return correlation, gain, shift
