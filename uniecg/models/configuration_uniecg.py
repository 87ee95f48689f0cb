"""Configurations of the towers and of the whole model."""

from __future__ import annotations

from typing import Any

from transformers import CONFIG_MAPPING, PreTrainedConfig

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")


class ECGEncoderConfig(PreTrainedConfig):
    """Configuration of :class:`ECGEncoder`.

    Parameters
    ----------
    sampling_rate : int
        Hz of ``ecg_values``.
    num_samples : int
        Samples a lead.
    widths : list of int
        Channels of the residual stages; each stage halves the time axis after a first halving by the stem.
    hidden_size : int
        Width of the tokens.
    num_layers, num_attention_heads : int
        Transformer layers over the convolutional features.
    num_tokens : int
        Tokens handed to the language model, besides one summary token.
    statements : list of str
        SCP-ECG codes the auxiliary head answers, in order.
    thresholds : list of float
        Per superclass, the probability from which it counts as present (chosen on validation records).
    """

    model_type = "uniecg_ecg_encoder"
    base_config_key = "ecg_config"

    def __init__(
        self,
        sampling_rate: int = 100,
        num_samples: int = 1000,
        widths: list[int] | None = None,
        hidden_size: int = 256,
        num_layers: int = 2,
        num_attention_heads: int = 4,
        num_tokens: int = 16,
        dropout: float = 0.1,
        statements: list[str] | None = None,
        thresholds: list[float] | None = None,
        **kwargs: Any,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.num_samples = num_samples
        self.widths = widths or [64, 96, 160, 224]
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.num_attention_heads = num_attention_heads
        self.num_tokens = num_tokens
        self.dropout = dropout
        self.statements = statements or []
        self.thresholds = thresholds or [0.5] * len(SUPERCLASSES)
        super().__init__(**kwargs)


class PageEncoderConfig(PreTrainedConfig):
    """Configuration of :class:`PageEncoder`.

    Parameters
    ----------
    image_size : list of int
        Height and width of ``pixel_values``; 1 mm of paper is at least 4 px.
    widths : list of int
        Channels of the convolutional stages (strides 4, 2, 2, 2, 2).
    hidden_size : int
        Width of the tokens: the image embedding space that W_ts maps ECG tokens into.
    token_grid : list of int
        Rows and columns of tokens handed to the language model, besides one summary token.
    """

    model_type = "uniecg_page_encoder"
    base_config_key = "vision_config"

    def __init__(
        self,
        image_size: list[int] | None = None,
        widths: list[int] | None = None,
        hidden_size: int = 256,
        num_layers: int = 2,
        num_attention_heads: int = 4,
        token_grid: list[int] | None = None,
        dropout: float = 0.1,
        statements: list[str] | None = None,
        thresholds: list[float] | None = None,
        **kwargs: Any,
    ) -> None:
        self.image_size = image_size or [720, 1120]
        self.widths = widths or [24, 48, 96, 160, 256]
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.num_attention_heads = num_attention_heads
        self.token_grid = token_grid or [4, 6]
        self.dropout = dropout
        self.statements = statements or []
        self.thresholds = thresholds or [0.5] * len(SUPERCLASSES)
        super().__init__(**kwargs)


class UniECGConfig(PreTrainedConfig):
    """Configuration of :class:`UniECGForConditionalGeneration`.

    Parameters
    ----------
    ecg_config, vision_config : dict or config
        The two towers.
    text_config : dict or config
        The language model: any causal model of transformers (``model_type`` names it).
    ecg_token_id, image_token_id : int
        Placeholders in ``input_ids`` that tower features replace.
    num_generation_tokens : int
        n of [ECG1]..[ECGn]; their ids follow the text vocabulary.
    action_token_ids : list of int
        First tokens of a reply, which say what is wanted.
    reference_token_ids : list of int
        Tokens that stand for a number, a statement or a passage. Like the action tokens they count more in the loss.
    prompt_end_token_id : int, optional
        Everything up to the last of these tokens is read in both directions, as an encoder reads; what follows is
        causal. A pretrained causal backbone has none and stays causal throughout.
    mapper : dict
        Arguments of :class:`ECGMapper` (``layers``, ``num_queries``, ``output_size``, ``hidden_size``, ``num_layers``).
    """

    model_type = "uniecg"
    sub_configs = {"ecg_config": ECGEncoderConfig, "vision_config": PageEncoderConfig}

    def __init__(
        self,
        ecg_config: Any = None,
        vision_config: Any = None,
        text_config: Any = None,
        ecg_token_id: int = 3,
        image_token_id: int = 4,
        num_generation_tokens: int = 8,
        action_token_ids: list[int] | None = None,
        reference_token_ids: list[int] | None = None,
        prompt_end_token_id: int | None = None,
        mapper: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.ecg_config = _build(ECGEncoderConfig, ecg_config)
        self.vision_config = _build(PageEncoderConfig, vision_config)
        if not isinstance(text_config, PreTrainedConfig):
            values = dict(text_config or {"model_type": "llama"})
            text_config = CONFIG_MAPPING[values.pop("model_type")](**values)
        self.text_config = text_config
        self.ecg_token_id = ecg_token_id
        self.image_token_id = image_token_id
        self.num_generation_tokens = num_generation_tokens
        self.action_token_ids = action_token_ids or []
        self.reference_token_ids = reference_token_ids or []
        self.prompt_end_token_id = prompt_end_token_id
        usual = {"layers": [-1], "num_queries": 6, "output_size": 384, "hidden_size": 192, "num_layers": 2}
        self.mapper = usual | (mapper or {})
        # The new rows are parameters of their own, never tied to the language model's table.
        kwargs["tie_word_embeddings"] = False
        super().__init__(**kwargs)

    @property
    def vocab_size(self) -> int:
        """Text vocabulary plus the generation tokens."""
        return int(self.text_config.vocab_size) + self.num_generation_tokens


def _build(kind: type[PreTrainedConfig], value: Any) -> PreTrainedConfig:
    return value if isinstance(value, kind) else kind(**(value or {}))
