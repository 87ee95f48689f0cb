"""SPH: 25,770 ECGs of 24,666 patients of Shandong Provincial Hospital (Liu et al. 2022, Scientific Data 9:272).

``metadata.csv`` (ECG_ID, AHA_Code, Patient_ID, Age, Sex, N, Date) and ``records/A00001.h5`` with the data set ``ecg``
(12, N) in mV at 500 Hz. Labels are AHA statements with modifiers (``60+310;22``). Patients are split by a hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uniecg.datasets.codes import translate
from uniecg.datasets.examples import Example
from uniecg.datasets.hdf5 import open_hdf5
from uniecg.datasets.rows import csv_rows
from uniecg.datasets.source import DAMAGED, METADATA, BadRecord, Entry, Problem, Source, hashed_split, years
from uniecg.record import Record

METADATA_FILE = "metadata.csv"
SAMPLING_RATE = 500.0


def _entries(root: Path) -> Iterator[Entry | Problem]:
    columns = ("ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N")
    for row in csv_rows(root / METADATA_FILE, columns, "SPH"):
        name, patient = row["ECG_ID"].strip(), row["Patient_ID"].strip()
        if not name.isalnum() or not patient:
            yield Problem(METADATA, f"sph-{name}", f"{METADATA_FILE}: no ECG_ID or no Patient_ID")
            continue
        fields = {
            "name": name,
            "codes": [code for part in row["AHA_Code"].split(";") if (code := part.strip())],
            "age": row["Age"],
            "sex": {"F": "female", "M": "male"}.get(row["Sex"].strip()),
            "samples": row["N"].strip(),
        }
        yield Entry(f"sph-{name}", f"sph-{patient}", hashed_split(f"sph-{patient}"), fields)


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    fields = entry.fields
    path = root / "records" / f"{fields['name']}.h5"
    with open_hdf5(path, entry.uid) as file:
        signal = np.asarray(file["ecg"][()], np.float32)
    stated = int(fields["samples"]) if fields["samples"].isdigit() else signal.shape[-1]
    if signal.ndim != 2 or signal.shape[0] != 12 or signal.shape[1] < max(stated, 1):
        message = f"{path}: its shape is {signal.shape}, {METADATA_FILE} says (12, {stated})"
        raise BadRecord(Problem(DAMAGED, entry.uid, message))
    statements, others, unknown = translate("aha", fields["codes"], entry.uid)
    example = Example(
        uid=entry.uid,
        record=Record(signal, SAMPLING_RATE, metadata={"aha_codes": ";".join(fields["codes"])}),
        statements=statements,
        superclasses=(),
        age=years(fields["age"]),
        sex=fields["sex"],
        split=entry.split,
        dataset="SPH",
        patient=entry.patient,
        other_statements=others,
    )
    return example, unknown


SPH = Source(
    name="sph",
    title="SPH (Shandong Provincial Hospital)",
    licence="CC BY 4.0",
    url="https://doi.org/10.6084/m9.figshare.c.5779802.v1",
    layout="metadata.csv, records/A00001.h5 and so on",
    entries=_entries,
    load=_load,
    index=METADATA_FILE,
)
