"""Short dialogues: an ECG is interpreted and asked about further, or generated and changed turn by turn."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from uniecg.attributes import Attributes
from uniecg.report import Evidence
from uniecg.signal.criteria import check_statement
from uniecg.signal.measurements import Measurements
from uniecg.text.asking import ask
from uniecg.text.attributes import generation_answer
from uniecg.text.edit_requests import sample_edit
from uniecg.text.explain import compared, explain
from uniecg.text.explain.conclusions import conclude
from uniecg.text.explain.evidence import BEATS_OF, SHARES, evidence_words
from uniecg.text.explain.wording import joined, sentence
from uniecg.text.grammar import Family
from uniecg.text.grammar.cases import surfaces
from uniecg.text.knowledge import definition, replies
from uniecg.text.questions import answer_about, evidence_clause, reason
from uniecg.text.requests import Action, Split, families, phrase, sample_request
from uniecg.text.statements import STATEMENTS

__all__ = ["FOLLOW_UPS", "Exchange", "bare_request", "draw_edits", "draw_follow_ups", "follow_up"]

QUANTITIES = {
    "rate": ("heart rate", "rate"), "pr": ("PR", "PR interval"), "qrs": ("QRS", "QRS duration", "QRS width"),
    "qt": ("QT", "QT interval"), "qtc": ("QTc", "corrected QT"), "axis": ("axis", "QRS axis"),
}  # fmt: skip
"""Values that can be asked for (see `uniecg.text.questions.answer_about`) and what people call them."""
_FIELDS = {
    "rate": ("rate", "heart_rate_bpm"), "pr": ("PR", "pr_ms"), "qrs": ("QRS", "qrs_ms"),
    "qtc": ("QTc", "qtc_fridericia_ms"), "axis": ("axis", "qrs_axis_deg"),
}  # fmt: skip
FOLLOW_UPS = ("value", "normal", "why", "where", "leads", "meaning", "sure", "else")
_NORMAL_WORDS = ("normal", "not wide")
_PLAIN = {"SR", "NORM"}


@dataclass(frozen=True)
class Exchange:
    """One request and its reply.

    Attributes
    ----------
    request, answer : str
    action : {"interpret", "generate", "answer"}
    statements : tuple of str
        What is described after this turn.
    attributes : Attributes
        The same for values that were asked for.
    """

    request: str
    answer: str
    action: Action
    statements: tuple[str, ...] = ()
    attributes: Attributes = Attributes()


@dataclass
class _Talk:
    """What was said so far: the statement or value last spoken of, and everything that was told."""

    focus: str | None = None
    quantity: str | None = None
    told: set[str] = field(default_factory=set)


def follow_up(kind: str, about: str | None, m: Measurements, statements: Sequence[str]) -> str:
    """Answer a follow-up.

    Parameters
    ----------
    kind : str
        One of `FOLLOW_UPS` except ``"else"``.
    about : str or None
        The statement (SCP-ECG code) or, for ``"value"`` and ``"normal"``, the value (key of `QUANTITIES`) it is about.
    m : Measurements
    statements : sequence of str
        SCP-ECG codes of the ECG.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If the kind or what it is about is unknown.
    """
    key = about or ""
    if kind == "value":
        return answer_about(key, m, statements)
    if kind == "normal":
        return _is_normal(key, m, statements)
    if kind == "why":
        return _sure(key, m) if check_statement(key, m)[0] is False else reason(key, m)
    if kind == "meaning":
        return definition(key)
    return {"where": _where, "leads": _leads, "sure": _sure}[kind](key, m)


def _is_normal(quantity: str, m: Measurements, statements: Sequence[str]) -> str:
    said = answer_about(quantity, m, statements)
    if not any(character.isdigit() for character in said):
        return said  # it could not be measured
    name, attribute = _FIELDS[quantity]
    word = compared(name, getattr(m, attribute), m)
    return f"{'Yes' if word in _NORMAL_WORDS else 'No'}. {said}"


def _where(code: str, m: Measurements) -> str:
    met, evidence = check_statement(code, m)
    name = sentence(STATEMENTS[code].name)[:-1]
    placed = [item for item in evidence if _has_place(item, m)]
    words = evidence_words(m, placed) if met else ""
    if words:
        return f"{name}: {words}."
    if not met:
        return f"{name}: the measurements show no place for it."
    clause = evidence_clause(code, m)
    return f"{name} is judged over the whole recording{': ' + clause if clause else ''}."


def _has_place(item: Evidence, m: Measurements) -> bool:
    """Whether a value was read from a part of the record: shares of beats and rates belong to all of it."""
    whole = item.end_s - item.start_s > 0.9 * m.duration_s or item.quantity.endswith(SHARES)
    return item.quantity in BEATS_OF or not whole


def _leads(code: str, m: Measurements) -> str:
    item = conclude(m, [code])[0]
    leads = [lead for lead in m.leads if any(lead in judged.leads for judged in item.grounds)]
    name = sentence(STATEMENTS[code].name)[:-1]
    clause = evidence_clause(code, m)
    if " in " in clause:
        return f"{name}: {clause}."
    if item.status == "met" and leads:
        return f"{name} is judged in {joined(leads)}."
    return f"{name} is not a matter of single leads{': ' + clause if clause else ''}."


def _sure(code: str, m: Measurements) -> str:
    met, clause = check_statement(code, m)[0], evidence_clause(code, m)
    name = STATEMENTS[code].name
    if met:
        return f"Yes, the criteria of {name} are met{': ' + clause if clause else ''}."
    if met is None:
        return f"No: the measurements alone cannot judge {name}."
    return f"No: the measurements speak against {name}{': ' + clause if clause else ''}."


def _name(code: str, draw: random.Random) -> str:
    names = [name for name in surfaces("en").get(code, ()) if not name.startswith(("a ", "an ", "the "))]
    return draw.choice(names or [STATEMENTS[code].name])


def _opening(
    m: Measurements, codes: Sequence[str], draw: random.Random, rng: np.random.Generator, split: Split
) -> tuple[Exchange, _Talk]:
    """The first turn: a report, the list of findings, or one value."""
    kinds = {"report": 4.0, "list": 2.0, "value": 2.0} if codes else {"value": 1.0}
    kind = draw.choices(list(kinds), list(kinds.values()))[0]
    names = {"report": ("report_",), "list": ("ask_list_", "impression_")}.get(kind, ())
    quantity = None
    if kind == "value":
        quantity = draw.choice([q for q in QUANTITIES if _asked(f"ask_{q}_", split)])
        names = (f"ask_{quantity}_",)
    found = [family for name in names for family in _asked(name, split)]
    family = draw.choice(found)
    request = phrase(family, draw.choice(family.templates), draw)
    if quantity is not None:
        said = answer_about(quantity, m, codes)
        return Exchange(request, said, "interpret", tuple(codes)), _Talk(quantity=quantity, told={quantity})
    said = explain(m, codes, rng=rng, style="short") if kind == "report" else answer_about("list", m, codes)
    odd = [code for code in codes if code not in _PLAIN]
    talk = _Talk(focus=odd[0] if len(odd) == 1 else None, told=set(codes))
    return Exchange(request, said, "interpret", tuple(codes)), talk


def _asked(prefix: str, split: Split) -> list[Family]:
    return [
        family
        for family in families("interpret", split)
        if family.name.startswith(prefix) and "learn" not in family.options and "lang" not in family.options
    ]


def draw_follow_ups(
    rng: np.random.Generator,
    m: Measurements,
    statements: Sequence[str],
    split: Split = "train",
    turns: int | None = None,
) -> tuple[Exchange, ...]:
    """Draw a dialogue about one ECG: a first request, then follow-ups that rest on what was said.

    Parameters
    ----------
    rng : numpy.random.Generator
    m : Measurements
    statements : sequence of str
        SCP-ECG codes of the ECG; may be empty, then only values are talked about.
    split : {"train", "heldout"}
        Which set of phrasings to draw from.
    turns : int, optional
        Number of exchanges, 2 or more; 2 to 4 if not given.

    Returns
    -------
    tuple of Exchange
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    first, talk = _opening(m, statements, draw, rng, split)
    exchanges = [first]
    # Nobody is told grounds for what the measurements contradict.
    open_ = [code for code in statements if check_statement(code, m)[0] is not False]
    if talk.focus not in open_:
        talk.focus = None
    asked: set[tuple[str, str | None]] = set()
    for _ in range((turns or draw.choice((2, 2, 3, 4))) - 1):
        kind, about, text = _next(talk, open_, asked, draw, split)
        asked.add((kind, about))
        answer = _rest(talk, statements) if kind == "else" else follow_up(kind, about, m, statements)
        # What a word means is told without looking at the ECG.
        action: Action = "answer" if kind == "meaning" else "interpret"
        exchanges.append(Exchange(text, answer, action, tuple(statements)))
    return tuple(exchanges)


def _rest(talk: _Talk, codes: Sequence[str]) -> str:
    left = [code for code in codes if code not in talk.told]
    talk.told.update(left)
    names = joined([STATEMENTS[code].name for code in left]) if left else ""
    return f"It also shows {names}." if left else "Nothing else is found."


def _next(
    talk: _Talk,
    codes: Sequence[str],
    asked: Iterable[tuple[str, str | None]],
    draw: random.Random,
    split: Split,
) -> tuple[str, str | None, str]:
    """The next follow-up: its kind, what it is about, its words. What is about to be asked becomes the topic."""
    odd = [code for code in codes if code not in _PLAIN]
    done = set(asked)
    options: list[tuple[str, str]] = [("value", q) for q in QUANTITIES if q not in talk.told]
    if talk.quantity in _FIELDS and ("normal", talk.quantity) not in done:
        options += [("normal", talk.quantity)] * 4
    options += [
        (kind, code)
        for kind in ("why", "where", "leads", "meaning", "sure")
        for code in ([talk.focus] * 4 if talk.focus else odd)
        if (kind, code) not in done and not (kind == "sure" and talk.focus is None)
    ]
    if codes and ("else", None) not in done and draw.random() < 0.15:
        return "else", None, ask("followups", "else", draw, split)
    kind, about = draw.choice(options or [("value", "rate")])
    if kind == "value":
        talk.focus, talk.quantity = None, about
        talk.told.add(about)
        words = {"about": draw.choice(QUANTITIES[about])}
        return kind, about, ask("followups", "value", draw, split, words)
    if kind == "normal":
        return kind, about, ask("followups", "normal", draw, split)
    pointed = talk.focus == about and (kind == "sure" or draw.random() < 0.7)
    talk.focus, talk.quantity = about, None
    if pointed:
        return kind, about, ask("followups", kind, draw, split)
    return kind, about, ask("followups", f"{kind}_thing", draw, split, {"thing": _name(about, draw)})


def draw_edits(
    rng: np.random.Generator, split: Split = "train", turns: int | None = None
) -> tuple[Exchange, ...]:
    """Draw a dialogue in which an ECG is generated and then changed, each reply restating the whole description.

    Parameters
    ----------
    rng : numpy.random.Generator
    split : {"train", "heldout"}
    turns : int, optional
        Number of exchanges, 2 or more; 2 to 4 if not given.

    Returns
    -------
    tuple of Exchange
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    while True:
        request = sample_request(rng, "generate", split)
        if not (request.action_only or request.has_ecg) and (
            request.statements or request.attributes.to_dict()
        ):
            break
    statements, attributes = request.statements, request.attributes
    exchanges = [
        Exchange(request.text, generation_answer(statements, attributes), "generate", statements, attributes)
    ]
    for _ in range((turns or draw.choice((2, 2, 3, 4))) - 1):
        edit = sample_edit(rng, statements, attributes, split)
        made = edit.answer.startswith("This is an ECG")
        statements, attributes = edit.statements, edit.attributes
        exchanges.append(
            Exchange(edit.text, edit.answer, "generate" if made else "answer", statements, attributes)
        )
    return tuple(exchanges)


def bare_request(rng: np.random.Generator, split: Split = "train") -> Exchange:
    """Draw a follow-up or a change with nothing before it; the reply asks for what is missing.

    Parameters
    ----------
    rng : numpy.random.Generator
    split : {"train", "heldout"}

    Returns
    -------
    Exchange
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    if draw.random() < 0.5:
        edit = sample_edit(rng, ("SR",), Attributes(age=50.0), split, nothing_before=True)
        return Exchange(edit.text, edit.answer, "answer")
    kind = draw.choice(("value", "where", "leads", "normal"))
    words = {"about": draw.choice(QUANTITIES[draw.choice(list(QUANTITIES))])}
    return Exchange(ask("followups", kind, draw, split, words), replies()["attach"][0], "answer")
