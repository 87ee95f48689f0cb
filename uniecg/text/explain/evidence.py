"""The values that a criterion rests on, in words: quantity, value, lead, and the time of the beat it was read from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from uniecg.report import Evidence
from uniecg.signal.carriers import with_leads
from uniecg.signal.filters import BoolArray
from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import value_of
from uniecg.text.explain.wording import has_family, joined, say

__all__ = ["evidence_words", "times_of", "whole"]

MAX_TIMES = 4
MAX_LEADS = 4
MAX_QUANTITIES = 3
SHARES = ("_fraction", "_irregularity", "_cv", "_regularity", "_share")
SHOWN_AS = {"qtc_excess_ms": "qtc_fridericia_ms", "cornell_excess_mv": "cornell_mv"}
"""Differences from a limit are told by the value itself."""
BEATS_OF = {"pvc_count": "pvc", "pac_count": "pac"}


def whole(value: float) -> str:
    """A number without decimals."""
    return str(round(value))


def times_of(m: Measurements, chosen: BoolArray) -> str:
    """Times of the R peaks of some beats: ``"at 1.20 and 4.31 s"``, the first ones if there are many.

    Parameters
    ----------
    m : Measurements
    chosen : ndarray of bool, shape (n_beats,)
    """
    times = [f"{time:.2f}" for time in m.beats.r_peak_s[chosen]]
    more = len(times) > MAX_TIMES
    return f"at {joined(times[:MAX_TIMES])} s" + (" and later" if more else "")


def evidence_words(
    m: Measurements,
    evidence: Iterable[Evidence],
    rng: np.random.Generator | None = None,
) -> str:
    """Word the values behind a criterion; empty if none was measured.

    Parameters
    ----------
    m : Measurements
    evidence : iterable of Evidence
    rng : numpy.random.Generator, optional
        Varies the wording.
    """
    groups: dict[str, list[Evidence]] = {}
    for item in evidence:
        shown = _shown(m, item)
        same = groups.setdefault(shown.quantity, [])
        if shown.value is not None and shown not in same:
            same.append(shown)
    known = [(quantity, items) for quantity, items in groups.items() if items]
    words: list[str] = []
    said: set[tuple[float, float]] = set()
    for quantity, items in known[:MAX_QUANTITIES]:
        words.append(_group(m, quantity, items, said, rng))
    return "; ".join(words)


def _shown(m: Measurements, item: Evidence) -> Evidence:
    quantity = SHOWN_AS.get(item.quantity)
    if quantity is None or item.value is None:
        return item
    value = value_of(m, quantity, None)
    return replace(item, quantity=quantity, value=value if math.isfinite(value) else None)


def _group(
    m: Measurements,
    quantity: str,
    items: Sequence[Evidence],
    said: set[tuple[float, float]],
    rng: np.random.Generator | None,
) -> str:
    """Word the values of one quantity; a time that was `said` of the same criterion is not said again."""
    placed = list(with_leads(m, items[:MAX_LEADS]))
    by_value: dict[str, list[str]] = {}
    for item in placed:
        leads = by_value.setdefault(_value(quantity, item), [])
        if item.lead is not None and item.lead not in leads:
            leads.append(item.lead)
    every = [lead for leads in by_value.values() for lead in leads]
    if all(item.value == 0.0 for item in placed) and has_family(f"e.{quantity}.none"):
        words = say(f"e.{quantity}.none", {"leads": joined(every) if every else ""}, rng)
    else:
        # A value that several leads make together stands once, with the leads in brackets.
        form = "{} ({})" if items[0].lead is None else "{} in {}"
        values = [form.format(text, joined(leads)) if leads else text for text, leads in by_value.items()]
        words = say(f"e.{quantity}", {"values": joined(values)}, rng)
    return words + _when(m, quantity, placed[0], said, rng)


def _when(
    m: Measurements,
    quantity: str,
    item: Evidence,
    said: set[tuple[float, float]],
    rng: np.random.Generator | None,
) -> str:
    """Where in the record the value was read; nothing if it belongs to all of it."""
    if quantity in BEATS_OF:
        chosen = m.beats.kind == BEATS_OF[quantity]
        return f", {times_of(m, chosen)}" if chosen.any() else ""
    span = (item.start_s, item.end_s)
    if item.end_s - item.start_s > 0.9 * m.duration_s or span in said:
        return ""
    said.add(span)
    return say("when", {"start": f"{item.start_s:.2f}", "end": f"{item.end_s:.2f}"}, rng)


def _value(quantity: str, item: Evidence) -> str:
    value = math.nan if item.value is None else item.value
    if quantity.endswith(SHARES):
        return f"{whole(100 * value)} %"
    if quantity.endswith("_count"):
        return whole(value)
    if item.unit in ("ms", "bpm", "degrees"):
        return f"{whole(value)} {item.unit}"
    return f"{round(value, 2) + 0.0:.2f} {item.unit}".rstrip()
