"""Tables and lists of published data sets, read piece by piece: rows of CSV files, items of JSON files."""

from __future__ import annotations

import csv
import hashlib
import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.datasets.source import CHECKSUM, Problem
from uniecg.errors import FormatError, InputError

_PIECE = 1 << 20
_MAX_ITEM = 64 << 20  # characters; no item of a list comes near it, damage in the middle of a file does


def csv_rows(path: Path, columns: tuple[str, ...], what: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file by column name.

    Parameters
    ----------
    path : Path
        The file.
    columns : tuple of str
        Columns it must have.
    what : str
        Name of the data set, for the message.

    Raises
    ------
    InputError
        If the file is missing or lacks a column.
    """
    if not path.is_file():
        raise InputError(f"{path.parent}: not a {what} folder ({path.name} is missing)")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.DictReader(handle)
        missing = [name for name in columns if name not in (rows.fieldnames or ())]
        if missing:
            raise InputError(f"{path} lacks the column {missing[0]}; is it the file of {what}?")
        try:
            for row in rows:
                yield {key: value or "" for key, value in row.items() if key is not None}
        except (csv.Error, UnicodeDecodeError) as error:
            raise FormatError(f"{path} is damaged ({error}); fetch it again") from error


class RowIndex:
    """Rows of a CSV file by an integer key: only keys and places are held, 16 bytes a row.

    Parameters
    ----------
    path : Path
        The file; its rows may come in any order.
    key : str
        Column of the key.

    Raises
    ------
    InputError
        If the file lacks the column.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        keys, places = array("q"), array("q")
        with path.open("rb") as handle:
            self._columns = next(csv.reader([_text(handle.readline())]), [])
            if key not in self._columns:
                raise InputError(f"{path} lacks the column {key}; fetch it again")
            column = self._columns.index(key)
            place = handle.tell()
            while line := _logical_line(handle):
                cells = next(csv.reader([_text(line)]), [])
                if len(cells) > column and cells[column].strip().isdigit():
                    keys.append(int(cells[column]))
                    places.append(place)
                place = handle.tell()
        order = np.argsort(np.frombuffer(keys, np.int64), kind="stable") if keys else np.zeros(0, np.int64)
        self._keys = np.array(keys, np.int64)[order]
        self._places = np.array(places, np.int64)[order]
        self._handle = path.open("rb")

    def __len__(self) -> int:
        return int(self._keys.size)

    def get(self, key: int) -> dict[str, str] | None:
        """The first row with a key, None where there is none."""
        at = int(np.searchsorted(self._keys, key))
        if at == self._keys.size or self._keys[at] != key:
            return None
        self._handle.seek(int(self._places[at]))
        cells = next(csv.reader([_text(_logical_line(self._handle))]), [])
        return dict(zip(self._columns, cells, strict=False))

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def _logical_line(handle: Any) -> bytes:
    """One row as bytes: a line, or several where a quoted cell holds line breaks."""
    line: bytes = handle.readline()
    while line.count(b'"') % 2:
        more = handle.readline()
        if not more:
            break
        line += more
    return line


def _text(line: bytes) -> str:
    return line.decode("utf-8-sig", errors="replace")


def json_items(path: Path) -> Iterator[Any]:
    """Yield the items of a JSON array, or of a file with one JSON value a line, one in memory at a time.

    Raises
    ------
    FormatError
        If the file ends inside an item or is no JSON.
    """
    decoder = json.JSONDecoder()
    buffer, at = "", 0
    with path.open(encoding="utf-8-sig") as handle:
        while True:
            while at < len(buffer) and buffer[at] in "[], \t\r\n":
                at += 1
            try:
                if at == len(buffer):
                    raise json.JSONDecodeError("more is needed", buffer, at)
                item, at = decoder.raw_decode(buffer, at)
            except json.JSONDecodeError as error:
                piece = handle.read(_PIECE) if len(buffer) - at < _MAX_ITEM else ""
                if not piece:
                    if at == len(buffer):
                        return
                    raise FormatError(
                        f"{path} is cut short or damaged ({error.msg}); fetch it again"
                    ) from error
                buffer, at = buffer[at:] + piece, 0
                continue
            yield item


def sum_problems(root: Path, names: tuple[str, ...]) -> Iterator[Problem]:
    """Yield a problem for each of the tables that ``SHA256SUMS.txt`` of the folder contradicts.

    Parameters
    ----------
    root : Path
        Folder of the data set; without that file nothing is checked.
    names : tuple of str
        Tables to check. Waveforms carry their own checksums.
    """
    path = root / "SHA256SUMS.txt"
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            stated, _, name = line.strip().partition(" ")
            name = name.strip().removeprefix("*").removeprefix("./")
            if name in names and (root / name).is_file() and file_sha256(root / name) != stated.lower():
                message = f"{root / name} is not the file that SHA256SUMS.txt names"
                yield Problem(CHECKSUM, name, message, skipped=False)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
