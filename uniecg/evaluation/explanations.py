"""Explanations task: are explanations true to the measurements, and how much do they vary? No model is asked.

Each record is explained once in every style of `uniecg.text.explain`, from the statements whose criteria it meets, with
wording drawn by the seed. The referee (`uniecg.evaluation.referee`) reads everything that the texts say; it shares no
code with what wrote them, and what it cannot read counts as a contradiction. Variety is measured on the prose styles
line, reasoning and teaching: distinct sentences, and the share of texts in which the commonest skeleton of a sentence
stands (a sentence with numbers, leads, and names of statements and criteria masked; lists masked as one).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, progress, read_examples, result, sample, share
from uniecg.evaluation.referee import LABEL, referee, referee_json
from uniecg.evaluation.referee_words import LEAD_LIST
from uniecg.signal import measure
from uniecg.signal.criteria import CRITERIA, findings
from uniecg.text.explain import STYLES, explain
from uniecg.text.statements import STATEMENTS

VERSION = "1.0"
PROSE = ("line", "reasoning", "teaching")
SHOWN_CONTRADICTIONS = 20

_NAMES = "|".join(
    re.escape(name)
    for name in sorted(
        {statement.name for statement in STATEMENTS.values()}
        | {criterion.name for diagnosis in CRITERIA.values() for criterion in diagnosis.criteria},
        key=len,
        reverse=True,
    )
)
_NAME_LIST = re.compile(rf"(?:{_NAMES})(?:, (?:{_NAMES}))*", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Sentences of an explanation, without the labels of its paragraphs.

    Parameters
    ----------
    text : str
    """
    return [
        part for line in text.split("\n") for part in re.split(r"(?<=[.?])\s+", LABEL.sub("", line)) if part
    ]


def skeleton(sentence: str) -> str:
    """A sentence with numbers, leads and names masked, lists of them as one.

    Parameters
    ----------
    sentence : str
    """
    masked = _NAME_LIST.sub("<name>", sentence)
    masked = re.sub(rf"(?<![\w']){LEAD_LIST}", "<lead>", masked)
    return re.sub(r"-?\d+(?:\.\d+)?", "<number>", masked)


def run(
    pipe: Pipeline | None = None,
    data: Path | None = None,
    split: str | None = "val",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Check explanations of records by an independent referee, and measure their variety; see the module.

    Parameters
    ----------
    pipe : Pipeline or None
        Not used: no model is asked.
    data : Path
        PTB-XL folder, Parquet file or folder of Parquet files.
    split : str, optional
    seed : int
        Seed of the wording and of the choice of `n` records.
    n : int, optional
        Use at most so many records.

    Returns
    -------
    dict
        Shares of explanations and of claims without contradiction; the commonest skeletons and the first
        contradictions in words.

    Raises
    ------
    InputError
        If there are no records.
    """
    clean: dict[str, list[bool]] = {style: [] for style in STYLES}
    claims: Counter[str] = Counter()
    wrong: list[dict[str, str]] = []
    distinct: dict[str, set[str]] = {style: set() for style in PROSE}
    skeletons: dict[str, Counter[str]] = {style: Counter() for style in PROSE}
    total_wrong = records = 0
    chosen = sample(read_examples(data, split, "explanations"), n, seed)
    for number, example in enumerate(progress(chosen, "explanations")):
        m = measure(example.record)
        codes, records = findings(m), records + 1
        for place, style in enumerate(STYLES):
            text = explain(m, codes, rng=np.random.default_rng([seed, number, place]), style=style)  # type: ignore[arg-type]
            rulings = referee_json(text, m) if style == "json" else referee(text, m)
            claims.update(ruling.kind for ruling in rulings)
            against = [ruling for ruling in rulings if not ruling.ok]
            clean[style].append(not against)
            total_wrong += len(against)
            for ruling in against[: SHOWN_CONTRADICTIONS - len(wrong)]:
                wrong.append({"uid": example.uid, "style": style, "kind": ruling.kind, "text": ruling.text})
            if style in PROSE:
                said = sentences(text)
                distinct[style].update(said)
                skeletons[style].update({skeleton(part) for part in said})
    if not records:
        raise InputError(f"{data}: no records in split {split!r}")
    checked = sum(claims.values())
    metrics: dict[str, Any] = {
        "explanations_without_contradiction": share(
            [ok for outcomes in clean.values() for ok in outcomes], n=records * len(STYLES)
        ),
        "claims_without_contradiction": share(
            [True] * (checked - total_wrong) + [False] * total_wrong, n=checked
        ),
    }
    for style in PROSE:
        commonest, count = skeletons[style].most_common(1)[0]
        metrics[f"largest_skeleton_{style}"] = share(
            [True] * count + [False] * (records - count), n=records, skeleton=commonest
        )
    return result(
        "explanations",
        VERSION,
        seed,
        records,
        metrics,
        split=split,
        explanations=records * len(STYLES),
        claims=dict(sorted(claims.items())),
        contradictions=total_wrong,
        distinct_sentences={
            "all": len(set().union(*distinct.values())),
            **{style: len(found) for style, found in distinct.items()},
        },
        distinct_skeletons={style: len(found) for style, found in skeletons.items()},
        first_contradictions=wrong,
    )
