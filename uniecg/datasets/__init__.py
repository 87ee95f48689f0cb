"""Data sets as iterables of :class:`Example`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from uniecg.datasets.challenge import CHALLENGE
from uniecg.datasets.code15 import CODE15
from uniecg.datasets.ecg_grounding import ECG_GROUNDING
from uniecg.datasets.examples import Example
from uniecg.datasets.ludb import LUDB
from uniecg.datasets.manifest import verify
from uniecg.datasets.mimic_iv_ecg import MIMIC_IV_ECG
from uniecg.datasets.prepare import prepare
from uniecg.datasets.ptbxl import PTBXL, read_ptbxl
from uniecg.datasets.shared import read_shared, read_table
from uniecg.datasets.source import Problem, Source, read_source
from uniecg.datasets.sph import SPH
from uniecg.errors import InputError

__all__ = [
    "SOURCES",
    "Example",
    "Problem",
    "Source",
    "prepare",
    "read_dataset",
    "read_examples",
    "read_ptbxl",
    "read_shared",
    "read_source",
    "read_table",
    "verify",
]

SOURCES: dict[str, Source] = {
    source.name: source for source in (PTBXL, MIMIC_IV_ECG, ECG_GROUNDING, CHALLENGE, CODE15, LUDB, SPH)
}
"""The published data sets by the names `uniecg data` knows them by."""


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


def read_dataset(
    name: str,
    root: str | Path,
    split: str | None = None,
    *,
    sampling_rate: float | None = None,
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[Example]:
    """Yield the examples of a published data set as it is downloaded.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    root : str or Path
        Its folder.
    split, sampling_rate, on_problem
        As for `read_source`.

    Raises
    ------
    InputError
        If there is no such data set, and as for `read_source`.
    """
    if name not in SOURCES:
        raise InputError(f"{name!r} is no data set known here; known are {', '.join(SOURCES)}")
    return read_source(SOURCES[name], root, split, sampling_rate=sampling_rate, on_problem=on_problem)
