"""The model: towers, language model with [ECG] tokens, mapper, and the diffusion decoder."""

from __future__ import annotations

from transformers import AutoConfig, AutoFeatureExtractor, AutoImageProcessor, AutoModel, AutoProcessor

from uniecg.models.autoencoder_ecg import AutoencoderECG
from uniecg.models.configuration_uniecg import SUPERCLASSES, ECGEncoderConfig, PageEncoderConfig, UniECGConfig
from uniecg.models.decoding_rules import ECGTokenLogitsProcessor, FirstTokenIsAction
from uniecg.models.denoiser_ecg import ECGDenoiser
from uniecg.models.ecg_encoder import ECGEncoder
from uniecg.models.mapper import ECGMapper
from uniecg.models.modeling_uniecg import UniECGForConditionalGeneration
from uniecg.models.page_encoder import PageEncoder
from uniecg.models.pipeline_ecg_diffusion import ECGDiffusionPipeline
from uniecg.models.processing_uniecg import ECGFeatureExtractor, PageImageProcessor, UniECGProcessor

# transformers loads classes outside its tree only when they are registered.
AutoConfig.register(UniECGConfig.model_type, UniECGConfig)
AutoModel.register(UniECGConfig, UniECGForConditionalGeneration)
AutoFeatureExtractor.register(UniECGConfig, ECGFeatureExtractor)
AutoImageProcessor.register(UniECGConfig, PageImageProcessor)
AutoProcessor.register(UniECGConfig, UniECGProcessor)

__all__ = [
    "SUPERCLASSES",
    "AutoencoderECG",
    "ECGDenoiser",
    "ECGDiffusionPipeline",
    "ECGEncoder",
    "ECGEncoderConfig",
    "ECGFeatureExtractor",
    "ECGMapper",
    "ECGTokenLogitsProcessor",
    "FirstTokenIsAction",
    "PageEncoder",
    "PageEncoderConfig",
    "PageImageProcessor",
    "UniECGConfig",
    "UniECGForConditionalGeneration",
    "UniECGProcessor",
]
