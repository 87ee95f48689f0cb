"""Training of the text-to-ECG decoder: autoencoder, then denoiser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from rich.progress import track
from scipy.signal import butter, sosfiltfilt
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import Dataset
from transformers import TrainerCallback

from uniecg.datasets import Example
from uniecg.models.autoencoder_ecg import EIGHT, STRIDE, AutoencoderECG
from uniecg.models.conditioning import StatementTable, attribute_values
from uniecg.models.denoiser_ecg import ECGDenoiser
from uniecg.models.pipeline_ecg_diffusion import SAMPLING_RATE, STEP_S, ECGDiffusionPipeline
from uniecg.simulate import CHANNELS, RhythmPlan, plan_from_measurements
from uniecg.training.data import MeasuredExample, measure_examples
from uniecg.training.run import Run

# Zero-phase 0.5 Hz keeps the ST segment (Kligfield et al. 2007, AHA/ACC/HRS part I); below it lies only wander,
# above 100 Hz mostly muscle and mains.
_BAND = butter(2, (0.5, 100.0), "bandpass", fs=SAMPLING_RATE, output="sos")


def clean_leads(example: Example) -> np.ndarray | None:
    """(8, T) float32 mV at 500 Hz without wander, or None if a lead is missing, not in mV, or out of range."""
    if not example.amplitude_known:
        return None
    signal = example.record.resample(SAMPLING_RATE).signal[EIGHT]
    if np.isnan(signal).any() or np.abs(signal).max() > 8 or (signal.std(1) < 0.01).any():
        return None
    filtered = sosfiltfilt(_BAND, signal, axis=1)
    return np.asarray(filtered[:, : filtered.shape[1] // STRIDE * STRIDE], np.float32)


class LeadDataset(Dataset[dict[str, Any]]):
    """Crops of the eight independent leads; with a seed at random times and varied by :func:`vary_leads`."""

    def __init__(self, signals: Sequence[np.ndarray], seconds: float, seed: int | None = None):
        self.length = int(seconds * SAMPLING_RATE)
        self.signals = [signal for signal in signals if signal.shape[1] >= self.length]
        self.rng = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.signals)

    def __getitem__(self, index: int) -> dict[str, Any]:
        signal = self.signals[index]
        if self.rng is None:
            return {"eight_leads": signal[:, : self.length], "labels": 0}
        return {"eight_leads": vary_leads(signal, self.length, self.rng), "labels": 0}


def vary_leads(signal: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A random, scaled crop (8, length) of (8, T); every other one stretched in time and with its leads mixed.

    Few recordings are wide or bizarre. A stretched beat is a wider one, and a mixture of leads is what another
    electrode position would see, so the autoencoder meets shapes beyond its recordings.
    """
    gain = np.float32(np.exp(rng.normal(0, 0.2)))
    if rng.random() < 0.5:
        start = int(rng.integers(signal.shape[1] - length + 1))
        return np.asarray(signal[:, start : start + length] * gain)
    stretch = max(np.exp(rng.normal(0, 0.15)), length / signal.shape[1])
    span = (length - 1) / stretch
    times = rng.uniform(0, signal.shape[1] - 1 - span) + np.arange(length) / stretch
    index = np.minimum(times.astype(int), signal.shape[1] - 2)
    part = (times - index).astype(np.float32)
    crop = signal[:, index] * (1 - part) + signal[:, index + 1] * part
    mixing = np.eye(len(signal)) + rng.normal(0, 0.2, (len(signal),) * 2)
    return np.asarray(gain * (mixing.astype(np.float32) @ crop))


def train_autoencoder(run: Run) -> None:
    """Train :class:`AutoencoderECG` and store the statistics of its latent."""
    train = [s for s in map(clean_leads, run.examples("train")) if s is not None]
    val = [s for s in map(clean_leads, run.examples("val")) if s is not None]
    model = AutoencoderECG(**run.settings.get("model", {}))
    trainer = run.trainer(model, LeadDataset(train, 4.0, run.seed), LeadDataset(val, 9.6))
    trainer.train(resume_from_checkpoint=run.checkpoint())
    model.eval()
    with torch.no_grad():
        latents = [model.moments(torch.from_numpy(signal)[None])[0][0] for signal in train]
    flat = torch.cat(latents, 1)  # (C, all steps)
    model.latent_mean.copy_(flat.mean(1, keepdim=True))
    model.latent_std.copy_(flat.std(1, keepdim=True))
    run.save(model)


class DenoiserTraining(nn.Module):
    """Flow-matching loss around a denoiser (Lipman et al. 2023; Esser et al. 2024).

    Statements, attributes and the plan are dropped at random so that guidance has its unconditional
    branch and every subset of the condition is a valid request.
    """

    accepts_loss_kwargs = False  # Trainer: the loss is a mean over the batch as it stands

    def __init__(self, denoiser: ECGDenoiser):
        super().__init__()
        self.denoiser = denoiser

    def forward(self, labels: torch.Tensor, **condition: torch.Tensor) -> dict[str, torch.Tensor]:
        """Mean squared error of the velocity; `labels` are the clean latents (B, C, N)."""
        batch, device = len(labels), labels.device
        if self.training:
            generator = None
            keep = torch.rand(batch, 1, device=device) > 0.1
            attributes = condition["attributes"]
            hidden = (torch.rand_like(attributes) < 0.2) | ~keep | (torch.rand(batch, 1, device=device) < 0.1)
            condition["attributes"] = attributes.masked_fill(hidden, torch.nan)
            condition["encoder_attention_mask"] = condition["encoder_attention_mask"] & keep
            condition["plan_mask"] = torch.rand(batch, device=device) > 0.1
        else:
            generator = torch.Generator().manual_seed(0)  # the same noise in every evaluation
            condition["plan_mask"] = torch.ones(batch, dtype=torch.bool, device=device)
        noise = torch.randn(labels.shape, generator=generator).to(device)
        # Logit-normal times put the work where the signal emerges (Esser et al. 2024).
        sigma = torch.sigmoid(torch.randn(batch, generator=generator)).to(device)
        mixed = torch.lerp(labels, noise, sigma.view(-1, 1, 1))
        velocity = self.denoiser(mixed, sigma * 1000, **condition)
        return {"loss": F.mse_loss(velocity.float(), noise - labels)}


class LatentDataset(Dataset[dict[str, Any]]):
    """Latents of crops that start at random samples, with their condition.

    Parameters
    ----------
    crops : int
        Crops of an example with common statements.
    balance : float
        Up to how many times as many are taken of an example with a rare one: by its rarest statement, in
        proportion to how rare it is against one in ten.
    """

    def __init__(
        self,
        examples: Sequence[MeasuredExample],
        autoencoder: AutoencoderECG,
        table: StatementTable,
        *,
        crops: int,
        num_statements: int,
        seed: int,
        balance: float = 1.0,
        num_steps: int = 120,
    ):
        rng = np.random.default_rng(seed)
        self.items: list[dict[str, Any]] = []
        length = num_steps * STRIDE
        counts = Counter(code for item in examples for code in item.statements)
        for item in track(examples, description="encoding"):
            signal = clean_leads(item.example)
            if signal is None or signal.shape[1] < length:
                continue
            plan = plan_from_measurements(item.measurements, item.statements)
            rarest = min(counts[code] for code in item.statements)
            times = np.clip(len(examples) / (10 * rarest), 1, balance)
            starts = rng.integers(signal.shape[1] - length + 1, size=round(crops * times))
            with torch.no_grad():
                latents = autoencoder.encode(
                    torch.from_numpy(np.stack([signal[:, start : start + length] for start in starts]))
                )
            codes = [code for code in item.statements if code in table.codes][:num_statements]
            for start, latent in zip(starts, latents, strict=True):
                self.items.append(
                    {
                        "labels": latent,
                        "encoder_hidden_states": table.embed(codes, num_statements),
                        "encoder_attention_mask": torch.arange(num_statements) < len(codes),
                        "attributes": torch.from_numpy(attribute_values(item.attributes())),
                        "plan": torch.from_numpy(
                            shift(plan, start / SAMPLING_RATE).channels(num_steps, STEP_S)
                        ),
                    }
                )

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.items[index]


def shift(plan: RhythmPlan, start_s: float) -> RhythmPlan:
    """The plan as seen from `start_s` on; earlier beats stay, at negative times, for phase and RR."""
    return replace(plan, r_s=plan.r_s - start_s, p_s=plan.p_s - start_s, t_s=plan.t_s - start_s)


def train_denoiser(run: Run) -> None:
    """Train :class:`ECGDenoiser` on latents of the finished autoencoder and save the whole decoder."""
    autoencoder = AutoencoderECG.from_pretrained(run.output / "autoencoder").eval()
    table = StatementTable.load(run.output / "text_encoder" / "statements.safetensors")
    options = {
        "autoencoder": autoencoder,
        "table": table,
        "num_statements": run.settings.get("num_statements", 6),
    }
    crops = run.settings.get("crops", 6)
    train = measure_examples(run.examples("train"), description="measuring train")
    val = measure_examples(run.examples("val"), description="measuring val")
    denoiser = ECGDenoiser(
        latent_channels=autoencoder.config.latent_channels,
        plan_channels=len(CHANNELS),
        **run.settings.get("model", {}),
    )
    averaged = AveragedModel(
        denoiser, multi_avg_fn=get_ema_multi_avg_fn(run.settings.get("ema_decay", 0.998))
    )
    trainer = run.trainer(
        DenoiserTraining(denoiser),
        LatentDataset(train, crops=crops, balance=run.settings.get("balance", 4.0), seed=run.seed, **options),
        LatentDataset(val, crops=1, seed=run.seed, **options),
        callbacks=[UpdateAverage(averaged, denoiser)],
    )
    trainer.train(resume_from_checkpoint=run.checkpoint())
    denoiser.load_state_dict(averaged.module.state_dict())
    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000)
    run.save(ECGDiffusionPipeline(autoencoder, denoiser.eval(), scheduler))
    table.save(run.folder / "statements.safetensors")


class UpdateAverage(TrainerCallback):
    """Exponential moving average of the weights: smoother samples than the last step's."""

    def __init__(self, averaged: AveragedModel, denoiser: ECGDenoiser):
        self.averaged, self.denoiser = averaged, denoiser

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Update after every optimiser step."""
        self.averaged.update_parameters(self.denoiser)
