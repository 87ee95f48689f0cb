"""Conversations the language model learns from, drawn from examples and request grammars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from uniecg.attributes import NUMERIC, Attributes
from uniecg.models.processing_uniecg import ACTION_TOKENS, UniECGProcessor
from uniecg.text.attributes import describe, generation_answer
from uniecg.text.dialogues import draw_follow_ups
from uniecg.text.ecg_qa import draw_question
from uniecg.text.edit_requests import sample_edit
from uniecg.text.edits import describe_edit
from uniecg.text.explain import explain
from uniecg.text.questions import question_about
from uniecg.text.requests import RequestExample, sample_request
from uniecg.text.shapes import sample_shape
from uniecg.text.slots import has_digits, measured_values, point, request_values
from uniecg.text.statements import RHYTHMS, STATEMENTS
from uniecg.training.data import MeasuredExample

Modality = Literal["signal", "image", "both"]
ACTION_WEIGHTS = (0.38, 0.36, 0.26)  # interpret, generate, answer
PUBLISHED_SHARE, SHAPE_SHARE = 0.35, 0.05  # of the generating requests; the rest is free
QUESTION_SHARE = 0.35  # of the requests about a measured ECG; half of them in the form of ECG-QA
EDIT_SHARE, DIALOGUE_SHARE, UNRELATED_SHARE = (
    0.03,
    0.1,
    0.1,
)  # of the conversations: those with an earlier exchange


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
    if action == "answer":
        request = sample_request(rng, "answer")
        turn = Turn(request.text, action, request.answer or "", action_only=request.action_only)
    elif rng.random() < PUBLISHED_SHARE:
        return published_turn(rng)
    else:
        request = sample_shape(rng) if rng.random() < SHAPE_SHARE else sample_request(rng, "generate")
        turn = _generate_turn(request)
    if not request.has_ecg:
        return turn
    index = int(rng.choice(len(examples), p=odds))
    return replace(turn, index=index, measured=examples[index].line if measured else None)


def draw_conversation(
    examples: Sequence[MeasuredExample],
    rng: np.random.Generator,
    weights: Sequence[float] = ACTION_WEIGHTS,
    *,
    measured: bool = True,
    odds: np.ndarray | None = None,
) -> tuple[Turn, list[Turn]]:
    """Draw a turn as :func:`draw_turn` does and what was said before it: nothing or one exchange."""
    kind = rng.random()
    if kind < EDIT_SHARE:
        return edit_turn(rng)
    if measured and kind < EDIT_SHARE + DIALOGUE_SHARE:
        return follow_up_turn(examples, int(rng.choice(len(examples), p=odds)), rng)
    turn = draw_turn(examples, rng, weights, measured=measured, odds=odds)
    if rng.random() >= UNRELATED_SHARE:
        return turn, []
    while (earlier := draw_turn(examples, rng)).action_only:
        pass  # an exchange whose reply is known
    return turn, [earlier]


def edit_turn(rng: np.random.Generator) -> tuple[Turn, list[Turn]]:
    """A change of an ECG that was generated before: the reply names the change, not what comes of it."""
    while True:
        request = sample_request(rng, "generate")
        answer = generation_answer(request.statements, request.attributes)
        if not (request.action_only or request.has_ecg) and answer != generation_answer(()):
            break
    edit = sample_edit(rng, request.statements, request.attributes)
    values = request_values(edit.text)
    turn = Turn(
        edit.text,
        "generate",
        describe_edit(edit.edit),
        statements=edit.statements,
        attributes=edit.attributes,
        values=values,
    )
    return turn, [Turn(request.text, "generate", answer)]


def follow_up_turn(
    examples: Sequence[MeasuredExample], index: int, rng: np.random.Generator
) -> tuple[Turn, list[Turn]]:
    """A further question about an ECG that was spoken of before: the last two exchanges of a dialogue."""
    item = examples[index]
    values = measured_values(item.measurements)
    while True:
        *_, before, last = draw_follow_ups(rng, item.measurements, item.statements)
        if not has_digits(point(last.answer, values)):
            break
    earlier, turn = (
        Turn(
            said.request, said.action, said.answer, index, "signal", item.line, item.statements, values=values
        )
        for said in (before, last)
    )
    return turn, [earlier]


def _generate_turn(request: RequestExample) -> Turn:
    """A generation request and its restatement, without numbers that stand in the request in other digits.

    Those (ranges, seconds) are read by rule in :func:`uniecg.text.attributes.restate`.
    """
    values = request_values(request.text)
    digits = {float(value) for value in values.values()}
    told = {
        name: value
        for name, value in request.attributes.to_dict().items()
        if isinstance(value, str) or value in digits
    }
    return Turn(
        request.text,
        "generate",
        generation_answer(request.statements, Attributes(**told)),
        statements=request.statements,
        attributes=request.attributes,
        values=values,
        action_only=request.action_only,
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
    if rng.random() < QUESTION_SHARE:
        question, answer = _question(item, rng, values)
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


def _question(item: MeasuredExample, rng: np.random.Generator, values: Mapping[str, str]) -> tuple[str, str]:
    """A question about one ECG with its answer, in everyday words or, as often, in the form of ECG-QA."""
    if rng.random() < 0.5:
        return question_about(rng, item.measurements, item.statements)
    while True:
        question = draw_question(rng, item.measurements, item.statements)
        if not has_digits(point(question.sentence, values)):
            return question.text, question.sentence


def _report_request(rng: np.random.Generator) -> RequestExample:
    """A request for a report, not a question about one value."""
    while True:
        request = sample_request(rng, "interpret")
        if not request.family.startswith("ask"):
            return request
