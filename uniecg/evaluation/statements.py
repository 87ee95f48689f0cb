"""Statements task: what is read from a report beside the statements that PTB-XL's readers gave to the record.

No model is asked. Half of the reports were looked at while the wordings of the vocabulary were written, the other half
was not: which half a report is in follows from a hash of its letters (`is_held_out`), so reports that differ only in
numbers, spaces or punctuation are in the same half. ``split="train"`` is the half that was looked at, within folds 1
to 8; ``"test"`` are all reports that were held out.

What is counted. Every key of ``scp_codes`` counts, whatever its likelihood: PTB-XL writes 0 for "not stated" and does
so for all statements of form and rhythm. What an editor added to a report ("Edit: NORM 80, ...") is cut off before it
is read, for it holds the codes themselves. The report and the labels are not two spellings of one opinion: form and
rhythm were taken from the words, but most diagnoses were given anew by a reader who saw the tracing, so that one
sentence of a machine stands beside many sets of labels. Three numbers show what that means:

- ``micro_f1``: all statements, each by its own code.
- ``micro_f1_classes``: form and rhythm by code, diagnoses by their superclass (NORM, MI, STTC, CD, HYP), which the
  readers changed less often than the exact territory or degree.
- ``micro_f1_repeated``: the first one on reports whose exact words occur five times or more. Its ``same_words`` is
  what the labels of the other records with these words predict (those that more than half of them carry): more than
  that is in no text.

``exact_names`` is what a search for the codes and English names alone reaches; the baseline gives every report the
commonest set of labels.

References
----------
Wagner P. et al. 2020, PTB-XL, Sci Data 7:154 (reports, likelihoods, second reading).
"""

from __future__ import annotations

import ast
import csv
import gzip
import hashlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, metric, progress, result, sample
from uniecg.evaluation.metrics import bootstrap_ci
from uniecg.text.statements import STATEMENTS, find_statements, parse_statements, superclasses_of

VERSION = "1.0"
TABLES = ("ptbxl_database.csv", "ptbxl_labels.csv.gz", "text/ptbxl_labels.csv.gz")
READ_FOLDS = range(1, 9)  # folds 9 and 10 stay unseen, whatever the hash says
REPEATED = 5

_EDITOR = re.compile(r"\bEdit:.*", re.DOTALL)
Codes = frozenset[str]


@dataclass(frozen=True)
class Report:
    """One report with the statements of its record."""

    text: str
    codes: Codes
    fold: int
    held_out: bool


def is_held_out(report: str) -> bool:
    """Tell whether a report belongs to the half that was not looked at, by its letters alone."""
    letters = "".join(character for character in report.lower() if character.isalpha())
    return bool(hashlib.sha256(letters.encode()).digest()[0] & 1)


def run(
    pipe: Pipeline | None,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Score `uniecg.text.parse_statements` on the reports of PTB-XL; see the module.

    Parameters
    ----------
    pipe : Pipeline or None
        Not used: no model is needed.
    data : Path
        Folder that holds ``ptbxl_database.csv`` or ``ptbxl_labels.csv.gz``, or one of these files.
    split : str
        ``"test"`` for the reports that were held out, ``"train"`` for those that were looked at.
    seed : int
        Seed of the bootstrap over reports (equal texts are drawn together) and of the choice of `n` reports.
    n : int, optional
        Use at most so many reports.

    Returns
    -------
    dict
        With ``skipped``: rows without a report or labels, or with a label that is no statement.

    Raises
    ------
    InputError
        If the table is missing or unreadable, the split is unknown or empty.
    """
    if split not in ("train", "test"):
        raise InputError(f"the task statements has the splits train and test, not {split!r}; choose --split")
    every, skipped = read_reports(data)
    held_out = [report for report in every if report.held_out]
    looked_at = [report for report in every if not report.held_out and report.fold in READ_FOLDS]
    chosen = list(sample(held_out if split == "test" else looked_at, n, seed))
    if not chosen:
        raise InputError(f"{data}: no reports in the split {split}; choose another --split or table")
    cache: dict[str, tuple[Codes, Codes]] = {}
    for report in progress(chosen, "reports"):
        if report.text not in cache:
            named = (mention.code for mention in find_statements(report.text) if not mention.negated)
            cache[report.text] = frozenset(parse_statements(report.text)), frozenset(named)
    common = Counter(report.codes for report in looked_at or chosen).most_common(1)[0][0]
    metrics: dict[str, Any] = {}
    views: dict[str, Callable[[Codes], Codes]] = {
        "micro_f1": lambda codes: codes,
        "micro_f1_classes": _classes,
        "micro_f1_form_rhythm": lambda codes: frozenset(
            c for c in codes if STATEMENTS[c].kind != "diagnostic"
        ),
        "micro_f1_diagnostic": lambda codes: frozenset(
            c for c in codes if STATEMENTS[c].kind == "diagnostic"
        ),
    }
    texts = [report.text for report in chosen]
    for name, view in views.items():
        truth = [view(report.codes) for report in chosen]
        read = [view(cache[text][0]) for text in texts]
        metrics[name] = _score(truth, read, texts, seed, [view(common)] * len(truth))
        metrics[name]["exact_names"] = _f1(_counts(truth, [view(cache[text][1]) for text in texts]))
    times = Counter(texts)
    repeated = [report for report in chosen if times[report.text] >= REPEATED]
    if repeated:
        truth = [report.codes for report in repeated]
        read = [cache[report.text][0] for report in repeated]
        words = [report.text for report in repeated]
        metrics["micro_f1_repeated"] = _score(truth, read, words, seed, [common] * len(truth))
        metrics["micro_f1_repeated"] |= {
            "same_words": _f1(_counts(truth, _of_the_others(repeated))),
            "n": len(repeated),
        }
    return result(
        "statements", VERSION, seed, len(chosen), metrics, split=split, texts=len(set(texts)), skipped=skipped
    )


def _table(data: Path | None) -> Path:
    if data is not None:
        for path in (data, *(data / name for name in TABLES)):
            if path.is_file():
                return path
    raise InputError(f"{data}: the task statements needs --data, a folder with {TABLES[0]} or {TABLES[1]}")


def read_reports(data: Path | None) -> tuple[list[Report], int]:
    """Reports of PTB-XL's table, and how many of its rows hold none that can be scored.

    Parameters
    ----------
    data : Path
        As for `run`.

    Raises
    ------
    InputError
        If the table is missing or unreadable.
    """
    path = _table(data)
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV table of PTB-XL ({error}); download it again") from error
    missing = {"report", "scp_codes", "strat_fold"} - set(rows[0] if rows else ())
    if missing:
        raise InputError(f"{path}: no column {', '.join(sorted(missing))}; use a table of PTB-XL's metadata")
    reports = list(_reports(rows))
    return reports, len(rows) - len(reports)


def _reports(rows: Iterable[dict[str, str]]) -> Iterator[Report]:
    for row in rows:
        try:
            codes = frozenset(ast.literal_eval(row["scp_codes"]))
            fold = int(float(row["strat_fold"]))
        except (ValueError, SyntaxError, TypeError):
            continue
        if row["report"].strip() and codes and codes <= STATEMENTS.keys():
            # The hash is of the text as it is published, with the editor's remark.
            held_out = is_held_out(row["report"])
            yield Report(_EDITOR.sub("", row["report"]), codes, fold, held_out)


def _classes(codes: Codes) -> Codes:
    return frozenset(c for c in codes if STATEMENTS[c].kind != "diagnostic") | set(superclasses_of(codes))


def _counts(truth: list[Codes], read: list[Codes]) -> NDArray[np.int64]:
    """Hits, labels and statements read of each report, shape (n, 3)."""
    return np.array([(len(t & r), len(t), len(r)) for t, r in zip(truth, read, strict=True)], np.int64)


def _f1(counts: NDArray[np.int64]) -> float:
    hits, labels, read = counts.sum(axis=0)
    return float(2 * hits / (labels + read)) if labels + read else float("nan")


def _score(
    truth: list[Codes], read: list[Codes], texts: list[str], seed: int, common: list[Codes]
) -> dict[str, Any]:
    counts = _counts(truth, read)
    hits, labels, found = (int(total) for total in counts.sum(axis=0))
    interval = bootstrap_ci(lambda index: _f1(counts[index]), len(counts), seed=seed, groups=texts)
    return metric(
        _f1(counts),
        interval,
        _f1(_counts(truth, common)),
        precision=hits / found if found else None,
        recall=hits / labels if labels else None,
    )


def _of_the_others(reports: list[Report]) -> list[Codes]:
    """For each report the statements that more than half of the other records with its words carry."""
    carried: dict[str, Counter[str]] = defaultdict(Counter)
    times = Counter(report.text for report in reports)
    for report in reports:
        carried[report.text].update(report.codes)
    return [
        frozenset(
            code
            for code, count in carried[report.text].items()
            if 2 * (count - (code in report.codes)) > times[report.text] - 1
        )
        for report in reports
    ]
