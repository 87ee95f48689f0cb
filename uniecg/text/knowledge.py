"""What the product says from its own books: definitions of statements, ECG concepts and standing replies.

The language model learns to choose a passage instead of spelling it (see :mod:`uniecg.text.slots`); what users then
read is the text kept here, word for word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from uniecg.text.statements import STATEMENTS

__all__ = ["Concept", "concepts", "definition", "passages", "replies"]


@dataclass(frozen=True)
class Concept:
    """A piece of general knowledge.

    Attributes
    ----------
    terms : tuple of str
        What it is called, as it would follow "what is ...".
    answer : str
        One or two sentences.
    questions : mapping of str to tuple of str
        Ways to ask for it, for the splits ``"train"`` and, for some concepts, ``"heldout"``.
    """

    terms: tuple[str, ...]
    answer: str
    questions: Mapping[str, tuple[str, ...]]


def _data(name: str) -> Any:
    return json.loads(files("uniecg.text.grammar").joinpath(name).read_text(encoding="utf-8"))


@cache
def concepts() -> tuple[Concept, ...]:
    """All concepts, in the order of their file."""
    return tuple(
        Concept(
            tuple(item["terms"]),
            item["answer"],
            {split: tuple(item[split]) for split in ("train", "heldout") if split in item},
        )
        for item in _data("concepts.json")
    )


@cache
def replies() -> Mapping[str, Sequence[str]]:
    """Standing replies by what they are for."""
    return {name: tuple(texts) for name, texts in _data("replies.json").items()}


def definition(code: str) -> str:
    """Name and definition of a statement.

    Raises
    ------
    KeyError
        If the code is not in the vocabulary.
    """
    statement = STATEMENTS[code]
    return f"{statement.name[:1].upper()}{statement.name[1:]}: {statement.definition}"


@cache
def passages() -> Mapping[str, str]:
    """Every fixed text by its key: ``about:CODE``, ``concept:first_term`` or ``reply:name``."""
    found = {f"about:{code}": definition(code) for code in STATEMENTS}
    for concept in concepts():
        found["concept:" + re.sub(r"\W+", "_", concept.terms[0].removeprefix("the "))] = concept.answer
    for name, texts in replies().items():
        found |= {f"reply:{name}{index or ''}": text for index, text in enumerate(texts) if "{" not in text}
    return found
