"""Folders of Parquet files with one ECG a row.

Columns read: those of `uniecg.datasets.parquet`; statements come from ``dx_snomed`` where ``scp_statements`` is empty.
The waveform is lead-major and flattened, either ``signal_uv`` (int16 microvolt) or ``signal_z1000`` (per-lead z-score
times 1000, absolute amplitude lost).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from uniecg.datasets.codes import translate
from uniecg.datasets.examples import Example
from uniecg.datasets.parquet import read_rows, row_example
from uniecg.errors import InputError

TABLES = ("ecg_500hz.parquet", "ecg_100hz.parquet", "ecg_100hz_zscored.parquet")
SHARDS = "shard-*.parquet"


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
    for row, signal, amplitude in read_rows(Path(path)):
        if split is not None and row.get("split") != split:
            continue
        example = row_example(row, signal, amplitude)
        if not example.statements and row.get("dx_snomed"):
            codes = [code.strip() for code in str(row["dx_snomed"]).split(",")]
            statements, others, _ = translate("snomed", codes, example.uid)
            example = replace(example, statements=statements, other_statements=others)
        yield example


def read_shared(path: str | Path, split: str | None = None) -> Iterator[Example]:
    """Yield the examples of one Parquet file, or of the known tables or the shards inside a folder.

    Parameters
    ----------
    path : str or Path
        A Parquet file, a folder that holds the files of ``TABLES`` (directly or under ``ecg``), or one that
        ``uniecg data prepare`` made.
    split : str, optional
        Keep only this split.
    """
    path = Path(path)
    if path.is_file():
        yield from read_table(path, split)
        return
    folder = path / "ecg" if (path / "ecg").is_dir() else path
    tables = [folder / name for name in TABLES if (folder / name).is_file()] or sorted(folder.glob(SHARDS))
    if not tables:
        raise InputError(
            f"{path}: holds none of {', '.join(TABLES)} and no shards; give a Parquet file or their folder"
        )
    for table in tables:
        yield from read_table(table, split)
