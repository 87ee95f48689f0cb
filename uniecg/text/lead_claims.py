"""Statements about single leads in free text: ST shifts, T inversion, Q waves, R', with lead lists and amplitudes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from uniecg.record import LEADS
from uniecg.text.numbers import NUMBER, to_float
from uniecg.text.statements import is_negated

__all__ = ["LeadMention", "Sign", "find_lead_mentions"]

Sign: TypeAlias = Literal["st_elevation", "st_depression", "t_inversion", "q_wave", "r_prime"]

TERRITORIES = {
    "inferolateral": ("II", "III", "aVF", "V5", "V6"),
    "anterolateral": ("I", "aVL", "V3", "V4", "V5", "V6"),
    "anteroseptal": ("V1", "V2", "V3", "V4"),
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "anterior": ("V2", "V3", "V4"),
    "septal": ("V1", "V2"),
    "precordial": LEADS[6:],
    "chest": LEADS[6:],
    "limb": LEADS[:6],
}

# Roman numerals only in capitals: "in i" is no lead.
_LEAD = r"(?:(?i:avr|avl|avf)|III|II|I|[Vv][1-6])(?![\w'])"
_MV = rf"(?P<size>{NUMBER})\s*(?P<unit>mV|mm)\b"
_BARE = r"(?P<level>[+\-\u2212]\d+(?:\.\d+)?)(?![\d.]|\s*(?i:to|-)\s*\d)"  # "V2 +0.2"
_ITEM = re.compile(
    rf"[\s,&/]*(?:and\s+|or\s+|in\s+|leads?\s+)*(?P<first>{_LEAD})"
    rf"(?:\s*(?:-|\u2013|to|through)\s*(?P<last>{_LEAD}))?(?:\s*\(?(?:{_MV}|{_BARE})\)?)?"
)
_GROUP_SIZE = re.compile(
    rf"[\s,]*\(?(?:of\s+)?(?:up\s+to|maximum|max\.?)\s+(?:of\s+)?{_MV}\)?", re.IGNORECASE
)
_TERRITORY = re.compile(rf"\s*(?:the\s+)?({'|'.join(TERRITORIES)})\s+(?:leads?|wall)\b", re.IGNORECASE)
_TERRITORY_BEFORE = re.compile(rf"\b({'|'.join(TERRITORIES)})\s+$", re.IGNORECASE)
_SEEN = r"(?:\s+(?:is|are|was|were|seen|present|noted|visible|found|marked|maximal))*"
_BEFORE_LEADS = (
    rf"\s*(?:\(?(?:of|by|up\s+to|about)?\s*{_MV}\)?)?{_SEEN}\s*(?:(?:in|at|over|across)\s+)?(?:the\s+)?"
)

# What stands before the leads. The short forms ("ST V2 +0.2", "T neg V4", "Q III") are those of measurement_text.
_ANCHORS: tuple[tuple[Sign | None, str], ...] = (
    ("st_elevation", r"ST[\s-]?(?:segments?\s+)?elevations?|(?:elevated|raised)\s+ST(?:[\s-]segments?)?|STE"),
    ("st_elevation", r"ST(?:[\s-]segments?)?\s+(?:is|are|was|were)\s+(?:elevated|raised)"),
    ("st_depression", r"ST[\s-]?(?:segments?\s+)?depressions?|depressed\s+ST(?:[\s-]segments?)?|STD"),
    ("st_depression", r"ST(?:[\s-]segments?)?\s+(?:is|are|was|were)\s+depressed"),
    ("t_inversion", r"T(?:[\s-]?waves?)?\s+(?:inversions?|neg\b)|(?:inverted|negative)\s+T(?:[\s-]?waves?)?"),
    ("t_inversion", r"T(?:[\s-]?waves?)?\s+(?:is|are|was|were)\s+(?:inverted|negative)"),
    ("q_wave", r"Q(?:S)?[\s-]?(?:waves?|complex(?:es)?)|Q(?=\s+(?:III|II|I|aV|V\d))"),
    ("r_prime", r"r?S?R['\u2019\u2032]"),
    (None, r"ST(?=\s+(?:III|II|I|aV[RLF]|V\d)\s*[+\-\u2212])"),
)
_COMPILED = tuple((sign, re.compile(rf"(?<!\w)(?:(?i:{words})){_BEFORE_LEADS}")) for sign, words in _ANCHORS)
_ANY_ST = re.compile(
    r"\bST[\s-]?(?:segments?\s+)?(?:deviations?|changes?|shifts?|elevations?\s+or\s+(?:ST\s+)?depressions?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LeadMention:
    """One sign in one lead, or in any lead of a group, as a text states it.

    Attributes
    ----------
    sign : {"st_elevation", "st_depression", "t_inversion", "q_wave", "r_prime"}
    leads : tuple of str
        One lead; several if a territory is named ("inferior leads"); empty if no lead is named.
    place : str or None
        How the text calls the place: a lead name or ``"inferior leads"``.
    size_mv : float or None
        Stated amount, without sign.
    is_maximum : bool
        Whether `size_mv` is the largest of the leads listed together rather than the value of this lead.
    absent : bool
        Whether the sign is denied.
    start, end : int
        Place in the text.
    """

    sign: Sign
    leads: tuple[str, ...]
    place: str | None
    size_mv: float | None
    is_maximum: bool
    absent: bool
    start: int
    end: int


def _size(match: re.Match[str]) -> float | None:
    groups = match.groupdict()
    if groups.get("size") is not None:
        return abs(to_float(match["size"])) * (0.1 if match["unit"].lower() == "mm" else 1.0)
    return abs(to_float(match["level"])) if groups.get("level") is not None else None


def _canonical(name: str) -> str:
    return next(lead for lead in LEADS if lead.lower() == name.lower())


def _between(first: str, last: str | None) -> tuple[str, ...]:
    """Leads from first to last in the order of the page; a single lead if there is no range."""
    start = LEADS.index(_canonical(first))
    stop = LEADS.index(_canonical(last)) if last else start
    return LEADS[start : stop + 1]


def _listed(text: str, position: int) -> tuple[list[tuple[str, float | None, float | None]], int]:
    """Read a lead list: (lead, size, signed level) of each, and where the list ends."""
    found: list[tuple[str, float | None, float | None]] = []
    while match := _ITEM.match(text, position):
        level = to_float(match["level"]) if match["level"] is not None else None
        found += [(lead, _size(match), level) for lead in _between(match["first"], match["last"])]
        position = match.end()
    return found, position


def find_lead_mentions(text: str) -> list[LeadMention]:
    """Find signs in leads.

    Parameters
    ----------
    text : str
        Free text such as "ST elevation in V2-V4 (up to 0.3 mV), no Q waves, inverted T waves in the lateral leads".

    Returns
    -------
    list of LeadMention
        One for each lead of a list, one for a territory, one without leads for a general denial ("no Q waves").
        Signs that are merely named without a lead are left out.
    """
    found: list[LeadMention] = []
    for sign, pattern in _COMPILED:
        for match in pattern.finditer(text):
            found += _mentions(text, sign, match)
    for match in _ANY_ST.finditer(text):
        if is_negated(text, *match.span()):
            denied: tuple[Sign, ...] = ("st_elevation", "st_depression")
            found += [LeadMention(sign, (), None, None, False, True, *match.span()) for sign in denied]
    return sorted(found, key=lambda mention: mention.start)


def _mentions(text: str, sign: Sign | None, match: re.Match[str]) -> list[LeadMention]:
    start, absent = match.start(), is_negated(text, match.start(), match.end())
    area = _TERRITORY.match(text, match.end())
    area = area or _TERRITORY_BEFORE.search(text, max(start - 20, 0), start)
    if area and sign:
        place, end = area[1].lower(), max(area.end(), match.end())
        return [
            LeadMention(sign, TERRITORIES[place], f"{place} leads", _size(match), True, absent, start, end)
        ]
    leads, end = _listed(text, match.end())
    group = _GROUP_SIZE.match(text, end)
    total = _size(group) if group else _size(match)
    if not leads:
        return [LeadMention(sign, (), None, None, False, True, start, end)] if absent and sign else []
    found = []
    for lead, size, level in leads:
        own: Sign = sign or ("st_elevation" if (level or 0.0) >= 0 else "st_depression")
        is_maximum = size is None and total is not None and len(leads) > 1
        found.append(
            LeadMention(own, (lead,), lead, total if size is None else size, is_maximum, absent, start, end)
        )
    return found
