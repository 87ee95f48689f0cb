"""Read and write ECG files: `READERS` maps the name of a format to its reader, `WRITERS` a suffix to its writer.

Reading never guesses what changes the meaning of a signal: leads go by name, units and sampling rate are
those of the file or of the caller. Which format a file has, its content says.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..errors import FormatError, InputError
from ..record import Record
from .aecg import write_aecg
from .arrays import read_json, read_npy, read_npz, write_json, write_npz
from .cardiosoft import read_cardiosoft
from .dicom import read_dicom, write_dicom
from .edf import edf_length, read_edf, write_edf
from .image import page_to_gray, read_page
from .matlab import read_mat
from .metadata import ReadOptions, checked, sample_span
from .sniff import sniff
from .table import read_csv, read_parquet, write_csv
from .vendor import read_aecg, read_ishne, read_muse, read_scp, read_sierra
from .wfdb import read_wfdb, wfdb_files, wfdb_length, write_wfdb

__all__ = [
    "READERS",
    "WRITERS",
    "page_to_gray",
    "read_page",
    "read_record",
    "read_windows",
    "write_record",
]

Reader: TypeAlias = Callable[[Path, ReadOptions], Record]
Writer: TypeAlias = Callable[[Record, Path], Path]

READERS: dict[str, Reader] = {
    "wfdb": read_wfdb,
    "edf": read_edf,
    "dicom": read_dicom,
    "muse": read_muse,
    "cardiosoft": read_cardiosoft,
    "sierra": read_sierra,
    "aecg": read_aecg,
    "scp": read_scp,
    "ishne": read_ishne,
    "csv": read_csv,
    "parquet": read_parquet,
    "npz": read_npz,
    "npy": read_npy,
    "mat": read_mat,
    "json": read_json,
}
# The empty suffix is a WFDB record by its stem, the way that format is usually named.
WRITERS: dict[str, Writer] = {
    "": write_wfdb,
    ".hea": write_wfdb,
    ".dat": write_wfdb,
    ".csv": write_csv,
    ".npz": write_npz,
    ".json": write_json,
    ".edf": write_edf,
    ".dcm": write_dicom,
    ".xml": write_aecg,
}
# These readers load only the part asked for; each needs to know how long the file is (s).
_LENGTHS: dict[str, Callable[[Path], float]] = {"wfdb": wfdb_length, "edf": edf_length}

# The other formats are read as a whole. No ECG of theirs comes near this size; a larger file would only fill
# the memory, of which trees of XML and JSON take a multiple.
_MAX_BYTES = 512 << 20
_MAX_TREE_BYTES = 128 << 20
_TREES = ("muse", "cardiosoft", "sierra", "aecg", "json")


def read_record(
    path: str | Path,
    sampling_rate: float | None = None,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    identity: bool = False,
) -> Record:
    """Read an ECG file of any known format (docs/formats.md), told by its content.

    Parameters
    ----------
    path : str or Path
        The file; a WFDB record by its header, a sample file or the stem of both.
    sampling_rate : float, optional
        Samples a second (Hz), for a file that does not state it.
    start_s, end_s : float, optional
        Part to read, in seconds from the start; the whole if not given. WFDB and EDF load no more than that.
    identity : bool
        Keep name, number and birth date of the patient in ``metadata["identity"]``. No writer writes them.

    Returns
    -------
    Record
        The ECG in mV; leads the file does not have are NaN, unless they follow from I, II and V1 to V6.
        ``metadata["suspect"]`` lists what no sound file shows (checksums, amplitudes, lead algebra), said in
        a warning as well.

    Raises
    ------
    InputError
        If the file is missing, states another sampling rate or is no ECG.
    FormatError
        If the file is of unknown format or damaged.
    MissingDependencyError
        If the format needs a package that is not installed.

    Examples
    --------
    >>> from uniecg.examples import example_path
    >>> read_record(example_path("normal"))
    Record(12 leads, 10.00 s at 500 Hz)
    >>> read_record(example_path("normal"), start_s=2, end_s=4.5)
    Record(12 leads, 2.50 s at 500 Hz)
    """
    path = Path(path)
    options = ReadOptions(sampling_rate, start_s, end_s, identity)
    try:
        with np.errstate(all="ignore"):  # a damaged scale overflows: what is not finite becomes a gap
            record = checked(_read(path, sniff(path), options))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    for reason in record.metadata.get("suspect", ()):
        warnings.warn(f"{path} is suspect: {reason}", stacklevel=2)
    return record


def read_windows(
    path: str | Path, window_s: float, sampling_rate: float | None = None, *, identity: bool = False
) -> Iterator[Record]:
    """Read an ECG file piece by piece; of WFDB and EDF no more than one piece is in memory at a time.

    Parameters
    ----------
    path : str or Path
        File as for `read_record`.
    window_s : float
        Length of a piece in seconds; the last one may be shorter.
    sampling_rate, identity
        As for `read_record`.

    Yields
    ------
    Record
        The pieces in their order; ``metadata["start_s"]`` is where each begins (s).

    Raises
    ------
    InputError
        If `window_s` is not positive, and as for `read_record`.
    """
    if not window_s > 0:
        raise InputError(f"window_s must be a positive number of seconds, got {window_s!r}")
    path = Path(path)
    whole = None
    try:
        length = _LENGTHS.get(sniff(path))
        if length is not None:
            duration_s = length(path)
        else:
            whole = read_record(path, sampling_rate, identity=identity)
            duration_s = whole.duration_s
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    count = 0
    while count * window_s < duration_s - 1e-9:
        start_s, end_s = count * window_s, (count + 1) * window_s
        if whole is not None:
            record = whole.crop(start_s, end_s)
        else:
            record = read_record(path, sampling_rate, start_s=start_s, end_s=end_s, identity=identity)
        record.metadata["start_s"] = start_s
        yield record
        count += 1


def write_record(record: Record, path: str | Path, overwrite: bool = False) -> Path:
    """Write an ECG file in the format its suffix names.

    Parameters
    ----------
    record : Record
        The ECG to write.
    path : str or Path
        ``.hea`` or no suffix (WFDB), ``.csv``, ``.npz``, ``.json``, ``.edf``, ``.dcm`` (DICOM) or ``.xml``
        (HL7 aECG). WFDB, EDF, DICOM and aECG keep 1 uV, the others every digit.
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
    MissingDependencyError
        If the format needs a package that is not installed.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        known = " ".join(filter(None, WRITERS))
        raise FormatError(f"{path}: cannot write {path.suffix!r}; choose one of {known}")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder; make it first")
    for target in wfdb_files(path) if writer is write_wfdb else (path,):
        if target.exists() and not overwrite:
            raise InputError(f"{target} exists; choose another name or allow to replace it (--force)")
    try:
        return writer(record, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _read(path: Path, name: str, options: ReadOptions) -> Record:
    """Read a file of a known format, or the part of it that is asked for."""
    if name in _LENGTHS:
        return READERS[name](path, options)
    limit = _MAX_TREE_BYTES if name in _TREES else _MAX_BYTES
    if path.stat().st_size > limit:
        raise InputError(f"{path} is larger than {limit >> 20} MB; convert it to WFDB or EDF and read parts")
    record = READERS[name](path, options)
    if options.start_s <= 0 and options.end_s is None:
        return record
    sample_span(path, options, record.sampling_rate, record.n_samples)
    return record.crop(options.start_s, record.duration_s if options.end_s is None else options.end_s)
