"""Infarction, ischaemia and everything else that moves Q waves, the ST segment and T.

References
----------
.. [1] Thygesen K et al. 2018, fourth universal definition of myocardial infarction. JACC 72:2231.
.. [2] Wagner GS et al. 2009, AHA/ACCF/HRS recommendations part VI: acute ischaemia and infarction. JACC 53:1003
   (the ST vector points to the injured wall, reciprocal leads show its mirror image).
.. [3] Surawicz B, Knilans TK. Chou's Electrocardiography in Clinical Practice, 6th ed. 2008 (evolution of
   infarction; hyperkalaemia; digitalis; pericarditis).
.. [4] Adler Y et al. 2015, ESC guidelines on pericardial diseases. Eur Heart J 36:2921.
.. [5] Macfarlane PW et al. The early repolarization pattern: a consensus paper. JACC 2015;66:470.
.. [6] Selvester RH, Wagner GS, Hindman NB. The Selvester QRS scoring system for estimating myocardial infarct size.
   Arch Intern Med 1985;145:1877 (an infarct takes away the forces of its wall).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from uniecg.simulate.heart import Heart, Part, vary, vector
from uniecg.simulate.patterns import Pattern, low_p
from uniecg.simulate.plan import Floats

WALLS: dict[str, Floats] = {
    "inferior": vector(-0.05, 1.0, 0.15),
    "anterior": vector(0.30, 0.10, -0.95),
    "septal": vector(-0.25, 0.0, -0.97),
    "lateral": vector(0.97, -0.24, 0.06),
    "posterior": vector(0.0, 0.05, 1.0),
}
"""Wall -> direction from the middle of the heart to it."""

INFARCTS: dict[str, tuple[str, ...]] = {
    "IMI": ("inferior",),
    "AMI": ("anterior",),
    "ASMI": ("septal", "anterior"),
    "ALMI": ("anterior", "lateral"),
    "LMI": ("lateral",),
    "ILMI": ("inferior", "lateral"),
    "IPMI": ("inferior", "posterior"),
    "IPLMI": ("inferior", "posterior", "lateral"),
    "PMI": ("posterior",),
}
"""Statement of an old infarction -> walls."""

ISCHAEMIA: dict[str, tuple[str, ...]] = {
    "ISCAN": ("anterior",),
    "ISCAS": ("septal", "anterior"),
    "ISCAL": ("anterior", "lateral"),
    "ISCLA": ("lateral",),
    "ISCIN": ("inferior",),
    "ISCIL": ("inferior", "lateral"),
}
INJURY: dict[str, tuple[str, ...]] = {
    "INJAS": ("septal", "anterior"),
    "INJAL": ("anterior", "lateral"),
    "INJLA": ("lateral",),
    "INJIN": ("inferior",),
    "INJIL": ("inferior", "lateral"),
}


def _direction(walls: tuple[str, ...]) -> Floats:
    total = sum((WALLS[wall] for wall in walls), np.zeros(3))
    return np.asarray(total / np.linalg.norm(total))


def old_infarct(*walls: str) -> Pattern:
    """Return the pattern of a scar: its wall gives no force, so the first ones point away from it [6]_."""

    def pattern(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
        way = _direction(tuple(wall for wall in walls if wall != "posterior") or walls)
        for wall in walls:
            _silence(heart, WALLS[wall] / np.linalg.norm(WALLS[wall]), 0.5 if walls == ("lateral",) else 0.75)
        if walls == ("posterior",):  # no Q in the twelve leads: what is lost behind is gained in front
            _mirror(heart, rng)
        else:
            width = rng.uniform(0.044, 0.056) / qrs_s
            q = -float(rng.uniform(0.56, 0.70)) * (1.6 if len(walls) > 1 else 1.0) * vary(rng, way, 0.08)
            heart.qrs["septal"] = Part(q, 0.0, 0.45 * width, width + 0.12)
            if "posterior" in walls:
                _mirror(heart, rng)
        if rng.random() < 0.5:
            heart.t = heart.t - (float(heart.t @ way) + rng.uniform(0.12, 0.28)) * way
        if walls == ("posterior",):
            heart.t = heart.t + vector(0.0, 0.0, -0.18)

    return pattern


def _silence(heart: Heart, way: Floats, share: float) -> None:
    """Take away a share of what points to a wall, early parts more than late ones, and let them begin later."""
    for name, part in heart.qrs.items():
        towards = float(part.vector @ way)
        early = 1.0 if part.peak < 0.45 else 0.6 if part.peak < 0.7 else 0.2
        lost = share * early * max(towards, 0.0)
        heart.qrs[name] = replace(part, vector=part.vector - lost * way)


def _mirror(heart: Heart, rng: np.random.Generator) -> None:
    for name, anterior in (("apical", -0.30), ("free wall", -0.58), ("basal", -0.30)):
        if name in heart.qrs:
            part = heart.qrs[name]
            kept = part.vector * np.array([0.8, 1.0, 0.25])
            heart.qrs[name] = replace(part, vector=kept + vary(rng, vector(0.0, 0.0, anterior), 0.08))


def acute_infarct(*walls: str) -> Pattern:
    """Return the pattern of an occlusion: ST and T point to the wall, the others mirror it [1]_ [2]_."""

    def pattern(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
        way = _direction(walls)
        # The posterior wall is far from every electrode and seen as depression in front.
        strength = float(rng.uniform(0.24, 0.42)) * (0.7 if walls == ("posterior",) else 1.0)
        heart.st = strength * vary(rng, way, 0.08)
        if walls == ("posterior",):
            heart.t = heart.t + vector(0.0, 0.0, -0.22)
        else:
            heart.t = heart.t + 1.0 * strength * way
        heart.t_early = 0.5 * strength * way
        if rng.random() < 0.3 and walls != ("posterior",):
            _silence(heart, way, 0.5)

    return pattern


def ischaemia(*walls: str) -> Pattern:
    """Return the pattern of ischaemia of the inner layer: ST down, or T inverted and symmetric [2]_."""

    def pattern(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
        way = _seen(walls)
        if rng.random() < 0.5:
            heart.st = -float(rng.uniform(0.11, 0.17)) * vary(rng, way, 0.08)
            heart.t = 0.6 * (heart.t - 0.5 * max(float(heart.t @ way), 0.0) * way)
        else:
            depth = float(rng.uniform(0.26, 0.42))
            heart.t = heart.t - (float(heart.t @ way) + depth) * way
            heart.st = -0.065 * way
            heart.t_early = np.zeros(3)
            heart.t_width = 1.2
            heart.t_symmetric = True

    return pattern


def _seen(walls: tuple[str, ...]) -> Floats:
    """Direction to the walls; the anterior ones as the middle chest leads see them."""
    if walls == ("septal", "anterior"):
        return np.asarray(vector(0.18, 0.08, -0.96) / np.linalg.norm([0.18, 0.08, 0.96]))
    if walls == ("anterior",):
        return np.asarray(vector(0.42, 0.12, -0.90) / np.linalg.norm([0.42, 0.12, 0.90]))
    return _direction(walls)


def injury(*walls: str) -> Pattern:
    """Return the pattern of injury of the inner layer: ST clearly down [2]_."""

    def pattern(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
        way = _seen(walls)
        heart.st = -float(rng.uniform(0.20, 0.28)) * vary(rng, way, 0.06)
        heart.t = 0.5 * (heart.t - 0.5 * max(float(heart.t @ way), 0.0) * way)

    return pattern


def pericarditis(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """Injury of the whole surface: ST up nearly everywhere, PR down, T no larger than usual [4]_."""
    heart.st = float(rng.uniform(0.9, 1.3)) * vary(rng, vector(0.165, 0.13, -0.075), 0.06)
    heart.t = 0.55 * heart.t
    heart.ta = 0.25


def early_repolarisation(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """J point up to the left and below with a slur, rising ST, tall T [5]_."""
    heart.st = float(rng.uniform(0.9, 1.15)) * vary(rng, vector(0.07, 0.13, -0.05), 0.05)
    heart.j_wave = vary(rng, vector(0.07, 0.07, 0.0), 0.1)
    heart.t = 1.9 * heart.t + vector(0.12, 0.0, 0.0)
    heart.t_early = 1.5 * heart.t_early


def hyperkalaemia(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """T tall, narrow and pointed; P low [3]_."""
    heart.t = float(rng.uniform(2.3, 2.8)) * heart.t
    heart.t_early = np.zeros(3)
    heart.t_width = 0.95
    heart.t_symmetric = True
    low_p(heart, float(rng.uniform(0.5, 0.75)))


def hypokalaemia(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """ST sags, T is low and runs into a U wave that is larger, most of all in V2 to V4 [3]_."""
    heart.st = vary(rng, vector(-0.08, -0.06, 0.02), 0.1)
    heart.t = 0.3 * heart.t
    heart.t_width = 1.3
    heart.u = vary(rng, vector(0.13, 0.10, -0.14), 0.15)


def digitalis(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """ST sags like a scoop where R is tall, T low [3]_."""
    heart.st = vary(rng, vector(-0.11, -0.09, -0.02), 0.1)
    heart.t = 0.35 * heart.t
    heart.t_early = 0.6 * heart.st


def low_t(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """T almost flat, ST level."""
    heart.t = 0.12 * heart.t
    heart.t_early = 0.3 * heart.t
    heart.st = 0.3 * heart.st


def some_t_change(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """T a little too low or a little inverted to the left."""
    heart.t = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.18, 0.35)) * heart.t
    heart.t_early = 0.2 * heart.t


def inverted_t(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """T inverted to the left or below, or both."""
    ischaemic_t = (("lateral",), ("inferior", "lateral"))[int(rng.random() < 0.6)]
    way = _direction(ischaemic_t)
    heart.t = heart.t - (float(heart.t @ way) + float(rng.uniform(0.28, 0.38))) * way
    heart.t_early = np.zeros(3)
    heart.st = 0.3 * heart.st


def st_down(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """ST down to the left and below."""
    injury(*(("lateral",), ("inferior", "lateral"))[int(rng.random() < 0.5)])(heart, qrs_s, rng)


def st_up(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """ST up in one territory."""
    acute_infarct(str(rng.choice(["inferior", "anterior", "lateral"])))(heart, qrs_s, rng)


def some_st_change(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """ST a little down."""
    heart.st = -float(rng.uniform(0.03, 0.06)) * _direction(("inferior", "lateral"))


def some_q(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """Q waves of one territory."""
    old_infarct(str(rng.choice(["inferior", "lateral"])))(heart, qrs_s, rng)


def some_ischaemia(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """Ischaemia of one wall."""
    ischaemia(str(rng.choice(["inferior", "anterior", "lateral"])))(heart, qrs_s, rng)


def aneurysm(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """Scar of the anterior wall over which ST stays up."""
    old_infarct("septal", "anterior")(heart, qrs_s, rng)
    heart.st = float(rng.uniform(0.18, 0.26)) * _direction(("anterior",))
    heart.t = heart.t - 0.1 * _direction(("anterior",))


def short_qt(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """T tall and narrow, hardly any ST."""
    heart.t = 1.5 * heart.t
    heart.t_width = 0.85
    heart.st = 0.2 * heart.st


REPOLARISATION: dict[str, Pattern] = {
    "PERICARDITIS": pericarditis,
    "EARLY REPOLARISATION": early_repolarisation,
    "SHQT": short_qt,
    "HYPERK": hyperkalaemia,
    "HYPOK": hypokalaemia,
    "EL": hyperkalaemia,
    "DIG": digitalis,
    "LOWT": low_t,
    "NT_": some_t_change,
    "NDT": some_t_change,
    "TAB_": some_t_change,
    "NST_": some_st_change,
    "INVT": inverted_t,
    "STD_": st_down,
    "STE_": st_up,
    "ISC_": some_ischaemia,
    **{code: ischaemia(*walls) for code, walls in ISCHAEMIA.items()},
    **{code: injury(*walls) for code, walls in INJURY.items()},
    "QWAVE": some_q,
    "ANEUR": aneurysm,
    **{code: old_infarct(*walls) for code, walls in INFARCTS.items()},
    **{f"STEMI {wall}": acute_infarct(wall) for wall in ("anterior", "inferior", "lateral", "posterior")},
}
"""Statement -> what it does to a heart whose activation is set, in the order in which they are applied."""
