"""Image tower: a page of ECG paper to tokens and to diagnostic probabilities."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from uniecg.models.configuration_uniecg import SUPERCLASSES, PageEncoderConfig
from uniecg.models.ecg_encoder import TokenHead, TowerOutput, masked_bce


class PageBlock(nn.Module):
    """Residual pair of convolutions on an image."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(y)))


class PageEncoder(PreTrainedModel):
    """Convolutions and a small Transformer over a whole page; the page is never cropped."""

    config_class = PageEncoderConfig
    main_input_name = "pixel_values"
    base_model_prefix = "page_encoder"

    def __init__(self, config: PageEncoderConfig):
        super().__init__(config)
        widths = config.widths
        stages: list[nn.Module] = [nn.Conv2d(1, widths[0], 8, 4, 2)]
        for before, after in pairwise(widths):
            stages += [nn.GroupNorm(8, before), nn.Conv2d(before, after, 2, 2), PageBlock(after)]
        self.stages = nn.Sequential(*stages)
        self.project = nn.Linear(widths[-1], config.hidden_size)
        rows, columns = (side // (4 * 2 ** (len(widths) - 1)) for side in config.image_size)
        self.position = nn.Parameter(torch.randn(1, rows * columns, config.hidden_size) * 0.02)
        self.map_size = (rows, columns)
        self.head = TokenHead(
            config.hidden_size,
            config.num_layers,
            config.num_attention_heads,
            config.dropout,
            len(SUPERCLASSES) + len(config.statements),
        )
        self.post_init()

    def forward(self, pixel_values: torch.Tensor, labels: torch.Tensor | None = None) -> TowerOutput:
        """Encode.

        Parameters
        ----------
        pixel_values : torch.Tensor
            (B, 1, height, width), ink from 0 (paper) to 1 (trace).
        labels : torch.Tensor, optional
            (B, 5 + statements) of 0, 1 and NaN (unknown).
        """
        x = self.stages(pixel_values)  # (B, C, H / 64, W / 64)
        x = F.adaptive_avg_pool2d(x, self.map_size).flatten(2).transpose(1, 2)
        hidden, logits = self.head(self.project(x) + self.position)  # (B, 1 + rows * columns, D)
        grid = hidden[:, 1:].transpose(1, 2).unflatten(2, self.map_size)
        grid = F.adaptive_avg_pool2d(grid, tuple(self.config.token_grid)).flatten(2).transpose(1, 2)
        loss = None if labels is None else masked_bce(logits, labels)
        return TowerOutput(loss=loss, logits=logits, last_hidden_state=torch.cat([hidden[:, :1], grid], 1))
