"""Text-to-ECG decoder as a diffusers pipeline: autoencoder, denoiser, scheduler."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler

from uniecg.models.autoencoder_ecg import STRIDE, AutoencoderECG
from uniecg.models.conditioning import says_something
from uniecg.models.denoiser_ecg import ECGDenoiser
from uniecg.record import derive_limb_leads

SAMPLING_RATE = 500
STEP_S = STRIDE / SAMPLING_RATE  # one latent step, s


class ECGDiffusionPipeline(DiffusionPipeline):
    """Draws 12-lead ECGs from prompt embeddings, attributes and a rhythm plan."""

    def __init__(
        self, autoencoder: AutoencoderECG, denoiser: ECGDenoiser, scheduler: FlowMatchEulerDiscreteScheduler
    ):
        super().__init__()
        self.register_modules(autoencoder=autoencoder, denoiser=denoiser, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        prompt_embeds: torch.Tensor,
        attributes: torch.Tensor,
        plan: torch.Tensor | None = None,
        num_steps: int = 125,
        num_inference_steps: int = 20,
        guidance_scale: float = 2.0,
        generator: torch.Generator | None = None,
    ) -> np.ndarray:
        """Draw signals.

        Parameters
        ----------
        prompt_embeds : torch.Tensor
            (B, queries, dim) statement embeddings; zero rows stand for nothing.
        attributes : torch.Tensor
            (B, 7) from :func:`uniecg.models.conditioning.attribute_values`.
        plan : torch.Tensor, optional
            (B, channels, num_steps); without it the model finds its own rhythm.
        num_steps : int
            Latent steps of 80 ms.
        num_inference_steps : int
            Steps of the scheduler.
        guidance_scale : float
            Classifier-free guidance (Ho & Salimans 2022); 1 turns it off. Statements and attributes are
            guided; the plan is a fact for both branches.
        generator : torch.Generator, optional
            Source of the noise.

        Returns
        -------
        ndarray
            (B, 12, 40 num_steps) float32 mV at 500 Hz; III, aVR, aVL and aVF follow exactly from I and II.
        """
        batch = len(prompt_embeds)
        config = self.denoiser.config
        if plan is None:
            plan = torch.zeros(batch, config.plan_channels, num_steps)
            plan_mask = torch.zeros(batch, dtype=torch.bool)
        else:
            plan_mask = torch.ones(batch, dtype=torch.bool)
        condition = {
            "encoder_hidden_states": torch.cat([prompt_embeds, torch.zeros_like(prompt_embeds)]),
            "encoder_attention_mask": torch.cat(
                [says_something(prompt_embeds), torch.zeros(prompt_embeds.shape[:2], dtype=torch.bool)]
            ),
            "attributes": torch.cat([attributes, torch.full_like(attributes, torch.nan)]),
            "plan": torch.cat([plan, plan]),
            "plan_mask": torch.cat([plan_mask, plan_mask]),
        }
        if guidance_scale == 1:
            condition = {name: value[:batch] for name, value in condition.items()}
        latents = torch.randn(batch, config.latent_channels, num_steps, generator=generator)
        self.scheduler.set_timesteps(num_inference_steps)
        for timestep in self.progress_bar(self.scheduler.timesteps):
            copies = 1 if guidance_scale == 1 else 2
            velocity = self.denoiser(
                latents.repeat(copies, 1, 1), timestep.expand(copies * batch), **condition
            )
            if copies == 2:
                told, untold = velocity.chunk(2)
                velocity = untold + guidance_scale * (told - untold)
            latents = self.scheduler.step(velocity, timestep, latents).prev_sample
        eight = self.autoencoder.decode(latents).numpy().astype(np.float32)
        return derive_limb_leads(eight)
