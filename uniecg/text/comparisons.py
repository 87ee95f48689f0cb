"""Questions about two ECGs in the form of ECG-QA: what is new, gone or still there, and which value is larger."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np

from uniecg.signal.measurements import Measurements
from uniecg.text.asking import ask
from uniecg.text.ecg_qa import NOT_SURE, STATED, Form, Question, clause, named
from uniecg.text.explain.wording import joined, sentence
from uniecg.text.requests import Split
from uniecg.text.verdicts import FEATURES, RANGES, Feature, Verdict, verdicts
from uniecg.text.verify import TOLERANCE

__all__ = ["CHANGES", "changes", "draw_comparison", "values_compared"]

CHANGES: dict[str, tuple[bool, bool]] = {"new": (False, True), "gone": (True, False), "still": (True, True)}
"""Change and what holds in the first and in the second ECG."""
_NORMAL = RANGES[1]
_VERIFY_SHARE = 0.45
_QUERIES = {"statement": 2.0, "range": 1.5, "larger": 2.0, "change": 1.5}
_TOPICS = {"rhythm": 3.0, "diagnosis": 5.0, "form": 3.0, "sign": 3.0, "noise": 1.0, "range": 4.0}

Pair = tuple[Verdict, Verdict]
Ecg = tuple[Measurements, Sequence[str]]


def _pairs(first: Ecg, second: Ecg) -> list[Pair]:
    """The same thing asked of both, where both can be judged."""
    later = {item.key: item for item in verdicts(*second) if item.met is not None}
    return [
        (item, later[item.key]) for item in verdicts(*first) if item.met is not None and item.key in later
    ]


def _in_state(pairs: Sequence[Pair], change: str) -> list[Verdict]:
    return [after for before, after in pairs if (before.met, after.met) == CHANGES[change]]


def values_compared(first: Ecg, second: Ecg, feature: Feature | None) -> tuple[str, str]:
    """Compare one value of two ECGs.

    Parameters
    ----------
    first, second : tuple of Measurements and sequence of str
        Measurements and stated SCP-ECG codes.
    feature : Feature, optional
        One of `uniecg.text.verdicts.FEATURES`; the heart rate if not given.

    Returns
    -------
    answer : str
        ``"first"``, ``"second"``, ``"none"`` if they differ by less than a measurement may err, or ``"not sure"``.
    sentence : str

    References
    ----------
    Tolerances: `uniecg.text.verify.TOLERANCE`.
    """
    if feature is None:
        name, unit, more = "heart rate", "bpm", "higher"
        values = (first[0].heart_rate_bpm, second[0].heart_rate_bpm)
        tolerance = TOLERANCE["heart_rate_bpm"]
    else:
        name, unit, more = feature.name, "ms", "longer"
        values = (feature.value(*first), feature.value(*second))
        tolerance = TOLERANCE["qrs_ms"]
    if not all(math.isfinite(value) for value in values):
        return NOT_SURE, f"The {name} cannot be measured in both ECGs."
    a, b = (round(value) for value in values)
    told = f"{a} {unit} in the first ECG, {b} {unit} in the second"
    if abs(a - b) <= tolerance:
        return "none", f"The {name} is the same within the error of measurement: {told}."
    larger = "first" if a > b else "second"
    return larger, f"The {name} is {more} in the {larger} ECG: {told}."


def changes(first: Ecg, second: Ecg) -> str:
    """Tell what has changed from one ECG to the other: statements that came and went, then rate and intervals.

    Parameters
    ----------
    first, second : tuple of Measurements and sequence of str
        Measurements and stated SCP-ECG codes.

    Returns
    -------
    str
        One or more sentences. What cannot be judged in both ECGs is not mentioned.
    """
    pairs = [pair for pair in _pairs(first, second) if pair[0].topic in STATED]
    told = [
        f"{word}: {joined([item.what for item in found])}."
        for change, word in (("new", "New"), ("gone", "No longer there"))
        if (found := _in_state(pairs, change))
    ]
    for feature in (None, *FEATURES.values()):
        answer, said = values_compared(first, second, feature)
        if answer in ("first", "second"):
            told.append(said)
    return " ".join(told) or "No change that the measurements show."


def _verify(pairs: Sequence[Pair], draw: random.Random, split: Split) -> Question | None:
    """As many "yes" as "no": the answer is drawn first. None if the two ECGs offer no such question."""
    wanted = draw.random() < 0.5
    pairs = [pair for pair in pairs if pair[0].topic in _TOPICS]
    found: dict[str, list[Pair]] = {}
    for change, state in CHANGES.items():
        fitting = [pair for pair in pairs if ((pair[0].met, pair[1].met) == state) is wanted]
        # "Is it still there?" and "has it gone?" are asked of what was there, "is it new?" of what was not.
        found[change] = [pair for pair in fitting if pair[0].met is state[0]]
    if not any(found.values()):
        return None
    change = draw.choice([change for change, fitting in found.items() if fitting])
    fitting = found[change]
    topics = [topic for topic in _TOPICS if any(pair[0].topic == topic for pair in fitting)]
    topic = draw.choices(topics, [_TOPICS[topic] for topic in topics])[0]
    before, after = draw.choice([pair for pair in fitting if pair[0].topic == topic])
    kind = {"sign": "place", "noise": "place", "range": "range"}.get(topic, "statement")
    words = {"what": named(after, draw), "about": after.about}
    text = ask("comparisons", f"verify_{change}_{kind}", draw, split, words)
    first, second = clause(before, bool(before.met)), clause(after, bool(after.met))
    told = f"in both ECGs {first}" if first == second else f"in the first ECG {first}, in the second {second}"
    return Question(
        text, "verify", topic, ("yes" if wanted else "no",), f"{'Yes' if wanted else 'No'}: {told}."
    )


def _statements(pairs: Sequence[Pair], draw: random.Random, split: Split) -> Question:
    change = draw.choice(list(CHANGES))
    found = _in_state([pair for pair in pairs if pair[0].topic in STATED], change)
    before, nothing = {
        "new": ("only the second ECG shows", "nothing that can be judged is new in the second ECG"),
        "gone": ("only the first ECG shows", "nothing that can be judged is gone in the second ECG"),
        "still": ("both ECGs show", "the two ECGs have nothing in common that can be judged"),
    }[change]
    said = f"{before} {joined([item.what for item in found])}" if found else nothing
    text = ask("comparisons", f"query_{change}_statement", draw, split)
    return Question(
        text, "query", "statement", tuple(item.label for item in found) or ("none",), sentence(said)
    )


def _ranges(pairs: Sequence[Pair], draw: random.Random, split: Split) -> Question:
    kind = draw.choice(("normal", "abnormal", "still"))
    normal = [pair for pair in pairs if pair[0].topic == "range" and pair[0].what == _NORMAL]
    wanted = {"normal": (False, True), "abnormal": (True, False), "still": (False, False)}[kind]
    found = [after for before, after in normal if (before.met, after.met) == wanted]
    became = {"normal": "became normal", "abnormal": "became abnormal", "still": "stayed abnormal"}[kind]
    names = joined([f"{item.about} ({item.grounds})" for item in found]) if found else "no measured time"
    text = ask("comparisons", f"query_{kind}_range", draw, split)
    answers = tuple(item.about_label for item in found) or ("none",)
    return Question(text, "query", "range", answers, sentence(f"{names} {became} in the second ECG"))


def _larger(first: Ecg, second: Ecg, draw: random.Random, split: Split) -> Question:
    feature = draw.choice([None, *FEATURES.values()])
    answer, said = values_compared(first, second, feature)
    if feature is None:
        text = ask("comparisons", "query_faster", draw, split)
    else:
        text = ask("comparisons", "query_longer", draw, split, {"feature": feature.name})
    return Question(text, "query", "value", (answer,), said)


def draw_comparison(
    rng: np.random.Generator, first: Ecg, second: Ecg, split: Split = "train", form: Form | None = None
) -> Question:
    """Draw a question about two ECGs, with its answer.

    Of yes/no questions as many are answered "yes" as "no". Only what can be judged in both is asked for.

    Parameters
    ----------
    rng : numpy.random.Generator
    first, second : tuple of Measurements and sequence of str
        Measurements and stated SCP-ECG codes of the earlier and the later ECG.
    split : {"train", "heldout"}
    form : {"verify", "query"}, optional
        Either if not given. Two ECGs of which nothing can be judged are queried whatever is asked for.

    Returns
    -------
    Question

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    pairs = _pairs(first, second)
    question = None
    if form == "verify" or (form is None and draw.random() < _VERIFY_SHARE):
        question = _verify(pairs, draw, split)
    if question is not None:
        return question
    kind = draw.choices(list(_QUERIES), list(_QUERIES.values()))[0]
    if kind == "statement":
        return _statements(pairs, draw, split)
    if kind == "range":
        return _ranges(pairs, draw, split)
    if kind == "larger":
        return _larger(first, second, draw, split)
    text = ask("comparisons", "query_change", draw, split)
    return Question(text, "query", "change", (), changes(first, second))
