"""MATLAB files of the versions 4 to 7.2.

Read here because scipy's reader, written in C, ends the whole process on some damaged files.

References
----------
MathWorks. MAT-File Format, R2023b, chapter 1 (Level 5) and chapter 2 (Level 4).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import FormatError, InputError
from ..record import Record
from .arrays import record_of_fields
from .metadata import ReadOptions, damaged, demand_size

__all__ = ["load_mat", "read_mat"]

# The names under which files keep the fields of an ECG, in the order in which they are tried.
_ALIASES = {
    "signal": ("signal", "val", "ecg", "data", "p_signal", "sig"),
    "leads": ("leads", "lead_names", "sig_name", "channels", "labels"),
    "sampling_rate": ("sampling_rate", "fs", "sampling_frequency", "samplingrate", "sfreq", "freq"),
    "units": ("units", "unit"),
    "age": ("age",),
    "sex": ("sex", "gender"),
}
_DTYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
    17: "u2",  # UTF-16
    18: "u4",  # UTF-32
}
_DTYPES_4 = ("f8", "f4", "i4", "i2", "u2", "u1")
_MATRIX, _COMPRESSED, _UTF8 = 14, 15, 16
_CELL, _STRUCT, _CHAR, _NUMBERS = 1, 2, 4, range(6, 16)
_MAX_DEPTH = 8


class _Element(NamedTuple):
    kind: int
    data: memoryview


def read_mat(path: Path, options: ReadOptions) -> Record:
    """Read a MATLAB file that holds the samples as an array or in a structure.

    Parameters
    ----------
    path : Path
        File of MATLAB 4 to 7.2 with ``signal``, ``val``, ``ECG`` or ``data``, ``leads``, ``fs`` and ``units``.
        Twelve rows without names are taken in the order of `LEADS` (``metadata["leads_assumed"]`` is True).
        Records of the PhysioNet Challenges are read as WFDB where their header lies beside them.
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
        If the file cannot be read.
    """
    found = {key.lower(): value for key, value in load_mat(path).items()}
    for key, value in list(found.items()):  # a structure such as ECG.data, ECG.sex of CPSC 2018
        if isinstance(value, Mapping):
            del found[key]
            found |= {name.lower(): inner for name, inner in value.items()}
    fields = {
        field: next(found[alias] for alias in aliases if alias in found)
        for field, aliases in _ALIASES.items()
        if any(alias in found for alias in aliases)
    }
    return record_of_fields(path, fields, options, needs_names=False)


def load_mat(path: Path) -> dict[str, Any]:
    """Return the variables of a MATLAB file.

    Parameters
    ----------
    path : Path
        File of MATLAB 4 to 7.2.

    Returns
    -------
    dict
        Numbers as arrays (real parts), text as str or, of several rows, list of str, cells as list, structures
        of one element as dict. Variables of other kinds are left out.

    Raises
    ------
    InputError
        If it unpacks to more than an ECG has.
    FormatError
        If the file is of version 7.3 or damaged.
    """
    data = path.read_bytes()
    if data.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise FormatError(f"{path} is of MATLAB 7.3; save it with save(..., '-v7')")
    try:
        if not data.startswith(b"MATLAB"):
            return dict(_variables_4(data))
        order = ">" if data[126:128] == b"MI" else "<"
        variables: dict[str, Any] = {}
        for element in _elements(memoryview(data)[128:], order):
            if element.kind == _COMPRESSED:
                element = next(_elements(memoryview(_unpacked(path, element.data)), order))
            if element.kind == _MATRIX:
                name, value = _matrix(element.data, order)
                if value is not None:
                    variables[name] = value
        return variables
    except InputError:
        raise
    except (
        ValueError,
        IndexError,
        OverflowError,
        MemoryError,
        StopIteration,
        struct.error,
        zlib.error,
    ) as error:
        raise damaged(path, "MATLAB file", error) from error


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """Yield the data elements that follow each other."""
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, position)
        start = position + 8
        if kind >> 16:  # up to four bytes stand in the tag itself
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
            position += 8
        else:
            # Only what is compressed is not filled up to eight bytes.
            position = start + (size if kind == _COMPRESSED else -(-size // 8) * 8)
        if start + size > min(position, len(data)):
            raise ValueError("it ends within a variable")
        yield _Element(kind, data[start : start + size])


def _unpacked(path: Path, packed: memoryview) -> bytes:
    """Unpack a compressed variable as far as an ECG may go."""
    unpacker, parts, rest = zlib.decompressobj(), [], bytes(packed)
    while rest:
        parts.append(unpacker.decompress(rest, 1 << 24))
        demand_size(path, sum(map(len, parts)))
        rest = unpacker.unconsumed_tail
    parts.append(unpacker.flush())
    if not unpacker.eof:
        raise ValueError("a compressed variable is cut short")
    return b"".join(parts)


def _matrix(data: memoryview, order: str, depth: int = 0) -> tuple[str, Any]:
    """Return name and value of a variable; the value is None where its kind is not read."""
    if not data:
        return "", np.empty((0, 0))
    if depth > _MAX_DEPTH:
        raise ValueError("its structures are nested too deeply")
    parts = _elements(data, order)
    kind = struct.unpack_from(f"{order}I", next(parts).data)[0] & 0xFF
    shape = tuple(int(size) for size in _numbers(next(parts), order))
    if not shape or min(shape) < 0:
        raise ValueError("a variable has no size")
    name = bytes(next(parts).data).rstrip(b"\0").decode("utf-8", "replace")
    if kind in _NUMBERS:
        return name, _shaped(_numbers(next(parts), order), shape)
    if kind == _CHAR:
        text = next(parts)
        if text.kind == _UTF8:
            codes = np.array([ord(letter) for letter in bytes(text.data).decode("utf-8")])
        else:
            codes = _numbers(text, order)
        rows = _shaped(codes, shape).reshape(shape[0], -1) if math.prod(shape) else []
        lines = ["".join(map(chr, row.tolist())).rstrip() for row in rows]
        return name, lines[0] if len(lines) == 1 else lines
    if kind == _CELL:
        return name, [_matrix(next(parts).data, order, depth + 1)[1] for _ in range(_count(shape, data))]
    if kind == _STRUCT and math.prod(shape) == 1:
        width = int(_numbers(next(parts), order)[0])
        names = bytes(next(parts).data)
        if width < 1:
            raise ValueError("a structure has no names")
        keys = [
            names[at : at + width].split(b"\0")[0].decode("utf-8", "replace")
            for at in range(0, len(names), width)
        ]
        values = [_matrix(next(parts).data, order, depth + 1)[1] for _ in keys]
        return name, {key: value for key, value in zip(keys, values, strict=True) if value is not None}
    return name, None


def _numbers(element: _Element, order: str) -> Any:
    if element.kind not in _DTYPES:
        raise ValueError(f"its type {element.kind} of numbers is unknown")
    return np.frombuffer(element.data, np.dtype(order + _DTYPES[element.kind]))


def _count(shape: tuple[int, ...], data: memoryview) -> int:
    """Return the number of cells, each of which takes a tag of eight bytes at least."""
    count = math.prod(shape)
    if count * 8 > len(data):
        raise ValueError("it announces more cells than it holds")
    return count


def _shaped(numbers: Any, shape: tuple[int, ...]) -> Any:
    if numbers.size != math.prod(shape):
        raise ValueError(f"{numbers.size} numbers do not make an array of {' x '.join(map(str, shape))}")
    return numbers.reshape(shape, order="F")


def _variables_4(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the variables of a file of version 4, which has no header of its own."""
    position = 0
    while position < len(data):
        order = "<" if struct.unpack_from("<I", data, position)[0] < 5000 else ">"
        kind, rows, columns, is_complex, length = struct.unpack_from(f"{order}5i", data, position)
        precision, text = kind // 10 % 10, kind % 10
        # Thousands 0 and 1 are little and big endian; the others died out with VAX and Cray.
        if not (0 <= kind < 2000 and precision < 6 and text < 3 and min(rows, columns, length - 1) >= 0):
            raise ValueError("a variable has no valid header")
        dtype = np.dtype(order + _DTYPES_4[precision])
        name = data[position + 20 : position + 20 + length].rstrip(b"\0").decode("latin-1")
        start = position + 20 + length
        size = rows * columns * dtype.itemsize
        if start + size > len(data):
            raise ValueError("it ends within a variable")
        values = _shaped(np.frombuffer(data[start : start + size], dtype), (rows, columns))
        if text == 1:
            lines = ["".join(chr(int(code)) for code in row).rstrip() for row in values]
            yield name, lines[0] if len(lines) == 1 else lines
        elif text == 0:
            yield name, values
        position = start + size * (2 if is_complex else 1)
