"""The language model that sees ECGs and pages, and speaks [ECG] tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.utils import ModelOutput

from uniecg.models.configuration_uniecg import UniECGConfig
from uniecg.models.ecg_encoder import ECGEncoder
from uniecg.models.mapper import ECGMapper, set_distance
from uniecg.models.page_encoder import PageEncoder


@dataclass
class UniECGOutput(ModelOutput):
    """Output of :class:`UniECGForConditionalGeneration`.

    ``logits`` (B, T, text vocabulary + n), left out while training on labels; ``prompt_embeds``
    (b, queries, dim) of the sequences with [ECG] tokens, only where targets were given.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    prompt_embeds: torch.Tensor | None = None


class UniECGForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Towers, projections, language model, [ECG] tokens and mapper.

    The features enter before the text: ``[w(s) W_ts W_tsi ; v(x) W_tsi]``, with ``ecg_projector`` = W_ts
    into the image embedding space and ``multi_modal_projector`` = W_tsi shared by both. The rows of the
    n new tokens are parameters of their own on the input and on the output side, so that stage 2 can
    train them with the language model frozen and no old logit can move.
    """

    config_class = UniECGConfig
    base_model_prefix = "uniecg"
    main_input_name = "input_ids"
    _supports_sdpa = True
    _no_split_modules: list[str] = []
    accepts_loss_kwargs = False  # Trainer: the loss is a mean over the batch as it stands

    def __init__(self, config: UniECGConfig):
        super().__init__(config)
        self.ecg_tower = ECGEncoder(config.ecg_config)
        self.vision_tower = PageEncoder(config.vision_config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        size = config.text_config.hidden_size
        image_size = config.vision_config.hidden_size
        self.ecg_projector = nn.Linear(config.ecg_config.hidden_size, image_size)
        self.multi_modal_projector = nn.Sequential(
            nn.Linear(image_size, size), nn.GELU(), nn.Linear(size, size)
        )
        n = config.num_generation_tokens
        self.generation_embeddings = nn.Parameter(torch.randn(n, size) * 0.02)
        self.generation_head = nn.Parameter(torch.randn(n, size) * 0.02)
        self.mapper = ECGMapper(size, n, **config.mapper)
        self.post_init()

    # -- pieces -----------------------------------------------------------------------------------

    @property
    def text_vocab_size(self) -> int:
        """Size of the text vocabulary; [ECG1] has this id, [ECG2] the next."""
        return int(self.config.text_config.vocab_size)

    def get_input_embeddings(self) -> nn.Module:
        """Embedding table of the text vocabulary."""
        return self.language_model.get_input_embeddings()

    def get_ecg_features(
        self, ecg_values: torch.Tensor, amplitude_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Signal tokens (B, 1 + tokens, text width): tower, W_ts, W_tsi."""
        hidden = self.ecg_tower(ecg_values, amplitude_mask).last_hidden_state
        return self.project_ecg(hidden)

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Page tokens (B, 1 + tokens, text width): tower, W_tsi."""
        return self.project_image(self.vision_tower(pixel_values).last_hidden_state)

    def project_ecg(self, hidden: torch.Tensor) -> torch.Tensor:
        """Signal tower states (B, N, ecg width) into the language model."""
        return self.multi_modal_projector(self.ecg_projector(hidden))

    def project_image(self, hidden: torch.Tensor) -> torch.Tensor:
        """Image tower states (B, N, image width) into the language model."""
        return self.multi_modal_projector(hidden)

    def embed_tokens(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Embeddings (B, T, width) of text tokens and [ECG] tokens."""
        new = input_ids >= self.text_vocab_size
        old_ids = input_ids.masked_fill(new, 0)
        embeddings = self.get_input_embeddings()(old_ids)
        rows = self.generation_embeddings[(input_ids - self.text_vocab_size).clamp(min=0)]
        return torch.where(new.unsqueeze(-1), rows.to(embeddings.dtype), embeddings)

    def _insert(
        self, embeddings: torch.Tensor, places: torch.Tensor, features: torch.Tensor, what: str
    ) -> torch.Tensor:
        if int(places.sum()) != features.shape[0] * features.shape[1]:
            raise ValueError(
                f"{int(places.sum())} {what} placeholders in input_ids but {features.shape[0]} x {features.shape[1]} "
                f"{what} features; build the inputs with the processor"
            )
        return embeddings.masked_scatter(places.unsqueeze(-1), features.to(embeddings.dtype))

    def prompt_mask(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None, dtype: torch.dtype
    ) -> torch.Tensor:
        """What each token sees (B, 1, T, T), 0 or the lowest number: the whole prompt, and the reply up to itself.

        A language model with a prefix read in both directions (Raffel et al. 2020, "Exploring the limits of transfer
        learning with a unified text-to-text transformer", section 3.2.1).
        """
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        ends = torch.where(input_ids == self.config.prompt_end_token_id, places, -1).amax(1, keepdim=True)
        seen = (places <= places[:, None]) | (places <= ends)[:, None]  # (B, query, key)
        if attention_mask is not None:
            seen = seen & attention_mask.bool()[:, None]
        return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(
            ~seen, torch.finfo(dtype).min
        )[:, None]

    # -- forward ----------------------------------------------------------------------------------

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        ecg_values: torch.Tensor | None = None,
        amplitude_mask: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        ecg_hidden: torch.Tensor | None = None,
        image_hidden: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        labels: torch.Tensor | None = None,
        target_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_hidden_states: bool = False,
        **kwargs: Any,
    ) -> UniECGOutput:
        """Run the model.

        Parameters
        ----------
        input_ids : torch.Tensor
            (B, T); placeholders ``ecg_token_id`` and ``image_token_id`` are replaced by features.
        ecg_values, amplitude_mask : torch.Tensor, optional
            Signals of all placeholders together, see :class:`ECGEncoder`.
        pixel_values : torch.Tensor, optional
            Pages of all placeholders together, see :class:`PageEncoder`.
        ecg_hidden, image_hidden : torch.Tensor, optional
            Tower states computed before (frozen towers), instead of values.
        labels : torch.Tensor, optional
            (B, T), -100 where no token is asked for. Gives L_e, the negative log-likelihood.
        target_embeds : torch.Tensor, optional
            (b, queries, dim) statement embeddings of the sequences with [ECG] tokens, in any order. Adds L_d, the
            squared distance of the mapper's output (:func:`set_distance`), with lambda = 1 of the paper.
        """
        embeddings = self.embed_tokens(input_ids)
        if ecg_values is not None:
            ecg_hidden = self.ecg_tower(ecg_values, amplitude_mask).last_hidden_state
        if pixel_values is not None:
            image_hidden = self.vision_tower(pixel_values).last_hidden_state
        if ecg_hidden is not None:
            places = input_ids == self.config.ecg_token_id
            embeddings = self._insert(embeddings, places, self.project_ecg(ecg_hidden), "ecg")
        if image_hidden is not None:
            places = input_ids == self.config.image_token_id
            embeddings = self._insert(embeddings, places, self.project_image(image_hidden), "image")
        first = past_key_values is None or past_key_values.get_seq_length() == 0
        if first and self.config.prompt_end_token_id is not None:
            attention_mask = self.prompt_mask(input_ids, attention_mask, embeddings.dtype)
        outputs = self.language_model.base_model(
            inputs_embeds=embeddings,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=False if self.training else use_cache,
            output_hidden_states=output_hidden_states or target_embeds is not None,
            **kwargs,
        )
        hidden = outputs.last_hidden_state
        logits = loss = prompt_embeds = None
        if labels is None or not self.training:
            logits = self.score(hidden)
        if labels is not None:
            learned = labels[:, 1:] != -100  # scoring these alone saves most of the head's work in training
            wanted = labels[:, 1:][learned]
            losses = F.cross_entropy(self.score(hidden[:, :-1][learned]).float(), wanted, reduction="none")
            loss = losses.mean()
            # Few tokens say what is done and what is pointed at, many are phrases: each kind has a mean of its own.
            for ids in (self.config.action_token_ids, self.config.reference_token_ids):
                chosen = torch.isin(wanted, torch.tensor(ids, device=wanted.device))
                if bool(chosen.any()):
                    loss = loss + losses[chosen].mean()
        if target_embeds is not None:
            prompt_embeds = self.map_tokens(input_ids, outputs.hidden_states)
            distance = set_distance(prompt_embeds.float(), target_embeds.float()).mean()
            loss = distance if loss is None else loss + distance
        return UniECGOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states if output_hidden_states else None,
            prompt_embeds=prompt_embeds,
        )

    def score(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits (..., text vocabulary + n) of last-layer states (..., width)."""
        new_logits = hidden @ self.generation_head.to(hidden.dtype).T
        return torch.cat([self.language_model.get_output_embeddings()(hidden), new_logits], -1)

    def map_tokens(self, input_ids: torch.Tensor, hidden_states: Sequence[torch.Tensor]) -> torch.Tensor:
        """Prompt embeddings (b, queries, dim) of the sequences that hold [ECG1]..[ECGn], see :meth:`token_states`."""
        return self.mapper(self.token_states(input_ids, hidden_states))

    def token_states(self, input_ids: torch.Tensor, hidden_states: Sequence[torch.Tensor]) -> torch.Tensor:
        """States (b, n, layers, D) of [ECG1]..[ECGn], each plus its row: what the mapper reads.

        Of `hidden_states`, one (B, T, D) a layer as the model gives them, the mapper takes ``config.mapper["layers"]``.

        Sequences hold the n tokens once, in order, or not at all; `b` counts those that hold them.
        """
        places = input_ids >= self.text_vocab_size
        n = self.config.num_generation_tokens
        counts = places.sum(1)
        if not bool(((counts == n) | (counts == 0)).all()):
            raise ValueError(f"a sequence must hold [ECG1]..[ECG{n}] once or not at all")
        chosen = [hidden_states[layer][places] for layer in self.config.mapper["layers"]]
        states = torch.stack(chosen, 1).unflatten(0, (-1, n))  # (b, n, layers, D)
        return states + self.generation_embeddings.to(states.dtype)[:, None]

    def prepare_inputs_for_generation(self, input_ids: torch.Tensor, **kwargs: Any) -> dict[str, Any]:
        """Towers see their input once, at the first step."""
        first = kwargs.pop("is_first_iteration", True)
        inputs = super().prepare_inputs_for_generation(input_ids, is_first_iteration=first, **kwargs)
        past = kwargs.get("past_key_values")
        if not first or (past is not None and past.get_seq_length() > 0):
            for name in ("ecg_values", "amplitude_mask", "pixel_values", "ecg_hidden", "image_hidden"):
                inputs.pop(name, None)
        return inputs

    def freeze_for_generation(self) -> None:
        """Stage 2: only the new rows and the mapper stay trainable, and what is frozen drops nothing out."""
        self.requires_grad_(False)
        for module in self.language_model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        self.generation_embeddings.requires_grad_(True)
        self.generation_head.requires_grad_(True)
        self.mapper.requires_grad_(True)
