"""Versioned evaluation tasks: `TASKS` maps a name to ``run(pipe, data=, split=, seed=, n=)``."""

from __future__ import annotations

from uniecg.evaluation import generation, interpretation, mapper, reconstruction, routing, superclass
from uniecg.evaluation.common import Pipeline, Task

TASKS: dict[str, Task] = {
    "ptbxl-superclass": superclass.run,
    "ptbxl-superclass-image": superclass.run_image,
    "interpretation": interpretation.run,
    "generation": generation.run,
    "routing": routing.run,
    "mapper": mapper.run,
    "reconstruction": reconstruction.run,
}

__all__ = ["TASKS", "Pipeline", "Task"]
