"""Data sets as iterables of :class:`Example`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from uniecg.datasets.examples import Example
from uniecg.datasets.ptbxl import read_ptbxl
from uniecg.datasets.shared import read_shared, read_table

__all__ = ["Example", "read_examples", "read_ptbxl", "read_shared", "read_table"]


def read_examples(path: str | Path, split: str | None = None) -> Iterator[Example]:
    """Yield the examples of a PTB-XL folder, a Parquet file or a folder of Parquet files.

    Parameters
    ----------
    path : str or Path
        One of the three, told apart by what is in it.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.

    Raises
    ------
    InputError
        If it is none of them.
    """
    if (Path(path) / "ptbxl_database.csv").is_file():
        return read_ptbxl(path, split)
    return read_shared(path, split)
