"""The controlled vocabulary: 71 SCP-ECG statements with names, synonyms and definitions, and a parser for free text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

__all__ = [
    "IMPRESSION",
    "RHYTHMS",
    "STATEMENTS",
    "SUPERCLASSES",
    "Mention",
    "Statement",
    "find_statements",
    "is_negated",
    "join_names",
    "parse_statements",
    "superclasses_of",
]

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
IMPRESSION = (
    "Impression:"  # opens the conclusion of a report; statements are read from there when it is present
)


@dataclass(frozen=True)
class Statement:
    """One diagnostic, form or rhythm statement.

    Attributes
    ----------
    code : str
        SCP-ECG code as PTB-XL writes it, such as ``"AFIB"``.
    name : str
        Preferred English name, lower case except for abbreviations.
    synonyms : tuple of str
        Other names and abbreviations, understood in any letter case.
    superclass : str or None
        One of `SUPERCLASSES`; None for form and rhythm statements.
    kind : str
        ``"diagnostic"``, ``"form"`` or ``"rhythm"``.
    definition : str
        What it is and its ECG criteria, for teaching.
    snomed : str or None
        SNOMED CT concept used by the PhysioNet/CinC Challenge 2021, where there is one.

    References
    ----------
    ISO 11073-91064 (SCP-ECG); Wagner et al., PTB-XL, Sci Data 7:154 (2020); Reyna et al., CinC 2021.
    Criteria: AHA/ACCF/HRS recommendations for the interpretation of the ECG, parts III-VI (2009); Thygesen et al.,
    fourth universal definition of myocardial infarction (2018); Kligfield et al. (2007).
    """

    code: str
    name: str
    synonyms: tuple[str, ...]
    superclass: str | None
    kind: str
    definition: str
    snomed: str | None


def _read() -> dict[str, Statement]:
    table = files("uniecg.text").joinpath("statements.csv").read_text(encoding="utf-8")
    return {
        row["code"]: Statement(
            code=row["code"],
            name=row["name"],
            synonyms=tuple(row["synonyms"].split("|")),
            superclass=row["superclass"] or None,
            kind=row["kind"],
            definition=row["definition"],
            snomed=row["snomed"] or None,
        )
        for row in csv.DictReader(table.splitlines())
    }


STATEMENTS: dict[str, Statement] = _read()
RHYTHMS: tuple[str, ...] = tuple(code for code, statement in STATEMENTS.items() if statement.kind == "rhythm")


def join_names(codes: Iterable[str]) -> str:
    """Preferred names of statement codes, joined by ``", "``; `parse_statements` is the inverse.

    Raises
    ------
    KeyError
        If a code is not one of `STATEMENTS`.
    """
    return ", ".join(STATEMENTS[code].name for code in codes)


def superclasses_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Diagnostic superclasses of statement codes, in the order of `SUPERCLASSES`."""
    found = {STATEMENTS[code].superclass for code in codes}
    return tuple(name for name in SUPERCLASSES if name in found)


_ORDINALS = {
    "first": "(?:first|1st)",
    "second": "(?:second|2nd)",
    "third": "(?:third|3rd)",
    "av": r"a[\s-]?v",
}


def _phrase_pattern(phrase: str) -> str:
    """Regular expression of a name: any letter case, hyphen or space, plural, British or American spelling."""
    words = []
    for word in phrase.split():
        parts = [re.escape(part).replace("ischemi", "ischa?emi") for part in word.lower().split("-")]
        words.append(r"[\s\-\u2010-\u2013]*".join(_ORDINALS.get(part, part) for part in parts))
    plural = "(?:s|es)?" if phrase[-1].isalpha() else ""
    return r"(?i:" + r"[\s\-\u2010-\u2013]+".join(words) + plural + ")"


@dataclass(frozen=True)
class Mention:
    """Where a text names a statement: ``text[start:end]``, denied or not."""

    code: str
    start: int
    end: int
    negated: bool


@dataclass(frozen=True)
class _Phrases:
    """All phrases that begin with one character, the longest first, so that the longest that fits wins."""

    pattern: re.Pattern[str]
    codes: tuple[str, ...]


def _by_initial() -> dict[str, _Phrases]:
    # A code is matched as it is written, for some ("EL", "DIG", "PACE") are words in lower case.
    entries = [(code, code, re.escape(code)) for code in STATEMENTS]
    for statement in STATEMENTS.values():
        for phrase in (statement.name, *statement.synonyms):
            entries.append((statement.code, phrase, _phrase_pattern(phrase)))
    entries.sort(key=lambda entry: -len(entry[1]))
    initials: dict[str, list[tuple[str, str]]] = {}
    for code, phrase, expression in entries:
        word = re.split(r"[\s-]", phrase.lower())[0]
        digits = {"first": "1", "second": "2", "third": "3"}.get(word, "")
        for initial in word[0] + digits:
            initials.setdefault(initial, []).append((code, expression))
    return {
        initial: _Phrases(
            re.compile(rf"(?:{'|'.join(f'({expression})' for _, expression in found)})(?!\w)"),
            tuple(code for code, _ in found),
        )
        for initial, found in initials.items()
    }


_PHRASES = _by_initial()
_WORD_START = re.compile(r"(?<!\w)\w")
_CLAUSE_END = re.compile(r"[.;:!?\n](?!\d)|\b(?:but|however|although|with|only)\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"(?:\b(?:no|not|without|never|neither|nor|negative for|absence of|free of|lacks?|lacking|instead of|rather than)\b"
    r"|\b(?:do|does|did|should)n['\u2019]t\b)(?!\s+(?:only|doubt|(?:be\s+)?(?:ruled?|exclude)))",
    re.IGNORECASE,
)
_NEGATED_AFTER = re.compile(
    r"\s+(?:is|are|was|were)\s+(?:absent|excluded|ruled out|not\s+(?:present|seen|found|visible|there))",
    re.IGNORECASE,
)
_OR = re.compile(r"\b(?:or|nor)\b", re.IGNORECASE)


def is_negated(text: str, start: int, end: int) -> bool:
    """Tell whether the mention ``text[start:end]`` stands under a simple negation ("no", "without", "is absent")."""
    if _NEGATED_AFTER.match(text, end):
        return True
    clause_start = max((m.end() for m in _CLAUSE_END.finditer(text, 0, start)), default=0)
    following = _CLAUSE_END.search(text, end)
    clause_end = following.start() if following else len(text)
    for cue in _NEGATION.finditer(text, clause_start, start):
        scope_end = text.find(",", cue.end(), clause_end)
        if scope_end < 0:
            return True
        last_or = max((m.end() for m in _OR.finditer(text, scope_end, clause_end)), default=-1)
        if last_or >= 0:  # "no A, B or C" denies all three
            scope_end = text.find(",", last_or, clause_end)
        if scope_end < 0 or start < scope_end:
            return True
    return False


def find_statements(text: str) -> list[Mention]:
    """Find every mention of a statement, the longest phrase first ("incomplete left bundle branch block" is ILBBB).

    Parameters
    ----------
    text : str
        Free text.

    Returns
    -------
    list of Mention
        In the order of the text, without overlaps.
    """
    found = []
    position = 0
    for start in (word.start() for word in _WORD_START.finditer(text)):
        phrases = _PHRASES.get(text[start].lower())
        match = phrases.pattern.match(text, start) if phrases and start >= position else None
        if phrases is None or match is None or match.lastindex is None:
            continue
        position = match.end()
        code = phrases.codes[match.lastindex - 1]
        found.append(Mention(code, start, position, is_negated(text, start, position)))
    return found


def parse_statements(text: str) -> list[str]:
    """Statements that a free text affirms.

    Statements under a simple negation ("no", "without", "not", "is absent") are left out. In a report only what
    follows the last "Impression:" is read, since the findings before it name ST and Q changes as evidence.

    Parameters
    ----------
    text : str
        Report, request or list of names.

    Returns
    -------
    list of str
        Codes in the order of first mention, each once.
    """
    text = text[text.rfind(IMPRESSION) + len(IMPRESSION) :] if IMPRESSION in text else text
    return list(dict.fromkeys(mention.code for mention in find_statements(text) if not mention.negated))
