"""The way people ask: phrase grammars kept as data beside this file.

A grammar file is plain text. A line ``@name key=value ...`` opens a *family* (or a lexicon entry), every other
line is one template, ``#`` starts a comment line. Inside a template ``[a|b|]`` chooses one alternative (an empty
one makes the rest optional), ``{name}`` is replaced by a line of the lexicon entry of that name, or stays in the
text as a *slot* that the caller fills (diagnosis, rate, age ...). ``\\n`` is a line break.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

__all__ = ["Family", "Template", "expand", "lexicon", "load_families", "parse"]


@dataclass(frozen=True)
class Slot:
    """A reference ``{name}``."""

    name: str


@dataclass(frozen=True)
class Choice:
    """Alternatives ``[a|b]``."""

    options: tuple[tuple[Node, ...], ...]


Node: TypeAlias = "str | Slot | Choice"
_HEADER = re.compile(r"@[a-z]")
_REFERENCE = re.compile(r"\{([a-z_][a-z_.]*)\}")


@dataclass(frozen=True)
class Template:
    """One parsed template line.

    Parameters
    ----------
    source : str
        The line as written.
    nodes : tuple of Node
        Its parsed form.
    """

    source: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Family:
    """Templates that ask for the same thing in the same manner.

    Parameters
    ----------
    name : str
        Unique over all grammar files.
    options : mapping of str to str
        The ``key=value`` pairs of the header line.
    templates : tuple of Template
    """

    name: str
    options: Mapping[str, str]
    templates: tuple[Template, ...]


def parse(source: str) -> Template:
    """Parse one template line.

    Parameters
    ----------
    source : str
        Text with ``[a|b]`` choices and ``{name}`` references.

    Returns
    -------
    Template

    Raises
    ------
    ValueError
        If a bracket is not closed.
    """
    text = source.replace("\\n", "\n")
    options, end = _sequence(text, 0, nested=False)
    if end != len(text):
        raise ValueError(f"grammar: unexpected {text[end]!r} in {source!r}")
    return Template(source, options[0])


def _sequence(text: str, start: int, *, nested: bool) -> tuple[list[tuple[Node, ...]], int]:
    """Read up to the end of the text, or to the bracket that closes a choice."""
    options: list[tuple[Node, ...]] = []
    nodes: list[Node] = []
    literal = ""

    def flush() -> None:
        nonlocal literal
        if literal:
            nodes.append(literal)
            literal = ""

    position = start
    while position < len(text):
        char = text[position]
        if char == "[":
            flush()
            inner, position = _sequence(text, position + 1, nested=True)
            nodes.append(Choice(tuple(inner)))
        elif reference := _REFERENCE.match(text, position):
            flush()
            nodes.append(Slot(reference[1]))
            position = reference.end()
        elif nested and char == "|":
            flush()
            options.append(tuple(nodes))
            nodes = []
            position += 1
        elif nested and char == "]":
            flush()
            options.append(tuple(nodes))
            return options, position + 1
        else:
            literal += char
            position += 1
    if nested:
        raise ValueError(f"grammar: '[' is not closed in {text!r}")
    flush()
    return [tuple(nodes)], position


def _read(name: str) -> Iterator[Family]:
    """Families of one grammar file, in order."""
    header: list[str] = []
    templates: list[Template] = []
    for line in files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines():
        if _HEADER.match(line):
            if header:
                yield _family(header, templates)
            header, templates = line[1:].split(), []
        elif line.strip() and not line.startswith("#"):
            templates.append(parse(line.rstrip("\n")))
    if header:
        yield _family(header, templates)


def _family(header: list[str], templates: list[Template]) -> Family:
    options = dict(part.split("=", 1) for part in header[1:])
    return Family(header[0], options, tuple(templates))


@cache
def load_families(name: str) -> tuple[Family, ...]:
    """Families of a grammar file.

    Parameters
    ----------
    name : str
        File name inside this package, such as ``"generate_train.txt"``.

    Returns
    -------
    tuple of Family
    """
    return tuple(_read(name))


@cache
def lexicon() -> Mapping[str, tuple[Template, ...]]:
    """Word lists shared by all grammars: entry name to its lines."""
    return {family.name: family.templates for family in load_families("lexicon.txt")}


def expand(template: Template, draw: random.Random) -> str:
    """Choose alternatives and lexicon words; slots of other names stay as ``{name}``.

    Parameters
    ----------
    template : Template
    draw : random.Random

    Returns
    -------
    str
    """
    parts: list[str] = []
    _expand(template.nodes, draw, parts)
    return "".join(parts)


def _expand(nodes: tuple[Node, ...], draw: random.Random, parts: list[str]) -> None:
    words = lexicon()
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        elif isinstance(node, Choice):
            _expand(draw.choice(node.options), draw, parts)
        elif node.name in words:
            _expand(draw.choice(words[node.name]).nodes, draw, parts)
        else:
            parts.append("{" + node.name + "}")
