"""What every published data set is here: a list of entries, and a way to load each of them as an `Example`."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from uniecg.datasets.examples import Example
from uniecg.datasets.language import report_language
from uniecg.errors import FormatError, InputError
from uniecg.io import read_record
from uniecg.record import Record

MISSING = "missing or unusable file"
DAMAGED = "truncated or damaged waveform"
CHECKSUM = "wrong checksum"
METADATA = "unusable metadata"
TWICE = "listed twice"
RANGE = "amplitude beyond 32.767 mV"
UNKNOWN_CODE = "unknown code"
LANGUAGE = "report in no known language"
SUSPECT = "suspect waveform"


@dataclass(frozen=True)
class Entry:
    """One record as the index of a data set lists it.

    Attributes
    ----------
    uid, patient, split : str
        As in `Example`.
    fields : dict
        What the index says about the record: plain values (str, int, list, dict), so that entries can be sent to
        other processes and hashed.
    """

    uid: str
    patient: str
    split: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """Something a data set holds that cannot be used as it is.

    Attributes
    ----------
    kind : str
        One of the constants of this module.
    uid : str
        Record, or file, that it concerns.
    message : str
        One line: what is wrong.
    skipped : bool
        Whether the record was left out; otherwise only the part that is named.
    count : int
        Number of records concerned.
    intended : bool
        Whether the record was left out on purpose, so that nothing is wrong with the data.
    """

    kind: str
    uid: str
    message: str
    skipped: bool = True
    count: int = 1
    intended: bool = False

    def line(self) -> str:
        """The problem in one line."""
        return f"{self.uid}: {self.kind}: {' '.join(self.message.split())}"


class BadRecord(InputError):
    """A record that cannot be used; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line())
        self.problem = problem

    def __reduce__(self) -> tuple[type[BadRecord], tuple[Problem]]:
        return BadRecord, (self.problem,)  # the argument is not what the base class keeps


@dataclass(frozen=True)
class Source:
    """A published data set.

    Attributes
    ----------
    name : str
        Name on the command line.
    title, licence, url : str
        What it is called, under which licence it is published, and where.
    layout : str
        Files that the folder must hold, in one line.
    entries : callable
        ``entries(root)`` yields an `Entry` a record, in an order that depends on the files alone, and a `Problem`
        where there is no record to load. Streams: nothing grows with the waveforms.
    load : callable
        ``load(root, entry, sampling_rate)`` returns the example and the problems of parts of it, or raises
        `BadRecord`. `sampling_rate` (Hz or None) only chooses among published copies.
    index : str
        Table with one line a record, for the length of a progress bar; empty where there is none.
    """

    name: str
    title: str
    licence: str
    url: str
    layout: str
    entries: Callable[[Path], Iterator[Entry | Problem]]
    load: Callable[[Path, Entry, float | None], tuple[Example, list[Problem]]]
    index: str = ""

    def count(self, root: Path) -> int | None:
        """Number of records the index lists, None where only a full pass would tell."""
        path = root / self.index
        if not self.index or not path.is_file():
            return None
        with path.open("rb") as handle:
            lines = sum(block.count(b"\n") for block in iter(lambda: handle.read(1 << 20), b""))
        return max(0, lines - 1)


def load_example(
    source: Source, root: Path, entry: Entry, sampling_rate: float | None = None
) -> tuple[Example, list[Problem]]:
    """Load one entry, at the sampling rate asked for (Hz; None keeps its own).

    A report in no known language is moved from the example's text to ``record.metadata["report_other"]``.

    Raises
    ------
    BadRecord
        If the record cannot be used.
    """
    example, problems = source.load(root, entry, sampling_rate)
    if example.text and report_language(example.text) is None:
        problems = [*problems, Problem(LANGUAGE, entry.uid, example.text[:60], skipped=False)]
        example.record.metadata["report_other"] = example.text
        example = replace(example, text="")
    if sampling_rate is not None and example.record.sampling_rate != sampling_rate:
        example = replace(example, record=example.record.resample(sampling_rate))
    return example, problems


def read_source(
    source: Source,
    root: str | Path,
    split: str | None = None,
    *,
    sampling_rate: float | None = None,
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[Example]:
    """Yield the examples of a published data set, one in memory at a time.

    Parameters
    ----------
    source : Source
        One of `uniecg.datasets.SOURCES`.
    root : str or Path
        Its folder.
    split : str, optional
        ``"train"``, ``"val"`` or ``"test"``.
    sampling_rate : float, optional
        Hz to bring every record to; its own if not given.
    on_problem : callable, optional
        Receives each problem; records that cannot be used are then skipped. Without it the first of them raises.

    Raises
    ------
    InputError
        If the folder has another layout; without `on_problem` also for the first record that cannot be used.
    """
    root = Path(root)
    for item in source.entries(root):
        try:
            if isinstance(item, Problem):
                if item.skipped or on_problem is not None:
                    raise BadRecord(item)
                continue
            if split is not None and item.split != split:
                continue
            example, problems = load_example(source, root, item, sampling_rate)
        except BadRecord as error:
            if on_problem is not None:
                on_problem(error.problem)
            elif not error.problem.intended:
                raise
            continue
        if on_problem is not None:
            for problem in problems:
                on_problem(problem)
        yield example


def hashed_split(patient: str) -> str:
    """Split of a patient, the same on every machine: of 100 patients about 80 train, 10 validate, 10 test.

    Parameters
    ----------
    patient : str
        Pseudonym; all records of one patient fall into one split.
    """
    digest = hashlib.sha256(patient.encode("utf-8")).digest()
    place = int.from_bytes(digest[:8], "big") % 100
    return "train" if place < 80 else "val" if place < 90 else "test"


def read_waveform(path: Path, uid: str) -> tuple[Record, list[Problem]]:
    """Read the signal file of a record.

    Returns
    -------
    record : Record
        The ECG in mV.
    problems : list of Problem
        What is doubtful about it.

    Raises
    ------
    BadRecord
        If it is missing, damaged, cut short, or its checksum is wrong.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said again below, as problems
        try:
            record = read_record(path)
        except FormatError as error:
            raise BadRecord(Problem(DAMAGED, uid, str(error))) from error
        except InputError as error:
            raise BadRecord(Problem(MISSING, uid, str(error))) from error
    reasons = list(record.metadata.pop("suspect", ()))
    wrong = [reason for reason in reasons if "checksum" in reason]
    if wrong:
        raise BadRecord(Problem(CHECKSUM, uid, f"{path}: {wrong[0]}"))
    if record.metadata.get("calibrated") is False:
        reasons.append("it gives no gain; its amplitudes cannot be relied on")
        record.metadata["amplitude"] = "unknown"
    return record, [Problem(SUSPECT, uid, f"{path}: {reason}", skipped=False) for reason in reasons]


def years(value: object) -> float | None:
    """Age in years from a table; None for what is no age, 90 for the ages above 89 that PTB-XL writes as 300."""
    try:
        age = float(str(value))
    except ValueError:
        return None
    return min(age, 90.0) if age >= 0 else None
