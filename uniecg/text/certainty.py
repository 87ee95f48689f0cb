"""How sure a text is of what it names: affirmed, probable, possible, not excluded, denied; English, German, Swedish.

References
----------
Chapman et al. 2001, J Biomed Inform 34:301 (negation by cue words and their scope); Wagner et al. 2020, Sci Data 7:154
(the words for likelihood in the reports of PTB-XL: 15 % "cannot be excluded", 50 % "possible", 80 % "consistent with").
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

__all__ = ["CERTAINTIES", "Certainty", "certainty_of", "is_negated"]

Certainty: TypeAlias = Literal["definite", "probable", "possible", "not excluded", "denied"]
CERTAINTIES: tuple[Certainty, ...] = ("definite", "probable", "possible", "not excluded", "denied")
"""From the most to the least certain."""

_REACH = 300  # characters
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

# A word for certainty does not end at "with" ("consistent with"), nor at the full stop of an abbreviation.
_PHRASE_END = re.compile(
    r"[;:!?\n]|(?<!\bv)(?<!\bv\.a)(?<!\bd)(?<!\bd\.d)(?<!mögl)(?<!fragl)(?<!evtl)\.(?!\d)|\b(?:but|however|although)\b",
    re.IGNORECASE,
)

# German and Swedish reports come without full stops: a cue there reaches no further than two words.
_NEGATION_ABROAD = re.compile(
    r"\b(?:kein\w*|ohne|ausschluss|ingen|inga|inget|utan|ej)(?:\s+\w+){0,2}\s+$", re.IGNORECASE
)
_NEGATED_AFTER_ABROAD = re.compile(
    r"\s+(?:(?:ist|sind|wurde)\s+)?(?:ausgeschlossen|nicht\s+(?:nachweisbar|vorhanden)|saknas|föreligger\s+(?:ej|inte))",
    re.IGNORECASE,
)

# How old a finding is may stand between it and the word for its certainty, but "probably old" is about the age.
_AGE = r"(?:\s+(?:old|recent|acute|alte[rs]?|alt|chron\w*\.?|frisch\w*|akute?r?|subakute?r?|gammal|äldre))*"
_IS = r"(?:\s*,?\s*(?:this|which)?\s*\b(?:is|are|may be|ist|sind|är)\b)?(?:\s+(?:a|an|also|eine?))?"
_LEADS = r"(?:,?\s+in\s+[^.;]{1,40}?)?"
_NOT_AGE = r"(?!\s*\.?\s*(?:alt\b|old\b|akut|acute|recent|frisch|äldre|\d))"
_AFTER_WORDS: dict[Certainty, str] = {
    "not excluded": (
        r"(?:can\s*not|can['\u2019]t|could\s+not)\s+be\s+(?:\w+\s+)?(?:excluded|ruled\s+out)\b|not\s+(?:\w+\s+)?"
        r"(?:excluded|ruled\s+out)\b|nicht\s+auszuschlie(?:ss|ß)en\b|kann\s+nicht\s+ausgeschlossen\s+werden\b|"
        r"(?:kan|går)\s+(?:ej|inte)\s+(?:att\s+)?uteslutas?\b"
    ),
    "possible": (
        r"possible\b|questionable\b|should\s+be\s+considered\b|m(?:ö|oe|#)glich(?:erweise)?\b|mögl\.|fraglich\b|"
        r"fragl\.|bör\s+övervägas\b|möjlig\w*|misstänks\b"
    ),
    "probable": r"(?:likely|probable|wahrscheinlich|sannolik\w*|trolig\w*)\b",
}
_BEFORE_WORDS: dict[Certainty, str] = {
    "not excluded": (
        r"(?:cannot|can\s+not|can['\u2019]t|could\s+not|unable\s+to|does\s+not)\s+(?:rule\s+out|exclude)|"
        r"nicht\s+auszuschlie(?:ss|ß)en|kan\s+(?:ej|inte)\s+utesluta"
    ),
    "possible": (
        r"possible|possibly|perhaps|may\s+(?:be|represent|indicate|reflect)|might\s+be|questionable|suspected|"
        r"suspicion\s+of|consider|borderline|rule\s+out|exclude|m(?:ö|oe|#)glich\w*|mögl\.|fraglich\w*|fragl\.|"
        r"eventuell\w*|evtl\.?|verdacht\s+auf|v\.\s?a\.?|d\.d\.|möjlig\w*|misstänkt\w*|misstanke\s+på|överväg"
    ),
    "probable": (
        r"probable|probably|likely|suggest(?:s|ing|ive)?|consistent\s+with|compatible\s+with|indicat(?:es|ing)|"
        r"wahrscheinlich\w*|vereinbar\s+mit|passend\s+zu|hinweis\s+auf|sannolik\w*|trolig\w*|talar\s+för|såsom\s+vid"
    ),
}
_AFTER = {
    certainty: re.compile(rf"{_LEADS}{_AGE}{_IS}\s*,?\s*(?:{words}){_NOT_AGE}", re.IGNORECASE)
    for certainty, words in _AFTER_WORDS.items()
}
_BEFORE = {
    certainty: re.compile(rf"\b({words})\W+(?:\w+\W+){{0,3}}$", re.IGNORECASE)
    for certainty, words in _BEFORE_WORDS.items()
}


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


def certainty_of(text: str, start: int, end: int, since: int = 0) -> Certainty:
    """How sure a text is of its mention ``text[start:end]``.

    A word for certainty counts if it stands directly behind the mention or at most three words before it in the same
    clause. The last one before the mention counts ("possible inferior, probable anterior infarction").

    Parameters
    ----------
    text : str
    start, end : int
        The mention.
    since : int
        Where the mention before this one ends: words before it are about that one.

    Returns
    -------
    str
        One of `CERTAINTIES`.
    """
    # What stands further away says nothing of it, and long texts stay quick to read.
    first = max(0, start - _REACH)
    text, start, end, since = text[first : end + _REACH], start - first, end - first, max(0, since - first)
    for certainty, pattern in _AFTER.items():
        if pattern.match(text, end):
            return certainty
    phrase = text[max((m.end() for m in _PHRASE_END.finditer(text, since, start)), default=since) : start]
    if is_negated(text, start, end) or _NEGATED_AFTER_ABROAD.match(text, end):
        return "not excluded" if _BEFORE["not excluded"].search(phrase) else "denied"
    if _NEGATION_ABROAD.search(phrase):
        return "denied"
    # The cue next to the mention counts, and of two that end there the longer one ("cannot rule out", "rule out").
    cues = [
        ((cue.end(1), -cue.start(1)), certainty)
        for certainty, pattern in _BEFORE.items()
        if (cue := pattern.search(phrase)) is not None
    ]
    return max(cues)[1] if cues else "definite"
