"""Mapper from the hidden states of the [ECG] tokens to the condition of the decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import nn


class ECGMapper(nn.Module):
    """Encoder-decoder Transformer with learned queries, after GILL (Koh et al. 2023).

    Each query becomes one statement embedding of the decoder's condition; a query that is not needed
    becomes the zero vector.

    Parameters
    ----------
    input_size : int
        Width of the language model.
    num_tokens : int
        n of [ECG1]..[ECGn].
    layers : sequence of int
        Layers of the language model whose states are read, numbered as transformers does: 0 for the embeddings, -1 for
        the last. GILL has the same choice (``text_emb_layers``).
    num_queries : int
        L, the most statements one request can hold.
    output_size : int
        Width of a statement embedding.
    """

    def __init__(
        self,
        input_size: int,
        num_tokens: int,
        layers: Sequence[int],
        num_queries: int,
        output_size: int,
        hidden_size: int = 192,
        num_layers: int = 2,
    ):
        super().__init__()
        width = len(layers) * input_size
        # What is asked for shows in small differences between states that are much alike.
        self.register_buffer("mean", torch.zeros(num_tokens, width))
        self.register_buffer("scale", torch.ones(width))
        self.input = nn.Linear(width, hidden_size)
        options = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(hidden_size, 4, 4 * hidden_size, **options),
            num_layers,
            nn.LayerNorm(hidden_size),
            enable_nested_tensor=False,
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(hidden_size, 4, 4 * hidden_size, **options),
            num_layers,
            nn.LayerNorm(hidden_size),
        )
        # Far apart from the start, as in DETR: like queries would stay alike, since any may match any statement.
        self.queries = nn.Parameter(torch.randn(1, num_queries, hidden_size))
        self.output = nn.Linear(hidden_size, output_size)

    def standardise(self, hidden_states: torch.Tensor) -> None:
        """Take mean and scale from a sample of states (B, n, layers, input_size), before training."""
        values = hidden_states.flatten(2)
        self.mean.copy_(values.mean(0))
        self.scale.copy_(1.0 / (values.var(0).mean(0).sqrt() + 1e-3))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Prompt embeddings (B, num_queries, output_size) of [ECG] states (B, n, layers, input_size)."""
        queries = self.queries.expand(len(hidden_states), -1, -1)
        return self.output(
            self.decoder(
                queries, self.encoder(self.input(self.scale * (hidden_states.flatten(2) - self.mean)))
            )
        )


def set_distance(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Squared distance of two sets of vectors, a row of one matched with a row of the other at the least cost.

    The decoder attends to its condition without regard to order, so no order has to be learned.

    Parameters
    ----------
    found, wanted : torch.Tensor
        (B, n, dim).

    Returns
    -------
    torch.Tensor
        (B,) means over the n pairs; differentiable in both.

    References
    ----------
    Carion et al. 2020, End-to-end object detection with transformers, ECCV (matching of sets in a loss).
    """
    cost = (found[:, :, None] - wanted[:, None]).square().sum(-1)
    pairs = [linear_sum_assignment(table) for table in cost.detach().float().cpu().numpy()]
    return torch.stack(
        [table[rows, columns].mean() for table, (rows, columns) in zip(cost, pairs, strict=True)]
    )
