"""Explanations in prose: the one-line report, the full reasoning, and the reasoning as a teacher tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from uniecg.signal.measurements import Measurements
from uniecg.text.explain.conclusions import Conclusion, conclude, conclusion_words, lesson_words
from uniecg.text.explain.evidence import whole
from uniecg.text.explain.protocol import Fact, Step, intervals, steps
from uniecg.text.explain.wording import joined, say, sentence
from uniecg.text.statements import IMPRESSION, RHYTHMS, STATEMENTS

__all__ = ["ProseStyle", "prose"]

ProseStyle: TypeAlias = Literal["line", "reasoning", "teaching"]

LABELS: dict[Step, str] = {
    "quality": "Quality",
    "rhythm": "Rhythm",
    "rate": "Rate",
    "intervals": "Intervals",
    "axis": "Axis",
    "p": "P wave",
    "qrs": "QRS",
    "st": "ST-T",
}
# How often a varied text has labels, tells what is optional, and adds what a teacher adds.
LABELLED, TOLD, TAUGHT = 0.5, 0.6, 0.6


def prose(
    m: Measurements, codes: Sequence[str], style: ProseStyle, rng: np.random.Generator | None = None
) -> str:
    """Explain in prose what was measured and what it amounts to; a statement is affirmed only if its criteria are met.

    Parameters
    ----------
    m : Measurements
    codes : sequence of str
        Statements to conclude, in the order of the vocabulary.
    style : {"line", "reasoning", "teaching"}
        ``"line"`` is one line; the others have one paragraph for each step of the protocol, one for the conclusions
        and one for the impression.
    rng : numpy.random.Generator, optional
        Varies the wording; None gives the canonical one.
    """
    concluded = conclude(m, codes)
    met = [item.code for item in concluded if item.status == "met"]
    facts = steps(m, met)
    if m.quality.verdict == "unusable":
        said = [_told(fact, rng) for fact in facts["quality"]]
        said += [
            sentence(say("no_reading", {}, rng)),
            f"{IMPRESSION} {_closed(say('impression_poor', {}, rng))}",
        ]
        return (" " if style == "line" else "\n").join(said)
    if style == "line":
        return _line(m, met, rng)
    teaching = style == "teaching"
    labelled = rng is None or rng.random() < LABELLED
    paragraphs = []
    for step, found in facts.items():
        words = _paragraph(step, found, teaching, labelled, rng)
        if words:
            paragraphs.append(f"{LABELS[step]}: {words}" if labelled else words)
    if concluded:
        words = _conclusions(m, concluded, teaching, rng)
        paragraphs.append(f"Conclusions: {words}" if labelled else words)
    paragraphs.append(_impression(m, met, rng))
    return "\n".join(paragraphs)


def _closed(text: str) -> str:
    """Words that stand behind a label, closed by a full stop."""
    return text if text.endswith(".") else text + "."


def _chance(probability: float, rng: np.random.Generator | None) -> bool:
    return rng is None or rng.random() < probability


def _told(fact: Fact, rng: np.random.Generator | None) -> str:
    return sentence(say(fact.family, fact.values, rng))


def _paragraph(
    step: Step, facts: Sequence[Fact], teaching: bool, labelled: bool, rng: np.random.Generator | None
) -> str:
    words = []
    if teaching and _chance(TAUGHT, rng):
        words.append(sentence(say(f"lesson.{step}", {}, rng)))
    if step == "intervals":
        parts = [say(fact.family, fact.values, rng) for fact in facts]
        family = "intervals_labelled" if labelled else "intervals"
        words.append(sentence(say(family, {"list": joined(parts)}, rng)))
    else:
        words += [_told(fact, rng) for fact in facts if not fact.optional or _chance(TOLD, rng)]
    return " ".join(words)


def _conclusions(
    m: Measurements, concluded: Sequence[Conclusion], teaching: bool, rng: np.random.Generator | None
) -> str:
    words = []
    if teaching and _chance(TAUGHT, rng):
        words.append(sentence(say("lesson.conclusions", {}, rng)))
    told: set[str] = set()
    for item in concluded:
        words.append(conclusion_words(m, item, told, rng))
        if teaching and item.status == "met" and _chance(TAUGHT, rng):
            words.append(lesson_words(item, rng))
    return " ".join(words)


def _names(met: Sequence[str], rng: np.random.Generator | None) -> str:
    """Names of what is met, the rhythm first; the order of the others is free."""
    rhythms = [code for code in met if code in RHYTHMS]
    others = [code for code in met if code not in RHYTHMS]
    if rng is not None and len(others) > 1:
        others = [others[index] for index in rng.permutation(len(others))]
    return ", ".join(STATEMENTS[code].name for code in (*rhythms, *others))


def _impression(m: Measurements, met: Sequence[str], rng: np.random.Generator | None) -> str:
    rate = m.heart_rate_bpm
    known = math.isfinite(rate)
    family = "impression_none" if not met else "impression" if known else "impression_no_rate"
    values = {"names": _names(met, rng), "rate": whole(rate) if known else ""}
    return f"{IMPRESSION} {_closed(say(family, values, rng))}"


def _line(m: Measurements, met: Sequence[str], rng: np.random.Generator | None) -> str:
    """Impression and main numbers in one line."""
    quantities = [fact.values for fact in intervals(m, met)]
    if math.isfinite(m.heart_rate_bpm):
        quantities.insert(0, {"rate": whole(m.heart_rate_bpm)})
    if math.isfinite(m.qrs_axis_deg):
        quantities.append({"axis": whole(m.qrs_axis_deg)})
    parts = [say(f"line_{name}", values, rng) for values in quantities for name in values]
    family = "impression_no_rate" if met else "impression_none"
    stated = f"{IMPRESSION} {say(family, {'names': _names(met, rng)}, rng)}"
    if not parts:
        return _closed(stated)
    return sentence(say("line", {"impression_is": stated, "numbers": joined(parts)}, rng))
