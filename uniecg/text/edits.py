"""Changes of an ECG that was generated before: how people ask for them, and what they make of its description."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from uniecg.attributes import NUMERIC, Attributes, Sex
from uniecg.errors import InputError
from uniecg.text.asking import ask, by_kind
from uniecg.text.attributes import generation_answer
from uniecg.text.explain import NO_PR
from uniecg.text.explain.canonical import NORMAL_RANGES
from uniecg.text.grammar import Family
from uniecg.text.grammar.cases import rates_of, surfaces
from uniecg.text.knowledge import replies
from uniecg.text.possible import SINUS_RATES, impossible
from uniecg.text.requests import Split
from uniecg.text.statements import RHYTHMS, STATEMENTS, conflicts

__all__ = ["NOTHING_BEFORE", "Edit", "EditExample", "Pace", "apply_edit", "edit_reply", "sample_edit"]

Pace: TypeAlias = Literal["slower", "faster"]
PACES: dict[Pace, float] = {"slower": 0.75, "faster": 1.25}
"""What the rate is multiplied with where no number is given."""
RATE_STEP_BPM = 5.0
"""Rates that nobody named are multiples of this."""
NOTHING_BEFORE = "There is no ECG yet that I could change: please describe the one that I should generate."
_SINUS = ("SR", "SBRAD", "STACH")
_NORMAL = {"heart_rate_bpm": "rate", "pr_ms": "PR", "qrs_ms": "QRS", "qrs_axis_deg": "axis"}
_INTERVALS = {"pr_ms": "PR interval", "qrs_ms": "QRS duration", "qt_ms": "QT interval"}
_KINDS = {
    "add": 5.0, "add_rate": 2.0, "remove": 3.0, "rate": 4.0, "slower": 2.0, "faster": 2.0, "age": 1.0,
    "older": 1.5, "younger": 0.7, "female": 0.5, "male": 0.5, "interval": 1.5, "axis": 0.7, "normal": 0.7,
}  # fmt: skip


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


@dataclass(frozen=True)
class EditExample:
    """A request to change an ECG, what it means, and the reply.

    Attributes
    ----------
    text : str
    edit : Edit
    statements : tuple of str
        Of the changed ECG; those of the ECG before if it cannot be changed in this way.
    attributes : Attributes
        The same for the values.
    answer : str
        The new description, or why there is none.
    """

    text: str
    edit: Edit
    statements: tuple[str, ...]
    attributes: Attributes
    answer: str


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
        if not _agrees(name, value, edit.add):
            raise InputError(f"{STATEMENTS[edit.add[0]].name} does not go with {name} {value:g}")
    kept = {name: value for name, value in attributes.to_dict().items() if name not in new}
    if "heart_rate_bpm" in new:
        kept.pop("qt_ms", None)
    codes = _with_rhythm(_without_contradicted(codes, new, edit.add), before)
    codes = _named_by_rate(codes, new.get("heart_rate_bpm", kept.get("heart_rate_bpm")), edit.add)
    values = {name: value for name, value in kept.items() if _agrees(name, value, codes)} | new
    if NO_PR & set(codes):
        values.pop("pr_ms", None)
    return codes, Attributes(**values)


def _descends(code: str, other: str) -> bool:
    """Whether a statement is the other one or narrower."""
    found: str | None = code
    while found is not None and found != other:
        parent = STATEMENTS[found].parent
        found = parent if parent in STATEMENTS else None
    return found is not None


def _new_statements(edit: Edit, before: tuple[str, ...]) -> tuple[str, ...]:
    if "NORM" in edit.add:
        return ("NORM",)
    left = [code for code in before if not any(_descends(code, gone) for gone in edit.remove)]
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


def _agrees(name: str, value: object, codes: Iterable[str]) -> bool:
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
        if code in added
        or code in _SINUS
        or all(_agrees(name, value, (code,)) for name, value in new.items())
    )


def _named_by_rate(codes: tuple[str, ...], rate: object, added: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(rate, float | int) or any(code in added for code in _SINUS):
        return codes
    name = "SR"
    for code, (low, high, _) in SINUS_RATES.items():
        if low <= rate <= high and rate not in (low, high):
            name = code
    return tuple(name if code in _SINUS else code for code in codes)


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
    missing = [gone for gone in edit.remove if not any(_descends(code, gone) for code in statements)]
    if missing:
        return f"The ECG before has no {STATEMENTS[missing[0]].name}: there is nothing to take away."
    if edit.older_years and attributes.age is None:
        return "The age of the patient was not given: please tell me how old the patient should be."
    try:
        described = generation_answer(*apply_edit(edit, statements, attributes))
    except InputError:
        return replies()["impossible_rhythms"][0]
    return impossible(described, described) or described


def _change(
    kind: str, draw: random.Random, statements: Sequence[str], attributes: Attributes, language: str
) -> tuple[Edit, dict[str, str]] | None:
    """What to change, and the words for the slots; None if this ECG cannot be changed in this way."""
    if kind in ("slower", "faster"):
        return Edit(pace="slower" if kind == "slower" else "faster"), {}
    if kind in ("female", "male"):
        sex: Sex = "female" if kind == "female" else "male"
        return None if attributes.sex == sex else (Edit(values=Attributes(sex=sex)), {})
    if kind == "normal":
        return None if "NORM" in statements else (Edit(add=("NORM",)), {})
    if kind == "rate":
        rate = float(draw.randint(35, 180))
        return Edit(values=Attributes(heart_rate_bpm=rate)), {"hr": f"{rate:.0f}"}
    if kind == "age":
        age = float(draw.randint(18, 95))
        return Edit(values=Attributes(age=age)), {"age": f"{age:.0f}"}
    if kind in ("older", "younger"):
        years = draw.choice((5, 10, 15, 20, 25, 30, 40))
        room = (attributes.age or 0) - 18 if kind == "younger" else 95 - (attributes.age or 95)
        if attributes.age is None or years > room:
            return None
        return Edit(older_years=float(years if kind == "older" else -years)), {"years": str(years)}
    if kind == "axis":
        axis = float(draw.randrange(-85, 176, 5))
        return Edit(values=Attributes(qrs_axis_deg=axis)), {"deg": f"{axis:.0f}"}
    if kind == "interval":
        return _interval(draw, statements)
    names = surfaces(language)
    if kind == "add_rate":
        code = draw.choice([code for code in RHYTHMS if code in names and rates_of((code,))])
        low, high = rates_of((code,)) or (0, 0)
        fitting = [rate for rate in range(low, high + 1) if _agrees("heart_rate_bpm", rate, (code,))]
        rate = float(draw.choice(fitting))
        edit, words = _of_statement(
            Edit(add=(code,), values=Attributes(heart_rate_bpm=rate)), code, draw, language
        )
        return edit, words | {"hr": f"{rate:.0f}"}
    if kind == "remove":
        known = [code for code in statements if code in names and code not in (*_SINUS, "NORM")]
        return (
            _of_statement(Edit(remove=(code,)), code, draw, language)
            if known and (code := draw.choice(known))
            else None
        )
    new = [code for code in names if code != "NORM" and not any(_descends(old, code) for old in statements)]
    code = draw.choice([code for code in new if code not in _SINUS] if draw.random() < 0.9 else new)
    return _of_statement(Edit(add=(code,)), code, draw, language)


def _interval(draw: random.Random, statements: Sequence[str]) -> tuple[Edit, dict[str, str]]:
    low_high = {"pr_ms": (120, 300), "qrs_ms": (75, 180), "qt_ms": (340, 520)}
    names = [name for name in low_high if name != "pr_ms" or not NO_PR & set(statements)]
    name = draw.choice(names)
    value = float(draw.randint(*low_high[name]))
    words = {"quantity": draw.choice((_INTERVALS[name], _INTERVALS[name].split()[0])), "ms": f"{value:.0f}"}
    return Edit(values=Attributes(**{name: value})), words  # type: ignore[arg-type]


def _of_statement(edit: Edit, code: str, draw: random.Random, language: str) -> tuple[Edit, dict[str, str]]:
    plain = [name for name in surfaces(language)[code] if not name.startswith(("a ", "an ", "the "))]
    return edit, {"thing": draw.choice(plain or list(surfaces(language)[code]))}


def _languages(found: Iterable[Family]) -> list[str]:
    return [family.options.get("lang", "en") for family in found]


def sample_edit(
    rng: np.random.Generator,
    statements: Sequence[str],
    attributes: Attributes,
    split: Split = "train",
    *,
    nothing_before: bool = False,
) -> EditExample:
    """Draw a change of an ECG that was generated before.

    Parameters
    ----------
    rng : numpy.random.Generator
    statements : sequence of str
        SCP-ECG codes of the ECG before.
    attributes : Attributes
        Its values.
    split : {"train", "heldout"}
        Which set of phrasings to draw from.
    nothing_before : bool
        Whether the request stands alone, so that the reply asks back.

    Returns
    -------
    EditExample

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    while True:
        kind = draw.choices(list(_KINDS), list(_KINDS.values()))[0]
        # English four times in five, where the kind is known in another language.
        spoken = [language for language in _languages(by_kind("edits", split)[kind]) if language != "en"]
        language = draw.choice(spoken) if spoken and draw.random() < 0.2 else "en"
        change = _change(kind, draw, statements, attributes, language)
        if change is not None:
            break
    edit, words = change
    text = ask("edits", kind, draw, split, words, language)
    before = tuple(statements), attributes
    answer = edit_reply(edit, None if nothing_before else before)
    after = before
    if not nothing_before and answer.startswith("This is an ECG"):
        after = apply_edit(edit, *before)
    return EditExample(text, edit, *after, answer)
