"""Changes of an ECG that was generated before: what they make of its description, and their canonical words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from uniecg.attributes import NUMERIC, Attributes
from uniecg.errors import InputError
from uniecg.text.attributes import announcement, describe, generation_answer, parse_attributes, restate
from uniecg.text.explain import NO_PR
from uniecg.text.explain.canonical import NORMAL_RANGES
from uniecg.text.grammar.cases import rates_of
from uniecg.text.knowledge import replies
from uniecg.text.possible import SINUS_RATES, impossible
from uniecg.text.statements import RHYTHMS, STATEMENTS, conflicts, find_statements, parse_statements

__all__ = [
    "DESCRIPTION",
    "NOTHING_BEFORE",
    "Edit",
    "Pace",
    "agrees",
    "apply_edit",
    "descends",
    "describe_edit",
    "described",
    "edit_reply",
    "parse_edit",
]

Pace: TypeAlias = Literal["slower", "faster"]
PACES: dict[Pace, float] = {"slower": 0.75, "faster": 1.25}
"""What the rate is multiplied with where no number is given."""
RATE_STEP_BPM = 5.0
"""Rates that nobody named are multiples of this."""
NOTHING_BEFORE = "There is no ECG yet that I could change: please describe the one that I should generate."
DESCRIPTION = "This is an ECG"
"""How every description of a generated ECG begins."""
_SAME = "The same ECG"
_YEARS = re.compile(r"(older|younger) by (\d+)")
SINUS = ("SR", "SBRAD", "STACH")
_NORMAL = {"heart_rate_bpm": "rate", "pr_ms": "PR", "qrs_ms": "QRS", "qrs_axis_deg": "axis"}


@dataclass(frozen=True)
class Edit:
    """What is to be different from the ECG before.

    Attributes
    ----------
    add, remove : tuple of str
        SCP-ECG codes of `STATEMENTS`.
    values : Attributes
        New values.
    pace : {"slower", "faster"}, optional
        A change of rate without a number.
    older_years : float
        Change of age; negative for younger.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    values: Attributes = Attributes()
    pace: Pace | None = None
    older_years: float = 0.0


def describe_edit(edit: Edit) -> str:
    """Write a change in canonical words, for example "The same ECG with atrial fibrillation, slower."."""
    parts = [f"without {STATEMENTS[code].name}" for code in edit.remove]
    if edit.pace is not None:
        parts.append(edit.pace)
    if edit.older_years:
        parts.append(f"{'older' if edit.older_years > 0 else 'younger'} by {abs(edit.older_years):g}")
    if new := describe(edit.add, edit.values):
        parts.append(f"with {new}")
    return f"{_SAME} {', '.join(parts)}."


def parse_edit(request: str, words: str) -> Edit | None:
    """Read a change; inverse of `describe_edit`.

    Parameters
    ----------
    request : str
        What the user asked for. Values that stand in it are certain, and so is what it denies ("no ST elevation").
    words : str
        The change in canonical words.

    Returns
    -------
    Edit or None
        None if the words announce no change.
    """
    if not words.startswith(_SAME):
        return None
    named, denied = find_statements(words), [m.code for m in find_statements(request) if m.negated]
    remove = dict.fromkeys([*(m.code for m in named if m.negated), *denied])
    add = dict.fromkeys(m.code for m in named if not m.negated and m.code not in remove)
    years = _YEARS.search(words)
    change = 0.0 if years is None else float(years[2]) * (1 if years[1] == "older" else -1)
    asked: dict[str, Any] = {} if years else parse_attributes(request).to_dict()
    values = replace(parse_attributes(_YEARS.sub("", words)), **asked)
    pace = next((pace for pace in PACES if f" {pace}" in words), None)
    pace = None if values.heart_rate_bpm is not None else pace
    return Edit(tuple(add), tuple(remove), values, pace, change)


def apply_edit(
    edit: Edit, statements: Iterable[str], attributes: Attributes
) -> tuple[tuple[str, ...], Attributes]:
    """Change a description.

    What is new counts: statements that exclude it go, as do earlier values that contradict it and, with a new value,
    statements whose definition it contradicts. Sinus rhythm keeps the name that belongs to its rate. A QT interval goes
    with a new rate, since it belongs to the old one.

    Parameters
    ----------
    edit : Edit
    statements : iterable of str
        SCP-ECG codes of the ECG before.
    attributes : Attributes
        Its values.

    Returns
    -------
    statements : tuple of str
    attributes : Attributes

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    InputError
        If statements to be added exclude each other, or a value that is given with them.

    References
    ----------
    What excludes and implies what: `uniecg.text.vocabulary`; rates of sinus rhythm: `uniecg.text.possible`.
    """
    before = tuple(STATEMENTS[code].code for code in statements)
    edit = replace(edit, add=tuple(STATEMENTS[code].code for code in edit.add))
    if clash := conflicts(edit.add):
        names = " and ".join(STATEMENTS[code].name for code in clash[0])
        raise InputError(f"no ECG shows {names} together")
    codes = _new_statements(edit, before)
    new = _new_values(edit, before, attributes)
    for name, value in new.items():
        if not agrees(name, value, edit.add):
            raise InputError(f"{STATEMENTS[edit.add[0]].name} does not go with {name} {value:g}")
    kept = {name: value for name, value in attributes.to_dict().items() if name not in new}
    if "heart_rate_bpm" in new:
        kept.pop("qt_ms", None)
    codes = _with_rhythm(_without_contradicted(codes, new, edit.add), before)
    codes = _named_by_rate(codes, new.get("heart_rate_bpm", kept.get("heart_rate_bpm")), edit.add)
    values = {name: value for name, value in kept.items() if agrees(name, value, codes)} | new
    if NO_PR & set(codes):
        values.pop("pr_ms", None)
    return codes, Attributes(**values)


def descends(code: str, other: str) -> bool:
    """Whether a statement is the other one or narrower."""
    found: str | None = code
    while found is not None and found != other:
        parent = STATEMENTS[found].parent
        found = parent if parent in STATEMENTS else None
    return found is not None


def _new_statements(edit: Edit, before: tuple[str, ...]) -> tuple[str, ...]:
    if "NORM" in edit.add:
        return ("NORM",)
    left = [code for code in before if not any(descends(code, gone) for gone in edit.remove)]
    left = [
        code for code in left if code not in edit.add and not any(conflicts((code, new)) for new in edit.add)
    ]
    if "NORM" in left and set(edit.add) - {"SR"}:
        left.remove("NORM")
    return (*left, *edit.add)


def _with_rhythm(codes: tuple[str, ...], before: Sequence[str]) -> tuple[str, ...]:
    """A heart that lost its rhythm, or everything that was said of it, is in sinus rhythm."""
    lost = any(code in RHYTHMS for code in before) and not any(code in RHYTHMS for code in codes)
    return ("SR", *codes) if "NORM" not in codes and (lost or (before and not codes)) else codes


def _new_values(edit: Edit, before: Sequence[str], attributes: Attributes) -> dict[str, Any]:
    new: dict[str, Any] = edit.values.to_dict()
    if edit.pace is not None:
        rates = rates_of(before) or (NUMERIC["heart_rate_bpm"].mean,) * 2
        rate = attributes.heart_rate_bpm or sum(rates) / 2
        new["heart_rate_bpm"] = RATE_STEP_BPM * round(rate * PACES[edit.pace] / RATE_STEP_BPM)
    if edit.older_years and attributes.age is not None:
        new["age"] = attributes.age + edit.older_years
    for name, limits in NUMERIC.items():
        if name in new:
            new[name] = min(max(new[name], limits.low), limits.high)
    return new


def agrees(name: str, value: object, codes: Iterable[str]) -> bool:
    """Whether a value is what the definitions of all statements allow, and in a normal ECG within its normal range."""
    if not isinstance(value, float | int):
        return True
    limits = [limit for code in codes for limit in STATEMENTS[code].implies if limit.quantity == name]
    if "NORM" in codes and name in _NORMAL:
        low, high, _ = NORMAL_RANGES[_NORMAL[name]]
        return low <= round(value) <= high and all(limit.allows(value) for limit in limits)
    return all(limit.allows(value) for limit in limits)


def _without_contradicted(
    codes: tuple[str, ...], new: dict[str, Any], added: tuple[str, ...]
) -> tuple[str, ...]:
    """Leave out earlier statements that a new value contradicts; sinus rhythms are renamed instead."""
    return tuple(
        code
        for code in codes
        if code in added or code in SINUS or all(agrees(name, value, (code,)) for name, value in new.items())
    )


def _named_by_rate(codes: tuple[str, ...], rate: object, added: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(rate, float | int) or any(code in added for code in SINUS):
        return codes
    name = "SR"
    for code, (low, high, _) in SINUS_RATES.items():
        if low <= rate <= high and rate not in (low, high):
            name = code
    return tuple(name if code in SINUS else code for code in codes)


def edit_reply(edit: Edit, before: tuple[Sequence[str], Attributes] | None) -> str:
    """What is answered to a change: the whole new description, or why it cannot be.

    Parameters
    ----------
    edit : Edit
    before : tuple of sequence of str and Attributes, optional
        Statements and values of the ECG before; None if there is none.
    """
    if before is None:
        return NOTHING_BEFORE
    statements, attributes = before
    missing = [gone for gone in edit.remove if not any(descends(code, gone) for code in statements)]
    if missing:
        return f"The ECG before has no {STATEMENTS[missing[0]].name}: there is nothing to take away."
    if edit.older_years and attributes.age is None:
        return "The age of the patient was not given: please tell me how old the patient should be."
    try:
        described = generation_answer(*apply_edit(edit, statements, attributes))
    except InputError:
        return replies()["impossible_rhythms"][0]
    return impossible(described, described) or described


def described(request: str, words: str, earlier: Sequence[str] = ()) -> str:
    """Say in canonical words what is to be generated, or why it cannot be.

    Parameters
    ----------
    request : str
        What the user asked for.
    words : str
        How the model restated it: a description, or a change of the ECG before.
    earlier : sequence of str
        The replies so far, oldest first; the last one that announces an ECG tells what is changed.

    Returns
    -------
    str
        Begins with `DESCRIPTION` if there is something to generate.
    """
    edit = parse_edit(request, words)
    if edit is None:
        text = restate(request, words)
        return impossible(request, text) or text
    before = [announcement(reply) for reply in earlier if reply.startswith(DESCRIPTION)]
    if not before:
        return NOTHING_BEFORE
    return edit_reply(edit, (parse_statements(before[-1]), parse_attributes(before[-1])))
