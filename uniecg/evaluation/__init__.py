"""Versioned evaluation tasks: `TASKS` maps a name to ``run(pipe, data=, split=, seed=, n=)``."""

from __future__ import annotations

from uniecg.evaluation import generation, ludb, mapper, reconstruction, routing, superclass
from uniecg.evaluation.common import Pipeline, Task

TASKS: dict[str, Task] = {
    "ptbxl-superclass": superclass.run,
    "ptbxl-superclass-image": superclass.run_image,
    "generation": generation.run,
    "routing": routing.run,
    "mapper": mapper.run,
    "reconstruction": reconstruction.run,
    "ludb": ludb.run,
}

WITHOUT_MODEL = frozenset({"ludb"})
"""Tasks that measure signals only: they take None for a pipeline."""

__all__ = ["TASKS", "WITHOUT_MODEL", "Pipeline", "Task"]
