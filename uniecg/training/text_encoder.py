"""Tuning of the decoder's text encoder T_psi on the statement vocabulary.

Off-the-shelf sentence embeddings put "left" and "right bundle branch block" almost together and
"LBBB" far from both. Here synonyms of one statement attract and different statements repel
(InfoNCE, van den Oord et al. 2018); afterwards the encoder is frozen.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from uniecg.models.conditioning import StatementTable
from uniecg.models.text_encoder import TextEncoder
from uniecg.text.statements import STATEMENTS
from uniecg.training.run import Run
from uniecg.training.warm_start import pretrained_path

TEMPERATURE = 0.05
PAIRS = [
    ("complete left bundle branch block", "complete right bundle branch block"),
    ("complete left bundle branch block", "LBBB"),
    ("first degree AV block", "third degree AV block"),
    ("inferior myocardial infarction", "anterior myocardial infarction"),
    ("atrial fibrillation", "AF"),
]


class ContrastiveTraining(nn.Module):
    """Supervised contrastive loss around a text encoder: same label attracts, others repel (Khosla et al. 2020)."""

    def __init__(self, encoder: TextEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, texts: list[str], labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Loss of phrases whose label is the number of their statement."""
        embeddings = self.encoder(texts).float()
        scores = embeddings @ embeddings.T / TEMPERATURE
        itself = torch.eye(len(texts), dtype=torch.bool, device=scores.device)
        same = (labels[:, None] == labels[None]) & ~itself
        log_share = scores.masked_fill(itself, -torch.inf).log_softmax(1)
        loss = -(log_share.masked_fill(~same, 0).sum(1) / same.sum(1).clamp(min=1)).mean()
        return {"loss": loss}


class PhraseDataset(Dataset[dict[str, Any]]):
    """Each item: the preferred name of a statement and two other ways to say it."""

    def __init__(self, repeats: int, seed: int):
        self.codes = list(STATEMENTS) * repeats
        self.numbers = {code: number for number, code in enumerate(STATEMENTS)}
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: int) -> dict[str, Any]:
        statement = STATEMENTS[self.codes[index]]
        ways = [statement.name, *statement.synonyms]
        texts = [statement.name, *(ways[int(self.rng.integers(len(ways)))] for _ in range(2))]
        return {"texts": texts, "label": self.numbers[statement.code]}


def collate_phrases(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Flatten the phrases of a batch."""
    labels = torch.tensor([item["label"] for item in items for _ in item["texts"]])
    return {"texts": [text for item in items for text in item["texts"]], "labels": labels}


def train_text_encoder(run: Run) -> None:
    """Tune T_psi, freeze it, save the encoder, the statement table and cosines before and after."""
    encoder = TextEncoder(pretrained_path())
    before = _cosines(encoder)
    trainer = run.trainer(
        ContrastiveTraining(encoder),
        PhraseDataset(run.settings.get("repeats", 60), run.seed),
        collate=collate_phrases,
    )
    trainer.train(resume_from_checkpoint=run.checkpoint())
    encoder.eval()
    with torch.no_grad():
        names = [statement.name for statement in STATEMENTS.values()]
        table = StatementTable(tuple(STATEMENTS), encoder(names).float())
    run.save(encoder.bert)
    encoder.tokenizer.save_pretrained(run.folder)
    table.save(run.folder / "statements.safetensors")
    after = _cosines(encoder)
    report = [{"pair": pair, "before": before[i], "after": after[i]} for i, pair in enumerate(PAIRS)]
    (run.folder / "cosines.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


@torch.no_grad()
def _cosines(encoder: TextEncoder) -> list[float]:
    encoder.eval()
    return [round(float(torch.mul(*encoder(pair)).sum()), 3) for pair in PAIRS]
