"""Published data sets as examples: each in its own layout, by lead name, patient and label; no label is lost."""

from __future__ import annotations

import json
from pathlib import Path

import dataset_trees as trees
import numpy as np
import pytest

from uniecg.datasets import SOURCES, Example, Problem, read_dataset, read_ptbxl
from uniecg.datasets.codes import code_table, find_code
from uniecg.datasets.language import report_language
from uniecg.datasets.rows import RowIndex, json_items
from uniecg.datasets.source import (
    CHECKSUM,
    DAMAGED,
    LANGUAGE,
    METADATA,
    MISSING,
    SUSPECT,
    UNKNOWN_CODE,
    hashed_split,
)
from uniecg.errors import FormatError, InputError
from uniecg.text.statements import STATEMENTS


def load(name: str, root: Path, **options: object) -> tuple[list[Example], list[Problem]]:
    problems: list[Problem] = []
    return list(read_dataset(name, root, on_problem=problems.append, **options)), problems  # type: ignore[arg-type]


def same_signal(example: Example, microvolt: np.ndarray) -> bool:
    return bool(np.allclose(example.record.signal * 1000, microvolt, atol=0.5))


# PTB-XL


def test_ptbxl_gives_folds_codes_report_and_both_rates(tmp_path: Path) -> None:
    rows = [
        {"report": "sinusrhythmus normales ekg", "scp_codes": "{'NORM': 100.0, 'SR': 0.0}"},
        {
            "report": "atrial fibrillation.",
            "scp_codes": "{'AFIB': 100.0, 'IMI': 50.0}",
            "strat_fold": 9,
            "sex": 0,
        },
        {"report": "sinusrytm", "scp_codes": "{'SR': 0.0}", "strat_fold": 10, "age": "300.0"},
    ]
    root = trees.ptbxl_tree(tmp_path, rows)
    first, second, third = read_ptbxl(root)
    assert (first.uid, first.patient, first.split, first.sex) == (
        "ptbxl-00001",
        "ptbxl-15001",
        "train",
        "female",
    )
    assert first.statements == ("NORM", "SR")
    assert first.superclasses == ("NORM",)
    assert first.text == "sinusrhythmus normales ekg"
    assert first.record.sampling_rate == 500
    assert same_signal(first, trees.microvolt(1))
    assert (second.split, second.sex, second.superclasses) == ("val", "male", ("MI",))
    assert (third.split, third.age) == ("test", 90)
    low = next(read_ptbxl(root, sampling_rate=100))
    assert low.record.sampling_rate == 100
    assert same_signal(low, trees.microvolt(1, 50))
    assert next(read_ptbxl(root, sampling_rate=250)).record.n_samples == 125
    assert [example.uid for example in read_ptbxl(root, "val")] == ["ptbxl-00002"]


def test_bad_records_are_named_and_skipped_or_refused(tmp_path: Path) -> None:
    rows = [{"report": "sinus rhythm.", "scp_codes": "{'SR': 0.0}"} for _ in range(9)]
    rows[4]["scp_codes"] = "{'XYZ': 100.0, 'SR': 0.0}"
    rows[5]["report"] = "窦性心律"
    rows[6]["scp_codes"] = "not a dictionary"
    rows[7]["strat_fold"] = 11
    rows[8]["sex"] = 7
    root = trees.ptbxl_tree(tmp_path, rows)
    folder = root / "records500" / "00000"
    (folder / "00001_hr.dat").unlink()
    data = (folder / "00002_hr.dat").read_bytes()
    (folder / "00002_hr.dat").write_bytes(data[:1000])
    changed = bytearray((folder / "00003_hr.dat").read_bytes())
    changed[10] ^= 1
    (folder / "00003_hr.dat").write_bytes(bytes(changed))
    examples, problems = load("ptb-xl", root)
    assert [example.uid for example in examples] == [f"ptbxl-0000{n}" for n in (4, 5, 6, 9)]
    assert examples[3].sex is None
    found = {problem.uid: (problem.kind, problem.skipped) for problem in problems}
    assert found == {
        "ptbxl-00001": (MISSING, True),
        "ptbxl-00002": (DAMAGED, True),
        "ptbxl-00003": (CHECKSUM, True),
        "ptbxl-00005": (UNKNOWN_CODE, False),
        "ptbxl-00006": (LANGUAGE, False),
        "ptbxl-7": (METADATA, True),
        "ptbxl-8": (METADATA, True),
        "ptbxl-00009": (METADATA, False),
    }
    # What is not understood is kept by name.
    assert (examples[1].statements, examples[1].other_statements) == (("SR",), ("XYZ",))
    assert examples[2].text == ""
    assert examples[2].record.metadata["report_other"] == "窦性心律"
    with pytest.raises(InputError, match=r"ptbxl-00001: missing or unusable file: .*00001_hr"):
        list(read_ptbxl(root))


def test_a_table_that_its_checksum_contradicts_is_a_problem(tmp_path: Path) -> None:
    root = trees.ptbxl_tree(tmp_path, [{"report": "", "scp_codes": "{}"}])
    (root / "SHA256SUMS.txt").write_text(f"{'0' * 64} ptbxl_database.csv\n{'1' * 64} LICENSE.txt\n")
    examples, problems = load("ptb-xl", root)
    assert len(examples) == 1
    assert [(problem.kind, problem.uid) for problem in problems] == [(CHECKSUM, "ptbxl_database.csv")]


@pytest.mark.parametrize("name", SOURCES)
def test_another_folder_is_refused_with_its_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)) as caught:
        load(name, tmp_path)
    assert "\n" not in str(caught.value)


# MIMIC-IV-ECG


def test_mimic_takes_leads_by_name_and_rows_by_number(tmp_path: Path) -> None:
    reports = [
        ["Sinus rhythm", "Leftward axis", "Normal ECG"],
        ["Atrial fibrillation, rapid rate"],
        [
            "Sinus rhythm with left axis deviation.",
            "Possible LVH",
            "Probable anterior infarct",
            "No LBBB",
            "Low R.",
        ],
    ]
    root = trees.mimic_tree(tmp_path, reports, [10000032, 10000117, 10000032], reverse=True)
    examples, problems = load("mimic-iv-ecg", root)
    assert problems == []
    first, second, third = examples
    assert same_signal(first, trees.microvolt(0))  # aVL and aVF stand where LEADS has them
    assert first.statements == ("SR", "NORM")
    assert first.other_statements == ("left axis deviation",)
    # What is only possible is no label, and what a line says beside its first statement is not lost.
    assert third.statements == ("SR", "AMI")
    assert third.other_statements == ("left axis deviation", "possible left ventricular hypertrophy", "Low R")
    assert first.text == "Sinus rhythm. Leftward axis. Normal ECG."
    assert first.record.metadata["machine_measurements"] == {"rr_interval": 800}  # 29999 is no value
    assert "AFIB" in second.statements
    assert (first.patient, first.split) == (third.patient, third.split)
    assert (first.age, first.sex) == (None, None)


def test_mimic_age_and_sex_come_from_the_patients_table(tmp_path: Path) -> None:
    root = trees.mimic_tree(tmp_path, [["Sinus rhythm"]], [10000032])
    row = {"subject_id": 10000032, "gender": "F", "anchor_age": 52, "anchor_year": 2178}
    trees.write_csv(root / "patients.csv", ("subject_id", "gender", "anchor_age", "anchor_year"), [row])
    example = next(read_dataset("mimic-iv-ecg", root))
    assert (example.age, example.sex) == (54, "female")


def test_mimic_record_without_measurements_is_kept_and_counted(tmp_path: Path) -> None:
    root = trees.mimic_tree(tmp_path, [["Sinus rhythm"], ["Sinus rhythm"]], [10000032, 10000117])
    table = root / "machine_measurements.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    examples, problems = load("mimic-iv-ecg", root)
    assert len(examples) == 2
    assert [(problem.kind, problem.skipped) for problem in problems] == [(METADATA, False)]


def test_hashed_splits_are_stable_and_of_the_promised_sizes() -> None:
    assert [hashed_split(f"mimic-{10000032 + n}") for n in range(4)] == ["train", "test", "val", "train"]
    splits = [hashed_split(f"patient-{n}") for n in range(5000)]
    for name, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        assert splits.count(name) / 5000 == pytest.approx(share, abs=0.02)


# ECG-Grounding


@pytest.mark.parametrize("lines", [False, True])
def test_grounding_gives_conversations_and_the_split_of_its_patients(tmp_path: Path, lines: bool) -> None:
    turns = [
        {"from": "human", "value": "<image>\nInterpret."},
        {"from": "gpt", "value": "Sinus rhythm, [90] bpm."},
    ]
    items = [
        {"id": "1", "image": "mimic_gen/1-0.png", "ecg": "mimic-iv/files/p1000/p10000032/s40689238/40689238",
         "conversations": turns, "machine_measurements": {"HR": [90]}, "report": "Sinus rhythm. Leftward axis."},
        {"id": "1", "image": "mimic_gen/1-1.png", "ecg": "mimic-iv/files/p1000/p10000033/s40689239/40689239",
         "conversations": turns},
        {"id": "2", "image": "ptb-xl/2.png", "ecg": "ptbxl/records500/00000/00002_hr", "conversations": turns},
        {"id": "3", "image": "only/a/picture.png", "conversations": turns},
        {"id": "4", "image": "x.png", "ecg": "../../outside", "conversations": turns},
    ]  # fmt: skip
    root = trees.grounding_tree(tmp_path / "a" / "b", items, lines)
    examples, problems = load("ecg-grounding", root)
    first, second, third = examples
    assert first.conversation == (("human", "<image>\nInterpret."), ("gpt", "Sinus rhythm, [90] bpm."))
    assert (first.text, first.statements) == ("Sinus rhythm. Leftward axis.", ("SR",))
    assert first.record.metadata["machine_measurements"] == {"HR": [90]}
    assert first.record.metadata["image"] == "mimic_gen/1-0.png"
    assert (first.patient, first.split) == ("mimic-10000032", hashed_split("mimic-10000032"))
    assert second.split == hashed_split("mimic-10000033") == "test"
    assert third.split == "test"  # the fold of a PTB-XL record is not known here
    assert len({example.uid for example in examples}) == 3  # one id may stand for several conversations
    assert [problem.kind for problem in problems] == [MISSING, MISSING]


def test_json_items_are_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uniecg.datasets.rows._PIECE", 7)
    items = [{"a": [1, {"b": "] , ["}]}, {"text": 'quoted " and \\ ä'}, {}]
    path = tmp_path / "items.json"
    path.write_text(json.dumps(items))
    assert list(json_items(path)) == items
    path.write_text(json.dumps(items)[:-8])
    with pytest.raises(FormatError, match=r"items\.json is cut short"):
        list(json_items(path))


def test_rows_are_found_by_number_across_line_breaks_in_cells(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('id,text\r\n7,"two\nlines, ""quoted"""\r\n3,plain\r\nbad,row\r\n')
    index = RowIndex(path, "id")
    assert len(index) == 2
    assert index.get(7) == {"id": "7", "text": 'two\nlines, "quoted"'}
    assert index.get(3) == {"id": "3", "text": "plain"}
    assert index.get(5) is None
    index.close()


# Challenge 2020 / 2021


def test_challenge_translates_snomed_and_keeps_the_rest_by_name(tmp_path: Path) -> None:
    records = {
        "cpsc_2018/g1/A0001": "59118001,39732003",
        "georgia/g1/E00001": "426783006,99999",
        "chapman_shaoxing/g1/JS00001": "164889003",
        "ptb/g1/S0001": "164865005",
        "st_petersburg_incart/g1/I0001": "11157007",
        "ptb-xl/g1/HR00001": "426783006",
        "cpsc_2018_extra/g1/Q0001": "",
    }
    examples, problems = load("challenge", trees.challenge_tree(tmp_path, records))
    by_uid = {example.uid: example for example in examples}
    assert {example.dataset for example in examples} == {
        "CPSC2018", "CPSC-Extra", "Georgia", "Chapman-Shaoxing/Ningbo", "PTB", "INCART"
    }  # fmt: skip
    first = by_uid["ch21-A0001"]
    assert (first.statements, first.other_statements) == (("CRBBB",), ("left axis deviation",))
    assert (first.age, first.sex, first.record.metadata["dx_snomed"]) == (74, "male", "59118001,39732003")
    assert same_signal(first, trees.microvolt(0))
    assert by_uid["ch21-E00001"].other_statements == ("snomed 99999",)
    assert by_uid["ch21-S0001"].other_statements == ("myocardial infarction",)
    assert (
        by_uid["ch21-S0001"].split == by_uid["ch21-I0001"].split == "train"
    )  # patients are not told apart there
    assert by_uid["ch21-I0001"].statements == ("BIGU", "PVC")
    kinds = {problem.uid: problem.kind for problem in problems}
    assert kinds == {
        "ch21-E00001": UNKNOWN_CODE, "ch21-HR00001": "PTB-XL record, read from ptb-xl", "ch21-Q0001": METADATA
    }  # fmt: skip


# CODE-15 %, SPH, LUDB


def test_code15_reads_parts_and_counts_what_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    parts = [
        [{"id": 11, "patient": 1, "labels": ("RBBB", "SB")}, {"id": 12, "patient": 2}],
        [{"id": 21, "patient": 1}, {"id": 22, "patient": 3}],
    ]
    root = trees.code15_tree(tmp_path, parts)
    examples, problems = load("code-15", root)
    assert problems == []
    first = examples[0]
    assert [example.uid for example in examples] == ["code15-11", "code15-12", "code15-21", "code15-22"]
    assert (first.statements, first.age, first.sex) == (("CRBBB", "SBRAD"), 50, "male")
    assert examples[1].statements == ("NORM",)
    assert (first.patient, first.split) == (examples[2].patient, examples[2].split)
    assert first.record.sampling_rate == 400
    assert same_signal(first, trees.microvolt(11, 2800))  # without the zeros around it
    assert not first.amplitude_known
    (root / "exams_part0.hdf5").unlink()
    (root / "exams_part1.hdf5").write_bytes(b"\x89HDF no more")
    examples, problems = load("code-15", root)
    assert examples == []
    assert [(problem.kind, problem.count) for problem in problems] == [(MISSING, 2), (DAMAGED, 2)]


def test_sph_translates_aha_statements_with_modifiers(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    root = trees.sph_tree(tmp_path, ["22;60+310", "147+367;121", "999", "1"])
    (root / "records" / "A00004.h5").write_bytes(b"")
    examples, problems = load("sph", root)
    assert [example.statements for example in examples] == [("SBRAD", "PVC"), ("INVT",), ()]
    assert [example.other_statements for example in examples] == [(), ("left axis deviation",), ("aha 999",)]
    assert np.allclose(examples[0].record.signal, trees.microvolt(1) / 1000, atol=2e-3)  # stored as float16
    assert [(problem.uid, problem.kind) for problem in problems] == [
        ("sph-A00003", UNKNOWN_CODE), ("sph-A00004", DAMAGED)
    ]  # fmt: skip


def test_ludb_reads_digital_values_and_diagnoses_from_the_header(tmp_path: Path) -> None:
    lines = ["Rhythm: Sinus bradycardia.", "Electric axis of the heart: left axis deviation.",
             "Non-specific repolarization abnormalities: posterior wall."]  # fmt: skip
    examples, problems = load("ludb", trees.ludb_tree(tmp_path, [lines, ["Rhythm: Something new."]]))
    first, second = examples
    assert (first.uid, first.split, first.age, first.sex) == ("ludb-001", "test", 51, "female")
    assert first.statements == ("SBRAD", "NST_")
    assert first.other_statements == ("electric axis of the heart: left axis deviation",)
    assert first.text.startswith("Rhythm: Sinus bradycardia. Electric axis")
    assert same_signal(first, trees.microvolt(1))  # the gains in the headers are not believed
    assert second.other_statements == ("ludb something new",)
    assert [problem.kind for problem in problems] == [UNKNOWN_CODE]


# The tables


def test_every_code_leads_to_the_vocabulary() -> None:
    for system in ("snomed", "aha", "code15", "ludb"):
        table = code_table(system)
        assert table, system
        assert {code for label in table.values() for code in label.scp} <= set(STATEMENTS)
    # The vocabulary and the table do not contradict each other.
    for statement in STATEMENTS.values():
        if statement.snomed:
            label = find_code("snomed", statement.snomed)
            assert label is not None, statement.code
            assert statement.code in label.scp


def test_all_labels_of_the_published_lists_are_known(shared: Path) -> None:
    import csv

    text = shared / "data" / "text"
    for name in ("scored", "unscored"):
        with (text / f"challenge2021_dx_mapping_{name}.csv").open(encoding="utf-8-sig") as handle:
            for row in csv.DictReader(handle):
                assert find_code("snomed", row["SNOMEDCTCode"]), row
    with (text / "sph_metadata_25770.csv").open(encoding="utf-8-sig") as handle:
        codes = {code for row in csv.DictReader(handle) for code in row["AHA_Code"].split(";")}
    assert [code for code in codes if find_code("aha", code.strip()) is None] == []
    with (shared / "data" / "ludb" / "diagnoses.csv").open(encoding="utf-8") as handle:
        cells = [
            value
            for row in csv.DictReader(handle)
            for key, value in row.items()
            if key not in ("ID", "Sex", "Age", "uid")
        ]
    labels = {label.strip().lower() for cell in cells for label in cell.split(" ; ") if label.strip()}
    assert [label for label in labels if find_code("ludb", label) is None] == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("sinusrhythmus linkstyp sonst normales ekg", "de"),
        ("Sinus rhythm. Left axis deviation.", "en"),
        ("sinusrytm vÄnster el-axel inkomplett hÖgersidigt skÄnkelblock", "sv"),
        ("AV-Block I. Grades", "de"),
        ("av-block grad I", "sv"),
        ("afib", "en"),
        ("Sinus arrhythmia", "en"),
        ("NSR", "en"),
        ("WITHIN NORMAL LIMITS", "en"),
        ("rythme sinusal", None),
        ("窦性心律", None),
        ("4.46", None),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    assert report_language(text) == language


def test_a_waveform_without_gain_is_kept_but_its_amplitude_is_not_believed(tmp_path: Path) -> None:
    root = trees.challenge_tree(tmp_path, {"georgia/E00001": "426783006"})
    header = root / "georgia" / "E00001.hea"
    header.write_text(header.read_text().replace("1000/mV", "0/mV"))
    examples, problems = load("challenge", root)
    assert not examples[0].amplitude_known
    assert SUSPECT in {problem.kind for problem in problems}
