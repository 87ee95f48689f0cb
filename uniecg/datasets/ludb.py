"""LUDB: 200 ECGs of 10 s at 500 Hz with cardiologists' wave marks (Kalyakulina et al. 2020, IEEE Access 8:186181).

WFDB records ``data/1.hea`` to ``data/200.hea``; age, sex and diagnoses are remarks of the header (``#<age>: 51``, then
``#<diagnoses>:`` and one a line). The gains of the headers break Einthoven's law, the digital values as microvolt obey
it: these are read. All of it is test data, too little to train on and wanted for wave marks (``uniecg evaluate ludb``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uniecg.datasets.codes import translate
from uniecg.datasets.examples import Example
from uniecg.datasets.source import METADATA, Entry, Problem, Source, read_waveform, years
from uniecg.errors import InputError
from uniecg.record import Record


def _entries(root: Path) -> Iterator[Entry | Problem]:
    headers = [path for path in (root / "data").glob("*.hea") if path.stem.isdigit()]
    if not headers:
        raise InputError(f"{root}: not a LUDB folder (data/1.hea is missing)")
    for header in sorted(headers, key=lambda path: int(path.stem)):
        number = int(header.stem)
        yield Entry(f"ludb-{number:03d}", f"ludb-{number:02d}", "test", {"name": header.stem})


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    import wfdb  # brings pandas: loaded only where a WFDB file is read

    path = root / "data" / entry.fields["name"]
    # Read for its checks alone; that the limb leads contradict each other is the gains' fault.
    checked, _ = read_waveform(path, entry.uid)
    content = wfdb.rdrecord(str(path), physical=False)
    signal = np.asarray(content.d_signal, np.float32).T / 1000
    remarks, diagnoses = _remarks(path.with_name(f"{path.name}.hea"))
    problems = []
    if not diagnoses:
        problems.append(Problem(METADATA, entry.uid, "the header has no diagnoses", skipped=False))
    statements, others, unknown = translate("ludb", [_plain(line) for line in diagnoses], entry.uid)
    example = Example(
        uid=entry.uid,
        record=Record(signal, checked.sampling_rate, content.sig_name),
        statements=statements,
        superclasses=(),
        age=years(remarks.get("age")),
        sex={"f": "female", "m": "male"}.get(remarks.get("sex", "").lower()),
        split=entry.split,
        dataset="LUDB",
        patient=entry.patient,
        text=" ".join(f"{line.rstrip('.')}." for line in diagnoses),
        other_statements=others,
    )
    return example, problems + unknown


def _remarks(header: Path) -> tuple[dict[str, str], list[str]]:
    """The remarks ``<name>: value`` of a header, and the lines that follow ``<diagnoses>:``."""
    named: dict[str, str] = {}
    diagnoses: list[str] = []
    for line in header.read_text(encoding="utf-8", errors="replace").splitlines():
        remark = line.lstrip("# ").strip()
        if not line.startswith("#") or not remark:
            continue
        if remark.startswith("<"):
            name, _, value = remark.lstrip("<").partition(">:")
            named[name.lower()] = value.strip()
        elif "diagnoses" in named:
            diagnoses.append(remark)
    return named, diagnoses


def _plain(line: str) -> str:
    return " ".join(line.lower().removeprefix("rhythm:").rstrip(".").split())


LUDB = Source(
    name="ludb",
    title="LUDB 1.0.1",
    licence="ODC-By 1.0",
    url="https://physionet.org/content/ludb/1.0.1/",
    layout="data/1.hea, data/1.dat and so on",
    entries=_entries,
    load=_load,
)
