"""Reading and writing ECG files: round trips, foreign files, and what damaged or ambiguous files say."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from uniecg.errors import FormatError, InputError
from uniecg.examples import EXAMPLES, example_path
from uniecg.io import page_to_gray, read_page, read_record, write_record
from uniecg.record import LEADS, Record

SUFFIXES = [".hea", ".csv", ".npz"]


def one_line(caught: pytest.ExceptionInfo[InputError]) -> str:
    message = str(caught.value)
    assert "\n" not in message
    return message


def write_header(folder: Path, signal_line: str, comments: str = "", samples: int = 4) -> Path:
    header = folder / "rec.hea"
    header.write_text(f"rec 1 500 {samples}\nrec.dat {signal_line}\n{comments}")
    (folder / "rec.dat").write_bytes(np.array([0, 100, 200, -400], "<i2").tobytes())
    return header


# Round trips


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    signal=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(2, 40)),
        elements=st.floats(-30, 30, width=32, allow_subnormal=False) | st.just(np.nan),
    ).filter(lambda signal: not np.isnan(signal).all()),
    rate=st.sampled_from([100.0, 250.0, 360.0, 500.0, 1000.0, 257.5]),
)
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, signal: np.ndarray, rate: float) -> None:
    record = Record(signal, rate, leads=LEADS[: len(signal)], metadata={"age": 54, "sex": "female"})
    path = write_record(record, tmp_path / f"ecg{suffix}", overwrite=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # random numbers are no ECG: they are marked as suspect
        again = read_record(path)
    again.metadata.pop("suspect", None)
    # WFDB counts in 1 uV, the others are exact.
    tolerance = 0.000501 if suffix == ".hea" else 0
    np.testing.assert_allclose(again.signal, record.signal, rtol=1e-6, atol=tolerance, equal_nan=True)
    assert again.sampling_rate == rate
    assert again.metadata == record.metadata


@pytest.mark.parametrize("suffix", ["", *SUFFIXES])
def test_nothing_is_overwritten_unasked(tmp_path: Path, normal: Record, suffix: str) -> None:
    path = tmp_path / f"ecg{suffix}"
    write_record(normal, path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(InputError, match="--force"):
        write_record(normal.select(["I"]), path)
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir()}
    write_record(normal.select(["I"]), path, overwrite=True)
    assert read_record(path).available_leads == ("I",)


def test_wfdb_does_not_overwrite_a_lone_sample_file(tmp_path: Path, normal: Record) -> None:
    (tmp_path / "ecg.dat").write_bytes(b"precious")
    with pytest.raises(InputError, match=r"ecg\.dat exists"):
        write_record(normal, tmp_path / "ecg.hea")
    assert (tmp_path / "ecg.dat").read_bytes() == b"precious"


def test_wfdb_files_are_read_alike_by_the_reference_library(tmp_path: Path, normal: Record) -> None:
    write_record(normal, tmp_path / "ecg")
    reference = wfdb.rdrecord(str(tmp_path / "ecg"))
    np.testing.assert_allclose(reference.p_signal.T, normal.signal, atol=1e-6)
    assert reference.sig_name == list(LEADS)
    assert reference.units == ["mV"] * 12
    digital = wfdb.rdrecord(str(tmp_path / "ecg"), physical=False)
    assert [value % 65536 for value in digital.checksum] == digital.calc_checksum()
    assert digital.init_value == digital.d_signal[0].tolist()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_real_and_whole(name: str) -> None:
    path = example_path(name)
    for form in (path, path.with_suffix(".dat"), path.with_suffix("")):
        record = read_record(form)
        assert repr(record) == "Record(12 leads, 10.00 s at 500 Hz)"
        assert record.metadata["licence"] == "CC BY 4.0"
    einthoven = record["III"] - (record["II"] - record["I"])
    assert np.abs(einthoven).max() < 0.0015
    with pytest.raises(InputError, match="normal, atrial_fibrillation"):
        example_path("nothing")


# Foreign files


def test_wfdb_units_gain_and_baseline_come_from_the_header(tmp_path: Path) -> None:
    for line, expected in [
        ("16 2(100)/uV 16 0 0 0 0 II", [-0.05, 0, 0.05, -0.25]),
        ("16 1000/mV 16 0 0 0 0 ii", [0, 0.1, 0.2, -0.4]),
        ("16 100000/V 16 0 0 0 0 II", [0, 1, 2, -4]),
    ]:
        record = read_record(write_header(tmp_path, line))
        np.testing.assert_allclose(record["II"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        ("# Age: 54\n# Sex: Male", {"age": 54, "sex": "male"}),
        ("#<age>: 71  \n#<sex>: F", {"age": 71, "sex": "female"}),
        ("# <age> 71 <sex> F", {"age": 71}),
        ("# age: 300\n# sex: unknown", {}),
        ("# Age: NaN\n# Name: A. Person\n# <subject_id>: 10000032\n# birth date: 1970", {}),
    ],
)
def test_wfdb_remarks_give_age_and_sex_but_no_identity(
    tmp_path: Path, comments: str, expected: dict[str, object]
) -> None:
    assert read_record(write_header(tmp_path, "16 1000/mV 16 0 0 0 0 I", comments)).metadata == expected


def test_wfdb_remarks_in_other_encodings_do_no_harm(tmp_path: Path) -> None:
    header = write_header(tmp_path, "16 1000/mV 16 0 0 0 0 I")
    header.write_bytes(header.read_bytes() + "# Gerät: x\n# age: 40\n".encode("latin-1"))
    assert read_record(header).metadata == {"age": 40}


@pytest.mark.parametrize("line", ["16 0 16 0 0 0 0 V1", "16 0/mV 16 0 0 0 0 V1"])
def test_uncalibrated_wfdb_is_read_with_a_warning(tmp_path: Path, line: str) -> None:
    with pytest.warns(UserWarning, match="no gain for V1"):
        record = read_record(write_header(tmp_path, line))
    assert record.metadata["calibrated"] is False
    np.testing.assert_allclose(record["V1"], [0, 0.5, 1, -2])


def test_csv_of_many_habits(tmp_path: Path) -> None:
    path = tmp_path / "ecg.csv"
    expected = [0.1, -0.2, 0.3]
    for text in [
        "I,II\n0.1,1\n-0.2,1\n0.3,1\n",
        "\ufeffI;II\n0,1;1\n-0,2;1\n0,3;1\n",
        "# units: uV\nII\tI\n1000\t100\n1000\t-200\n1000\t300\n",
        "I (uV),ii [mV],note\n100,1,x\n-200,1,\n300,1,y\n",
        '"I_mV","lead II","V3"\n0.1,1,\n\n-0.2,1,\n0.3,1,\n',
    ]:
        path.write_text(text, encoding="utf-8")
        record = read_record(path, sampling_rate=500)
        np.testing.assert_allclose(record["I"], expected, rtol=1e-6)
        np.testing.assert_allclose(record["II"], [1, 1, 1], rtol=1e-6)
        assert record.available_leads == ("I", "II")


@pytest.mark.parametrize(
    ("head", "times", "rate"),
    [
        ("time_s", "{:.6f}", 360),
        ("time", "{:.3f}", 360),
        ("Time (s)", "{:.4f}", 500),
        ("t", "{:.5f}", 257.5),
    ],
)
def test_csv_rate_follows_from_its_times(tmp_path: Path, head: str, times: str, rate: float) -> None:
    path = tmp_path / "ecg.csv"
    rows = "".join(times.format(1 + index / rate) + ",0.5\n" for index in range(int(10 * rate)))
    path.write_text(f"{head},II\n{rows}")
    assert read_record(path).sampling_rate == pytest.approx(rate, rel=2e-4)
    with pytest.raises(InputError, match=f"states {str(rate)[:2]}"):
        read_record(path, sampling_rate=100)


def test_csv_time_in_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "ecg.csv"
    path.write_text("time_ms,II\n0,0.1\n2,0.2\n4,0.3\n")
    assert read_record(path).sampling_rate == 500


# Files that cannot be read


@pytest.mark.parametrize("name", ["none.hea", "none.dat", "none", "none.csv", "none.npz"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_record(tmp_path / name)
    assert "none" in one_line(caught)


def test_unknown_formats_and_folders(tmp_path: Path, normal: Record) -> None:
    (tmp_path / "ecg.xyz").write_text("?")
    with pytest.raises(FormatError, match=r"\.csv .*\.edf .*HL7"):
        read_record(tmp_path / "ecg.xyz")
    with pytest.raises(FormatError, match="read_page"):
        read_record(tmp_path / "ecg.png")
    with pytest.raises(InputError, match="folder"):
        read_record(tmp_path)
    with pytest.raises(FormatError, match=r"\.csv .*\.npz"):
        write_record(normal, tmp_path / "ecg.xyz")
    with pytest.raises(InputError, match="folder"):
        write_record(normal, tmp_path / "nowhere" / "ecg.csv")


def test_cut_samples_are_a_format_error(tmp_path: Path, normal: Record) -> None:
    path = write_record(normal, tmp_path / "ecg.hea")
    samples = path.with_suffix(".dat")
    samples.write_bytes(samples.read_bytes()[:5000])
    with pytest.raises(FormatError, match=r"ecg\.dat is cut short \(5000 of 120000 bytes\)"):
        read_record(path)
    samples.unlink()
    with pytest.raises(InputError, match=r"needs its samples ecg\.dat"):
        read_record(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    signal_line=st.sampled_from(
        [
            "16 1000/mV 16 0 0 0 0 I",
            "212 1000/mV 16 0 0 0 0 I",
            "508 200 16 0 0 0 0 I",
            "16x2 1000/mV 0",
            "16 x",
        ]
    ),
    samples=st.sampled_from([0, 4, 400]),
    cut=st.integers(0, 60),
)
def test_damaged_wfdb_raises_only_input_errors(
    tmp_path: Path, signal_line: str, samples: int, cut: int
) -> None:
    header = write_header(tmp_path, signal_line, samples=samples)
    header.write_text(header.read_text()[:cut])
    with warnings.catch_warnings(), contextlib.suppress(InputError):
        warnings.simplefilter("ignore", UserWarning)
        read_record(header)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "record line"),
        ("rec 0 500 4\n", "no signals"),
        ("rec/2 1 500 8\n../a 4\n../b 4\n", "several segments"),
        ("rec 2 500 4\nrec.dat 16 1000/mV 16 0 0 0 0 I\n", "cut short"),
        ("rec 1 500 4\n../rec.dat 16 1000/mV 16 0 0 0 0 I\n", "another folder"),
        ("rec 1 500 4\nrec.dat 16 1000/mV 16 0 0 0 0\n", "does not name its leads"),
        ("rec 1 500 4\nrec.dat 16 1000/mmHg 16 0 0 0 0 I\n", "mmHg"),
        ("rec 1 500 4\nrec.dat 16 1000/mV 16 0 0 0 0 ABP\n", "ABP"),
        ("rec 1 500 4\nrec.dat 99 1000/mV 16 0 0 0 0 I\n", "damaged"),
    ],
)
def test_bad_headers_say_what_is_wrong(tmp_path: Path, header: str, message: str) -> None:
    path = write_header(tmp_path, "16 1000/mV 16 0 0 0 0 I")
    path.write_text(header)
    with pytest.raises(InputError, match=message) as caught:
        read_record(path)
    assert "rec.hea" in one_line(caught)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("I,II\n", "empty"),
        ("1,2\n3,4\n", "first row must name the leads"),
        ("a,b\n3,4\n", "no column is named like a lead"),
        ("I,II\n1,2\n3\n", "line 3: 1 values for 2 columns"),
        ("I,II\n1,2\n3,x\n", "line 3: 'x' is not a number"),
        ("# sampling_rate: 500\nI,i\n1,2\n3,4\n", "twice"),
        ("I\n1\n2\n", "pass sampling_rate"),
        ("# sampling_rate: fast\nI\n1\n", "'fast'"),
        ("# sampling_rate: -5\nI\n1\n", "positive"),
        ("# sampling_rate: 500\n# units: furlong\nI\n1\n", "furlong"),
        ("# sampling_rate: 500\nI\n-900\n900\n", "units: uV"),
        ("time_s,I\n0,1\n0.1,2\n0.9,3\n", "not evenly spaced"),
        ("time_s,I\n0,1\n0,2\n", "not evenly spaced"),
        ("time_s,I\n0,1\n", "two rows"),
    ],
)
def test_bad_csv_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ecg.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_record(path)
    assert "ecg.csv" in one_line(caught)


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".hea"])
def test_binary_garbage_is_a_format_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ecg{suffix}"
    path.write_bytes(np.random.default_rng(0).bytes(4000))
    with pytest.raises(FormatError, match="ecg"):
        read_record(path)


def test_bad_npz_says_what_is_wrong(tmp_path: Path, normal: Record) -> None:
    path = tmp_path / "ecg.npz"
    np.savez(path, signal=normal.signal)
    with pytest.raises(FormatError, match="lacks leads"):
        read_record(path)
    np.savez(path, signal=normal.signal, leads=LEADS)
    with pytest.raises(InputError, match="sampling_rate"):
        read_record(path)
    assert read_record(path, sampling_rate=500).sampling_rate == 500
    np.savez(path, signal=normal.signal * 1000, leads=LEADS, sampling_rate=500)
    with pytest.raises(InputError, match="uV"):
        read_record(path)
    np.savez(path, signal=normal.signal * 1000, leads=LEADS, sampling_rate=500, units="uV")
    np.testing.assert_allclose(read_record(path).signal, normal.signal, rtol=1e-5)
    np.savez(path, signal=np.array([{}]), leads=LEADS, sampling_rate=500)
    with pytest.raises(FormatError, match="damaged"):
        read_record(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FormatError, match="damaged"):
        read_record(path)


def test_what_cannot_be_written_says_so(tmp_path: Path, normal: Record) -> None:
    empty = Record(np.full((12, 10), np.nan), 500)
    for suffix in (".hea", ".csv"):
        with pytest.raises(InputError, match="no values"):
            write_record(empty, tmp_path / f"ecg{suffix}")
    with pytest.raises(InputError, match="is the signal in mV"):
        write_record(Record(normal.signal * 1000, 500), tmp_path / "ecg.hea")
    with pytest.raises(InputError, match="letters"):
        write_record(normal, tmp_path / "my ecg.hea")
    assert list(tmp_path.iterdir()) == []


# Pictures


def test_pictures_are_read_as_rgb(tmp_path: Path) -> None:
    red = np.zeros((20, 30, 4), np.uint8)
    red[..., 2], red[..., 3] = 255, 255
    red[:, :10, 3] = 0  # transparent
    cv2.imwrite(str(tmp_path / "page.png"), red)
    page = read_page(tmp_path / "page.png")
    assert page.dtype == np.uint8
    assert page[0, 20].tolist() == [255, 0, 0]
    assert page[0, 0].tolist() == [255, 255, 255]
    cv2.imwrite(str(tmp_path / "gray.png"), red[..., 2])
    assert read_page(tmp_path / "gray.png").shape == (20, 30)
    cv2.imwrite(str(tmp_path / "page.jpg"), red[..., :3])
    assert read_page(tmp_path / "page.jpg").shape == (20, 30, 3)


def test_bad_pictures_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_page(tmp_path / "none.png")
    with pytest.raises(FormatError, match=r"\.png"):
        read_page(tmp_path / "page.doc")
    for content in (b"", b"not a picture"):
        (tmp_path / "page.png").write_bytes(content)
        with pytest.raises(FormatError, match="not a readable picture"):
            read_page(tmp_path / "page.png")
    with pytest.raises(InputError, match="array"):
        page_to_gray(np.zeros((3, 4, 7), np.uint8))


@pytest.mark.parametrize(
    ("paper", "trace"),
    [
        ((255, 230, 230), (0, 0, 0)),
        ((150, 150, 150), (40, 40, 40)),
        ((255, 255, 255), (0, 0, 255)),
        ((0, 0, 0), (0, 255, 0)),
    ],
    ids=["pink", "grey", "blue trace", "monitor"],
)
def test_ink_is_the_trace_whatever_the_colours(
    paper: tuple[int, int, int], trace: tuple[int, int, int]
) -> None:
    image = np.full((720, 1120, 3), paper, np.uint8)
    image[300:304, 100:1000] = trace
    ink = page_to_gray(image)
    assert ink.dtype == np.float32
    assert ink.shape == (720, 1120)
    assert ink[301:303, 120:980].min() > 0.9
    assert ink[:290].max() < 0.1
    assert ink[315:].max() < 0.1


@pytest.mark.parametrize("shape", [(400, 400), (2000, 500), (300, 3000), (1, 1), (9, 5000)])
def test_the_whole_page_is_kept_with_its_proportions(shape: tuple[int, int]) -> None:
    image = np.full(shape, 255, np.uint8)
    if min(shape) > 100:
        image[:20, :20] = image[-20:, -20:] = 0  # marks in two corners
    ink = page_to_gray(image, (360, 560))
    assert ink.shape == (360, 560)
    assert np.isfinite(ink).all()
    if min(shape) > 100:
        rows, columns = np.nonzero(ink > 0.5)
        scale = min(360 / shape[0], 560 / shape[1])
        assert np.ptp(rows) == pytest.approx(shape[0] * scale, abs=3)
        assert np.ptp(columns) == pytest.approx(shape[1] * scale, abs=3)


def test_an_empty_page_stays_empty() -> None:
    noise = np.random.default_rng(0).integers(240, 256, (300, 400, 3)).astype(np.uint8)
    assert page_to_gray(noise).mean() < 0.1


def test_real_scans_leave_little_but_the_trace(shared: Path) -> None:
    scans = sorted((shared / "data/images/scans").glob("*.[pj]*g"))[:6]
    for scan in scans:
        ink = page_to_gray(read_page(scan))
        assert 0.003 < ink.mean() < 0.15, scan.name
