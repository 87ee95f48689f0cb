"""Read and write ECG files: `READERS` and `WRITERS` map a suffix to its function.

Reading never guesses what changes the meaning of a signal: leads go by name, units and sampling rate are
those of the file or of the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ..errors import FormatError, InputError
from ..record import Record
from .image import PAGE_SUFFIXES, page_to_gray, read_page
from .table import read_csv, read_npz, write_csv, write_npz
from .wfdb import read_wfdb, wfdb_files, write_wfdb

__all__ = ["READERS", "WRITERS", "page_to_gray", "read_page", "read_record", "write_record"]

Reader: TypeAlias = Callable[[Path, float | None], Record]
Writer: TypeAlias = Callable[[Record, Path], Path]

# The empty suffix is a WFDB record by its stem, the way that format is usually named.
READERS: dict[str, Reader] = {
    "": read_wfdb,
    ".hea": read_wfdb,
    ".dat": read_wfdb,
    ".mat": read_wfdb,
    ".csv": read_csv,
    ".npz": read_npz,
}
WRITERS: dict[str, Writer] = {
    "": write_wfdb,
    ".hea": write_wfdb,
    ".dat": write_wfdb,
    ".csv": write_csv,
    ".npz": write_npz,
}


def read_record(path: str | Path, sampling_rate: float | None = None) -> Record:
    """Read an ECG file.

    Parameters
    ----------
    path : str or Path
        WFDB record (``.hea``, its ``.dat`` or the stem of both), ``.csv`` or ``.npz``.
    sampling_rate : float, optional
        Samples a second (Hz), for a file that does not state it.

    Returns
    -------
    Record
        The ECG in mV; leads the file does not have are NaN.

    Raises
    ------
    InputError
        If the file is missing, states another sampling rate or is no ECG.
    FormatError
        If the file is of unknown format or damaged.

    Examples
    --------
    >>> from uniecg.examples import example_path
    >>> read_record(example_path("normal"))
    Record(12 leads, 10.00 s at 500 Hz)
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        if path.suffix.lower() in PAGE_SUFFIXES:
            raise FormatError(f"{path} is a picture, not a signal; read it with read_page")
        raise FormatError(f"{path}: unknown format {path.suffix!r}; known are {_known(READERS)}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name one record in it")
    if path.suffix and not path.exists():
        raise InputError(f"{path} does not exist; check the name")
    try:
        return reader(path, sampling_rate)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def write_record(record: Record, path: str | Path, overwrite: bool = False) -> Path:
    """Write an ECG file in the format its suffix names.

    Parameters
    ----------
    record : Record
        The ECG to write.
    path : str or Path
        ``.hea`` or no suffix (WFDB, 16 bit, 1 uV), ``.csv`` or ``.npz``.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    Path
        The file written (for WFDB the header; the samples lie beside it).

    Raises
    ------
    InputError
        If a file exists and ``overwrite`` is false, or the folder cannot be written.
    FormatError
        If the suffix names no known format.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise FormatError(f"{path}: cannot write {path.suffix!r}; choose one of {_known(WRITERS)}")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder; make it first")
    for target in wfdb_files(path) if writer is write_wfdb else (path,):
        if target.exists() and not overwrite:
            raise InputError(f"{target} exists; choose another name or allow to replace it (--force)")
    try:
        return writer(record, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _known(table: dict[str, Reader] | dict[str, Writer]) -> str:
    return " ".join(sorted(suffix for suffix in table if suffix))
