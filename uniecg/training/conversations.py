"""Conversations the language model learns from, drawn from examples and request grammars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from uniecg.attributes import NUMERIC, Attributes
from uniecg.models.processing_uniecg import ACTION_TOKENS, UniECGProcessor
from uniecg.text.attributes import describe, generation_answer
from uniecg.text.explain import explain
from uniecg.text.questions import question_about
from uniecg.text.requests import RequestExample, sample_request
from uniecg.text.slots import measured_values, point, request_values
from uniecg.text.statements import RHYTHMS, STATEMENTS
from uniecg.training.data import MeasuredExample

Modality = Literal["signal", "image", "both"]
ACTION_WEIGHTS = (0.38, 0.36, 0.26)  # interpret, generate, answer
PUBLISHED_SHARE = 0.35  # of the generating requests; the rest is free


@dataclass(frozen=True)
class Turn:
    """One request with its inputs and the reply to learn.

    ``index`` points into the measured examples when an ECG is attached; ``measured`` is the line of
    measurements in the prompt, if any; ``values`` are the numbers the reply may point at. With ``action_only``
    nothing but the action is known, and the reply is not to be learned.
    """

    request: str
    action: str
    answer: str
    index: int | None = None
    modality: Modality = "signal"
    measured: str | None = None
    statements: tuple[str, ...] = ()
    attributes: Attributes = Attributes()
    values: Mapping[str, str] = field(default_factory=dict)
    action_only: bool = False

    def messages(self, processor: UniECGProcessor, history: Sequence[Turn] = ()) -> list[dict[str, Any]]:
        """Chat messages up to the reply; earlier turns stand as words only."""
        result: list[dict[str, Any]] = []
        for turn in history:
            result.append({"role": "user", "content": processor.user_content(turn.request)})
            result.append(
                {"role": "assistant", "content": [{"type": "text", "text": point(turn.answer, {})}]}
            )
        content = processor.user_content(
            self.request,
            has_ecg=self.index is not None and self.modality != "image",
            has_image=self.index is not None and self.modality != "signal",
            measured=self.measured,
        )
        return [*result, {"role": "user", "content": content}]

    @property
    def reply(self) -> str:
        """Action token and, unless only that is known, the answer with numbers and statements by reference."""
        words = "" if self.action_only else point(self.answer, self.values)
        return ACTION_TOKENS[self.action] + words


def draw_turn(
    examples: Sequence[MeasuredExample],
    rng: np.random.Generator,
    weights: Sequence[float] = ACTION_WEIGHTS,
    *,
    measured: bool = True,
    odds: np.ndarray | None = None,
) -> Turn:
    """Draw a request of any kind with the reply that the measurements and labels support.

    Without `measured` the line of measurements is left out and replies hold no measured number. `odds` are the
    probabilities of the examples; by default all are as likely.
    """
    action = str(rng.choice(["interpret", "generate", "answer"], p=weights))
    if action == "interpret":
        return _interpret_turn(examples, int(rng.choice(len(examples), p=odds)), rng, measured)
    if action == "generate" and rng.random() < PUBLISHED_SHARE:
        return published_turn(rng)
    request = sample_request(rng, action)  # type: ignore[arg-type]
    index, line = None, None
    if request.has_ecg:
        index = int(rng.choice(len(examples), p=odds))
        line = examples[index].line if measured else None
    answer = (
        generation_answer(request.statements, request.attributes) if action == "generate" else request.answer
    )
    values = request_values(request.text) if action == "generate" else {}
    return Turn(
        request.text,
        action,
        answer or "",
        index,
        "signal",
        line,
        request.statements,
        request.attributes,
        values,
        request.action_only,
    )


def published_turn(rng: np.random.Generator) -> Turn:
    """The published pair: "Generate an ECG of {report}." and "This is an ECG of {report}.".

    One to five statements, all as likely, and any values: nothing but the request tells which, so that restating
    is learned as copying and not as guessing what is common.
    """
    rhythm, *others = (
        rng.permutation(list(RHYTHMS))[0],
        *rng.permutation(sorted(set(STATEMENTS) - set(RHYTHMS))),
    )
    count = int(rng.integers(1, 6))
    statements = tuple(map(str, others[:count] if rng.random() < 0.5 else [rhythm, *others[: count - 1]]))
    if "NORM" in statements:
        statements = ("NORM",)
    numbers = {
        name: float(rng.integers(int(value.low), int(value.high) + 1))
        for name, value in NUMERIC.items()
        if rng.random() < 0.3
    }
    sex = str(rng.choice(["female", "male"])) if rng.random() < 0.3 else None
    attributes = Attributes(sex=sex, **numbers)  # type: ignore[arg-type]
    request = f"Generate an ECG of {describe(statements, attributes)}."
    return Turn(
        request,
        "generate",
        generation_answer(statements, attributes),
        statements=statements,
        attributes=attributes,
        values=request_values(request),
    )


def rarity_odds(examples: Sequence[MeasuredExample]) -> np.ndarray:
    """Probabilities with which examples are drawn, so that rare statements are seen more often than they occur.

    The weight of an example is the square root of how rare its rarest statement is against one in ten, from 1 to 4:
    enough to learn rare statements, not so much that the model expects them everywhere.
    """
    counts = Counter(code for item in examples for code in item.statements)
    rarest = np.array([min(counts[code] for code in item.statements) for item in examples])
    weights = np.sqrt(np.clip(len(examples) / (10 * rarest), 1, 16))
    return np.asarray(weights / weights.sum())


def _interpret_turn(
    examples: Sequence[MeasuredExample], index: int, rng: np.random.Generator, measured: bool
) -> Turn:
    item = examples[index]
    kind = rng.random()
    modality: Modality = "signal" if kind < 0.65 else "image" if kind < 0.85 else "both"
    if not item.example.amplitude_known:
        modality = "signal"  # no page can be drawn without millivolts
    # A page alone brings no measurements: then the reply names statements and no number.
    if modality == "image" or not measured:
        request = _report_request(rng)
        answer = explain(item.measurements, item.statements, style="impression")
        return Turn(
            request.text,
            "interpret",
            answer,
            index,
            modality,
            None,
            item.statements,
            action_only=request.action_only,
        )
    line, values = item.line, measured_values(item.measurements)
    if rng.random() < 0.35:
        question, answer = question_about(rng, item.measurements, item.statements)
        return Turn(question, "interpret", answer, index, modality, line, item.statements, values=values)
    request = _report_request(rng)
    style = next((s for s in ("short", "impression") if request.family.startswith(s)), "report")
    answer = explain(item.measurements, item.statements, rng=rng, style=style)  # type: ignore[arg-type]
    return Turn(
        request.text,
        "interpret",
        answer,
        index,
        modality,
        line,
        item.statements,
        values=values,
        action_only=request.action_only,
    )


def _report_request(rng: np.random.Generator) -> RequestExample:
    """A request for a report, not a question about one value."""
    while True:
        request = sample_request(rng, "interpret")
        if not request.family.startswith("ask"):
            return request
