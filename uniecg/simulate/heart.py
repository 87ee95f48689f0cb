"""The normal heart: how the dipoles of atria and ventricles grow, turn and fade, and how people differ.

References
----------
.. [1] Durrer D et al. Total excitation of the isolated human heart. Circulation 1970;41:899-912 (septum from left to
   right in the first 20 ms, then apex and free walls, the base last).
.. [2] Surawicz B, Knilans TK. Chou's Electrocardiography in Clinical Practice, 6th ed. 2008, chapter 1 (size and
   direction of P, QRS and T vectors: a frontal axis of P of 0 to 75 degrees; T follows QRS; the ST junction in young
   men lies higher).
.. [3] Rijnbeek PR et al. Normal values of the electrocardiogram for ages 16-90 years. J Electrocardiol
   2014;47:914-921 (voltages fall and the axis turns left with age; women have lower voltages and T waves).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from uniecg.attributes import Sex
from uniecg.simulate.plan import Floats
from uniecg.simulate.timeline import P_ONSET_TO_PEAK_S, T_PEAK_TO_END_S
from uniecg.simulate.waves import Hump, soft_hump


def vector(left: float, down: float, back: float) -> Floats:
    """A dipole in mV: to the left, to the feet, to the back."""
    return np.array([left, down, back], dtype=np.float64)


U_BEHIND_T_S, U_RISE_S, U_FALL_S = 0.05, 0.09, 0.11
"""A U wave begins where T ends and merges with it (Surawicz & Knilans 2008)."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part of ventricular activation; times are shares of the QRS duration.

    Parameters
    ----------
    vector : ndarray, shape (3,), mV
    start, peak, end : float
        Between 0 (onset) and 1 (J point).
    """

    vector: Floats
    start: float
    peak: float
    end: float

    def scaled(self, factor: float) -> Part:
        """The same part, larger or smaller."""
        return replace(self, vector=factor * self.vector)


@dataclass
class Heart:
    """Shape of one person's beats, before it is known how long each wave lasts.

    Attributes
    ----------
    qrs : dict of str to Part
        Parts of ventricular activation by name.
    st : ndarray, shape (3,), mV
        Dipole of the ST segment: injury, or repolarisation that follows abnormal activation.
    t : ndarray, shape (3,), mV
        Dipole at the peak of T.
    t_early : ndarray, shape (3,), mV
        Smaller dipole before it: the T loop is no line.
    t_width : float
        Width of T, 1 as usual; below 1 narrow (tented).
    j_wave : ndarray, shape (3,), mV
        Notch at the J point.
    u : ndarray, shape (3,), mV
        U wave, behind T: zero as a rule.
    right_atrium, left_atrium : ndarray, shape (3,), mV
    p_ms : float, ms
    left_atrium_share : float
        When the left atrial part peaks, as a share of the P wave.
    t_symmetric : bool
        T rises as fast as it falls: tented, or deeply inverted.
    ta : float
        Atrial repolarisation against the P wave: PR segment deviation as a share of P.
    """

    qrs: dict[str, Part]
    st: Floats
    t: Floats
    t_early: Floats
    right_atrium: Floats
    left_atrium: Floats
    p_ms: float
    left_atrium_share: float = 0.62
    t_width: float = 1.0
    t_symmetric: bool = False
    ta: float = 0.0
    j_wave: Floats = field(default_factory=lambda: np.zeros(3))
    u: Floats = field(default_factory=lambda: np.zeros(3))

    def scale_qrs(self, factor: float) -> None:
        """Make the whole QRS complex larger or smaller."""
        self.qrs = {name: part.scaled(factor) for name, part in self.qrs.items()}

    def turn(self, matrix: Floats, t_share: float = 1.0) -> None:
        """Turn activation, and repolarisation by a share of the way.

        Parameters
        ----------
        matrix : ndarray, shape (3, 3)
        t_share : float
        """
        self.qrs = {name: replace(part, vector=matrix @ part.vector) for name, part in self.qrs.items()}
        for name in ("st", "t", "t_early"):
            old = getattr(self, name)
            setattr(self, name, old + t_share * (matrix @ old - old))


def vary(rng: np.random.Generator, value: Floats, share: float = 0.12) -> Floats:
    """A vector near this one: size by `share`, direction by half of it."""
    size = float(np.linalg.norm(value))
    spread = np.clip(rng.normal(size=4), -2.0, 2.0)
    return np.asarray(value * np.exp(share * spread[3]) + 0.5 * share * size * spread[:3])


def normal_heart(rng: np.random.Generator, age: float, sex: Sex) -> Heart:
    """Draw a healthy heart [1]_ [2]_ of this age and sex [3]_.

    Parameters
    ----------
    rng : numpy.random.Generator
    age : float, years
    sex : {"female", "male"}
    """
    male, years = sex == "male", float(np.clip(age, 16.0, 90.0)) - 50.0
    size = (1.0 if male else 0.87) * (1.0 - 0.003 * years)
    heart = Heart(
        qrs={
            "septal": Part(vary(rng, vector(-0.15, -0.01, -0.20)), 0.0, 0.20, 0.42),
            "apical": Part(vary(rng, vector(0.44, 0.34, -0.36)), 0.10, 0.36, 0.62),
            "free wall": Part(vary(rng, vector(1.0, 0.62, 0.62)), 0.22, 0.50, 0.86),
            "basal": Part(vary(rng, vector(-0.18, -0.14, 0.40)), 0.46, 0.74, 1.0),
        },
        st=vary(rng, vector(0.02, 0.015, -0.025 - 0.01 * male), 0.3),
        t=vary(rng, vector(0.30, 0.24, -0.16 - 0.06 * male), 0.15),
        t_early=vary(rng, vector(0.05, 0.04, -0.05), 0.3),
        right_atrium=vary(rng, vector(0.046, 0.058, -0.046), 0.15),
        left_atrium=vary(rng, vector(0.082, 0.034, 0.012), 0.15),
        p_ms=float(np.clip(rng.normal(106.0, 6.0), 92.0, 116.0)),
    )
    heart.scale_qrs(size * float(np.exp(np.clip(rng.normal(0.0, 0.10), -0.2, 0.2))))
    heart.t *= (1.0 if male else 0.85) * (1.0 - 0.004 * years)
    # The axis turns left by some 5 degrees in ten years.
    angle = np.radians(float(np.clip(-0.45 * years, -16.0, 16.0)))
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]]
    )
    heart.turn(turn, 0.5)
    return heart


def ventricular_humps(heart: Heart, qrs_s: float, qt_s: float) -> tuple[list[Hump], list[Hump]]:
    """Activation and repolarisation of one beat; times count from the onset of QRS.

    Parameters
    ----------
    heart : Heart
    qrs_s, qt_s : float, s

    Returns
    -------
    qrs, st_t : list of Hump
    """
    qrs = [
        Hump(
            part.vector,
            part.peak * qrs_s,
            (part.peak - part.start) * qrs_s,
            (part.end - part.peak) * qrs_s,
        )
        for part in heart.qrs.values()
    ]
    fall_s = T_PEAK_TO_END_S * heart.t_width
    peak_s = qt_s - fall_s
    room_s = max(peak_s - qrs_s, 0.06)
    rise_s = min(0.78 * room_s, 0.16 * heart.t_width)
    if heart.t_symmetric:
        rise_s = min(rise_s, 1.1 * fall_s)
    # The ST level grows under the end of QRS and fades under T.
    foot_s = min(0.3 * qrs_s, 0.03)
    hold_s = max(0.55 * room_s, 0.02)
    st_t = [
        Hump(heart.st, qrs_s, foot_s, max(qt_s - qrs_s - hold_s, 0.04), hold_s),
        soft_hump(heart.t, peak_s, rise_s, fall_s),
        soft_hump(heart.t_early, peak_s - 0.35 * rise_s, 0.5 * rise_s, 0.5 * rise_s),
    ]
    if heart.j_wave.any():
        qrs.append(Hump(heart.j_wave, qrs_s - 0.012, 0.014, 0.012))
    if heart.u.any():
        st_t.append(Hump(heart.u, qt_s + U_BEHIND_T_S, U_RISE_S, U_FALL_S))  # not soft: QT ends with T
    return qrs, st_t


def atrial_humps(heart: Heart, pr_s: float) -> list[Hump]:
    """P wave; times count from its onset. Its first peak keeps the place that a rhythm plan gives it.

    Parameters
    ----------
    heart : Heart
    pr_s : float, s
        A P wave does not outlast it.
    """
    p_s = min(heart.p_ms / 1000.0, max(pr_s - 0.012, 0.05))
    right_s = min(P_ONSET_TO_PEAK_S, 0.45 * p_s)
    left_s = heart.left_atrium_share * p_s
    humps = [
        soft_hump(heart.right_atrium, right_s, right_s, right_s),
        soft_hump(heart.left_atrium, left_s, min(left_s - 0.012, p_s - left_s + 0.02), p_s - left_s),
    ]
    if heart.ta:
        # Atrial repolarisation: from the end of P into the QRS complex.
        down = -heart.ta * (heart.right_atrium + heart.left_atrium)
        humps.append(Hump(down, p_s, 0.5 * p_s, 0.12, max(pr_s - p_s, 0.0)))
    return humps
