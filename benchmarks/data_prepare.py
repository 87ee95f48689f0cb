"""How fast `uniecg data prepare` is, how much memory it takes, and whether a kill loses or doubles a record.

    python benchmarks/data_prepare.py --folder /tmp/data_prepare --records 100000 --kill-every 60

makes a tree in the layout of MIMIC-IV-ECG (short waveforms of noise; what is there is used again), prepares it in a
process that is killed after a random time, again and again until it comes to its end, checks the result, and prints
JSON. With ``--runs N`` it stops after N processes; the same command then goes on.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from uniecg.datasets import verify
from uniecg.record import derive_limb_leads

LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
REPORTS = (
    "Sinus rhythm",
    "Atrial fibrillation",
    "Sinus bradycardia",
    "Left bundle branch block",
    "Leftward axis",
)


def make_tree(root: Path, records: int, samples: int) -> None:
    """A MIMIC-IV-ECG folder of noise; a fifth as many patients as records."""
    if (root / "record_list.csv").is_file():
        return
    rng = np.random.default_rng(0)
    root.mkdir(parents=True, exist_ok=True)
    columns = ("subject_id", "study_id", "cart_id", "ecg_time")
    with (
        (root / "listed.part").open("w", newline="") as listed,
        (root / "machine_measurements.csv").open("w", newline="") as measured,
    ):
        list_rows, measure_rows = csv.writer(listed), csv.writer(measured)
        list_rows.writerow(("subject_id", "study_id", "file_name", "ecg_time", "path"))
        measure_rows.writerow((*columns, *(f"report_{number}" for number in range(18)), "rr_interval"))
        for number in range(records):
            subject, study = 10000000 + number // 5, 40000000 + number
            folder = root / "files" / f"p{number // 1000:04d}" / f"s{study}"
            folder.mkdir(parents=True, exist_ok=True)
            # Einthoven's law holds to the microvolt; an even number of them is halved without a rest.
            signal_uv = derive_limb_leads(2 * rng.integers(-250, 250, (8, samples))).T.astype("<i2")
            (folder / f"{study}.dat").write_bytes(signal_uv.tobytes())
            sums = (signal_uv.sum(axis=0, dtype=np.int64) + 32768) % 65536 - 32768
            lines = [f"{study} 12 500 {samples}"]
            for lead, first, total in zip(LEADS, signal_uv[0], sums, strict=True):
                lines.append(f"{study}.dat 16 1000(0)/mV 16 0 {first} {total} 0 {lead}")
            (folder / f"{study}.hea").write_text("\n".join(lines) + "\n")
            time_of = "2180-07-23 08:44:00"
            path = (folder / str(study)).relative_to(root).as_posix()
            list_rows.writerow((subject, study, study, time_of, path))
            reports = [REPORTS[number % 5], "Abnormal ECG", *[""] * 16]
            measure_rows.writerow((subject, study, "", time_of, *reports, 800))
    os.replace(root / "listed.part", root / "record_list.csv")


def run_once(command: list[str], seconds: float | None) -> tuple[bool, float, float]:
    """Run the command, killed after a time; returns whether it ended by itself, seconds, and its peak memory in MB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0.0
    while (code := process.poll()) is None:
        status = Path(f"/proc/{process.pid}/status")
        try:
            lines = status.read_text().splitlines() if status.exists() else []
        except OSError:
            lines = []
        peak = max([peak, *(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))])
        if seconds is not None and time.monotonic() - start > seconds:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return False, time.monotonic() - start, peak
        time.sleep(0.05)
    if code:
        raise SystemExit(f"prepare failed with code {code}")
    return True, time.monotonic() - start, peak


def main() -> None:
    """Parse the options, run, print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the tree and the result go")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=50, help="of each lead; 5000 is the real length")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--kill-every", type=float, help="seconds; each process is killed after half to all of it"
    )
    parser.add_argument("--runs", type=int, help="stop after so many processes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    root, out, log = options.folder / "in", options.folder / "out", options.folder / "runs.json"
    make_tree(root, options.records, options.samples)
    if not log.exists():
        shutil.rmtree(out, ignore_errors=True)
    runs = json.loads(log.read_text()) if log.exists() else []
    draw = random.Random(options.seed + len(runs))
    command = [sys.executable, "-m", "uniecg", "data", "prepare", "mimic-iv-ecg", "--root", str(root)]
    command += ["-o", str(out), "--jobs", str(options.jobs)]
    ended = False
    done = 0
    while not ended and (options.runs is None or done < options.runs):
        limit = options.kill_every and options.kill_every * draw.uniform(0.5, 1)
        before = cpu_seconds()
        ended, seconds, peak = run_once(command, limit)
        used = cpu_seconds() - before
        runs.append(
            {"ended": ended, "seconds": round(seconds, 1), "cpu_s": round(used, 1), "peak_mb": round(peak)}
        )
        log.write_text(json.dumps(runs))
        done += 1
    result = {"records": options.records, "samples": options.samples, "jobs": options.jobs, "runs": runs}
    if ended:
        manifest, faults = verify(out)
        found = [uid for path in sorted(out.glob("shard-*.parquet")) for uid in uids(path)]
        wanted = {f"mimic-{40000000 + number}" for number in range(options.records)}
        total, cpu = (sum(run[name] for run in runs) for name in ("seconds", "cpu_s"))
        result |= {
            "killed": sum(not run["ended"] for run in runs),
            "records_per_minute": round(60 * options.records / total),
            "records_per_cpu_minute": round(60 * options.records / cpu),
            "peak_mb": max(run["peak_mb"] for run in runs),
            "written": manifest["records"],
            "lost": len(wanted - set(found)),
            "doubled": len(found) - len(set(found)),
            "faults": faults,
        }
    print(json.dumps(result, indent=1))


def cpu_seconds() -> float:
    """Processor time of the processes that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def uids(path: Path) -> list[str]:
    """Identifiers in a shard."""
    column: list[str] = pq.read_table(path, columns=["uid"]).column("uid").to_pylist()
    return column


if __name__ == "__main__":
    main()
