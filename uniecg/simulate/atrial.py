"""What the atria do where they have no P waves: fibrillation and flutter as dipoles.

References
----------
.. [1] Petrutiu S et al. Atrial fibrillation and waveform characteristics. IEEE Eng Med Biol Mag 2006;25:24-30
   (dominant frequency 4 to 9 Hz, drifting; largest in V1).
.. [2] Stridh M, Sörnmo L. Spatiotemporal QRST cancellation techniques for analysis of atrial fibrillation. IEEE Trans
   Biomed Eng 2001;48:105-111 (fibrillatory waves as a sawtooth whose rate and size drift).
.. [3] Waldo AL. Treatment of atrial flutter. Heart 2000;84:227-232 (240 to 340 a minute; typical flutter: a sawtooth,
   down in the inferior leads, up in V1).
"""

from __future__ import annotations

import numpy as np

from uniecg.simulate.heart import vary, vector
from uniecg.simulate.plan import Floats
from uniecg.simulate.timeline import Timeline

FIBRILLATION_HZ = (5.6, 7.6)
FLUTTER_BPM = (240.0, 340.0)
USUAL_FLUTTER_BPM = 300.0
DELAY_CYCLES = 0.16
"""How much conduction varies, as a share of a flutter cycle (about 30 ms)."""


def fibrillation(n_samples: int, sampling_rate: float, rng: np.random.Generator) -> Floats:
    """Fibrillatory waves: sawtooths from two places whose rate and size drift [1]_ [2]_.

    Parameters
    ----------
    n_samples : int
    sampling_rate : float, Hz
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (3, n_samples), mV
    """
    time_s = np.arange(n_samples) / sampling_rate
    total = np.zeros((3, n_samples))
    size = rng.uniform(0.8, 2.0)
    for way, share in ((vector(-0.02, 0.012, -0.035), 1.0), (vector(0.006, -0.022, -0.012), 0.8)):
        rate_hz = rng.uniform(*FIBRILLATION_HZ)
        swing = 0.9 * _drift(time_s, 0.9, rng)
        phase = 2.0 * np.pi * (np.cumsum(rate_hz + swing) / sampling_rate + rng.uniform())
        saw = np.sin(phase) - 0.35 * np.sin(2.0 * phase + rng.uniform(-0.6, 0.6))
        total += size * share * vary(rng, way, 0.2)[:, None] * (saw * (1.0 + 0.45 * _drift(time_s, 0.7, rng)))
    return total


def _drift(time_s: Floats, highest_hz: float, rng: np.random.Generator) -> Floats:
    """A slow, smooth course of standard deviation 1."""
    rates = rng.uniform(0.1, highest_hz, 4)[:, None]
    phases = rng.uniform(0.0, 2.0 * np.pi, 4)[:, None]
    return np.asarray(np.sin(2.0 * np.pi * rates * time_s + phases).sum(axis=0) / np.sqrt(2.0))


def flutter_ratio(heart_rate_bpm: float) -> int:
    """How many flutter waves go with one QRS complex at this rate [3]_.

    Parameters
    ----------
    heart_rate_bpm : float
    """
    return max(1, round(USUAL_FLUTTER_BPM / heart_rate_bpm))


def flutter(timeline: Timeline, n_samples: int, sampling_rate: float, rng: np.random.Generator) -> Floats:
    """Flutter waves, a whole number of them between two QRS complexes [3]_.

    Parameters
    ----------
    timeline : Timeline
    n_samples : int
    sampling_rate : float, Hz
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (3, n_samples), mV
    """
    r_s = timeline.r_s
    time_s = np.arange(n_samples) / sampling_rate
    if r_s.size < 2:
        cycles = time_s * USUAL_FLUTTER_BPM / 60.0
    else:
        ratio = flutter_ratio(60.0 * (r_s.size - 1) / float(r_s[-1] - r_s[0]))
        # The way through the AV node is not always equally long.
        cycles = ratio * np.interp(time_s, r_s, np.arange(r_s.size)) + DELAY_CYCLES * _drift(time_s, 0.2, rng)
    phase = 2.0 * np.pi * (cycles + rng.uniform())
    # Down slowly, up fast, with a rounded corner.
    saw = np.sin(phase) + 0.42 * np.sin(2.0 * phase) + 0.16 * np.sin(3.0 * phase)
    way = vary(rng, vector(0.01, 0.075, -0.02), 0.12) * float(rng.uniform(1.2, 1.9))
    late = np.sin(phase - 1.2)
    return np.asarray(way[:, None] * saw + vary(rng, vector(-0.015, 0.0, -0.04), 0.15)[:, None] * late)
