"""Statements in text: finding them in requests and reports with certainty and place, and writing them again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from uniecg.record import LEADS
from uniecg.text.certainty import CERTAINTIES, Certainty, Named, certainties, is_negated
from uniecg.text.phrases import PhraseTable, names, wordings
from uniecg.text.vocabulary import (
    CODE_OF_SNOMED,
    RHYTHMS,
    STATEMENTS,
    SUPERCLASSES,
    VOCABULARY,
    Limit,
    Statement,
    conflicts,
    join_names,
    nearest_statement,
    superclasses_of,
)

__all__ = [
    "CODE_OF_SNOMED",
    "IMPRESSION",
    "PLACES",
    "RHYTHMS",
    "STATEMENTS",
    "SUPERCLASSES",
    "VOCABULARY",
    "Assertion",
    "Limit",
    "Mention",
    "Statement",
    "conflicts",
    "find_statements",
    "is_negated",
    "join_names",
    "nearest_statement",
    "parse_assertions",
    "parse_statements",
    "render_statements",
    "superclasses_of",
]

IMPRESSION = (
    "Impression:"  # opens the conclusion of a report; statements are read from there when it is present
)
PLACES = (
    "anteroseptal", "anterolateral", "inferolateral", "inferior", "anterior", "high lateral", "lateral", "septal",
    "posterior", "limb", "chest",
)  # fmt: skip
"""Places of an assertion, apart from single leads."""

_NAMES = PhraseTable(names())
_WORDINGS = PhraseTable(wordings())

_PLACE_STEMS = {
    "high lateral": r"high[\s-]lateral|hochlateral|hög\s+lateral",
    "limb": "limb|peripher|extremitets",
    "chest": "chest|precordial|brustwand",
} | {place: place for place in PLACES if place not in ("high lateral", "limb", "chest")}
_PLACE_OF = tuple(
    (place, re.compile(rf"(?:{stem})(?:\w{{0,2}}|ly)\b", re.IGNORECASE))
    for place, stem in _PLACE_STEMS.items()
)
_ANY_PLACE = "|".join(rf"(?:{stem})\w{{0,2}}" for stem in _PLACE_STEMS.values())
_PLACE_AFTER = re.compile(
    rf"\s*(?:(?:in|i|über|of|the)\s+)*({_ANY_PLACE})(?:\s+(?:leads?|wall|ableitung\w*|avledning\w*)|t\b)",
    re.IGNORECASE,
)
_PLACE_BEFORE = re.compile(rf"\b({_ANY_PLACE})\s+(?:non-?specific\s+|unspezifische\w*\s+)?$", re.IGNORECASE)
_LEAD = r"(?:aVR|aVL|aVF|III|II|I|V[1-6](?:\s*,\s*[2-6](?!\d))*)"
_LEADS_AFTER = re.compile(
    rf"\s*(?:in|i|über)\s+(?:leads?\s+)?({_LEAD}(?:(?:\s*[,/–-]\s*|\s+(?:(?:and|und|och|to)\s+)?)"
    rf"(?:{_LEAD}|[2-6](?!\d)))*)(?!\w)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"V([1-6])\s*(?:-|–|to)\s*V?([1-6])", re.IGNORECASE)
_ONE_LEAD = re.compile(r"aV[RLF]|III|II|I|V?[1-6]", re.IGNORECASE)
_LEAD_NAMES = {lead.lower(): lead for lead in LEADS}


@dataclass(frozen=True)
class Mention:
    """Where a text names a statement: ``text[start:end]``, denied or not."""

    code: str
    start: int
    end: int
    negated: bool


@dataclass(frozen=True)
class Assertion:
    """What a text says of one statement.

    Attributes
    ----------
    code : str
        One of `VOCABULARY`.
    certainty : str
        ``"definite"``, ``"probable"``, ``"possible"``, ``"not excluded"`` or ``"denied"``.
    place : str or None
        One of `PLACES` ("inferior leads"), for statements that are `Statement.local`.
    leads : tuple of str
        Leads that are named one by one ("in V2-V4"), in the order of `uniecg.record.LEADS`, for the same statements.

    Raises
    ------
    KeyError
        If the code is not in the vocabulary.
    ValueError
        If a place or leads are given for a statement that has none, or both are given.
    """

    code: str
    certainty: Certainty = "definite"
    place: str | None = None
    leads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        placed = self.place is not None or bool(self.leads)
        if placed and not VOCABULARY[self.code].local:
            raise ValueError(f"{VOCABULARY[self.code].name} is not said of single leads")
        if self.place is not None and (self.leads or self.place not in PLACES):
            raise ValueError(f"{self.place!r} is not one of: {', '.join(PLACES)}, or leads are named as well")


def find_statements(text: str) -> list[Mention]:
    """Find every mention of a statement, the longest phrase first ("incomplete left bundle branch block" is ILBBB).

    Only codes and English names of `STATEMENTS` are looked for: these are what a request shows the model as tokens.
    Reports in other words and languages are for `parse_assertions`.

    Parameters
    ----------
    text : str
        Free text.

    Returns
    -------
    list of Mention
        In the order of the text, without overlaps.
    """
    return [
        Mention(code, start, end, is_negated(text, start, end))
        for codes, start, end in _NAMES.find(text)
        for code in codes
    ]


def parse_assertions(text: str) -> list[Assertion]:
    """What a report in English, German or Swedish says, with certainty and place; `render_statements` is the inverse.

    In a report only what follows the last "Impression:" is read, since the findings before it name ST and Q changes as
    evidence.

    Parameters
    ----------
    text : str
        Report, request or list of names.

    Returns
    -------
    list of Assertion
        In the order of first mention. Of several assertions about the same statement at the same place the most certain
        counts.
    """
    text = text[text.rfind(IMPRESSION) + len(IMPRESSION) :] if IMPRESSION in text else text
    # Single spaces: machines fill their reports with runs of them, and the patterns below allow space in many places.
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text))
    assertions: dict[tuple[str, str | None, tuple[str, ...]], Assertion] = {}
    found = list(_WORDINGS.find(text))
    said = certainties(text, [Named(start, end, list_kind(codes[0])) for codes, start, end in found])
    for (codes, start, end), certainty in zip(found, said, strict=True):
        for code in codes:
            place, leads = _place(text, start, end) if VOCABULARY[code].local else (None, ())
            assertion = Assertion(code, certainty, place, leads)
            known = assertions.setdefault((code, place, leads), assertion)
            if CERTAINTIES.index(assertion.certainty) < CERTAINTIES.index(known.certainty):
                assertions[code, place, leads] = assertion
    return list(assertions.values())


def parse_statements(text: str) -> list[str]:
    """Statements that a free text affirms, or holds for possible.

    What a report denies ("no", "without", "is absent") is left out; so is what SCP-ECG has no word for, unless one of
    `STATEMENTS` is a wider word for it. See `parse_assertions` for all of it.

    Parameters
    ----------
    text : str
        Report, request or list of names, in English, German or Swedish.

    Returns
    -------
    list of str
        Codes in the order of first mention, each once.
    """
    found = (
        nearest_statement(assertion.code)
        for assertion in parse_assertions(text)
        if assertion.certainty != "denied"
    )
    return list(dict.fromkeys(code for code in found if code is not None))


def render_statements(assertions: Iterable[Assertion]) -> str:
    """Assertions in canonical English words; `parse_assertions` is the inverse.

    Parameters
    ----------
    assertions : iterable of Assertion
        No two about the same statement at the same place.

    Returns
    -------
    str
        For example ``"sinus rhythm; possible left atrial enlargement; no atrial fibrillation"``.
    """
    return "; ".join(_words(assertion) for assertion in assertions)


def _words(assertion: Assertion) -> str:
    words = VOCABULARY[assertion.code].name
    if assertion.place is not None:
        words += f" in {assertion.place} leads"
    elif assertion.leads:
        words += f" in {', '.join(assertion.leads)}"
    if assertion.certainty == "not excluded":
        return f"{words} cannot be excluded"
    before = {"definite": "", "probable": "probable ", "possible": "possible ", "denied": "no "}
    return before[assertion.certainty] + words


def list_kind(code: str) -> str | None:
    """What a list may go on with: "no LVH, RVH" denies both, "no AF, sinus rhythm" one. None: nothing but itself."""
    statement = VOCABULARY[code]
    if statement.local:
        return "of leads"
    if statement.kind == "rhythm":
        return None
    while statement.parent is not None:
        statement = VOCABULARY[statement.parent]
    return statement.superclass if statement.code == code else statement.code


def _place(text: str, start: int, end: int) -> tuple[str | None, tuple[str, ...]]:
    """Place and leads that are named beside a mention."""
    named = _LEADS_AFTER.match(text, end)
    if named is not None:
        return None, _leads(named[1])
    beside = _PLACE_AFTER.match(text, end) or _PLACE_BEFORE.search(text, max(0, start - 60), start)
    if beside is None:
        return None, ()
    return next(place for place, stem in _PLACE_OF if stem.fullmatch(beside[1])), ()


def _leads(text: str) -> tuple[str, ...]:
    """Lead names of a list such as "I, aVL, V3-5" or "V4,5,6", in the order of `LEADS`."""
    found = {f"V{number}" for low, high in _RANGE.findall(text) for number in range(int(low), int(high) + 1)}
    for name in _ONE_LEAD.findall(text):
        found.add(_LEAD_NAMES[name.lower() if not name.isdigit() else f"v{name}"])
    return tuple(lead for lead in LEADS if lead in found)
