"""From records, pages and words to tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, FeatureExtractionMixin, PreTrainedTokenizerFast, ProcessorMixin
from transformers.image_processing_utils import BaseImageProcessor

from uniecg.errors import InputError
from uniecg.io.image import page_to_gray
from uniecg.record import Record
from uniecg.signal import Measurements
from uniecg.text.attributes import announcement
from uniecg.text.explain import measurement_text
from uniecg.text.slots import (
    PASSAGE_TOKENS,
    SLOT_TOKENS,
    STATEMENT_TOKENS,
    mark_request,
    mark_statements,
    point,
)

PAD, END, USER, ECG, IMAGE, ASSISTANT, INTERPRET, GENERATE, ANSWER, MEASURED = _CONTROL_TOKENS = [
    "<|pad|>", "<|end|>", "<|user|>", "<|ecg|>", "<|image|>",
    "<|assistant|>", "<|interpret|>", "<|generate|>", "<|answer|>", "<|measured|>",
]  # fmt: skip
SPECIAL_TOKENS = [*_CONTROL_TOKENS, *SLOT_TOKENS, *STATEMENT_TOKENS, *PASSAGE_TOKENS]
ACTION_TOKENS = {"interpret": INTERPRET, "generate": GENERATE, "answer": ANSWER}
# An ECG part may carry its measurements, which follow the placeholders as text. The space before a request makes its
# first word the token that it is everywhere else.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'user' %}<|user|>{% for part in message.content %}"
    "{% if part.type == 'ecg' %}<|ecg|>{% elif part.type == 'image' %}<|image|>"
    "{% elif part.type == 'measurements' %}<|measured|>{{ part.text }}"
    "{% elif part.type == 'text' %}<|user|> {{ part.text }}{% endif %}{% endfor %}"
    "{% else %}<|assistant|>{% for part in message.content %}{{ part.text }}{% endfor %}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def ecg_values(record: Record, sampling_rate: float, num_samples: int) -> np.ndarray:
    """Tower input of a record: the first seconds, resampled, centred per lead, zero-padded.

    Parameters
    ----------
    record : Record
        Any sampling rate and length; missing leads are NaN rows.
    sampling_rate : float
        Hz of the result.
    num_samples : int
        Samples a lead of the result.

    Returns
    -------
    ndarray
        (12, num_samples) float32, mV; a missing lead is all zero.
    """
    if record.sampling_rate != sampling_rate:
        record = record.resample(sampling_rate)
    values = record.signal[:, :num_samples]
    lost = np.isnan(values).all(1, keepdims=True)
    centre = np.nanmedian(np.where(lost, 0.0, values), 1, keepdims=True)
    values = np.nan_to_num(values - centre)
    return np.pad(values, ((0, 0), (0, num_samples - values.shape[1]))).astype(np.float32)


def words_of(content: str | Sequence[Mapping[str, Any]]) -> str:
    """The words of a message, which is either text or a list of parts."""
    if isinstance(content, str):
        return content
    return " ".join(str(part["text"]) for part in content if part.get("type") == "text")


class ECGFeatureExtractor(FeatureExtractionMixin):
    """Records to ``ecg_values`` (B, 12, num_samples) and ``amplitude_mask`` (B,)."""

    model_input_names = ["ecg_values", "amplitude_mask"]

    def __init__(self, sampling_rate: int = 100, num_samples: int = 1000, **kwargs: Any):
        self.sampling_rate = sampling_rate
        self.num_samples = num_samples
        super().__init__(**kwargs)

    def __call__(self, records: Sequence[Record], **kwargs: Any) -> BatchFeature:
        """Extract the features of a list of records."""
        values = np.stack([ecg_values(record, self.sampling_rate, self.num_samples) for record in records])
        known = [record.metadata.get("amplitude") != "unknown" for record in records]
        return BatchFeature({"ecg_values": torch.from_numpy(values), "amplitude_mask": torch.tensor(known)})


class PageImageProcessor(BaseImageProcessor):
    """Pages to ``pixel_values`` (B, 1, height, width): the whole page, never cropped, ink from 0 to 1."""

    model_input_names = ["pixel_values"]

    def __init__(self, size: dict[str, int] | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = size or {"height": 720, "width": 1120}

    def __call__(self, images: Sequence[np.ndarray], **kwargs: Any) -> BatchFeature:
        """Prepare a list of (H, W) or (H, W, 3) uint8 pages."""
        shape = (self.size["height"], self.size["width"])
        pages = np.stack([page_to_gray(image, size=shape) for image in images])
        return BatchFeature({"pixel_values": torch.from_numpy(pages[:, None].astype(np.float32))})


class UniECGProcessor(ProcessorMixin):
    """Feature extractor, image processor and tokenizer in one.

    Parameters
    ----------
    num_ecg_tokens, num_image_tokens : int
        Placeholders one signal or one page takes in the text.
    num_generation_tokens : int
        n of [ECG1]..[ECGn]; their ids follow the tokenizer's.
    plain_requests : bool
        Whether requests are stripped of case and accents (embedded model) or passed as written.
    """

    def __init__(
        self,
        feature_extractor: ECGFeatureExtractor,
        image_processor: PageImageProcessor,
        tokenizer: PreTrainedTokenizerFast,
        num_ecg_tokens: int = 17,
        num_image_tokens: int = 25,
        num_generation_tokens: int = 8,
        plain_requests: bool = True,
        chat_template: str | None = None,
        **kwargs: Any,
    ):
        self.num_ecg_tokens = num_ecg_tokens
        self.num_image_tokens = num_image_tokens
        self.num_generation_tokens = num_generation_tokens
        self.plain_requests = plain_requests
        super().__init__(
            feature_extractor, image_processor, tokenizer, chat_template=chat_template or CHAT_TEMPLATE
        )

    @property
    def generation_token_ids(self) -> list[int]:
        """Ids of [ECG1]..[ECGn]."""
        first = len(self.tokenizer)
        return list(range(first, first + self.num_generation_tokens))

    def token_id(self, token: str) -> int:
        """Id of one special token."""
        return int(self.tokenizer.convert_tokens_to_ids(token))

    def user_content(
        self,
        text: str,
        *,
        has_ecg: bool = False,
        has_image: bool = False,
        measured: Measurements | str | None = None,
    ) -> list[dict[str, str]]:
        """Content parts of one user message, in the order the model was taught, with numbers and statements marked."""
        parts = [{"type": "ecg"}] * has_ecg + [{"type": "image"}] * has_image
        if measured is not None:
            words = measured if isinstance(measured, str) else measurement_text(measured)
            parts.append({"type": "measurements", "text": mark_statements(words)})
        parts.append({"type": "text", "text": mark_request(text, plain=self.plain_requests)})
        return parts

    def prompt(self, messages: Sequence[dict[str, Any]]) -> str:
        """Chat text up to the model's turn."""
        return str(self.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))

    def chat(
        self,
        request: str,
        record: Record | None = None,
        image: np.ndarray | None = None,
        measurements: Measurements | None = None,
        history: Sequence[Mapping[str, Any]] = (),
    ) -> BatchFeature:
        """Inputs of one request with what belongs to it; of `history` the last exchange is kept, as words."""
        messages: list[dict[str, Any]] = []
        for turn in list(history)[-2:]:
            words = words_of(turn["content"])
            content = (
                self.user_content(words)
                if turn["role"] == "user"
                else [{"type": "text", "text": point(announcement(words), {})}]
            )
            messages.append({"role": turn["role"], "content": content})
        content = self.user_content(
            request, has_ecg=record is not None, has_image=image is not None, measured=measurements
        )
        messages.append({"role": "user", "content": content})
        return self(
            self.prompt(messages),
            ecg=None if record is None else [record],
            images=None if image is None else [image],
        )

    def __call__(
        self,
        text: str | Sequence[str],
        ecg: Sequence[Record] | None = None,
        images: Sequence[np.ndarray] | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Tokenise prompts and prepare the signals and pages their placeholders stand for.

        Raises
        ------
        InputError
            If placeholders and inputs differ in number.
        """
        texts = [text] if isinstance(text, str) else list(text)
        for token, given, what in ((ECG, ecg, "ECGs"), (IMAGE, images, "images")):
            places = sum(item.count(token) for item in texts)
            if places != len(given or ()):
                raise InputError(f"the text has {places} places for {what} but {len(given or ())} were given")
        texts = [
            item.replace(ECG, ECG * self.num_ecg_tokens).replace(IMAGE, IMAGE * self.num_image_tokens)
            for item in texts
        ]
        tokens = self.tokenizer(
            texts, padding=True, padding_side="left", return_tensors="pt", add_special_tokens=False
        )
        data = {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}
        if ecg:
            data |= self.feature_extractor(ecg)
        if images:
            data |= self.image_processor(images)
        return BatchFeature(data)


def unpack_messages(
    messages: Sequence[Mapping[str, Any]], record: Record | None, image: np.ndarray | None
) -> tuple[str, Record | None, np.ndarray | None, list[dict[str, Any]]]:
    """Last request of chat messages, its record and image, and the words before it.

    Raises
    ------
    InputError
        If the last message is not the user's.
    """
    if not messages or messages[-1].get("role") != "user":
        raise InputError("the last message must be the user's")
    history = []
    for message in messages:
        content = message.get("content", "")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        for part in parts:
            if part.get("type") == "ecg":
                record = part["ecg"]
            elif part.get("type") == "image":
                image = part["image"]
        history.append({"role": message["role"], "content": words_of(content)})
    return history[-1]["content"], record, image, history[:-1]
