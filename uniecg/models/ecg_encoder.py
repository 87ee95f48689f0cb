"""ECG tower: 12 leads of samples to tokens and to diagnostic probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from uniecg.models.configuration_uniecg import SUPERCLASSES, ECGEncoderConfig


@dataclass
class TowerOutput(ModelOutput):
    """What a tower returns.

    ``last_hidden_state`` (B, 1 + tokens, hidden): summary token first; ``logits`` (B, 5 + statements):
    superclasses, then SCP-ECG statements; ``loss`` only when labels were given.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    last_hidden_state: torch.Tensor | None = None


def masked_bce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy that skips NaN labels (statement not known for this record)."""
    known = ~torch.isnan(labels)
    loss = F.binary_cross_entropy_with_logits(logits.float(), labels.nan_to_num().float(), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


class TokenHead(nn.Module):
    """Transformer over features with a summary token, and the diagnostic head on that token."""

    def __init__(self, hidden_size: int, num_layers: int, num_heads: int, dropout: float, num_labels: int):
        super().__init__()
        self.summary = nn.Parameter(torch.zeros(1, 1, hidden_size))
        layer = nn.TransformerEncoderLayer(
            hidden_size, num_heads, 4 * hidden_size, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * hidden_size, num_labels)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.cat([self.summary.expand(len(tokens), -1, -1).to(tokens.dtype), tokens], 1)
        x = self.norm(self.layers(x))  # (B, 1 + N, D)
        pooled = torch.cat([x[:, 0], x[:, 1:].amax(1)], -1)
        return x, self.classifier(self.dropout(pooled))


class ResidualBlock(nn.Module):
    """Two convolutions with squeeze-and-excitation, optionally halving the time axis."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 7, stride: int = 1):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, in_channels)
        self.conv1 = nn.Conv1d(in_channels, out_channels, kernel_size, stride, kernel_size // 2)
        self.norm2 = nn.GroupNorm(8, out_channels)
        self.conv2 = nn.Conv1d(out_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.gate = nn.Sequential(
            nn.Linear(out_channels, out_channels // 8), nn.SiLU(), nn.Linear(out_channels // 8, out_channels)
        )
        self.skip = nn.Conv1d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv1(F.silu(self.norm1(x)))
        y = self.conv2(F.silu(self.norm2(y)))
        y = y * torch.sigmoid(self.gate(y.mean(-1))).unsqueeze(-1)
        if self.stride > 1:
            x = F.avg_pool1d(x, self.stride, ceil_mode=True)
        return self.skip(x) + y


class ECGEncoder(PreTrainedModel):
    """Residual convolutions and a small Transformer over a 12-lead ECG.

    The network sees each lead's shape (divided by its own spread) and, apart from it, the lead's
    amplitude, so that sources without absolute millivolts and missing leads are ordinary inputs.
    """

    config_class = ECGEncoderConfig
    main_input_name = "ecg_values"
    base_model_prefix = "ecg_encoder"

    def __init__(self, config: ECGEncoderConfig):
        super().__init__(config)
        widths = config.widths
        self.amplitude = nn.Linear(24, widths[0])
        self.stem = nn.Conv1d(12, widths[0], 15, 2, 7)
        blocks: list[nn.Module] = []
        for before, after in zip([widths[0], *widths], widths, strict=False):
            blocks += [ResidualBlock(before, after, stride=2), ResidualBlock(after, after)]
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Linear(widths[-1], config.hidden_size)
        self.position = nn.Parameter(torch.randn(1, config.num_tokens, config.hidden_size) * 0.02)
        self.head = TokenHead(
            config.hidden_size,
            config.num_layers,
            config.num_attention_heads,
            config.dropout,
            len(SUPERCLASSES) + len(config.statements),
        )
        self.post_init()

    def forward(
        self,
        ecg_values: torch.Tensor,
        amplitude_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
    ) -> TowerOutput:
        """Encode.

        Parameters
        ----------
        ecg_values : torch.Tensor
            (B, 12, samples) mV at ``config.sampling_rate``; a missing lead is NaN or all zero.
        amplitude_mask : torch.Tensor, optional
            (B,) true where the millivolts are real; all true by default.
        labels : torch.Tensor, optional
            (B, 5 + statements) of 0, 1 and NaN (unknown).
        """
        values = ecg_values.nan_to_num()  # (B, 12, T)
        spread = values.std(-1, keepdim=True)
        present = (spread > 1e-4).to(values.dtype)
        shape = (values - values.mean(-1, keepdim=True)) / spread.clamp(min=1e-4) * present
        known = (
            present if amplitude_mask is None else present * amplitude_mask.view(-1, 1, 1).to(present.dtype)
        )
        # log2 of the spread against 0.2 mV, a typical lead: about -2..2
        amplitude = torch.cat([torch.log2(spread.clamp(min=1e-4) / 0.2) * known, present], 1).squeeze(-1)
        x = self.stem(shape.clamp(-20, 20)) + self.amplitude(amplitude).unsqueeze(-1)
        x = self.blocks(x)  # (B, C, T / 32)
        x = F.adaptive_avg_pool1d(x, self.config.num_tokens).transpose(1, 2)  # (B, N, C)
        hidden, logits = self.head(self.project(x) + self.position)
        loss = None if labels is None else masked_bce(logits, labels)
        return TowerOutput(loss=loss, logits=logits, last_hidden_state=hidden)
