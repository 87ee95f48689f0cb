"""The benchmark that trains on simulated records: its result, its seed, and that test records stay out of training."""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pyarrow")

from tiny import noise_record

from uniecg.datasets import Example
from uniecg.datasets.parquet import ShardWriter, example_row

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "simulated_training.py"
LABELS = (
    (("NORM", "SR"), ("NORM",)),
    (("IMI", "SR"), ("MI",)),
    (("NDT", "AFIB"), ("STTC",)),
    (("CLBBB", "SR"), ("CD",)),
    (("LVH", "ISC_", "SR"), ("STTC", "HYP")),
    ((), ("NORM",)),
    ((), ("MI",)),
)


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The script as a module, with a network of a few hundred parameters."""
    spec = importlib.util.spec_from_file_location("simulated_training", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look it up there
    spec.loader.exec_module(module)
    module.MODEL = {
        "widths": [8, 8, 8, 8], "hidden_size": 8, "num_layers": 1, "num_attention_heads": 2, "num_tokens": 2,
    }  # fmt: skip
    module.TRAINING = {"per_device_train_batch_size": 8}
    module.BLOCK = 7
    module.bootstrap_ci = partial(module.bootstrap_ci, n_resamples=20)
    return module


def write(folder: Path, splits: tuple[str, ...], test_gain: float = 1.0) -> Path:
    """Fourteen records of noise a split; those of test as loud as said."""
    writer = ShardWriter(folder / "shard-00000.parquet")
    for number, split in enumerate(splits):
        for index in range(14):
            record = noise_record(100 * number + index).resample(100.0)
            if split == "test":
                record = type(record)(record.signal * test_gain, 100.0)
            statements, superclasses = LABELS[index % len(LABELS)]
            uid = f"{split}-{index}"
            example = Example(
                uid, record, statements, superclasses, 60.0, "female", split, "noise", f"{uid} patient"
            )
            writer.add(*example_row(example, "CC0-1.0"))
    writer.close({"records": 14 * len(splits)})
    return folder


STEPS = (2, 1)


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "split"}


def weights(folder: Path) -> dict[str, bytes]:
    """Finished trainings: bytes by name."""
    return {path.parent.name: path.read_bytes() for path in folder.rglob("*.safetensors")}


def test_result_seed_and_separation(bench: ModuleType, tmp_path: Path) -> None:
    for name in ("data", "loud", "without"):
        (tmp_path / name).mkdir()
    data = write(tmp_path / "data", ("train", "val", "test"))
    loud = write(tmp_path / "loud", ("train", "val", "test"), test_gain=5.0)
    without = write(tmp_path / "without", ("train", "val"))

    result = bench.run(data, tmp_path / "a", 16, STEPS, 2, 0, "test")
    assert list(result)[:5] == ["task", "version", "seed", "n", "metrics"]
    assert result["n"] == 14
    assert result["sources"] == {"used": 12, "left_out": {"superclass without statements": 2}}
    assert result["steps"] == {"simulated": 2, "real": 3, "real_and_simulated": [2, 1]}
    for name in bench.LEARNING_RATE:
        entry = result["metrics"][f"macro_auc_{name}"]
        assert entry["ci95"][0] <= entry["value"] <= entry["ci95"][1]
        assert len(entry["each_seed"]) == 2
        assert math.isclose(entry["value"], sum(entry["each_seed"]) / 2)
    gain = result["metrics"]["gain_of_simulated"]
    parts = (result["metrics"][f"macro_auc_{name}"]["value"] for name in ("real_and_simulated", "real"))
    assert math.isclose(gain["value"], next(parts) - next(parts), abs_tol=1e-12)
    assert 0.0 <= gain["resamples_above_0"] <= 1.0

    # The finished trainings are found again; in another folder the same seed makes the same ones.
    before = weights(tmp_path / "a")
    assert len(before) == 2 * len(bench.LEARNING_RATE)
    assert bench.run(data, tmp_path / "a", 16, STEPS, 2, 0, "test") == result
    validated = bench.run(data, tmp_path / "a", 16, STEPS, 1, 0, "val")
    again = bench.run(without, tmp_path / "b", 16, STEPS, 1, 0, "val")
    assert numbers(again) == numbers(validated)

    # Other test records change the answers on them and nothing else.
    bench.run(loud, tmp_path / "c", 16, STEPS, 1, 0, "test")
    assert weights(tmp_path / "a") == before
    first_seed = {name: value for name, value in before.items() if name.endswith("-0")}
    assert weights(tmp_path / "b") == weights(tmp_path / "c") == first_seed


def test_sources_are_counted(bench: ModuleType) -> None:
    record = noise_record()
    known = Example("1", record, ("AFIB",), ("NORM",), 50.0, "male", "train", "x", "1")
    unknown = replace(known, statements=("AFIB", "no such statement"))
    found, left_out = bench.sources_of([known, unknown, replace(known, statements=(), superclasses=("CD",))])
    assert [(source.statements, source.person.age) for source in found] == [(("AFIB",), 50.0)]
    assert left_out == {"not simulated: no such statement": 1, "superclass without statements": 1}


def test_another_recording_keeps_the_limb_leads_consistent(bench: ModuleType) -> None:
    record = bench.simulate(["SR"], rng=np.random.default_rng(0), sampling_rate=100.0).record
    varied = bench.another_recording(record, np.random.default_rng(1))
    assert varied.signal.shape == record.signal.shape
    np.testing.assert_allclose(varied["III"], varied["II"] - varied["I"], atol=1e-5)
    assert not np.allclose(varied.signal, record.signal, atol=0.05)
