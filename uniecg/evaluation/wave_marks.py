"""Wave marks on single leads, as people set them or programs find them, and the records of LUDB that carry them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uniecg import datasets
from uniecg.errors import InputError, require
from uniecg.record import LEADS, Record

FloatArray = NDArray[np.float64]

SYMBOLS = {"p": "p", "N": "qrs", "t": "t"}
"""Annotation symbol of a peak -> wave."""

Marks = Mapping[str, Mapping[str, FloatArray]]
"""Lead -> wave ("p", "qrs", "t") -> onset, peak and offset in seconds, shape (n_waves, 3), NaN where not set."""


@dataclass(frozen=True)
class Case:
    """A record with the marks of its readers."""

    uid: str
    record: Record
    marks: Marks


def waves_from_symbols(seconds: Sequence[float], symbols: Sequence[str]) -> dict[str, FloatArray]:
    """Read the triples ``( peak )`` of one lead; a bracket may be missing.

    Parameters
    ----------
    seconds : sequence of float
        Times of the marks in the order of the file.
    symbols : sequence of str
    """
    found: dict[str, list[tuple[float, float, float]]] = {wave: [] for wave in SYMBOLS.values()}
    for at, symbol in enumerate(symbols):
        if symbol in SYMBOLS:
            on = seconds[at - 1] if at > 0 and symbols[at - 1] == "(" else np.nan
            off = seconds[at + 1] if at + 1 < len(symbols) and symbols[at + 1] == ")" else np.nan
            found[SYMBOLS[symbol]].append((on, seconds[at], off))
    return {wave: np.array(rows, dtype=np.float64).reshape(-1, 3) for wave, rows in found.items()}


def read_ludb(data: Path | None, split: str | None) -> Iterator[Case]:
    """Yield the annotated records of LUDB.

    Parameters
    ----------
    data : Path
        The folder of LUDB as published (``data/1.hea``, ``data/1.i`` ...), or records as Parquet (file or folder)
        with ``annotations.csv.gz`` (columns ``uid,lead,sample,symbol``; samples at 500 Hz) in a folder ``ludb``
        beside or above it.
    split : str, optional
        Part of the Parquet file; the published folder has no parts.

    Raises
    ------
    InputError
        If there are no annotated records.

    References
    ----------
    Kalyakulina et al. 2020, LUDB: a new open-access validation tool for electrocardiogram delineation algorithms,
    IEEE Access 8:186181.
    """
    if data is None:
        raise InputError("the task ludb needs --data: the folder of LUDB, or a Parquet file beside ludb/")
    headers = sorted((data / "data").glob("*.hea"), key=lambda path: (len(path.stem), path.stem))
    if headers:
        yield from (_published(header) for header in headers)
        return
    table = _annotations(data)
    for example in datasets.read_examples(data, split):
        if example.uid in table:
            yield Case(example.uid, example.record, table[example.uid])


def _published(header: Path) -> Case:
    wfdb = require("wfdb", "train")
    name = str(header.with_suffix(""))
    content = wfdb.rdrecord(name)
    rate = float(content.fs)
    names = {label.lower(): column for column, label in enumerate(content.sig_name)}
    rows = [content.p_signal[:, names[lead.lower()]] for lead in LEADS]
    marks = {}
    for lead in LEADS:
        notes = wfdb.rdann(name, lead.lower())
        marks[lead] = waves_from_symbols((notes.sample / rate).tolist(), notes.symbol)
    return Case(f"ludb-{header.stem}", Record(np.stack(rows), rate), marks)


def _annotations(data: Path) -> dict[str, dict[str, dict[str, FloatArray]]]:
    folder = data if data.is_dir() else data.parent
    places = [place / "annotations.csv.gz" for place in (folder, folder / "ludb", folder.parent / "ludb")]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(f"{data}: no annotations.csv.gz in it, in ludb/ or in ../ludb/")
    columns: dict[tuple[str, str], tuple[list[float], list[str]]] = {}
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            seconds, symbols = columns.setdefault((row["uid"], row["lead"]), ([], []))
            seconds.append(int(row["sample"]) / 500.0)
            symbols.append(row["symbol"])
    table: dict[str, dict[str, dict[str, FloatArray]]] = {}
    for (uid, lead), (seconds, symbols) in columns.items():
        table.setdefault(uid, {})[lead] = waves_from_symbols(seconds, symbols)
    return table
