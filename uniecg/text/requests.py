"""How people ask: requests to interpret an ECG, to generate one, and questions that only need words.

The phrasings are data (``uniecg/text/grammar``); this module draws from them. Families of the ``train`` and the
``heldout`` split are written separately and share no template.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Literal

import numpy as np

from uniecg.attributes import Attributes
from uniecg.errors import InputError
from uniecg.text.grammar import Family, Template, expand, lexicon, load_families
from uniecg.text.grammar.cases import fill_case, sample_case, surfaces
from uniecg.text.grammar.noise import rough_up
from uniecg.text.knowledge import concepts, definition, replies

__all__ = ["ACTIONS", "Action", "RequestExample", "Split", "families", "finish", "phrase", "sample_request"]

Action = Literal["interpret", "generate", "answer"]
Split = Literal["train", "heldout"]
ACTIONS: tuple[Action, ...] = ("interpret", "generate", "answer")
_SPLITS: tuple[Split, ...] = ("train", "heldout")

# Share of requests that come with an ECG although the action does not need one.
_ECG_SHARE = {"generate": 0.25, "answer": 0.35}
_ARTICLE = re.compile(r"an? |the |frequent |occasional ")
# "What is the axis?" asks about an attached ECG if there is one; as a concept it comes alone.
_ASKS_VALUE = re.compile(
    r"(what|how) (is|are|long is|wide is) the (?!normal|standard|upper|best|correct|difference)"
)


@dataclass(frozen=True)
class RequestExample:
    """One request and what should happen.

    Parameters
    ----------
    text : str
        What the user writes; may be empty when an ECG is attached.
    action : {"interpret", "generate", "answer"}
        *interpret*: say something about the attached ECG; *generate*: make a new ECG; *answer*: words only.
    has_ecg : bool
        Whether an ECG is attached.
    family : str
        Grammar family. For *interpret* its first part tells what is wanted: ``report_``, ``short_``,
        ``impression_`` or ``ask_<quantity>_`` (see :func:`uniecg.text.questions.question_about`), and ``any_`` where
        nothing but the action is known.
    statements : tuple of str
        SCP-ECG codes named in a *generate* request.
    attributes : Attributes
        Values named in a *generate* request; each number stands in the text.
    answer : str, optional
        The reply, for *answer* only.
    action_only : bool
        Whether nothing but the action is known: no reply can be learned from this request.
    """

    text: str
    action: Action
    has_ecg: bool
    family: str
    statements: tuple[str, ...] = ()
    attributes: Attributes = Attributes()
    answer: str | None = None
    action_only: bool = False


@cache
def families(action: Action, split: Split = "train") -> tuple[Family, ...]:
    """Grammar families of an action.

    Parameters
    ----------
    action : {"interpret", "generate", "answer"}
    split : {"train", "heldout"}

    Returns
    -------
    tuple of Family

    Raises
    ------
    InputError
        If the action or split is unknown.
    """
    if action not in ACTIONS:
        raise InputError(f"unknown action {action!r}: choose one of {', '.join(ACTIONS)}")
    if split not in _SPLITS:
        raise InputError(f"unknown split {split!r}: choose one of {', '.join(_SPLITS)}")
    return load_families(f"{action}_{split}.txt")


@cache
def _pool(
    action: Action, split: Split, prefix: str = ""
) -> tuple[list[tuple[Family, Template]], list[float]]:
    """All templates of an action whose family name starts with the prefix, and their weights summed up to each."""
    chosen = [family for family in families(action, split) if family.name.startswith(prefix)]
    pairs = [(family, template) for family in chosen for template in family.templates]
    return pairs, list(accumulate(float(family.options.get("weight", "1")) for family, _ in pairs))


def _draw_template(
    action: Action, split: Split, draw: random.Random, prefix: str = ""
) -> tuple[Family, Template]:
    pairs, weights = _pool(action, split, prefix)
    return draw.choices(pairs, cum_weights=weights)[0]


def _action_only(family: Family) -> bool:
    return family.options.get("learn") == "action"


def _wrap(text: str, family: Family, draw: random.Random) -> str:
    """Add what people say around a request; the same words for every action."""
    if family.options.get("raw") == "1" or family.options.get("lang", "en") != "en":
        return text
    if draw.random() < 0.15:
        mark = text[-1] if text[-1:] in {"?", "!"} else ""
        closer = expand(draw.choice(lexicon()["closer"]), draw)
        text = text.rstrip("?!. ") + (mark + closer if closer.startswith(".") and mark else closer)
        text = text.replace("?.", "?").replace("!.", "!")
        if mark and not closer.startswith(".") and closer[-1] not in ")?!":
            text += mark
    if draw.random() < 0.17:
        opener = expand(draw.choice(lexicon()["opener"]), draw)
        if opener[-1] in ".!?" and draw.random() < 0.8:
            text = text[:1].upper() + text[1:]
        elif opener[-1] not in ".!?" and text[1:2].islower():
            text = text[:1].lower() + text[1:]
        text = f"{opener} {text}"
    return text


def finish(text: str, family: Family, draw: random.Random) -> str:
    """Make a clean request look as it may arrive: words around it, casing, slips; left as it is in a raw family."""
    text = _wrap(text, family, draw)
    return text.strip() if family.options.get("raw") == "1" else rough_up(text, draw)


def _name_things(text: str, draw: random.Random, language: str) -> tuple[str, list[str]]:
    """Fill the slots of statements to talk about; gives their codes."""
    names = surfaces(language)
    codes: list[str] = []
    while "{thing}" in text:
        code = draw.choice([code for code in names if code != "NORM" and code not in codes])
        plain = [name for name in names[code] if not _ARTICLE.match(name)]
        text = text.replace("{thing}", draw.choice(plain), 1)
        codes.append(code)
    return text, codes


def phrase(
    family: Family,
    template: Template,
    draw: random.Random,
    thing: str | None = None,
    words: Mapping[str, str] | None = None,
) -> str:
    """Expand a template of a question or request.

    Parameters
    ----------
    family : Family
    template : Template
    draw : random.Random
    thing : str, optional
        Name of the statement asked about; drawn if the template needs one and none is given.
    words : mapping of str to str, optional
        What other slots of the template stand for.

    Returns
    -------
    str
    """
    text = expand(template, draw)
    for slot, value in (words or {}).items():
        text = text.replace("{" + slot + "}", value)
    if thing is not None:
        text = text.replace("{thing}", thing)
    language = family.options.get("lang", "en")
    text, _ = _name_things(text, draw, language)
    if "{" in text:
        text, _ = fill_case(text, sample_case(draw, language=language), draw, language)
    return finish(text, family, draw)


def _generate(split: Split, draw: random.Random) -> RequestExample:
    family, template = _draw_template("generate", split, draw)
    language = family.options.get("lang", "en")
    fixed = family.options.get("statements")
    text = expand(template, draw)
    if fixed is None and not any("{" + name + "}" in text for name in ("case", "dx", "short")):
        fixed = ""
    statements = None if fixed is None else tuple(code for code in fixed.split(",") if code)
    text, case = fill_case(text, sample_case(draw, statements, language), draw, language)
    has_ecg = {"yes": True, "no": False}.get(
        family.options.get("ecg", ""), draw.random() < _ECG_SHARE["generate"]
    )
    return RequestExample(
        finish(text, family, draw),
        "generate",
        has_ecg,
        family.name,
        case.statements,
        case.attributes,
        action_only=_action_only(family),
    )


def _interpret(split: Split, draw: random.Random) -> RequestExample:
    family, template = _draw_template("interpret", split, draw)
    return RequestExample(
        phrase(family, template, draw), "interpret", True, family.name, action_only=_action_only(family)
    )


def _without_ecg(split: Split, draw: random.Random) -> RequestExample:
    """The words of an interpretation request, but nothing is attached."""
    while True:
        family, template = _draw_template("interpret", split, draw)
        if family.options.get("alone", "yes") == "yes":
            break
    reply = draw.choice(replies()["attach"])
    return RequestExample(phrase(family, template, draw), "answer", False, family.name, answer=reply)


def _concept(split: Split, draw: random.Random) -> RequestExample:
    """A question of the hand-written list of concepts."""
    concept = draw.choice([concept for concept in concepts() if split in concept.questions])
    family = Family(f"concept_question_{split}", {}, ())
    question = draw.choice(concept.questions[split])
    has_ecg = draw.random() < _ECG_SHARE["answer"] and not _ASKS_VALUE.match(question)
    return RequestExample(
        finish(question, family, draw), "answer", has_ecg, family.name, answer=concept.answer
    )


def _answer(split: Split, draw: random.Random) -> RequestExample:
    roll = draw.random()
    if roll < 0.22:
        return _without_ecg(split, draw)
    if roll < 0.46:
        return _concept(split, draw)
    family, template = _draw_template("answer", split, draw)
    language = family.options.get("lang", "en")
    text, codes = _name_things(expand(template, draw), draw, language)
    alone = False
    if "{term}" in text:
        concept = draw.choice(concepts())
        term = draw.choice(concept.terms)
        text, reply, alone = text.replace("{term}", term), concept.answer, term.startswith("the ")
    else:
        reply = " ".join(definition(code) for code in codes)
    if "reply" in family.options:
        reply = draw.choice(replies()[family.options["reply"]])
    if "{" in text:
        text, _ = fill_case(text, sample_case(draw, language=language), draw, language)
    share = {"yes": 1.0, "no": 0.0}.get(family.options.get("ecg", ""), _ECG_SHARE["answer"])
    return RequestExample(
        finish(text, family, draw),
        "answer",
        not alone and draw.random() < share,
        family.name,
        answer=reply,
        action_only=_action_only(family),
    )


def sample_request(
    rng: np.random.Generator, action: Action | None = None, split: Split = "train"
) -> RequestExample:
    """Draw a request.

    Parameters
    ----------
    rng : numpy.random.Generator
    action : {"interpret", "generate", "answer"}, optional
        Any of the three if not given.
    split : {"train", "heldout"}
        Which set of phrasings to draw from.

    Returns
    -------
    RequestExample

    Raises
    ------
    InputError
        If the action or split is unknown.
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    chosen = draw.choice(ACTIONS) if action is None else action
    families(chosen, split)
    makers = {"interpret": _interpret, "generate": _generate, "answer": _answer}
    return makers[chosen](split, draw)
