"""Questions about one ECG in the form of ECG-QA: verify, choose and query, with its short answers and a sentence.

References
----------
Oh et al. 2023, ECG-QA: a comprehensive question answering dataset combined with electrocardiogram, NeurIPS.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from uniecg.signal.criteria import OUTRANKED, check_statement
from uniecg.signal.measurements import Measurements
from uniecg.text.asking import ask
from uniecg.text.explain.wording import joined, sentence
from uniecg.text.grammar.cases import surfaces
from uniecg.text.questions import answer_about
from uniecg.text.requests import Split
from uniecg.text.verdicts import FEATURES, Verdict, verdicts

__all__ = [
    "FORMS",
    "NOT_SURE",
    "STATED",
    "Form",
    "Question",
    "clause",
    "draw_question",
    "named",
    "verify_answer",
]

Form: TypeAlias = Literal["verify", "choose", "query"]
FORMS: dict[Form, float] = {"verify": 5.0, "choose": 2.0, "query": 4.0}
"""Forms of a question and how often each is drawn."""
NOT_SURE = "not sure"
STATED = ("rhythm", "diagnosis", "form")
"""Topics whose verdicts are statements."""
_TOPICS = {
    "rhythm": 3.0, "diagnosis": 5.0, "form": 3.0, "superclass": 1.0, "normal": 0.7, "sign": 3.0, "noise": 2.0,
    "range": 4.0, "axis": 1.5,
}  # fmt: skip
_OPEN_SHARE = 0.08
_ONE, _BOTH, _NONE = 2.0, 1.0, 1.0
_SIGNS_OF_A_LEAD = 4


@dataclass(frozen=True)
class Question:
    """A question about one ECG or two, and its answer in two forms.

    Attributes
    ----------
    text : str
        What the user asks.
    form : {"verify", "choose", "query"}
    topic : str
        As `uniecg.text.verdicts.Verdict.topic`; ``"value"`` where a number is asked for, and in comparisons
        ``"change"``.
    answers : tuple of str
        As ECG-QA gives them: ``("yes",)``, ``("lead II", "lead III")``, ``("none",)``, ``("160 ms",)``.
    sentence : str
        The answer in words, with what was measured.
    """

    text: str
    form: Form
    topic: str
    answers: tuple[str, ...]
    sentence: str


def clause(item: Verdict, holds: bool) -> str:
    """A verdict in words, affirmed or denied, without what was measured."""
    no = "" if holds else "no "
    if item.topic == "range":
        return f"the {item.about} is {'' if holds else 'not '}{item.what}"
    if item.topic in ("sign", "noise"):
        return f"there {'are' if item.what.endswith('s') else 'is'} {no}{item.what} in {item.about}"
    if item.topic == "normal":
        return f"this is {'' if holds else 'not '}a normal ECG"
    article = "a " if holds and item.what.startswith("normal") else ""
    return f"it shows {no}{article}{item.what}"


def _grounded(item: Verdict, holds: bool) -> str:
    return clause(item, holds) + (f": {item.grounds}" if item.grounds else "")


def named(item: Verdict, draw: random.Random) -> str:
    """What people call the thing that is asked for."""
    names = [name for name in surfaces("en").get(item.code, ()) if not name.startswith(("a ", "an ", "the "))]
    return draw.choice(names) if names else item.what


def _pick(items: Sequence[Verdict], draw: random.Random) -> Verdict:
    """One of the verdicts, its topic drawn first."""
    topics = [topic for topic in _TOPICS if any(item.topic == topic for item in items)]
    topic = draw.choices(topics, [_TOPICS[topic] for topic in topics])[0]
    return draw.choice([item for item in items if item.topic == topic])


def verify_answer(item: Verdict) -> tuple[tuple[str, ...], str]:
    """Answer a yes/no question: ECG-QA's word and a sentence."""
    if item.met is None:
        what = {"range": item.about, "axis": "the QRS axis"}.get(item.topic, item.what)
        where = item.about if item.topic in ("sign", "noise") else "this ECG"
        return (NOT_SURE,), sentence(f"{what} cannot be judged in {where}")
    return ("yes" if item.met else "no",), f"{'Yes' if item.met else 'No'}, {_grounded(item, item.met)}."


def _verify(items: Sequence[Verdict], draw: random.Random, split: Split) -> Question:
    """As many "yes" as "no": the answer is drawn first; a record without one is asked what cannot be judged."""
    wanted = draw.random() < 0.5
    fitting = [item for item in items if item.met is wanted]
    unclear = [item for item in items if item.met is None]
    item = _pick(unclear if unclear and (draw.random() < _OPEN_SHARE or not fitting) else fitting, draw)
    kind = "statement" if item.topic in STATED else item.topic
    text = ask("questions", f"verify_{kind}", draw, split, {"what": named(item, draw), "about": item.about})
    return Question(text, "verify", item.topic, *verify_answer(item))


def _choose(items: Sequence[Verdict], draw: random.Random, split: Split) -> Question | None:
    judged = [
        item for item in items if item.met is not None and item.topic in (*STATED, "sign", "noise", "range", "axis")
    ]  # fmt: skip
    first = _pick(judged, draw) if judged else None
    if first is None:
        return None
    group = [item for item in judged if (item.topic, item.about) == (first.topic, first.about)]
    pairs = list(combinations(group, 2))
    by_count = [
        [pair for pair in pairs if sum(bool(item.met) for item in pair) == count] for count in (1, 2, 0)
    ]
    kinds = [(found, weight) for found, weight in zip(by_count, (_ONE, _BOTH, _NONE), strict=True) if found]
    if not kinds:
        return None
    pair = list(draw.choice(draw.choices([found for found, _ in kinds], [weight for _, weight in kinds])[0]))
    draw.shuffle(pair)
    kind = "statement" if first.topic in STATED else first.topic
    names = {"a": named(pair[0], draw), "b": named(pair[1], draw), "about": first.about}
    answers = tuple(item.label for item in pair if item.met) or ("none",)
    said = " ".join(sentence(_grounded(item, bool(item.met))) for item in pair)
    return Question(
        ask("questions", f"choose_{kind}", draw, split, names), "choose", first.topic, answers, said
    )


def _query(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question | None:
    topic = draw.choices(list(_QUERIES), [_TOPICS.get(topic, 3.0) for topic in _QUERIES])[0]
    return _QUERIES[topic]([item for item in items if item.topic == topic], m, codes, draw, split)


def _disputed(item: Verdict, m: Measurements, codes: Sequence[str]) -> bool:
    """Whether a statement is open although it is stated, or although its criteria could be judged: no list then."""
    if item.met is not None or set(OUTRANKED.get(item.code, ())) & set(codes):
        return False
    return item.code in codes or check_statement(item.code, m)[0] is not None


def _query_stated(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question | None:
    shown = [item for item in items if item.met]
    if any(_disputed(item, m, codes) for item in items):
        return None
    topic = items[0].topic
    if topic == "rhythm" and not shown:
        return None
    if topic == "rhythm":
        said = answer_about("rhythm", m, [item.code for item in shown])
    elif shown:
        said = f"It shows {joined([item.what for item in shown])}."
    else:
        said = {"diagnosis": "It shows no diagnostic finding.", "form": "It shows no finding of form."}[topic]
    text = ask("questions", f"query_{topic}", draw, split)
    return Question(text, "query", topic, _labels(shown), said)


def _query_superclass(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question | None:
    if any(item.met is None for item in items):
        return None
    shown = [item for item in items if item.met]
    said = joined([f"{item.what} ({item.grounds})" for item in shown]) if shown else "none of the four"
    text = ask("questions", "query_superclass", draw, split)
    return Question(text, "query", "superclass", _labels(shown), f"It shows {said}.")


def _query_place(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question | None:
    """Which leads show a sign or noise, or what one lead shows."""
    leads = [item for item in items if item.about != "the recording"]
    if not leads:
        return None
    one, by_what = draw.choice(leads), draw.random() < 0.5
    group = [item for item in leads if (item.what == one.what if by_what else item.about == one.about)]
    missing = one.topic == "sign" and not by_what and len(group) < _SIGNS_OF_A_LEAD
    if missing or any(item.met is None for item in group):
        return None
    shown = [item for item in group if item.met]
    has = "shows" if one.topic == "sign" else "has"
    words = {"what": one.what, "about": one.about}
    if by_what:
        places = joined([item.about.removeprefix("lead ") for item in shown]) if shown else ""
        said = f"{one.what} in {places}" if shown else f"no lead {has} {one.what}"
        text = ask("questions", f"query_{one.topic}_about", draw, split, words)
        answers = tuple(item.about_label for item in shown) or ("none",)
    else:
        names = [f"{item.what} ({item.grounds})" if item.grounds else item.what for item in shown]
        nothing = {"sign": "no change of ST, T or Q", "noise": "no noise"}[one.topic]
        said = f"{one.about} {has} {joined(names) if shown else nothing}"
        text = ask("questions", f"query_{one.topic}_what", draw, split, words)
        answers = _labels(shown)
    return Question(text, "query", one.topic, answers, sentence(said))


def _query_range(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question | None:
    judged = [item for item in items if item.met is not None]
    if not judged:
        return None
    one = draw.choice(judged)
    words = {"what": one.what, "about": one.about}
    if draw.random() < 0.5:
        shown = [item for item in judged if item.what == one.what and item.met]
        grounds = joined(list(dict.fromkeys(item.grounds for item in shown))) if shown else ""
        names = joined([item.about for item in shown]) if shown else ""
        said = f"{one.what}: {names} ({grounds})" if shown else f"no measured time is {one.what}"
        text = ask("questions", "query_range_about", draw, split, words)
        return Question(
            text, "query", "range", tuple(item.about_label for item in shown) or ("none",), sentence(said)
        )
    holds = next(item for item in judged if item.about == one.about and item.met)
    text = ask("questions", "query_range_what", draw, split, words)
    return Question(text, "query", "range", (holds.label,), sentence(_grounded(holds, True)))


def _query_axis(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question | None:
    shown = [item for item in items if item.met]
    if not shown:
        return None
    text = ask("questions", "query_axis", draw, split)
    return Question(text, "query", "axis", _labels(shown), answer_about("axis", m, codes))


def _query_value(
    items: Sequence[Verdict], m: Measurements, codes: Sequence[str], draw: random.Random, split: Split
) -> Question:
    feature = draw.choice(list(FEATURES.values()))
    value = feature.value(m, codes)
    known = math.isfinite(value)
    if feature.kind:
        said = answer_about(feature.kind, m, codes)
    else:
        said = f"The {feature.name} {f'is {round(value)} ms' if known else 'cannot be measured in this ECG'}."
    text = ask("questions", "query_value", draw, split, {"about": feature.name})
    return Question(text, "query", "value", (f"{round(value)} ms" if known else NOT_SURE,), said)


def _labels(shown: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(item.label for item in shown) or ("none",)


_Query: TypeAlias = Callable[
    [Sequence[Verdict], Measurements, Sequence[str], random.Random, Split], "Question | None"
]
_QUERIES: dict[str, _Query] = {
    **dict.fromkeys(STATED, _query_stated),
    "superclass": _query_superclass, "sign": _query_place, "noise": _query_place, "range": _query_range,
    "axis": _query_axis, "value": _query_value,
}  # fmt: skip


def draw_question(
    rng: np.random.Generator,
    m: Measurements,
    statements: Sequence[str],
    split: Split = "train",
    form: Form | None = None,
) -> Question:
    """Draw a question about an ECG in the form of ECG-QA, with its answer.

    Of yes/no questions as many are answered "yes" as "no". What the measurements cannot judge is answered "not sure".

    Parameters
    ----------
    rng : numpy.random.Generator
    m : Measurements
    statements : sequence of str
        SCP-ECG codes that are stated of the ECG.
    split : {"train", "heldout"}
        Which set of phrasings to draw from.
    form : {"verify", "choose", "query"}, optional
        Any of them if not given.

    Returns
    -------
    Question

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    items = verdicts(m, statements)
    while True:
        chosen = form or draw.choices(list(FORMS), list(FORMS.values()))[0]
        if chosen == "query":
            question = _query(items, m, statements, draw, split)
        else:
            question = (_verify if chosen == "verify" else _choose)(items, draw, split)
        if question is not None:
            return question
