"""Named findings that the table of `uniecg.signal.criteria` and the evaluation are made of; sources as listed there."""

from __future__ import annotations

from collections.abc import Callable

from uniecg.signal.quantities import ANTERIOR, INFERIOR, LATERAL
from uniecg.signal.rules import (
    Criterion,
    Every,
    OfPerson,
    Rule,
    Some,
    Unless,
    Unmeasured,
    Within,
    all_of,
    any_of,
    in_leads,
)

TERRITORIES = {"anterior": ANTERIOR, "inferior": INFERIOR, "lateral": LATERAL}
LIMB_LATERAL = ("I", "aVL")
SMALLEST_WAVE_MV = 0.02
"""Two hundredths of a millivolt make a wave (CSE Working Party 1985)."""


# Shapes: what one lead has to show.
def q_r(lead: str) -> Rule:
    """Q wave, then an R larger than Q and S."""
    return Every(
        (Within("q_mv", high=-SMALLEST_WAVE_MV, lead=lead), Within("negative_share", high=0.5, lead=lead))
    )


def r_s(lead: str) -> Rule:
    """R without a Q before it, then an S larger than R."""
    return Every(
        (
            Within("q_mv", low=-SMALLEST_WAVE_MV, lead=lead),
            Within("r_mv", low=SMALLEST_WAVE_MV, lead=lead),
            Within("negative_share", low=0.5, lead=lead),
        )
    )


def pure_r(lead: str) -> Rule:
    """R without a Q, and at most a small S (a quarter of the complex)."""
    return Every(
        (Within("q_mv", low=-SMALLEST_WAVE_MV, lead=lead), Within("negative_share", high=0.25, lead=lead))
    )


def late_r(lead: str) -> Rule:
    """Pure R whose peak comes later than 60 ms."""
    return Every((pure_r(lead), Within("r_peak_ms", low=60.1, lead=lead)))


def r_s_r(lead: str) -> Rule:
    """Second R wave that stands out of the ST segment."""
    return Within("second_r_mv", low=0.05, lead=lead)


def slurred_s(lead: str) -> Rule:
    """S behind an R, longer than it or than 40 ms."""
    return Some(
        (
            Within("s_r_ms_ratio", low=1.0001, lead=lead),
            Every((_has_r(lead), Within("s_ms", low=41.0, lead=lead))),
        )
    )


def _has_r(lead: str) -> Rule:
    return Within("r_mv", low=SMALLEST_WAVE_MV, lead=lead)


def _qs(lead: str) -> Rule:
    """QS complex, or a deep S behind an r below 0.1 mV and a fifth of it (Minnesota code 1-2)."""
    tiny = (Within("r_mv", high=0.1, lead=lead), Within("r_before_s_ratio", high=0.2, lead=lead))
    return Some(
        (Within("q_r_ratio", low=5.0, lead=lead), Every((*tiny, Within("s_mv", high=-0.3, lead=lead))))
    )


def anterior_q(lead: str) -> Rule:
    """QS complex, or Q over 30 ms and 0.075 mV."""
    wide = (Within("q_ms", low=30.1, lead=lead), Within("q_mv", high=-0.075, lead=lead))
    return Some((_qs(lead), Every(wide)))


def deep_q(lead: str) -> Rule:
    """QS complex, or Q over 30 ms and a fifth of R."""
    wide = (Within("q_ms", low=30.1, lead=lead), Within("q_r_ratio", low=0.2, lead=lead))
    return Some((_qs(lead), Every(wide)))


def st_up(lead: str) -> Rule:
    """J point 0.1 mV up; in V2 and V3 0.25 mV, in men from 40 years on 0.2, in women 0.15 (Thygesen et al. 2018)."""
    if lead not in ("V2", "V3"):
        return Within("j_mv", low=0.1, lead=lead)
    return Some(
        (
            Within("j_mv", low=0.25, lead=lead),
            Every((Within("j_mv", low=0.2, lead=lead), OfPerson(min_age=40))),
            Every((Within("j_mv", low=0.15, lead=lead), OfPerson(sex="female"))),
        )
    )


def j_above(limit_mv: float) -> Callable[[str], Rule]:
    """J point at or above a level."""
    return lambda lead: Within("j_mv", low=limit_mv, lead=lead)


def st_down(limit_mv: float) -> Callable[[str], Rule]:
    """J point and the level 60 ms later at or below a level: a horizontal or falling depression."""
    return lambda lead: Every(
        (Within("j_mv", high=-limit_mv, lead=lead), Within("st_mv", high=-limit_mv, lead=lead))
    )


def t_inverted(lead: str) -> Rule:
    """T 0.1 mV or deeper where R is larger than S."""
    return Every((Within("t_mv", high=-0.1, lead=lead), Within("negative_share", high=0.5, lead=lead)))


def strain(lead: str) -> Rule:
    """ST depression with an inverted T."""
    return Every((Within("j_mv", high=-0.05, lead=lead), Within("t_mv", high=-0.1, lead=lead)))


# Rhythm and atrioventricular conduction.
HAS_P = Criterion("P waves before the QRS complexes", Within("p_fraction", low=0.7), "C")
NO_P = Criterion("no P waves", Within("p_fraction", high=0.6), "C")
IRREGULAR = Criterion("RR changes from beat to beat", Within("rr_irregularity", low=0.04), "G")
STEADY = Criterion("RR within 6 % of its mean", Within("rr_cv", high=0.06), "C")
UNEVEN = Criterion("RR differs by 160 ms", Within("rr_range_ms", low=160.0), "C")
NOT_PACED = Criterion("no pacing spikes", Within("paced_fraction", high=0.5), "C")
SLOW = Criterion("rate below 60/min", Within("heart_rate_bpm", high=60.0), "C")
FAST = Criterion("rate of 100/min or more", Within("heart_rate_bpm", low=100.0), "C")
UNTIED_P = Criterion("most QRS complexes without a P wave before them", Within("p_fraction", high=0.5), "A")
FASTER_P = Criterion("P waves faster than the QRS complexes", Within("av_ratio", low=1.1), "A")
BLOCKED_P = Criterion("a P wave without a QRS complex", Unmeasured(), "A")
NO_BLOCKED_P = Criterion("no blocked P wave", Within("blocked_p_count", high=1), "A")
DROPPED_BEAT = Criterion(
    "a pause of 1.5 cycles, not behind an early beat", Within("dropped_count", low=1), "A"
)
LONG_PR = Criterion("PR over 200 ms", Within("pr_ms", low=200.1), "A")
PREMATURE = Criterion("early beats", Some((Within("pac_count", low=1), Within("pvc_count", low=1))), "C")
FIBRILLATION = Criterion(
    "no regularity, and no P waves or too fast to tell them",
    Some(
        (
            Every((NO_P, IRREGULAR)),
            # At such rates the end of T passes for a P wave. Limits from PTB-XL `train`: of 51 sinus tachycardias
            # one is that irregular, of 15 fibrillations at such rates all.
            Every((Within("rr_irregularity", low=0.1), Within("heart_rate_bpm", low=105.0))),
            Every((Within("rr_irregularity", low=0.045), Within("heart_rate_bpm", low=130.0))),
        )
    ),
    "G",
)
FLUTTER_WAVES = Criterion(
    "regular atrial activity of 230 to 340/min",
    Some(
        (
            Every((Within("atrial_regularity", low=0.5), Within("atrial_rate_bpm", 240.0, 340.0), NO_P)),
            # P waves repeat at multiples of the sinus rate: in PTB-XL `train` none reaches 0.7.
            Every((Within("atrial_regularity", low=0.7), Within("atrial_rate_bpm", 230.0, 340.0))),
        )
    ),
    "C",
)
TWO_TO_ONE_FLUTTER = Criterion(
    "regular tachycardia at half the rate of flutter waves",
    Some(
        (
            Every(
                (
                    Within("atrial_regularity", low=0.5),
                    Within("atrial_rate_bpm", 240.0, 340.0),
                    Within("heart_rate_bpm", 127.0, 165.0),
                )
            ),
            Every(
                (
                    Within("heart_rate_bpm", 140.0, 170.0),
                    Within("rr_irregularity", high=0.03),
                    Within("atrial_regularity", low=0.25),
                    Within("atrial_rate_bpm", 270.0, 345.0),
                )
            ),
        )
    ),
    "C",
)
PACED = Criterion(
    "pacing spikes, or wide QRS complexes without P as even as a pacemaker's",
    Some(
        (
            Within("paced_fraction", low=0.5),
            # Spikes are lost at 100 Hz. No sinus node and no fibrillation in PTB-XL `train` is that even.
            Every(
                (
                    Within("p_fraction", high=0.1),
                    Within("rr_cv", high=0.003),
                    Within("qrs_ms", low=120.0),
                    Within("heart_rate_bpm", 55.0, 100.0),
                )
            ),
        )
    ),
    "C",
)

# Ventricular conduction.
NARROW = Criterion("QRS below 120 ms", Within("qrs_ms", high=120.0), "S")
WIDE = Criterion("QRS of 120 ms or more", Within("qrs_ms", low=120.0), "S")
LEFT_AXIS = Criterion("axis of -90 to -30 degrees", Within("qrs_axis_deg", -90.0, -30.0), "S")
RIGHT_AXIS = Criterion("axis of 90 to 180 degrees", Within("qrs_axis_deg", 90.0, 180.1), "S")
DOMINANT_S = Criterion(
    "dominant S in V1 and V2",
    in_leads(lambda lead: Within("negative_share", low=0.5, lead=lead), ("V1", "V2"), 2),
    "S",
)
PURE_R_LATERAL = Criterion("R without Q in two of I, aVL, V6", in_leads(pure_r, ("I", "aVL", "V6"), 2), "S")
LATE_R = Criterion("R peak later than 60 ms in V5 or V6", in_leads(late_r, ("V5", "V6")), "S")
NOTCHED_R = Criterion("notched R in I, aVL, V5 or V6", Unmeasured(), "S")
R_S_R = Criterion("R' in V1 or V2", in_leads(r_s_r, ("V1", "V2")), "S")
BROAD_R_V1 = Criterion(
    "broad R or qR in V1",
    Some(
        (
            q_r("V1"),
            Every((Within("r_ms", low=120.0, lead="V1"), Within("r_peak_ms", low=55.0, lead="V1"))),
        )
    ),
    "S",
)
SLURRED_S = Criterion("slurred S in two of I, aVL, V5, V6", in_leads(slurred_s, LATERAL, 2), "S")
QR_LATERAL = Criterion("qR in I or aVL", in_leads(q_r, LIMB_LATERAL), "S")
RS_LATERAL = Criterion("rS in I or aVL", in_leads(r_s, LIMB_LATERAL), "S")
QR_INFERIOR = Criterion("qR in II, III or aVF", in_leads(q_r, INFERIOR), "S")
RS_INFERIOR = Criterion("rS in II, III or aVF", in_leads(r_s, INFERIOR), "S")
SMALL_R_PRIME = Criterion(
    "r' in V1 or V2",
    Some((Within("second_r_mv", low=0.07, lead="V1"), Within("second_r_mv", low=0.12, lead="V2"))),
    "S",
)

# Size of the chambers.
TALL_R_AVL = Criterion("R in aVL of 1.1 mV", Within("r_mv", low=1.1, lead="aVL"), "H")
SOKOLOW_LYON = Criterion("S in V1 plus R in V5 or V6 of 3.5 mV", Within("sokolow_lyon_mv", low=3.5), "L")
CORNELL = Criterion(
    "R in aVL plus S in V3 over 2.8 mV (women 2.0 mV)", Within("cornell_excess_mv", low=0.0), "H"
)
STRAIN = Criterion("ST depression with inverted T in a lateral lead", in_leads(strain, LATERAL), "H")


# Infarction and ischaemia, by territory.
def _by_territory(
    text: str, shape: Callable[[str], Rule], source: str, least: int = 2
) -> dict[str, Criterion]:
    return {
        territory: Criterion(f"{text} in {least} {territory} leads", in_leads(shape, leads, least), source)
        for territory, leads in TERRITORIES.items()
    }


ST_UP = _by_territory("ST elevation", st_up, "T")
ST_DOWN = _by_territory("ST depression of 0.05 mV", st_down(0.05), "T")
INJURY = _by_territory("ST depression of 0.1 mV", st_down(0.1), "T")
T_INVERTED = _by_territory("inverted T", t_inverted, "T")
Q_INFARCT = Criterion(
    "pathological Q in two leads of a territory",
    Some(tuple(Within(f"q_{territory}_count", low=2) for territory in ("inferior", "anterior", "lateral"))),
    "T",
)
DIFFUSE_ST = ("I", "II", "aVF", "V2", "V3", "V4", "V5", "V6")

# What several diagnoses share.
LBBB_SHAPE = all_of(DOMINANT_S, PURE_R_LATERAL, LATE_R)
RBBB_SHAPE = all_of(any_of(R_S_R, BROAD_R_V1), SLURRED_S)
P_OR_T = Criterion(
    "so fast that P may be the end of T",
    Every(
        (
            Some(
                (
                    # A wide tachycardia is ventricular until something else is shown; a block of a bundle is.
                    Every(
                        (
                            Within("heart_rate_bpm", low=130.0),
                            Within("qrs_ms", low=120.0),
                            Unless(LBBB_SHAPE),
                            Unless(RBBB_SHAPE),
                        )
                    ),
                    # No PR of the sinus node is shorter than 120 ms.
                    Every((Within("heart_rate_bpm", low=150.0), Within("pr_ms", high=120.0))),
                )
            ),
            Unmeasured(),
        )
    ),
    "C S V",
)
"""Never met: contradicted at usual rates and open in a tachycardia, which leaves open what rests on P waves."""
SINUS = all_of(HAS_P, NOT_PACED, Unless(FIBRILLATION), Unless(P_OR_T))
FLUTTER = any_of(FLUTTER_WAVES, TWO_TO_ONE_FLUTTER)
WIDENED = Criterion("QRS of 110 ms or more", Within("qrs_ms", low=110.0), "S")
LVH_VOLTAGE = any_of(SOKOLOW_LYON, CORNELL, TALL_R_AVL)
DROPPED = all_of(DROPPED_BEAT, Unless(FIBRILLATION))
MOBITZ_1 = all_of(
    DROPPED, Criterion("PR grows by 20 ms before the pause", Within("pr_growth_ms", low=20.0), "A")
)
MOBITZ_2 = all_of(
    DROPPED,
    BLOCKED_P,
    Criterion("PR steady before and behind the pause", Within("pr_growth_ms", -20.0, 20.0), "A"),
    Criterion("the pause lasts two cycles", Within("longest_pause_ratio", 1.8, 2.2), "A"),
)
TWO_TO_ONE = all_of(
    Criterion("rate of 25 to 55/min", Within("heart_rate_bpm", 25.0, 55.0), "A"),
    STEADY,
    HAS_P,
    BLOCKED_P,
)
SHORT_QT = Criterion("QTc of 340 ms or less", Within("qtc_fridericia_ms", high=340.1), "Q")
NORMAL = all_of(
    SINUS,
    Criterion("rate of 50 to 100/min", Within("heart_rate_bpm", 50.0, 101.0), "C"),
    Criterion("PR of 110 to 200 ms", Within("pr_ms", 110.0, 200.1), "C"),
    Criterion("QRS below 112 ms", Within("qrs_ms", high=112.0), "S"),
    NO_BLOCKED_P,
    Criterion("QTc not prolonged", Within("qtc_excess_ms", high=0.0), "R"),
    Unless(SHORT_QT),
    Criterion("axis of -30 to 90 degrees", Within("qrs_axis_deg", -30.0, 90.0), "S"),
    Criterion("no wide early beats", Within("pvc_count", high=1), "C"),
    Criterion("no ST elevation", Within("st_up_count", high=2), "T"),
    Criterion("no ST depression", Within("st_down_count", high=2), "T"),
    Criterion("no inverted T", Within("t_inverted_count", high=2), "R"),
    Criterion("no tall T in two of V2 to V4", Within("t_tall_count", high=2), "R"),
    Unless(Q_INFARCT),
    Unless(LVH_VOLTAGE),
)
