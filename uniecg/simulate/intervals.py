"""Who the person is and how long things last: age, sex, rate, PR, QRS and QT as they go together in real ECGs.

`intervals.csv` holds medians, spreads and rank correlations per statement in 25,770 ECGs of the Shandong data set [1]_
(CC BY 4.0); `scripts/make_interval_table.py` makes it. Its rates, PR intervals and ages are used as they are. Its QRS
and QT come from a machine that errs by tens of milliseconds (normal records: QRS 94 +- 29 ms), so their middle and
spread are those of published normal values [2]_ or of the definition of the diagnosis [3]_, and only how they
correlate with the rest comes from the table.

References
----------
.. [1] Liu H et al. A large-scale multi-label 12-lead electrocardiogram database with standardized diagnostic
   statements. Sci Data 2022;9:272.
.. [2] Rijnbeek PR et al. Normal values of the electrocardiogram for ages 16-90 years. J Electrocardiol
   2014;47:914-921 (QRS 98 +- 10 ms in men and 88 +- 8 in women; QTc 405 +- 20 and 418 +- 19).
.. [3] Surawicz B et al. 2009, JACC 53:976 (QRS); Rautaharju PM et al. 2009, JACC 53:982 (QT); Kusumoto FM et al. 2019,
   JACC 74:e51 (PR); Priori SG et al. 2015, Eur Heart J 36:2793 (short QT).
.. [4] Fridericia LS. Die Systolendauer im Elektrokardiogramm. Acta Med Scand 1920;53:469 (QT = QTc * RR^(1/3)).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import NamedTuple

import numpy as np

from uniecg.attributes import Attributes, Sex
from uniecg.simulate.plan import Floats
from uniecg.simulate.rhythm import RATE_RANGES, flutter_rate

QUANTITIES = ("age", "log_rate", "pr", "qrs", "qtc")
TRUSTED = ("age", "log_rate", "pr")
DRAWS = 24


class Spread(NamedTuple):
    """Middle, spread and limits of one quantity."""

    middle: float
    spread: float
    low: float
    high: float


NORMAL: dict[Sex, dict[str, Spread]] = {
    "male": {"qrs": Spread(96.0, 7.0, 76.0, 108.0), "qtc": Spread(404.0, 16.0, 365.0, 436.0)},
    "female": {"qrs": Spread(89.0, 7.0, 72.0, 104.0), "qtc": Spread(415.0, 16.0, 370.0, 446.0)},
}
"""Healthy hearts [2]_, cut where the limits of normal are near."""

HEALTHY = {"age": (18.0, 92.0), "pr": (126.0, 192.0)}

DEFINED: Mapping[str, dict[str, Spread]] = {
    "1AVB": {"pr": Spread(232.0, 22.0, 212.0, 330.0)},
    "LPR": {"pr": Spread(222.0, 14.0, 210.0, 280.0)},
    "WPW": {"pr": Spread(102.0, 7.0, 88.0, 112.0), "qrs": Spread(128.0, 9.0, 116.0, 150.0)},
    "CLBBB": {"qrs": Spread(148.0, 11.0, 130.0, 178.0), "qtc": Spread(448.0, 16.0, 410.0, 490.0)},
    "CRBBB": {"qrs": Spread(141.0, 9.0, 127.0, 168.0), "qtc": Spread(430.0, 16.0, 390.0, 470.0)},
    "ILBBB": {"qrs": Spread(114.5, 1.2, 112.5, 117.0)},
    "IRBBB": {"qrs": Spread(114.5, 1.2, 112.5, 117.0)},
    "LAFB": {"qrs": Spread(98.0, 6.0, 84.0, 110.0)},
    "LPFB": {"qrs": Spread(98.0, 6.0, 84.0, 110.0)},
    "IVCD": {"qrs": Spread(122.0, 5.0, 115.0, 136.0)},
    "ABQRS": {"qrs": Spread(117.0, 5.0, 112.0, 130.0)},
    "PACE": {"qrs": Spread(160.0, 11.0, 138.0, 190.0), "qtc": Spread(460.0, 20.0, 415.0, 510.0)},
    "VT": {"qrs": Spread(156.0, 11.0, 140.0, 185.0)},
    "LNGQT": {"qtc": Spread(500.0, 20.0, 478.0, 560.0)},
    "SHQT": {"qtc": Spread(318.0, 8.0, 300.0, 328.0)},
    "DIG": {"qtc": Spread(380.0, 12.0, 358.0, 405.0)},
    "LAO/LAE": {"pr": Spread(170.0, 12.0, 156.0, 198.0)},
    "HYPERK": {"pr": Spread(180.0, 10.0, 150.0, 198.0), "qrs": Spread(106.0, 6.0, 95.0, 116.0)},
    "SVTAC": {"qrs": Spread(86.0, 6.0, 74.0, 98.0)},
    "PSVT": {"qrs": Spread(86.0, 6.0, 74.0, 98.0)},
}
"""Statement -> what its definition sets [3]_, with room for an error of measurement."""

LIKE = {
    "ILBBB": "CLBBB", "LPFB": "LAFB", "IVCD": "CRBBB", "PACE": "CLBBB", "VCLVH": "LVH", "HVOLT": "NORM", "RVH": "LVH",
    "LMI": "AMI", "ALMI": "AMI", "ILMI": "IMI", "IPMI": "IMI", "IPLMI": "IMI", "PMI": "IMI", "QWAVE": "IMI",
    "SVARR": "PAC", "BIGU": "PVC", "TRIGU": "PVC", "COUPLET": "PVC", "2AVB": "3AVB", "2AVB1": "3AVB", "2AVB2": "3AVB",
    "2AVB21": "3AVB", "JUNC": "SBRAD", "VT": "PVC", "DIG": "AFIB", "HYPERK": "LVH", "HYPOK": "LVH",
    "STEMI anterior": "AMI", "STEMI lateral": "AMI", "STEMI inferior": "IMI", "STEMI posterior": "IMI",
    "INJAS": "AMI", "INJAL": "AMI", "INJLA": "AMI", "INJIN": "IMI", "INJIL": "IMI",
    "ISCAN": "ISC_", "ISCAS": "ISC_", "ISCAL": "ISC_", "ISCIN": "ISC_", "ISCIL": "ISC_", "ISCLA": "ISC_",
}  # fmt: skip
"""Statement without a row of its own -> the row that tells how old such people are."""


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the table: medians and spreads of `QUANTITIES`, their correlations, the share of women."""

    women: float
    middle: Floats
    spread: Floats
    correlation: Floats


@cache
def table() -> dict[str, Row]:
    """Rows of `intervals.csv` by statement."""
    text = files("uniecg.simulate").joinpath("intervals.csv").read_text(encoding="utf-8")
    return {row["statement"]: _row(row) for row in csv.DictReader(text.splitlines())}


def _row(cells: Mapping[str, str]) -> Row:
    correlation = np.eye(len(QUANTITIES))
    for a, b in combinations(range(len(QUANTITIES)), 2):
        r = float(cells[f"r_{QUANTITIES[a]}_{QUANTITIES[b]}"])
        correlation[a, b] = correlation[b, a] = float(np.clip(r, -0.6, 0.6))
    middle, spread = (
        np.array([float(cells[f"{part}_{name}"]) for name in QUANTITIES]) for part in ("median", "spread")
    )
    return Row(float(cells["women"]), middle, spread, correlation)


def person(
    codes: Collection[str], attributes: Attributes, rng: np.random.Generator
) -> tuple[Attributes, float, Sex]:
    """Complete age, sex, rate, PR, QRS and QT by what goes with the statements and with each other.

    Parameters
    ----------
    codes : collection of str
        Statements.
    attributes : Attributes
        What is asked for; stays as it is.
    rng : numpy.random.Generator

    Returns
    -------
    attributes : Attributes
        With age, sex, rate, QRS and QT; with PR too.
    age : float, years
    sex : {"female", "male"}
    """
    rows = table()
    named = [code if code in rows else LIKE[code] for code in codes if code in rows or code in LIKE]
    row = rows[named[0] if named else "NORM"]
    sex: Sex = attributes.sex or ("female" if rng.random() < row.women else "male")
    spreads = _spreads(codes, row, sex)
    asked = {
        "age": attributes.age,
        "log_rate": None if attributes.heart_rate_bpm is None else math.log(attributes.heart_rate_bpm),
        "pr": attributes.pr_ms,
        "qrs": attributes.qrs_ms,
        "qtc": None,
    }
    if "AFLT" in codes and asked["log_rate"] is None:
        asked["log_rate"] = math.log(flutter_rate(rng))
    if attributes.qt_ms is not None and asked["log_rate"] is not None:
        asked["qtc"] = attributes.qt_ms / _rr_s(asked["log_rate"]) ** (1 / 3)
    drawn = dict(zip(QUANTITIES, _draw(spreads, row.correlation, asked, rng), strict=True))
    qt_ms = attributes.qt_ms
    if qt_ms is None:
        rr_s = _rr_s(drawn["log_rate"])
        # At high rates T would outlast the cycle; QT then takes at most 85 % of it.
        qt_ms = round(min(drawn["qtc"] * rr_s ** (1 / 3), max(850.0 * rr_s, 200.0)))
    full = replace(
        attributes,
        age=attributes.age if attributes.age is not None else float(round(drawn["age"])),
        sex=sex,
        heart_rate_bpm=attributes.heart_rate_bpm or round(math.exp(drawn["log_rate"]), 1),
        pr_ms=attributes.pr_ms or float(round(drawn["pr"])),
        qrs_ms=attributes.qrs_ms or float(round(drawn["qrs"])),
        qt_ms=float(qt_ms),
    )
    return full, float(full.age or 0.0), sex


def _rr_s(log_rate: float) -> float:
    return 60.0 / math.exp(log_rate)


def _spreads(codes: Collection[str], row: Row, sex: Sex) -> list[Spread]:
    """Middle, spread and limits of each quantity: by definition, else from the table, else as in health."""
    found: dict[str, Spread] = dict(NORMAL[sex])
    for index, name in enumerate(QUANTITIES):
        if name in TRUSTED:
            low, high = HEALTHY.get(name, (-math.inf, math.inf))
            found[name] = Spread(float(row.middle[index]), float(row.spread[index]), low, high)
    rhythm = next((code for code in RATE_RANGES if code in codes), None)
    if rhythm is not None or "AFLT" not in codes:
        slow, fast = RATE_RANGES[rhythm or "SR"]
        # Limits of a rhythm are named in whole beats: a little room keeps a measured rate inside.
        low, high = math.log(1.02 * slow), math.log(0.98 * fast)
        rate = found["log_rate"]
        middle = rate.middle if low < rate.middle < high else 0.5 * (low + high)
        found["log_rate"] = Spread(middle, min(rate.spread, 0.5 * (high - low)), low, high)
    defined: dict[str, Spread] = {}
    for code in codes:
        for name, spread in DEFINED.get(code, {}).items():
            # Of two blocks the one that takes longer sets the time.
            defined[name] = max(spread, defined.get(name, spread))
    found |= defined
    return [found[name] for name in QUANTITIES]


def _draw(
    spreads: list[Spread], correlation: Floats, asked: Mapping[str, float | None], rng: np.random.Generator
) -> list[float]:
    """Draw what is not asked for from a normal distribution, given what is, within the limits."""
    known = np.array([asked[name] is not None for name in QUANTITIES])
    scores = np.array(
        [
            0.0 if (value := asked[name]) is None else (value - s.middle) / s.spread
            for name, s in zip(QUANTITIES, spreads, strict=True)
        ]
    )
    scores = np.clip(scores, -2.0, 2.0)
    free = ~known
    values = [asked[name] for name in QUANTITIES]
    if free.any():
        weights = correlation[np.ix_(free, known)] @ np.linalg.inv(correlation[np.ix_(known, known)])
        rest = correlation[np.ix_(free, free)] - weights @ correlation[np.ix_(known, free)]
        root = np.linalg.cholesky(rest + 1e-9 * np.eye(len(rest)))
        draws = weights @ scores[known] + rng.normal(size=(DRAWS, len(rest))) @ root.T
        middle, spread, low, high = np.array(spreads)[free].T
        candidates = middle + spread * draws
        inside = ((candidates >= low) & (candidates <= high)).sum(axis=1)
        best = np.clip(candidates[int(np.argmax(inside))], low, high)
        for index, value in zip(np.flatnonzero(free).tolist(), best.tolist(), strict=True):
            values[index] = value
    return [float(value) for value in values if value is not None]
