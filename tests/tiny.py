"""A complete UniECG of a few thousand parameters, built from the real classes."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from uniecg.models import (
    AutoencoderECG,
    ECGDenoiser,
    ECGDiffusionPipeline,
    ECGEncoderConfig,
    ECGFeatureExtractor,
    PageEncoderConfig,
    PageImageProcessor,
    UniECGConfig,
    UniECGForConditionalGeneration,
    UniECGProcessor,
)
from uniecg.models.conditioning import StatementTable
from uniecg.pipeline import UniECGPipeline
from uniecg.record import Record
from uniecg.simulate import CHANNELS
from uniecg.text.statements import STATEMENTS
from uniecg.training.tokenizer import train_tokenizer

QUERIES, DIM = 4, 16


def tiny_processor() -> UniECGProcessor:
    """A processor with a small vocabulary."""
    texts = [
        "interpret this ecg",
        "generate an ecg of atrial fibrillation at 80 bpm",
        "sinus rhythm, normal ECG",
    ] * 3
    return UniECGProcessor(
        ECGFeatureExtractor(100, 1000),
        PageImageProcessor({"height": 128, "width": 192}),
        train_tokenizer(texts, 400),
        num_ecg_tokens=5,
        num_image_tokens=5,
        num_generation_tokens=4,
    )


def tiny_model(
    processor: UniECGProcessor, seed: int = 0, *, causal: bool = False
) -> UniECGForConditionalGeneration:
    """The real model class, tiny; its prompt is read in both directions unless it is causal."""
    torch.manual_seed(seed)
    config = UniECGConfig(
        ecg_config=ECGEncoderConfig(
            widths=[8, 8, 16, 16], hidden_size=32, num_layers=1, num_attention_heads=2, num_tokens=4,
            statements=["AFIB"],
        ),
        vision_config=PageEncoderConfig(
            image_size=[128, 192], widths=[8, 8, 8, 16, 16], hidden_size=32, num_layers=1, num_attention_heads=2,
            token_grid=[2, 2], statements=["AFIB"],
        ),
        text_config={
            "model_type": "llama", "vocab_size": len(processor.tokenizer), "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "pad_token_id": 0,
            "eos_token_id": 1, "bos_token_id": None, "tie_word_embeddings": False,
        },
        ecg_token_id=processor.token_id("<|ecg|>"),
        image_token_id=processor.token_id("<|image|>"),
        num_generation_tokens=4,
        prompt_end_token_id=None if causal else processor.token_id("<|assistant|>"),
        mapper={"num_queries": QUERIES, "output_size": DIM, "hidden_size": 32, "num_layers": 1},
    )  # fmt: skip
    return UniECGForConditionalGeneration(config).eval()


def tiny_decoder(seed: int = 0) -> ECGDiffusionPipeline:
    """The real decoder classes, tiny."""
    torch.manual_seed(seed)
    return ECGDiffusionPipeline(
        AutoencoderECG(latent_channels=4, widths=(8, 8, 16, 16), num_blocks=1),
        ECGDenoiser(4, len(CHANNELS), DIM, hidden_size=32, num_layers=2, num_heads=2),
        FlowMatchEulerDiscreteScheduler(),
    )


def tiny_table() -> StatementTable:
    """Random unit embeddings of the whole vocabulary."""
    rows = torch.randn(len(STATEMENTS), DIM, generator=torch.Generator().manual_seed(0))
    return StatementTable(tuple(STATEMENTS), torch.nn.functional.normalize(rows, dim=1))


def tiny_pipeline() -> UniECGPipeline:
    """An untrained pipeline of real components."""
    processor = tiny_processor()
    return UniECGPipeline(tiny_model(processor), processor, tiny_decoder(), tiny_table())


def noise_record(seed: int = 0, seconds: float = 10.0) -> Record:
    """Ten seconds of small noise on twelve leads."""
    rng = np.random.default_rng(seed)
    return Record(rng.normal(0, 0.2, (12, int(500 * seconds))), 500.0)
