"""Sentences from the phrase grammar of explanations: every wording of a family is equally likely."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, TypeGuard

import numpy as np

from uniecg.text.grammar import Choice, Node, Slot, load_families

__all__ = ["families", "has_family", "joined", "say", "sentence"]

FILES = ("explanations.txt", "evidence.txt", "lessons.txt")
Part: TypeAlias = "str | Slot | _Options"


@dataclass(frozen=True)
class _Options:
    """Alternatives and, for each, how many wordings it and those before it have."""

    sequences: tuple[tuple[Part, ...], ...]
    ways: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.ways[-1]


@cache
def families() -> Mapping[str, tuple[tuple[Node, ...], ...]]:
    """Parsed templates of every family of the grammar of explanations, by name."""
    return {
        family.name: tuple(template.nodes for template in family.templates)
        for file in FILES
        for family in load_families(file)
    }


def has_family(name: str) -> bool:
    """Tell whether the grammar has such a family."""
    return name in families()


@cache
def _options(family: str) -> _Options:
    return _weighed(families()[family])


def _weighed(sequences: Iterable[tuple[Node, ...]]) -> _Options:
    """Count the wordings: a template with many choices is taken more often than one that reads only one way."""
    found: list[tuple[Part, ...]] = []
    ways: list[int] = []
    for nodes in sequences:
        parts = tuple(_weighed(node.options) if isinstance(node, Choice) else node for node in nodes)
        found.append(parts)
        ways.append((ways[-1] if ways else 0) + math.prod(_ways(part) for part in parts))
    return _Options(tuple(found), tuple(ways))


def _is_word(part: Part) -> TypeGuard[Slot]:
    """Tell a reference to words of the grammar from a slot for a value."""
    return isinstance(part, Slot) and part.name.startswith("w.")


def _ways(part: Part) -> int:
    if isinstance(part, _Options):
        return part.total
    return _options(part.name).total if _is_word(part) else 1


def say(family: str, values: Mapping[str, str] | None = None, rng: np.random.Generator | None = None) -> str:
    """Word a family of the grammar.

    Parameters
    ----------
    family : str
        Name in one of the grammar files.
    values : mapping of str to str, optional
        What the slots ``{name}`` stand for; ``{w.name}`` is the family of that name.
    rng : numpy.random.Generator, optional
        Draws evenly among all wordings; None takes the first of everything.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If the grammar has no such family, or a slot has no value.
    """
    parts: list[str] = []
    _write(_options(family), values or {}, rng, parts)
    return "".join(parts)


def _write(
    options: _Options, values: Mapping[str, str], rng: np.random.Generator | None, parts: list[str]
) -> None:
    chosen = 0
    if rng is not None and len(options.sequences) > 1:
        chosen = int(np.searchsorted(options.ways, rng.integers(options.total), side="right"))
    for part in options.sequences[chosen]:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, _Options):
            _write(part, values, rng, parts)
        elif _is_word(part):
            _write(_options(part.name), values, rng, parts)
        else:
            parts.append(values[part.name])


def joined(items: Sequence[str], separator: str = ", ", last: str = " and ") -> str:
    """Words in a list: ``"a, b and c"``."""
    return items[0] if len(items) == 1 else separator.join(items[:-1]) + last + items[-1]


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop; the name of a lead keeps its small letter."""
    first = text[:1] if text.startswith(("aV", "r'", "rS", "qR")) else text[:1].upper()
    return first + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
