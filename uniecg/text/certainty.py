"""How sure a text is of what it names: affirmed, probable, possible, not excluded, denied; English, German, Swedish.

References
----------
Chapman et al. 2001, J Biomed Inform 34:301 (negation by cue words and their scope); Wagner et al. 2020, Sci Data 7:154
(the words for likelihood in the reports of PTB-XL: 15 % "cannot be excluded", 50 % "possible", 80 % "consistent with").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["CERTAINTIES", "Certainty", "Named", "certainties", "is_negated"]

Certainty: TypeAlias = Literal["definite", "probable", "possible", "not excluded", "denied"]
CERTAINTIES: tuple[Certainty, ...] = ("definite", "probable", "possible", "not excluded", "denied")
"""From the most to the least certain."""

_REACH = 300  # characters

# The first three belong to `is_negated`, which marked the requests that the shipped weights were trained with: what
# reports need beyond them stands further down.
_CLAUSE_END = re.compile(r"[.;:!?\n](?!\d)|\b(?:but|however|although|with|only)\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"(?:\b(?:no|not|without|never|neither|nor|negative for|absence of|free of|lacks?|lacking|instead of|rather than)\b"
    r"|\b(?:do|does|did|should)n['\u2019]t\b)(?!\s+(?:only|doubt|(?:be\s+)?(?:ruled?|exclude)))",
    re.IGNORECASE,
)
_OR = re.compile(r"\b(?:or|nor)\b", re.IGNORECASE)
_NEGATED_AFTER = re.compile(
    r"\s+(?:is|are|was|were)\s+(?:absent|excluded|ruled out|not\s+(?:present|seen|found|visible|there))",
    re.IGNORECASE,
)

# What reaches to the end of its clause or list: "no evidence of", "weder", "kein Hinweis auf", "inga tecken till".
_NO_CHANGE = (
    r"(?!\s+(?:(?:significant|major|relevant|interval|definite)\s+)*changes?\s+(?:in|from|since|to)\b)"
)
_DENIAL = re.compile(
    rf"{_NEGATION.pattern}{_NO_CHANGE}|\bweder\b|"
    r"\b(?:kein\w*|ohne)\s+(?:\w+\s+){0,2}(?:hinweis\w*|anhalt\w*|(?:an)?zeichen|nachweis\w*)\b|"
    r"\b(?:ing(?:en|a|et)|utan)\s+(?:\w+\s+){0,2}(?:tecken|hållpunkt\w*|belägg)\b",
    re.IGNORECASE,
)
_DENIAL_END = re.compile(
    rf"{_CLAUSE_END.pattern}|\b(?:aber|jedoch|sondern|mit|men|dock|med)\b", re.IGNORECASE
)
_ANY_OR = re.compile(r"\b(?:or|nor|oder|noch|eller)\b", re.IGNORECASE)
# German and Swedish reports come without full stops: other words there reach no further than two words.
_DENIED_BEFORE = re.compile(
    r"\b(?:(?:kein\w*|ohne|ausschluss|ing(?:en|a|et)|utan)(?:\s+\w+){0,2}|"
    r"(?:nicht|nie|ej|inte|aldrig)(?:\s+(?:mehr|eine?n?|eindeutig\w*|sicher\w*|längre|någo[nt]|några|säker\w*))?|"
    r"(?:previously|formerly)(?:,?\s+there\s+(?:was|were))?(?:\s+(?:an?|some|in))?|"
    r"unlikely|unwahrscheinlich\w*|osannolik\w*)\s+$",
    re.IGNORECASE,
)
_VERBS = r"\s+(?:(?:is|are|was|were|has|have|had|can|could|be|been|now|ist|sind|wurde|är|har)\s+){0,3}"
_DENIED_AFTER = re.compile(
    rf"{_VERBS}(?:absent|excluded|ruled\s+out|resolved|disappeared|(?:very\s+|highly\s+)?unlikely|no\s+longer|"
    r"not\s+(?:clearly\s+)?(?:present|seen|found|visible|there|identified|detected|noted|apparent)\b"
    r"(?!\s+(?:\w+\s+){0,2}(?:previous|prior|earlier|before|last|old))|"
    r"ausgeschlossen|unwahrscheinlich|nicht\s+(?:mehr\s+)?(?:nachweisbar|vorhanden|erkennbar|sichtbar|zu\s+sehen)|"
    r"saknas|osannolik\w*|kan\s+uteslutas|(?:föreligger|syns|ses|finns)\s+(?:ej|inte)|"
    r"(?:ej|inte)\s+(?:längre\s+)?(?:påvis\w*|synlig\w*))(?!\w)",
    re.IGNORECASE,
)

# Between two mentions: "or" shares what is said of one of them with the other, and a comma shares a denial.
_ARTICLE = r"(?:\s+(?:an?|the|eine?[nrsm]?|ett))?"
_ONLY_OR = re.compile(rf"\s*,?\s*(?:or|nor|oder|noch|eller){_ARTICLE}\s+", re.IGNORECASE)
_OR_WORDS = re.compile(r"\s*,?\s*(?:or|nor|oder|noch|eller)(?:\s+\w+){0,2}\s+", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:,|(?:,\s*)?\b(?:and|und|och)\b)\s*", re.IGNORECASE)
_LIST_BEGINS = re.compile(
    r"\b(?:no|without|negative for|absence of|free of|kein\w*|ohne|ing(?:en|a|et)|utan)(?:\s+\w+){0,4}\s+$",
    re.IGNORECASE,
)
_LIST_GOES_ON = re.compile(r"\s*(?:[,.;:!\n]|$|\b(?:and|or|und|oder|och|eller)\b)", re.IGNORECASE)

# A word for certainty does not end at "with" ("consistent with"), nor at the full stop of an abbreviation.
_PHRASE_END = re.compile(
    r"[;:!?\n]|(?<!\bv)(?<!\bv\.a)(?<!\bd)(?<!\bd\.d)(?<!mögl)(?<!fragl)(?<!evtl)\.(?!\d)|\b(?:but|however|although)\b",
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
        r"(?:excluded|ruled\s+out)\b|nicht\s+(?:sicher\s+)?auszuschlie(?:ss|ß)en\b|"
        r"(?:kann\s+)?nicht\s+(?:sicher\s+)?ausgeschlossen\b(?:\s+werden\b)?|"
        r"(?:kan|går)\s+(?:ej|inte)\s+(?:att\s+)?uteslutas?\b"
    ),
    "possible": (
        r"\?(?!\w)|possible\b|questionable\b|(?:should|must)\s+be\s+(?:considered|excluded|ruled\s+out)\b|"
        r"m(?:ö|oe|#)glich(?:erweise)?\b|mögl\.|fraglich\b|fragl\.|bör\s+övervägas\b|möjlig\w*|misstänks\b"
    ),
    "probable": r"(?:likely|probable|wahrscheinlich|sannolik\w*|trolig\w*)\b",
}
_BEFORE_WORDS: dict[Certainty, str] = {
    "not excluded": (
        r"(?:cannot|can\s+not|can['\u2019]t|could\s+not|unable\s+to|does\s+not)\s+(?:rule\s+out|exclude)|"
        r"nicht\s+(?:sicher\s+)?(?:auszuschlie(?:ss|ß)en|ausgeschlossen)|"
        r"(?:kan|går)\s+(?:ej|inte)\s+(?:att\s+)?uteslutas?"
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


@dataclass(frozen=True)
class Named:
    """Where a text names something: ``text[start:end]``; a list is made up of things of one `kind`, None of none."""

    start: int
    end: int
    kind: str | None


def is_negated(text: str, start: int, end: int) -> bool:
    """Tell whether the mention ``text[start:end]`` stands under a simple negation ("no", "without", "is absent")."""
    return _NEGATED_AFTER.match(text, end) is not None or _reached(
        text, start, end, _NEGATION, _CLAUSE_END, _OR
    )


def _reached(
    text: str,
    start: int,
    end: int,
    cues: re.Pattern[str],
    clause_ends: re.Pattern[str],
    or_words: re.Pattern[str],
    first: int = 0,
) -> bool:
    """Tell whether a cue from `first` on, before the mention, reaches it: to the end of its clause or list."""
    clause_start = max((m.end() for m in clause_ends.finditer(text, first, start)), default=first)
    following = clause_ends.search(text, end)
    clause_end = following.start() if following else len(text)
    for cue in cues.finditer(text, clause_start, start):
        scope_end = text.find(",", cue.end(), clause_end)
        if scope_end < 0:
            return True
        last_or = max((m.end() for m in or_words.finditer(text, scope_end, clause_end)), default=-1)
        if last_or >= 0:  # "no A, B or C" denies all three
            scope_end = text.find(",", last_or, clause_end)
        if scope_end < 0 or start < scope_end:
            return True
    return False


def certainties(text: str, mentions: Sequence[Named]) -> list[Certainty]:
    """How sure a text is of each of its mentions.

    A word for certainty counts if it stands directly behind the mention or at most three words before it in the same
    clause. The last one before the mention counts ("possible inferior, probable anterior infarction"). What "or" joins
    shares the word ("no LVH or RVH", "LVH or RVH cannot be excluded"); a bare list of things of one kind shares its
    denial ("no LVH, RVH"), and one of any kinds if "or" comes before its last.

    Parameters
    ----------
    text : str
    mentions : sequence of Named
        In the order of the text, without overlaps.

    Returns
    -------
    list of str
        One of `CERTAINTIES` for each mention.
    """
    said: list[Certainty] = []
    since, used, in_list = 0, 0, False
    for place, mention in enumerate(mentions):
        certainty, stop = _own_certainty(text, mention, since, used)
        before = mentions[place - 1] if place else None
        joint = text[before.end : mention.start] if before else ""
        goes_on = (
            in_list
            and before is not None
            and (before.kind == mention.kind is not None or _ONLY_OR.match(text, mention.end) is not None)
            and _LIST.fullmatch(joint) is not None
            and _LIST_GOES_ON.match(text, mention.end) is not None
        )
        if certainty == "definite" and before is not None:
            shared = said[-1] == "denied" and _OR_WORDS.fullmatch(joint)
            if goes_on or shared or _ONLY_OR.fullmatch(joint):
                certainty = said[-1]
        elif before is not None and said[-1] == "definite" and _ONLY_OR.fullmatch(joint):
            said[-1] = certainty
        in_list = certainty == "denied" and (
            goes_on
            or _LIST_BEGINS.search(text, max(since, mention.start - _REACH), mention.start) is not None
        )
        said.append(certainty)
        since, used = stop, stop if stop > mention.end else used
    return said


def _own_certainty(text: str, mention: Named, since: int, used: int) -> tuple[Certainty, int]:
    """What the words beside one mention say of it, and where it ends, with the denial behind it.

    Words for likelihood before `since` are about another mention, and so are denials before `used`. A word for
    likelihood between two mentions may belong to either ("T abnormal, wahrscheinlich Infarkt").
    """
    # What stands further away says nothing of it, and long texts stay quick to read.
    first = max(0, mention.start - _REACH)
    text = text[first : mention.end + _REACH]
    start, end = mention.start - first, mention.end - first
    since, used = max(0, since - first), max(0, used - first)
    for certainty, pattern in _AFTER.items():
        if pattern.match(text, end):
            return certainty, mention.end
    if found := _DENIED_AFTER.match(text, end):
        return "denied", first + found.end()
    phrase = text[max((m.end() for m in _PHRASE_END.finditer(text, since, start)), default=since) : start]
    # The cue next to the mention counts, and of two that end there the longer one ("cannot rule out", "rule out").
    cues = [
        ((cue.end(1), -cue.start(1)), certainty)
        for certainty, pattern in _BEFORE.items()
        if (cue := pattern.search(phrase)) is not None
    ]
    nearest = max(cues)[1] if cues else "definite"
    denied = _DENIED_BEFORE.search(phrase) or _reached(text, start, end, _DENIAL, _DENIAL_END, _ANY_OR, used)
    return ("denied" if denied and nearest != "not excluded" else nearest), mention.end
