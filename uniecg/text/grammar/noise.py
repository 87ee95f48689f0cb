"""What happens to a sentence on its way through a keyboard: casing, punctuation, slips, articles."""

from __future__ import annotations

import random
import re
from functools import cache

from uniecg.text.grammar import lexicon

__all__ = ["fix_articles", "rough_up", "tidy"]

_AN = re.compile(
    r"\b([Aa]) (?=(?!one|once|uni|us|EU)[aeiouAEIO]|8\d?\b|8\d-|11\b|18\b|[FHLMNRS]{2,}|MI\b|AV|ST[- ]|SR\b)"
)
_A = re.compile(r"\b([Aa])n (?=(?!hour)[b-df-hj-np-tv-z]|12|PAC|PVC|P )")
_WORD = re.compile(r"[^\W\d_]{5,}")
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def fix_articles(text: str) -> str:
    """``a ECG`` and ``a 80-year-old`` become ``an ...``, ``an strip`` becomes ``a strip``."""
    return _A.sub(r"\1 ", _AN.sub(r"\1n ", text))


def tidy(text: str) -> str:
    """Remove doubled spaces and spaces before punctuation left over from empty alternatives."""
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    text = re.sub(r" ([,.;!?)])", r"\1", text)
    text = re.sub(r",([.;!?,])", r"\1", text)
    return text.strip(" ,;")


@cache
def _legible() -> frozenset[str]:
    """Words that carry the sex of the patient: a request must keep what it asks for."""
    entries = [
        lines for name, lines in lexicon().items() if name.startswith(("sexword", "sexadj", "sexphrase"))
    ]
    return frozenset(
        word.lower() for lines in entries for line in lines for word in _WORD.findall(line.source)
    )


def _slip(word: str, draw: random.Random) -> str:
    """One keyboard slip inside a word: swapped, dropped, doubled or neighbouring key."""
    place = draw.randrange(1, len(word) - 1)
    kind = draw.randrange(4)
    if kind == 0:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + word[place] + word[place:]
    key = draw.choice(_NEIGHBOURS.get(word[place].lower(), word[place]))
    return word[:place] + key + word[place + 1 :]


def _slips(text: str, draw: random.Random) -> str:
    """One or two slips in words of five letters or more; numbers and abbreviations stay legible."""
    for _ in range(draw.choice((1, 1, 2))):
        words = [
            match
            for match in _WORD.finditer(text)
            if not match.group().isupper() and match.group().lower() not in _legible()
        ]
        if not words:
            return text
        match = draw.choice(words)
        text = text[: match.start()] + _slip(match.group(), draw) + text[match.end() :]
    return text


def _ending(text: str, draw: random.Random) -> str:
    """Vary or drop the final punctuation mark; a question keeps its mark three times in four."""
    if not text or not (text[-1].isalnum() or text[-1] in "?.!)"):
        return text
    roll = draw.random()
    if text.endswith("?"):
        return text[:-1] if roll < 0.22 else text + "?" if roll < 0.25 else text
    if text.endswith("."):
        return text[:-1] if roll < 0.3 else text
    if text[-1] in "!)":
        return text
    return text + "." if roll < 0.38 else text + "!" if roll < 0.41 else text


def rough_up(text: str, draw: random.Random) -> str:
    """Write a clean sentence the way it may arrive: casing, punctuation and slips at random.

    Parameters
    ----------
    text : str
    draw : random.Random

    Returns
    -------
    str
        The same words and the same digits.
    """
    text = _ending(fix_articles(tidy(text)), draw)
    if draw.random() < 0.12:
        text = _slips(text, draw)
    roll = draw.random()
    if roll < 0.62:
        return text[:1].upper() + text[1:]
    if roll < 0.82:
        return text
    if roll < 0.95:
        return text.lower()
    return text.upper()
