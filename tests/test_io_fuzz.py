"""Damaged files of every format: an error of one line, or a record; never a crash, a hang or a flood of memory."""

from __future__ import annotations

import os
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vendor_files import MAKERS, small_ecg

from uniecg.errors import InputError
from uniecg.io import read_record
from uniecg.record import LEADS, Record

for package in ("ecgdatakit", "edfio", "pydicom", "pyarrow"):
    pytest.importorskip(package, reason="needs uniecg[formats]")

MAX_S = 5.0
EXAMPLES = int(os.environ.get("UNIECG_FUZZ_EXAMPLES", "150"))  # damaged files of each format
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")

# A kind of damage, where it begins (share of the file, squared: headers matter most), and what it puts there.
DAMAGE = st.tuples(
    st.sampled_from(["flip", "cut", "zero", "noise", "swap", "drop", "double", "number"]),
    st.floats(0, 1),
    st.integers(0, 2**31 - 1),
)


def damage(content: bytes, kind: str, where: float, value: int) -> bytes:
    """Return the content of a file with one damage."""
    at = int(where**2 * len(content))
    size = 1 + value % 64
    head, part, tail = content[:at], content[at : at + size], content[at + size :]
    if kind == "flip" and part:
        return head + bytes([part[0] ^ (1 << value % 8)]) + part[1:] + tail
    if kind == "cut":
        return head
    if kind == "zero":
        return head + bytes(len(part)) + tail
    if kind == "noise":
        return head + np.random.default_rng(value).bytes(len(part)) + tail
    if kind == "swap":
        return head + tail[:size] + part + tail[size:]
    if kind == "drop":
        return head + tail
    if kind == "double":
        return head + part + part + tail
    # Another number where one stands: what a wrong export or a wrong byte order looks like.
    found = _NUMBER.search(content, at)
    numbers = [b"0", b"-1", b"1e308", b"nan", b"65535", b"4294967295", b"99999999999", b"0.001", b"3"]
    if found is None:
        return content
    return content[: found.start()] + numbers[value % len(numbers)] + content[found.end() :]


def outcome(path: Path, original: Record, rate: float | None) -> str:
    """Read a damaged file; return what became of it."""
    start = time.process_time()
    record, message = None, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            record = read_record(path, sampling_rate=rate)
    except InputError as error:
        message = str(error)
    assert time.process_time() - start < MAX_S
    if record is None:
        assert message
        assert "\n" not in message
        assert len(message) < 1000
        return "error"
    assert record.signal.shape[0] == len(LEADS)
    assert not np.isinf(record.signal).any()
    if record.metadata.get("suspect") or record.metadata.get("calibrated") is False:
        return "flagged"
    if record.signal.shape == original.signal.shape and record.sampling_rate == original.sampling_rate:
        same = np.isclose(record.signal, original.signal, atol=1e-6, equal_nan=True)
        return "same" if same.all() else "samples changed" if same.mean() > 0.9 else "changed"
    return "changed"


@pytest.mark.parametrize("name", MAKERS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(damages=st.lists(DAMAGE, min_size=1, max_size=3))
def test_damaged_files_raise_only_input_errors(
    tmp_path: Path, name: str, damages: list[tuple[str, float, int]]
) -> None:
    ecg = small_ecg(0.4)
    path = tmp_path / name
    if not path.exists():
        MAKERS[name](ecg, path)
        path.rename(tmp_path / f"sound_{name}")
    content = (tmp_path / f"sound_{name}").read_bytes()
    for kind, where, value in damages:
        content = damage(content, kind, where, value)
    path.write_bytes(content)
    outcome(path, ecg, 500 if name == "ecg.npy" else None)


@pytest.mark.parametrize("name", MAKERS)
def test_a_file_cut_anywhere_is_an_error_or_flagged(tmp_path: Path, name: str) -> None:
    ecg = small_ecg(0.4)
    path = MAKERS[name](ecg, tmp_path / name)
    if name == "wfdb.hea":
        path = path.with_suffix(".dat")
    content = path.read_bytes()
    for share in (0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99):
        path.write_bytes(content[: int(share * len(content))])
        result = outcome(path, ecg, 500 if name == "ecg.npy" else None)
        # A table of text that ends after a whole row, or ISHNE, whose header does not state its length in a way
        # that recorders agree on, is a shorter recording.
        assert result in ("error", "flagged") or name in ("ecg.csv", "ecg.ecg"), (share, result)
