"""Tables of samples with one column a lead: CSV and Parquet.

A CSV file has a row of lead names, one row a sample and, before them, optional remarks::

    # sampling_rate: 500
    # units: uV
    I,II,V1
    12,34,-5
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError, InputError, require
from ..record import LEADS, Record, canonical_lead
from .metadata import (
    ReadOptions,
    agreed_rate,
    comments_from_metadata,
    damaged,
    demand_mv,
    demand_size,
    make_record,
    metadata_from_comments,
    mv_per_unit,
    person,
    written_leads,
)

__all__ = ["has_lead_names", "read_csv", "read_parquet", "write_csv"]

_REMARK = re.compile(r"#\s*(?P<key>[\w ]+?)\s*[:=]\s*(?P<value>.*?)\s*$")
_WITH_UNIT = re.compile(r"(?P<name>.*?)[\s_]*[(\[_ ](?P<unit>[munµμ]?v|m?s)[)\]]?", re.IGNORECASE)
_TIME = {"time", "t", "seconds", "elapsed time", "timestamp"}
_SECONDS = {"s": 1.0, "ms": 1e-3}


def read_csv(path: Path, options: ReadOptions) -> Record:
    """Read a CSV table: a row of lead names, then one row a sample.

    Parameters
    ----------
    path : Path
        File with comma, semicolon or tab between the columns. Units are mV unless a remark ``# units: uV`` or
        the column name (``I (uV)``) says otherwise; an empty cell is a gap.
    options : ReadOptions
        The sampling rate is needed where there is neither a column ``time_s`` nor a remark ``# sampling_rate: 500``.

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
    columns, separator = _split_names(numbered[0][1])
    if all(_number(name) is not None for name in columns):
        raise FormatError(f"{path}: the first row must name the leads (I, II, ...), it holds only numbers")
    _demand_leads(path, columns)
    table = _parse_rows(path, numbered[1:], columns, separator)
    metadata = metadata_from_comments(remarks)
    return _record_of_columns(path, columns, table.T, stated, metadata, options)


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
    leads = written_leads(record, path, "CSV", gaps=True)
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


def read_parquet(path: Path, options: ReadOptions) -> Record:
    """Read a Parquet table: one column a lead and one row a sample, or one row that holds a whole ECG.

    Parameters
    ----------
    path : Path
        File with columns named by leads (and units) as in CSV, or with the columns ``signal_uv`` (12 leads x
        samples, lead by lead) and ``sampling_rate`` of the training sets, in a single row.
    options : ReadOptions
        The sampling rate is needed where the file does not state it.

    Returns
    -------
    Record
        The leads named by the columns.

    Raises
    ------
    InputError
        If the file holds several ECGs, or the sampling rate or the unit is unknown.
    FormatError
        If it is not such a table.
    MissingDependencyError
        If pyarrow is not installed.
    """
    parquet: Any = require("pyarrow.parquet", "formats")
    try:
        with parquet.ParquetFile(path) as file:
            columns = list(file.schema_arrow.names)
            n_rows = file.metadata.num_rows
            # By rows, not by the values of each column chunk: pyarrow's view of a damaged one ends the process.
            demand_size(path, 8 * n_rows * len(columns))
            if "signal_uv" in columns and n_rows != 1:
                raise InputError(
                    f"{path} holds {n_rows} ECGs, one a row; save the row you want as a file of its own"
                )
            wanted = [name for name in columns if _is_wanted(name)]
            kept = ["signal_uv", "sampling_rate", "age", "sex", "source", "licence"]
            names = [name for name in kept if name in columns] if "signal_uv" in columns else wanted
            table = file.read(columns=names)
            stated = {
                key.decode("utf-8", "replace").lower(): value.decode("utf-8", "replace")
                for key, value in (file.schema_arrow.metadata or {}).items()
            }
            values = {name: table[name].to_numpy(zero_copy_only=False) for name in names}
    except InputError:
        raise
    except Exception as error:  # pyarrow raises several unrelated types for a damaged file
        raise damaged(path, "Parquet table", error) from error
    if "signal_uv" not in values:
        _demand_leads(path, columns)
        metadata = metadata_from_comments(f"{key}: {value}" for key, value in stated.items())
        try:
            numbers = np.array([np.asarray(values[name], dtype=np.float64) for name in wanted])
        except (TypeError, ValueError) as error:
            raise damaged(path, "table of numbers", error) from error
        return _record_of_columns(path, wanted, numbers, stated, metadata, options)
    return _record_of_row(path, {name: column[0] for name, column in values.items()}, options)


def has_lead_names(line: str) -> bool:
    """Say whether a line of text is the first row of a table of leads."""
    return any(canonical_lead(_split_unit(name)[0]) for name in _split_names(line)[0])


def _record_of_columns(
    path: Path,
    columns: Sequence[str],
    table: npt.NDArray[np.float64],
    stated: Mapping[str, str],
    metadata: Mapping[str, Any],
    options: ReadOptions,
) -> Record:
    """Return the record of named columns, shape (n_columns, n_rows), and the remarks of their file."""
    stated_unit = stated.get("units", stated.get("unit"))
    names, rows, time, has_unit = [], [], None, stated_unit is not None
    for column, values in zip(columns, table, strict=True):
        name, unit = _split_unit(column)
        if name.lower() in _TIME:
            time = values * _SECONDS.get((unit or "s").lower(), 1.0)
            continue
        has_unit = has_unit or unit is not None
        names.append(name)
        rows.append(values * mv_per_unit(path, unit or stated_unit or "mV"))
    signal = np.array(rows)
    if not has_unit:
        demand_mv(path, signal)
    rate = None
    if "sampling_rate" in stated:
        rate = _number(stated["sampling_rate"].removesuffix("Hz"))
        if rate is None:
            raise FormatError(f"{path}: the sampling rate {stated['sampling_rate']!r} is not a number of Hz")
    elif time is not None:
        rate = _rate_of(path, time)
    return make_record(path, signal, agreed_rate(path, rate, options.sampling_rate), names, metadata)


def _record_of_row(path: Path, row: Mapping[str, Any], options: ReadOptions) -> Record:
    """Return the record of one row of a training set."""
    try:
        signal = np.asarray(row["signal_uv"], dtype=np.float64).reshape(len(LEADS), -1) / 1000
        rate = float(row["sampling_rate"]) if row.get("sampling_rate") is not None else None
        age = None if row.get("age") is None else float(row["age"])
    except (TypeError, ValueError) as error:
        raise damaged(path, "row of 12 leads x samples", error) from error
    metadata = {key: str(row[key]) for key in ("source", "licence") if row.get(key)}
    metadata |= person(age, str(row.get("sex") or ""))
    return make_record(path, signal, agreed_rate(path, rate, options.sampling_rate), LEADS, metadata)


def _split_names(line: str) -> tuple[list[str], str]:
    """Split the row of names; return them and what separates them."""
    separator = max(",;\t", key=line.count)
    return [name.strip().strip("\"'") for name in line.split(separator)], separator


def _is_wanted(column: str) -> bool:
    """Say whether a column is a lead or the time."""
    name = _split_unit(column)[0]
    return canonical_lead(name) is not None or name.lower() in _TIME


def _demand_leads(path: Path, columns: Sequence[str]) -> None:
    if not any(canonical_lead(_split_unit(name)[0]) for name in columns):
        raise FormatError(
            f"{path}: no column is named like a lead (I, II, III, aVR, ..., V6); name them in row 1"
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _split_unit(column: str) -> tuple[str, str | None]:
    """Split the name of a column into lead and unit: ``"I (uV)"`` -> ``("I", "uV")``."""
    match = _WITH_UNIT.fullmatch(column)
    return (match["name"].strip(), match["unit"]) if match and match["name"].strip() else (column, None)


def _parse_rows(
    path: Path, numbered: list[tuple[int, str]], columns: list[str], separator: str
) -> npt.NDArray[np.float64]:
    """Return the numbers, shape (n_rows, n_columns); columns that are neither lead nor time are NaN."""
    if not numbered:
        raise FormatError(f"{path} is empty: no samples follow the lead names")
    wanted = [_is_wanted(column) for column in columns]
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
