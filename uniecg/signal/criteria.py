"""Named ECG criteria as a table: statement code -> rule over measurements -> source.

References
----------
.. [S] Surawicz B. et al. 2009, AHA/ACCF/HRS recommendations part III: intraventricular conduction. JACC 53:976.
.. [R] Rautaharju P. M. et al. 2009, part IV: ST segment, T and U waves, QT interval. JACC 53:982.
.. [H] Hancock E. W. et al. 2009, part V: chamber hypertrophy. JACC 53:992.
.. [W] Wagner G. S. et al. 2009, part VI: acute ischaemia and infarction. JACC 53:1003.
.. [T] Thygesen K. et al. 2018, fourth universal definition of myocardial infarction. JACC 72:2231.
.. [L] Sokolow M., Lyon T. P. 1949, Am Heart J 37:161.
.. [C] Surawicz B., Knilans T. K., Chou's Electrocardiography in Clinical Practice, 6th ed. 2008.
.. [G] Hindricks G. et al. 2021, ESC guidelines on atrial fibrillation, Eur Heart J 42:373.
"""

from __future__ import annotations

from dataclasses import dataclass

from uniecg.report import Evidence
from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import Every, Rule, Some, Unless, Within


@dataclass(frozen=True)
class Criterion:
    """One statement and what has to be measured for it.

    Attributes
    ----------
    code : str
        SCP-ECG statement code.
    rule : Rule
    source : str
        Letter(s) of the reference list of this module.
    """

    code: str
    rule: Rule
    source: str


HAS_P = Within("p_fraction", low=0.7)
NO_P = Within("p_fraction", high=0.6)
NARROW = Within("qrs_ms", high=120.0)
WIDE = Within("qrs_ms", low=120.0)
IRREGULAR = Within("rr_irregularity", low=0.04)
FIBRILLATION = Some(
    (
        Every((NO_P, IRREGULAR)),
        # At such a rate the rest of the T wave passes for a P wave.
        Every((Within("rr_irregularity", low=0.08), Within("heart_rate_bpm", low=130.0))),
    )
)
SINUS = Every((HAS_P, Within("paced_fraction", high=0.5), Unless(FIBRILLATION)))

LBBB_SHAPE = Every(
    (
        Within("r_s_ratio_v1", high=0.5),
        Within("q_ms", high=20.0, lead="V6"),
        Within("r_peak_ms", low=50.0, lead="V6"),
        Within("s_ms", high=40.0, lead="V6"),
    )
)
RBBB_SHAPE = Every(
    (
        Some(
            (
                Within("r_prime_mv", low=0.05, lead="V1"),
                Within("r_prime_mv", low=0.05, lead="V2"),
                Within("r_peak_ms", low=50.0, lead="V1"),
            )
        ),
        Some((Within("s_ms", low=40.0, lead="I"), Within("s_ms", low=40.0, lead="V6"))),
    )
)
INCOMPLETE_RBBB_SHAPE = Some(
    (Within("r_prime_mv", low=0.07, lead="V1"), Within("r_prime_mv", low=0.12, lead="V2"))
)
LVH_VOLTAGE = Some(
    (
        Within("sokolow_lyon_mv", low=3.5),
        Within("cornell_excess_mv", low=0.0),
        Within("r_mv", low=1.1, lead="aVL"),
    )
)
Q_INFARCT = Some(
    (
        Within("q_inferior_count", low=2),
        Within("q_anterior_count", low=2),
        Within("q_lateral_count", low=2),
    )
)
NORMAL = Every(
    (
        SINUS,
        Within("heart_rate_bpm", 50.0, 101.0),
        Within("pr_ms", 110.0, 205.0),
        Within("qrs_ms", high=112.0),
        Within("qtc_excess_ms", high=0.0),
        Within("qrs_axis_deg", -30.0, 100.0),
        Within("pvc_count", high=1),
        Within("st_up_count", high=2),
        Within("st_down_count", high=2),
        Within("t_inverted_count", high=2),
        Unless(Q_INFARCT),
        Unless(Within("sokolow_lyon_mv", low=3.5)),
    )
)

_TABLE = (
    Criterion("SR", SINUS, "C"),
    Criterion("SBRAD", Every((SINUS, Within("heart_rate_bpm", high=60.0))), "C"),
    Criterion("STACH", Every((SINUS, Within("heart_rate_bpm", low=100.0))), "C"),
    Criterion("SARRH", Every((SINUS, Within("rr_range_ms", low=160.0))), "C"),
    Criterion("AFIB", FIBRILLATION, "G"),
    Criterion(
        "AFLT",
        Every(
            (
                Within("atrial_regularity", low=0.5),
                Within("atrial_rate_bpm", 240.0, 340.0),
                Some((NO_P, Within("heart_rate_bpm", 127.0, 165.0))),
            )
        ),
        "C",
    ),
    Criterion("SVTAC", Every((NO_P, NARROW, Within("heart_rate_bpm", low=120.0), Unless(IRREGULAR))), "C"),
    Criterion("PACE", Within("paced_fraction", low=0.5), "C"),
    Criterion("PVC", Within("pvc_count", low=1), "C"),
    Criterion("PAC", Every((Within("pac_count", low=1), Unless(FIBRILLATION))), "C"),
    Criterion("BIGU", Every((Within("bigeminy_run_count", low=6), Unless(FIBRILLATION))), "C"),
    Criterion("TRIGU", Every((Within("trigeminy_run_count", low=8), Unless(FIBRILLATION))), "C"),
    Criterion("1AVB", Every((HAS_P, Within("pr_ms", low=200.0))), "C"),
    Criterion("LPR", Every((HAS_P, Within("pr_ms", low=200.0))), "C"),
    Criterion("WPW", Every((HAS_P, Within("pr_ms", high=120.0), Within("qrs_ms", low=110.0))), "S"),
    Criterion("CLBBB", Every((WIDE, LBBB_SHAPE)), "S"),
    Criterion("CRBBB", Every((WIDE, RBBB_SHAPE)), "S"),
    Criterion("ILBBB", Every((Within("qrs_ms", 110.0, 120.0), LBBB_SHAPE)), "S"),
    Criterion("IRBBB", Every((NARROW, INCOMPLETE_RBBB_SHAPE)), "S"),
    Criterion("IVCD", Every((Within("qrs_ms", low=110.0), Unless(LBBB_SHAPE), Unless(RBBB_SHAPE))), "S"),
    Criterion(
        "LAFB",
        Every((NARROW, Within("qrs_axis_deg", -90.0, -45.0), Within("r_mv", low=0.05, lead="aVL"))),
        "S",
    ),
    Criterion(
        "LPFB",
        Every((NARROW, Within("qrs_axis_deg", 90.0, 180.1), Within("q_mv", high=-0.02, lead="III"))),
        "S",
    ),
    Criterion("VCLVH", LVH_VOLTAGE, "L H"),
    Criterion("LVH", LVH_VOLTAGE, "L H"),
    Criterion(
        "RVH",
        Every((Within("r_s_ratio_v1", low=1.0), Within("qrs_axis_deg", 90.0, 180.1), NARROW)),
        "H",
    ),
    Criterion("LVOLT", Every((Within("limb_qrs_mv", high=0.5), Within("chest_qrs_mv", high=1.0))), "C"),
    Criterion("LAO/LAE", Every((Within("p_ms", low=120.0), Within("p_mv", high=-0.05, lead="V1"))), "H"),
    Criterion("RAO/RAE", Within("p_mv", low=0.25, lead="II"), "H"),
    Criterion("LNGQT", Within("qtc_excess_ms", low=0.0), "R"),
    Criterion("QWAVE", Q_INFARCT, "T"),
    Criterion("IMI", Within("q_inferior_count", low=2), "T W"),
    Criterion("AMI", Within("q_anterior_count", low=2), "T W"),
    Criterion("ASMI", Within("q_septal_count", low=2), "T W"),
    Criterion("LMI", Within("q_lateral_count", low=2), "T W"),
    Criterion("STE_", Within("st_up_count", low=2), "T"),
    Criterion("STD_", Within("st_down_count", low=2), "T"),
    Criterion("INVT", Within("t_inverted_count", low=2), "R"),
    Criterion("LOWT", Within("t_flat_count", low=3), "R"),
    Criterion("NORM", NORMAL, "C"),
)

CRITERIA = {criterion.code: criterion for criterion in _TABLE}
"""Statement code -> criterion."""

OUTRANKED = {"SR": ("SBRAD", "STACH", "SARRH"), "LPR": ("1AVB",), "VCLVH": ("LVH",), "AFIB": ("AFLT",)}
"""Statements that say nothing beside a more specific one."""


def check(code: str, m: Measurements) -> tuple[bool | None, tuple[Evidence, ...]]:
    """Judge a statement by the measurements.

    Parameters
    ----------
    code : str
        SCP-ECG statement code.
    m : Measurements

    Returns
    -------
    met : bool or None
        True if its criteria are met, False if a measurement contradicts them, None if it cannot be judged: no
        criterion for this code, or a value it needs is absent.
    evidence : tuple of Evidence
        The values the judgement rests on.
    """
    criterion = CRITERIA.get(code)
    if criterion is None or m.quality.verdict == "unusable":
        return None, ()
    return criterion.rule.judge(m)


def findings(m: Measurements) -> list[str]:
    """Return the codes of all statements whose criteria are met, without those a more specific one outranks.

    Parameters
    ----------
    m : Measurements
    """
    met = [code for code in CRITERIA if check(code, m)[0]]
    return [code for code in met if not set(OUTRANKED.get(code, ())) & set(met)]
