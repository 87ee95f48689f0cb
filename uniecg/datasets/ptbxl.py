"""PTB-XL as PhysioNet publishes it (Wagner et al. 2020, Scientific Data 7:154).

The folder holds ``ptbxl_database.csv``, ``scp_statements.csv`` and the WFDB records. Splits are the
official folds: 1-8 train, 9 val, 10 test.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

from uniecg.datasets.examples import Example
from uniecg.errors import InputError
from uniecg.io import read_record


def read_ptbxl(
    folder: str | Path, split: str | None = None, *, sampling_rate: int = 500
) -> Iterator[Example]:
    """Yield the examples of a PTB-XL folder.

    Parameters
    ----------
    folder : str or Path
        The unpacked data set.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    sampling_rate : int
        500 or 100: which of the two published copies is read.

    Raises
    ------
    InputError
        If the folder is not a PTB-XL folder or a record is missing.
    """
    folder = Path(folder)
    database, statements = folder / "ptbxl_database.csv", folder / "scp_statements.csv"
    if not database.is_file() or not statements.is_file():
        raise InputError(f"{folder}: not a PTB-XL folder (ptbxl_database.csv or scp_statements.csv missing)")
    with statements.open(encoding="utf-8", newline="") as handle:
        superclass = {row[""]: row["diagnostic_class"] for row in csv.DictReader(handle)}
    column = "filename_hr" if sampling_rate == 500 else "filename_lr"
    with database.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            fold = int(float(row["strat_fold"]))
            part = {9: "val", 10: "test"}.get(fold, "train")
            if split is not None and part != split:
                continue
            codes = ast.literal_eval(row["scp_codes"])
            named = dict.fromkeys(superclass[code] for code in codes if superclass.get(code))
            yield Example(
                uid=f"ptbxl-{int(float(row['ecg_id'])):05d}",
                record=read_record(folder / row[column]),
                statements=tuple(codes),
                superclasses=tuple(named),
                age=min(float(row["age"]), 90.0) if row["age"] else None,
                # The database codes sex 0 = male, 1 = female.
                sex={"0": "male", "1": "female"}.get(row["sex"].split(".")[0]),
                split=part,
                dataset="PTB-XL",
                patient=f"ptbxl-{row['patient_id'].split('.')[0]}",
            )
