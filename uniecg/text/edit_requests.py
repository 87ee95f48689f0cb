"""How people ask for a change of an ECG that was generated before."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from uniecg.attributes import Attributes, Sex
from uniecg.text.asking import ask, by_kind
from uniecg.text.edits import SINUS, Edit, agrees, apply_edit, descends, edit_reply
from uniecg.text.explain import NO_PR
from uniecg.text.grammar import Family
from uniecg.text.grammar.cases import rates_of, surfaces
from uniecg.text.requests import Split
from uniecg.text.statements import RHYTHMS

__all__ = ["EditExample", "sample_edit"]

_INTERVALS = {"pr_ms": "PR interval", "qrs_ms": "QRS duration", "qt_ms": "QT interval"}
_KINDS = {
    "add": 5.0, "add_rate": 2.0, "remove": 3.0, "rate": 4.0, "slower": 2.0, "faster": 2.0, "age": 1.0,
    "older": 1.5, "younger": 0.7, "female": 0.5, "male": 0.5, "interval": 1.5, "axis": 0.7, "normal": 0.7,
}  # fmt: skip


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
        fitting = [rate for rate in range(low, high + 1) if agrees("heart_rate_bpm", rate, (code,))]
        rate = float(draw.choice(fitting))
        edit, words = _of_statement(
            Edit(add=(code,), values=Attributes(heart_rate_bpm=rate)), code, draw, language
        )
        return edit, words | {"hr": f"{rate:.0f}"}
    if kind == "remove":
        known = [code for code in statements if code in names and code not in (*SINUS, "NORM")]
        return (
            _of_statement(Edit(remove=(code,)), code, draw, language)
            if known and (code := draw.choice(known))
            else None
        )
    new = [code for code in names if code != "NORM" and not any(descends(old, code) for old in statements)]
    code = draw.choice([code for code in new if code not in SINUS] if draw.random() < 0.9 else new)
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
