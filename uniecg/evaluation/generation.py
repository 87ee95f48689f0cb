"""Generation task: do generated ECGs show the rate, rhythm and findings asked for, and consistent leads?

Rate and rhythm rest on the QRS complexes found by XQRS of the wfdb package, not by our own detector; findings on
our criteria, since no independent program judges them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from wfdb.processing import xqrs_detect

from uniecg.evaluation.common import Pipeline, average, metric, progress, result, share
from uniecg.evaluation.metrics import bootstrap_ci
from uniecg.record import Record
from uniecg.signal import measure
from uniecg.signal.criteria import check
from uniecg.text.statements import STATEMENTS

VERSION = "1.1"
DEFAULT_N = 100
RATES_BPM = (50, 120)
CLOSE_BPM = 10.0
IRREGULAR_CV, REGULAR_CV = 0.10, 0.08
FILE_STEP_MV = 0.001  # resolution of a written file, 1 microvolt
DETECTION_LEADS = ("II", "V5", "I")

RATE_REQUESTS = (
    "Generate a 12-lead ECG of {finding} with a heart rate of {rate} bpm.",
    "Please create an ECG showing {finding} at {rate} beats per minute.",
    "I would like to see an ECG with {finding}, ventricular rate {rate}/min.",
    "Draw me an example tracing: {finding}, rate {rate} bpm, {person}.",
    "Make an ECG of a {person} with {finding}; the heart rate should be {rate} bpm.",
)
RHYTHM_REQUESTS = (
    "Generate a 12-lead ECG of {finding}.",
    "Please create an ECG showing {finding} in a {person}.",
    "I would like to see an example of {finding}.",
    "Make an ECG of a {person} with {finding}.",
    "Show me what {finding} looks like on a new tracing.",
)
PERSONS = ("70-year-old woman", "55-year-old man", "34-year-old woman", "81-year-old man")
COMPANIONS = (
    "", ", otherwise normal ECG", " and left bundle branch block", " and right bundle branch block",
    " and left ventricular hypertrophy", " and anterior myocardial infarction", " and first degree AV block",
)  # fmt: skip
# Statements with published criteria that can be read from one ECG.
FINDINGS = ("CLBBB", "CRBBB", "LAFB", "LVH", "IMI", "ASMI", "1AVB", "LNGQT", "LVOLT", "INVT")


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = None,
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Rate, regularity and lead algebra of ECGs generated from sentences.

    Parameters
    ----------
    pipe : Pipeline
        Called as ``pipe(request, seed=i).record``.
    data, split : optional
        Not used: the requests are drawn.
    seed : int
        Seed of requests and bootstrap; request `i` is generated with seed `seed + i`.
    n : int, optional
        Number of requests with a rate, 100 by default; half as many each ask for atrial fibrillation, for
        sinus rhythm and for one of ``FINDINGS``.

    Returns
    -------
    dict
        A request that brings no record, or one in which fewer than two beats are found, counts as 0 bpm and
        as missed. Baselines: a generator that always makes the median rate; for the rhythm tests, how often
        the records of the other rhythm pass the same test; for the findings, how often the
        sinus rhythms meet the same criteria; for the leads, the residual of the same records at the resolution of
        a file.
    """
    n = DEFAULT_N if n is None else n
    rng = np.random.default_rng(seed)
    rates = rng.integers(RATES_BPM[0], RATES_BPM[1] + 1, n)
    half = max(1, n // 2)
    requests = [rate_request(int(rate), rng) for rate in rates]
    requests += [rhythm_request("atrial fibrillation", rng) for _ in range(half)]
    requests += [rhythm_request("normal sinus rhythm", rng) for _ in range(half)]
    wanted = [FINDINGS[index % len(FINDINGS)] for index in range(half)]
    requests += [rhythm_request(STATEMENTS[code].name, rng) for code in wanted]
    records = [
        pipe(request, seed=seed + index).record
        for index, request in enumerate(progress(requests, "generation", len(requests)))
    ]
    beats = [np.empty(0) if record is None else find_beats(record) for record in records[: n + 2 * half]]
    measured = np.array([heart_rate_bpm(times) for times in beats[:n]])
    errors = np.abs(measured - rates)
    always_median = np.abs(np.median(rates) - rates)
    cv = np.array([rr_cv(times) for times in beats[n:]])
    fibrillation, sinus = cv[:half], cv[half:]
    plain = [met_criteria(record) for record in records[n + half : n + 2 * half]]
    asked = [met_criteria(record) for record in records[n + 2 * half :]]
    shown = np.array([code in codes for code, codes in zip(wanted, asked, strict=True)])
    by_chance = float(np.mean([code in codes for code, codes in zip(wanted, plain, strict=True)]))
    existing = [record for record in records if record is not None]
    residuals = np.array([lead_residual_mv(record.signal) for record in existing])
    written = [lead_residual_mv(np.round(record.signal / FILE_STEP_MV) * FILE_STEP_MV) for record in existing]
    metrics = {
        "rate_mae_bpm": average(errors, seed, baseline=float(always_median.mean())),
        "rate_within_10_bpm": share(errors <= CLOSE_BPM, baseline=float((always_median <= CLOSE_BPM).mean())),
        "rate_measurable": share(measured > 0),
        "af_rr_cv_above_0_10": share(
            fibrillation > IRREGULAR_CV, baseline=float((sinus > IRREGULAR_CV).mean())
        ),
        "sinus_rr_cv_below_0_08": share(
            sinus < REGULAR_CV, baseline=float((fibrillation < REGULAR_CV).mean())
        ),
        "finding_criteria_met": share(shown, baseline=by_chance),
        "lead_algebra_max_residual_mv": metric(
            float(residuals.max()) if existing else math.nan,
            bootstrap_ci(lambda index: float(residuals[index].max()), len(existing), seed=seed),
            baseline=max(written, default=math.nan),
        ),
    }
    return result("generation", VERSION, seed, len(requests), metrics)


def rate_request(rate_bpm: int, rng: np.random.Generator) -> str:
    """A sentence asking for sinus rhythm, by its name at that rate, alone or with another finding."""
    rhythm = (
        "sinus bradycardia" if rate_bpm < 60 else "sinus tachycardia" if rate_bpm > 100 else "sinus rhythm"
    )
    finding = rhythm + str(rng.choice(COMPANIONS))
    return str(rng.choice(RATE_REQUESTS)).format(finding=finding, rate=rate_bpm, person=rng.choice(PERSONS))


def rhythm_request(finding: str, rng: np.random.Generator) -> str:
    """A sentence asking for a rhythm without naming a rate."""
    return str(rng.choice(RHYTHM_REQUESTS)).format(finding=finding, person=rng.choice(PERSONS))


def met_criteria(record: Record | None) -> set[str]:
    """Those of ``FINDINGS`` whose criteria are met."""
    if record is None:
        return set()
    measurements = measure(record)
    return {code for code in FINDINGS if check(code, measurements)[0]}


def find_beats(record: Record) -> NDArray[np.float64]:
    """QRS times in s by XQRS in lead II; in V5, then I, where fewer than two are found."""
    for lead in DETECTION_LEADS:
        trace = np.asarray(record[lead], dtype=np.float64)
        if np.isfinite(trace).all():
            found = np.asarray(xqrs_detect(trace, record.sampling_rate, verbose=False), dtype=np.float64)
            if found.size >= 2:
                return found / record.sampling_rate
    return np.empty(0)


def heart_rate_bpm(beats_s: NDArray[np.float64]) -> float:
    """Mean rate from first to last beat, beats a minute; 0 with fewer than two beats."""
    return float(60.0 * (beats_s.size - 1) / (beats_s[-1] - beats_s[0])) if beats_s.size >= 2 else 0.0


def rr_cv(beats_s: NDArray[np.float64]) -> float:
    """Coefficient of variation of the RR intervals; NaN with fewer than three beats."""
    intervals = np.diff(beats_s)
    return float(intervals.std() / intervals.mean()) if intervals.size >= 2 else math.nan


def lead_residual_mv(signal: NDArray[np.floating[Any]]) -> float:
    """Largest departure from Einthoven's and Goldberger's relations between the limb leads, mV.

    Parameters
    ----------
    signal : ndarray, shape (12, T)
        mV, rows in the order of `uniecg.record.LEADS`.
    """
    i, ii, iii, avr, avl, avf = np.asarray(signal[:6], dtype=np.float64)
    residuals = (iii - (ii - i), avr + (i + ii) / 2, avl - (i - ii / 2), avf - (ii - i / 2))
    return float(np.max(np.abs(residuals)))
