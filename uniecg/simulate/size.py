"""Axis and voltage: the heart turned and scaled until the leads show what is asked for.

References
----------
.. [1] Hancock EW et al. 2009, AHA/ACCF/HRS recommendations part V: chamber hypertrophy. JACC 53:992.
.. [2] Sokolow M, Lyon TP. Am Heart J 1949;37:161 (S in V1 plus R in V5 or V6 of 3.5 mV).
.. [3] Casale PN et al. Circulation 1987;75:565 (R in aVL plus S in V3 over 2.8 mV, in women 2.0 mV).
.. [4] Surawicz B, Knilans TK. Chou's Electrocardiography in Clinical Practice, 6th ed. 2008 (low voltage: below
   0.5 mV in every limb lead and 1.0 mV in every chest lead).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from uniecg.attributes import Sex
from uniecg.record import LEADS, derive_limb_leads
from uniecg.simulate.heart import Heart, ventricular_humps
from uniecg.simulate.lead_field import frontal_axis_deg, rotation
from uniecg.simulate.plan import Floats
from uniecg.simulate.waves import dipole

LARGE = frozenset({"LVH", "VCLVH", "RVH", "CLBBB", "ILBBB", "PACE", "WPW", "HVOLT"})
"""Where high voltage belongs to the pattern, or says nothing about the wall."""

MARGIN = 0.06
"""Room for breathing and for an error of measurement."""


def set_axis(heart: Heart, lead_field: Floats, wanted_deg: float | None = None) -> float:
    """Turn the heart in the frontal plane until the area of QRS has this axis.

    Parameters
    ----------
    heart : Heart
        Changed in place.
    lead_field : ndarray, shape (8, 3)
    wanted_deg : float, optional
        Degrees; without it nothing is turned.

    Returns
    -------
    float, degrees
        The axis it has now.
    """
    net = sum((part.vector * (part.end - part.start) for part in heart.qrs.values()), np.zeros(3))
    lead_i, lead_ii = (lead_field[:2] @ net).tolist()
    axis = frontal_axis_deg(lead_i, lead_ii)
    if wanted_deg is None:
        return axis
    angle = 0.0
    for _ in range(60):
        missing = (wanted_deg - axis + 180.0) % 360.0 - 180.0
        if abs(missing) < 0.05:
            break
        angle += 0.6 * missing  # less than the whole: the leads are not at right angles
        lead_i, lead_ii = (lead_field[:2] @ rotation(0.0, 0.0, angle) @ net).tolist()
        axis = frontal_axis_deg(lead_i, lead_ii)
    heart.turn(rotation(0.0, 0.0, angle), 0.5)
    return axis


def set_voltage(heart: Heart, lead_field: Floats, qrs_s: float, codes: Collection[str], sex: Sex) -> None:
    """Scale QRS to the voltage that the statements name, or keep it below that of hypertrophy.

    Parameters
    ----------
    heart : Heart
        Changed in place.
    lead_field : ndarray, shape (8, 3)
    qrs_s : float, s
    codes : collection of str
    sex : {"female", "male"}
    """
    qrs, _ = ventricular_humps(heart, qrs_s, 0.4)
    leads = derive_limb_leads(lead_field) @ dipole(qrs, np.arange(0.0, qrs_s, 0.002))
    tall, deep = (dict(zip(LEADS, values.tolist(), strict=True)) for values in (leads.max(1), -leads.min(1)))
    cornell_mv = 2.0 if sex == "female" else 2.8
    # Each as a share of its limit: 1 and more is hypertrophy [1]_ [2]_ [3]_.
    excess = max(
        (deep["V1"] + max(tall["V5"], tall["V6"])) / 3.5,
        (tall["aVL"] + deep["V3"]) / cornell_mv,
        tall["aVL"] / 1.1,
    )
    if "LVOLT" in codes:
        sizes = [tall[lead] + deep[lead] for lead in LEADS]
        heart.scale_qrs(min((0.5 - MARGIN) / max(sizes[:6]), (1.0 - 2.0 * MARGIN) / max(sizes[6:]), 1.0))
        heart.t = 0.6 * heart.t
    elif set(codes) & {"LVH", "VCLVH", "HVOLT"}:
        if excess < 1.0 + MARGIN:
            heart.scale_qrs((1.0 + MARGIN) / excess)
    elif excess > 1.0 - MARGIN and not set(codes) & LARGE:
        heart.scale_qrs((1.0 - MARGIN) / excess)
