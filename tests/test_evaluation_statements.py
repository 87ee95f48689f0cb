"""Task statements: reports beside labels, on a table in PTB-XL's layout; which half a report is in never changes."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from uniecg.errors import InputError
from uniecg.evaluation import TASKS, WITHOUT_MODEL
from uniecg.evaluation.statements import is_held_out

ROWS = (
    ("Sinusrhythmus, Linksschenkelblock", {"SR": 0.0, "CLBBB": 100.0}),
    ("sinus rhythm. t waves are inverted in i. Edit: LVH 100", {"SR": 0.0, "INVT": 0.0}),
    ("sinusrytm, normalt ekg", {"SR": 0.0, "NORM": 80.0}),
    ("vorhofflimmern. inferiorer infarkt", {"AFIB": 0.0, "ILMI": 100.0}),
    ("sinus tachycardia. otherwise normal ecg.", {"STACH": 0.0, "NORM": 100.0}),
    ("sinus bradycardia", {"SBRAD": 0.0}),
    ("", {"SR": 0.0}),
    ("paced rhythm", {"XYZ": 100.0}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("ecg_id", "report", "scp_codes", "strat_fold"))
    for number, (report, codes) in enumerate(ROWS * 3):
        writer.writerow((number, report, str(codes), "1.0"))
    writer.writerow((99, "sinus rhythm", "{'SR': 0", "1.0"))
    made = tmp_path_factory.mktemp("ptbxl")
    (made / "ptbxl_database.csv").write_text(text.getvalue(), encoding="utf-8")
    (made / "text").mkdir()
    (made / "text" / "ptbxl_labels.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
    return made


def test_scores(folder: Path) -> None:
    assert "statements" in WITHOUT_MODEL
    parts = {
        split: TASKS["statements"](None, data=folder, split=split, seed=1) for split in ("train", "test")
    }
    assert sum(part["n"] for part in parts.values()) == 6 * 3
    for part in parts.values():
        assert part["skipped"] == 2 * 3 + 1
        for score in part["metrics"].values():
            assert 0 <= score["ci95"][0] <= score["value"] <= score["ci95"][1] <= 1
    # An inferolateral infarct that the report calls inferior is no hit by code, but one by class.
    held_out = {
        split: is_held_out("vorhofflimmern. inferiorer infarkt") == (split == "test") for split in parts
    }
    wrong = next(split for split, there in held_out.items() if there)
    right = next(split for split, there in held_out.items() if not there)
    assert parts[wrong]["metrics"]["micro_f1"]["value"] < 1
    assert parts[right]["metrics"]["micro_f1"]["value"] == 1
    for part in parts.values():
        assert part["metrics"]["micro_f1_classes"]["value"] == 1
    assert TASKS["statements"](None, data=folder, seed=1) == parts["test"]
    assert TASKS["statements"](None, data=folder / "text" / "ptbxl_labels.csv.gz", seed=1) == parts["test"]
    assert TASKS["statements"](None, data=folder, split="train", n=2)["n"] == 2


def test_halves_are_fixed() -> None:
    # Moving a report to the other half would make the published number worthless.
    halves = "".join("x" if is_held_out(report) else "." for report, _ in ROWS)
    assert halves == "x.xx..x."
    assert is_held_out("Sinus  rhythm, 72/min") == is_held_out("sinus rhythm 80 / MIN.")


def test_what_is_missing_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ptbxl_database"):
        TASKS["statements"](None, data=tmp_path)
    with pytest.raises(InputError, match="--split"):
        TASKS["statements"](None, data=folder, split="val")
    table = tmp_path / "ptbxl_database.csv"
    table.write_text("ecg_id,age\n1,60\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column report, scp_codes, strat_fold"):
        TASKS["statements"](None, data=tmp_path)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"ecg_id" * 1000)[:40])
    with pytest.raises(InputError, match="download it again"):
        TASKS["statements"](None, data=tmp_path / "cut.csv.gz")
