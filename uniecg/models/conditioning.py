"""What the decoder is told: statement embeddings, normalised attributes, rhythm plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from uniecg.attributes import NUMERIC, Attributes

ATTRIBUTE_NAMES = ("age", "sex", "heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qrs_axis_deg")


def attribute_values(attributes: Attributes) -> np.ndarray:
    """Attributes as (7,) float32 of about unit variance, in the order of ``ATTRIBUTE_NAMES``; NaN = not stated."""
    values = []
    for name in ATTRIBUTE_NAMES:
        value = getattr(attributes, name)
        if name == "sex":
            values.append({"female": 1.0, "male": -1.0}.get(value, np.nan))
        elif value is None or not np.isfinite(value):
            values.append(np.nan)
        else:
            scale = NUMERIC[name]
            values.append(float(np.clip((value - scale.mean) / scale.sd, -6, 6)))
    return np.asarray(values, np.float32)


@dataclass(frozen=True)
class StatementTable:
    """Frozen text-encoder embedding of every statement of the vocabulary.

    Attributes
    ----------
    codes : tuple of str
        SCP-ECG codes.
    embeddings : torch.Tensor
        (codes, dim), unit norm.
    """

    codes: tuple[str, ...]
    embeddings: torch.Tensor

    def embed(self, statements: Sequence[str], length: int) -> torch.Tensor:
        """(length, dim): one row a known statement, in order; zero rows after the last."""
        rows = torch.zeros(length, self.embeddings.shape[1])
        known = [self.codes.index(code) for code in statements if code in self.codes][:length]
        rows[: len(known)] = self.embeddings[known]
        return rows

    def nearest(self, prompt_embeds: torch.Tensor) -> list[str]:
        """Codes nearest to the rows (queries, dim) that say something."""
        rows = prompt_embeds[says_something(prompt_embeds)].to(self.embeddings.dtype)
        best = (rows @ self.embeddings.T).argmax(1).tolist()
        return list(dict.fromkeys(self.codes[index] for index in best))

    def save(self, path: Path) -> None:
        """Write one safetensors file, codes in its metadata."""
        save_file(
            {"embeddings": self.embeddings.half().contiguous()},
            path,
            metadata={"codes": " ".join(self.codes)},
        )

    @classmethod
    def load(cls, path: Path) -> StatementTable:
        """Read what :meth:`save` wrote."""
        with safe_open(path, framework="pt") as file:
            codes = tuple(file.metadata()["codes"].split(" "))
            return cls(codes, torch.nn.functional.normalize(file.get_tensor("embeddings").float(), dim=-1))


def says_something(prompt_embeds: torch.Tensor) -> torch.Tensor:
    """Mask (..., queries) of embeddings that stand for a statement: unit norm, against zero for an idle query."""
    return prompt_embeds.norm(dim=-1) > 0.5
