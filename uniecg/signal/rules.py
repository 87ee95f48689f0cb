"""Rules over measurements with three outcomes: met (True), contradicted (False), cannot be judged (None)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from uniecg.report import Evidence
from uniecg.signal.measurements import Measurements
from uniecg.signal.quantities import DERIVED

Outcome = tuple[bool | None, tuple[Evidence, ...]]

UNITS = {"_mv": "mV", "_ms": "ms", "_bpm": "bpm", "_deg": "degrees", "_cv": "", "_count": ""}

SPANS: Mapping[str, tuple[str, str]] = {
    "pr": ("p_on_s", "qrs_on_s"),
    "p": ("p_on_s", "p_off_s"),
    "q": ("qrs_on_s", "qrs_off_s"),
    "qrs": ("qrs_on_s", "qrs_off_s"),
    "r": ("qrs_on_s", "qrs_off_s"),
    "s": ("qrs_on_s", "qrs_off_s"),
    "st": ("qrs_off_s", "t_peak_s"),
    "j": ("qrs_off_s", "t_peak_s"),
    "t": ("qrs_off_s", "t_off_s"),
    "qt": ("qrs_on_s", "t_off_s"),
    "qtc": ("qrs_on_s", "t_off_s"),
}
"""First word of a quantity -> the part of a beat it was read from."""


class Rule(Protocol):
    """Anything that can be judged on measurements."""

    def judge(self, m: Measurements) -> Outcome:
        """Return the outcome with the values it rests on."""
        ...


def unit_of(quantity: str) -> str:
    """Return the unit named by the suffix of a quantity, "" for counts and shares."""
    return next((unit for suffix, unit in UNITS.items() if quantity.endswith(suffix)), "")


def value_of(m: Measurements, quantity: str, lead: str | None) -> float:
    """Return a measured or derived quantity, NaN if it is absent or needs millivolts that are not known.

    Parameters
    ----------
    m : Measurements
    quantity : str
        Field of `LeadMeasurements` (with a lead), field of `Measurements` or key of `DERIVED`.
    lead : str or None
    """
    if quantity.endswith("_mv") and not m.amplitude_known:
        return math.nan
    if lead is not None:
        return float(getattr(m.leads[lead], quantity)) if lead in m.leads else math.nan
    if quantity in DERIVED:
        return DERIVED[quantity](m)
    return float(getattr(m, quantity))


def evidence_for(m: Measurements, quantity: str, lead: str | None) -> Evidence:
    """Return the value together with the place in the record it was read from.

    Parameters
    ----------
    m : Measurements
    quantity : str
    lead : str or None
    """
    value = value_of(m, quantity, lead)
    start, end = 0.0, m.duration_s
    span = SPANS.get(quantity.split("_")[0])
    if span is not None:
        starts, ends = getattr(m.beats, span[0]), getattr(m.beats, span[1])
        shown = np.flatnonzero(np.isfinite(starts) & np.isfinite(ends) & m.beats.dominant)
        if shown.size:
            middle = shown[len(shown) // 2]
            start, end = float(starts[middle]), float(ends[middle])
    return Evidence(lead, start, end, quantity, value if math.isfinite(value) else None, unit_of(quantity))


@dataclass(frozen=True)
class Within:
    """A quantity lies in [low, high)."""

    quantity: str
    low: float = -math.inf
    high: float = math.inf
    lead: str | None = None

    def judge(self, m: Measurements) -> Outcome:
        value = value_of(m, self.quantity, self.lead)
        met = None if math.isnan(value) else self.low <= value < self.high
        return met, (evidence_for(m, self.quantity, self.lead),)


@dataclass(frozen=True)
class Every:
    """All parts are met; one contradicted part contradicts the whole."""

    parts: tuple[Rule, ...]

    def judge(self, m: Measurements) -> Outcome:
        outcomes = [part.judge(m) for part in self.parts]
        against = tuple(item for met, found in outcomes if met is False for item in found)
        if against:
            return False, against
        met = None if any(met is None for met, _ in outcomes) else True
        return met, tuple(item for _, found in outcomes for item in found)


@dataclass(frozen=True)
class Some:
    """At least `least` parts are met."""

    parts: tuple[Rule, ...]
    least: int = 1

    def judge(self, m: Measurements) -> Outcome:
        outcomes = [part.judge(m) for part in self.parts]
        met = [found for outcome, found in outcomes if outcome]
        if len(met) >= self.least:
            return True, tuple(item for found in met for item in found)
        everything = tuple(item for _, found in outcomes for item in found)
        open_parts = sum(outcome is None for outcome, _ in outcomes)
        return (None if len(met) + open_parts >= self.least else False), everything


@dataclass(frozen=True)
class Unless:
    """The part is not met."""

    part: Rule

    def judge(self, m: Measurements) -> Outcome:
        met, found = self.part.judge(m)
        return (None if met is None else not met), found
