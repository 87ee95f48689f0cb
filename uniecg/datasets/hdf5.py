"""Opening HDF5 files: an optional package, and damage said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from uniecg.datasets.source import DAMAGED, MISSING, BadRecord, Problem
from uniecg.errors import require


@contextmanager
def open_hdf5(path: Path, uid: str) -> Iterator[Any]:
    """Open a file for reading.

    Parameters
    ----------
    path : Path
        The file.
    uid : str
        Record, or file, that a problem is said of.

    Raises
    ------
    BadRecord
        If it is missing, or damage shows while it is read.
    MissingDependencyError
        If h5py is not installed.
    """
    h5py: Any = require("h5py", "formats")
    if not path.is_file():
        raise BadRecord(Problem(MISSING, uid, f"{path} is missing"))
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError) as error:  # how h5py says that a file is cut short, or lacks a data set
        raise BadRecord(Problem(DAMAGED, uid, f"{path}: {error}")) from error
