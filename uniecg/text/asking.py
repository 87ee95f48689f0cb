"""Phrasings by what they ask for: the grammars of questions, comparisons, follow-ups, edits and generation shapes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from typing import Literal, TypeAlias, get_args

from uniecg.errors import InputError
from uniecg.text.grammar import Family, load_families
from uniecg.text.requests import Split, phrase

__all__ = ["Grammar", "ask", "by_kind", "grammars"]

Grammar: TypeAlias = Literal["questions", "comparisons", "followups", "edits", "shapes"]


def grammars() -> tuple[Grammar, ...]:
    """Names of the grammars; each has a file for training and one held out."""
    return get_args(Grammar)


@cache
def by_kind(grammar: Grammar, split: Split = "train") -> Mapping[str, tuple[Family, ...]]:
    """Families of a grammar by what they ask for.

    Parameters
    ----------
    grammar : str
        One of :func:`grammars`.
    split : {"train", "heldout"}

    Returns
    -------
    mapping of str to tuple of Family
        The kind is the option ``for`` of a family, or its name behind the first underscore ("qa_verify_sign" and
        "qa_h_verify_sign" ask for "verify_sign").

    Raises
    ------
    InputError
        If the grammar or split is unknown.
    """
    if grammar not in grammars():
        raise InputError(f"unknown grammar {grammar!r}: choose one of {', '.join(grammars())}")
    if split not in get_args(Split):
        raise InputError(f"unknown split {split!r}: choose one of {', '.join(get_args(Split))}")
    found: dict[str, tuple[Family, ...]] = {}
    for family in load_families(f"{grammar}_{split}.txt"):
        kind = family.options.get("for", family.name.split("_", 1)[1].removeprefix("h_"))
        found[kind] = (*found.get(kind, ()), family)
    return found


def ask(
    grammar: Grammar,
    kind: str,
    draw: random.Random,
    split: Split = "train",
    words: Mapping[str, str] | None = None,
    language: str | None = None,
) -> str:
    """Draw a phrasing.

    Parameters
    ----------
    grammar, kind : str
        As in :func:`by_kind`.
    draw : random.Random
    split : {"train", "heldout"}
    words : mapping of str to str, optional
        What the slots of the templates stand for.
    language : str, optional
        Only phrasings in this language.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the grammar or split is unknown.
    KeyError
        If the grammar has no such kind.
    """
    pairs = [
        (family, template)
        for family in by_kind(grammar, split)[kind]
        for template in family.templates
        if language in (None, family.options.get("lang", "en"))
    ]
    family, template = draw.choice(pairs)
    return phrase(family, template, draw, words=words)
