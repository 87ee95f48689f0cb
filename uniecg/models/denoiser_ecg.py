"""Diffusion Transformer over ECG latents, conditioned on statements, attributes and a rhythm plan."""

from __future__ import annotations

import math

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn

NUM_ATTRIBUTES = 7  # age, sex, heart rate, PR, QRS, QT, axis


def sinusoid(values: torch.Tensor, size: int) -> torch.Tensor:
    """Sinusoidal embedding (..., size) of values (...); period range as in Vaswani et al. 2017."""
    half = size // 2
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(half, device=values.device) / half)
    angles = values.float().unsqueeze(-1) * frequencies
    return torch.cat([angles.cos(), angles.sin()], -1)


def rotate(x: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding (Su et al. 2021) of (B, heads, N, d): relative time, so any length works."""
    half = x.shape[-1] // 2
    frequencies = torch.exp(-math.log(1000.0) * torch.arange(half, device=x.device) / half)
    angles = torch.arange(x.shape[-2], device=x.device).unsqueeze(-1) * frequencies
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


class Attention(nn.Module):
    """Multi-head attention; self-attention with rotary positions when no context is given."""

    def __init__(self, size: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(size, size)
        self.to_kv = nn.Linear(size, 2 * size)
        self.to_out = nn.Linear(size, size)

    def forward(
        self, x: torch.Tensor, context: torch.Tensor | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        source = x if context is None else context
        query = self.to_q(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        key, value = self.to_kv(source).unflatten(-1, (2 * self.num_heads, -1)).transpose(1, 2).chunk(2, 1)
        if context is None:
            query, key = rotate(query), rotate(key)
        # Written out: for sequences this short it trains many times faster on a CPU than the fused kernel.
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        out = scores.softmax(-1).to(value.dtype) @ value  # (B, heads, N, d)
        return self.to_out(out.transpose(1, 2).flatten(-2))


class DenoiserBlock(nn.Module):
    """Self-attention, cross-attention over the condition, feed-forward; modulated by the timestep (adaLN-single)."""

    def __init__(self, size: int, num_heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(size, elementwise_affine=False)
        self.attention = Attention(size, num_heads)
        self.norm2 = nn.LayerNorm(size)
        self.cross_attention = Attention(size, num_heads)
        self.norm3 = nn.LayerNorm(size, elementwise_affine=False)
        self.conv = nn.Conv1d(size, size, 3, padding=1, groups=size)
        self.mlp = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))
        self.shift = nn.Parameter(torch.zeros(6, size))

    def forward(
        self, x: torch.Tensor, modulation: torch.Tensor, context: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        # modulation (B, 6, D) is shared by all blocks; each block adds its own offset (Chen et al. 2023, PixArt-alpha).
        scale1, shift1, gate1, scale2, shift2, gate2 = (modulation + self.shift).unsqueeze(2).unbind(1)
        x = x + gate1 * self.attention(self.norm1(x) * (1 + scale1) + shift1)
        x = x + self.cross_attention(self.norm2(x), context, mask)
        y = self.norm3(x) * (1 + scale2) + shift2
        y = y + self.conv(y.transpose(1, 2)).transpose(1, 2)
        return x + gate2 * self.mlp(y)


class ECGDenoiser(ModelMixin, ConfigMixin):
    """Predicts the flow-matching velocity (noise - data) of a latent.

    Parameters
    ----------
    latent_channels : int
        Channels of the latent.
    plan_channels : int
        Channels of the rhythm plan at latent resolution.
    text_size : int
        Width of a statement embedding.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 32,
        plan_channels: int = 16,
        text_size: int = 384,
        hidden_size: int = 256,
        num_layers: int = 8,
        num_heads: int = 8,
    ):
        super().__init__()
        self.input = nn.Linear(latent_channels, hidden_size)
        self.plan = nn.Conv1d(plan_channels + 1, hidden_size, 3, padding=1)
        self.text = nn.Linear(text_size, hidden_size)
        self.null_text = nn.Parameter(torch.randn(hidden_size) * 0.02)
        self.attribute_value = nn.Parameter(torch.randn(NUM_ATTRIBUTES, hidden_size) * 0.1)
        self.attribute_name = nn.Parameter(torch.randn(NUM_ATTRIBUTES, hidden_size) * 0.02)
        self.time = nn.Sequential(
            nn.Linear(hidden_size, hidden_size), nn.SiLU(), nn.Linear(hidden_size, hidden_size)
        )
        self.attribute_pool = nn.Linear(2 * NUM_ATTRIBUTES, hidden_size)
        self.text_pool = nn.Linear(text_size, hidden_size)
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden_size, 6 * hidden_size))
        self.blocks = nn.ModuleList(DenoiserBlock(hidden_size, num_heads) for _ in range(num_layers))
        self.norm = nn.LayerNorm(hidden_size)
        self.output = nn.Linear(hidden_size, latent_channels)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor,
        attributes: torch.Tensor,
        plan: torch.Tensor,
        plan_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Velocity (B, C, N).

        Parameters
        ----------
        sample : torch.Tensor
            (B, C, N) noisy latent.
        timestep : torch.Tensor
            (B,) in 0 (data) .. 1000 (noise).
        encoder_hidden_states : torch.Tensor
            (B, S, text_size), one embedding a statement.
        encoder_attention_mask : torch.Tensor
            (B, S) true where a statement stands.
        attributes : torch.Tensor
            (B, 7) normalised values; NaN = not stated.
        plan : torch.Tensor
            (B, plan_channels, N) rhythm plan.
        plan_mask : torch.Tensor
            (B,) true where the plan is given; elsewhere the model finds its own rhythm.
        """
        stated = ~attributes.isnan()
        values = attributes.nan_to_num().unsqueeze(-1)  # (B, 7, 1)
        tokens = self.attribute_name + values * self.attribute_value  # (B, 7, D)
        null = self.null_text.expand(len(sample), 1, -1)
        context = torch.cat([null, self.text(encoder_hidden_states), tokens], 1)
        always = torch.ones_like(stated[:, :1])
        mask = torch.cat([always, encoder_attention_mask.bool(), stated], 1)[
            :, None, None
        ]  # (B, 1, 1, S + 8)

        given = plan_mask.to(plan.dtype).view(-1, 1, 1)
        planned = torch.cat([plan * given, given.expand(-1, 1, plan.shape[-1])], 1)
        x = self.input(sample.transpose(1, 2)) + self.plan(planned).transpose(1, 2)  # (B, N, D)
        pooled = self.attribute_pool(torch.cat([values.squeeze(-1), stated.to(values.dtype)], 1))
        # The sum of the statements also modulates every block: what they say holds for the whole ECG.
        named = (encoder_hidden_states * encoder_attention_mask.unsqueeze(-1)).sum(1)
        pooled = pooled + self.text_pool(named.to(x.dtype))
        time = self.time(sinusoid(timestep, self.config.hidden_size).to(x.dtype)) + pooled
        modulation = self.modulation(time).unflatten(-1, (6, -1))
        for block in self.blocks:
            x = block(x, modulation, context, mask)
        return self.output(self.norm(x)).transpose(1, 2)
