"""Waves of the heart's dipole: smooth humps of a vector in space, zero outside of known limits.

The dipole has the axes of Frank's leads: X to the left, Y to the feet, Z to the back, in mV.

References
----------
.. [1] McSharry PE et al. A dynamical model for generating synthetic electrocardiogram signals. IEEE Trans Biomed
   Eng 2003;50:289-294 (waves as Gaussian humps). Here they are powers of a cosine, which end.
.. [2] Sameni R et al. Multichannel ECG and noise modeling. EURASIP J Adv Signal Process 2007:043407 (humps of a
   dipole in space, seen through a lead matrix).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uniecg.simulate.plan import Floats

VISIBLE_SHARE = 0.05
"""P and T waves begin and end where they have a twentieth of their height, which is where readers see them end."""

VISIBLE_REACH = 2.0 / math.pi * math.acos(VISIBLE_SHARE**0.25)
"""Where a soft hump has a twentieth of its height, as a share of its half width."""


@dataclass(frozen=True, eq=False)
class Hump:
    """One wave of the dipole.

    Parameters
    ----------
    vector : ndarray, shape (3,), mV
        Dipole at the peak.
    peak_s : float, s
        Time of the peak after the reference of the wave (onset of P or QRS).
    rise_s, fall_s : float, s
        From zero to the peak and from there (and `hold_s`) back to zero.
    hold_s : float, s
        How long the peak lasts.
    soft : bool
        The fourth power of a cosine (almost a Gaussian: P and T) instead of the third (crisper ends: QRS).
    """

    vector: Floats
    peak_s: float
    rise_s: float
    fall_s: float
    hold_s: float = 0.0
    soft: bool = False

    @property
    def start_s(self) -> float:
        """First moment it is not zero, s."""
        return self.peak_s - self.rise_s

    @property
    def end_s(self) -> float:
        """Moment it is back at zero, s."""
        return self.peak_s + self.hold_s + self.fall_s


def soft_hump(vector: Floats, peak_s: float, visible_rise_s: float, visible_fall_s: float) -> Hump:
    """Return a soft hump by the times between its peak and where it is first and last visible.

    Parameters
    ----------
    vector : ndarray, shape (3,), mV
    peak_s, visible_rise_s, visible_fall_s : float, s
    """
    return Hump(vector, peak_s, visible_rise_s / VISIBLE_REACH, visible_fall_s / VISIBLE_REACH, soft=True)


def curves(humps: Sequence[Hump], time_s: Floats) -> Floats:
    """Height of each hump at each time, 0 to 1.

    Parameters
    ----------
    humps : sequence of Hump
    time_s : ndarray, shape (..., n), s
        After the reference of the humps.

    Returns
    -------
    ndarray, shape (..., n_humps, n)
    """
    peak, rise, fall, hold = (
        np.array([getattr(hump, name) for hump in humps])[:, None]
        for name in ("peak_s", "rise_s", "fall_s", "hold_s")
    )
    since = time_s[..., None, :] - peak
    late = since - hold
    phase = np.where(since < 0.0, since / rise, np.where(late > 0.0, late / fall, 0.0))
    cosine = np.cos(0.5 * np.pi * np.clip(phase, -1.0, 1.0))
    soft = np.array([hump.soft for hump in humps])[:, None]
    return np.asarray(np.square(cosine) * cosine * np.where(soft, cosine, 1.0))


def dipole(humps: Sequence[Hump], time_s: Floats) -> Floats:
    """Sum of the humps at each time.

    Parameters
    ----------
    humps : sequence of Hump
    time_s : ndarray, shape (..., n), s

    Returns
    -------
    ndarray, shape (..., 3, n), mV
    """
    vectors = np.stack([hump.vector for hump in humps], axis=1)
    return np.asarray(vectors @ curves(humps, time_s))


def add_beats(
    total: Floats, humps: Sequence[Hump], onset_s: Floats, sampling_rate: float, scale: Floats | None = None
) -> None:
    """Add the same humps at several times to a dipole signal, in place.

    Parameters
    ----------
    total : ndarray, shape (3, n_samples), mV
    humps : sequence of Hump
    onset_s : ndarray, shape (n_beats,), s
        Where their reference falls, also outside of the record.
    sampling_rate : float, Hz
    scale : ndarray, shape (n_beats,), optional
        Factor of each beat.
    """
    if not humps or onset_s.size == 0:
        return
    start_s = min(hump.start_s for hump in humps)
    n_window = math.ceil((max(hump.end_s for hump in humps) - start_s) * sampling_rate) + 2
    first = np.floor((onset_s + start_s) * sampling_rate).astype(np.int64)
    time_s = (first[:, None] + np.arange(n_window)) / sampling_rate - onset_s[:, None]
    beats = dipole(humps, time_s)
    if scale is not None:
        beats *= scale[:, None, None]
    n_samples = total.shape[1]
    for at, beat in zip(first.tolist(), beats, strict=True):
        low, high = max(at, 0), min(at + n_window, n_samples)
        if low < high:
            total[:, low:high] += beat[:, low - at : high - at]
