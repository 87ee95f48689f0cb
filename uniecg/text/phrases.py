"""Finding the names of the vocabulary in text: the longest phrase that fits wins, in any letter case and spelling.

Wordings of reports (`Statement.wordings`) are written in a short notation: ``inferior~`` stands for every ending
(inferiorer, inferioren), ``[Infarkt|Myokardinfarkt]`` for one of the words, and in ``T waves ... inverted`` the last
part is the mention wherever the first stands before it in the same sentence ("T waves are flat in I and inverted in
aVL" names both). A wording that stands under two statements names both ("biatrial enlargement"). Umlauts may be written
as one letter, as two, or as the "#" of old devices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from uniecg.text.vocabulary import STATEMENTS, VOCABULARY

__all__ = ["PhraseTable", "names", "spelled", "wordings"]

_GAP = " ... "
_ORDINALS = {
    "first": "(?:first|1st)",
    "second": "(?:second|2nd)",
    "third": "(?:third|3rd)",
    "av": r"a[\s-]?v",
}
_LETTERS = {
    "ä": "(?:ä|ae|#)",
    "ö": "(?:ö|oe|#)",
    "ü": "(?:ü|ue|#)",
    "å": "(?:å|aa)",
    "ss": "(?:ss|ß)",
    "ischemi": "ischa?emi",
    "isation": "i[sz]ation",
}
_ALTERNATIVES = re.compile(r"\[([^\]]*)\]")
_WORD_START = re.compile(r"(?<!\w)\w")
_SENTENCE_START = re.compile(r"[.;\n]\s")


@dataclass(frozen=True)
class Phrase:
    """A way to name a statement: what stands at the mention, and what stands before it in the sentence."""

    code: str
    written: str
    expression: str
    context: re.Pattern[str] | None = None


@dataclass(frozen=True)
class _Phrases:
    """All phrases that begin with one character, the longest first; some count only in their context."""

    anywhere: re.Pattern[str]
    codes: tuple[tuple[str, ...], ...]
    in_context: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...]

    def longest(self, text: str, start: int) -> tuple[tuple[str, ...], int] | None:
        """Codes and end of the longest phrase that fits here."""
        fits = []
        match = self.anywhere.match(text, start)
        if match is not None and match.lastindex is not None:
            fits.append((match.end(), self.codes[match.lastindex - 1]))
        for mention, context, code in self.in_context:
            match = mention.match(text, start)
            if match is not None:
                sentence = max((m.end() for m in _SENTENCE_START.finditer(text, 0, start)), default=0)
                if context.search(text, sentence, start):
                    fits.append((match.end(), (code,)))
        end, codes = max(fits, key=lambda fit: fit[0], default=(start, ()))
        return (codes, end) if fits else None


def _name_expression(phrase: str) -> str:
    """Regular expression of a name: any letter case, hyphen or space, plural, British or American spelling."""
    words = []
    for word in phrase.split():
        parts = [re.escape(part).replace("ischemi", "ischa?emi") for part in word.lower().split("-")]
        words.append(r"[\s\-\u2010-\u2013]*".join(_ORDINALS.get(part, part) for part in parts))
    plural = "(?:s|es)?" if phrase[-1].isalpha() else ""
    return r"(?i:" + r"[\s\-\u2010-\u2013]+".join(words) + plural + ")"


def _wording_expression(phrase: str) -> str:
    """The same for the notation of reports."""
    words = []
    for word in phrase.lower().split():
        parts = []
        for part in word.split("-"):
            letters = re.escape(part.removesuffix("~"))
            for plain, either in _LETTERS.items():
                letters = letters.replace(plain, either)
            parts.append(_ORDINALS.get(part, letters) + (r"\w*\.?" if part.endswith("~") else ""))
        words.append(r"[\s\-\u2010-\u2013]*".join(parts))
    return r"(?i:" + r"[\s\-\u2010-\u2013]+".join(words) + ")"


def _spelled_out(phrase: str) -> Iterator[str]:
    """Every reading of the ``[one|other]`` in a wording."""
    choice = _ALTERNATIVES.search(phrase)
    if choice is None:
        yield phrase
        return
    for word in choice[1].split("|"):
        yield from _spelled_out(phrase[: choice.start()] + word + phrase[choice.end() :])


def names() -> Iterator[Phrase]:
    """Codes and English names of `STATEMENTS`: the words that stand for the model's tokens."""
    # A code is matched as it is written, for some ("EL", "DIG", "PACE") are words in lower case.
    yield from (Phrase(code, code, re.escape(code)) for code in STATEMENTS)
    for statement in STATEMENTS.values():
        for phrase in (statement.name, *statement.synonyms):
            yield Phrase(statement.code, phrase, _name_expression(phrase))


def wordings() -> Iterator[Phrase]:
    """Every name, code and wording of `VOCABULARY`, in all languages."""
    yield from names()
    for statement in VOCABULARY.values():
        if not statement.scp_ecg:
            yield Phrase(statement.code, statement.code, re.escape(statement.code))
            for phrase in (statement.name, *statement.synonyms):
                yield Phrase(statement.code, phrase, _name_expression(phrase))
        for wording in (wording for group in statement.wordings.values() for wording in group):
            yield from spelled(statement.code, wording)


def spelled(code: str, wording: str) -> Iterator[Phrase]:
    """Every phrase that a wording in the notation of this module stands for."""
    for reading in _spelled_out(wording):
        context, gap, mention = reading.rpartition(_GAP)
        before = re.compile(_wording_expression(context)) if gap else None
        yield Phrase(code, mention, _wording_expression(mention), before)


class PhraseTable:
    """Phrases, ready to be looked for.

    Parameters
    ----------
    phrases : iterable of Phrase
        Of phrases of one length the first counts.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        initials: dict[str, list[Phrase]] = {}
        for phrase in sorted(phrases, key=lambda phrase: -len(phrase.written)):
            word = re.split(r"[\s-]", phrase.written.lower())[0]
            digits = {"first": "1", "second": "2", "third": "3"}.get(word, "")
            plain = {"ä": "a", "ö": "o", "ü": "u", "å": "a"}.get(word[0], "")
            for initial in word[0] + digits + plain:
                initials.setdefault(initial, []).append(phrase)
        self._initials = {initial: _compiled(found) for initial, found in initials.items()}

    def find(self, text: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Yield codes, start and end of every mention, in the order of the text, without overlaps.

        Parameters
        ----------
        text : str
        """
        position = 0
        for start in (word.start() for word in _WORD_START.finditer(text)):
            phrases = self._initials.get(text[start].lower())
            found = phrases.longest(text, start) if phrases and start >= position else None
            if found is not None:
                codes, position = found
                yield codes, start, position


def _compiled(phrases: list[Phrase]) -> _Phrases:
    plain: dict[str, dict[str, None]] = {}
    for phrase in phrases:
        if phrase.context is None:
            plain.setdefault(phrase.expression, {})[phrase.code] = None
    either = "|".join(f"({expression})" for expression in plain) or r"(?!)"
    return _Phrases(
        re.compile(rf"(?:{either})(?!\w)"),
        tuple(tuple(codes) for codes in plain.values()),
        tuple(
            (re.compile(rf"{phrase.expression}(?!\w)"), phrase.context, phrase.code)
            for phrase in phrases
            if phrase.context is not None
        ),
    )
