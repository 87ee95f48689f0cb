"""Rules over measurements with three outcomes: met (True), contradicted (False), cannot be judged (None)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from uniecg.report import Evidence
from uniecg.signal.lead_shapes import LEAD_SHAPES, cornell_product_mvs, net_axis_deg
from uniecg.signal.measurements import Measurements
from uniecg.signal.quantities import DERIVED
from uniecg.signal.rhythm import ventricular_run_count

Met = bool | None
Outcome = tuple[Met, tuple[Evidence, ...]]

QUANTITIES = {
    **DERIVED,
    "ventricular_run_count": ventricular_run_count,
    "cornell_product_mvs": cornell_product_mvs,
    "net_axis_deg": net_axis_deg,
}
"""Derived quantity of the whole record -> function of the measurements."""

UNITS = {"_mv": "mV", "_mvs": "mV s", "_ms": "ms", "_bpm": "bpm", "_deg": "degrees", "_cv": "", "_count": ""}

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
    "tallest": ("qrs_on_s", "qrs_off_s"),
    "deepest": ("qrs_on_s", "qrs_off_s"),
    "negative": ("qrs_on_s", "qrs_off_s"),
    "second": ("qrs_on_s", "qrs_off_s"),
    "early": ("qrs_off_s", "t_peak_s"),
    "net": ("qrs_on_s", "qrs_off_s"),
    "cornell": ("qrs_on_s", "qrs_off_s"),
}
"""First word of a quantity -> the part of a beat it was read from."""


# Many rules ask for the same quantity of the same record; measurements never change.
_VALUES: WeakKeyDictionary[Measurements, dict[str, float]] = WeakKeyDictionary()
_SPANS: WeakKeyDictionary[Measurements, dict[str, tuple[float, float]]] = WeakKeyDictionary()


class Rule(Protocol):
    """Anything that can be judged on measurements."""

    def met(self, m: Measurements) -> Met:
        """Return the outcome; it may be known before every part is looked at."""
        ...

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        """Return the values that the outcome rests on."""
        ...


def judge(rule: Rule, m: Measurements) -> Outcome:
    """Return the outcome of a rule together with its evidence."""
    return rule.met(m), rule.evidence(m)


@cache
def unit_of(quantity: str) -> str:
    """Return the unit named by the suffix of a quantity, "" for counts and shares."""
    return next((unit for suffix, unit in UNITS.items() if quantity.endswith(suffix)), "")


def value_of(m: Measurements, quantity: str, lead: str | None) -> float:
    """Return a measured or derived quantity, NaN if it is absent or needs millivolts that are not known.

    Parameters
    ----------
    m : Measurements
    quantity : str
        With a lead a field of `LeadMeasurements` or key of `LEAD_SHAPES`, without one a field of `Measurements`
        or key of `QUANTITIES`.
    lead : str or None
    """
    if quantity.endswith("_mv") and not m.amplitude_known:
        return math.nan
    if lead is not None:
        if lead not in m.leads:
            return math.nan
        shape = LEAD_SHAPES.get(quantity)
        return shape(m.leads[lead]) if shape else float(getattr(m.leads[lead], quantity))
    derived = QUANTITIES.get(quantity)
    if derived is None:
        return float(getattr(m, quantity))
    values = _VALUES.setdefault(m, {})
    if quantity not in values:
        values[quantity] = derived(m)
    return values[quantity]


def evidence_for(m: Measurements, quantity: str, lead: str | None, value: float) -> Evidence:
    """Return the value together with the place in the record it was read from.

    Parameters
    ----------
    m : Measurements
    quantity : str
    lead : str or None
    value : float
        As `value_of` returns it.
    """
    start, end = _span(m, quantity.split("_")[0])
    return Evidence(lead, start, end, quantity, value if math.isfinite(value) else None, unit_of(quantity))


def _span(m: Measurements, word: str) -> tuple[float, float]:
    """Return where in the middle one of the dominant beats a quantity was read, else the whole record."""
    known = _SPANS.setdefault(m, {})
    if word not in known:
        known[word] = (0.0, m.duration_s)
        names = SPANS.get(word)
        if names is not None:
            starts, ends = getattr(m.beats, names[0]), getattr(m.beats, names[1])
            shown = np.flatnonzero(np.isfinite(starts) & np.isfinite(ends) & m.beats.dominant)
            if shown.size:
                middle = shown[len(shown) // 2]
                known[word] = (float(starts[middle]), float(ends[middle]))
    return known[word]


@dataclass(frozen=True)
class Within:
    """A quantity lies in [low, high)."""

    quantity: str
    low: float = -math.inf
    high: float = math.inf
    lead: str | None = None

    def met(self, m: Measurements) -> Met:
        value = value_of(m, self.quantity, self.lead)
        if math.isnan(value):
            return None
        return self.low <= value and (value < self.high or self.high == math.inf)

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        return (evidence_for(m, self.quantity, self.lead, value_of(m, self.quantity, self.lead)),)


@dataclass(frozen=True)
class OfPerson:
    """The person is of this sex and of this age or older; open if it is not known."""

    sex: str | None = None
    min_age: float | None = None

    def met(self, m: Measurements) -> Met:
        sex = True if self.sex is None else None if m.sex is None else m.sex == self.sex
        age = True if self.min_age is None else None if m.age is None else m.age >= self.min_age
        return every((sex, age))

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        return ()


@dataclass(frozen=True)
class Unmeasured:
    """A finding that belongs to a definition but that the measurements do not hold: it cannot be judged."""

    def met(self, m: Measurements) -> Met:
        return None

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        return ()


def every(outcomes: Iterable[Met]) -> Met:
    """Return False if one outcome is, else None if one is open; what comes behind a False is not asked for."""
    result: Met = True
    for met in outcomes:
        if met is False:
            return False
        if met is None:
            result = None
    return result


def at_least(outcomes: Iterable[Met], least: int) -> Met:
    """Tell whether so many outcomes are True, None as long as the open ones could decide it.

    What comes behind the last True needed is not asked for.
    """
    met = undecided = 0
    for outcome in outcomes:
        met += outcome is True
        undecided += outcome is None
        if met >= least:
            return True
    return None if met + undecided >= least else False


@dataclass(frozen=True)
class Every:
    """All parts are met; one contradicted part contradicts the whole."""

    parts: tuple[Rule, ...]

    def met(self, m: Measurements) -> Met:
        return every(part.met(m) for part in self.parts)

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        shown = [part for part in self.parts if part.met(m) is False] or self.parts
        return tuple(item for part in shown for item in part.evidence(m))


@dataclass(frozen=True)
class Some:
    """At least `least` parts are met."""

    parts: tuple[Rule, ...]
    least: int = 1

    def met(self, m: Measurements) -> Met:
        return at_least((part.met(m) for part in self.parts), self.least)

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        met = self.met(m)
        shown = [part for part in self.parts if met is not True or part.met(m) is True]
        return tuple(item for part in shown for item in part.evidence(m))


@dataclass(frozen=True)
class Unless:
    """The part is not met."""

    part: Rule

    def met(self, m: Measurements) -> Met:
        met = self.part.met(m)
        return None if met is None else not met

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        return self.part.evidence(m)


@dataclass(frozen=True)
class Criterion:
    """A rule with the name that people give it and the place where it is written.

    Attributes
    ----------
    name : str
    rule : Rule
    source : str
        Letter(s) of the reference list of `uniecg.signal.criteria`.
    """

    name: str
    rule: Rule
    source: str

    def met(self, m: Measurements) -> Met:
        return self.rule.met(m)

    def evidence(self, m: Measurements) -> tuple[Evidence, ...]:
        return self.rule.evidence(m)


def criteria_in(rule: Rule) -> Iterator[Criterion]:
    """Yield the named criteria of a rule in the order in which they are written, each once.

    Parameters
    ----------
    rule : Rule
    """
    seen: set[str] = set()
    for criterion in _walk(rule):
        if criterion.name not in seen:
            seen.add(criterion.name)
            yield criterion


def _walk(rule: Rule) -> Iterator[Criterion]:
    if isinstance(rule, Criterion):
        yield rule
    elif isinstance(rule, Every | Some):
        for part in rule.parts:
            yield from _walk(part)
    elif isinstance(rule, Unless):
        yield from _walk(rule.part)


def decide(rule: Rule, known: Mapping[str, Met]) -> Met:
    """Combine what is known of the named criteria, the others being open, without looking at measurements.

    Parameters
    ----------
    rule : Rule
        Made of criteria, `Every`, `Some` and `Unless`.
    known : mapping of criterion name to bool or None
    """
    if isinstance(rule, Criterion):
        return known.get(rule.name)
    if isinstance(rule, Every):
        return every(decide(part, known) for part in rule.parts)
    if isinstance(rule, Some):
        return at_least((decide(part, known) for part in rule.parts), rule.least)
    if isinstance(rule, Unless):
        met = decide(rule.part, known)
        return None if met is None else not met
    raise TypeError(f"{rule!r} has no name")


def in_leads(shape: Callable[[str], Rule], leads: tuple[str, ...], least: int = 1) -> Some:
    """Rule that so many of the leads show a shape; its evidence names the leads that do.

    Parameters
    ----------
    shape : callable
        Lead name to rule.
    leads : tuple of str
    least : int
    """
    return Some(tuple(shape(lead) for lead in leads), least)


def all_of(*parts: Rule) -> Every:
    """Every one of the parts."""
    return Every(parts)


def any_of(*parts: Rule) -> Some:
    """One of the parts or more."""
    return Some(parts)


@dataclass(frozen=True)
class Diagnosis:
    """One row of the table of `uniecg.signal.criteria`.

    Attributes
    ----------
    code : str
        SCP-ECG statement code, or a name of our own where that vocabulary has no word (`stated` is False then).
    rule : Rule
        Made of named criteria.
    stated : bool
        Whether `findings` lists it. Rows that refine another one, by territory or type, are for `explain` only.
    """

    code: str
    rule: Rule
    stated: bool = True

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The named criteria of the rule."""
        return tuple(criteria_in(self.rule))

    @property
    def source(self) -> str:
        """Letters of the reference list of `uniecg.signal.criteria`."""
        return " ".join(sorted({letter for item in self.criteria for letter in item.source.split()}))
