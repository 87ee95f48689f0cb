"""Arrays with names beside them: NPZ, NPY and JSON.

All but NPY hold the same fields: ``signal`` (n_leads, n_samples), ``leads``, ``sampling_rate`` and, optionally,
``units`` (mV if absent) and ``metadata``.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError, InputError
from ..record import LEADS, Record
from .metadata import (
    ReadOptions,
    agreed_rate,
    damaged,
    demand_mv,
    demand_size,
    make_record,
    mv_per_unit,
    person,
    without_identity,
)

__all__ = ["read_json", "read_npy", "read_npz", "record_of_fields", "write_json", "write_npz"]


def read_npz(path: Path, options: ReadOptions) -> Record:
    """Read an NPZ archive with the arrays ``signal`` (n_leads, n_samples), ``sampling_rate`` and ``leads``.

    Parameters
    ----------
    path : Path
        Archive; optional arrays are ``units`` (mV if absent) and ``metadata`` (a JSON object).
    options : ReadOptions
        The sampling rate is needed where the archive does not state it.

    Returns
    -------
    Record
        The leads named.

    Raises
    ------
    InputError
        If the sampling rate or the unit is unknown, or it is no ECG.
    FormatError
        If the file is no such archive.
    """
    try:
        # Opened here: numpy leaves its own handle open where the archive is damaged.
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as listing:
                demand_size(path, sum(member.file_size for member in listing.infolist()))
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                fields = {name: archive[name] for name in archive.files}
        if "metadata" in fields:
            fields["metadata"] = json.loads(str(fields["metadata"]))
    except (InputError, OSError):
        raise
    except Exception as error:  # numpy, zipfile and zlib each report damage in their own way
        raise damaged(path, "NPZ archive", error) from error
    return record_of_fields(path, fields, options)


def read_npy(path: Path, options: ReadOptions) -> Record:
    """Read an NPY array of twelve leads in mV, in the order of `LEADS`; the caller gives the sampling rate.

    Parameters
    ----------
    path : Path
        Array (12, n_samples) or (n_samples, 12). It has no names: ``metadata["leads_assumed"]`` is True.
    options : ReadOptions
        The sampling rate.

    Returns
    -------
    Record
        The twelve leads.

    Raises
    ------
    InputError
        If the sampling rate is not given, or neither axis has twelve entries.
    FormatError
        If the file is no array of numbers.
    """
    try:
        array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        rest = path.stat().st_size - array.offset - array.nbytes
        if array.ndim == 2 and 12 in array.shape:
            array = np.array(array)
    except OSError:
        raise
    except Exception as error:  # a damaged header is evaluated as Python: anything may come of it
        raise damaged(path, "NPY array", error) from error
    fields: dict[str, Any] = {"signal": array}
    if rest:
        fields["metadata"] = {"suspect": [f"{rest} bytes follow the samples that its header states"]}
    return record_of_fields(path, fields, options, needs_names=False)


def read_json(path: Path, options: ReadOptions) -> Record:
    """Read a JSON object with ``signal`` (a list for each lead), ``leads``, ``sampling_rate`` and ``units``.

    Parameters
    ----------
    path : Path
        File in UTF-8; ``signal`` may also be an object from lead names to lists. ``null`` is a gap.
    options : ReadOptions
        The sampling rate is needed where the file does not state it.

    Returns
    -------
    Record
        The leads named.

    Raises
    ------
    InputError
        If the sampling rate or the unit is unknown, or it is no ECG.
    FormatError
        If the file is no such object.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, "JSON file", error) from error
    if not isinstance(fields, dict):
        raise FormatError(f"{path} must hold a JSON object with signal, leads and sampling_rate")
    signal = fields.get("signal")
    if isinstance(signal, dict):
        fields |= {"leads": list(signal), "signal": list(signal.values())}
    return record_of_fields(path, fields, options)


def write_npz(record: Record, path: Path) -> Path:
    """Write a record as an NPZ archive: exact, with all of its metadata that JSON can hold.

    Parameters
    ----------
    record : Record
        The ECG.
    path : Path
        File to write.

    Returns
    -------
    Path
        The file.
    """
    metadata = json.dumps(without_identity(record.metadata), default=str)
    np.savez_compressed(
        path,
        signal=record.signal,
        sampling_rate=np.float64(record.sampling_rate),
        leads=np.array(record.leads),
        units=np.array("mV"),
        metadata=np.array(metadata),
    )
    return path


def write_json(record: Record, path: Path) -> Path:
    """Write a record as a JSON object: exact, with all of its metadata that JSON can hold.

    Parameters
    ----------
    record : Record
        The ECG; gaps become ``null``.
    path : Path
        File to write.

    Returns
    -------
    Path
        The file.
    """
    # Nine digits give back every float32 exactly.
    signal = {
        lead: [None if np.isnan(value) else float(f"{value:.9g}") for value in record[lead]]
        for lead in record.available_leads or LEADS
    }
    content = {
        "sampling_rate": record.sampling_rate,
        "units": "mV",
        "metadata": without_identity(record.metadata),
        "signal": signal,
    }
    path.write_text(json.dumps(content, default=str) + "\n", encoding="utf-8", newline="\n")
    return path


def record_of_fields(
    path: Path, fields: Mapping[str, Any], options: ReadOptions, needs_names: bool = True
) -> Record:
    """Return the record of the fields that NPZ, MATLAB and JSON share."""
    missing = [name for name in ("signal", "leads") if name not in fields]
    if missing and (needs_names or "signal" in missing):
        raise FormatError(f"{path} lacks {' and '.join(missing)}; it needs signal, sampling_rate and leads")
    signal = _convert(path, "signal", fields["signal"], lambda value: np.asarray(value, dtype=np.float64))
    rate = None
    if fields.get("sampling_rate") is not None:
        rate = _convert(path, "sampling_rate", fields["sampling_rate"], _one_number)
    metadata = fields.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise FormatError(f"{path}: metadata must be a JSON object; leave it out or write it as one")
    metadata = dict(metadata) if options.identity else without_identity(metadata)
    if not isinstance(metadata.get("suspect", []), list):
        del metadata["suspect"]
    if "age" in fields or "sex" in fields:
        age = _convert(
            path, "age", fields.get("age"), lambda value: None if value is None else _one_number(value)
        )
        metadata |= person(age, str(fields.get("sex", "")))
    if "leads" in fields:
        names = _convert(path, "leads", fields["leads"], _names)
    else:
        names = list(LEADS)
        signal = _twelve_rows(path, signal)
        metadata["leads_assumed"] = True
    if fields.get("units") is not None:
        units = {str(unit).strip() for unit in _convert(path, "units", fields["units"], _names)}
        if len(units) != 1:
            raise InputError(
                f"{path}: its leads are in different units {sorted(units)}; store all of them in mV"
            )
        signal = signal * mv_per_unit(path, units.pop())
    elif signal.ndim == 2:
        demand_mv(path, signal)
    return make_record(path, signal, agreed_rate(path, rate, options.sampling_rate), names, metadata)


def _convert(path: Path, field: str, value: Any, convert: Callable[[Any], Any]) -> Any:
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise damaged(path, f"ECG: {field} cannot be used", error) from error


def _one_number(value: Any) -> float:
    return float(np.asarray(value, dtype=np.float64).reshape(()))


def _names(value: Any) -> list[str]:
    """Return a list of names from an array, a list, one string ("I,II,V1") or rows of MATLAB characters."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, Iterable):
        raise TypeError(f"{value!r} is no list of names")
    flat: list[Any] = np.asarray(value if isinstance(value, np.ndarray) else list(value)).ravel().tolist()
    return [str(name).strip() for name in flat]


def _twelve_rows(path: Path, signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the array with its twelve unnamed leads as rows."""
    rows, columns = signal.shape if signal.ndim == 2 else (0, 0)
    if (rows == len(LEADS)) == (columns == len(LEADS)):
        raise InputError(
            f"{path} lacks the names of its leads and has the shape {signal.shape}; only (12, n_samples) can do "
            f"without, in the order {', '.join(LEADS)}"
        )
    return signal if rows == len(LEADS) else signal.T
