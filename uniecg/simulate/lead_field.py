"""From the heart's dipole to the leads: the lead field of one person, and electrodes in each other's place.

References
----------
.. [1] Dower GE, Machado HB, Osborne JA. On deriving the electrocardiogram from vectorcardiographic leads. Clin
   Cardiol 1980;3:87-95 (the eight leads as weights on Frank's X, Y, Z).
.. [2] Schijvenaars BJA et al. Intraindividual variability in electrocardiograms. J Electrocardiol 2008;41:190-196
   (position of heart and electrodes as the main source of differences).
.. [3] Batchvarov VN et al. Incorrect electrode cable connection during electrocardiographic recording. Europace
   2007;9:1081-1090 (what each interchange does to the leads).
"""

from __future__ import annotations

import numpy as np

from uniecg.simulate.plan import Floats

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

DOWER: Floats = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
"""Leads I, II, V1 to V6 as weights on X, Y, Z [1]_."""

ROTATION_SD_DEG = (5.0, 6.0, 9.0)
"""Position of the heart: about the axes X (tilt), Y (clockwise and counter-clockwise), Z (vertical to horizontal)."""

GAIN_SD = 0.08
"""Distance of the chest electrodes from the heart, as the spread of the logarithm of their gain."""

REVERSALS: dict[str, Floats] = {}
"""Name of an interchange of electrodes -> what it makes of the eight leads, as a matrix."""


def _reversal(limb: list[list[float]], chest: tuple[int, int] | None = None) -> Floats:
    matrix = np.eye(8)
    matrix[:2, :2] = limb
    if chest is not None:
        matrix[list(chest)] = matrix[list(chest[::-1])]
    return matrix


REVERSALS["LA/RA"] = _reversal([[-1.0, 0.0], [-1.0, 1.0]])  # I turns over, II becomes III
REVERSALS["LA/LL"] = _reversal([[0.0, 1.0], [1.0, 0.0]])  # I and II change places
REVERSALS["RA/LL"] = _reversal([[1.0, -1.0], [0.0, -1.0]])  # I becomes -III, II turns over
REVERSALS["V1/V2"] = _reversal([[1.0, 0.0], [0.0, 1.0]], (2, 3))
REVERSALS["V2/V3"] = _reversal([[1.0, 0.0], [0.0, 1.0]], (3, 4))


def rotation(x_deg: float, y_deg: float, z_deg: float) -> Floats:
    """Return the rotation about X, then Y, then Z; positive about Z turns the frontal axis clockwise (rightward).

    Parameters
    ----------
    x_deg, y_deg, z_deg : float, degrees

    Returns
    -------
    ndarray, shape (3, 3)
    """
    (cx, cy, cz), (sx, sy, sz) = (f(np.radians([x_deg, y_deg, z_deg])) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def draw_lead_field(rng: np.random.Generator) -> Floats:
    """Draw the lead field of one person: how the heart lies [2]_ and how far the electrodes are from it.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (8, 3)
        Rows as in `EIGHT`.
    """
    turn = rotation(*(np.clip(rng.normal(size=3), -2.0, 2.0) * ROTATION_SD_DEG))
    gain = np.exp(GAIN_SD * np.clip(rng.normal(size=8), -2.0, 2.0))
    gain[:2] = 1.0
    return np.asarray(gain[:, None] * DOWER @ turn)


def frontal_axis_deg(lead_i: float, lead_ii: float) -> float:
    """Frontal axis of a vector from its projections on I and II, degrees.

    Parameters
    ----------
    lead_i, lead_ii : float
        Net area in both leads, same unit.

    References
    ----------
    As `uniecg.signal.lead_waves.axis_deg`, with aVF = II - I / 2.
    """
    return float(np.degrees(np.arctan2((lead_ii - 0.5 * lead_i) * 2.0 / np.sqrt(3.0), lead_i)))
