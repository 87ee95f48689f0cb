"""Which leads a value rests on that several leads make together, such as a voltage sum or a count of leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

import numpy as np

from uniecg.report import Evidence
from uniecg.signal.measurements import LeadMeasurements, Measurements
from uniecg.signal.rules import value_of

__all__ = ["with_leads"]

SILENT = LeadMeasurements(**{item.name: 0.0 for item in fields(LeadMeasurements)})


def with_leads(m: Measurements, evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    """Name the leads of values that several leads make together: one piece of evidence for each of them.

    Parameters
    ----------
    m : Measurements
    evidence : iterable of Evidence
        As criteria give it. What names a lead already, or rests on none, comes back as it is.
    """
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
    if not item.value:  # unknown, or a count of none
        return []
    return [
        lead
        for lead in m.leads
        if value_of(replace(m, leads={**m.leads, lead: SILENT}), item.quantity, None) != item.value
    ]
