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
    questions,
    reconstruction,
    rhythm,
    routing,
    simulator,
    statements,
    superclass,
)
from uniecg.evaluation.common import Pipeline, Task

TASKS: dict[str, Task] = {
    "ptbxl-superclass": superclass.run,
    "ptbxl-superclass-image": superclass.run_image,
    "interpretation": interpretation.run,
    "questions": questions.run,
    "generation": generation.run,
    "routing": routing.run,
    "mapper": mapper.run,
    "reconstruction": reconstruction.run,
    "ludb": ludb.run,
    "rhythm": rhythm.run,
    "ecg-reasoning": ecg_reasoning.run,
    "quality": quality.run,
    "simulator": simulator.run,
    "statements": statements.run,
    "explanations": explanations.run,
}

WITHOUT_MODEL = frozenset(
    {"ludb", "rhythm", "ecg-reasoning", "quality", "simulator", "statements", "explanations"}
)
"""Tasks that measure signals, ask the criteria or read reports: no weights, no torch, None for a pipeline."""

__all__ = ["TASKS", "WITHOUT_MODEL", "Pipeline", "Task"]
