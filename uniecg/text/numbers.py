"""Numbers with a meaning in free text: rate, intervals, axis and age, with units and comparisons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "NUMBER",
    "NumberMention",
    "RangeMention",
    "find_numbers",
    "find_range_mentions",
    "find_ranges",
    "to_float",
]

Comparison: TypeAlias = Literal["=", ">", "<"]

NUMBER = r"[+\-\u2212]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"

_MORE = r"above|over|(?:more|longer|greater|wider|higher|faster)\s+than|exceed(?:s|ing)|at\s+least|>=?|\u2265"
_LESS = r"below|under|(?:less|shorter|smaller|narrower|lower|slower)\s+than|at\s+most|up\s+to|<=?|\u2264"
_LINK = r"(?::|=|~|\u2248|\b(?:is|was|of|at|de|di|von|van|p\u00e5)\b)?"
_ABOUT = r"(?:(?:about|around|approximately|approx\.?|roughly|near|exactly|ca\.?|~)\s*)?"
_VALUE = rf"(?P<compare>{_MORE}|{_LESS})?\s*{_ABOUT}(?P<value>{NUMBER}|\.\d+)(?![\d.]*\d)"
_AFTER = r"(?P<after>\s*(?:or|and)\s+(?:more|longer|above|higher|wider|less|shorter|below|lower))?"
_NOTE = r"\s*(?:\([a-z]+\)\s*)?"  # "rate (ventricular) 72"
_RANGE = r"(?!\s*(?:-|\u2013|to\b)\s*\d)"  # "120 to 200 ms" is a range, not a value
_NO_RANGE = r"(?<!\d-)(?<!\d\u2013)(?<!\d to )(?<![\d.])"
# English, then German, Swedish, Dutch, French, Spanish, Italian and Portuguese, as requests are written in them.
_PER_MINUTE = (
    r"(?:bpm|lpm|(?:(?:beats?|slag(?:en)?|schläge)\s*)?(?:(?:per|a|each|every)\s+|/\s*)min(?:ute)?|b/min"
    r"|(?:schläge\s+)?pro\s+minute|(?:slag(?:en)?\s+)?per\s+minu(?:ut|t)"
    r"|(?:battements\s+)?par\s+minute|(?:latidos\s+)?por\s+minuto|(?:battiti\s+)?al\s+minuto)(?![a-z])"
)
_RATE = (
    r"(?<![a-z])(?<!atrial )(?:(?:ventricular|heart|pulse|cardiac|sinus)\s+(?:rate|frequency)"
    r"|rate|pulse|frequency|hr|(?:herz|kammer)?frequenz|puls|hjärtfrekvens|hart(?:frequentie|slag)"
    r"|(?:fr[ée]quence|frecuencia|frequenza|frequência)\s+card[iíì]a(?:que|ca)|fc)(?![a-z])"
)
# The end of a clause must follow: "axis 45 degrees left bundle branch block" turns nothing to the left.
_LEFT = r"(?P<left>\s*(?:\u00b0|degrees?|deg)?\s*(?:to\s+the\s+)?left(?:wards?)?(?=\s*(?:[,.;)]|and\b|$)))?"
_NO_MILLIVOLT = r"(?!\s*(?:mv|mm\b|%|years?))"


def _interval(name: str) -> str:
    word = rf"(?<![a-z]){name}(?![a-z/])(?:[\s-]+(?:duration|interval|time|width))?"
    unit = r"\s*(?P<unit>ms|msec|milliseconds?|s|sec|seconds?)?(?![\w%])"
    return rf"{word}{_NOTE}{_LINK}\s*{_VALUE}{_RANGE}{_NO_MILLIVOLT}{unit}{_AFTER}"


# In each quantity the earlier pattern is the more explicit one.
_PATTERNS: dict[str, tuple[re.Pattern[str], ...]] = {
    name: tuple(re.compile(expression, re.IGNORECASE) for expression in expressions)
    for name, expressions in {
        "heart_rate_bpm": (
            rf"{_RATE}{_NOTE}{_LINK}\s*{_VALUE}{_RANGE}(?!\s*(?:ms|s\b|hz|%|years?))(?:\s*{_PER_MINUTE})?{_AFTER}",
            rf"(?P<compare>{_MORE}|{_LESS})?\s*{_NO_RANGE}(?P<value>{NUMBER})\s*{_PER_MINUTE}{_AFTER}",
        ),
        "atrial_rate_bpm": (
            rf"(?<![a-z])atrial\s+rate{_NOTE}{_LINK}\s*{_VALUE}{_RANGE}(?:\s*{_PER_MINUTE})?{_AFTER}",
        ),
        "pr_ms": (_interval("P[RQ]"),),
        "qrs_ms": (_interval("QRSd?"),),
        "qt_ms": (_interval("QT"),),
        "qtc_ms": (_interval(r"(?:QTc[BF]?|corrected\s+QT)"),),
        "qrs_axis_deg": (
            rf"(?<![pt][\s-])(?<![a-z])axis(?:\s+deviation)?(?![a-z]){_NOTE}{_LINK}\s*{_VALUE}{_RANGE}"
            rf"(?!\s*(?:ms|bpm|years?)){_LEFT}{_AFTER}",
            rf"(?P<value>{NUMBER})\s*(?:\u00b0|degrees?|deg)\s+(?:QRS\s+|electrical\s+)?axis",
        ),
        "age": (
            rf"(?P<value>{NUMBER})[\s-]*(?:years?|yrs?|y/o|yo|y\.o\.)(?![a-z])",
            rf"(?<![a-z])aged?(?![a-z])\s*(?:[:=]|is|of)?\s*{_ABOUT}(?P<value>{NUMBER})(?!\s*(?:ms|bpm))",
            r"(?<![\w.\-])(?P<value>\d{1,3})\s*/?\s*[fm](?![\w/])",
            r"(?<![\w/])[fm]/(?P<value>\d{1,3})(?![\w/.])",
            # Not how long ago: "vor 5 Jahren", "för 5 år sedan".
            r"(?<!vor )(?<!seit )(?<![\w.,\-])(?P<value>\d{1,3})[\s-]*(?:jahre?n?|j[äa]hrig\w*|år(?:s|ig\w*)?)"
            r"(?![a-zåäö])(?!\s+sedan)",
            rf"(?:man|woman|patient|male|female),?\s+(?:of\s+)?(?P<value>{NUMBER})"
            r"(?!\s*(?:ms|bpm|mv|/|\u00b0|deg|[\d.]))",
        ),
    }.items()
}


@dataclass(frozen=True)
class NumberMention:
    """One number in a text and what it is said to be.

    Attributes
    ----------
    quantity : str
        ``"heart_rate_bpm"`` (ventricular), ``"atrial_rate_bpm"``, ``"pr_ms"``, ``"qrs_ms"``, ``"qt_ms"``,
        ``"qtc_ms"``, ``"qrs_axis_deg"`` or ``"age"``.
    value : float
        In the unit of the quantity; seconds are turned into milliseconds.
    comparison : {"=", ">", "<"}
        Whether the text says "is", "at least" or "at most"; ">" and "<" include the value.
    start, end : int
        Place in the text.
    """

    quantity: str
    value: float
    comparison: Comparison
    start: int
    end: int


def to_float(digits: str) -> float:
    """Number from its digits; a typographic minus is understood."""
    return float(digits.replace("\u2212", "-"))


def _mention(quantity: str, match: re.Match[str]) -> NumberMention:
    groups = match.groupdict()
    value = to_float(match["value"])
    if (groups.get("unit") or "").lower().startswith("s"):
        value *= 1000.0
    if groups.get("left"):
        value = -abs(value)
    comparison: Comparison = "="
    if groups.get("compare"):
        comparison = ">" if re.fullmatch(_MORE, groups["compare"], re.IGNORECASE) else "<"
    elif groups.get("after"):
        comparison = (
            ">" if re.search(r"more|longer|above|higher|wider", groups["after"], re.IGNORECASE) else "<"
        )
    return NumberMention(quantity, value, comparison, match.start(), match.end())


def find_numbers(text: str, quantity: str) -> list[NumberMention]:
    """Find all numbers that a text gives for one quantity.

    Parameters
    ----------
    text : str
        Free text.
    quantity : str
        One of the names in `NumberMention.quantity`.

    Returns
    -------
    list of NumberMention
        Explicit wordings ("rate 72") before implicit ones ("72 bpm"); each number once. Ranges are left out.
    """
    # "atrial rate 300 bpm" is no ventricular rate, though "300 bpm" alone would be.
    taken = find_numbers(text, "atrial_rate_bpm") if quantity == "heart_rate_bpm" else []
    found: list[NumberMention] = []
    for pattern in _PATTERNS[quantity]:
        for match in pattern.finditer(text):
            mention = _mention(quantity, match)
            if all(mention.end <= other.start or mention.start >= other.end for other in (*taken, *found)):
                found.append(mention)
    return found


_FILLER = (
    r"(?:(?:may|must|should|can)\s+(?:be|lie)\s+)?"
    r"(?:(?:anywhere|somewhere|lying|ranging|in\s+the\s+range|range|irgendwo)\s+(?:of\s+|:\s*)?)?"
)
_EDGE_UNIT = r"\s*(?:ms|bpm|lpm|/\s*min|\u00b0|degrees?|years?)?\s*"
_SPAN = (
    rf"{_FILLER}(?:(?:between|from|zwischen|von|entre|de|mellan|från)\s+)?(?<![\d.])(?P<low>[-\u2212]?\d+(?:\.\d+)?)"
    rf"{_EDGE_UNIT}(?:-|\u2013|\b(?:to|and|bis|und|et|à|y|a|och|till)\b)\s*(?P<high>[-\u2212]?\d+(?:\.\d+)?)(?![\d.]*\d)"
)
_MS = r"\s*(?P<unit>ms|msec|milliseconds?|s|sec|seconds?)?(?![\w%])(?!\s*/)"
_ATRIAL = re.compile(r"atrial\s+(?:rate|frequency)\W*(?:of|is)?\s*$", re.IGNORECASE)
_SPANS: dict[str, tuple[re.Pattern[str], ...]] = {
    name: tuple(re.compile(expression, re.IGNORECASE) for expression in expressions)
    for name, expressions in {
        "heart_rate_bpm": (
            rf"(?:{_RATE}|(?<![a-z])frekvens(?![a-z])){_NOTE}{_LINK}\s*{_SPAN}(?!\s*(?:ms|s\b))",
            rf"{_SPAN}\s*{_PER_MINUTE}",
        ),
        **{
            f"{name.lower()}_ms": (
                rf"(?<![a-z]){word}(?![a-z/])(?:[\s-]+(?:duration|interval|time|width))?{_NOTE}{_LINK}\s*{_SPAN}{_MS}",
            )
            for name, word in (("PR", "P[RQ]"), ("QRS", "QRSd?"), ("QT", "QT"))
        },
        "qrs_axis_deg": (rf"(?<![pt][\s-])(?<![a-z])axis(?![a-z]){_NOTE}{_LINK}\s*{_SPAN}",),
        "age": (
            rf"{_SPAN}[\s-]*(?:years?|yrs?|y/o|yo|y\.o\.|jahren?|ans|años|år)(?![a-z])",
            rf"(?<![a-z])age[ds]?(?![a-z])\s*(?:[:=]|is|of)?\s*{_SPAN}(?!\s*(?:ms|bpm))",
        ),
    }.items()
}


class RangeMention(NamedTuple):
    """One range in a text: its ends in the unit of the quantity, and its place."""

    low: float
    high: float
    start: int
    end: int


def find_range_mentions(text: str, quantity: str) -> list[RangeMention]:
    """Find what `find_ranges` finds, with its place; a range that is named twice is there twice."""
    found: list[RangeMention] = []
    for pattern in _SPANS[quantity]:
        for match in pattern.finditer(text):
            scale = 1000.0 if (match.groupdict().get("unit") or "").lower().startswith("s") else 1.0
            low, high = scale * to_float(match["low"]), scale * to_float(match["high"])
            if low < high and not _ATRIAL.search(text, 0, match.start()):
                found.append(RangeMention(low, high, *match.span()))
    return found


def find_ranges(text: str, quantity: str) -> list[tuple[float, float]]:
    """Find the ranges that a text gives for one quantity, such as "rate between 60 and 80" or "QRS 120-140 ms".

    Parameters
    ----------
    text : str
        Free text in English, German, French, Spanish or Swedish.
    quantity : str
        ``"heart_rate_bpm"``, ``"pr_ms"``, ``"qrs_ms"``, ``"qt_ms"``, ``"qrs_axis_deg"`` or ``"age"``.

    Returns
    -------
    list of (float, float)
        Lower and upper end in the unit of the quantity; seconds are turned into milliseconds. What runs backwards is no
        range.
    """
    return list(dict.fromkeys((low, high) for low, high, _, _ in find_range_mentions(text, quantity)))
