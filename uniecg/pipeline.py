"""The model at work: requests in, replies out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import LogitsProcessorList

from uniecg.attributes import Attributes
from uniecg.errors import InputError
from uniecg.examples import example_path
from uniecg.io import read_record
from uniecg.models import (
    SUPERCLASSES,
    ECGDiffusionPipeline,
    ECGTokenLogitsProcessor,
    FirstTokenIsAction,
    UniECGForConditionalGeneration,
    UniECGProcessor,
)
from uniecg.models.autoencoder_ecg import EIGHT, STRIDE
from uniecg.models.conditioning import StatementTable, attribute_values
from uniecg.models.pipeline_ecg_diffusion import SAMPLING_RATE, STEP_S
from uniecg.models.processing_uniecg import ACTION_TOKENS, END, GENERATE, unpack_messages, words_of
from uniecg.record import Record, derive_limb_leads
from uniecg.report import Finding, Report
from uniecg.signal import Measurements, measure
from uniecg.signal.misfit import misfit
from uniecg.simulate import plan_rhythm, usual_attributes
from uniecg.text.attributes import MEASURED_ON, parse_attributes
from uniecg.text.edits import DESCRIPTION, described
from uniecg.text.explain import compared_rightly, explain
from uniecg.text.slots import fill, measured_values, point, request_values
from uniecg.text.statements import STATEMENTS, conflicts, parse_statements
from uniecg.text.verify import check_report, objection

Action = Literal["interpret", "generate", "answer"]
PRESETS = Path(__file__).parent / "presets"
MAX_NEW_TOKENS = 320
MAX_DRAWS = 4  # of one request; the one that fits best is kept
GUIDANCE_SCALE = 3.0  # chosen by eye; the task `generation` measures what comes of it


@dataclass(frozen=True)
class Reply:
    """What the model did.

    Attributes
    ----------
    action : {"interpret", "generate", "answer"}
        What the model took the request for.
    text : str
        Its words, and behind them what the measurements object or, on a generated ECG, show.
    report : Report or None
        Interpretation with checked findings, or the measurements of a generated ECG; None for an answer.
    record : Record or None
        The generated ECG.
    """

    action: Action
    text: str
    report: Report | None = None
    record: Record | None = None


class UniECGPipeline:
    """Interprets and generates ECGs, and decides which is wanted.

    Parameters
    ----------
    model, processor : UniECGForConditionalGeneration, UniECGProcessor
        Language model with its towers, and what prepares its inputs.
    decoder : ECGDiffusionPipeline
        Text-to-ECG decoder.
    table : StatementTable
        Embeddings of the statement vocabulary the decoder was trained with.
    """

    def __init__(
        self,
        model: UniECGForConditionalGeneration,
        processor: UniECGProcessor,
        decoder: ECGDiffusionPipeline,
        table: StatementTable,
    ):
        self.model = model.eval()
        self.positions: int = model.config.text_config.max_position_embeddings
        self.processor = processor
        self.decoder = decoder
        self.decoder.set_progress_bar_config(disable=True)
        self.table = table

    @classmethod
    def from_pretrained(cls, path: str | Path) -> UniECGPipeline:
        """Load a folder written by :meth:`save_pretrained`; InputError if it holds no model."""
        path = Path(path)
        needed = ("config.json", "statements.safetensors", "decoder/model_index.json")
        missing = [name for name in needed if not (path / name).is_file()]
        if missing:
            raise InputError(f"{path}: not a UniECG model folder, it lacks {', '.join(missing)}")
        return cls(
            UniECGForConditionalGeneration.from_pretrained(path, dtype=torch.float32),
            UniECGProcessor.from_pretrained(path),
            ECGDiffusionPipeline.from_pretrained(path / "decoder", dtype=torch.float32),
            StatementTable.load(path / "statements.safetensors"),
        )

    def save_pretrained(self, path: str | Path) -> None:
        """Write model, processor, decoder and table into a folder, in their present precision."""
        path = Path(path)
        self.model.save_pretrained(path)
        self.processor.save_pretrained(path)
        self.decoder.save_pretrained(path / "decoder")
        self.table.save(path / "statements.safetensors")

    # -- requests ---------------------------------------------------------------------------------

    def __call__(
        self,
        request: str | Sequence[Mapping[str, Any]],
        record: Record | None = None,
        image: np.ndarray | None = None,
        history: Sequence[Mapping[str, Any]] | None = None,
        seed: int | None = None,
        duration_s: float = 10.0,
    ) -> Reply:
        """Answer a request.

        Parameters
        ----------
        request : str or list of messages
            Words, or chat messages whose user content may hold ``{"type": "ecg", "ecg": Record}`` and
            ``{"type": "image", "image": array}`` parts; the last message must be the user's.
        record : Record, optional
            The ECG asked about.
        image : ndarray, optional
            A page of it, (H, W) or (H, W, 3) uint8.
        history : list of messages, optional
            What was said before: ``{"role", "content"}`` with words as content.
        seed : int, optional
            Makes a generated ECG repeatable; drawn anew when not given.
        duration_s : float
            Length of a generated ECG, in seconds.

        Raises
        ------
        InputError
            If the messages or the duration cannot be used.
        """
        if not isinstance(request, str):
            request, record, image, history = unpack_messages(request, record, image)
        if not 2 <= duration_s <= 60:
            raise InputError(f"a generated ECG may last 2 to 60 s, not {duration_s:g}")
        measurements = None if record is None else measure(record)
        inputs = self.processor.chat(request, record, image, measurements, history or ())
        earlier = [words_of(turn["content"]) for turn in history or () if turn["role"] == "assistant"]
        action, text, words = self._decide(request, inputs, record is not None or image is not None, earlier)
        if action == "generate":
            return self._generate(request, text, words, inputs, seed, duration_s)
        if action == "answer":
            return Reply(action, text)
        if measurements is not None and measurements.quality.verdict == "unusable" and image is None:
            return _unusable(measurements)
        values = measured_values(measurements) if measurements else {}
        text = _without_false_normal(self._say(request, inputs, action, values))
        if measurements is None:
            return Reply(action, text, _report(text, None))
        report = _report(compared_rightly(text, measurements), measurements)
        return Reply(action, f"{report.text} {objection(report, measurements)}".strip(), report)

    def route(self, request: str, has_ecg: bool) -> Action:
        """What is done with a request, without carrying it out.

        With `has_ecg` a bundled normal ECG stands in for the attached one.
        """
        record, measurements = _stand_in() if has_ecg else (None, None)
        return self._decide(request, self.processor.chat(request, record, None, measurements, ()), has_ecg)[0]

    def superclass_probabilities(
        self, record: Record | None = None, image: np.ndarray | None = None
    ) -> dict[str, float]:
        """Probabilities of the five PTB-XL superclasses from the head on the signal or the image tower.

        Raises
        ------
        InputError
            If neither a record nor an image is given.
        """
        with torch.no_grad():
            if record is not None:
                features = self.processor.feature_extractor([record])
                logits = self.model.ecg_tower(**features).logits
            elif image is not None:
                logits = self.model.vision_tower(**self.processor.image_processor([image])).logits
            else:
                raise InputError("give a record or an image")
        values = torch.sigmoid(logits[0, : len(SUPERCLASSES)]).tolist()
        return dict(zip(SUPERCLASSES, values, strict=True))

    @property
    def superclass_thresholds(self) -> dict[str, float]:
        """Probability from which a superclass counts as present, chosen on validation records."""
        return dict(zip(SUPERCLASSES, self.model.config.ecg_config.thresholds, strict=True))

    def mapper_embeddings(self, text: str) -> np.ndarray:
        """Condition (queries, dim) that the model's own words lead to."""
        inputs = self.processor.chat(text)
        return np.asarray(self._map(inputs, self._write(inputs, "generate")).numpy())

    def statement_embeddings(self, codes: Iterable[str]) -> np.ndarray:
        """Frozen text-encoder embeddings (n, dim) of statements."""
        codes = list(codes)
        return np.asarray(self.table.embed(codes, len(codes)).numpy())

    def reconstruct(self, record: Record) -> Record:
        """The record after the decoder's autoencoder: what the latent can hold at best."""
        signal = np.nan_to_num(record.resample(SAMPLING_RATE).signal[EIGHT])
        signal = signal[:, : signal.shape[1] // STRIDE * STRIDE]
        autoencoder = self.decoder.autoencoder
        with torch.no_grad():
            eight = autoencoder.decode(autoencoder.encode(torch.from_numpy(signal)[None]))[0].numpy()
        return Record(derive_limb_leads(eight), SAMPLING_RATE)

    # -- steps ------------------------------------------------------------------------------------

    def _route(self, inputs: Any, has_ecg: bool) -> Action:
        with torch.no_grad():
            scores = self.model(**inputs).logits[0, -1]
        # Without an ECG there is nothing to interpret.
        possible = [action for action in ACTION_TOKENS if has_ecg or action != "interpret"]
        ids = [self.processor.token_id(ACTION_TOKENS[action]) for action in possible]
        return possible[int(scores[ids].argmax())]  # type: ignore[return-value]

    def _write(self, inputs: Any, action: Action) -> list[int]:
        """Token ids of the reply after its action token, greedily."""
        length = inputs["input_ids"].shape[1]
        tokens = self.processor.generation_token_ids
        end = self.processor.token_id(END)
        rules = LogitsProcessorList(
            [
                FirstTokenIsAction(length, [self.processor.token_id(ACTION_TOKENS[action])]),
                ECGTokenLogitsProcessor(
                    tokens[0], len(tokens), self.processor.token_id(GENERATE), end, length
                ),
            ]
        )
        with torch.no_grad():
            output = self.model.generate(
                **inputs,
                max_new_tokens=min(MAX_NEW_TOKENS, self.positions - length),
                do_sample=False,
                logits_processor=rules,
                eos_token_id=end,
            )
        return [token for token in output[0, length + 1 :].tolist() if token < tokens[0] and token != end]

    def _say(
        self, request: str, inputs: Any, action: Action, measured: Mapping[str, str] | None = None
    ) -> str:
        """The model's words with numbers, names and passages filled in."""
        ids = self._write(inputs, action)
        return fill(self.processor.tokenizer.decode(ids), {**(measured or {}), **request_values(request)})

    def _decide(
        self, request: str, inputs: Any, has_ecg: bool, earlier: Sequence[str] = ()
    ) -> tuple[Action, str, str]:
        """What is done with a request and, unless that is interpreting, the text for it and the model's own words.

        The model chooses; whether an ECG can be as it is asked for is decided by rule.
        """
        if (length := inputs["input_ids"].shape[1]) > (room := 3 * self.positions // 4):  # the rest: reply
            raise InputError(
                f"the request is too long: {length} tokens with what belongs to it, at most {room}"
            )
        action = self._route(inputs, has_ecg)
        if action == "interpret":
            return action, "", ""
        words = self._say(request, inputs, action)
        if action == "answer":
            return action, words, words
        text = described(request, words, earlier)
        return ("generate" if text.startswith(DESCRIPTION) else "answer"), text, words

    def _map(self, inputs: Any, ids: Sequence[int]) -> torch.Tensor:
        """Prompt embeddings (queries, dim) from the [ECG] tokens that follow a finished reply."""
        reply = [self.processor.token_id(GENERATE), *ids, *self.processor.generation_token_ids]
        whole = torch.cat([inputs["input_ids"], torch.tensor([reply])], 1)
        features = dict(inputs)
        del features["input_ids"], features["attention_mask"]
        with torch.no_grad():
            output = self.model(whole, torch.ones_like(whole), **features, output_hidden_states=True)
            return self.model.map_tokens(whole, output.hidden_states)[0]

    def _generate(
        self, request: str, text: str, words: str, inputs: Any, seed: int | None, duration_s: float
    ) -> Reply:
        pointed = point(text, request_values(request))
        embeddings = self._map(inputs, self.processor.tokenizer(pointed)["input_ids"])
        asked, statements = parse_attributes(text), parse_statements(text)
        # A mapper that misses what was announced gives way to the text encoder it was to imitate.
        if set(self.table.nearest(embeddings)) != set(statements):
            embeddings = self.table.embed(statements, len(embeddings))
        seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        draws: list[tuple[float, int, Record, Measurements]] = []
        for draw in range(MAX_DRAWS):
            record = self._draw(embeddings, statements, asked, seed + 1_000_003 * draw, duration_s)
            measurements = measure(record)
            draws.append((misfit(asked, statements, measurements), draw, record, measurements))
            if draws[-1][0] == 0:
                break
        _, _, record, measurements = min(draws, key=lambda drawn: drawn[:2])
        metadata = {"source": "generated by UniECG", "request": request, "description": text, "seed": seed}
        person = {name: value for name, value in asked.to_dict().items() if name in ("age", "sex")}
        record = Record(record.signal, record.sampling_rate, metadata=metadata | person)
        seen = explain(measurements, (), style="short")
        report = _report(text, measurements)
        if words != text:
            report = replace(report, warnings=(*report.warnings, f"the model's own words were: {words!r}"))
        return Reply("generate", f"{text}{MEASURED_ON}{seen}" if seen else text, report, record)

    def _draw(
        self,
        embeddings: torch.Tensor,
        statements: Sequence[str],
        asked: Attributes,
        seed: int,
        duration_s: float,
    ) -> Record:
        num_steps = round(duration_s / STEP_S)
        rng = np.random.default_rng(seed)
        told = usual_attributes(statements, asked, rng=rng)
        plan = plan_rhythm(statements, told, num_steps * STEP_S, rng=rng)
        signal = self.decoder(
            embeddings[None],
            torch.from_numpy(attribute_values(told))[None],
            torch.from_numpy(plan.channels(num_steps, STEP_S))[None],
            num_steps=num_steps,
            guidance_scale=GUIDANCE_SCALE,
            generator=torch.Generator().manual_seed(seed),
        )[0]
        return Record(signal, SAMPLING_RATE)


def load_pipeline(name_or_path: str | Path | None = None) -> UniECGPipeline:
    """Load a model.

    Parameters
    ----------
    name_or_path : str or Path, optional
        Name of an embedded preset or a folder; by default the embedded ``nano``.

    Raises
    ------
    InputError
        If it is neither.
    """
    name = "nano" if name_or_path is None else str(name_or_path)
    preset = PRESETS / name
    if "/" not in name and preset.is_dir():
        return UniECGPipeline.from_pretrained(preset)
    if not Path(name).is_dir():
        known = sorted(p.name for p in PRESETS.iterdir() if (p / "config.json").is_file())
        raise InputError(
            f"{name}: neither a preset ({', '.join(known) or 'none installed'}) nor a model folder"
        )
    return UniECGPipeline.from_pretrained(name)


@cache
def _stand_in() -> tuple[Record, Measurements]:
    record = read_record(example_path("normal"))
    return record, measure(record)


def _unusable(measurements: Measurements) -> Reply:
    reasons = ", ".join(measurements.quality.reasons) or "no reason given"
    text = f"This recording cannot be interpreted: {reasons}."
    warning = f"signal quality is unusable: {reasons}"
    return Reply("interpret", text, Report(text, (), measurements.to_dict(), "unusable", (warning,)))


def _without_false_normal(text: str) -> str:
    """Leave out "normal ECG" beside a statement that excludes it, as the replies do that the model learned from."""
    if any("NORM" in pair for pair in conflicts(parse_statements(text))):
        text = text.replace(f", {STATEMENTS['NORM'].name}", "")
    return text


def _report(text: str, measurements: Measurements | None) -> Report:
    """Findings of a text, each checked against the measurements."""
    if measurements is not None:
        return check_report(text, measurements)
    findings = tuple(Finding(code, STATEMENTS[code].name, "unverified") for code in parse_statements(text))
    return Report(text, findings, warnings=("no signal to measure: nothing in this report is verified",))
