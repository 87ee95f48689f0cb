"""CODE-15 %: 345,779 ECGs of 233,770 patients from Minas Gerais (Ribeiro et al. 2021, doi 10.5281/zenodo.4916206).

``exams.csv`` holds the labels; ``exams_part0.hdf5`` to ``exams_part17.hdf5`` hold ``exam_id`` (N,) and ``tracings``
(N, 4096, 12) at 400 Hz, shorter ECGs padded with zeros on both sides. Each part ends with a filler row whose
``exam_id`` is 0. The tracings are read as mV by some and as 0.1 mV by others, and are large for the first and
small for the second: the amplitude is marked unknown. Patients are split by a hash.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uniecg.datasets.codes import code_table, translate
from uniecg.datasets.examples import Example
from uniecg.datasets.hdf5 import open_hdf5
from uniecg.datasets.rows import RowIndex, csv_rows
from uniecg.datasets.source import (
    DAMAGED,
    METADATA,
    MISSING,
    BadRecord,
    Entry,
    Problem,
    Source,
    hashed_split,
    years,
)
from uniecg.record import Record

EXAMS = "exams.csv"
SAMPLING_RATE = 400.0
_FILLER = 0


def _entries(root: Path) -> Iterator[Entry | Problem]:
    needed = ("exam_id", "age", "is_male", "patient_id", "trace_file", *code_table("code15"))
    stated = Counter(row["trace_file"] for row in csv_rows(root / EXAMS, needed, "CODE-15 %"))
    exams = RowIndex(root / EXAMS, "exam_id")
    try:
        for name in sorted(stated, key=_number):
            found = 0
            try:
                with open_hdf5(root / Path(name).name, name) as file:
                    identifiers = [int(value) for value in file["exam_id"][:]]
            except BadRecord as error:
                yield Problem(error.problem.kind, name, error.problem.message, count=stated[name])
                continue
            for row_number, exam in enumerate(identifiers):
                row = exams.get(exam)
                if exam == _FILLER and row is None:
                    continue
                if row is None or row["trace_file"] != name:
                    yield Problem(METADATA, f"code15-{exam}", f"{name}: not in {EXAMS}")
                    continue
                found += 1
                yield _entry(exam, row, name, row_number)
            if found < stated[name]:
                missing = stated[name] - found
                yield Problem(MISSING, name, f"{missing} exams of {EXAMS} are not in it", count=missing)
    finally:
        exams.close()


def _number(name: str) -> tuple[int, str]:
    digits = re.search(r"(\d+)\D*$", name)
    return (int(digits[1]) if digits else 0, name)


def _entry(exam: int, row: dict[str, str], name: str, row_number: int) -> Entry:
    patient = f"code15-{row['patient_id']}"
    fields = {
        "file": Path(name).name,
        "row": row_number,
        "age": row["age"],
        "sex": {"true": "male", "false": "female"}.get(row["is_male"].strip().lower()),
        "codes": [code for code in code_table("code15") if row[code].strip().lower() in ("true", "1")],
    }
    return Entry(f"code15-{exam}", patient, hashed_split(patient), fields)


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    fields = entry.fields
    with open_hdf5(root / fields["file"], entry.uid) as file:
        tracing = np.asarray(file["tracings"][fields["row"]], np.float32)  # (samples, 12)
    if tracing.ndim != 2 or tracing.shape[1] != 12:
        raise BadRecord(
            Problem(DAMAGED, entry.uid, f"{fields['file']}: the shape of a tracing is {tracing.shape}")
        )
    used = np.flatnonzero(tracing.any(axis=1))
    if used.size == 0:
        raise BadRecord(Problem(DAMAGED, entry.uid, f"{fields['file']}: the tracing holds nothing but zeros"))
    statements, others, unknown = translate("code15", fields["codes"], entry.uid)
    signal = tracing[used[0] : used[-1] + 1].T
    example = Example(
        uid=entry.uid,
        record=Record(signal, SAMPLING_RATE, metadata={"amplitude": "unknown"}),
        statements=statements,
        superclasses=(),
        age=years(fields["age"]),
        sex=fields["sex"],
        split=entry.split,
        dataset="CODE-15%",
        patient=entry.patient,
        other_statements=others,
    )
    return example, unknown


CODE15 = Source(
    name="code-15",
    title="CODE-15 % 1.0.0",
    licence="CC BY 4.0",
    url="https://zenodo.org/records/4916206",
    layout="exams.csv, exams_part0.hdf5 to exams_part17.hdf5 (unpacked)",
    entries=_entries,
    load=_load,
    index=EXAMS,
)
