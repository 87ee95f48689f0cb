"""Tables of samples: CSV with one column a lead, and NPZ.

A CSV file has a row of lead names, one row a sample and, before them, optional remarks::

    # sampling_rate: 500
    # units: uV
    I,II,V1
    12,34,-5
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError, InputError
from ..record import Record, canonical_lead
from .metadata import (
    MV_PER_UNIT,
    agreed_rate,
    check_amplitude,
    comments_from_metadata,
    metadata_from_comments,
)

__all__ = ["read_csv", "read_npz", "write_csv", "write_npz"]

_REMARK = re.compile(r"#\s*(?P<key>[\w ]+?)\s*[:=]\s*(?P<value>.*?)\s*$")
_WITH_UNIT = re.compile(r"(?P<name>.*?)[\s_]*[(\[_ ](?P<unit>[munµμ]?v|m?s)[)\]]?", re.IGNORECASE)
_TIME = {"time", "t", "seconds", "elapsed time", "timestamp"}
_SECONDS = {"s": 1.0, "ms": 1e-3}


def read_csv(path: Path, sampling_rate: float | None = None) -> Record:
    """Read a CSV table: a row of lead names, then one row a sample.

    Parameters
    ----------
    path : Path
        File with comma, semicolon or tab between the columns. Units are mV unless a remark ``# units: uV`` or
        the column name (``I (uV)``) says otherwise; an empty cell is a gap.
    sampling_rate : float, optional
        Hz; needed where there is neither a column ``time_s`` nor a remark ``# sampling_rate: 500``.

    Returns
    -------
    Record
        The leads named by the columns.

    Raises
    ------
    InputError
        If the sampling rate is unknown, the unit is, or no column is a lead.
    FormatError
        If the file is not such a table.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not a CSV table in UTF-8; save it again as UTF-8 text") from error
    remarks = [line for line in lines if line.startswith("#")]
    stated = {match["key"].strip().lower(): match["value"] for match in map(_REMARK.match, remarks) if match}
    numbered = [
        (n, line) for n, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")
    ]
    if not numbered:
        raise FormatError(f"{path} is empty; a table starts with a row of lead names (I, II, ...)")
    separator = max(",;\t", key=numbered[0][1].count)
    columns = [name.strip().strip("\"'") for name in numbered[0][1].split(separator)]
    if all(_number(name) is not None for name in columns):
        raise FormatError(f"{path}: the first row must name the leads (I, II, ...), it holds only numbers")
    if not any(canonical_lead(_split_unit(name)[0]) for name in columns):
        raise FormatError(
            f"{path}: no column is named like a lead (I, II, III, aVR, ..., V6); name them in row 1"
        )
    table = _parse_rows(path, numbered[1:], columns, separator)
    stated_unit = stated.get("units", stated.get("unit"))
    names, rows, time, has_unit = [], [], None, stated_unit is not None
    for column, values in zip(columns, table.T, strict=True):
        name, unit = _split_unit(column)
        if name.lower() in _TIME:
            time = values * _SECONDS.get((unit or "s").lower(), 1.0)
            continue
        has_unit = has_unit or unit is not None
        names.append(name)
        rows.append(values * _mv_per_unit(path, unit or stated_unit or "mV"))
    signal = np.array(rows)
    if not has_unit:
        check_amplitude(path, signal)
    rate = None
    if "sampling_rate" in stated:
        rate = _number(stated["sampling_rate"].removesuffix("Hz"))
        if rate is None:
            raise FormatError(f"{path}: the sampling rate {stated['sampling_rate']!r} is not a number of Hz")
    elif time is not None:
        rate = _rate_of(path, time)
    return _record(
        path, signal, agreed_rate(path, rate, sampling_rate), names, metadata_from_comments(remarks)
    )


def write_csv(record: Record, path: Path) -> Path:
    """Write the leads a record has as a CSV table in mV with a column ``time_s``.

    Parameters
    ----------
    record : Record
        The ECG; gaps are empty cells.
    path : Path
        File to write.

    Returns
    -------
    Path
        The file.
    """
    leads = record.available_leads
    if not leads:
        raise InputError(f"{path} was not written: the record holds no values")
    remarks = [
        f"sampling_rate: {record.sampling_rate:.10g}",
        "units: mV",
        *comments_from_metadata(record.metadata),
    ]
    lines = [f"# {remark}" for remark in remarks]
    lines.append(",".join(["time_s", *leads]))
    time = np.arange(record.n_samples) / record.sampling_rate
    for second, values in zip(time, np.stack([record[lead] for lead in leads], axis=1), strict=True):
        # Nine digits give back every float32 exactly.
        cells = ["" if np.isnan(value) else f"{value:.9g}" for value in values]
        lines.append(",".join([f"{second:.6f}", *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


def read_npz(path: Path, sampling_rate: float | None = None) -> Record:
    """Read an NPZ archive with the arrays ``signal`` (n_leads, n_samples), ``sampling_rate`` and ``leads``.

    Parameters
    ----------
    path : Path
        Archive; optional arrays are ``units`` (mV if absent) and ``metadata`` (a JSON object).
    sampling_rate : float, optional
        Hz; needed where the archive does not state it.

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
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise FormatError(f"{path} is damaged or no NPZ archive; write it with numpy.savez") from error
    missing = [name for name in ("signal", "leads") if name not in arrays]
    if missing:
        raise FormatError(f"{path} lacks {' and '.join(missing)}; it needs signal, sampling_rate and leads")
    try:
        signal = np.asarray(arrays["signal"], dtype=np.float64)
        rate = float(arrays["sampling_rate"]) if "sampling_rate" in arrays else None
        metadata = json.loads(str(arrays["metadata"])) if "metadata" in arrays else {}
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path}: {error}; it needs signal, sampling_rate and leads") from error
    if "units" in arrays:
        signal = signal * _mv_per_unit(path, str(arrays["units"]))
    elif signal.ndim == 2:
        check_amplitude(path, signal)
    names = [str(name) for name in np.atleast_1d(arrays["leads"])]
    return _record(path, signal, agreed_rate(path, rate, sampling_rate), names, metadata)


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
    metadata = json.dumps(record.metadata, default=str)
    np.savez_compressed(
        path,
        signal=record.signal,
        sampling_rate=np.float64(record.sampling_rate),
        leads=np.array(record.leads),
        units=np.array("mV"),
        metadata=np.array(metadata),
    )
    return path


def _record(
    path: Path, signal: npt.NDArray[np.float64], rate: float, names: list[str], metadata: dict[str, Any]
) -> Record:
    try:
        return Record(signal, rate, names, metadata)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _split_unit(column: str) -> tuple[str, str | None]:
    """Split the name of a column into lead and unit: ``"I (uV)"`` -> ``("I", "uV")``."""
    match = _WITH_UNIT.fullmatch(column)
    return (match["name"].strip(), match["unit"]) if match and match["name"].strip() else (column, None)


def _mv_per_unit(path: Path, unit: str) -> float:
    factor = MV_PER_UNIT.get(unit.strip().lower())
    if factor is None:
        raise InputError(f"{path}: the unit {unit!r} is unknown; use mV, uV or V")
    return factor


def _parse_rows(
    path: Path, numbered: list[tuple[int, str]], columns: list[str], separator: str
) -> npt.NDArray[np.float64]:
    """Return the numbers, shape (n_rows, n_columns); columns that are neither lead nor time are NaN."""
    if not numbered:
        raise FormatError(f"{path} is empty: no samples follow the lead names")
    names = [_split_unit(column)[0] for column in columns]
    wanted = [canonical_lead(name) is not None or name.lower() in _TIME for name in names]
    table = np.full((len(numbered), len(columns)), np.nan)
    for row, (line_number, line) in enumerate(numbered):
        # Where semicolons part the columns, as in much of Europe, the comma is the decimal point.
        cells = (line.replace(",", ".") if separator == ";" else line).split(separator)
        if len(cells) != len(columns):
            raise FormatError(f"{path}, line {line_number}: {len(cells)} values for {len(columns)} columns")
        for column, cell in enumerate(cells):
            text = cell.strip()
            if not text or not wanted[column]:
                continue
            value = _number(text)
            if value is None:
                raise FormatError(f"{path}, line {line_number}: {text[:20]!r} is not a number")
            table[row, column] = value
    return table


def _rate_of(path: Path, time_s: npt.NDArray[np.float64]) -> float:
    """Return the sampling rate (Hz) of a column of evenly spaced times."""
    if time_s.size < 2 or not np.isfinite(time_s).all():
        raise InputError(f"{path}: the time column must hold a number in each of at least two rows")
    step = (time_s[-1] - time_s[0]) / (time_s.size - 1)
    even = time_s[0] + step * np.arange(time_s.size)
    if not step > 0 or np.abs(time_s - even).max() > 0.75 * step:
        raise InputError(
            f"{path}: the times are not evenly spaced; resample them or pass sampling_rate without time"
        )
    rate = float(1 / step)
    # Times rounded to a millisecond give 359.96 for 360 Hz.
    return float(round(rate)) if abs(rate - round(rate)) < 5e-4 * rate else rate
