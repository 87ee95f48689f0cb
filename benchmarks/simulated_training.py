"""What a small network learns from simulated ECGs, tested on real ones: alone, and together with real training records.

    python benchmarks/simulated_training.py --data ../shared/data --folder /tmp/simulated

Every simulated record has the statements, age and sex of a random real training record, so the mix of diagnoses is the
real one, but no real waveform. The same network is trained in three ways, each from several seeds: on simulated records
alone; on real training records alone; on real ones after the simulated ones, in as many steps together as the second.
No state is chosen: the last one of each training is scored once on the records of `--split`. Prints JSON.

In the folder stay the simulated records and the finished trainings; the same command goes on from there, other settings
find nothing of theirs. An interrupted training begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from scipy import signal as sps
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, TrainerCallback, set_seed

from uniecg import __version__
from uniecg.attributes import Attributes
from uniecg.datasets import Example
from uniecg.errors import InputError
from uniecg.evaluation.common import metric, progress, result
from uniecg.evaluation.metrics import bootstrap_ci, macro_auc, roc_auc
from uniecg.models import ECGEncoder, ECGEncoderConfig
from uniecg.models.processing_uniecg import ecg_values
from uniecg.record import LEADS, Record, derive_limb_leads
from uniecg.simulate import SIMULATED, simulate
from uniecg.text.statements import SUPERCLASSES, superclasses_of
from uniecg.training.run import Run
from uniecg.training.towers import SignalDataset

TASK, VERSION = "simulated-training", "2.0"
Array = NDArray[Any]

MODEL: dict[str, Any] = {
    "widths": [32, 48, 64, 96], "hidden_size": 96, "num_layers": 1, "num_attention_heads": 4, "dropout": 0.2,
}  # fmt: skip
"""The package's own ECG tower, small: residual convolutions and one layer of attention, 0.6 million parameters."""
TRAINING: dict[str, Any] = {"per_device_train_batch_size": 64, "weight_decay": 0.05}
LEARNING_RATE = {"simulated": 2e-3, "real": 1e-3, "real_and_simulated": 2e-3}
"""Of each way of training, chosen on `val` (1e-3 and 2e-3 were tried)."""

BLOCK = 500
"""Simulated records a file."""
NOISE = (0.3, 2.0)
GAIN_SD = 0.2
SHIFT = 0.3
HIGH_PASS_HZ, LOW_PASS_HZ = (0.05, 0.15, 0.5), (25.0, 35.0, 40.0, 49.0)
"""Filters of carts (Kligfield et al. 2007); the last low-pass leaves all that 100 Hz can hold."""
INDEPENDENT = [LEADS.index(name) for name in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]


@dataclass(frozen=True)
class Source:
    """What a simulated record takes from a real one: nothing that was recorded."""

    statements: tuple[str, ...]
    person: Attributes


def sources_of(examples: Sequence[Example]) -> tuple[list[Source], Counter[str]]:
    """What can be simulated of training examples, and why the others cannot.

    Records that are only known to be normal are drawn as normal sinus rhythm.
    """
    found, left_out = [], Counter[str]()
    for example in examples:
        codes = example.statements or (("NORM", "SR") if example.superclasses == ("NORM",) else ())
        unknown = [code for code in codes if code not in SIMULATED]
        if unknown:
            left_out.update(f"not simulated: {code}" for code in unknown)
        elif not codes:
            left_out["superclass without statements"] += 1
        else:
            found.append(Source(codes, example.person()))
    return found, left_out


@lru_cache
def band(low_hz: float, high_hz: float, sampling_rate: float) -> Array:
    """Filter of a cart, to be run forward and backward."""
    high_pass = sps.butter(1, low_hz, "highpass", fs=sampling_rate, output="sos")
    return np.vstack([high_pass, sps.butter(2, high_hz, "lowpass", fs=sampling_rate, output="sos")])


def another_recording(record: Record, rng: np.random.Generator) -> Record:
    """Vary what differs between bodies and carts more than the simulator lets it: gains, chest electrodes, filters.

    Gains are drawn for the eight independent leads, so the algebra of the limb leads holds.
    """
    eight = record.signal[INDEPENDENT].astype(np.float64)
    chest = eight[2:]
    neighbours = np.stack([chest[max(i - 1, 0) : i + 2].mean(axis=0) for i in range(6)])
    chest += rng.uniform(-SHIFT, SHIFT, (6, 1)) * (neighbours - chest)
    eight *= np.exp(rng.normal(0.0, GAIN_SD, (8, 1)))
    filter_hz = (float(rng.choice(HIGH_PASS_HZ)), float(rng.choice(LOW_PASS_HZ)))
    eight = sps.sosfiltfilt(band(*filter_hz, record.sampling_rate), eight, axis=1)
    return Record(derive_limb_leads(eight.astype(np.float32)), record.sampling_rate)


class SimulatedDataset(SignalDataset):
    """Simulated records, drawn once and kept in a folder; record `i` depends on the seed and `i` alone.

    Parameters
    ----------
    sources : sequence of Source
        Of which one is drawn for each record.
    n : int
        Number of records.
    folder : Path
        Where they are kept, `BLOCK` a file.
    config : ECGEncoderConfig
        Sampling rate and length.
    seed : int
    """

    def __init__(
        self, sources: Sequence[Source], n: int, folder: Path, config: ECGEncoderConfig, seed: int
    ) -> None:
        picks = [np.random.default_rng((seed, index)) for index in range(n)]
        drawn = [sources[int(rng.integers(len(sources)))] for rng in picks]
        self.blocks = []
        folder.mkdir(parents=True, exist_ok=True)
        starts = range(0, n, BLOCK)
        for start in progress(starts, "simulating", len(starts)):
            stop = min(start + BLOCK, n)
            path = folder / f"{start}-{stop}.npy"
            if not path.is_file():
                block = [self._draw(drawn[i], config, picks[i]) for i in range(start, stop)]
                part = path.with_suffix(".part")
                with part.open("wb") as handle:
                    np.save(handle, np.stack(block).astype(np.float16))
                os.replace(part, path)
            self.blocks.append(np.load(path, mmap_mode="r"))
        self.signals = _Blocks(self.blocks)
        self.labels = [_labels(superclasses_of(source.statements)) for source in drawn]
        self.amplitude = [True] * n
        self.sampling_rate = config.sampling_rate
        self.rng = np.random.default_rng(seed)

    @staticmethod
    def _draw(source: Source, config: ECGEncoderConfig, rng: np.random.Generator) -> Array:
        duration_s = config.num_samples / config.sampling_rate
        noise = float(rng.uniform(*NOISE))
        drawn = simulate(source.statements, source.person, duration_s, rng=rng, noise=noise)
        record = another_recording(drawn.record.resample(config.sampling_rate), rng)
        return ecg_values(record, config.sampling_rate, config.num_samples)


class _Blocks(Sequence[Array]):
    """Records in memory-mapped files of `BLOCK` each, half precision, as one sequence in single precision."""

    def __init__(self, blocks: Sequence[Array]) -> None:
        self.blocks = blocks

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def __getitem__(self, index: Any) -> Any:
        return self.blocks[index // BLOCK][index % BLOCK].astype(np.float32)


class Bar(TrainerCallback):
    """A progress bar on stderr."""

    def __init__(self, description: str) -> None:
        self.progress = Progress(console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task(description)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.progress.update(self.task, total=state.max_steps)
        self.progress.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.progress.update(self.task, completed=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.progress.stop()


def fit(
    run: Run, start: ECGEncoder | None, train: Dataset[Any], steps: int, learning_rate: float
) -> ECGEncoder:
    """Train from `start`, or from nothing; what is finished is loaded."""
    if run.done():
        return ECGEncoder.from_pretrained(run.folder)
    set_seed(run.seed)
    model = ECGEncoder(ECGEncoderConfig(**MODEL))
    if start is not None:
        model.load_state_dict(start.state_dict())
    run.settings = {
        "training": TRAINING
        | {"learning_rate": learning_rate, "max_steps": steps, "warmup_steps": steps // 10}
        | {"save_strategy": "no", "disable_tqdm": True}
    }
    trainer = run.trainer(model, train, callbacks=[Bar(run.name)])
    trainer.remove_callback(PrinterCallback)  # it prints on stdout
    trainer.train()
    run.save(model)
    return ECGEncoder.from_pretrained(run.folder)  # as it is stored, like one that was finished before


def scores(model: ECGEncoder, dataset: SignalDataset) -> Array:
    """(n, 5) logits."""
    found = []
    model.eval()
    with torch.inference_mode():
        for batch in DataLoader(dataset, 64):
            found.append(model(batch["ecg_values"], batch["amplitude_mask"]).logits.numpy())
    return np.concatenate(found)


def compare(truth: Array, answers: dict[str, Array], patients: Sequence[str], seed: int) -> dict[str, Any]:
    """ROC-AUC of each way of training, means over its seeds, and what simulated records add to real ones, paired.

    Parameters
    ----------
    truth : ndarray, shape (n, 5)
    answers : dict of ndarray, shape (seeds, n, 5)
        By the names in `LEARNING_RATE`.
    patients : sequence of str
        Their records are drawn together.
    seed : int
        Of the bootstrap.
    """
    n = len(truth)

    def interval(statistic: Any) -> tuple[float, float]:
        return bootstrap_ci(statistic, n, seed=seed, groups=patients)

    def mean_auc(name: str, rows: Any) -> float:
        return float(np.mean([macro_auc(truth[rows], score[rows]) for score in answers[name]]))

    metrics = {}
    for name, every in answers.items():
        ci95 = interval(lambda rows, name=name: mean_auc(name, rows))
        each = [macro_auc(truth, score) for score in every]
        metrics[f"macro_auc_{name}"] = metric(mean_auc(name, slice(None)), ci95, baseline=0.5, each_seed=each)
    resampled: list[float] = []

    def gain(rows: Any) -> float:
        resampled.append(mean_auc("real_and_simulated", rows) - mean_auc("real", rows))
        return resampled[-1]

    value = gain(slice(None))
    resampled.clear()
    ci95 = interval(gain)
    above = float(np.mean(np.array(resampled) > 0))
    metrics["gain_of_simulated"] = metric(value, ci95, baseline=0.0, resamples_above_0=above)
    for name, every in answers.items():
        for label, t, s in zip(SUPERCLASSES, truth.T, np.moveaxis(every, 2, 0), strict=True):

            def auc(rows: Any, t: Array = t, s: Array = s) -> float:
                return float(np.mean([roc_auc(t[rows], score[rows]) for score in s]))

            metrics[f"auc_{label}_{name}"] = metric(auc(slice(None)), interval(auc), baseline=0.5)
    return metrics


def run(
    data: Path, folder: Path, records: int, steps: tuple[int, int], seeds: int, seed: int, split: str
) -> dict[str, Any]:
    """Simulate, train in three ways from each seed, score once.

    Parameters
    ----------
    data, folder : Path
        Real records; where simulated ones and trainings are kept.
    records : int
        How many to simulate.
    steps : tuple of int
        On simulated records, and on real ones after them; real records alone get the sum.
    seeds : int
        Trainings of each way, with the seeds `seed`, `seed` + 1, ...
    seed : int
        Also of the simulation and the bootstrap.
    split : str
        What is scored.
    """
    config = ECGEncoderConfig(**MODEL)
    reader = Run("", {}, data, folder, seed)
    train = labelled(reader, "train")
    sources, left_out = sources_of(train)
    if not sources:
        raise InputError(f"{data}: no training record has statements to simulate")
    told = [(source.statements, source.person.to_dict()) for source in sources]
    variation = [NOISE, GAIN_SD, SHIFT, HIGH_PASS_HZ, LOW_PASS_HZ, BLOCK]
    drawn = digest([VERSION, __version__, seed, told, variation, config.sampling_rate, config.num_samples])
    settings = digest([drawn, [e.uid for e in train], records, steps, MODEL, TRAINING, LEARNING_RATE])
    simulated = SimulatedDataset(sources, records, folder / f"records-{drawn}", config, seed)
    real = SignalDataset(train, config, seed)
    cases = labelled(reader, split)
    dataset = SignalDataset(cases, config)
    first, then = steps
    found: dict[str, list[Array]] = {name: [] for name in LEARNING_RATE}

    def trained(
        name: str, seed: int, train: SignalDataset, steps: int, start: ECGEncoder | None = None
    ) -> ECGEncoder:
        # A training is the same, whether or not others went before.
        train.rng = np.random.default_rng(seed)
        run = Run(f"{name}-{seed}", {}, data, folder / f"trainings-{settings}", seed)
        return fit(run, start, train, steps, LEARNING_RATE[name])

    for each in range(seed, seed + seeds):
        pretrained = trained("simulated", each, simulated, first)
        models = (
            pretrained,
            trained("real", each, real, first + then),
            trained("real_and_simulated", each, real, then, pretrained),
        )
        for name, model in zip(LEARNING_RATE, models, strict=True):
            found[name].append(scores(model, dataset))
    answers = {name: np.stack(every) for name, every in found.items()}
    metrics = compare(np.array(dataset.labels), answers, [case.patient for case in cases], seed)
    return result(
        TASK,
        VERSION,
        seed,
        len(cases),
        metrics,
        split=split,
        seeds=seeds,
        parameters=pretrained.num_parameters(),
        records={"simulated": records, "real": len(train)},
        sources={"used": len(sources), "left_out": dict(left_out)},
        steps={"simulated": first, "real": first + then, "real_and_simulated": [first, then]},
        batch=TRAINING["per_device_train_batch_size"],
    )


def labelled(reader: Run, split: str) -> list[Example]:
    """Examples of a split whose superclasses are known."""
    return [example for example in reader.examples(split) if example.superclasses]


def digest(values: Any) -> str:
    """A short name that differs where the values differ."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def _labels(superclasses: Sequence[str]) -> Array:
    return np.array([float(name in superclasses) for name in SUPERCLASSES], np.float32)


def main() -> None:
    """Parse the options, run, print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="as for uniecg evaluate")
    parser.add_argument("--folder", type=Path, required=True, help="for simulated records and trainings")
    parser.add_argument("--records", type=int, default=20_000, help="how many to simulate; 24 KB each")
    parser.add_argument(
        "--steps",
        type=int,
        nargs=2,
        default=(2000, 1000),
        metavar=("SIMULATED", "REAL"),
        help="on simulated records, and on real ones after them; real ones alone get the sum",
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each of the three ways")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--split", choices=("val", "test"), default="test", help="val while anything is being chosen"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = (options.records, tuple(options.steps), options.seeds, options.seed, options.split)
    print(json.dumps(run(options.data, options.folder, *settings), indent=1))


if __name__ == "__main__":
    main()
