"""Make uniecg/simulate/intervals.csv from the table of measurements that comes with the Shandong ECG data set.

    python scripts/make_interval_table.py METADATA.csv

Per statement with enough records: how many, the share of women, and of age, heart rate (its logarithm), PR, QRS and
QTc (Fridericia) the middle, the spread and how they correlate. These measurements come from a machine and hold gross
errors (QRS 180 ms in "normal" records), so the middle is the median, the spread 0.74 times the range between the
quartiles, and the correlation that of ranks. Nothing of a single record is kept.
"""

from __future__ import annotations

import csv
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

OUTPUT = Path(__file__).parents[1] / "uniecg" / "simulate" / "intervals.csv"
QUANTITIES = ("age", "log_rate", "pr", "qrs", "qtc")
LEAST_RECORDS = 20

# AHA code (Mason et al. 2007, Circulation 115:1325) -> SCP-ECG statement.
STATEMENTS = {
    "1": "NORM", "21": "STACH", "22": "SBRAD", "23": "SARRH", "30": "PAC", "50": "AFIB", "51": "AFLT", "60": "PVC",
    "82": "1AVB", "88": "3AVB", "101": "LAFB", "104": "CLBBB", "105": "IRBBB", "106": "CRBBB", "108": "WPW",
    "125": "LVOLT", "142": "LVH", "145": "STD_", "146": "ISC_", "147": "INVT", "148": "LNGQT",
    "155": "EARLY REPOLARISATION", "160": "AMI", "161": "IMI", "165": "ASMI",
}  # fmt: skip

PLAUSIBLE = {"age": (16, 100), "rate": (25, 220), "pr": (70, 400), "qrs": (55, 220), "qtc": (280, 600)}


def main(source: Path) -> None:
    """Read the metadata and write the table."""
    rows: dict[str, list[list[float]]] = {name: [] for name in STATEMENTS.values()}
    women: dict[str, list[bool]] = {name: [] for name in STATEMENTS.values()}
    with source.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            values = quantities(row)
            codes = {code.strip().split("+")[0] for code in row["AHA_Code"].split(";")}
            for name in {STATEMENTS[code] for code in codes if code in STATEMENTS}:
                rows[name].append(values)
                women[name].append(row["Sex"].strip().upper() == "F")
    pairs = list(combinations(range(len(QUANTITIES)), 2))
    with OUTPUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["statement", "n", "women"]
            + [f"{part}_{name}" for name in QUANTITIES for part in ("median", "spread")]
            + [f"r_{QUANTITIES[a]}_{QUANTITIES[b]}" for a, b in pairs]
        )
        for name, values in rows.items():
            if len(values) >= LEAST_RECORDS:
                writer.writerow(
                    [name, len(values), f"{np.mean(women[name]):.2f}", *summary(np.array(values), pairs)]
                )


def quantities(row: dict[str, str]) -> list[float]:
    """Age, logarithm of the rate, PR, QRS, QTc of a record; NaN where absent or impossible."""

    def number(name: str) -> float:
        try:
            return float(row[name])
        except ValueError:
            return float("nan")

    rr_s = number("RR_Interval") / 1000.0
    values = {
        "age": number("Age"),
        "rate": 60.0 / rr_s if rr_s > 0 else float("nan"),
        "pr": number("PR_Interval"),
        "qrs": number("QRS_Complex"),
        "qtc": number("QT_Interval") / rr_s ** (1 / 3) if rr_s > 0 else float("nan"),
    }
    kept = {
        name: value if PLAUSIBLE[name][0] <= value <= PLAUSIBLE[name][1] else float("nan")
        for name, value in values.items()
    }
    return [kept["age"], float(np.log(kept["rate"])), kept["pr"], kept["qrs"], kept["qtc"]]


def summary(values: np.ndarray, pairs: list[tuple[int, int]]) -> list[str]:
    """Medians and spreads, then correlations; 0 where a quantity is hardly ever there."""
    cells = []
    for column in values.T:
        known = column[np.isfinite(column)]
        enough = known.size >= LEAST_RECORDS // 2
        low, middle, high = np.percentile(known, [25, 50, 75]) if enough else (np.nan,) * 3
        cells += [f"{middle:.4g}", f"{(high - low) / 1.349:.4g}"] if enough else ["", ""]
    for a, b in pairs:
        both = np.isfinite(values[:, a]) & np.isfinite(values[:, b])
        r = spearmanr(values[both, a], values[both, b])[0] if both.sum() >= LEAST_RECORDS else 0.0
        cells.append(f"{r + 0.0:.2f}")
    return cells


if __name__ == "__main__":
    main(Path(sys.argv[1]))
