"""Versioned evaluation tasks: `TASKS` maps a name to ``run(pipe, data=, split=, seed=, n=)``."""

from __future__ import annotations

from uniecg.evaluation import (
    ecg_reasoning,
    explanations,
    generation,
    interpretation,
    ludb,
    mapper,
    quality,
    reconstruction,
    rhythm,
    routing,
    superclass,
)
from uniecg.evaluation.common import Pipeline, Task

TASKS: dict[str, Task] = {
    "ptbxl-superclass": superclass.run,
    "ptbxl-superclass-image": superclass.run_image,
    "interpretation": interpretation.run,
    "generation": generation.run,
    "routing": routing.run,
    "mapper": mapper.run,
    "reconstruction": reconstruction.run,
    "ludb": ludb.run,
    "rhythm": rhythm.run,
    "ecg-reasoning": ecg_reasoning.run,
    "quality": quality.run,
    "explanations": explanations.run,
}

WITHOUT_MODEL = frozenset({"ludb", "rhythm", "ecg-reasoning", "quality", "explanations"})
"""Tasks that measure signals and ask the criteria: no weights, no torch, None for a pipeline."""

__all__ = ["TASKS", "WITHOUT_MODEL", "Pipeline", "Task"]
