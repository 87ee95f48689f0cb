"""ECG criteria as a table: statement code -> rule over named criteria -> findings with leads, waves and values.

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
.. [A] Kusumoto F. M. et al. 2019, ACC/AHA/HRS guideline on bradycardia and conduction delay, JACC 74:e51.
.. [V] Al-Khatib S. M. et al. 2018, AHA/ACC/HRS guideline on ventricular arrhythmias, JACC 72:e91.
.. [Q] Priori S. G. et al. 2015, ESC guidelines on ventricular arrhythmias (short QT), Eur Heart J 36:2793.
.. [E] Haissaguerre M. et al. 2008, early repolarisation, NEJM 358:2016; Macfarlane P. W. et al. 2015, JACC 66:470.
.. [P] Adler Y. et al. 2015, ESC guidelines on pericardial diseases, Eur Heart J 36:2921; Ginzton L. E.,
   Laks M. M. 1982, Circulation 65:1004 (ST over T in V6).
"""

from __future__ import annotations

from dataclasses import dataclass

from uniecg.report import Evidence
from uniecg.signal import patterns as p
from uniecg.signal.measurements import Measurements
from uniecg.signal.quantities import INFERIOR, LATERAL
from uniecg.signal.rules import (
    Criterion,
    Diagnosis,
    Met,
    Rule,
    Unless,
    Unmeasured,
    Within,
    all_of,
    any_of,
    in_leads,
    judge,
)


@dataclass(frozen=True)
class Judged:
    """One criterion on one record.

    Attributes
    ----------
    name, source : str
    met : bool or None
        None if it cannot be judged.
    evidence : tuple of Evidence
        Lead, time span (the wave), quantity and value of what it rests on.
    """

    name: str
    source: str
    met: Met
    evidence: tuple[Evidence, ...]

    @property
    def leads(self) -> tuple[str, ...]:
        """Leads of the evidence, each once."""
        return tuple(dict.fromkeys(item.lead for item in self.evidence if item.lead is not None))


@dataclass(frozen=True)
class Judgement:
    """A diagnosis on one record: whether it is met and how each of its criteria came out."""

    code: str
    met: Met
    criteria: tuple[Judged, ...]


def _q_infarct(territory: str) -> Criterion:
    return Criterion(f"pathological Q in two {territory} leads", Within(f"q_{territory}_count", low=2), "T W")


def _ischaemia(territory: str) -> Rule:
    return all_of(any_of(p.ST_DOWN[territory], p.T_INVERTED[territory]), p.NARROW)


_TABLE = (
    # Rhythm
    Diagnosis("SR", p.SINUS),
    Diagnosis("SBRAD", all_of(p.SINUS, p.SLOW)),
    Diagnosis("SNORMO", all_of(p.SINUS, Unless(p.SLOW), Unless(p.FAST)), stated=False),
    Diagnosis("STACH", all_of(p.SINUS, p.FAST)),
    Diagnosis("SARRH", all_of(p.SINUS, p.UNEVEN, p.NO_BLOCKED_P)),
    Diagnosis("AFIB", p.FIBRILLATION),
    Diagnosis("AFLT", p.FLUTTER),
    Diagnosis(
        "SVTAC",
        all_of(
            p.NO_P,
            p.NARROW,
            Criterion("rate of 120/min or more", Within("heart_rate_bpm", low=120.0), "C"),
            Unless(p.IRREGULAR),
        ),
    ),
    Diagnosis(
        "VT",
        any_of(
            Criterion("three wide beats in a row at 100/min", Within("ventricular_run_count", low=3), "V"),
            all_of(p.WIDE, p.FAST, p.NO_P, Unless(p.IRREGULAR), p.NOT_PACED),
        ),
        stated=False,
    ),
    Diagnosis("PACE", p.PACED),
    Diagnosis("PVC", Criterion("wide early beats", Within("pvc_count", low=1), "C")),
    Diagnosis(
        "PAC",
        all_of(Criterion("narrow early beats", Within("pac_count", low=1), "C"), Unless(p.FIBRILLATION)),
    ),
    Diagnosis(
        "BIGU",
        all_of(
            Criterion("every second beat early", Within("bigeminy_run_count", low=6), "C"),
            Unless(p.FIBRILLATION),
        ),
    ),
    Diagnosis(
        "TRIGU",
        all_of(
            Criterion("every third beat early", Within("trigeminy_run_count", low=8), "C"),
            Unless(p.FIBRILLATION),
        ),
    ),
    # Atrioventricular conduction
    Diagnosis("1AVB", all_of(p.HAS_P, p.LONG_PR)),
    Diagnosis("LPR", all_of(p.HAS_P, p.LONG_PR)),
    Diagnosis("2AVB", any_of(p.MOBITZ_1, p.MOBITZ_2, p.TWO_TO_ONE), stated=False),
    Diagnosis("2AVB1", p.MOBITZ_1, stated=False),
    Diagnosis("2AVB2", p.MOBITZ_2, stated=False),
    Diagnosis("2AVB21", p.TWO_TO_ONE, stated=False),
    Diagnosis("3AVB", all_of(p.SLOW, p.STEADY, p.UNTIED_P, p.FASTER_P, Unless(p.PACED)), stated=False),
    Diagnosis(
        "WPW",
        all_of(
            p.HAS_P,
            Criterion("PR below 120 ms", Within("pr_ms", high=120.0), "S"),
            # The level that separates simulated delta waves from steep complexes; the source names none.
            Criterion("slurred beginning of QRS of 30 ms", Within("delta_ms", low=30.0), "S"),
            p.WIDENED,
        ),
    ),
    # Ventricular conduction
    Diagnosis("CLBBB", all_of(p.WIDE, p.LBBB_SHAPE)),
    Diagnosis("CRBBB", all_of(p.WIDE, p.RBBB_SHAPE)),
    Diagnosis(
        "ILBBB", all_of(Criterion("QRS of 110 to 120 ms", Within("qrs_ms", 110.0, 120.0), "S"), p.LBBB_SHAPE)
    ),
    Diagnosis(
        "IRBBB",
        all_of(Criterion("QRS of 110 to 120 ms", Within("qrs_ms", 110.0, 120.0), "S"), p.SMALL_R_PRIME),
    ),
    Diagnosis(
        "IVCD",
        all_of(
            p.WIDENED,
            Unless(p.LBBB_SHAPE),
            Unless(p.RBBB_SHAPE),
        ),
    ),
    Diagnosis(
        "LAFB",
        all_of(
            Criterion("axis of -90 to -45 degrees", Within("qrs_axis_deg", -90.0, -45.0), "S"),
            p.QR_LATERAL,
            p.RS_INFERIOR,
            Unless(p.LBBB_SHAPE),
        ),
    ),
    Diagnosis(
        "LPFB",
        all_of(
            p.RIGHT_AXIS,
            p.NARROW,
            Criterion("rS in I and aVL", in_leads(p.r_s, p.LIMB_LATERAL, 2), "S"),
            Criterion("qR in III and aVF", in_leads(p.q_r, ("III", "aVF"), 2), "S"),
        ),
    ),
    Diagnosis("LAD", p.LEFT_AXIS, stated=False),
    Diagnosis("RAD", p.RIGHT_AXIS, stated=False),
    Diagnosis(
        "XAD",
        Criterion("axis of -180 to -90 degrees", Within("qrs_axis_deg", -180.0, -90.0), "S"),
        stated=False,
    ),
    # Chambers and voltage
    Diagnosis("VCLVH", p.LVH_VOLTAGE),
    Diagnosis("LVH", p.LVH_VOLTAGE),
    Diagnosis(
        "RVH",
        all_of(
            Criterion("R larger than S in V1", Within("r_s_ratio_v1", low=1.0), "H"), p.RIGHT_AXIS, p.NARROW
        ),
    ),
    Diagnosis(
        "LVOLT",
        all_of(
            Criterion("limb leads below 0.5 mV", Within("limb_qrs_mv", high=0.5), "C"),
            Criterion("chest leads below 1.0 mV", Within("chest_qrs_mv", high=1.0), "C"),
        ),
    ),
    Diagnosis(
        "LAO/LAE",
        all_of(
            Criterion("P of 120 ms or more", Within("p_ms", low=120.0), "H"),
            Criterion("end of P in V1 0.1 mV down", Within("p_terminal_mv", high=-0.1, lead="V1"), "H"),
            Criterion("end of P in V1 of 40 ms", Within("p_terminal_ms", low=40.0, lead="V1"), "H"),
        ),
    ),
    Diagnosis("RAO/RAE", Criterion("P of 0.25 mV in II", Within("p_mv", low=0.25, lead="II"), "H")),
    # Repolarisation
    Diagnosis("LNGQT", Criterion("QTc over 450 ms (women 460 ms)", Within("qtc_excess_ms", low=0.0), "R")),
    Diagnosis("SHQT", p.SHORT_QT, stated=False),
    # Infarction: old by Q waves, acute by ST elevation
    Diagnosis("QWAVE", p.Q_INFARCT),
    Diagnosis("IMI", _q_infarct("inferior")),
    Diagnosis("AMI", _q_infarct("anterior")),
    Diagnosis("ASMI", _q_infarct("septal")),
    Diagnosis("LMI", _q_infarct("lateral")),
    Diagnosis("ALMI", all_of(_q_infarct("anterior"), _q_infarct("lateral")), stated=False),
    Diagnosis("ILMI", all_of(_q_infarct("inferior"), _q_infarct("lateral")), stated=False),
    Diagnosis(
        "PMI",
        all_of(
            Criterion("R of 40 ms in V1", Within("r_ms", low=40.0, lead="V1"), "T"),
            Criterion("R larger than S in V1", Within("r_s_ratio_v1", low=1.0), "T"),
            Criterion("upright T in V1", Within("t_mv", low=0.05, lead="V1"), "T"),
            p.NARROW,
        ),
        stated=False,
    ),
    *(Diagnosis(f"STEMI {territory}", p.ST_UP[territory], stated=False) for territory in p.TERRITORIES),
    Diagnosis(
        "STEMI posterior",
        Criterion(
            "ST depression with upright T in two of V1 to V3",
            in_leads(
                lambda lead: all_of(p.st_down(0.05)(lead), Within("t_mv", low=0.1, lead=lead)),
                ("V1", "V2", "V3"),
                2,
            ),
            "T",
        ),
        stated=False,
    ),
    # Ischaemia
    Diagnosis("ISC_", any_of(*(_ischaemia(territory) for territory in p.TERRITORIES)), stated=False),
    Diagnosis("ISCAN", _ischaemia("anterior"), stated=False),
    Diagnosis("ISCIN", _ischaemia("inferior"), stated=False),
    Diagnosis("ISCLA", _ischaemia("lateral"), stated=False),
    Diagnosis("INJIN", p.INJURY["inferior"], stated=False),
    Diagnosis("INJLA", p.INJURY["lateral"], stated=False),
    Diagnosis("INJAS", p.INJURY["anterior"], stated=False),
    # Other ST elevation
    Diagnosis(
        "PERICARDITIS",
        all_of(
            Criterion(
                "J up 0.05 mV in five leads of I, II, aVF, V2-V6",
                in_leads(p.j_above(0.05), p.DIFFUSE_ST, 5),
                "P",
            ),
            Criterion("J down 0.05 mV in aVR", Within("j_mv", high=-0.05, lead="aVR"), "P"),
            Criterion("ST a quarter of T in V6", Within("st_t_ratio", low=0.25, lead="V6"), "P"),
            Unless(p.Q_INFARCT),
            p.NARROW,
        ),
        stated=False,
    ),
    Diagnosis(
        "EARLY REPOLARISATION",
        all_of(
            any_of(
                Criterion("J up 0.1 mV in two inferior leads", in_leads(p.j_above(0.1), INFERIOR, 2), "E"),
                Criterion("J up 0.1 mV in two lateral leads", in_leads(p.j_above(0.1), LATERAL, 2), "E"),
            ),
            Criterion("notch or slur at the end of QRS", Unmeasured(), "E"),
            Criterion("ST below a quarter of T in V6", Within("st_t_ratio", high=0.25, lead="V6"), "P"),
            Unless(p.Q_INFARCT),
            p.NARROW,
        ),
        stated=False,
    ),
    # Forms
    Diagnosis("STE_", Criterion("ST elevation in two leads", Within("st_up_count", low=2), "T")),
    Diagnosis("STD_", Criterion("ST depression in two leads", Within("st_down_count", low=2), "T")),
    Diagnosis("INVT", Criterion("inverted T in two leads", Within("t_inverted_count", low=2), "R")),
    Diagnosis("LOWT", Criterion("flat T in three leads", Within("t_flat_count", low=3), "R")),
    Diagnosis("NORM", p.NORMAL),
)

CRITERIA = {diagnosis.code: diagnosis for diagnosis in _TABLE}
"""Code -> diagnosis."""

ABNORMAL_SPREAD = ("CLBBB", "PACE", "WPW")
"""Where activation does not begin in the normal way, Q waves and ST-T follow from that."""

OUTRANKED = {
    "SR": ("SBRAD", "STACH", "SARRH", "AFLT"),
    "LPR": ("1AVB",),
    "VCLVH": ("LVH",),
    **dict.fromkeys(("AFIB", "SBRAD", "STACH", "SARRH", "NORM"), ("AFLT",)),
    **dict.fromkeys(("STE_", "STD_", "INVT"), ABNORMAL_SPREAD),
}
"""Statements that say nothing beside a more specific one; ST-T changes are secondary there [R]."""

MASKED = {
    **dict.fromkeys(("QWAVE", "IMI", "AMI", "ASMI", "LMI", "ALMI", "ILMI", "PMI"), ABNORMAL_SPREAD),
    "LVH": ABNORMAL_SPREAD,
    "VCLVH": ABNORMAL_SPREAD,
    **dict.fromkeys(
        (f"STEMI {territory}" for territory in (*p.TERRITORIES, "posterior")), (*ABNORMAL_SPREAD, "LVH")
    ),
}
"""What cannot be judged beside others: the limits of ST [T] and of voltages [H] hold where activation is normal."""


def check(code: str, m: Measurements) -> tuple[Met, tuple[Evidence, ...]]:
    """Judge a statement by the measurements.

    Parameters
    ----------
    code : str
        Key of `CRITERIA`, such as an SCP-ECG statement code.
    m : Measurements

    Returns
    -------
    met : bool or None
        True if its criteria are met, False if a measurement contradicts them, None if it cannot be judged: no
        criterion for this code, a value it needs is absent, or what is met masks it.
    evidence : tuple of Evidence
        The values the judgement rests on.
    """
    rule = _open_rule(code, m)
    return (None, ()) if rule is None else judge(rule, m)


def _open_rule(code: str, m: Measurements) -> Rule | None:
    """Return the rule of a diagnosis that these measurements can tell something about."""
    known = code in CRITERIA and m.quality.verdict != "unusable"
    masked = known and any(CRITERIA[other].rule.met(m) for other in MASKED.get(code, ()))
    return CRITERIA[code].rule if known and not masked else None


def check_statement(code: str, m: Measurements) -> tuple[Met, tuple[Evidence, ...]]:
    """Judge a statement of a report or label: as `check`, but a row that is not `stated` never contradicts.

    Who calls a wall infarcted or ischaemic may have more reasons than the row of that wall knows.

    Parameters
    ----------
    code : str
    m : Measurements
    """
    met, evidence = check(code, m)
    is_open = met is False and not CRITERIA[code].stated
    return (None, ()) if is_open else (met, evidence)


def explain(code: str, m: Measurements) -> Judgement:
    """Judge a diagnosis and each of its named criteria: diagnosis, criterion, finding, leads, waves, values.

    Parameters
    ----------
    code : str
        Key of `CRITERIA`.
    m : Measurements

    Raises
    ------
    KeyError
        If the table has no such code.
    """
    usable = m.quality.verdict != "unusable"
    outcomes = ((item, judge(item, m) if usable else (None, ())) for item in CRITERIA[code].criteria)
    judged = tuple(Judged(item.name, item.source, *outcome) for item, outcome in outcomes)
    return Judgement(code, check(code, m)[0], judged)


def findings(m: Measurements) -> list[str]:
    """Return the codes of all statements whose criteria are met, without those a more specific one outranks.

    Parameters
    ----------
    m : Measurements
    """
    open_rules = {code: _open_rule(code, m) for code, diagnosis in CRITERIA.items() if diagnosis.stated}
    met = [code for code, rule in open_rules.items() if rule is not None and rule.met(m)]
    return [code for code in met if not set(OUTRANKED.get(code, ())) & set(met)]
