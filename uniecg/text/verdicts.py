"""What can be asked about one ECG and how it comes out: yes, no, or not to be judged.

A question is only answered where the sources agree: for statements the criteria and what was stated, for signs in a
lead the criteria and the wording of explanations. Where they differ, or a value is absent, it stays open.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from uniecg.signal import patterns, quality
from uniecg.signal.criteria import ABNORMAL_SPREAD, CRITERIA, check, check_statement
from uniecg.signal.lead_defects import DROWNED, PARTLY_FLAT, SHIFTED
from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import Met, Rule
from uniecg.text.explain import NO_PR, compared, inverted_t_leads, q_wave_leads, significant_st
from uniecg.text.explain.conclusions import conclude
from uniecg.text.questions import RELATED, evidence_clause
from uniecg.text.statements import STATEMENTS

__all__ = ["FEATURES", "Feature", "Verdict", "feature_clause", "labels", "verdicts"]

RANGES = ("below the normal range", "within the normal range", "above the normal range")
AXES = {
    "left": "left axis deviation",
    "normal": "normal heart axis",
    "right": "right axis deviation",
    "extreme": "extreme axis deviation",
}
NOISES: Mapping[str, frozenset[str]] = {
    "baseline drift": frozenset({quality.WANDER, SHIFTED}),
    "static noise": frozenset({quality.HUM, quality.MUSCLE, DROWNED}),
    "electrode problems": quality.SPOILED | {PARTLY_FLAT, quality.SWAPPED},
}
"""Kinds of noise and the reasons of `uniecg.signal.quality` that they stand for."""


@dataclass(frozen=True)
class Verdict:
    """One thing that can be asked about a record, and how it comes out.

    Attributes
    ----------
    topic : str
        ``"rhythm"``, ``"diagnosis"``, ``"form"``, ``"superclass"``, ``"normal"``, ``"sign"``, ``"noise"``,
        ``"range"`` or ``"axis"``.
    what : str
        What is asked for, in words: "atrial fibrillation", "ST elevation", "above the normal range".
    about : str
        Where or of what: "lead V2", "the recording", "PR interval"; the topic itself where there is no such thing.
    met : bool or None
        None if it cannot be judged.
    grounds : str
        What was measured, as a clause such as "PR 160 ms"; may be empty.
    code : str
        SCP-ECG code of a statement, else empty.
    """

    topic: str
    what: str
    about: str
    met: Met
    grounds: str = ""
    code: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the same question about another record."""
        return self.topic, self.what, self.about

    @property
    def label(self) -> str:
        """`what` as ECG-QA's answers call it."""
        return labels().get(self.code or self.what, self.what)

    @property
    def about_label(self) -> str:
        """`about` as ECG-QA's answers call it."""
        return labels().get(self.about, self.about)


@cache
def labels() -> Mapping[str, str]:
    """Answers of ECG-QA by statement code or by the words used here, where they differ.

    References
    ----------
    Oh et al. 2023, ECG-QA: a comprehensive question answering dataset combined with electrocardiogram, NeurIPS
    (the answers of its PTB-XL part, CC BY 4.0).
    """
    text = files("uniecg.text.grammar").joinpath("ecg_qa.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return {**table["statements"], **table["words"]}


def verdicts(m: Measurements, statements: Sequence[str]) -> list[Verdict]:
    """Everything that can be asked about a record, with its outcome.

    Parameters
    ----------
    m : Measurements
    statements : sequence of str
        SCP-ECG codes that are stated of the record.

    Returns
    -------
    list of Verdict
        In a fixed order; nothing is asked of leads that the record does not have.

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    """
    return list(_all(m, tuple(STATEMENTS[code].code for code in statements)))


@lru_cache(maxsize=4)  # several questions are asked about the same record
def _all(m: Measurements, stated: tuple[str, ...]) -> tuple[Verdict, ...]:
    makers = (_statements, _signs, _noises, _ranges, _axes)
    return tuple(item for make in makers for item in make(m, stated))


# Statements.
_SEEN_IN_LEADS: Mapping[str, Callable[[Measurements], bool]] = {
    "STE_": lambda m: any(level > 0 for level in significant_st(m).values()),
    "STD_": lambda m: any(level < 0 for level in significant_st(m).values()),
    "INVT": lambda m: bool(inverted_t_leads(m)),
    "QWAVE": lambda m: bool(q_wave_leads(m)),
}
"""Statements that nobody can deny while a lead shows it, though their criteria ask for more than one."""
_AGAINST = {
    "heart_rate_bpm": "rate {} bpm", "pr_ms": "PR {} ms", "qrs_ms": "QRS {} ms", "qrs_axis_deg": "axis {} degrees",
    "qtc_excess_ms": "QTc {} ms",
}  # fmt: skip


def _outcome(code: str, m: Measurements, stated: Collection[str]) -> Met:
    met = check_statement(code, m)[0]
    if code in stated:
        return True if met else None
    if met is False:
        return None if code in _SEEN_IN_LEADS and _SEEN_IN_LEADS[code](m) else False
    return False if _excluding(code, m, stated) else None


def _excluding(code: str, m: Measurements, stated: Collection[str]) -> str | None:
    """A stated and met statement that leaves no room for this one and is no kin of it (bradycardia is sinus rhythm)."""
    for other in stated:
        kin = any({code, other} <= group for group in RELATED)
        if code in STATEMENTS[other].excludes and not kin and check_statement(other, m)[0]:
            return other
    return None


def _grounds(code: str, met: Met, m: Measurements, stated: Collection[str]) -> str:
    """What was measured that makes a statement hold, or the values that speak against it."""
    if met is None or code == "NORM":
        return ""
    if met:
        return evidence_clause(code, m)
    if check_statement(code, m)[0] is not False:
        return f"it shows {STATEMENTS[_excluding(code, m, stated) or code].name}"
    if (STATEMENTS[code].superclass == "MI" or code == "QWAVE") and not q_wave_leads(m):
        return "no pathological Q waves"
    denied = conclude(m, [code])[0]
    if denied.excluding:
        return ""
    # Of a criterion with several quantities it is not said which one failed.
    single = (judged.evidence[0] for judged in denied.grounds if len(judged.evidence) == 1)
    values = {item.quantity: item.value for item in single}
    if "qtc_excess_ms" in values:
        values["qtc_excess_ms"] = m.qtc_fridericia_ms
    words = (
        _AGAINST[name].format(round(value))
        for name, value in values.items()
        if name in _AGAINST and value is not None
    )
    return ", ".join(words)


def _statements(m: Measurements, stated: Sequence[str]) -> Iterator[Verdict]:
    outcomes = {code: _outcome(code, m, stated) for code in STATEMENTS}
    for code, met in outcomes.items():
        statement = STATEMENTS[code]
        topic = {"diagnostic": "diagnosis"}.get(statement.kind, statement.kind)
        if code == "NORM":
            topic = "normal"
        yield Verdict(topic, statement.name, topic, met, _grounds(code, met, m, stated), code)
    for name, words in (
        ("MI", "myocardial infarction"),
        ("STTC", "ST/T change"),
        ("CD", "conduction disturbance"),
        ("HYP", "hypertrophy"),
    ):
        members = [code for code in STATEMENTS if STATEMENTS[code].superclass == name]
        shown = [code for code in members if outcomes[code]]
        yield Verdict(
            "superclass",
            words,
            "superclass",
            _any_member(m, members, shown, stated),
            ", ".join(STATEMENTS[code].name for code in shown),
        )


def _any_member(m: Measurements, members: list[str], shown: list[str], stated: Collection[str]) -> Met:
    """Whether a class is shown; it is not, if none of it is stated and the criteria of none are met."""
    if shown:
        return True
    found = any(code in stated or check(code, m)[0] for code in members)
    return None if found or not stated or m.quality.verdict == "unusable" else False


# Signs in a lead: what explanations tell of it and the criteria have to agree.
def _signs(m: Measurements, stated: Sequence[str]) -> Iterator[Verdict]:
    st, inverted, deep = significant_st(m), inverted_t_leads(m), q_wave_leads(m)
    spread = any(CRITERIA[code].rule.met(m) for code in ABNORMAL_SPREAD)
    told: tuple[tuple[str, str, Callable[[str], bool], Callable[[str], Rule]], ...] = (
        ("ST elevation", "st_mv", lambda lead: st.get(lead, 0.0) > 0, patterns.st_up),
        ("ST depression", "st_mv", lambda lead: st.get(lead, 0.0) < 0, patterns.st_down(0.05)),
        ("T wave inversion", "t_mv", lambda lead: lead in inverted, patterns.t_inverted),
        ("Q waves", "q_mv", lambda lead: lead in deep, patterns.deep_q),
    )
    for what, value, tells, rule in told:
        for lead in m.leads:
            if what in ("T wave inversion", "Q waves") and lead in ("aVR", "V1"):
                continue  # they are normal there
            # Q waves follow from an abnormal spread of activation.
            open_ = (what == "Q waves" and spread) or m.quality.verdict == "unusable"
            open_ |= math.isnan(getattr(m.leads[lead], value))
            if open_ or not m.amplitude_known or m.quality.lead_verdict(lead) == "unusable":
                yield Verdict("sign", what, f"lead {lead}", None)
                continue
            by_rule = rule(lead).met(m)
            yield Verdict("sign", what, f"lead {lead}", by_rule if by_rule == tells(lead) else None)


# Noise.
def _noises(m: Measurements, stated: Sequence[str]) -> Iterator[Verdict]:
    for what, reasons in NOISES.items():
        found: list[Met] = []
        for lead in m.leads:
            named = set(m.quality.leads.get(lead, ()))
            met: Met = bool(named & reasons)
            if not met and named & quality.SPOILED:
                met = None  # nothing can be seen in a lead that is not there
            found.append(met)
            words = ", ".join(sorted(named & reasons))
            yield Verdict("noise", what, f"lead {lead}", met, words)
        if found:
            whole = True if True in found else None if None in found else False
            yield Verdict("noise", what, "the recording", whole)


# Measured values against their normal ranges.
@dataclass(frozen=True)
class Feature:
    """A measured time with a normal range.

    Attributes
    ----------
    name : str
        As questions call it.
    kind : str
        How :func:`uniecg.text.questions.answer_about` calls it; empty if it does not know it.
    quantity : str
        Field of `Measurements`, ms.
    grade : callable
        -1, 0 or 1 for a value below, within or above its range; None if it has none here.
    low : bool
        Whether there is anything below the range.
    """

    name: str
    kind: str
    quantity: str
    grade: Callable[[Measurements], int | None]
    low: bool = True

    def value(self, m: Measurements, statements: Collection[str] = ()) -> float:
        """Measured value in ms, NaN if there is none or the rhythm leaves it no meaning."""
        senseless = self.quantity in ("pr_ms", "p_ms") and NO_PR & set(statements)
        return math.nan if senseless else float(getattr(m, self.quantity))


def _graded(quantity: str, field: str, words: Mapping[str, int]) -> Callable[[Measurements], int | None]:
    return lambda m: words.get(compared(quantity, getattr(m, field), m))


def _grade_p(m: Measurements) -> int | None:
    if not math.isfinite(m.p_ms):
        return None
    return int(all(limit.allows(round(m.p_ms)) for limit in STATEMENTS["LAO/LAE"].implies))


_LENGTH = {"short": -1, "normal": 0, "not wide": 0, "long": 1, "wide": 1}
_QTC = _graded("QTc", "qtc_fridericia_ms", _LENGTH)
FEATURES: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("RR interval", "", "rr_ms", _graded("rate", "heart_rate_bpm", {"fast": -1, "normal": 0, "slow": 1})),
        Feature("P duration", "", "p_ms", _grade_p, low=False),
        Feature("PR interval", "pr", "pr_ms", _graded("PR", "pr_ms", _LENGTH)),
        Feature("QRS duration", "qrs", "qrs_ms", _graded("QRS", "qrs_ms", _LENGTH), low=False),
        Feature("QT interval", "qt", "qt_ms", _QTC),
        Feature("QTc", "qtc", "qtc_fridericia_ms", _QTC),
    )
}  # fmt: skip
"""Times that ECG-QA asks for. Limits: `uniecg.text.explain` (RR from the rate, QT corrected for it) and, for P, the
limit that the vocabulary gives for left atrial enlargement."""


def feature_clause(feature: Feature, m: Measurements) -> str:
    """What the range of a feature is judged by, as a clause."""
    if feature.name == "RR interval":
        return f"heart rate {round(m.heart_rate_bpm)} bpm"
    if feature.name in ("QT interval", "QTc"):
        return f"QTc {round(m.qtc_fridericia_ms)} ms"
    return f"{feature.name} {round(getattr(m, feature.quantity))} ms"


def _ranges(m: Measurements, stated: Sequence[str]) -> Iterator[Verdict]:
    for feature in FEATURES.values():
        grade = feature.grade(m) if math.isfinite(feature.value(m, stated)) else None
        if m.quality.verdict == "unusable":
            grade = None
        for index, what in enumerate(RANGES, start=-1):
            if index >= 0 or feature.low:
                met = None if grade is None else grade == index
                clause = "" if grade is None else feature_clause(feature, m)
                yield Verdict("range", what, feature.name, met, clause)


def _axes(m: Measurements, stated: Sequence[str]) -> Iterator[Verdict]:
    word = compared("axis", m.qrs_axis_deg, m) if m.quality.verdict != "unusable" else ""
    clause = f"QRS axis {round(m.qrs_axis_deg)} degrees" if word else ""
    for side, what in AXES.items():
        yield Verdict("axis", what, "axis", side == word if word else None, clause)
