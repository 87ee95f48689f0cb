"""Stage 2, the [ECG] tokens: with the language model frozen, new rows and mapper learn the decoder's condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch.utils.data import DataLoader, Dataset, Subset
from transformers import get_linear_schedule_with_warmup

from uniecg.models import (
    ECGDiffusionPipeline,
    ECGEncoder,
    PageEncoder,
    UniECGForConditionalGeneration,
    UniECGProcessor,
)
from uniecg.models.conditioning import StatementTable
from uniecg.models.mapper import ECGMapper, set_distance
from uniecg.models.processing_uniecg import END, PAD
from uniecg.pipeline import UniECGPipeline
from uniecg.text.attributes import generation_answer
from uniecg.training.conversations import Turn
from uniecg.training.data import measure_examples
from uniecg.training.run import Run
from uniecg.training.understand import ConversationDataset, TowerStates, collate_turns, use_quick_attention

SAMPLE = 512  # requests whose states tell the mapper their mean and scale


class GenerationDataset(ConversationDataset):
    """Conversations whose generating replies end in [ECG1]..[ECGn] and carry the embeddings to hit.

    Other replies stay in, so that the new tokens also learn where not to appear.
    """

    def __init__(self, *args: Any, table: StatementTable, num_queries: int, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.table, self.num_queries = table, num_queries

    def draw(self, rng: np.random.Generator) -> tuple[Turn, list[Turn]]:
        """As in stage 1, but nothing whose statements are not known."""
        while (drawn := super().draw(rng))[0].action_only:
            pass
        turn, history = drawn
        if turn.action == "generate":
            # A change is carried out before the tokens are written: they follow the whole description.
            turn = replace(turn, answer=generation_answer(turn.statements, turn.attributes))
        return turn, history

    def encode(self, turn: Turn, history: Sequence[Turn]) -> dict[str, Any]:
        """As in stage 1; a generating reply goes on with the [ECG] tokens."""
        item = super().encode(turn, history)
        if turn.action == "generate":
            after = [*self.processor.generation_token_ids, self.processor.token_id(END)]
            item["input_ids"] = item["input_ids"] + after
            item["labels"] = item["labels"] + after
            item["target_embeds"] = self.table.embed(turn.statements, self.num_queries)
        return item


def collate_generation(items: list[dict[str, Any]], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Batch of conversations with the targets of those that generate."""
    batch = collate_turns(items, pad_token_id)
    targets = [item["target_embeds"] for item in items if "target_embeds" in item]
    if targets:
        batch["target_embeds"] = torch.stack(targets)
    return batch


def states_of(
    model: UniECGForConditionalGeneration, requests: Dataset[dict[str, Any]], pad_token_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the mapper reads (N, n, layers, D) and what it should say (N, queries, dim), of each request once."""
    model.eval()
    states, targets = [], []
    loader = DataLoader(requests, 64, collate_fn=lambda items: collate_generation(items, pad_token_id))
    for batch in track(loader, description="states of [ECG] tokens"):
        with torch.no_grad():
            output = model(batch["input_ids"], batch["attention_mask"], output_hidden_states=True)
            states.append(model.token_states(batch["input_ids"], output.hidden_states))
        targets.append(batch["target_embeds"])
    return torch.cat(states), torch.cat(targets)


def fit_mapper(
    mapper: ECGMapper, states: torch.Tensor, targets: torch.Tensor, settings: Mapping[str, Any]
) -> None:
    """Train the mapper alone, in place, on states that stay as they are: many steps that cost little.

    Parameters
    ----------
    mapper : ECGMapper
    states : torch.Tensor
        (N, n, layers, D).
    targets : torch.Tensor
        (N, queries, dim).
    settings : mapping
        ``steps``, ``batch`` and ``learning_rate``, which falls to zero in a straight line.
    """
    optimizer = torch.optim.AdamW(mapper.parameters(), lr=settings["learning_rate"], weight_decay=0.0)
    rate = get_linear_schedule_with_warmup(optimizer, 50, settings["steps"])
    mapper.train()
    for _ in track(range(settings["steps"]), description="mapper"):
        chosen = torch.randint(len(states), (settings["batch"],))
        loss = set_distance(mapper(states[chosen]), targets[chosen]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(mapper.parameters(), 1.0)
        optimizer.step()
        rate.step()
    mapper.eval()


def train_ecg_tokens(run: Run) -> None:
    """Train the new rows on the finished language model, then the mapper on their states; save the whole pipeline."""
    source = run.output / "language_model"
    model = UniECGForConditionalGeneration.from_pretrained(source)
    processor = UniECGProcessor.from_pretrained(source)
    table = StatementTable.load(run.output / "denoiser" / "statements.safetensors")
    model.freeze_for_generation()
    use_quick_attention(model)
    steps, batch = (run.settings["training"][name] for name in ("max_steps", "per_device_train_batch_size"))
    pad = processor.token_id(PAD)
    ecg_tower: ECGEncoder = model.ecg_tower
    vision_tower: PageEncoder = model.vision_tower
    datasets = []
    for split, length, seed in (("train", steps * batch, run.seed), ("val", 512, run.seed + 1)):
        # Recordings only stand beside words here: a part of them is enough.
        part = run.examples(split)[:: run.settings.get("every", 1)]
        examples = measure_examples(part, description=f"measuring {split}")
        states = TowerStates(ecg_tower, vision_tower, examples, None)
        datasets.append(
            GenerationDataset(
                examples,
                states,
                processor,
                length=length,
                seed=seed,
                batch=batch if split == "train" else 64,
                weights=(0.15, 0.7, 0.15),
                shares=(0.7, 0.2, 0.1),
                table=table,
                num_queries=model.config.mapper["num_queries"],
            )
        )
    # The decoder's condition comes from words: recordings have no part in it.
    requests = GenerationDataset(
        datasets[0].examples,
        datasets[0].states,
        processor,
        length=run.settings["mapper"]["requests"],
        seed=run.seed + 2,
        batch=64,
        weights=(0.0, 1.0, 0.0),
        shares=(1.0, 0.0, 0.0),
        table=table,
        num_queries=model.config.mapper["num_queries"],
    )
    model.mapper.standardise(states_of(model, Subset(requests, range(SAMPLE)), pad)[0])
    # Weight decay would shrink the new rows although nothing in the loss asks for it.
    trainer = run.trainer(model, *datasets, collate=lambda items: collate_generation(items, pad))
    trainer.train(resume_from_checkpoint=run.checkpoint())
    # Rows and language model stay as they are now; the mapper has more to learn.
    states, targets = states_of(model, requests, pad)
    fit_mapper(model.mapper, states, targets, run.settings["mapper"])
    # The finished model is one folder for load_pipeline, as small as it can be without a loss that the tasks show.
    decoder = ECGDiffusionPipeline.from_pretrained(run.output / "denoiser")
    for module in (model, decoder.autoencoder, decoder.denoiser):
        module.to(torch.float16)
    for part in (model.ecg_tower, model.vision_tower, model.get_input_embeddings()):
        for parameter in part.parameters():
            if parameter.ndim > 1:
                parameter.data = parameter.data.to(torch.float8_e4m3fn)
    UniECGPipeline(model, processor, decoder, table).save_pretrained(run.folder)
