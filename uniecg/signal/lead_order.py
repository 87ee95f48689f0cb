"""Interchanged electrodes, seen in the dominant beat of all leads.

Two signs, either of which raises the alarm:

- What leads I and II should look like is predicted from the chest leads, which an interchange of limb electrodes
  (but for the right leg) does not change; with two of them interchanged it agrees better (Kors & van Herpen 2001).
- The potential changes smoothly along the chest, so of all orders the true one makes the shortest path from aVR over
  V1 to V6 to I, where the distance of two leads is the difference of their shapes.

Which electrodes they are is then decided by both together, for one interchange at a time, and by the P wave in lead I,
which interchanged arms turn over and chest electrodes do not. Left arm and left leg interchanged cannot be told from a
turn of the heart and are left out.

References
----------
Kors J. A., van Herpen G. 2001, Accurate automatic detection of electrode interchange in the electrocardiogram, Am J
Cardiol 88:396.
Jekova I. et al. 2016, Inter-lead correlation analysis for automated detection of cable reversals in 12/16-lead ECG,
Comput Methods Programs Biomed 134:31.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from uniecg.record import LEADS, Record
from uniecg.signal.filters import FloatArray, block_means
from uniecg.signal.measurements import Beats
from uniecg.signal.order_statistics import middle

LIMB, CHEST = LEADS[:6], LEADS[6:]

FRONTAL_FROM_CHEST = np.array(
    [[-0.58, 0.25, 0.11, -0.15, 0.05, 0.41], [-0.08, -0.03, 0.12, 0.09, 0.03, 0.50]]
)
"""Leads I and II from V1 to V6, by least squares over the beats of 369 records: scripts/fit_lead_order.py DATA."""

LIMB_GAIN = 0.2
"""How much better (in correlation) the prediction must agree: the most in these 369 records is 0.12."""

CHEST_GAIN = 0.05
"""By which share another path must be shorter: so it is in 1.4 % of these records, some of them true interchanges."""

AGREEMENT_WEIGHT = 0.2
"""Of the agreement beside the mean step of the path, in naming the electrodes; 0.1 to 0.5 name about the same."""

CLEAR_P_MV = 0.02
"""Half a small square is no noise: from here on the direction of the P wave counts."""

DAMPING = 0.2
"""Share of the size of all chest leads added to that of each: a lead of near zero has no shape."""

BASE_S, BEFORE_S, AFTER_S = 0.03, 0.05, 0.5
"""The beat from 50 ms before the QRS complex to the end of T, on the level of its last 30 ms before the QRS complex."""


class Arrangement(NamedTuple):
    """Where the electrodes may be instead of where they should be.

    Attributes
    ----------
    electrodes : str
    frontal : ndarray, shape (2, 2)
        Makes the true leads I and II of the recorded ones.
    order : tuple of int
        Which recorded chest lead is truly V1, V2, ... V6.
    leads : tuple of str
        Those that are wrong by it.
    """

    electrodes: str
    frontal: FloatArray
    order: tuple[int, ...]
    leads: tuple[str, ...]


def _chest_swap(first: int, second: int) -> Arrangement:
    order = list(range(6))
    order[first], order[second] = second, first
    pair = CHEST[first], CHEST[second]
    return Arrangement(" and ".join(pair), np.eye(2), tuple(order), pair)


_IN_ORDER = tuple(range(6))
_RIGHT = Arrangement("", np.eye(2), _IN_ORDER, ())
ARMS = Arrangement("right and left arm", np.array([[-1.0, 0.0], [-1.0, 1.0]]), _IN_ORDER, LIMB)
ALL_CHEST = Arrangement("V1 to V6", np.eye(2), _IN_ORDER[::-1], CHEST)
_LIMB_SWAPS = (
    ARMS,
    Arrangement("right arm and left leg", np.array([[1.0, -1.0], [0.0, -1.0]]), _IN_ORDER, LIMB),
)
_CHEST_SWAPS = (
    *(_chest_swap(first, second) for first, second in combinations(range(6), 2)),
    ALL_CHEST,
)


def swapped_electrodes(beat: FloatArray, p_in_i_mv: float = math.nan) -> Arrangement | None:
    """Find interchanged electrodes.

    Parameters
    ----------
    beat : ndarray, shape (12, n_samples), mV
        Dominant beat as `dominant_beat` cuts it.
    p_in_i_mv : float, mV
        P wave in lead I; 0 or NaN where there is none.

    Returns
    -------
    Arrangement or None
        None if all is in order.
    """
    limb_gain, chest_gain = gains(beat)
    if limb_gain <= LIMB_GAIN and chest_gain <= CHEST_GAIN:
        return None
    excluded = ARMS if p_in_i_mv > CLEAR_P_MV else ALL_CHEST if p_in_i_mv < -CLEAR_P_MV else None
    return min(
        (one for one in (*_LIMB_SWAPS, *_CHEST_SWAPS) if one is not excluded),
        key=lambda one: (
            float(_mean_steps(_distances(beat, one.frontal), [one.order])[0])
            - AGREEMENT_WEIGHT * _agreement(beat, one)
        ),
    )


def gains(beat: FloatArray) -> tuple[float, float]:
    """Return what the best interchange of limb and of chest electrodes gains, to be held against the two limits.

    Parameters
    ----------
    beat : ndarray, shape (12, n_samples), mV
    """
    agreement = max(_agreement(beat, one) for one in _LIMB_SWAPS)
    distance = _distances(beat, _RIGHT.frontal)
    step = float(_mean_steps(distance, [one.order for one in _CHEST_SWAPS]).min())
    right = float(_mean_steps(distance, [_IN_ORDER])[0])
    return agreement - _agreement(beat, _RIGHT), 1.0 - step / max(right, 1e-12)


def dominant_beat(record: Record, beats: Beats) -> FloatArray | None:
    """Average the dominant beats of a record around the QRS complex, at about 100 Hz.

    Parameters
    ----------
    record : Record
    beats : Beats
        Measured in it.

    Returns
    -------
    ndarray, shape (12, n_samples), mV, or None
        None if no such beat lies inside the record.
    """
    step = max(1, round(record.sampling_rate / 100.0))
    rate = record.sampling_rate / step
    signal = block_means(record.signal, step)
    base, before, after = (round(part * rate) for part in (BASE_S, BEFORE_S, AFTER_S))
    onsets = beats.qrs_on_s[beats.dominant & np.isfinite(beats.qrs_on_s)]
    starts = [round(onset * rate) for onset in onsets]
    windows = [
        signal[:, at - before : at + after] - signal[:, at - base : at].mean(axis=1, keepdims=True)
        for at in starts
        if at >= before and at + after <= signal.shape[1]
    ]
    return middle(np.array(windows)) if windows else None


def _agreement(beat: FloatArray, arrangement: Arrangement) -> float:
    """Correlate leads I and II with their prediction, both of this arrangement."""
    frontal = arrangement.frontal @ beat[:2]
    expected = FRONTAL_FROM_CHEST @ beat[6:][list(arrangement.order)]
    size = float(np.linalg.norm(frontal) * np.linalg.norm(expected))
    return float((frontal * expected).sum()) / max(size, 1e-12)


def _distances(beat: FloatArray, frontal: FloatArray) -> FloatArray:
    """Return the difference of shape between any two of aVR, V1 to V6 and I, shape (8, 8)."""
    first, second = frontal @ beat[:2]
    chest = beat[6:]
    nodes = np.concatenate([-(first + second)[None] / 2.0, chest, first[None]])
    size = np.linalg.norm(nodes, axis=1, keepdims=True) + DAMPING * float(np.linalg.norm(chest)) + 1e-12
    nodes = nodes / size
    products = nodes @ nodes.T
    squares = np.diag(products)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * products, 0.0)))


def _mean_steps(distances: FloatArray, orders: Sequence[tuple[int, ...]]) -> FloatArray:
    """Return the mean distance between neighbours on the path from aVR over the chest leads in each order to I."""
    paths = np.array([(0, *(place + 1 for place in order), 7) for order in orders])
    return np.asarray(distances[paths[:, :-1], paths[:, 1:]].mean(axis=1))
