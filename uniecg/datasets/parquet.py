"""Parquet files with one ECG a row, the layout of docs/formats.md: reading them and writing them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.datasets.examples import Example
from uniecg.datasets.language import report_language
from uniecg.datasets.source import RANGE, BadRecord, Problem
from uniecg.errors import InputError, require
from uniecg.record import Record

GAP = -32768
"""Sample of a lead, or of a part of it, that was not recorded (the mark of WFDB's format 16)."""
EXTRAS = (
    "scp_codes",
    "dx_snomed",
    "aha_codes",
    "grounding_id",
    "image",
    "machine_measurements",
    "report_other",
)
"""Columns that go into ``record.metadata``: what a source says beyond the fields of an example."""

_REPORTS = {"en": "report_en", "de": "report_de", "sv": "report_sv"}
_TEXTS = (
    "split",
    "uid",
    "dataset",
    "patient",
    "sex",
    "super_class",
    "scp_statements",
    "other_statements",
    *_REPORTS.values(),
    "conversation",
    "amplitude",
    *EXTRAS,
    "licence",
)
_GROUP_BYTES = 16 << 20  # of samples a row group: what writing and reading hold at a time
_SEX = {"female": "F", "male": "M"}


def example_row(example: Example, licence: str) -> tuple[dict[str, Any], np.ndarray]:
    """Turn an example into the cells of a row.

    Parameters
    ----------
    example : Example
        The example.
    licence : str
        Licence of its source.

    Returns
    -------
    cells : dict
        Everything but the samples.
    samples : ndarray, shape (12 * n_samples,), int16
        Microvolt, lead by lead; `GAP` where there is no value.

    Raises
    ------
    BadRecord
        If an amplitude does not fit 16 bit.
    """
    microvolt = np.round(example.record.signal.astype(np.float64) * 1000)
    if np.nanmax(np.abs(microvolt), initial=0) > -GAP - 1:
        peak = np.nanmax(np.abs(microvolt)) / 1000
        raise BadRecord(Problem(RANGE, example.uid, f"its peak is {peak:.1f} mV"))
    samples = np.where(np.isnan(microvolt), GAP, microvolt).astype(np.int16).ravel()
    metadata = example.record.metadata
    cells: dict[str, Any] = {name: _cell(metadata.get(name)) for name in (*EXTRAS, "amplitude")}
    if example.text:
        cells[_REPORTS[report_language(example.text) or "en"]] = example.text
    cells |= {
        "split": example.split,
        "uid": example.uid,
        "dataset": example.dataset,
        "patient": example.patient,
        "age": example.age,
        "sex": _SEX.get(example.sex or ""),
        "super_class": "|".join(example.superclasses) or None,
        "scp_statements": "|".join(example.statements) or None,
        "other_statements": json.dumps(example.other_statements, ensure_ascii=False)
        if example.other_statements
        else None,
        "conversation": json.dumps(example.conversation, ensure_ascii=False)
        if example.conversation
        else None,
        "licence": licence,
        "sampling_rate": example.record.sampling_rate,
    }
    return cells, samples


def row_example(row: dict[str, Any], signal: np.ndarray, amplitude: str | None) -> Example:
    """Turn the cells of a row and its signal (12, n_samples; mV or z-scores) back into an example."""
    metadata: dict[str, Any] = {name: value for name in EXTRAS if (value := row.get(name)) not in (None, "")}
    if isinstance(metadata.get("machine_measurements"), str):
        metadata["machine_measurements"] = json.loads(metadata["machine_measurements"])
    if amplitude or row.get("amplitude"):
        metadata["amplitude"] = amplitude or row["amplitude"]
    age, others, conversation = row.get("age"), row.get("other_statements"), row.get("conversation")
    return Example(
        uid=str(row["uid"]),
        record=Record(signal, float(row["sampling_rate"]), metadata=metadata),
        statements=_split(row.get("scp_statements")),
        superclasses=_split(row.get("super_class")),
        # PTB-XL writes 300 for patients older than 89.
        age=None if age is None or not np.isfinite(float(age)) else min(float(age), 90.0),
        sex={"f": "female", "m": "male"}.get(str(row.get("sex") or "")[:1].lower()),
        split=str(row.get("split") or ""),
        dataset=str(row.get("dataset") or ""),
        patient=str(row.get("patient") or row["uid"]),
        text=next((str(text) for name in _REPORTS.values() if (text := row.get(name))), ""),
        other_statements=tuple(json.loads(others)) if others else (),
        conversation=tuple((speaker, words) for speaker, words in json.loads(conversation))
        if conversation
        else (),
    )


class ShardWriter:
    """Writes rows to a Parquet file that appears under its name only when it is complete.

    Parameters
    ----------
    path : Path
        The file to make.

    Notes
    -----
    Samples wait in memory until a row group of 16 MB is full. `close` writes the rest, forces the file to the disk
    and renames it; without it nothing but a hidden file with the number of the process in its name is left.
    """

    def __init__(self, path: Path) -> None:
        self._arrow: Any = require("pyarrow", "formats")
        parquet: Any = require("pyarrow.parquet", "formats")
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        arrow = self._arrow
        columns = [(name, arrow.string()) for name in _TEXTS]
        columns += [("age", arrow.float64()), ("sampling_rate", arrow.float64())]
        self._schema = arrow.schema([*columns, ("signal_uv", arrow.list_(arrow.int16()))])
        self._writer = parquet.ParquetWriter(
            self._part, self._schema, compression="zstd", compression_level=1
        )
        self._cells: list[dict[str, Any]] = []
        self._samples: list[np.ndarray] = []

    def add(self, cells: dict[str, Any], samples: np.ndarray) -> None:
        """Add a row, as `example_row` makes it."""
        self._cells.append(cells)
        self._samples.append(samples)
        if sum(waiting.nbytes for waiting in self._samples) >= _GROUP_BYTES:
            self._flush()

    def close(self, account: dict[str, Any]) -> None:
        """Finish the file; `account` goes into its footer."""
        self._flush()
        self._writer.add_key_value_metadata(
            {"uniecg": json.dumps(account, ensure_ascii=False, sort_keys=True)}
        )
        self._writer.close()
        with self._part.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(self._part, self._path)
        sync_folder(self._path.parent)

    def abandon(self) -> None:
        """Leave no file behind."""
        self._writer.close()
        self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._cells:
            return
        arrow = self._arrow
        offsets = np.concatenate([[0], np.cumsum([row.size for row in self._samples])]).astype(np.int32)
        signals = arrow.ListArray.from_arrays(offsets, arrow.array(np.concatenate(self._samples)))
        columns = [
            arrow.array([cells.get(field.name) for cells in self._cells], field.type)
            for field in list(self._schema)[:-1]
        ]
        self._writer.write_table(arrow.Table.from_arrays([*columns, signals], schema=self._schema))
        self._cells, self._samples = [], []


def shard_account(path: Path) -> dict[str, Any] | None:
    """What `ShardWriter.close` wrote into the footer of a shard; None for a file that is no complete shard."""
    parquet: Any = require("pyarrow.parquet", "formats")
    try:
        metadata = parquet.read_metadata(path)
        account = json.loads((metadata.metadata or {})[b"uniecg"])
    except Exception:  # pyarrow raises several unrelated types for a damaged file
        return None
    return account if isinstance(account, dict) and account.get("records") == metadata.num_rows else None


def read_rows(path: Path) -> Iterator[tuple[dict[str, Any], np.ndarray, str | None]]:
    """Yield cells, signal (12, n_samples) and what is known of the amplitude, for each row of a Parquet file.

    Raises
    ------
    InputError
        If the file is missing, damaged or lacks the columns.
    """
    parquet: Any = require("pyarrow.parquet", "train")
    if not path.is_file():
        raise InputError(f"{path}: no such Parquet file")
    try:
        file = parquet.ParquetFile(path)
    except Exception as error:  # pyarrow raises several unrelated types for a damaged file
        raise InputError(f"{path}: not a readable Parquet file ({error})") from error
    with file:
        names = set(file.schema_arrow.names)
        column = "signal_uv" if "signal_uv" in names else "signal_z1000"
        missing = {"uid", "sampling_rate", column} - names
        if missing:
            raise InputError(
                f"{path}: lacks the columns {sorted(missing)}; see docs/formats.md for the layout"
            )
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(batch_size=128, row_groups=[group]):
                rows = batch.drop_columns([column]).to_pylist()
                signals = batch.column(column)
                for index, row in enumerate(rows):
                    samples = np.asarray(signals[index].values)
                    signal = samples.astype(np.float32).reshape(12, -1) / 1000
                    signal[samples.reshape(12, -1) == GAP] = np.nan
                    yield row, signal, None if column == "signal_uv" else "unknown"


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _split(value: Any) -> tuple[str, ...]:
    return tuple(code for code in str(value).split("|") if code) if value else ()
