"""How disease of conduction and of the chambers changes activation, and what repolarisation makes of it.

References
----------
.. [1] Surawicz B et al. 2009, AHA/ACCF/HRS recommendations part III: intraventricular conduction. JACC 53:976.
.. [2] Hancock EW et al. 2009, part V: chamber hypertrophy. JACC 53:992.
.. [3] Surawicz B, Knilans TK. Chou's Electrocardiography in Clinical Practice, 6th ed. 2008.
.. [4] Strauss DG, Selvester RH, Wagner GS. Defining left bundle branch block in the era of cardiac
   resynchronization therapy. Am J Cardiol 2011;107:927-934 (activation from right to left takes 40 ms to reach the
   left endocardium, 50 ms more to the far wall, 50 ms through it: two notches).
.. [5] Rosenbaum MB et al. The hemiblocks. 1970 (first forces to the branch that conducts, last to the other).
.. [6] Josephson ME. Clinical Cardiac Electrophysiology, 4th ed. 2008 (where ectopic beats begin, and their axis).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from uniecg.simulate.heart import Heart, Part, vary, vector
from uniecg.simulate.plan import Floats

Pattern = Callable[[Heart, float, np.random.Generator], None]
"""Changes a heart in place, given the QRS duration in s and a source of what is drawn."""

NORMAL_QRS_S = 0.088
"""How long the ventricle takes whose bundle branch conducts."""


def _size(heart: Heart) -> float:
    """Size of this person's activation, 1 as usual."""
    return float(np.linalg.norm(sum(part.vector for part in heart.qrs.values()))) / 1.35


def _discordant(heart: Heart, share: float, st_share: float) -> None:
    """Turn ST and T against the net of activation: repolarisation then follows the same way [3]_."""
    net = sum((part.vector * (part.end - part.start) for part in heart.qrs.values()), np.zeros(3))
    heart.t = -share * net + 0.25 * heart.t
    heart.t_width = 1.3
    heart.t_early = 0.15 * heart.t
    heart.st = -st_share * net


def right_bundle_branch_block(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """The left ventricle as usual; then, slowly, the right one: to the right and the front [1]_."""
    share = min(NORMAL_QRS_S / qrs_s, 0.8)
    size = _size(heart)
    basal = heart.qrs.pop("basal")
    heart.qrs = {
        name: Part(part.vector, share * part.start, share * part.peak, share * part.end)
        for name, part in heart.qrs.items()
    }
    late = vary(rng, vector(-0.42, -0.06, -0.74), 0.10) * max(size, 0.75)
    heart.qrs["basal"] = Part(0.35 * basal.vector, 0.5 * share, 0.75 * share, share)
    heart.qrs["right ventricle"] = Part(late, 0.50 * share, 0.5 + 0.32 * share, 1.0)
    heart.t = heart.t - 0.35 * late
    heart.st = heart.st - 0.06 * late


def incomplete_right_bundle_branch_block(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """A little, late force to the right and the front: r' in V1 and V2 [1]_."""
    share = min(NORMAL_QRS_S / qrs_s, 0.8)
    heart.qrs = {
        name: Part(part.vector, share * part.start, share * part.peak, share * part.end)
        for name, part in heart.qrs.items()
    }
    basal = heart.qrs["basal"]
    heart.qrs["basal"] = Part(0.6 * basal.vector, basal.start, basal.peak, basal.end)
    late = vary(rng, vector(-0.26, -0.06, -0.30), 0.10)
    heart.qrs["right ventricle"] = Part(late, 0.72 * share, 0.81, 1.0)
    heart.t = heart.t - 0.2 * late


def left_bundle_branch_block(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """From right to left through the septum and around: no septal force, two late notches to the left [1]_ [4]_."""
    size = 1.3 * max(_size(heart), 0.8) * float(np.exp(rng.normal(0.0, 0.08)))
    heart.qrs = {
        "right ventricle": Part(size * vary(rng, vector(0.15, 0.08, -0.10)), 0.0, 0.12, 0.28),
        "septum": Part(size * vary(rng, vector(0.62, 0.48, 0.76), 0.08), 0.06, 0.31, 0.70),
        "free wall": Part(size * vary(rng, vector(0.98, -0.06, 0.70), 0.08), 0.26, 0.61, 1.0),
    }
    _discordant(heart, rng.uniform(0.19, 0.27), rng.uniform(0.06, 0.10))


def incomplete_left_bundle_branch_block(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """As the complete block, but the left branch still conducts, late [1]_."""
    t = heart.t.copy()
    left_bundle_branch_block(heart, qrs_s, rng)
    heart.t = 0.6 * heart.t + 0.35 * t
    heart.st = 0.5 * heart.st


def left_anterior_block(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """First down and to the right, then up and to the left: qR in I and aVL, rS below [1]_ [5]_."""
    if "septal" not in heart.qrs:  # the whole left bundle is blocked, or not used
        return
    size = _size(heart)
    heart.qrs |= {
        "septal": Part(size * vary(rng, vector(-0.20, 0.28, -0.16), 0.08), 0.0, 0.18, 0.40),
        "apical": Part(size * vary(rng, vector(0.50, -0.18, -0.20), 0.08), 0.16, 0.40, 0.66),
        "free wall": Part(size * vary(rng, vector(0.62, -0.78, 0.42), 0.06), 0.26, 0.55, 0.88),
        "basal": Part(size * vary(rng, vector(0.02, -0.34, 0.36), 0.08), 0.54, 0.80, 1.0),
    }
    if "right ventricle" in heart.qrs:  # with right bundle branch block: all of it in the first part
        _compress(heart, ("septal", "apical", "free wall", "basal"), min(0.095 / qrs_s, 0.82))


def left_posterior_block(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """First up and to the left, then down and to the right: rS in I and aVL, qR in III and aVF [1]_ [5]_."""
    if "septal" not in heart.qrs:  # the whole left bundle is blocked, or not used
        return
    size = _size(heart)
    heart.qrs |= {
        "septal": Part(size * vary(rng, vector(0.20, -0.24, -0.18), 0.06), 0.0, 0.18, 0.40),
        "apical": Part(size * vary(rng, vector(0.12, 0.60, -0.26), 0.06), 0.18, 0.40, 0.64),
        "free wall": Part(size * vary(rng, vector(-0.08, 1.10, 0.85), 0.05), 0.26, 0.54, 0.86),
        "basal": Part(size * vary(rng, vector(-0.50, 0.20, 0.30), 0.08), 0.52, 0.78, 1.0),
    }
    heart.t = vary(rng, vector(0.20, 0.30, -0.14), 0.1)
    if "right ventricle" in heart.qrs:
        _compress(heart, ("septal", "apical", "free wall", "basal"), min(0.095 / qrs_s, 0.82))


def _compress(heart: Heart, names: tuple[str, ...], share: float) -> None:
    for name in names:
        part = heart.qrs[name]
        heart.qrs[name] = Part(part.vector, share * part.start, share * part.peak, share * part.end)


def intraventricular_delay(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """Slow everywhere, with a notch, in the shape of neither branch [1]_."""
    if "septal" not in heart.qrs:  # a bundle branch block says it better
        return
    wall = heart.qrs["free wall"]
    heart.qrs["free wall"] = Part(0.85 * wall.vector, 0.18, 0.42, 0.72)
    heart.qrs["notch"] = Part(vary(rng, vector(0.32, 0.30, 0.30), 0.2), 0.50, 0.70, 0.92)
    heart.qrs["septal"] = Part(heart.qrs["septal"].vector, 0.0, 0.14, 0.30)


def preexcitation(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """Muscle beside the valve ring is excited first and slowly: a delta wave, then the usual way [1]_ [6]_."""
    left_sided = rng.random() < 0.6
    delta = vector(0.14, 0.30, -0.42) if left_sided else vector(0.46, 0.06, 0.10)
    if left_sided:  # the wall behind is excited first, so less of it points there later
        wall = heart.qrs["free wall"]
        heart.qrs["free wall"] = Part(
            wall.vector * np.array([1.0, 1.0, 0.2]), wall.start, wall.peak, wall.end
        )
    late = {
        name: Part(part.vector, 0.30 + 0.70 * part.start, 0.34 + 0.66 * part.peak, 0.34 + 0.66 * part.end)
        for name, part in heart.qrs.items()
        if name != "septal"
    }
    delta = vary(rng, delta, 0.12)
    heart.qrs = {"begin": Part(0.3 * delta, 0.0, 0.14, 0.42), "delta": Part(delta, 0.0, 0.46, 0.80), **late}
    heart.t = heart.t - 0.45 * delta
    heart.st = heart.st - 0.08 * delta


def paced(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """From the apex of the right ventricle: to the left, up and back, slowly; T against it [1]_."""
    size = max(_size(heart), 0.8)
    heart.qrs = {
        "apex": Part(size * vary(rng, vector(0.24, -0.48, 0.12)), 0.0, 0.16, 0.38),
        "septum": Part(size * vary(rng, vector(0.62, -0.86, 0.36), 0.08), 0.06, 0.31, 0.70),
        "free wall": Part(size * vary(rng, vector(0.40, -0.22, 0.86), 0.08), 0.28, 0.62, 1.0),
    }
    _discordant(heart, rng.uniform(0.19, 0.27), 0.07)


ECTOPIC_WAYS: tuple[Floats, ...] = (
    vector(0.25, 1.10, 0.75),  # right outflow tract: left bundle branch block shape, axis down
    vector(0.95, -0.55, 0.75),  # right apex: left bundle branch block shape, axis up
    vector(-0.85, 0.75, -0.75),  # left, anterior base: right bundle branch block shape, axis down
    vector(-0.55, -0.95, -0.70),  # left, posterior septum: right bundle branch block shape, axis up
)
"""Net direction of beats that begin in a ventricle, by where they begin [6]_."""


def ectopic(heart: Heart, rng: np.random.Generator) -> None:
    """A beat that begins in ventricular muscle: slow, of one direction, T against it [6]_."""
    way = ECTOPIC_WAYS[int(rng.choice(4, p=[0.45, 0.2, 0.2, 0.15]))]
    size = max(_size(heart), 0.8)
    side = vary(rng, 0.35 * np.array([way[1], -way[0], way[2]]), 0.2)
    heart.qrs = {
        "first": Part(size * (0.60 * vary(rng, way, 0.08) + side), 0.0, 0.20, 0.50),
        "second": Part(size * 1.25 * vary(rng, way, 0.08), 0.08, 0.38, 0.72),
        "last": Part(size * (0.55 * vary(rng, way, 0.08) - 0.7 * side), 0.36, 0.64, 1.0),
    }
    _discordant(heart, rng.uniform(0.22, 0.32), 0.08)


def left_ventricular_voltage(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """A thick wall: larger forces to the left and back [2]_."""
    wall = heart.qrs.get("free wall")
    if wall is None:
        return
    heart.scale_qrs(float(rng.uniform(1.25, 1.4)))
    heart.qrs["free wall"] = Part(
        float(rng.uniform(1.45, 1.7)) * wall.vector + vector(0.20, -0.12, 0.34),
        wall.start,
        wall.peak,
        wall.end,
    )


def left_ventricular_hypertrophy(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """The voltage, and in two of three strain: ST down and T inverted to the left [2]_."""
    left_ventricular_voltage(heart, qrs_s, rng)
    if rng.random() < 0.65:
        strain = float(rng.uniform(0.7, 1.2))
        heart.st = strain * vary(rng, vector(-0.09, -0.03, -0.08))
        heart.t = strain * vary(rng, vector(-0.24, -0.05, -0.26))
        heart.t_early = 0.2 * heart.t


def right_ventricular_hypertrophy(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """The right wall outweighs the left: to the right and the front; T against it in V1 to V3 [2]_."""
    size = max(_size(heart), 0.9)
    heart.qrs |= {
        "septal": Part(size * vary(rng, vector(0.02, -0.04, -0.16)), 0.0, 0.18, 0.40),
        "free wall": Part(size * vary(rng, vector(0.12, 0.72, 0.12), 0.08), 0.16, 0.46, 0.78),
        "right ventricle": Part(size * vary(rng, vector(-0.78, 0.38, -0.62), 0.08), 0.22, 0.56, 0.92),
        "basal": Part(size * vary(rng, vector(-0.34, -0.10, 0.10), 0.1), 0.54, 0.80, 1.0),
    }
    heart.t = vary(rng, vector(0.26, 0.12, 0.24), 0.1)
    heart.st = vary(rng, vector(0.05, 0.0, 0.05), 0.1)
    heart.t_early = 0.2 * heart.t


def septal_hypertrophy(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """A thick septum: deep, narrow Q to the left and below, tall R in V1 [2]_."""
    heart.qrs["septal"] = Part(vary(rng, vector(-0.48, -0.28, -0.45)), 0.0, 0.20, 0.40)


def left_atrial_enlargement(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """The left atrial part later, larger, to the back: P long and notched, its end in V1 down [2]_."""
    heart.p_ms = float(rng.uniform(126.0, 146.0))
    heart.left_atrium = vary(rng, vector(0.085, 0.055, 0.175), 0.06)
    heart.left_atrium_share = 0.66


def right_atrial_enlargement(heart: Heart, qrs_s: float, rng: np.random.Generator) -> None:
    """The right atrial part larger: P tall and peaked below [2]_."""
    heart.right_atrium = vary(rng, vector(0.04, 0.30, -0.10), 0.06)


def low_p(heart: Heart, factor: float) -> None:
    """Make the P wave smaller."""
    heart.right_atrium = factor * heart.right_atrium
    heart.left_atrium = factor * heart.left_atrium


def retrograde_p(heart: Heart) -> None:
    """Atria excited from below: P inverted in the inferior leads [3]_."""
    heart.right_atrium = vector(-0.01, -0.10, 0.0)
    heart.left_atrium = vector(0.02, -0.07, 0.01)


ACTIVATION: dict[str, Pattern] = {
    "LVH": left_ventricular_hypertrophy,
    "VCLVH": left_ventricular_voltage,
    "HVOLT": left_ventricular_voltage,
    "RVH": right_ventricular_hypertrophy,
    "SEHYP": septal_hypertrophy,
    "LAO/LAE": left_atrial_enlargement,
    "RAO/RAE": right_atrial_enlargement,
    "CRBBB": right_bundle_branch_block,
    "IRBBB": incomplete_right_bundle_branch_block,
    "CLBBB": left_bundle_branch_block,
    "ILBBB": incomplete_left_bundle_branch_block,
    "LAFB": left_anterior_block,
    "LPFB": left_posterior_block,
    "IVCD": intraventricular_delay,
    "ABQRS": intraventricular_delay,
    "WPW": preexcitation,
    "PACE": paced,
}
"""Statement -> what it does to a heart, in the order in which they are applied."""
