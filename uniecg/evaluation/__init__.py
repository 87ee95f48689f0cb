"""Versioned evaluation tasks: `TASKS` maps a name to ``run(pipe, data=, split=, seed=, n=)``."""

from __future__ import annotations

from uniecg.evaluation import (
    ecg_reasoning,
    generation,
    interpretation,
    ludb,
    mapper,
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
}

WITHOUT_MODEL = frozenset({"ludb", "rhythm", "ecg-reasoning"})
"""Tasks that ask measurements and criteria, not the model: they need neither weights nor torch."""

__all__ = ["TASKS", "WITHOUT_MODEL", "Pipeline", "Task"]
