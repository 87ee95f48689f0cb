"""A tiny ECG generator for the tests of measuring: sums of smooth bumps whose times are known exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uniecg.record import LEADS, Record

# Size of P, Q, R, S, T in mV in the eight independent leads of a normal heart.
SHAPES = {
    "I": (0.08, -0.05, 0.7, -0.10, 0.20),
    "II": (0.15, -0.08, 1.1, -0.15, 0.30),
    "V1": (0.05, 0.0, 0.2, -0.90, -0.10),
    "V2": (0.06, 0.0, 0.4, -1.40, 0.40),
    "V3": (0.06, 0.0, 0.8, -0.90, 0.50),
    "V4": (0.06, -0.05, 1.4, -0.50, 0.45),
    "V5": (0.06, -0.08, 1.3, -0.20, 0.35),
    "V6": (0.05, -0.08, 0.9, -0.10, 0.25),
}
P_BEFORE_R_S, P_HALF_S, T_AFTER_R_S, T_HALF_S = 0.16, 0.05, 0.28, 0.09
QRS_AT_S, QRS_HALF_S = (-0.028, 0.0, 0.028), (0.014, 0.020, 0.018)


def bump(time_s: NDArray[np.float64], centre_s: float, half_s: float) -> NDArray[np.float64]:
    """Raised cosine: exactly zero farther than `half_s` from its centre."""
    phase = np.clip((time_s - centre_s) / half_s, -1.0, 1.0)
    return 0.5 * (1.0 + np.cos(np.pi * phase))


def synthetic(
    r_s: list[float] | NDArray[np.float64],
    duration_s: float = 10.0,
    rate_hz: float = 500.0,
    *,
    p: bool = True,
    st_mv: float = 0.0,
    wide: tuple[int, ...] = (),
    stretch: float = 1.0,
    noise_mv: float = 0.005,
    seed: int = 0,
) -> Record:
    """ECG with R peaks at the given times; `wide` beats are broad, inverted and without P; `stretch` shortens T."""
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    eight = {lead: np.zeros(time_s.size) for lead in SHAPES}
    for number, at in enumerate(r_s):
        p_wave = bump(time_s, at - P_BEFORE_R_S, P_HALF_S)
        t_wave = bump(time_s, at + T_AFTER_R_S * stretch, T_HALF_S * stretch)
        qrs = [bump(time_s, at + c, h) for c, h in zip(QRS_AT_S, QRS_HALF_S, strict=True)]
        ramp = np.clip((time_s - at - 0.04) / 0.01, 0, 1) * np.clip((at + 0.2 - time_s) / 0.05, 0, 1)
        for lead, (p_mv, q_mv, r_mv, s_mv, t_mv) in SHAPES.items():
            if number in wide:
                eight[lead] += -1.3 * r_mv * bump(time_s, at, 0.08) - t_mv * bump(time_s, at + 0.3, 0.1)
                continue
            eight[lead] += p_mv * p * p_wave + t_mv * t_wave + st_mv * ramp
            eight[lead] += q_mv * qrs[0] + r_mv * qrs[1] + s_mv * qrs[2]
    one, two = eight["I"], eight["II"]
    limb = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    signal = np.stack([{**eight, **limb}[lead] for lead in LEADS])
    signal += noise_mv * np.random.default_rng(seed).standard_normal(signal.shape)
    return Record(signal, rate_hz)


def regular(rate_bpm: float, duration_s: float = 10.0, first_s: float = 0.4) -> NDArray[np.float64]:
    """Times of evenly spaced beats."""
    return np.arange(first_s, duration_s, 60.0 / rate_bpm)
