"""Simulator task: does what is simulated measure as what was asked for, and is it fast? No model is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.evaluation.common import average, metric, progress, result, share
from uniecg.evaluation.generation import find_beats, heart_rate_bpm
from uniecg.signal import Measurements, measure
from uniecg.signal.criteria import check, findings
from uniecg.simulate import SIMULATED, Simulation, simulate

VERSION = "1.0"
DEFAULT_N = 1000
PER_DIAGNOSIS = 50
NORMALS = 200
TIMED = 200
ORDINARY_NOISE = 1.0

RATED = (
    "SR", "SBRAD", "STACH", "SARRH", "AFIB", "AFLT", "SVTAC", "JUNC", "VT", "PACE", "1AVB", "2AVB1", "2AVB2", "2AVB21",
    "3AVB", "PAC", "PVC", "COUPLET", "BIGU", "TRIGU",
)  # fmt: skip
"""Rhythms whose rate is asked for in the rate test."""

TIMED_WAVES = (
    "NORM", "SBRAD", "1AVB", "LNGQT", "SHQT", "CLBBB", "CRBBB", "ILBBB", "IRBBB", "LAFB", "LPFB", "IVCD", "WPW", "LVH",
    "RVH", "LAO/LAE", "IMI", "AMI", "LMI", "STEMI anterior", "STEMI inferior", "ISCLA", "PERICARDITIS", "INVT",
)  # fmt: skip
"""Statements of the interval test: every shape of P, QRS and T that has a normal rhythm."""

OPEN = frozenset({"EARLY REPOLARISATION", "2AVB", "2AVB2", "2AVB21"})
"""Their rows name something that is not measured: they count as met when nothing contradicts them."""

SAME_AS = {
    "SVARR": ("PAC",), "PRC(S)": ("PAC", "PVC"), "HVOLT": ("VCLVH",), "ABQRS": ("IVCD",), "ISCAS": ("ISCAN",),
    "ISCAL": ("ISCAN", "ISCLA"), "ISCIL": ("ISCIN", "ISCLA"), "INJAL": ("INJAS", "INJLA"), "INJIL": ("INJIN", "INJLA"),
    "IPMI": ("IMI",), "IPLMI": ("IMI", "LMI"), "ANEUR": ("AMI",), "EL": ("HYPERK",), "PSVT": ("SVTAC",),
    "COUPLET": ("PVC",),
}  # fmt: skip
"""Statement without a row of its own -> rows of which one has to be met."""

NOT_CHECKED = frozenset({"NT_", "NDT", "TAB_", "NST_"})
"""Small changes that no criterion defines."""

SAID_OF_NORMALS = frozenset({"SR", "NORM"})


def _fast_and_regular(m: Measurements) -> bool:
    return m.heart_rate_bpm >= 120.0 and m.rr_irregularity < 0.04


def _tall_t(m: Measurements) -> bool:
    """Two leads: a tall T wave in one of them is common in the healthy.

    Lower than what denies a normal ECG (`t_tall_count`), which must spare the healthy more than it must find.
    """
    leads = [m.leads[name] for name in ("V2", "V3", "V4")]
    return sum(lead.t_mv >= max(0.7, 0.6 * max(lead.r_mv, -lead.s_mv)) for lead in leads) >= 2


def _scooped_st(m: Measurements) -> bool:
    down = sum(m.leads[name].st_mv <= -0.05 for name in ("I", "II", "aVF", "V4", "V5", "V6"))
    return down >= 2


def _deep_narrow_q(m: Measurements) -> bool:
    deep = (m.leads[name] for name in ("I", "II", "III", "aVL", "aVF", "V5", "V6"))
    return sum(lead.q_mv <= -0.2 for lead in deep) >= 2


CHECKS: dict[str, Callable[[Measurements], bool]] = {
    # At their rates the end of T is found as a P wave, so the row of the table cannot be met.
    "SVTAC": lambda m: _fast_and_regular(m) and m.qrs_ms < 120.0,
    "VT": lambda m: _fast_and_regular(m) and m.qrs_ms >= 120.0,
    "JUNC": lambda m: m.p_fraction < 0.5 and 35.0 <= m.heart_rate_bpm <= 65.0 and m.qrs_ms < 120.0,
    "HYPERK": _tall_t,
    "HYPOK": _scooped_st,
    "DIG": _scooped_st,
    "SEHYP": _deep_narrow_q,
    "REVERSAL LA/RA": lambda m: m.leads["I"].p_mv < 0.0,
    "REVERSAL LA/LL": lambda m: abs(m.leads["I"].p_mv) > abs(m.leads["II"].p_mv),
    "REVERSAL RA/LL": lambda m: m.leads["II"].p_mv < 0.0,
    "REVERSAL V1/V2": lambda m: m.leads["V1"].r_mv > m.leads["V2"].r_mv,
    "REVERSAL V2/V3": lambda m: m.leads["V2"].r_mv > m.leads["V3"].r_mv,
}
"""Statement without criteria -> what has to be measured (Surawicz & Knilans, Chou's Electrocardiography, 2008)."""


def run(
    pipe: object = None,
    data: Path | None = None,
    split: str | None = None,
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Measure simulated ECGs.

    Parameters
    ----------
    pipe, data, split : optional
        Not used: everything is drawn.
    seed : int
        Draw `i` of each part is simulated with the seed `(seed, part, i)`.
    n : int, optional
        Number of draws of the rate test, 1,000 by default. Fewer make the other parts smaller by the same share.

    Returns
    -------
    dict
        Rate: absolute error of our measurement and of XQRS (wfdb) on recordings with ordinary noise; baseline a
        constant 75 beats a minute. Intervals: absolute error on recordings without noise; baseline the medians.
        Diagnoses: share of draws with ordinary noise that meet the criteria of what was asked for (or, where the
        table has none, a written check); baseline how often the simulated normals meet the same. False alarms:
        share of simulated normals in which anything but sinus rhythm and "normal" is found. Speed: simulated
        records of 10 s per second of processor time, without noise.
    """
    n = DEFAULT_N if n is None else n
    size = n / DEFAULT_N
    per_diagnosis, normals = max(2, round(PER_DIAGNOSIS * size)), max(2, round(NORMALS * size))
    metrics = _rates(n, seed) | _intervals(max(len(TIMED_WAVES), round(500 * size)), seed)
    codes = sorted(SIMULATED - NOT_CHECKED - {"NORM"})
    healthy = [
        measure(_draw("NORM", seed, 2, index, ORDINARY_NOISE).record)
        for index in progress(range(normals), "simulated normals", normals)
    ]
    by_chance = {code: float(np.mean([shows(code, m) for m in healthy])) for code in codes}
    recalls = {}
    for number, code in enumerate(progress(codes, "diagnoses", len(codes))):
        drawn = (
            measure(_draw(code, seed, 3 + number, i, ORDINARY_NOISE).record) for i in range(per_diagnosis)
        )
        recalls[code] = share((shows(code, m) for m in drawn), baseline=by_chance[code])
    values = [entry["value"] for entry in recalls.values()]
    metrics["diagnosis_recall_mean"] = average(
        values, seed, baseline=float(np.mean(list(by_chance.values())))
    )
    metrics["diagnoses_with_recall_of_0_90"] = share(value >= 0.9 for value in values)
    metrics["false_alarms_on_normals"] = share(bool(set(findings(m)) - SAID_OF_NORMALS) for m in healthy)
    metrics["records_per_second"] = _speed(max(10, round(TIMED * size)), seed)
    return result("simulator", VERSION, seed, n, metrics, diagnoses=recalls)


def _draw(code: str, seed: int, part: int, index: int, noise: float) -> Simulation:
    return simulate([code], rng=np.random.default_rng((seed, part, index)), noise=noise)


def shows(code: str, m: Measurements) -> bool:
    """Whether the measurements meet what a statement means.

    Parameters
    ----------
    code : str
        Member of `uniecg.simulate.SIMULATED`.
    m : Measurements
    """
    if code in CHECKS:
        return CHECKS[code](m)
    if code in SAME_AS:
        return any(shows(other, m) for other in SAME_AS[code])
    return check(code, m)[0] is not False if code in OPEN else check(code, m)[0] is True


def _rates(n: int, seed: int) -> dict[str, Any]:
    ours, xqrs, trivial = [], [], []
    for index in progress(range(n), "rates", n):
        drawn = _draw(RATED[index % len(RATED)], seed, 0, index, ORDINARY_NOISE)
        asked = drawn.attributes.heart_rate_bpm or 0.0
        measured = measure(drawn.record).heart_rate_bpm
        ours.append(abs((0.0 if np.isnan(measured) else measured) - asked))
        xqrs.append(abs(heart_rate_bpm(find_beats(drawn.record)) - asked))
        trivial.append(abs(75.0 - asked))
    baseline = float(np.mean(trivial))
    return {
        "rate_mae_bpm": average(ours, seed, baseline),
        "rate_mae_xqrs_bpm": average(xqrs, seed, baseline),
        "rate_within_1_bpm": share(error <= 1.0 for error in ours),
        "rate_within_1_xqrs_bpm": share(error <= 1.0 for error in xqrs),
    }


def _intervals(n: int, seed: int) -> dict[str, Any]:
    names = ("pr_ms", "qrs_ms", "qt_ms")
    asked: dict[str, list[float]] = {name: [] for name in names}
    measured: dict[str, list[float]] = {name: [] for name in names}
    for index in progress(range(n), "intervals", n):
        drawn = _draw(TIMED_WAVES[index % len(TIMED_WAVES)], seed, 1, index, 0.0)
        m = measure(drawn.record)
        for name in names:
            asked[name].append(getattr(drawn.attributes, name))
            measured[name].append(getattr(m, name))
    metrics: dict[str, Any] = {}
    for name in names:
        a, b = np.array(asked[name], dtype=float), np.array(measured[name], dtype=float)
        quantity = name.removesuffix("_ms")
        baseline = float(np.mean(np.abs(a - np.median(a))))
        metrics[f"{quantity}_mae_ms"] = average(np.abs(b - a), seed, baseline)
        metrics[f"{quantity}_measured"] = share(np.isfinite(b))
    return metrics


def _speed(n: int, seed: int) -> dict[str, Any]:
    """Records per second of processor time over many statements."""
    codes = sorted(SIMULATED)
    spent: list[float] = []
    for index in range(n):
        start = time.process_time()
        _draw(codes[index % len(codes)], seed, 1, index, 0.0)
        spent.append(time.process_time() - start)
    rate = 1.0 / np.array(_blocks(spent))
    return metric(float(n / sum(spent)), (float(np.quantile(rate, 0.025)), float(np.quantile(rate, 0.975))))


def _blocks(spent: Iterable[float], size: int = 10) -> list[float]:
    """Means of blocks: the clock of a process is too coarse for one record."""
    values = np.array(list(spent))
    return [float(block.mean()) for block in np.array_split(values, max(1, len(values) // size))]
