"""Numbers, names and passages by reference: the language model learns to point at them, not to spell.

A small model copies digits badly, can invent them, and has to learn many names for one diagnosis. So every
number of a request is followed by a slot token ``<|n0|>``, ``<|n1|>``, ..., every measured quantity has a token
of its own, and so has every statement: whatever a request calls it, the model reads ``<|AFIB|>``. A passage of
:mod:`uniecg.text.knowledge` is one token as well. Replies are learned with these tokens in place of digits, names
and passages. Filled in afterwards, such a number is one that was asked for or measured, such a statement has its
preferred name and such an explanation is the text kept in the package. Nothing forbids the model to spell all the same:
what it spells is checked like any claim (:mod:`uniecg.text.verify`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping

from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import value_of
from uniecg.text.explain import significant_st
from uniecg.text.knowledge import passages
from uniecg.text.numbers import NUMBER, find_numbers
from uniecg.text.statements import STATEMENTS, find_statements

__all__ = [
    "PASSAGE_TOKENS",
    "REFERENCE",
    "SLOT_TOKENS",
    "STATEMENT_TOKENS",
    "fill",
    "has_digits",
    "mark_request",
    "mark_statements",
    "measured_values",
    "plain_request",
    "point",
    "request_values",
]

MAX_REQUEST_NUMBERS = 10
# "V1" is a lead and "<|1AVB|>" a statement; a minus counts as a sign only where no word or digit stands before it.
_REQUEST_NUMBER = re.compile(r"(?<![vV\d.,|])(?:(?<![\w)])[-\u2212])?\d+(?:\.\d+)?")
_DIGITS = re.compile(NUMBER)
_MENTIONED = ("heart_rate_bpm", "atrial_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg")
_PHRASES = {
    "premature_beats": re.compile(r"(\d+) premature beat"),
    "wide_beats": re.compile(r"(\d+) wide beat"),
    "rr_cv_percent": re.compile(r"vary by (\d+) %"),
    "sokolow_lyon_mv": re.compile(r"Sokolow-Lyon (\d+\.\d)"),
    "limb_qrs_mv": re.compile(r"[Ll]imb lead QRS up to (\d+\.\d)"),
    "st_elevation_mv": re.compile(r"ST elevation in [^().]*?\(?up to (\d+\.\d) mV"),
    "st_depression_mv": re.compile(r"ST depression in [^().]*?\(?up to (\d+\.\d) mV"),
}
_NOTHING, _PLACE = "\0", "\ue000"
_LEAD = re.compile(r"\bV[1-6]\b")
REFERENCE = re.compile(r"<\|([^|\s]+)\|>")
_SENTENCE_START = re.compile(r"(?:^|[.?!])\s*$")
SLOT_TOKENS = [f"<|{name}|>" for name in (*_MENTIONED, *_PHRASES)]
SLOT_TOKENS += [f"<|n{index}|>" for index in range(MAX_REQUEST_NUMBERS)]
STATEMENT_TOKENS = [f"<|{code}|>" for code in STATEMENTS]
PASSAGE_TOKENS = [f"<|{key}|>" for key in passages()]


def plain_request(text: str) -> str:
    """A request without accents, letter case and odd spaces: a small model should not care about them."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).lower()
    return " ".join(plain.split())


def mark_statements(text: str) -> str:
    """The text with a token in place of every name of a statement that is affirmed; denied ones stay as words."""
    return _replace(text, [(m.start, m.end, m.code) for m in find_statements(text) if not m.negated])


def mark_request(request: str, *, plain: bool = True) -> str:
    """A request as the model reads it: statements as tokens, a slot token behind each of its first ten numbers.

    Parameters
    ----------
    request : str
        As the user wrote it; what looks like a token of ours loses its brackets.
    plain : bool
        Whether the words are simplified by :func:`plain_request`.
    """
    return _mark(request, plain)[0]


def request_values(request: str) -> dict[str, str]:
    """Slot name to digits of the numbers that :func:`mark_request` marks in a request."""
    return _mark(request, True)[1]


def _mark(request: str, plain: bool) -> tuple[str, dict[str, str]]:
    # One form of every letter before anything is looked for: full-width brackets and digits are brackets and digits.
    request = unicodedata.normalize("NFKC", request)
    marked = mark_statements(request.replace("<|", "< ").replace("|>", " >"))
    if plain:
        tokens = iter(REFERENCE.findall(marked))
        # A private character keeps the place of each token: letter case matters inside it only.
        words = plain_request(REFERENCE.sub(_PLACE, marked.replace(_PLACE, "")))
        marked = re.sub(_PLACE, lambda _: f"<|{next(tokens)}|>", words)
    values: dict[str, str] = {}

    def mark(match: re.Match[str]) -> str:
        if len(values) == MAX_REQUEST_NUMBERS:
            return match[0]
        slot = f"n{len(values)}"
        values[slot] = match[0].replace("\u2212", "-")
        return f"{match[0]}<|{slot}|>"

    return _REQUEST_NUMBER.sub(mark, marked), values


def measured_values(m: Measurements) -> dict[str, str]:
    """Slot name to digits as explanations write them; what was not measured is left out."""
    st = significant_st(m).values()
    numbers = {
        "heart_rate_bpm": m.heart_rate_bpm,
        "atrial_rate_bpm": m.atrial_rate_bpm,
        "pr_ms": m.pr_ms,
        "qrs_ms": m.qrs_ms,
        "qt_ms": m.qt_ms,
        "qtc_ms": m.qtc_fridericia_ms,
        "qrs_axis_deg": m.qrs_axis_deg,
        "premature_beats": float(m.beats.premature.sum()),
        "wide_beats": value_of(m, "pvc_count", None),
        "rr_cv_percent": 100 * m.rr_cv,
        "sokolow_lyon_mv": value_of(m, "sokolow_lyon_mv", None),
        "limb_qrs_mv": value_of(m, "limb_qrs_mv", None),
        "st_elevation_mv": max((level for level in st if level > 0), default=math.nan),
        "st_depression_mv": -min((level for level in st if level < 0), default=math.nan),
    }
    return {
        name: f"{value:.1f}" if name.endswith("_mv") else str(round(value))
        for name, value in numbers.items()
        if math.isfinite(value)
    }


def point(text: str, values: Mapping[str, str]) -> str:
    """Replace passages, names of statements, and digits of known values; :func:`fill` is the inverse.

    Parameters
    ----------
    text : str
        A reply in words and digits.
    values : mapping
        From :func:`measured_values` (reply about an ECG) or :func:`request_values` (reply to a request).
    """
    places = [
        (mention.start, mention.end, mention.code)
        for mention in find_statements(text)
        if text[mention.start : mention.end] == _name(mention.code, text[: mention.start])
    ]
    for key, passage in passages().items():
        if (start := text.find(passage)) >= 0:
            places.append((start, start + len(passage), key))
    numbers: list[tuple[int, int, str]] = []
    for quantity in _MENTIONED:
        for mention in find_numbers(text, quantity):
            if (number := _DIGITS.search(text, mention.start, mention.end)) is not None:
                numbers.append((*number.span(), quantity))
    for name, pattern in _PHRASES.items():
        numbers += [(*match.span(1), name) for match in pattern.finditer(text)]
    taken = {start for start, _, name in numbers if name in values}
    free = {name: digits for name, digits in values.items() if re.fullmatch(r"n\d+", name)}
    for match in _DIGITS.finditer(text):
        equal = [slot for slot, value in free.items() if float(value) == float(match[0])]
        if equal and match.start() not in taken:
            numbers.append((*match.span(), equal[0]))
            del free[equal[0]]
    for start, end, name in numbers:
        if name in values and float(values[name]) == float(text[start:end]):
            places.append((start, end, name))
    return _replace(text, places)


def has_digits(pointed: str) -> bool:
    """Whether a text keeps digits that no token stands for, apart from those of leads."""
    words = "".join(REFERENCE.split(pointed)[::2])
    return any(character.isdigit() for character in _LEAD.sub("", words))


def _replace(text: str, places: Iterable[tuple[int, int, str]]) -> str:
    """Tokens in place of parts of a text; of overlapping places the first counts, then the longest."""
    result, position = "", 0
    for start, end, name in sorted(places, key=lambda place: (place[0], -place[1])):
        if start >= position:
            result += text[position:start] + f"<|{name}|>"
            position = end
    return result + text[position:]


def _name(code: str, before: str) -> str:
    """Preferred name of a statement, with a capital where a sentence starts."""
    name = STATEMENTS[code].name
    return name[0].upper() + name[1:] if _SENTENCE_START.search(before) else name


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace tokens by digits, names and passages and drop every phrase that points at nothing; other tokens vanish.

    A reply of which nothing is left says that it cannot be measured.
    """

    def words(match: re.Match[str]) -> str:
        if match[1] in STATEMENTS:
            return _name(match[1], text[: match.start()])
        if match[0] in SLOT_TOKENS:
            return values.get(match[1], _NOTHING)
        return passages().get(match[1], "")

    text = text.strip()
    filled = REFERENCE.sub(words, text).strip()
    if _NOTHING not in filled:
        return filled
    kept = []
    for sentence in re.split(r"(?<=[.?!])\s+", filled):
        parts = [part for part in sentence.rstrip(".").split(", ") if _NOTHING not in part]
        if parts and all(parts):
            phrase = ", ".join(parts)
            kept.append(phrase[0].upper() + phrase[1:] + ".")
    return " ".join(kept) or "This cannot be measured here."
