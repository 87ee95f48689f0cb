"""What a recording adds to the heart: wander, mains, muscle, motion, loose electrodes, clipping.

Noise arises at electrodes, so it keeps the algebra of the limb leads.

References
----------
.. [1] Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. Comput Cardiol 1984;11:381-384
   (baseline wander, muscle and electrode motion as the three kinds of noise).
.. [2] Friesen GM et al. A comparison of the noise sensitivity of nine QRS detection algorithms. IEEE Trans Biomed Eng
   1990;37:85-98 (models of mains, muscle, wander, motion and electrode contact noise).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from uniecg.simulate.plan import Floats

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")

_CHEST = np.hstack([np.full((6, 3), -1.0 / 3.0), np.eye(6)])
LEADS_FROM_ELECTRODES: Floats = np.vstack(
    [[-1.0, 1.0, 0.0] + [0.0] * 6, [-1.0, 0.0, 1.0] + [0.0] * 6, _CHEST]
)
"""Leads I, II, V1 to V6 as weights on the potentials of `ELECTRODES` (Wilson's terminal for the chest)."""


@dataclass(frozen=True)
class NoiseEvent:
    """A disturbance of one electrode: "motion" or "pop", from when to when, s."""

    kind: str
    electrode: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Noise:
    """What was added to a recording.

    Attributes
    ----------
    wander_mv, mains_mv, muscle_mv : float, mV
        Root mean square at one electrode.
    mains_hz : float, Hz
    clip_mv : float or None, mV
        Leads are cut at this level above and below.
    events : tuple of NoiseEvent
    """

    wander_mv: float = 0.0
    mains_mv: float = 0.0
    muscle_mv: float = 0.0
    mains_hz: float = 50.0
    clip_mv: float | None = None
    events: tuple[NoiseEvent, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)


def draw_noise(strength: float, duration_s: float, rng: np.random.Generator) -> Noise:
    """Draw how noisy a recording is.

    Parameters
    ----------
    strength : float
        0 none, 1 an ordinary recording, 3 a poor one.
    duration_s : float, s
    rng : numpy.random.Generator
    """
    if strength <= 0.0:
        return Noise()
    wander, mains, muscle = np.exp(np.clip(rng.normal(size=3), -1.5, 1.5) * 0.6) * strength
    events = []
    for kind, per_10_s in (("motion", 0.10), ("pop", 0.04)):
        for _ in range(int(rng.poisson(per_10_s * strength**2 * duration_s / 10.0))):
            start_s = float(rng.uniform(0.0, duration_s))
            length_s = float(rng.uniform(0.4, 1.4))
            electrode = str(rng.choice(ELECTRODES))
            events.append(NoiseEvent(kind, electrode, start_s, min(start_s + length_s, duration_s)))
    return Noise(
        wander_mv=float(0.04 * wander),
        mains_mv=float(0.004 * mains * (rng.random() < 0.5)),
        muscle_mv=float(0.006 * muscle),
        mains_hz=float(rng.choice([50.0, 60.0])),
        clip_mv=float(rng.uniform(1.2, 2.5)) if rng.random() < 0.03 * (strength - 1.0) else None,
        events=tuple(sorted(events, key=lambda event: event.start_s)),
    )


def noise_signal(noise: Noise, n_samples: int, sampling_rate: float, rng: np.random.Generator) -> Floats:
    """Draw the noise itself, without clipping.

    Parameters
    ----------
    noise : Noise
    n_samples : int
    sampling_rate : float, Hz
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (8, n_samples), mV
        Rows I, II, V1 to V6.
    """
    time_s = np.arange(n_samples) / sampling_rate
    n = len(ELECTRODES)
    at = np.zeros((n, n_samples))
    if noise.wander_mv > 0.0:
        # Breathing and slower: the same sources reach every electrode in another measure.
        rates = np.append(rng.uniform(0.15, 0.35), rng.uniform(0.03, 0.3, 3))[:, None]
        sources = np.sin(2.0 * np.pi * (rates * time_s + rng.uniform(size=(4, 1))))
        at += noise.wander_mv * np.sqrt(0.5) * rng.normal(size=(n, 4)) @ sources
    if noise.mains_mv > 0.0:
        wave = np.sin(2.0 * np.pi * (noise.mains_hz * time_s + rng.uniform()))
        at += noise.mains_mv * np.sqrt(2.0) * rng.normal(size=(n, 1)) * wave
    if noise.muscle_mv > 0.0:
        white = rng.standard_normal((n, n_samples + 1), dtype=np.float32)
        # A first difference takes away the slow part; muscles differ, and tremble in bursts.
        level = noise.muscle_mv * np.exp(rng.normal(0.0, 0.3, (n, 1)))
        bursts = 1.0 + 0.5 * np.sin(2.0 * np.pi * (rng.uniform(0.1, 0.5) * time_s + rng.uniform()))
        at += level / np.sqrt(1.49) * bursts * (white[:, 1:] - 0.7 * white[:, :-1])
    for event in noise.events:
        at[ELECTRODES.index(event.electrode)] += _disturbance(event, time_s, rng)
    return np.asarray(LEADS_FROM_ELECTRODES @ at)


def _disturbance(event: NoiseEvent, time_s: Floats, rng: np.random.Generator) -> Floats:
    """Motion: a few slow swings. Pop: a jump that decays."""
    since = time_s - event.start_s
    length_s = max(event.end_s - event.start_s, 0.1)
    inside = (since >= 0.0) & (since <= length_s)
    size = rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.0)
    if event.kind == "pop":
        return np.asarray(size * inside * np.exp(-4.0 * np.clip(since, 0.0, None) / length_s))
    window = np.square(np.sin(np.pi * np.clip(since / length_s, 0.0, 1.0)))
    return np.asarray(size * window * np.sin(2.0 * np.pi * (rng.uniform(1.0, 3.5) * since + rng.uniform())))


def clip(eight: Floats, noise: Noise) -> Floats:
    """Cut the leads where the recorder reaches its end.

    Parameters
    ----------
    eight : ndarray, shape (8, n_samples), mV
    noise : Noise
    """
    return eight if noise.clip_mv is None else np.clip(eight, -noise.clip_mv, noise.clip_mv)
