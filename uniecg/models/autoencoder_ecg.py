"""Autoencoder between eight 500 Hz leads and a latent of 12.5 steps a second."""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional as F

from uniecg.record import LEADS

EIGHT = [LEADS.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]  # independent leads
STRIDE = 40  # samples a latent step: 5 by the stem, then three halvings


class ConvBlock(nn.Module):
    """Residual pair of convolutions along time."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv1d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, channels)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class AutoencoderECG(ModelMixin, ConfigMixin):
    """Variational autoencoder of the independent leads I, II, V1..V6.

    The other four leads follow from Einthoven's and Goldberger's relations and need no room in the
    latent. Fully convolutional: any length that is a multiple of 40 samples.

    Parameters
    ----------
    latent_channels : int
        Channels of the latent.
    widths : tuple of int
        Channels at 100, 50, 25 and 12.5 Hz.
    """

    @register_to_config
    def __init__(
        self, latent_channels: int = 32, widths: tuple[int, ...] = (64, 128, 192, 256), num_blocks: int = 2
    ):
        super().__init__()
        down: list[nn.Module] = [nn.Conv1d(8, widths[0], 15, 5, 5)]
        up: list[nn.Module] = [nn.Conv1d(latent_channels, widths[-1], 3, padding=1)]
        for index, width in enumerate(widths):
            if index:
                down.append(nn.Conv1d(widths[index - 1], width, 4, 2, 1))
            down += [ConvBlock(width) for _ in range(num_blocks)]
        for index in reversed(range(len(widths))):
            up += [ConvBlock(widths[index]) for _ in range(num_blocks)]
            if index:
                up.append(nn.ConvTranspose1d(widths[index], widths[index - 1], 4, 2, 1))
        down += [
            nn.GroupNorm(8, widths[-1]),
            nn.SiLU(),
            nn.Conv1d(widths[-1], 2 * latent_channels, 3, padding=1),
        ]
        up += [nn.GroupNorm(8, widths[0]), nn.SiLU(), nn.ConvTranspose1d(widths[0], 8, 15, 5, 5)]
        self.encoder = nn.Sequential(*down)
        self.decoder = nn.Sequential(*up)
        # Statistics of the latent over the training records: the denoiser works on unit variance.
        self.register_buffer("latent_mean", torch.zeros(latent_channels, 1))
        self.register_buffer("latent_std", torch.ones(latent_channels, 1))

    def moments(self, eight_leads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance (B, C, N) of the raw latent of (B, 8, 40 N) mV."""
        mean, log_variance = self.encoder(eight_leads).chunk(2, 1)
        return mean, log_variance.clamp(-20, 4)

    def encode(self, eight_leads: torch.Tensor) -> torch.Tensor:
        """Normalised latent (B, C, N) of (B, 8, 40 N) mV, leads I, II, V1..V6 at 500 Hz."""
        return (self.moments(eight_leads)[0] - self.latent_mean) / self.latent_std

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Eight leads (B, 8, 40 N) in mV from a normalised latent (B, C, N)."""
        return self.decoder(latents * self.latent_std + self.latent_mean)

    def forward(
        self, eight_leads: torch.Tensor, labels: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Training loss: amplitude and slope errors on 12 leads plus a light KL term."""
        mean, log_variance = self.moments(eight_leads)
        raw = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        output = self.decoder(raw).float()
        error = twelve(output) - twelve(eight_leads)
        # The slope term keeps the QRS sharp: plain amplitude errors are ruled by the ST segment's many samples.
        slope = error.diff(dim=-1)
        kl = 0.5 * (mean.float() ** 2 + log_variance.float().exp() - 1 - log_variance.float()).mean()
        loss = error.abs().mean() + 4.0 * slope.abs().mean() + 1e-3 * kl
        return {"loss": loss, "error_mv": error.abs().mean().detach()}


def twelve(eight: torch.Tensor) -> torch.Tensor:
    """All leads (B, 12, T) from I, II, V1..V6 (B, 8, T), as `uniecg.record.derive_limb_leads` does for arrays."""
    one, two = eight[:, :1], eight[:, 1:2]
    return torch.cat([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2, eight[:, 2:]], 1)


__all__ = ["EIGHT", "STRIDE", "AutoencoderECG", "twelve"]
