"""Statements with what they rest on: the criteria that are met, or what speaks against a statement that was named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from uniecg.signal.criteria import CRITERIA, Judged, check_statement
from uniecg.signal.criteria import explain as judge_criteria
from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import Criterion, Every, Rule, Some, Unless
from uniecg.text.explain.evidence import evidence_words
from uniecg.text.explain.wording import has_family, joined, say, sentence
from uniecg.text.statements import STATEMENTS

__all__ = ["Conclusion", "conclude", "conclusion_words", "lesson_words"]

Status: TypeAlias = Literal["met", "not met", "open"]
MAX_GROUNDS = 3
_STATUS: dict[bool | None, Status] = {True: "met", False: "not met", None: "open"}


@dataclass(frozen=True)
class Conclusion:
    """A statement on one record.

    Attributes
    ----------
    code : str
    status : {"met", "not met", "open"}
        Open if the measurements cannot judge it.
    grounds : tuple of Judged
        The criteria that make it met, or that speak against it.
    excluding : bool
        Whether the grounds are met and rule the statement out, rather than being asked for and not met.
    complete : bool
        Whether the grounds are all criteria of the statement.
    """

    code: str
    status: Status
    grounds: tuple[Judged, ...]
    excluding: bool = False

    @property
    def name(self) -> str:
        """Preferred name of the statement."""
        return STATEMENTS[self.code].name


def conclude(m: Measurements, codes: Iterable[str]) -> list[Conclusion]:
    """Judge statements by their criteria.

    Parameters
    ----------
    m : Measurements
    codes : iterable of str
        SCP-ECG codes.
    """
    return [_conclude(m, code) for code in codes]


def _conclude(m: Measurements, code: str) -> Conclusion:
    status = _STATUS[check_statement(code, m)[0]]
    if status == "open":
        return Conclusion(code, status, ())
    judged = {item.name: item for item in judge_criteria(code, m).criteria}
    asked = [(judged[criterion.name], wanted) for criterion, wanted in _asked(CRITERIA[code].rule)]
    wanted_met = tuple(item for item, wanted in asked if wanted and item.met is True)
    if status == "met":
        return Conclusion(code, status, wanted_met)
    missing = tuple(item for item, wanted in asked if wanted and item.met is False)
    if missing:
        return Conclusion(code, status, missing)
    return Conclusion(code, status, tuple(item for item, wanted in asked if not wanted and item.met), True)


def _asked(rule: Rule, wanted: bool = True) -> Iterator[tuple[Criterion, bool]]:
    """Criteria that a rule asks for, and single ones that it excludes."""
    if isinstance(rule, Criterion):
        yield rule, wanted
    elif isinstance(rule, Every | Some):
        for part in rule.parts:
            yield from _asked(part, wanted)
    elif isinstance(rule, Unless) and isinstance(rule.part, Criterion):
        yield rule.part, not wanted


def conclusion_words(
    m: Measurements, item: Conclusion, told: set[str], rng: np.random.Generator | None = None
) -> str:
    """Word one conclusion with lead, value and time of what it rests on, as a sentence.

    Parameters
    ----------
    m : Measurements
    item : Conclusion
    told : set of str
        Criteria that earlier conclusions told; of many, others are preferred. Those told here are added.
    rng : numpy.random.Generator, optional
        Varies the wording and which of many criteria are told.
    """
    if item.status == "open":
        return sentence(say("open", {"name": item.name}, rng))
    if item.status == "not met":
        return sentence(_denied(m, item, rng))
    chosen = _some([judged for judged in item.grounds if judged.name not in told] or item.grounds, rng)
    told.update(judged.name for judged in chosen)
    grounds = joined([_ground(m, judged, rng) for judged in chosen], "; ", "; ")
    words = say("conclude", {"name": item.name, "grounds": grounds}, rng)
    if len(chosen) < len(item.grounds):
        words = say("conclude_more", {"conclude": words}, rng)
    return sentence(words)


def _some(grounds: Sequence[Judged], rng: np.random.Generator | None) -> Sequence[Judged]:
    if rng is None or len(grounds) <= MAX_GROUNDS:
        return grounds[:MAX_GROUNDS]
    return [grounds[index] for index in sorted(rng.choice(len(grounds), MAX_GROUNDS, replace=False))]


def _ground(m: Measurements, judged: Judged, rng: np.random.Generator | None) -> str:
    evidence = evidence_words(m, judged.evidence, rng)
    if not evidence:
        return say("ground_bare", {"criterion": judged.name}, rng)
    return say("ground", {"criterion": judged.name, "evidence": evidence}, rng)


def _denied(m: Measurements, item: Conclusion, rng: np.random.Generator | None) -> str:
    if not item.grounds:
        return say("denied_bare", {"name": item.name}, rng)
    judged = item.grounds[0 if rng is None else int(rng.integers(len(item.grounds)))]
    evidence = evidence_words(m, judged.evidence, rng)
    values = {
        "name": item.name,
        "criterion": judged.name,
        "found": f" ({evidence})" if evidence else "",
    }
    return say("denied_by" if item.excluding else "denied", values, rng)


def lesson_words(item: Conclusion, rng: np.random.Generator | None = None) -> str:
    """What a teacher adds to a statement: its mechanism in a sentence, or the definition of the vocabulary.

    Parameters
    ----------
    item : Conclusion
    rng : numpy.random.Generator, optional
    """
    family = f"about.{item.code}"
    if not has_family(family):
        return f"{sentence(item.name)[:-1]}: {STATEMENTS[item.code].definition}"
    return sentence(say("about", {"name": item.name, "about": say(family, {}, rng)}, rng))
