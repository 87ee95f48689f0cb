"""PTB-XL as PhysioNet publishes it (Wagner et al. 2020, Scientific Data 7:154).

The folder holds ``ptbxl_database.csv``, ``scp_statements.csv`` and the WFDB records. Splits are the
official folds: 1-8 train, 9 val, 10 test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from uniecg.datasets.codes import known_statements
from uniecg.datasets.examples import Example
from uniecg.datasets.rows import csv_rows, sum_problems
from uniecg.datasets.source import (
    METADATA,
    BadRecord,
    Entry,
    Problem,
    Source,
    read_source,
    read_waveform,
    years,
)
from uniecg.errors import InputError

_TABLES = ("ptbxl_database.csv", "scp_statements.csv")
_SPLITS = {**dict.fromkeys(range(1, 9), "train"), 9: "val", 10: "test"}
_SEXES = {"0": "male", "1": "female", "": None}
_COLUMNS = (
    "ecg_id",
    "patient_id",
    "age",
    "sex",
    "report",
    "scp_codes",
    "strat_fold",
    "filename_lr",
    "filename_hr",
)


def read_ptbxl(
    folder: str | Path, split: str | None = None, *, sampling_rate: float = 500
) -> Iterator[Example]:
    """Yield the examples of a PTB-XL folder.

    Parameters
    ----------
    folder : str or Path
        The unpacked data set.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    sampling_rate : float
        500 or 100: which of the two published copies is read; other rates are resampled from 500 Hz.

    Raises
    ------
    InputError
        If the folder is not a PTB-XL folder or a record is missing.
    """
    yield from read_source(PTBXL, folder, split, sampling_rate=sampling_rate)


def _entries(root: Path) -> Iterator[Entry | Problem]:
    if not all((root / name).is_file() for name in _TABLES):
        raise InputError(f"{root}: not a PTB-XL folder (ptbxl_database.csv or scp_statements.csv missing)")
    yield from sum_problems(root, _TABLES)
    for row in csv_rows(root / _TABLES[0], _COLUMNS, "PTB-XL"):
        try:
            uid = f"ptbxl-{int(float(row['ecg_id'])):05d}"
            fold = int(float(row["strat_fold"]))
            if fold not in _SPLITS:
                raise ValueError(f"strat_fold is {row['strat_fold']!r}, not 1 to 10")
            codes = ast.literal_eval(row["scp_codes"])
            if not isinstance(codes, dict):
                raise ValueError(f"scp_codes is {row['scp_codes']!r}")
        except (ValueError, SyntaxError) as error:
            yield Problem(METADATA, f"ptbxl-{row['ecg_id']}", f"{_TABLES[0]}: {error}")
            continue
        fields = {
            "codes": {str(code): value for code, value in codes.items()},
            "age": row["age"],
            "sex": row["sex"].strip(),
            "report": row["report"].strip(),
            "lr": row["filename_lr"],
            "hr": row["filename_hr"],
        }
        patient = f"ptbxl-{row['patient_id'].split('.')[0]}"
        yield Entry(uid, patient, _SPLITS[fold], fields)


@lru_cache(maxsize=1)
def _superclasses(root: Path) -> dict[str, str]:
    rows = csv_rows(root / _TABLES[1], ("", "diagnostic_class"), "PTB-XL")
    return {row[""]: row["diagnostic_class"] for row in rows}


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    fields = entry.fields
    name = fields["lr" if sampling_rate == 100 else "hr"]
    if not name:
        raise BadRecord(Problem(METADATA, entry.uid, f"{_TABLES[0]} names no file"))
    record, problems = read_waveform(root / name, entry.uid)
    statements, others, unknown = known_statements(fields["codes"], entry.uid)
    superclass = _superclasses(root)
    named = dict.fromkeys(superclass[code] for code in statements if superclass.get(code))
    sex = fields["sex"].removesuffix(".0")
    if sex not in _SEXES:
        problems.append(
            Problem(METADATA, entry.uid, f"{_TABLES[0]}: sex is {sex!r}, not 0 or 1", skipped=False)
        )
    record.metadata["scp_codes"] = str(fields["codes"])
    example = Example(
        uid=entry.uid,
        record=record,
        statements=statements,
        superclasses=tuple(named),
        age=years(fields["age"]),
        sex=_SEXES.get(sex),
        split=entry.split,
        dataset="PTB-XL",
        patient=entry.patient,
        text=fields["report"],
        other_statements=others,
    )
    return example, problems + unknown


PTBXL = Source(
    name="ptb-xl",
    title="PTB-XL 1.0.3",
    licence="CC BY 4.0",
    url="https://physionet.org/content/ptb-xl/1.0.3/",
    layout="ptbxl_database.csv, scp_statements.csv, records500/, records100/",
    entries=_entries,
    load=_load,
    index="ptbxl_database.csv",
)
