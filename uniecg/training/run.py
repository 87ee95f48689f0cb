"""One training step of a configuration: its data, its Trainer, its folder."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from uniecg.datasets import Example, read_examples
from uniecg.errors import InputError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # numbers of mallopt(3)


@dataclass
class Run:
    """What a training step needs to know.

    Attributes
    ----------
    name : str
        Step, for example ``"ecg_tower"``.
    settings : mapping
        The step's section of the YAML file: ``model``, ``training`` (arguments of
        ``transformers.TrainingArguments``) and whatever the step documents.
    data : Path
        Parquet file, folder of such files or PTB-XL folder, see docs/formats.md.
    output : Path
        Folder of the whole run; the step saves into ``output / name``.
    seed : int
        Seed of everything random.
    """

    name: str
    settings: Mapping[str, Any]
    data: Path
    output: Path
    seed: int
    _cache: dict[str, list[Example]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where this step saves its result."""
        return self.output / self.name

    def done(self) -> bool:
        """Whether the step's result is there."""
        return self.folder.is_dir() and any(self.folder.glob("*.safetensors"))

    def examples(self, split: str) -> list[Example]:
        """Examples of one split, read once."""
        if split not in self._cache:
            self._cache[split] = list(read_examples(self.data, split))
            if not self._cache[split]:
                raise InputError(f"{self.data}: no examples of split {split!r}")
        return self._cache[split]

    def trainer(
        self,
        model: torch.nn.Module,
        train: Any,
        val: Any = None,
        *,
        collate: Callable[[list[Any]], dict[str, Any]] | None = None,
        compute_metrics: Callable[[Any], dict[str, float]] | None = None,
        metric_for_best_model: str = "loss",
        callbacks: list[Any] | None = None,
    ) -> Trainer:
        """A Trainer that resumes, evaluates on `val` and keeps the best state."""
        set_seed(self.seed)
        keep_memory()
        cuda = torch.cuda.is_available()
        defaults: dict[str, Any] = {
            "per_device_train_batch_size": 32,
            "per_device_eval_batch_size": 64,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 50,
            "weight_decay": 0.01,
            "logging_steps": 20,
            "save_total_limit": 2,
            "eval_strategy": "no" if val is None else "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": val is not None,
            "metric_for_best_model": metric_for_best_model,
            "greater_is_better": metric_for_best_model != "loss",
        }
        arguments = TrainingArguments(
            output_dir=str(self.folder / "checkpoints"),
            seed=self.seed,
            use_cpu=not cuda,
            bf16=True,
            report_to=[],
            remove_unused_columns=False,
            label_names=["labels"],
            **(defaults | dict(self.settings.get("training", {}))),
        )
        return Trainer(
            model,
            arguments,
            data_collator=collate,
            train_dataset=train,
            eval_dataset=val,
            compute_metrics=compute_metrics,
            callbacks=callbacks,
        )

    def checkpoint(self) -> str | None:
        """Newest checkpoint of an interrupted run, if there is one."""
        folder = self.folder / "checkpoints"
        return get_last_checkpoint(str(folder)) if folder.is_dir() else None

    def save(self, model: Any) -> None:
        """Save the result of the step."""
        if isinstance(model, torch.nn.Module):
            model.eval()
        model.save_pretrained(self.folder)


def keep_memory() -> None:
    """Let glibc keep what was freed: large tensors otherwise go back to the system and are faulted in again each step.

    Where there is no glibc nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
            mallopt(option, value)


def load_runs(
    config: str | Path, known: Mapping[str, Callable[[Run], None]], data: Path | None, output: Path | None
) -> list[Run]:
    """Read a YAML file into one :class:`Run` a step, in the file's order.

    Raises
    ------
    InputError
        If the file is missing or names an unknown step.
    """
    path = Path(config)
    if not path.is_file():
        raise InputError(f"{path}: no such configuration; see configs/")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        steps = dict(values["steps"])
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not a training configuration, it needs a mapping 'steps' ({error})"
        ) from error
    unknown = [name for name in steps if name not in known]
    if unknown:
        raise InputError(f"{path}: unknown steps {unknown}; known are {sorted(known)}")
    source = data or (Path(values["data"]) if "data" in values else None)
    target = output or Path(values.get("output", "runs/nano"))
    if source is None:
        raise InputError(f"{path}: no training data named; give --data FOLDER")
    cache: dict[str, list[Example]] = {}
    return [
        Run(name, s or {}, source, target, int(values.get("seed", 0)), cache) for name, s in steps.items()
    ]
