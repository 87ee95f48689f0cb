"""The quick reader of usual WFDB records gives what wfdb gives, and leaves every other header to it."""

from __future__ import annotations

from pathlib import Path

import dataset_trees as trees
import numpy as np
import pytest
import wfdb

from uniecg.errors import FormatError
from uniecg.examples import EXAMPLES, example_path
from uniecg.io import read_record
from uniecg.io.wfdb16 import plain_header
from uniecg.record import LEADS

HEADER = "a 1 500 4\na.dat 16 200(3)/mV 16 0 1 10 0 II\n"


@pytest.mark.parametrize("mat", [False, True])
@pytest.mark.parametrize("gain", ["1000/mV", "200(-7)/mV", "4.88/uV", "1000.0(0)/mV"])
def test_signals_are_those_of_wfdb(tmp_path: Path, mat: bool, gain: str) -> None:
    signal = trees.microvolt(3)
    signal[4, 20:30] = -32768  # a gap
    order = [LEADS.index(lead) for lead in trees.MIMIC_LEADS]
    stem = tmp_path / "a0001"
    trees.write_wfdb(stem, signal[order], leads=trees.MIMIC_LEADS, gain=gain, mat=mat, remarks=["# Age: 60"])
    assert plain_header(stem.with_suffix(".hea").read_text()) is not None
    reference = wfdb.rdrecord(str(stem))
    scale = 1e-3 if "uV" in gain else 1.0
    expected = {
        name: column * scale for name, column in zip(reference.sig_name, reference.p_signal.T, strict=True)
    }
    record = read_record(stem.with_suffix(".hea"))
    part = read_record(stem.with_suffix(".hea"), start_s=0.1, end_s=0.3)
    for lead in LEADS:
        assert np.array_equal(record[lead], expected[lead].astype(np.float32), equal_nan=True)
        assert np.array_equal(part[lead], expected[lead][50:150].astype(np.float32), equal_nan=True)
    assert record.metadata["age"] == 60
    assert "checksum" not in str(record.metadata.get("suspect"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_real_records_are_those_of_wfdb(name: str) -> None:
    path = example_path(name)
    reference = wfdb.rdrecord(str(path.with_suffix("")))
    columns = dict(zip((name.lower() for name in reference.sig_name), reference.p_signal.T, strict=True))
    record = read_record(path)
    for lead in LEADS:
        assert np.array_equal(record[lead], columns[lead.lower()].astype(np.float32), equal_nan=True)


@pytest.mark.parametrize(
    "change",
    [
        ("a 1 500 4", "a 1 500/250 4"),
        ("a 1 500 4", "a/2 1 500 4"),
        ("a 1 500 4", "a 1 500"),
        ("a 1 500 4", "a 2 500 4"),
        (" 16 200", " 212 200"),
        (" 16 200", " 16x2 200"),
        (" 16 200", " 16:5 200"),
        ("200(3)/mV", "0/mV"),
        ("200(3)/mV", "200"),
        ("200(3)/mV", "2e2/mV"),
        (" 0 II", " 0"),
        ("a.dat", "#.dat"),
    ],
)
def test_other_headers_are_left_to_wfdb(change: tuple[str, str]) -> None:
    assert plain_header(HEADER) is not None
    assert plain_header(HEADER.replace(*change)) is None


def test_samples_of_two_files_are_left_to_wfdb() -> None:
    lines = HEADER.replace("a 1", "a 2") + "b.dat 16 200(3)/mV 16 0 1 10 0 V1\n"
    assert plain_header(lines) is None
    assert plain_header(lines.replace("b.dat", "a.dat")) is not None


def test_a_file_cut_short_behind_its_offset_is_damaged(tmp_path: Path) -> None:
    stem = tmp_path / "a0001"
    trees.write_wfdb(stem, trees.microvolt(0), mat=True)
    samples = stem.with_suffix(".mat")
    samples.write_bytes(samples.read_bytes()[:-10])
    with pytest.raises(FormatError, match="cut short"):
        read_record(stem.with_suffix(".hea"))
