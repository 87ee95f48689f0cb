"""MIMIC-IV-ECG as PhysioNet publishes it: 800,035 ECGs of 161,352 patients (Gow et al. 2023, doi 10.13026/4nqg-sb35).

Read are ``record_list.csv`` (which records there are), ``machine_measurements.csv`` (the machine's report in the
columns ``report_0`` to ``report_17``, and its intervals) and the WFDB records. Their leads come as I, II, III, aVR,
aVF, aVL, V1 to V6; they are taken by name. Age and sex are in ``patients.csv`` of MIMIC-IV, which needs its own
access; where that file lies in the folder, too, it is used. There is no official split: patients are split by a hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from uniecg.datasets.codes import statements_in
from uniecg.datasets.examples import Example
from uniecg.datasets.rows import RowIndex, csv_rows, sum_problems
from uniecg.datasets.source import METADATA, Entry, Problem, Source, hashed_split, read_waveform, years
from uniecg.errors import InputError

RECORDS, MEASUREMENTS, PATIENTS = "record_list.csv", "machine_measurements.csv", "patients.csv"
_REPORTS = tuple(f"report_{number}" for number in range(18))
_VALUES = (
    "rr_interval",
    "p_onset",
    "p_end",
    "qrs_onset",
    "qrs_end",
    "t_end",
    "p_axis",
    "qrs_axis",
    "t_axis",
)
_NO_VALUE = "29999"  # what the machine writes where it measured nothing


def mimic_patient(subject: str) -> str:
    """Pseudonym of a patient of MIMIC-IV, the same in every data set that is made of its ECGs."""
    return f"mimic-{int(subject)}"


def _entries(root: Path) -> Iterator[Entry | Problem]:
    for name in (RECORDS, MEASUREMENTS):
        if not (root / name).is_file():
            raise InputError(f"{root}: not a MIMIC-IV-ECG folder ({name} is missing)")
    yield from sum_problems(root, (RECORDS, MEASUREMENTS))
    measurements = RowIndex(root / MEASUREMENTS, "study_id")
    patients = RowIndex(root / PATIENTS, "subject_id") if (root / PATIENTS).is_file() else None
    try:
        for row in csv_rows(root / RECORDS, ("subject_id", "study_id", "path"), "MIMIC-IV-ECG"):
            study, subject = row["study_id"].strip(), row["subject_id"].strip()
            if not (study.isdigit() and subject.isdigit() and row["path"]):
                yield Problem(
                    METADATA, f"mimic-{study}", f"{RECORDS}: no numbers of study and patient, or no path"
                )
                continue
            measured = measurements.get(int(study))
            person = patients.get(int(subject)) if patients is not None else None
            if measured is None:
                yield Problem(METADATA, f"mimic-{study}", f"not in {MEASUREMENTS}: no report", skipped=False)
            patient = mimic_patient(subject)
            fields = {
                "path": row["path"],
                "reports": [text for name in _REPORTS if (text := (measured or {}).get(name, "").strip())],
                "values": _values(measured or {}),
                "age": _age(person, row.get("ecg_time", "")),
                "sex": {"F": "female", "M": "male"}.get((person or {}).get("gender", "")),
            }
            yield Entry(f"mimic-{int(study)}", patient, hashed_split(patient), fields)
    finally:
        measurements.close()
        if patients is not None:
            patients.close()


def _values(row: dict[str, str]) -> dict[str, float]:
    """The machine's intervals (ms) and axes (degrees), as far as it measured them."""
    stated = {name: row.get(name, "").strip() for name in _VALUES}
    return {
        name: float(text)
        for name, text in stated.items()
        if text.removeprefix("-").replace(".", "", 1).isdigit() and text != _NO_VALUE
    }


def _age(person: dict[str, str] | None, time: str) -> float | None:
    """Age at the ECG: MIMIC-IV states it for one (shifted) year of each patient."""
    if person is None or not time[:4].isdigit() or not person.get("anchor_year", "").isdigit():
        return None
    anchor = years(person.get("anchor_age"))
    return None if anchor is None else years(anchor + int(time[:4]) - int(person["anchor_year"]))


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    fields = entry.fields
    record, problems = read_waveform(root / fields["path"], entry.uid)
    statements, others = statements_in(fields["reports"])
    if fields["values"]:
        record.metadata["machine_measurements"] = fields["values"]
    example = Example(
        uid=entry.uid,
        record=record,
        statements=statements,
        superclasses=(),
        age=fields["age"],
        sex=fields["sex"],
        split=entry.split,
        dataset="MIMIC-IV-ECG",
        patient=entry.patient,
        text=report_text(fields["reports"]),
        other_statements=others,
    )
    return example, problems


def report_text(lines: list[str]) -> str:
    """The lines of a machine's report as one text, a sentence each."""
    return " ".join(line if line.endswith((".", "!", "?", ":")) else f"{line}." for line in lines)


MIMIC_IV_ECG = Source(
    name="mimic-iv-ecg",
    title="MIMIC-IV-ECG 1.0",
    licence="ODbL 1.0",
    url="https://physionet.org/content/mimic-iv-ecg/1.0/",
    layout="record_list.csv, machine_measurements.csv, files/ (patients.csv of MIMIC-IV if you have access)",
    entries=_entries,
    load=_load,
    index=RECORDS,
)
