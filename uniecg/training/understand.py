"""Stage 1, the language model: reading tower features and measurements, speaking reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from uniecg.io.image import page_to_gray
from uniecg.models import (
    ECGEncoder,
    ECGFeatureExtractor,
    PageEncoder,
    PageImageProcessor,
    UniECGConfig,
    UniECGForConditionalGeneration,
    UniECGProcessor,
)
from uniecg.models.processing_uniecg import ACTION_TOKENS, ASSISTANT, END, PAD, ecg_values
from uniecg.plot import render_page
from uniecg.text.slots import (
    PASSAGE_TOKENS,
    REFERENCE,
    SLOT_TOKENS,
    STATEMENT_TOKENS,
    mark_request,
    mark_statements,
)
from uniecg.training.conversations import ACTION_WEIGHTS, Turn, draw_conversation, rarity_odds
from uniecg.training.data import MeasuredExample, measure_examples
from uniecg.training.run import Run
from uniecg.training.tokenizer import train_tokenizer
from uniecg.training.towers import augment_signal
from uniecg.training.warm_start import pretrained_words, warm_start

IGNORE = -100
KINDS = ("words", "ecg", "measured")
SHARES = (0.5, 0.2, 0.3)
BATCHES_TOGETHER = 8


class TowerStates:
    """Frozen towers' hidden states of every example: computed once, since the towers do not learn here."""

    def __init__(
        self,
        ecg_tower: ECGEncoder,
        vision_tower: PageEncoder,
        examples: Sequence[MeasuredExample],
        seed: int | None,
    ):
        rng = None if seed is None else np.random.default_rng(seed)
        config = ecg_tower.config
        self.signal: list[torch.Tensor] = []
        self.image: list[torch.Tensor | None] = []
        ecg_tower.eval(), vision_tower.eval()
        for item in track(examples, description="towers"):
            record, known = item.example.record, item.example.amplitude_known
            values = ecg_values(record, config.sampling_rate, config.num_samples)
            copies = [values]
            if rng is not None:
                copies += [augment_signal(values, rng, config.sampling_rate) for _ in range(2)]
            with torch.no_grad():
                mask = torch.tensor([known] * len(copies))
                self.signal.append(ecg_tower(torch.from_numpy(np.stack(copies)), mask).last_hidden_state)
                if not known:
                    self.image.append(None)
                    continue
                page = page_to_gray(render_page(record, rng=rng), size=tuple(vision_tower.config.image_size))
                self.image.append(vision_tower(torch.from_numpy(page)[None, None]).last_hidden_state[0])


class ConversationDataset(Dataset[dict[str, Any]]):
    """Drawn conversations; item `index` is always the same for one seed, so runs resume exactly.

    Eight batches are drawn together and dealt out by length, since a batch of like lengths takes little padding.

    Parameters
    ----------
    shares : sequence of float
        How many requests come without an ECG, with one, and with one and its measurements.
    batch : int
        Conversations in a batch of the trainer that goes through the items in order.
    """

    def __init__(
        self,
        examples: Sequence[MeasuredExample],
        states: TowerStates,
        processor: UniECGProcessor,
        *,
        length: int,
        seed: int,
        batch: int,
        weights: Sequence[float] = ACTION_WEIGHTS,
        shares: Sequence[float] = SHARES,
    ):
        self.examples, self.states, self.processor = examples, states, processor
        self.length, self.seed, self.weights = length, seed, weights
        self.batch, self.shares = batch, shares
        self.odds = rarity_odds(examples)
        self._group, self._items = -1, list[dict[str, Any]]()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < self.length:
            raise IndexError(index)  # ends an iteration over the data set
        size = BATCHES_TOGETHER * self.batch
        group, place = divmod(index, size)
        if group != self._group:
            items = [self.make(number) for number in range(group * size, (group + 1) * size)]
            items.sort(key=lambda item: len(item["input_ids"]))
            order = np.random.default_rng((self.seed, group, 1)).permutation(BATCHES_TOGETHER)
            self._items = [items[number * self.batch + k] for number in order for k in range(self.batch)]
            self._group = group
        return self._items[place]

    def draw(self, rng: np.random.Generator) -> tuple[Turn, list[Turn]]:
        """A turn and what was said before it."""
        kind = str(rng.choice(KINDS, p=self.shares))
        while True:
            turn, history = draw_conversation(
                self.examples, rng, self.weights, measured=kind == "measured", odds=self.odds
            )
            if (turn.index is None) == (kind == "words"):
                return turn, history

    def make(self, number: int) -> dict[str, Any]:
        """The conversation of this number, as the model takes it."""
        rng = np.random.default_rng((self.seed, number))
        turn, history = self.draw(rng)
        item = self.encode(turn, history)
        if turn.index is not None and turn.modality != "image":
            copies = self.states.signal[turn.index]
            item["ecg_hidden"] = copies[int(rng.integers(len(copies)))]
        if turn.index is not None and turn.modality != "signal":
            item["image_hidden"] = self.states.image[turn.index]
        return item

    def encode(self, turn: Turn, history: Sequence[Turn]) -> dict[str, Any]:
        """Token ids and labels."""
        return encode_turn(self.processor, turn, history)


def encode_turn(processor: UniECGProcessor, turn: Turn, history: Sequence[Turn] = ()) -> dict[str, Any]:
    """Token ids and labels of a conversation; only the last reply is learned.

    A generating reply has no end here: what follows its words is learned in stage 2.
    """
    prompt = processor.prompt(turn.messages(processor, history))
    prompt = prompt.replace("<|ecg|>", "<|ecg|>" * processor.num_ecg_tokens)
    prompt = prompt.replace("<|image|>", "<|image|>" * processor.num_image_tokens)
    reply = turn.reply + ("" if turn.action == "generate" or turn.action_only else END)
    before = processor.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = processor.tokenizer(reply, add_special_tokens=False)["input_ids"]
    return {"input_ids": before + after, "labels": [IGNORE] * len(before) + after}


def collate_turns(items: list[dict[str, Any]], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Right-pad a batch; features of all placeholders go in row order."""
    longest = max(len(item["input_ids"]) for item in items)
    batch: dict[str, torch.Tensor] = {
        "input_ids": torch.full((len(items), longest), pad_token_id),
        "attention_mask": torch.zeros(len(items), longest, dtype=torch.long),
        "labels": torch.full((len(items), longest), IGNORE),
    }
    for row, item in enumerate(items):
        length = len(item["input_ids"])
        batch["input_ids"][row, :length] = torch.tensor(item["input_ids"])
        batch["attention_mask"][row, :length] = 1
        batch["labels"][row, :length] = torch.tensor(item["labels"])
    for name in ("ecg_hidden", "image_hidden"):
        states = [item[name] for item in items if name in item]
        if states:
            batch[name] = torch.stack(states)
    return batch


def train_language_model(run: Run) -> None:
    """Train tokenizer, language model and projections on frozen towers; save model and processor."""
    settings = run.settings
    ecg_tower = ECGEncoder.from_pretrained(run.output / "ecg_tower")
    vision_tower = PageEncoder.from_pretrained(run.output / "page_tower")
    train = measure_examples(run.examples("train"), description="measuring train")
    val = measure_examples(run.examples("val"), description="measuring val")
    resumed = run.checkpoint()
    # A resumed run keeps its tokens, whatever became of grammar and measurement since it began.
    tokenizer = (
        PreTrainedTokenizerFast.from_pretrained(run.folder)
        if resumed
        else _tokenizer(train, run.seed, settings)
    )
    config = UniECGConfig(
        ecg_config=ecg_tower.config,
        vision_config=vision_tower.config,
        text_config=dict(settings["text_config"], vocab_size=len(tokenizer), pad_token_id=0, eos_token_id=1),
        ecg_token_id=tokenizer.convert_tokens_to_ids("<|ecg|>"),
        image_token_id=tokenizer.convert_tokens_to_ids("<|image|>"),
        action_token_ids=tokenizer.convert_tokens_to_ids(list(ACTION_TOKENS.values())),
        reference_token_ids=tokenizer.convert_tokens_to_ids(
            [*SLOT_TOKENS, *STATEMENT_TOKENS, *PASSAGE_TOKENS]
        ),
        prompt_end_token_id=tokenizer.convert_tokens_to_ids(ASSISTANT),
        mapper=settings.get("mapper"),
    )
    grid = vision_tower.config.token_grid
    height, width = vision_tower.config.image_size
    processor = UniECGProcessor(
        ECGFeatureExtractor(ecg_tower.config.sampling_rate, ecg_tower.config.num_samples),
        PageImageProcessor({"height": height, "width": width}),
        tokenizer,
        num_ecg_tokens=1 + ecg_tower.config.num_tokens,
        num_image_tokens=1 + grid[0] * grid[1],
        num_generation_tokens=config.num_generation_tokens,
    )
    model = UniECGForConditionalGeneration(config)
    use_quick_attention(model)
    warm_start(model.language_model, tokenizer)
    model.ecg_tower.load_state_dict(ecg_tower.state_dict())
    model.vision_tower.load_state_dict(vision_tower.state_dict())
    model.ecg_tower.requires_grad_(False)
    model.vision_tower.requires_grad_(False)
    model.mapper.requires_grad_(False)
    steps, batch = settings["training"]["max_steps"], settings["training"]["per_device_train_batch_size"]
    pad = tokenizer.convert_tokens_to_ids(PAD)
    trainer = run.trainer(
        model,
        ConversationDataset(
            train,
            TowerStates(ecg_tower, vision_tower, train, run.seed),
            processor,
            length=steps * batch,
            seed=run.seed,
            batch=batch,
        ),
        ConversationDataset(
            val,
            TowerStates(ecg_tower, vision_tower, val, None),
            processor,
            length=512,
            seed=run.seed + 1,
            batch=64,
        ),
        collate=lambda items: collate_turns(items, pad),
    )
    processor.save_pretrained(run.folder)
    trainer.train(resume_from_checkpoint=resumed)
    run.save(model)


def use_quick_attention(model: UniECGForConditionalGeneration) -> None:
    """Plain attention where no GPU is: PyTorch's fused one has a slow backward pass in bfloat16 on CPUs."""
    if not torch.cuda.is_available():
        model.language_model.set_attn_implementation("eager")


def _tokenizer(
    examples: Sequence[MeasuredExample], seed: int, settings: Mapping[str, Any]
) -> PreTrainedTokenizerFast:
    """A tokenizer of drawn conversations and of words that the pretrained encoder knows."""
    rng = np.random.default_rng(seed)
    turns = [
        draw_conversation(examples, rng)[0]
        for _ in track(range(settings["tokenizer_texts"]), description="tokenizer")
    ]
    texts = [
        text
        for turn in turns
        for part in (f" {mark_request(turn.request)}", mark_statements(turn.measured or ""), turn.reply)
        for text in REFERENCE.split(part)[::2]
    ]
    # Whole words keep their pretrained meaning, also those that the grammars lack.
    return train_tokenizer(texts, settings["vocab_size"], pretrained_words(texts, settings["whole_words"]))
