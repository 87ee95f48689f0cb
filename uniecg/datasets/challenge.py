"""The PhysioNet/CinC Challenges 2020 and 2021: CPSC 2018, CPSC-Extra, Georgia, Chapman-Shaoxing, Ningbo, PTB, INCART.

WFDB headers with ``# Age``, ``# Sex`` and ``# Dx`` (SNOMED CT codes), samples in ``.mat`` files, in any folders below
the one given. Its copy of PTB-XL is left to `uniecg.datasets.ptbxl`, which knows the official folds and the reports.

References
----------
Perez Alday EA et al. 2020, Classification of 12-lead ECGs: the PhysioNet/Computing in Cardiology Challenge 2020,
Physiol Meas 41:124003. Reyna MA et al. 2021, Will two do?, Computing in Cardiology 48.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from uniecg.datasets.codes import translate
from uniecg.datasets.examples import Example
from uniecg.datasets.source import METADATA, Entry, Problem, Source, hashed_split, read_waveform
from uniecg.errors import InputError

PTBXL_COPY = "PTB-XL record, read from ptb-xl"
# How each source numbers its records.
_SOURCES = {
    "CPSC2018": re.compile(r"A\d{4}"),
    "CPSC-Extra": re.compile(r"Q\d{4}"),
    "Georgia": re.compile(r"E\d{5}"),
    "Chapman-Shaoxing/Ningbo": re.compile(r"JS\d{5}"),
    "PTB": re.compile(r"S\d{4}"),
    "INCART": re.compile(r"I\d{4}"),
    PTBXL_COPY: re.compile(r"HR\d{5}"),
}
# Several records of one person, and nothing in the files that says which: all of them train.
_UNGROUPED = ("PTB", "INCART")
_DX = re.compile(r"#\s*Dx\s*:\s*(?P<codes>.*)", re.IGNORECASE)


def _entries(root: Path) -> Iterator[Entry | Problem]:
    found = False
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            stem = name.removesuffix(".hea")
            source = next((key for key, pattern in _SOURCES.items() if pattern.fullmatch(stem)), None)
            if stem == name or source is None:
                continue
            found = True
            uid = f"ch21-{stem}"
            if source == PTBXL_COPY:
                yield Problem(PTBXL_COPY, uid, "the folds and reports are there", intended=True)
                continue
            fields = {"path": (Path(folder) / stem).relative_to(root).as_posix(), "dataset": source}
            yield Entry(uid, uid, "train" if source in _UNGROUPED else hashed_split(uid), fields)
    if not found:
        raise InputError(
            f"{root}: no headers of the Challenges 2020 or 2021 below it (A0001.hea, JS00001.hea, ...)"
        )


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    path = root / entry.fields["path"]
    record, problems = read_waveform(path, entry.uid)
    header = path.with_name(f"{path.name}.hea").read_text(encoding="utf-8", errors="replace")
    match = next((match for line in header.splitlines() if (match := _DX.match(line))), None)
    codes = [code for part in (match["codes"] if match else "").split(",") if (code := part.strip())]
    if not codes:
        problems.append(Problem(METADATA, entry.uid, "the header has no # Dx", skipped=False))
    statements, others, unknown = translate("snomed", codes, entry.uid)
    record.metadata["dx_snomed"] = ",".join(codes)
    example = Example(
        uid=entry.uid,
        record=record,
        statements=statements,
        superclasses=(),
        age=record.metadata.get("age"),
        sex=record.metadata.get("sex"),
        split=entry.split,
        dataset=entry.fields["dataset"],
        patient=entry.patient,
        other_statements=others,
    )
    return example, problems + unknown


CHALLENGE = Source(
    name="challenge",
    title="PhysioNet/CinC Challenge 2020 and 2021 (CPSC, CPSC-Extra, Georgia, Chapman-Shaoxing, Ningbo, PTB, INCART)",
    licence="CC BY 4.0",
    url="https://physionet.org/content/challenge-2021/1.0.3/",
    layout="WFDB headers and .mat files in any folders, such as training/georgia/g1/E00001.hea",
    entries=_entries,
    load=_load,
)
