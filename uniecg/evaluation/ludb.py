"""LUDB task: wave boundaries and intervals against cardiologists, beside other packages on the same records.

How the numbers are formed
--------------------------
Boundaries (Martinez et al. 2004; Kalyakulina et al. 2020): in each lead, a mark counts as found if the program has
one of the same kind within 150 ms, each used once; marks of the program between the first and the last mark of
the reader that match none are false. Before and after, LUDB is not annotated. ``lead_*`` compares lead by lead.
``beat_*`` compares the medians over the leads, beat by beat, for waves marked in at least half of the leads: what
the CSE working party (1985) asks of a program that measures all leads together.

Intervals: an interval of a record is the median over all leads and beats of what is marked **within a lead** (QRS: on
to off; QT: QRS on to the off of the next T; PR: P on to QRS on), the program's against the readers'. A program that
measures globally (this one) gives its own ``qrs_ms``, ``qt_ms``, ``pr_ms``.

Time: processor time for all twelve leads of a record (of this package: for all measurements and criteria), all threads
together, so that neither other programs nor further cores count; mean over the records.

P presence: per beat, whether a P wave was marked before it in at least half of the leads; the first annotated beat of
a record does not count, as its P wave is as a rule not annotated.

References
----------
Martinez et al. 2004, IEEE Trans Biomed Eng 51:570. Kalyakulina et al. 2020, IEEE Access 8:186181.
CSE Working Party 1985, Eur Heart J 6:815: SD of P on 10.2, P off 12.7, QRS on 6.5, QRS off 11.6, T off 30.6 ms.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.errors import InputError
from uniecg.evaluation import delineators
from uniecg.evaluation.common import Pipeline, metric, progress, result, sample
from uniecg.evaluation.wave_marks import Case, FloatArray, Marks, read_ludb
from uniecg.signal import Measurements

VERSION = "1.0"
WINDOW_S = 0.15
BOUNDARIES = {
    "p_on": ("p", 0),
    "p_peak": ("p", 1),
    "p_off": ("p", 2),
    "qrs_on": ("qrs", 0),
    "r_peak": ("qrs", 1),
    "qrs_off": ("qrs", 2),
    "t_on": ("t", 0),
    "t_peak": ("t", 1),
    "t_off": ("t", 2),
}
INTERVALS = ("pr_ms", "qrs_ms", "qt_ms")
RESAMPLES = 1000


def run(
    pipe: Pipeline | None,
    data: Path | None = None,
    split: str | None = "test",
    seed: int = 0,
    n: int | None = None,
    against: Sequence[str] = (),
) -> dict[str, Any]:
    """Score the measurements of this package, and other packages, on LUDB; see the module.

    Parameters
    ----------
    pipe : Pipeline or None
        Not used: nothing here needs the model.
    data : Path
        See `read_ludb`.
    split : str, optional
    seed : int
        Seed of the bootstrap (over records) and of the choice of `n` records.
    n : int, optional
        Use at most so many records.
    against : sequence of str
        Other packages to run on the same records, names of `delineators.DELINEATORS`.

    Returns
    -------
    dict
        ``metrics`` of this package; ``against`` maps each other package to its metrics. Baseline of the intervals:
        the typical (median) value of the records.

    Raises
    ------
    InputError
        If there are no annotated records.
    """
    programs = {"uniecg": delineators.uniecg(), **{name: delineators.load(name) for name in against}}
    cases = list(sample(read_ludb(data, split), n, seed))
    if not cases:
        raise InputError(f"{data}: no annotated records in split {split!r}; choose another --split")
    scores = {
        name: _score(progress(cases, f"ludb {name}"), program, seed) for name, program in programs.items()
    }
    metrics = scores.pop("uniecg")
    return result("ludb", VERSION, seed, len(cases), metrics, against=scores)


def _score(cases: Iterable[Case], program: delineators.Delineator, seed: int) -> dict[str, Any]:
    rows: list[dict[str, float]] = []
    intervals = []
    for case in cases:
        if not rows:
            program(case.record)  # the first call of a program loads what it needs
        start = time.process_time()
        answer = program(case.record)
        row = {"time_ms": 1000.0 * (time.process_time() - start)}
        truth = case.marks
        marks = delineators.marks_of(answer) if isinstance(answer, Measurements) else answer
        for name, (wave, column) in BOUNDARIES.items():
            pairs = [boundary_errors(truth[lead], marks[lead], wave, column) for lead in truth]
            row |= {f"lead_{name}_{key}": value for key, value in _sums(pairs).items()}
        expected, found = beats_of(truth), beats_of(marks)
        for name, (wave, column) in BOUNDARIES.items():
            one, other = ({wave: beats[wave], "qrs": beats["qrs"]} for beats in (expected, found))
            row |= {
                f"beat_{name}_{key}": value
                for key, value in _sums([boundary_errors(one, other, wave, column)]).items()
            }
        row |= p_presence(expected, found)
        rows.append(row)
        own = isinstance(answer, Measurements)
        measured = [getattr(answer, name) for name in INTERVALS] if own else intervals_of(marks)
        intervals.append((intervals_of(truth), measured))
    return _metrics(rows, np.array(intervals), seed)


def boundary_errors(
    truth: Mapping[str, FloatArray], found: Mapping[str, FloatArray], wave: str, column: int
) -> tuple[FloatArray, int, int]:
    """Match one kind of mark of one lead.

    Parameters
    ----------
    truth, found : mapping of wave to ndarray, shape (n_waves, 3), seconds
    wave : str
    column : int
        0 onset, 1 peak, 2 offset.

    Returns
    -------
    errors : ndarray, seconds
        Found less true, of the matched marks.
    missed, false : int
    """
    every = np.concatenate([rows.ravel() for rows in truth.values()])
    a, b = (side[wave][:, column] for side in (truth, found))
    # Where the reader marked the peak of a wave but not this boundary of it, there is nothing to compare.
    unmarked = truth[wave][np.isnan(a), 1]
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if unmarked.size:
        b = b[np.abs(b[:, None] - unmarked).min(axis=1) > WINDOW_S]
    inside = (b >= np.nanmin(every)) & (b <= np.nanmax(every)) if np.isfinite(every).any() else b < b
    if a.size == 0 or b.size == 0:
        return np.zeros(0), a.size, int(inside.sum())
    distance = b[None, :] - a[:, None]
    rows, nearest = np.arange(len(a)), np.abs(distance).argmin(axis=1)
    mutual = np.abs(distance).argmin(axis=0)[nearest] == rows
    matched = mutual & (np.abs(distance[rows, nearest]) <= WINDOW_S + 1e-9)
    inside[nearest[matched]] = False
    errors: FloatArray = distance[rows[matched], nearest[matched]]
    return errors, int((~matched).sum()), int(inside.sum())


def _sums(pairs: list[tuple[FloatArray, int, int]]) -> dict[str, float]:
    errors = 1000.0 * np.concatenate([pair[0] for pair in pairs])
    return {
        "hits": float(errors.size),
        "missed": float(sum(pair[1] for pair in pairs)),
        "false": float(sum(pair[2] for pair in pairs)),
        "sum": float(errors.sum()),
        "squares": float(np.square(errors).sum()),
    }


def beats_of(marks: Marks) -> dict[str, FloatArray]:
    """Waves marked in at least half of the leads: medians over the leads.

    Parameters
    ----------
    marks : mapping of lead to mapping of wave to ndarray, shape (n_waves, 3), seconds

    Returns
    -------
    mapping of wave to ndarray, shape (n_waves, 3), seconds
    """
    result: dict[str, FloatArray] = {}
    for wave in ("p", "qrs", "t"):
        rows = np.concatenate([marks[lead][wave] for lead in marks])
        rows = rows[np.argsort(rows[:, 1])]
        groups = np.split(rows, np.flatnonzero(np.diff(rows[:, 1]) > WINDOW_S) + 1)
        kept = [group for group in groups if 2 * len(group) >= len(marks)]
        result[wave] = np.array([_median(group) for group in kept]).reshape(-1, 3)
    return result


def _median(group: FloatArray) -> list[float]:
    return [
        float(np.median(column[np.isfinite(column)])) if np.isfinite(column).any() else np.nan
        for column in group.T
    ]


def p_presence(truth: dict[str, FloatArray], found: dict[str, FloatArray]) -> dict[str, float]:
    """Count beats with and without a P wave before them (up to 0.4 s) in both, for the beats that both have."""
    counts = {"p_both": 0.0, "p_missed": 0.0, "p_false": 0.0}
    beats = np.sort(truth["qrs"][:, 1])
    for before, at in pairwise(beats.tolist()):
        if not (np.abs(found["qrs"][:, 1] - at) <= WINDOW_S).any():
            continue
        start = max(before, at - 0.4)
        is_there, is_found = (
            bool(((side["p"][:, 1] > start) & (side["p"][:, 1] < at)).any()) for side in (truth, found)
        )
        counts["p_both"] += is_there and is_found
        counts["p_missed"] += is_there and not is_found
        counts["p_false"] += is_found and not is_there
    return counts


def intervals_of(marks: Marks) -> list[float]:
    """PR, QRS and QT in ms: median over leads and beats of the intervals marked within a lead.

    Parameters
    ----------
    marks : mapping of lead to mapping of wave to ndarray, shape (n_waves, 3), seconds
    """
    pr: list[FloatArray] = []
    qrs: list[FloatArray] = []
    qt: list[FloatArray] = []
    for waves in marks.values():
        beats, p, t = (waves[wave] for wave in ("qrs", "p", "t"))
        qrs.append(beats[:, 2] - beats[:, 0])
        for before, beat, after in _neighbours(beats):
            qt.extend(row[2:3] - beat[0] for row in t[(t[:, 1] > beat[1]) & (t[:, 1] < after)][:1])
            pr.extend(beat[0] - row[:1] for row in p[(p[:, 1] < beat[1]) & (p[:, 1] > before)][-1:])
    return [_typical(values) for values in (pr, qrs, qt)]


def _neighbours(beats: FloatArray) -> Iterable[tuple[float, FloatArray, float]]:
    """Each beat with limits of its P (0.4 s before, after the last beat) and of its T (0.6 s, the next beat)."""
    peaks = beats[:, 1]
    before = np.maximum(np.concatenate([[-np.inf], peaks[:-1]]), peaks - 0.4)
    after = np.minimum(np.concatenate([peaks[1:], [np.inf]]), peaks + 0.6)
    return zip(before.tolist(), beats, after.tolist(), strict=True)


def _typical(values: list[FloatArray]) -> float:
    every = np.concatenate(values) if values else np.zeros(0)
    every = every[np.isfinite(every)]
    return 1000.0 * float(np.median(every)) if every.size else np.nan


def _metrics(rows: list[dict[str, float]], intervals: FloatArray, seed: int) -> dict[str, Any]:
    """Ratios of sums over the records, with a bootstrap that draws records."""
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    draws = np.random.default_rng(seed).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES)
    weights = np.concatenate([np.ones((1, len(rows))), draws])

    def entry(values: FloatArray, baseline: float | None = None, **extra: Any) -> dict[str, Any]:
        rest = values[1:][np.isfinite(values[1:])]
        low, high = np.quantile(rest, [0.025, 0.975]) if rest.size else (np.nan, np.nan)
        return metric(float(values[0]), (float(low), float(high)), baseline, **extra)

    metrics: dict[str, Any] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for level in ("lead", "beat"):
            for name in BOUNDARIES:
                keys = ("hits", "missed", "false", "sum", "squares")
                hits, missed, false, total, squares = (
                    weights @ table[f"{level}_{name}_{key}"] for key in keys
                )
                mean = total / hits
                start = f"{level}_{name}"
                metrics[f"{start}_sensitivity"] = entry(hits / (hits + missed))
                metrics[f"{start}_ppv"] = entry(hits / (hits + false))
                metrics[f"{start}_mean_ms"] = entry(mean)
                metrics[f"{start}_sd_ms"] = entry(np.sqrt(np.maximum(squares / hits - mean**2, 0.0)))
        both, missed, false = (weights @ table[key] for key in ("p_both", "p_missed", "p_false"))
        metrics["p_present_f1"] = entry(2 * both / (2 * both + missed + false))
        for column, name in enumerate(INTERVALS):
            truth, found = intervals[:, 0, column], intervals[:, 1, column]
            known = np.isfinite(truth) & np.isfinite(found)
            error = np.where(known, found - truth, 0.0)
            count = weights @ known
            baseline = float(np.abs(truth[known] - np.median(truth[known])).mean()) if known.any() else None
            measurable = float(known.sum() / max(1, np.isfinite(truth).sum()))
            metrics[f"{name.removesuffix('_ms')}_mae_ms"] = entry(
                weights @ np.abs(error) / count, baseline, measurable=measurable
            )
            metrics[f"{name.removesuffix('_ms')}_bias_ms"] = entry(weights @ error / count)
        metrics["time_ms"] = entry(weights @ table["time_ms"] / len(rows))
    return metrics
