"""Check of claims: every number and every lead that a text names, held against the measurements."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from uniecg.report import Finding, Report, Status
from uniecg.signal.criteria import check_statement, findings
from uniecg.signal.measurements import LeadMeasurements, Measurements
from uniecg.signal.rules import value_of
from uniecg.text.lead_claims import LeadMention, find_lead_mentions
from uniecg.text.numbers import NUMBER, NumberMention, find_numbers, to_float
from uniecg.text.statements import IMPRESSION, RHYTHMS, STATEMENTS, is_negated, join_names, parse_statements

__all__ = ["TOLERANCE", "Claim", "check_claims", "check_report", "objection"]

TOLERANCE = {
    "heart_rate_bpm": 2.0,
    "atrial_rate_bpm": 10.0,
    "pr_ms": 5.0,
    "qrs_ms": 5.0,
    "qt_ms": 5.0,
    "qtc_ms": 5.0,
    "qrs_axis_deg": 5.0,
    "mv": 0.06,
    "beats": 1.0,
}
"""Largest difference between a stated and a measured number that is no contradiction."""

SIGN_MV = 0.05
"""ST shift (and half of the T inversion limit) that is enough to speak of it."""
NOTABLE_MV = 0.2
"""ST shift or inverted T that no text may deny."""


@dataclass(frozen=True)
class Claim:
    """One thing a text says and what was measured.

    Attributes
    ----------
    quantity : str
        ``"heart_rate_bpm"``, ``"qrs_ms"``, ``"st_elevation"``, ``"q_wave"``, ``"p_waves"``, ...
    lead : str or None
        Lead or group of leads ("inferior leads").
    stated : float or str or None
        The number, or the words, that the text gives.
    measured : float or None
        In the same unit; None if it was not measured.
    ok : bool or None
        True if it agrees, False if it contradicts, None if it cannot be judged.
    text : str
        The words of the claim.
    """

    quantity: str
    lead: str | None
    stated: float | str | None
    measured: float | None
    ok: bool | None
    text: str = ""


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _within(stated: float, measured: float | None, tolerance: float, comparison: str = "=") -> bool | None:
    if measured is None:
        return None
    if comparison == ">":
        return measured >= stated - tolerance
    if comparison == "<":
        return measured <= stated + tolerance
    return abs(stated - measured) <= tolerance


def _measured(m: Measurements, mention: NumberMention) -> float | None:
    """Measured partner of a number; for QTc the formula that is nearer, for an axis the nearer turn."""
    if mention.quantity == "qtc_ms":
        both = [value for value in (m.qtc_fridericia_ms, m.qtc_bazett_ms) if math.isfinite(value)]
        return min(both, key=lambda value: abs(value - mention.value), default=None)
    measured = _known(getattr(m, mention.quantity))
    if mention.quantity == "qrs_axis_deg" and measured is not None:
        return mention.value + (measured - mention.value + 180.0) % 360.0 - 180.0
    return measured


def _number_claims(text: str, m: Measurements) -> Iterator[Claim]:
    for quantity in (
        "heart_rate_bpm",
        "atrial_rate_bpm",
        "pr_ms",
        "qrs_ms",
        "qt_ms",
        "qtc_ms",
        "qrs_axis_deg",
    ):
        for mention in find_numbers(text, quantity):
            measured = _measured(m, mention)
            ok = _within(mention.value, measured, TOLERANCE[quantity], mention.comparison)
            if is_negated(text, mention.start, mention.end) and ok is not None:
                ok = not ok
            yield Claim(
                quantity, None, mention.value, measured, ok, text[mention.start : mention.end].strip()
            )


def _early(m: Measurements) -> float:
    return float(m.beats.premature.sum()) if len(m.beats) else math.nan


_OTHER_NUMBERS: tuple[tuple[str, str, str, Callable[[Measurements], float]], ...] = (
    ("premature_beats", "beats", r"(\d+)\s+(?:premature|early)\s+(?:beats?|complex(?:es)?)", _early),
    (
        "wide_beats",
        "beats",
        r"(\d+)\s+wide\s+(?:beats?|complex(?:es)?)",
        lambda m: value_of(m, "pvc_count", None),
    ),
    (
        "sokolow_lyon_mv",
        "mv",
        rf"Sokolow(?:[\s-]Lyon)?(?:\s+(?:index|voltage))?\s*(?:is|of|=|:)?\s*({NUMBER})(?!\d)",
        lambda m: value_of(m, "sokolow_lyon_mv", None),
    ),
    (
        "limb_qrs_mv",
        "mv",
        rf"limb(?:\s+leads?)?(?:\s+QRS)?\s+(?:up\s+to\s+)?({NUMBER})(?!\d)",
        lambda m: value_of(m, "limb_qrs_mv", None),
    ),
)
_WAVE_SIZE = re.compile(
    rf"\b(?P<wave>[RS])(?:[\s-]waves?)?\s+(?:(?:of|is)\s+(?P<a>{NUMBER})\s*mV\s+in\s+(?:lead\s+)?(?P<x>aV[RLF]|III|II|I|V[1-6])"
    rf"|in\s+(?:lead\s+)?(?P<y>aV[RLF]|III|II|I|V[1-6])\s+(?:is\s+|of\s+)?(?P<b>{NUMBER})\s*mV)"
)


def _other_number_claims(text: str, m: Measurements) -> Iterator[Claim]:
    for quantity, kind, pattern, measure in _OTHER_NUMBERS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            stated, measured = to_float(match[1]), _known(measure(m))
            yield Claim(
                quantity, None, stated, measured, _within(stated, measured, TOLERANCE[kind]), match[0]
            )
    for match in _WAVE_SIZE.finditer(text):
        lead = match["x"] or match["y"]
        quantity = "r_mv" if match["wave"] == "R" else "s_mv"
        stated, measured = abs(to_float(match["a"] or match["b"])), _known(abs(value_of(m, quantity, lead)))
        yield Claim(quantity, lead, stated, measured, _within(stated, measured, TOLERANCE["mv"]), match[0])


def _words(adjectives: str, noun: str) -> str:
    """Pattern of "long PR", "PR 220 ms (long)" and "PR is long", within one item of a sentence."""
    inside = r"(?:(?!\b(?:and|with|no|not|nor)\b)[^.;,])*?"
    return rf"\b(?:{adjectives})\s+(?:\w+\s+)?{noun}\b(?!\s+(?:waves?|axis))|\b{noun}\b{inside}\b(?:{adjectives})\b"


_AXIS = r"(?:QRS\s+|electrical\s+)?axis"
# Quantity, wording, and the range in which the wording is right (limits as in explain, with the tolerance around them).
_QUALITIES: tuple[tuple[str, str, float, float], ...] = (
    ("pr_ms", _words("long|prolonged", r"P[RQ](?:\s+interval)?"), 200.0, math.inf),
    ("pr_ms", _words("short|shortened", r"P[RQ](?:\s+interval)?"), 0.0, 120.0),
    ("pr_ms", _words("normal", r"P[RQ](?:\s+interval)?"), 115.0, 205.0),
    (
        "qrs_ms",
        _words("wide|broad|widened|prolonged", r"QRS(?:\s+(?:complex(?:es)?|duration))?"),
        110.0,
        math.inf,
    ),
    ("qrs_ms", _words("narrow", r"QRS(?:\s+(?:complex(?:es)?|duration))?"), 0.0, 120.0),
    ("qtc_ms", _words("long|prolonged", r"(?:QTc|QT)(?:\s+interval)?"), 450.0, math.inf),
    ("qtc_ms", _words("normal", r"(?:QTc|QT)(?:\s+interval)?"), 335.0, 460.0),
    ("qrs_axis_deg", _words("normal", _AXIS), -30.0, 90.0),
    ("qrs_axis_deg", _words("left|leftward", _AXIS), -90.0, -30.0),
    ("qrs_axis_deg", _words("right|rightward", _AXIS), 90.0, 180.0),
    ("rr_cv", r"(?<!slightly )\birregular(?:ly)?\b", 0.07, math.inf),
    ("rr_cv", r"\bslightly irregular(?:ly)?\b", 0.04, 0.12),
    ("rr_cv", r"(?<!irregularly )\bregular(?:ly)?\b(?! \w*waves?)", 0.0, 0.1),
    ("p_fraction", r"\bP[\s-]waves?\b", 0.35, 1.0),
    ("paced_fraction", r"\bpacing\s+spikes?\b", 0.3, 1.0),
)


def _quality_claims(text: str, m: Measurements) -> Iterator[Claim]:
    for quantity, pattern, low, high in _QUALITIES:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if _is_limit(match[0]):
                continue
            measured, ok = _judge_range(m, quantity, low, high)
            if ok is not None and is_negated(text, *match.span()):
                ok = not ok if quantity in ("p_fraction", "paced_fraction", "rr_cv") else None
            yield Claim(quantity, None, match[0], measured, ok, match[0])


_LIMIT = re.compile(
    r"\b(?:above|below|over|under|more|less|longer|shorter|exceeds?|means?)\b|[<>\u2264\u2265]"
)


def _is_limit(words: str) -> bool:
    """Tell whether words only define a limit ("a long PR is above 200 ms") instead of describing this record."""
    return _LIMIT.search(words) is not None


def _judge_range(m: Measurements, quantity: str, low: float, high: float) -> tuple[float | None, bool | None]:
    if quantity == "qtc_ms":
        both = [value for value in (m.qtc_fridericia_ms, m.qtc_bazett_ms) if math.isfinite(value)]
        inside = [value for value in both if low - 5.0 <= value <= high + 5.0]
        return next(iter(inside or both), None), bool(inside) if both else None
    measured = _known(getattr(m, quantity))
    tolerance = TOLERANCE.get(quantity, 0.0)
    return measured, None if measured is None else low - tolerance <= measured <= high + tolerance


def _sign_in_lead(m: Measurements, mention: LeadMention, lead: str) -> tuple[float | None, bool | None]:
    """Measured value behind a sign in one lead, and whether the sign is there (None: in between or unknown)."""
    waves: LeadMeasurements | None = m.leads.get(lead)
    if waves is None:
        return None, None
    if mention.sign in ("st_elevation", "st_depression"):
        level = _known(waves.st_mv) if m.amplitude_known else None
        shift = level if mention.sign == "st_elevation" or level is None else -level
        return level, None if shift is None else shift >= SIGN_MV
    if mention.sign == "t_inversion":
        height = _known(waves.t_mv)
        return height, None if height is None or (height < 0 and height > -SIGN_MV) else height < 0
    value = _known(waves.q_mv if mention.sign == "q_wave" else waves.r_prime_mv)
    return value, None if value is None else value != 0.0


def _denied(
    m: Measurements, mention: LeadMention, leads: tuple[str, ...]
) -> tuple[float | None, bool | None]:
    """Judge "no ST elevation (in ...)": wrong only if the sign is plain, since small ones are often passed over."""
    values: list[float] = []
    for lead in leads:
        waves = m.leads.get(lead)
        if waves is None or lead in ("aVR", "V1", "III"):
            continue
        if mention.sign == "q_wave":
            values.append(-waves.q_mv if waves.q_ms >= 30.0 and -waves.q_mv >= 0.25 * waves.r_mv else 0.0)
        elif mention.sign == "r_prime":
            values.append(waves.r_prime_mv)
        else:
            level = waves.t_mv if mention.sign == "t_inversion" else waves.st_mv
            up = mention.sign == "st_elevation"
            # V2 and V3 carry up to 0.2 mV of elevation in healthy people.
            values.append(level - (0.1 if lead in ("V2", "V3") else 0.0) if up else -level)
    known = [value for value in values if math.isfinite(value)]
    if not known or not m.amplitude_known:
        return None, None
    worst = max(known)
    return worst, True if worst < 0.1 else False if worst >= NOTABLE_MV else None


def _lead_claims(text: str, m: Measurements) -> Iterator[Claim]:
    mentions = find_lead_mentions(text)
    for mention in mentions:
        words = text[mention.start : mention.end].strip()
        if mention.absent:
            measured, ok = _denied(m, mention, mention.leads or tuple(m.leads))
            yield Claim(mention.sign, mention.place, "absent", measured, ok, words)
            continue
        judged = [_sign_in_lead(m, mention, lead) for lead in mention.leads]
        outcomes = [ok for _, ok in judged if ok is not None]
        present = sum(outcomes) >= min(2, len(mention.leads)) if outcomes else None
        measured = judged[0][0] if len(judged) == 1 else None
        if mention.size_mv is None or mention.is_maximum or measured is None or not present:
            yield Claim(mention.sign, mention.place, "present", measured, present, words)
        else:
            ok = _within(mention.size_mv, abs(measured), TOLERANCE["mv"])
            yield Claim(mention.sign, mention.place, mention.size_mv, measured, ok, words)
    yield from _maximum_claims(text, m, mentions)


def _maximum_claims(text: str, m: Measurements, mentions: list[LeadMention]) -> Iterator[Claim]:
    """Amounts that belong to a whole list of leads: "ST elevation in V2 and V3 (up to 0.3 mV)"."""
    groups: dict[tuple[str, int], list[LeadMention]] = {}
    for mention in mentions:
        if mention.is_maximum and mention.size_mv is not None and not mention.absent:
            groups.setdefault((mention.sign, mention.start), []).append(mention)
    for (sign, start), group in groups.items():
        leads = [lead for mention in group for lead in mention.leads]
        values = [value for lead in leads if (value := _sign_in_lead(m, group[0], lead)[0]) is not None]
        largest = max((abs(value) for value in values), default=None)
        stated = group[0].size_mv or 0.0
        ok = _within(stated, largest, TOLERANCE["mv"])
        yield Claim(sign, None, stated, largest, ok, text[start : group[0].end].strip())


def check_claims(text: str, m: Measurements) -> list[Claim]:
    """Hold every number with a quantity, every lead and every plain quality word of a text against the measurements.

    Statement names are no claims here: whether a statement fits the measurements is judged by its criteria
    (`uniecg.signal.criteria`), see `check_report`. In the impression only numbers and leads are checked.

    Parameters
    ----------
    text : str
        Answer of a model, output of `explain`, or free text.
    m : Measurements
        What was measured in the record.

    Returns
    -------
    list of Claim
        Numbers first, then qualities, then leads; ``ok`` is False where the text contradicts the record.
    """
    body = text[: text.rfind(IMPRESSION)] if IMPRESSION in text else text
    return [
        *_number_claims(text, m),
        *_other_number_claims(text, m),
        *_quality_claims(body, m),
        *_lead_claims(text, m),
    ]


_STATUS: dict[bool | None, Status] = {True: "supported", False: "contradicted", None: "unverified"}


def check_report(text: str, m: Measurements) -> Report:
    """Make a report of a text: its statements judged by their criteria, its contradicted claims as warnings.

    Parameters
    ----------
    text : str
        Answer of a model about the record.
    m : Measurements
        What was measured in the record.

    Returns
    -------
    Report
        Nothing of the text is hidden or changed.
    """
    judged = []
    for code in parse_statements(text):
        met, evidence = check_statement(code, m)
        judged.append(Finding(code, STATEMENTS[code].name, _STATUS[met], evidence))
    warnings = [f"signal quality is {m.quality.verdict}: {reason}" for reason in m.quality.reasons]
    for claim in check_claims(text, m):
        if claim.ok is False:
            measured = "" if claim.measured is None else f", measured {round(claim.measured, 2):g}"
            where = f" in {claim.lead}" if claim.lead else ""
            warnings.append(
                f"'{claim.text}' contradicts the measurement of {claim.quantity}{where}{measured}"
            )
    return Report(text, tuple(judged), m.to_dict(), m.quality.verdict, tuple(warnings))


def objection(report: Report, m: Measurements) -> str:
    """What the measurements say against a report, as words to stand behind its text; empty if nothing.

    Parameters
    ----------
    report : Report
        As `check_report` makes it.
    m : Measurements
        What was measured in the record.

    Returns
    -------
    str
        The contradicted findings and, where a rhythm is among them, the rhythms whose criteria are met.
    """
    against = report.contradicted
    if not against:
        return ""
    text = f"Contradicted by the measurements: {join_names(f.code for f in against)}."
    stated = {finding.code for finding in report.findings}
    fitting = [code for code in findings(m) if code in RHYTHMS and code not in stated]
    if fitting and any(finding.code in RHYTHMS for finding in against):
        text += f" They fit: {join_names(fitting)}."
    return text
