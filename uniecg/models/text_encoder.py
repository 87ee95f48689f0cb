"""T_psi, the text encoder of the decoder: what the mapper learns to hit without it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer


class TextEncoder(nn.Module):
    """Mean-pooled, normalised sentence embedding, as all-MiniLM-L6-v2 makes it.

    Parameters
    ----------
    path : path
        Folder with the encoder and its tokenizer.
    """

    def __init__(self, path: str | Path):
        super().__init__()
        self.bert = AutoModel.from_pretrained(path)
        self.tokenizer = AutoTokenizer.from_pretrained(path)

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit-norm embeddings (len(texts), dim)."""
        tokens = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=64, return_tensors="pt"
        )
        hidden = self.bert(**tokens.to(self.bert.device)).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        return F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
