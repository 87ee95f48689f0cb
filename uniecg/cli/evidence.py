"""The findings of a record with what they rest on, for the picture of the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np

from ..plot import Basis, Claim
from ..report import Evidence, Finding
from ..signal import LeadMeasurements, Measurements
from ..signal.criteria import check, explain, findings
from ..signal.rules import value_of
from ..text.statements import STATEMENTS

SILENT = LeadMeasurements(**{item.name: 0.0 for item in fields(LeadMeasurements)})


def findings_of(m: Measurements) -> list[Finding]:
    """Return the statements whose criteria are met, with the values that they rest on."""
    return [Finding(code, STATEMENTS[code].name, "supported", check(code, m)[1]) for code in findings(m)]


def claims_of(m: Measurements) -> list[Claim]:
    """Return the findings that the criteria meet, each value with the leads it comes from."""
    claims = []
    for code in findings(m):
        judged = (item for item in explain(code, m).criteria if item.met is not None)
        bases = (Basis(item.name, tuple(_in_leads(m, item.evidence)), item.met is True) for item in judged)
        claims.append(Claim(STATEMENTS[code].name, tuple(bases)))
    return claims


def _in_leads(m: Measurements, evidence: tuple[Evidence, ...]) -> Iterator[Evidence]:
    """Name the leads of values that several leads make together, such as voltages and counts of leads."""
    for item in evidence:
        leads = _carriers(m, item) if item.lead is None else []
        if not leads:
            yield item
            continue
        whole = item.end_s - item.start_s > 0.9 * m.duration_s
        start, end = _qrs_span(m) if whole else (item.start_s, item.end_s)
        for lead in leads:
            yield replace(item, lead=lead, start_s=start, end_s=end)


def _qrs_span(m: Measurements) -> tuple[float, float]:
    """Return begin and end of the QRS complex in the middle beat of the dominant shape."""
    beats = m.beats
    shown = np.flatnonzero(np.isfinite(beats.qrs_on_s) & np.isfinite(beats.qrs_off_s) & beats.dominant)
    if not shown.size:
        return 0.0, m.duration_s
    middle = shown[shown.size // 2]
    return float(beats.qrs_on_s[middle]), float(beats.qrs_off_s[middle])


def _carriers(m: Measurements, item: Evidence) -> list[str]:
    """Return the leads without whose waves the value would be another."""
    if item.value is None:
        return []
    return [
        lead
        for lead in m.leads
        if value_of(replace(m, leads={**m.leads, lead: SILENT}), item.quantity, None) != item.value
    ]
