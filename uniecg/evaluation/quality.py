"""Quality task: would people keep the recording, are good recordings let through, are interchanged electrodes noticed?

`acceptable` is measured on recordings with human verdicts (PhysioNet/CinC Challenge 2011). The limits of
`uniecg.signal.lead_defects` were set on half of them, drawn by `TUNED_SEED` from the rows in the order of the file;
``tuned_half`` and ``untouched_half`` are reported apart. Recordings of PTB-XL count as good ones with the electrodes
in their places, which is true of nearly all; interchanged electrodes are simulated on them by exchanging signals, and
the limb leads follow. An interchange counts as noticed if any is reported; ``named`` is the share in which it is this
one. Records with a lead that shows no beats are not searched and count as not noticed.

References
----------
Silva I., Moody G. B., Celi L. 2011, Comput Cardiol 38:273 (the labelled recordings; best entry 0.932).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.datasets import Example
from uniecg.errors import InputError, require
from uniecg.evaluation.common import Pipeline, progress, read_examples, result, sample, share
from uniecg.record import LEADS, Record, derive_limb_leads
from uniecg.signal import Measurements, Quality, measure
from uniecg.signal.lead_order import dominant_beat, swapped_electrodes
from uniecg.signal.quality import SHAPELESS

VERSION = "1.0"
LABELLED = "quality_500hz.parquet"
TUNED_SEED = 0

# How the rows of leads I and II are made of the right ones, and the order of the chest leads.
Exchange = tuple[tuple[tuple[int, int], tuple[int, int]], tuple[int, ...]]
RIGHT: Exchange = (((1, 0), (0, 1)), (0, 1, 2, 3, 4, 5))
LIMB: dict[str, Exchange] = {
    "right and left arm": (((-1, 0), (-1, 1)), RIGHT[1]),
    "right arm and left leg": (((1, -1), (0, -1)), RIGHT[1]),
}
CHEST: dict[str, Exchange] = {
    "V1 and V2": (RIGHT[0], (1, 0, 2, 3, 4, 5)),
    "V2 and V3": (RIGHT[0], (0, 2, 1, 3, 4, 5)),
    "V3 and V4": (RIGHT[0], (0, 1, 3, 2, 4, 5)),
    "V4 and V5": (RIGHT[0], (0, 1, 2, 4, 3, 5)),
    "V5 and V6": (RIGHT[0], (0, 1, 2, 3, 5, 4)),
    "V1 and V3": (RIGHT[0], (2, 1, 0, 3, 4, 5)),
    "V1 to V6": (RIGHT[0], (5, 4, 3, 2, 1, 0)),
}
INTERCHANGES = LIMB | CHEST


def run(
    pipe: Pipeline | None,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Score the verdicts of `uniecg.measure`; see the module.

    Parameters
    ----------
    pipe : Pipeline or None
        Not used: nothing here needs the model.
    data : Path
        Folder (or its folder ``ecg``) that holds ``quality_500hz.parquet`` and tables of records of PTB-XL.
    split : str, optional
        Split of the PTB-XL records.
    seed : int
        Seed of the choice of `n` records.
    n : int, optional
        Use at most so many PTB-XL records.

    Returns
    -------
    dict
        Baseline of an accuracy: the commoner verdict, always.

    Raises
    ------
    InputError
        If one of the two kinds of recordings is missing.
    """
    if data is None or not (path := _labelled_table(data)).is_file():
        raise InputError(
            f"{data}: the task quality needs --data, a folder with {LABELLED} and PTB-XL records"
        )
    good = (e for e in read_examples(data, split, "quality") if e.dataset == "PTB-XL" and e.amplitude_known)
    metrics, count = _human_verdicts(path)
    metrics |= _good_records(progress(sample(good, n, seed), "PTB-XL"))
    return result("quality", VERSION, seed, count, metrics)


def _labelled_table(data: Path) -> Path:
    return (data / "ecg" if (data / "ecg").is_dir() else data) / LABELLED


def _human_verdicts(path: Path) -> tuple[dict[str, Any], int]:
    refused, judged = [], []
    for verdict, record in progress(_labelled(path), "human verdicts"):
        refused.append({"unacceptable": True, "acceptable": False}.get(verdict))
        judged.append(not measure(record).quality.acceptable)
    order = np.random.default_rng(TUNED_SEED).permutation(len(refused))
    half = len(order) // 2
    parts = {"tuned_half": order[:half], "untouched_half": order[half:], "all": order}
    metrics: dict[str, Any] = {}
    for name, rows in parts.items():
        known = [(refused[row], judged[row]) for row in rows if refused[row] is not None]
        common = np.mean([truth for truth, _ in known])
        metrics[f"acceptable_accuracy_{name}"] = share(
            (truth == answer for truth, answer in known), float(max(common, 1 - common)), n=len(known)
        )
        metrics[f"refused_found_{name}"] = share((answer for truth, answer in known if truth), 0.0)
        metrics[f"accepted_kept_{name}"] = share((not answer for truth, answer in known if not truth), 1.0)
    return metrics, len(refused)


def _labelled(path: Path) -> Iterator[tuple[str, Record]]:
    parquet: Any = require("pyarrow.parquet", "formats")
    columns = ["quality", "sampling_rate", "signal_uv"]
    for batch in parquet.ParquetFile(path).iter_batches(batch_size=64, columns=columns):
        rows = zip(batch["quality"].to_pylist(), batch["sampling_rate"], batch["signal_uv"], strict=True)
        for verdict, rate, values in rows:
            signal = np.asarray(values.values, np.float32).reshape(len(LEADS), -1) / 1000
            yield verdict, Record(signal, float(rate.as_py()))


def _good_records(examples: Iterable[Example]) -> dict[str, Any]:
    verdicts: list[Quality] = []
    alarms: list[str] = []
    said: dict[str, list[str]] = {name: [] for name in INTERCHANGES}
    for example in examples:
        m = measure(example.record)
        verdicts.append(m.quality)
        shapeless = any(SHAPELESS & set(reasons) for reasons in verdicts[-1].leads.values())
        judged = m.amplitude_known and not shapeless
        alarms.append(_named(example.record, m, RIGHT) if judged else "")
        for name, exchange in INTERCHANGES.items():
            said[name].append(_named(example.record, m, exchange) if judged else "")
    if not verdicts:
        raise InputError("no records of PTB-XL in this split; choose another --split or add their table")
    metrics = {
        "ptbxl_not_unusable": share(quality.verdict != "unusable" for quality in verdicts),
        "ptbxl_usable": share(quality.verdict == "usable" for quality in verdicts),
        "ptbxl_acceptable": share(quality.acceptable for quality in verdicts),
        "false_alarm_limb_electrodes": share(name in LIMB for name in alarms),
        "false_alarm_chest_electrodes": share(name != "" and name not in LIMB for name in alarms),
    }
    for name, answers in said.items():
        named = sum(answer == name for answer in answers) / len(answers)
        metrics[f"noticed_{name.replace(' ', '_')}"] = share(
            (answer != "" for answer in answers), named=named
        )
    return metrics


def _named(record: Record, m: Measurements, exchange: Exchange) -> str:
    """Exchange signals and name the electrodes that then appear interchanged, "" if none do."""
    matrix, order = np.asarray(exchange[0], np.float32), exchange[1]
    frontal, chest = matrix @ record.signal[:2], record.signal[6:][list(order)]
    changed = Record(derive_limb_leads(np.concatenate([frontal, chest])), record.sampling_rate)
    beat = dominant_beat(changed, m.beats)
    p_mv = matrix @ [m.leads["I"].p_mv, m.leads["II"].p_mv]
    found = swapped_electrodes(beat, float(p_mv[0])) if beat is not None else None
    return found.electrodes if found is not None else ""
