"""ECG-Grounding, the conversations GEM was trained on (Lan et al. 2025, arXiv 2503.06073).

A JSON array whose items have ``id``, ``image``, ``ecg`` (a WFDB record below the folder of time series),
``conversations`` (turns with ``from`` and ``value``), and for the grounded ones ``machine_measurements`` and
``report``. ``grounding_train_30k.json`` is a part of ``ECG_Grounding_30k.json``: the largest file there is read,
beside the test file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from uniecg.datasets.codes import statements_in
from uniecg.datasets.examples import Example
from uniecg.datasets.mimic_iv_ecg import mimic_patient
from uniecg.datasets.rows import json_items
from uniecg.datasets.source import (
    METADATA,
    MISSING,
    BadRecord,
    Entry,
    Problem,
    Source,
    hashed_split,
    read_waveform,
)
from uniecg.errors import InputError

_TRAIN = ("ECG_Grounding_130k.json", "ECG_Grounding_30k.json", "grounding_train_30k.json")
_TEST = ("ecg-grounding-test.json",)
_FOLDERS = ("", "ecg_jsons", "ecg_bench", "ecg_grounding_test_data", "data/ecg_jsons", "data/ecg_bench")
_SIGNALS = ("", "ecg_timeseries", "data/ecg_timeseries")
_PTBXL = re.compile(r"(?:^|/)(\d{5})_[hl]r$")
_SUBJECT = re.compile(r"(?:^|/)p(\d{6,})/s\d+/")


def _entries(root: Path) -> Iterator[Entry | Problem]:
    files = [file for names in (_TRAIN, _TEST) if (file := _first(root, names)) is not None]
    if not files:
        raise InputError(f"{root}: not an ECG-Grounding folder ({_TRAIN[1]} is missing)")
    for file in files:
        for number, item in enumerate(json_items(file)):
            # One ECG has several conversations, some under one id: the place in the file tells them apart.
            uid = f"grounding-{'test' if file.name in _TEST else 'train'}-{number:07d}"
            if not isinstance(item, dict) or not isinstance(item.get("conversations"), list):
                yield Problem(METADATA, uid, f"{file.name}: item {number} has no conversations")
            elif not item.get("ecg"):
                yield Problem(
                    MISSING, uid, f"{file.name}: item {number} names no ECG, only {item.get('image')!r}"
                )
            else:
                yield _entry(uid, item, test=file.name in _TEST)


def _first(root: Path, names: tuple[str, ...]) -> Path | None:
    places = (root / folder / name for name in names for folder in _FOLDERS)
    return next((place for place in places if place.is_file()), None)


def _entry(uid: str, item: dict[str, Any], *, test: bool) -> Entry:
    path = str(item["ecg"])
    subject = _SUBJECT.search(path)
    # A patient of MIMIC-IV falls into the same split here and in MIMIC-IV-ECG itself.
    patient = mimic_patient(subject[1]) if subject else f"grounding-{Path(path).name}"
    # The folds of PTB-XL are not in these files: to train on none of its test records, none of its records train here.
    test = test or _PTBXL.search(path) is not None
    fields = {
        "path": path,
        "id": str(item.get("id", "")),
        "image": item.get("image"),
        "conversations": [
            [str(turn.get("from", "")), str(turn.get("value", ""))]
            for turn in item["conversations"]
            if isinstance(turn, dict)
        ],
        "report": item.get("report"),
        "values": item.get("machine_measurements"),
    }
    return Entry(uid, patient, "test" if test else hashed_split(patient), fields)


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    fields = entry.fields
    place = Path(fields["path"])
    if place.is_absolute() or ".." in place.parts:
        raise BadRecord(Problem(MISSING, entry.uid, f"{place} does not lie in the folder"))
    stems = [root / folder / place for folder in _SIGNALS]
    found = next((stem for stem in stems if stem.with_name(f"{stem.name}.hea").is_file()), stems[0])
    record, problems = read_waveform(found, entry.uid)
    report = fields["report"] or ""
    lines = [str(line) for line in report] if isinstance(report, list) else _sentences(str(report))
    statements, others = statements_in(lines)
    for name, value in (
        ("grounding_id", fields["id"]),
        ("image", fields["image"]),
        ("machine_measurements", fields["values"]),
    ):
        if value:
            record.metadata[name] = value
    age, sex = record.metadata.get("age"), record.metadata.get("sex")
    example = Example(
        uid=entry.uid,
        record=record,
        statements=statements,
        superclasses=(),
        age=age,
        sex=sex,
        split=entry.split,
        dataset="ECG-Grounding",
        patient=entry.patient,
        text=" ".join(lines),
        other_statements=others,
        conversation=tuple((speaker, words) for speaker, words in fields["conversations"]),
    )
    return example, problems


def _sentences(report: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.;])\s+|\n+", report.strip()) if part]


ECG_GROUNDING = Source(
    name="ecg-grounding",
    title="ECG-Grounding 30k (GEM)",
    licence="see its page; the ECGs are those of MIMIC-IV-ECG (ODbL 1.0) and others",
    url="https://huggingface.co/datasets/LANSG/ECG-Grounding",
    layout="ECG_Grounding_30k.json (also in ecg_jsons/), ecg-grounding-test.json, WFDB records below ecg_timeseries/",
    entries=_entries,
    load=_load,
)
