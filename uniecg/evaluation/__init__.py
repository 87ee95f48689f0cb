"""Versioned evaluation tasks: `TASKS` maps a name to ``run(pipe, data=, split=, seed=, n=)``."""

from __future__ import annotations

from uniecg.evaluation import generation, mapper, quality, reconstruction, routing, superclass
from uniecg.evaluation.common import Pipeline, Task

TASKS: dict[str, Task] = {
    "ptbxl-superclass": superclass.run,
    "ptbxl-superclass-image": superclass.run_image,
    "generation": generation.run,
    "routing": routing.run,
    "mapper": mapper.run,
    "reconstruction": reconstruction.run,
    "quality": quality.run,
}

WITHOUT_MODEL = frozenset({"quality"})
"""Tasks that measure signals only: they take None for a pipeline."""

__all__ = ["TASKS", "WITHOUT_MODEL", "Pipeline", "Task"]
