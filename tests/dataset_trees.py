"""Tiny folders in the exact layouts of published data sets, made of noise."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from uniecg.record import LEADS

MIMIC_LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
MIMIC_COLUMNS = (
    "subject_id", "study_id", "cart_id", "ecg_time", *(f"report_{number}" for number in range(18)), "bandwidth",
    "filtering", "rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end", "p_axis", "qrs_axis", "t_axis",
)  # fmt: skip


def microvolt(seed: int, samples: int = 250) -> np.ndarray:
    """Twelve leads of noise that obey Einthoven's law, int16, shape (12, samples), in the order of LEADS."""
    rng = np.random.default_rng(seed)
    eight = rng.integers(-300, 300, (8, samples)) * 2
    first, second = eight[0], eight[1]
    limb = [first, second, second - first, -(first + second) // 2, first - second // 2, second - first // 2]
    return np.vstack([limb, eight[2:]]).astype(np.int16)


def write_wfdb(
    stem: Path,
    signal: np.ndarray,
    rate: float = 500,
    leads: Sequence[str] = LEADS,
    remarks: Sequence[str] = (),
    gain: str = "1000/mV",
    mat: bool = False,
) -> None:
    """A WFDB record, its samples in a .dat file or, as the Challenges have it, in a .mat file."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    file = f"{stem.name}.mat" if mat else f"{stem.name}.dat"
    if mat:
        savemat(stem.with_name(file), {"val": signal}, format="4")
    else:
        stem.with_name(file).write_bytes(signal.T.astype("<i2").tobytes())
    layout = "16x1+24" if mat else "16"
    lines = [f"{stem.name} {len(leads)} {rate:g} {signal.shape[1]}"]
    for lead, row in zip(leads, signal, strict=True):
        checksum = (int(row.sum(dtype=np.int64)) + 32768) % 65536 - 32768
        lines.append(f"{file} {layout} {gain} 16 0 {row[0]} {checksum} 0 {lead}")
    stem.with_name(f"{stem.name}.hea").write_text("\n".join([*lines, *remarks]) + "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """A CSV file; cells that a row does not have stay empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def ptbxl_tree(root: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """PTB-XL: both tables, and every record at 500 and 100 Hz."""
    columns = (
        "ecg_id", "patient_id", "age", "sex", "height", "report", "scp_codes", "strat_fold", "filename_lr",
        "filename_hr",
    )  # fmt: skip
    full = []
    for number, row in enumerate(rows, start=1):
        low, high = f"records100/00000/{number:05d}_lr", f"records500/00000/{number:05d}_hr"
        write_wfdb(root / low, microvolt(number, 50), 100)
        write_wfdb(root / high, microvolt(number))
        common = {
            "ecg_id": number,
            "patient_id": f"{15000 + number}.0",
            "filename_lr": low,
            "filename_hr": high,
        }
        full.append({**common, "age": "56.0", "sex": 1, "strat_fold": 3, **row})
    write_csv(root / "ptbxl_database.csv", columns, full)
    statements = [
        {"": "NORM", "diagnostic_class": "NORM"},
        {"": "AFIB"},
        {"": "IMI", "diagnostic_class": "MI"},
    ]
    write_csv(root / "scp_statements.csv", ("", "description", "diagnostic_class"), statements)
    return root


def mimic_tree(
    root: Path, reports: Sequence[Sequence[str]], subjects: Sequence[int], reverse: bool = False
) -> Path:
    """MIMIC-IV-ECG: record list, machine measurements (in another order with `reverse`), WFDB with aVF before aVL."""
    listed, measured = [], []
    order = [LEADS.index(lead) for lead in MIMIC_LEADS]
    for number, (lines, subject) in enumerate(zip(reports, subjects, strict=True)):
        study = 40000000 + number
        path = f"files/p{str(subject)[:4]}/p{subject}/s{study}/{study}"
        write_wfdb(root / path, microvolt(number)[order], leads=MIMIC_LEADS, gain="1000.0(0)/mV")
        common = {"subject_id": subject, "study_id": study, "ecg_time": "2180-07-23 08:44:00"}
        listed.append({**common, "file_name": study, "path": path})
        measured.append(
            {
                **common,
                **{f"report_{at}": line for at, line in enumerate(lines)},
                "rr_interval": 800,
                "p_onset": 29999,
            }
        )
    write_csv(root / "record_list.csv", ("subject_id", "study_id", "file_name", "ecg_time", "path"), listed)
    write_csv(root / "machine_measurements.csv", MIMIC_COLUMNS, measured[::-1] if reverse else measured)
    return root


def challenge_tree(root: Path, records: Mapping[str, str], samples: int = 250) -> Path:
    """The Challenges: ``records`` maps a path such as ``georgia/g1/E00001`` to its SNOMED codes."""
    for number, (path, codes) in enumerate(records.items()):
        remarks = [
            "# Age: 74",
            "# Sex: Male",
            f"# Dx: {codes}",
            "# Rx: Unknown",
            "# Hx: Unknown",
            "# Sx: Unknown",
        ]
        write_wfdb(root / path, microvolt(number, samples), remarks=remarks, mat=True)
    return root


def grounding_tree(root: Path, items: Sequence[Mapping[str, Any]], lines: bool = False) -> Path:
    """ECG-Grounding: the JSON array (or a value a line), and the WFDB records below ``ecg_timeseries``."""
    for number, item in enumerate(items):
        if item.get("ecg"):
            write_wfdb(root / "ecg_timeseries" / item["ecg"], microvolt(number)[:, :200], leads=LEADS)
    folder = root / "ecg_jsons"
    folder.mkdir(parents=True)
    text = "\n".join(map(json.dumps, items)) if lines else json.dumps(list(items), indent=2)
    (folder / "ECG_Grounding_30k.json").write_text(text)
    return root


def code15_tree(root: Path, parts: Sequence[Sequence[Mapping[str, Any]]]) -> Path:
    """CODE-15 %: the table, and parts of 4096 samples padded with zeros, each with its filler row."""
    import h5py

    columns = ("exam_id", "age", "is_male", "nn_predicted_age", "1dAVb", "RBBB", "LBBB", "SB", "ST", "AF",
               "patient_id", "death", "timey", "normal_ecg", "trace_file")  # fmt: skip
    rows = []
    for number, exams in enumerate(parts):
        name = f"exams_part{number}.hdf5"
        tracings = np.zeros((len(exams) + 1, 4096, 12), np.float32)
        for at, exam in enumerate(exams):
            labels = {label: label in exam.get("labels", ()) for label in columns[4:10]}
            rows.append(
                {"exam_id": exam["id"], "age": 50, "is_male": True, **labels, "patient_id": exam["patient"],
                 "normal_ecg": not exam.get("labels"), "trace_file": name}
            )  # fmt: skip
            tracings[at, 648:3448] = microvolt(exam["id"], 2800).T / 1000  # 7 s, in the middle
        root.mkdir(parents=True, exist_ok=True)
        with h5py.File(root / name, "w") as file:
            file["exam_id"] = np.array([*(exam["id"] for exam in exams), 0], np.int64)
            file["tracings"] = tracings
    write_csv(root / "exams.csv", columns, rows[::-1])
    return root


def sph_tree(root: Path, codes: Sequence[str]) -> Path:
    """SPH: the table, and one HDF5 file a record."""
    import h5py

    rows = []
    (root / "records").mkdir(parents=True)
    for number, code in enumerate(codes, start=1):
        name = f"A{number:05d}"
        with h5py.File(root / "records" / f"{name}.h5", "w") as file:
            file["ecg"] = (microvolt(number) / 1000).astype(np.float16)
        rows.append(
            {"ECG_ID": name, "AHA_Code": code, "Patient_ID": f"S{number:05d}", "Age": 55, "Sex": "M", "N": 250,
             "Date": "2020-03-04"}
        )  # fmt: skip
    write_csv(root / "metadata.csv", ("ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N", "Date"), rows)
    return root


def ludb_tree(root: Path, diagnoses: Sequence[Sequence[str]]) -> Path:
    """LUDB: headers whose gains differ from lead to lead, and the diagnoses as remarks."""
    for number, lines in enumerate(diagnoses, start=1):
        remarks = ["#<age>: 51", "#<sex>: F", "#<diagnoses>:", *(f"#{line}" for line in lines)]
        stem = root / "data" / str(number)
        leads = [lead.lower() for lead in LEADS]
        write_wfdb(stem, microvolt(number), leads=leads, remarks=remarks)
        header = stem.with_suffix(".hea")
        header.write_text(header.read_text().replace("1000/mV", "1700/mV", 1))
    return root
