"""What makes a lead unreadable although it was recorded: a cable that comes off, large shifts, noise above the QRS.

The three limits are the rules with which people refuse a recording. They were set on the half of the 459 labelled
records of the PhysioNet/CinC Challenge 2011 that ``uniecg evaluate quality --data FOLDER`` reports as
``tuned_half``; the other half was looked at afterwards.

References
----------
Silva I., Moody G. B., Celi L. 2011, Improving the quality of ECGs collected using mobile phones: the
PhysioNet/Computing in Cardiology Challenge 2011, Comput Cardiol 38:273 (the labels).
Clifford G. D. et al. 2012, Signal quality indices and data fusion for determining clinical acceptability of
electrocardiograms, Physiol Meas 33:1419 (flat share; power of the QRS band against the rest).
Johannesen L., Galeotti L. 2012, Automatic ECG quality scoring methodology, Physiol Meas 33:1479 (large shifts, missing
leads, then noise against QRS size).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from uniecg.signal.filters import BoolArray, FloatArray, block_means
from uniecg.signal.order_statistics import quantiles

PARTLY_FLAT, SHIFTED, DROWNED = (
    "flat for 3 s or more",
    "large baseline shifts",
    "noise hides the QRS complexes",
)

BLOCK_S = 0.02
"""One period of 50 Hz mains: its mean holds no 50 Hz hum and a fifth of 60 Hz."""

FLAT_S, FLAT_RANGE_MV = 3.0, 0.02
"""Longer than a pause between beats is likely; less than the noise of any electrode on skin."""

SHIFT_MV, SHIFT_SHARE, SHIFT_MEAN_S = 1.5, 0.1, 0.2
"""15 mm off its line for a tenth of the time: the trace lies in the rows of other leads."""

QUIET_SHARE = 0.35
"""Activity at quiet moments (20th percentile) over that at QRS complexes (97th): in a readable lead there is rest."""


def lead_defects(signal: FloatArray, sampling_rate: float, *, in_mv: bool = True) -> list[list[str]]:
    """Name what makes each lead unreadable.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples), mV
        As recorded, without NaN; at least 50 Hz.
    sampling_rate : float, Hz
    in_mv : bool
        False if the amplitudes are normalised: shifts in mV mean nothing then.

    Returns
    -------
    list of list of str
        Of `PARTLY_FLAT`, `SHIFTED` and `DROWNED`, per lead.
    """
    step = max(1, round(BLOCK_S * sampling_rate))
    n_blocks = signal.shape[1] // step
    rate = sampling_rate / step
    if n_blocks < rate:
        return [[] for _ in signal]
    mean = block_means(signal, step)
    named = [
        (PARTLY_FLAT, _is_flat(signal, step, int(FLAT_S * rate))),
        (SHIFTED, _is_shifted(mean, rate) & np.bool_(in_mv)),
        (DROWNED, _is_drowned(mean, rate)),
    ]
    return [[name for name, is_set in named if is_set[lead]] for lead in range(len(signal))]


def _is_flat(signal: FloatArray, step: int, width: int) -> BoolArray:
    # With the samples of a block first, whole rows are compared at once.
    blocks = np.ascontiguousarray(_chunks(signal, step).transpose(2, 0, 1))
    high = ndimage.maximum_filter1d(blocks.max(axis=0), width, axis=1, mode="nearest")
    low = ndimage.minimum_filter1d(blocks.min(axis=0), width, axis=1, mode="nearest")
    whole = slice(width // 2, blocks.shape[2] - (width - 1) // 2)  # windows inside of the record
    return np.asarray((high - low)[:, whole].min(axis=1, initial=np.inf) < FLAT_RANGE_MV)


def _is_shifted(mean: FloatArray, rate: float) -> BoolArray:
    level = block_means(mean, round(SHIFT_MEAN_S * rate))
    away = np.abs(level - np.median(level, axis=1, keepdims=True)) > SHIFT_MV
    return np.asarray(away.mean(axis=1) >= SHIFT_SHARE)


def _is_drowned(mean: FloatArray, rate: float) -> BoolArray:
    """Compare quiet moments with QRS complexes by differences over 40 ms, which pass 5 to 20 Hz."""
    lag = max(1, round(0.04 * rate))
    activity = _chunks(np.abs(mean[:, lag:] - mean[:, :-lag]), max(1, round(0.1 * rate))).max(axis=2)
    quiet, loud = quantiles(activity, 0.2, 0.97)
    return np.asarray(quiet > QUIET_SHARE * loud)


def _chunks(values: FloatArray, width: int) -> FloatArray:
    """Cut each row into pieces, shape (n_leads, n_pieces, width)."""
    n = values.shape[1] // width
    return values[:, : n * width].reshape(len(values), n, width)
