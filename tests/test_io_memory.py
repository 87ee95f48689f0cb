"""A day of twelve leads at 500 Hz is read piece by piece within little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from uniecg.io import write_record
from uniecg.record import LEADS

pytest.importorskip("edfio", reason="needs uniecg[formats]")
if not Path("/proc/self/status").is_file():
    pytest.skip("memory is measured on Linux only", allow_module_level=True)

DAY_S, RATE = 24 * 3600, 500
MAX_MB = 500

# In a process of its own, so that what other tests hold does not count.
READ = """
import re, sys
from pathlib import Path
from uniecg.io import read_windows
pieces = seconds = 0
for piece in read_windows(sys.argv[1], 600):
    pieces += 1
    seconds += piece.duration_s
# Not ru_maxrss: a child inherits that from the process that started it.
peak_kb = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(pieces, seconds, peak_kb / 1024)
"""


def a_day(path: Path) -> Path:
    """Sparse files of a day: headers written as for ten seconds, then told to last longer."""
    from vendor_files import small_ecg

    write_record(small_ecg(10), path)
    n_samples = DAY_S * RATE
    if path.suffix == ".hea":
        lines = path.read_text().splitlines()
        lines[0] = lines[0].replace(" 5000", f" {n_samples}")
        path.write_text("\n".join(lines) + "\n")
        samples, offset = path.with_suffix(".dat"), 0
    else:
        content = bytearray(path.read_bytes())
        per_record = 5000 // int(content[236:244])
        content[236:244] = f"{n_samples // per_record:<8d}".encode()
        path.write_bytes(content)
        samples, offset = path, 256 * 13
    with samples.open("r+b") as file:
        file.truncate(offset + n_samples * len(LEADS) * np.dtype("<i2").itemsize)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["day.hea", "day.edf"])
def test_a_day_is_read_within_little_memory(tmp_path: Path, name: str) -> None:
    path = a_day(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    pieces, seconds, peak_mb = map(float, done.stdout.split())
    assert (pieces, seconds) == (144, DAY_S)
    assert peak_mb < MAX_MB, f"{peak_mb:.0f} MB"
