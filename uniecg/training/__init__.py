"""Training of both stages, one YAML file a run.

``uniecg train understand CONFIG`` runs the steps of :data:`UNDERSTAND` that the file names, in its
order; ``uniecg train generate CONFIG`` those of :data:`GENERATE`. A finished step is skipped, an
interrupted one resumes from its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from uniecg.errors import InputError
from uniecg.training.run import Run, load_runs

UNDERSTAND = {
    "ecg_tower": "uniecg.training.towers:train_ecg_tower",
    "page_tower": "uniecg.training.towers:train_page_tower",
    "language_model": "uniecg.training.understand:train_language_model",
}
GENERATE = {
    "text_encoder": "uniecg.training.text_encoder:train_text_encoder",
    "autoencoder": "uniecg.training.decoder:train_autoencoder",
    "denoiser": "uniecg.training.decoder:train_denoiser",
    "ecg_tokens": "uniecg.training.generate:train_ecg_tokens",
}


def train_understand(
    config: str | Path, *, data: Path | None = None, output: Path | None = None, only: str | None = None
) -> Path:
    """Run stage 1 and return the folder of the run."""
    return _train(config, UNDERSTAND, data, output, only)


def train_generate(
    config: str | Path, *, data: Path | None = None, output: Path | None = None, only: str | None = None
) -> Path:
    """Run stage 2 (decoder, then [ECG] tokens and mapper) and return the folder of the run."""
    return _train(config, GENERATE, data, output, only)


def _train(
    config: str | Path, steps: Mapping[str, str], data: Path | None, output: Path | None, only: str | None
) -> Path:
    runs = load_runs(config, steps, data, output)
    if only is not None:
        runs = [run for run in runs if run.name == only]
        if not runs:
            raise InputError(f"{config}: has no step {only!r}; steps of this stage are {sorted(steps)}")
    for run in runs:
        if not run.done():
            _function(steps[run.name])(run)
    return runs[0].output


def _function(target: str) -> Callable[[Run], None]:
    module, name = target.split(":")
    function: Callable[[Run], None] = getattr(import_module(module), name)
    return function
