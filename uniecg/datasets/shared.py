"""Parquet files with one ECG a row.

Columns read: ``split uid dataset patient age sex super_class scp_statements dx_snomed sampling_rate``
(statements come from ``dx_snomed`` where ``scp_statements`` is empty) and the waveform, lead-major and
flattened, either ``signal_uv`` (int16 microvolt) or ``signal_z1000`` (per-lead z-score times 1000,
absolute amplitude lost).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.datasets.examples import Example
from uniecg.errors import InputError, require
from uniecg.record import Record
from uniecg.text.statements import STATEMENTS

TABLES = ("ecg_500hz.parquet", "ecg_100hz.parquet", "ecg_100hz_zscored.parquet")
_SEX = {"F": "female", "M": "male", "f": "female", "m": "male", "female": "female", "male": "male"}


def read_table(path: str | Path, split: str | None = None) -> Iterator[Example]:
    """Yield the examples of one Parquet file.

    Parameters
    ----------
    path : str or Path
        A file in the layout of the module docstring.
    split : str, optional
        Keep only this split.

    Raises
    ------
    InputError
        If the file is missing or lacks the columns.
    """
    parquet: Any = require("pyarrow.parquet", "train")
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such Parquet file")
    try:
        file = parquet.ParquetFile(path)
    except Exception as error:  # pyarrow raises several unrelated types for a damaged file
        raise InputError(f"{path}: not a readable Parquet file ({error})") from error
    names = set(file.schema_arrow.names)
    column = "signal_uv" if "signal_uv" in names else "signal_z1000"
    missing = {"uid", "sampling_rate", column} - names
    if missing:
        raise InputError(f"{path}: lacks the columns {sorted(missing)}; see docs/formats.md for the layout")
    for batch in file.iter_batches(batch_size=128):
        rows = batch.drop_columns([column]).to_pylist()
        signals = batch.column(column)
        for index, row in enumerate(rows):
            if split is not None and row.get("split") != split:
                continue
            values = np.asarray(signals[index].values, np.float32).reshape(12, -1) / 1000
            yield _example(row, values, amplitude_known=column == "signal_uv")


def read_shared(path: str | Path, split: str | None = None) -> Iterator[Example]:
    """Yield the examples of one Parquet file, or of the known tables inside a folder.

    Parameters
    ----------
    path : str or Path
        A Parquet file, or a folder that holds the files of ``TABLES`` (directly or under ``ecg``).
    split : str, optional
        Keep only this split.
    """
    path = Path(path)
    if path.is_file():
        yield from read_table(path, split)
        return
    folder = path / "ecg" if (path / "ecg").is_dir() else path
    tables = [folder / name for name in TABLES if (folder / name).is_file()]
    if not tables:
        raise InputError(f"{path}: holds none of {', '.join(TABLES)}; give a Parquet file or their folder")
    for table in tables:
        yield from read_table(table, split)


def _example(row: dict[str, Any], signal: np.ndarray, *, amplitude_known: bool) -> Example:
    metadata = {} if amplitude_known else {"amplitude": "unknown"}
    age = row.get("age")
    return Example(
        uid=str(row["uid"]),
        record=Record(signal, float(row["sampling_rate"]), metadata=metadata),
        statements=_codes(row.get("scp_statements")) or _from_snomed(row.get("dx_snomed")),
        superclasses=_codes(row.get("super_class")),
        # PTB-XL writes 300 for patients older than 89.
        age=None if age is None or not np.isfinite(float(age)) else min(float(age), 90.0),
        sex=_SEX.get(str(row.get("sex"))),
        split=str(row.get("split") or ""),
        dataset=str(row.get("dataset") or ""),
        patient=str(row.get("patient") or row["uid"]),
    )


def _from_snomed(value: Any) -> tuple[str, ...]:
    by_snomed = {s.snomed: s.code for s in STATEMENTS.values() if s.snomed}
    found = [by_snomed[code] for code in str(value or "").split(",") if code in by_snomed]
    return tuple(dict.fromkeys(found))


def _codes(value: Any) -> tuple[str, ...]:
    return tuple(code for code in str(value).split("|") if code) if value else ()
