"""Every format that is read, on files made here: values, names, units, person; and what is written."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import wfdb
from vendor_files import EIGHT, MAKERS, cardiosoft, ishne, muse, npy, scp, sierra, small_ecg

from uniecg.errors import FormatError, InputError, MissingDependencyError
from uniecg.io import READERS, WRITERS, read_record, read_windows, write_record
from uniecg.io.matlab import load_mat
from uniecg.io.sniff import sniff
from uniecg.record import LEADS, Record

for package in ("ecgdatakit", "edfio", "pydicom", "pyarrow"):
    pytest.importorskip(package, reason="needs uniecg[formats]")


@pytest.fixture(scope="module")
def ecg() -> Record:
    return small_ecg()


# Reading


@pytest.mark.parametrize("name", MAKERS)
def test_a_file_is_read_by_its_content(tmp_path: Path, ecg: Record, name: str) -> None:
    path = MAKERS[name](ecg, tmp_path / name)
    rate = 500 if name == "ecg.npy" else None
    record = read_record(path, sampling_rate=rate)
    np.testing.assert_allclose(record.signal, ecg.signal, atol=1e-6)
    assert record.sampling_rate == 500
    assert "suspect" not in record.metadata
    if name != "ecg.npy":
        assert {key: record.metadata[key] for key in ("age", "sex")} == {"age": 54, "sex": "female"}
    assert "4711" not in str(record.metadata)
    assert "Doe" not in str(record.metadata)
    # Only a WFDB header must keep its name, and samples without any mark their suffix.
    if name != "wfdb.hea":
        renamed = path.rename(tmp_path / "something.xyz")
        np.testing.assert_array_equal(read_record(renamed, sampling_rate=rate).signal, record.signal)


def test_every_reader_is_tried_here(tmp_path: Path, ecg: Record) -> None:
    assert {sniff(make(ecg, tmp_path / name)) for name, make in MAKERS.items()} == set(READERS)


@pytest.mark.parametrize("name", ["muse.xml", "cardiosoft.xml", "ecg.scp", "ecg.bdf", "ecg.ecg"])
def test_identity_is_kept_only_on_request_and_never_written(tmp_path: Path, ecg: Record, name: str) -> None:
    record = read_record(MAKERS[name](ecg, tmp_path / name), identity=True)
    assert record.metadata["identity"]["id"] == "4711"
    for suffix in filter(None, WRITERS):
        written = write_record(record, tmp_path / f"copy{suffix}", overwrite=True)
        assert b"4711" not in written.read_bytes()
        assert (
            "identity" not in read_record(written, identity=True).metadata
            or not (read_record(written, identity=True).metadata["identity"])
        )


def test_four_leads_follow_from_eight(tmp_path: Path, ecg: Record) -> None:
    record = read_record(muse(ecg, tmp_path / "muse.xml"))
    assert record.metadata["derived_leads"] == ["III", "aVR", "aVL", "aVF"]
    np.testing.assert_allclose(record["aVL"], ecg["aVL"], atol=1e-6)
    # Not where anything is missing.
    partial = write_record(ecg.select(EIGHT[:7]), tmp_path / "partial.csv")
    assert read_record(partial).available_leads == ("I", "II", "V1", "V2", "V3", "V4", "V5")


def test_wrong_checksums_make_a_record_suspect(tmp_path: Path, ecg: Record) -> None:
    for path in (
        muse(ecg, tmp_path / "muse.xml"),
        scp(ecg, tmp_path / "ecg.scp"),
        ishne(ecg, tmp_path / "e.ecg"),
    ):
        content = bytearray(path.read_bytes())
        if path.suffix == ".xml":
            text = content.decode("latin-1")
            content = bytearray(text.replace("<WaveFormData>A", "<WaveFormData>Q", 1).encode("latin-1"))
        else:
            content[-3 if path.suffix == ".scp" else 60] ^= 1
        path.write_bytes(content)
        with pytest.warns(UserWarning, match="checksum"):
            record = read_record(path)
        assert any("checksum" in reason for reason in record.metadata["suspect"])
    header = write_record(ecg, tmp_path / "ecg.hea")
    samples = bytearray(header.with_suffix(".dat").read_bytes())
    samples[24 * 300 + 2 * 8] ^= 1  # one bit of one sample of V3
    header.with_suffix(".dat").write_bytes(samples)
    with pytest.warns(UserWarning, match="the checksum of V3 is wrong"):
        read_record(header)


def test_what_no_heart_shows_makes_a_record_suspect(tmp_path: Path, ecg: Record) -> None:
    swapped = Record(ecg.signal[[0, 2, 1, *range(3, 12)]], 500)
    for record, message in (
        (swapped, "contradict"),
        (Record(ecg.signal * 100, 500), "span"),
        (Record(ecg.signal / 1000, 500), "span"),
        (Record(ecg.signal, 5), "5 Hz"),
        (Record(ecg.signal + 1e4 * (np.arange(12) == 8)[:, None], 500), "V3 lies more than 500 mV"),
    ):
        path = write_record(record, tmp_path / "ecg.json", overwrite=True)
        with pytest.warns(UserWarning, match=message):
            assert read_record(path).metadata["suspect"]


def test_the_calibration_pulse_of_sierra_is_cut(tmp_path: Path, ecg: Record) -> None:
    path = sierra(ecg, tmp_path / "sierra.xml")
    assert read_record(path).n_samples == ecg.n_samples
    # All leads alike, but no pulse: nothing is known to be artificial, nothing is cut.
    assert read_record(sierra(ecg, path, pulse_uv=0)).n_samples == ecg.n_samples + 200


def test_scp_numbered_from_zero_is_read_like_the_standard(tmp_path: Path, ecg: Record) -> None:
    good, odd = (read_record(scp(ecg, tmp_path / f"{first}.scp", first)) for first in (1, 0))
    np.testing.assert_array_equal(good.signal, odd.signal)
    assert "suspect" not in odd.metadata


def test_lead_faults_of_ishne_are_gaps(tmp_path: Path, ecg: Record) -> None:
    path = ishne(ecg, tmp_path / "ecg.ecg")
    content = bytearray(path.read_bytes())
    content[522 + 2 * 12 * 100 : 522 + 2 * 12 * 100 + 2] = b"\x00\x80"
    path.write_bytes(content)
    assert np.flatnonzero(np.isnan(read_record(path)["I"])).tolist() == [100]


def test_entities_in_xml_are_refused(tmp_path: Path, ecg: Record) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "5"><!ENTITY b "&a;&a;&a;&a;">]>'
    for maker, root in ((cardiosoft, "CardiologyXML"), (muse, "RestingECG")):
        path = maker(ecg, tmp_path / "bomb.xml")
        text = path.read_text("latin-1").replace('<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', "")
        path.write_text(text.replace(f"<{root}>", f"{bomb}<{root}>").replace(">5<", ">&b;<"), "latin-1")
        with pytest.raises(FormatError, match="damaged"):
            read_record(path)


def test_files_that_would_fill_the_memory_are_refused(
    tmp_path: Path, ecg: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    pydicom = pytest.importorskip("pydicom")
    from uniecg import io
    from uniecg.io import metadata

    paths = [MAKERS[name](ecg, tmp_path / name) for name in ("ecg.npz", "ecg.parquet", "ecg.json", "ecg.scp")]
    scipy.io.savemat(tmp_path / "ecg.mat", {"ecg": ecg.signal}, do_compression=True)
    monkeypatch.setattr(metadata, "_MAX_BYTES", 10_000)
    for path in [tmp_path / "ecg.mat", *paths[:2]]:
        with pytest.raises(InputError, match="unpacks to more"):
            read_record(path)
    monkeypatch.setattr(io, "_MAX_BYTES", 10_000)
    monkeypatch.setattr(io, "_MAX_TREE_BYTES", 10_000)
    for path in paths[2:]:
        with pytest.raises(InputError, match="larger than"):
            read_record(path)
    content = pydicom.dcmread(write_record(ecg, tmp_path / "ecg.dcm"))
    content.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    content.save_as(tmp_path / "deflated.dcm")
    monkeypatch.undo()
    with pytest.raises(InputError, match="deflated"):
        read_record(tmp_path / "deflated.dcm")


@pytest.mark.parametrize("root", ["RestingECG", "CardiologyXML", "restingecgdata", "AnnotatedECG"])
def test_xml_of_any_depth_is_an_error(tmp_path: Path, root: str) -> None:
    path = tmp_path / "deep.xml"
    path.write_text(f"<{root}>" + "<a>" * 100_000 + "</a>" * 100_000 + f"</{root}>")
    with pytest.raises(InputError, match=r"deep\.xml"):
        read_record(path)


def test_dicom_padding_is_cut_and_zeros_stay(tmp_path: Path, ecg: Record) -> None:
    pydicom = pytest.importorskip("pydicom")
    content = pydicom.dcmread(write_record(ecg, tmp_path / "ecg.dcm"))
    group = content.WaveformSequence[0]
    samples = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12)
    beginning = int(np.argmax(samples.any(axis=1)))
    assert beginning > 10
    group.NumberOfWaveformSamples += 50
    for padding in (0, -32768):
        group.WaveformPaddingValue = np.array(padding, "<i2").tobytes()
        group.WaveformData = np.concatenate([samples, np.full((50, 12), padding, "<i2")]).tobytes()
        content.save_as(tmp_path / "padded.dcm")
        record = read_record(tmp_path / "padded.dcm")
        # Where 0 means padding, rest in all leads at an end counts as such.
        assert record.n_samples == (1000 if padding else 1000 - beginning)
        assert not np.isnan(record.signal).any()
        assert (record.signal == 0).any()


def test_dicom_groups(tmp_path: Path, ecg: Record) -> None:
    """A median beat beside the rhythm is left out; leads spread over groups of the same time are put together."""
    pydicom = pytest.importorskip("pydicom")
    limb = pydicom.dcmread(write_record(ecg.select(LEADS[:6]), tmp_path / "limb.dcm"))
    chest = pydicom.dcmread(write_record(ecg.select(LEADS[6:]), tmp_path / "chest.dcm"))
    beat = pydicom.dcmread(write_record(ecg.crop(0, 0.6), tmp_path / "beat.dcm"))
    beat.WaveformSequence[0].WaveformOriginality = "DERIVED"
    limb.WaveformSequence = [*beat.WaveformSequence, *limb.WaveformSequence, *chest.WaveformSequence]
    limb.save_as(tmp_path / "all.dcm")
    np.testing.assert_allclose(read_record(tmp_path / "all.dcm").signal, ecg.signal, atol=1e-6)
    limb.WaveformSequence = []
    limb.save_as(tmp_path / "none.dcm")
    with pytest.raises(InputError, match="holds no waveform"):
        read_record(tmp_path / "none.dcm")


@pytest.mark.parametrize(
    ("fmt", "step"), [("16", 1), ("24", 1), ("32", 1), ("212", 5), ("508", 50), ("516", 1), ("524", 1)]
)
def test_wfdb_in_its_storage_formats(tmp_path: Path, ecg: Record, fmt: str, step: int) -> None:
    signal = np.vstack([ecg.signal, ecg.signal[:3]]).T.astype(float)
    names = [lead.lower() for lead in LEADS] + ["vx", "vy", "vz"]
    wfdb.wrsamp(
        "rec",
        fs=500,
        units=["mV"] * 15,
        sig_name=names,
        p_signal=signal,
        fmt=[fmt] * 15,
        adc_gain=[1000 / step] * 15,
        baseline=[0] * 15,
        write_dir=str(tmp_path),
    )
    record = read_record(tmp_path / "rec")
    np.testing.assert_allclose(record.signal, ecg.signal, atol=step / 2000 + 1e-6)
    assert record.metadata["other_leads"] == ["vx", "vy", "vz"]
    part = read_record(tmp_path / "rec", start_s=0.5, end_s=1.2)
    np.testing.assert_array_equal(part.signal, record.signal[:, 250:600])


def test_mat_of_the_physionet_challenge_goes_with_its_header(tmp_path: Path, ecg: Record) -> None:
    counts = np.round(ecg.signal * 1000).astype(np.int16)
    scipy.io.savemat(tmp_path / "A0001.mat", {"val": counts}, format="4")
    lines = [
        f"A0001.mat 16+24 1000(0)/mV 16 0 {row[0]} 0 0 {lead}"
        for lead, row in zip(LEADS, counts, strict=True)
    ]
    header = tmp_path / "A0001.hea"
    header.write_text(
        "\n".join(["A0001 12 500 1000", *lines, "#Age: 74", "#Sex: Male", "#Dx: 426783006"]) + "\n"
    )
    for path in (header, tmp_path / "A0001.mat", tmp_path / "A0001"):
        record = read_record(path)
        np.testing.assert_allclose(record.signal, ecg.signal, atol=1e-6)
        assert record.metadata == {"age": 74, "sex": "male"}
    header.unlink()
    with pytest.raises(InputError, match="too much for mV"):
        read_record(tmp_path / "A0001.mat", sampling_rate=500)


def test_wfdb_beside_slower_signals(tmp_path: Path, ecg: Record) -> None:
    """Two samples of the ECG in a frame with one of respiration, as monitors store them."""
    samples = np.column_stack([ecg["II"][0::2], ecg["II"][1::2], np.zeros(500)]) * 1000
    (tmp_path / "rec.dat").write_bytes(np.round(samples).astype("<i2").tobytes())
    lines = ["rec 2 250 500", "rec.dat 16x2 1000/mV 16 0 0 0 0 II", "rec.dat 16 100/pm 16 0 0 0 0 RESP"]
    (tmp_path / "rec.hea").write_text("\n".join(lines) + "\n")
    record = read_record(tmp_path / "rec.hea")
    assert record.sampling_rate == 500
    np.testing.assert_allclose(record["II"], ecg["II"], atol=1e-6)
    np.testing.assert_array_equal(read_record(tmp_path / "rec.hea", start_s=1)["II"], record["II"][500:])


def test_wfdb_renamed_with_its_samples_is_found(tmp_path: Path, ecg: Record) -> None:
    path = write_record(ecg, tmp_path / "ecg.hea")
    for file in (path, path.with_suffix(".dat")):
        file.rename(tmp_path / f"renamed{file.suffix}")
    np.testing.assert_allclose(read_record(tmp_path / "renamed.hea").signal, ecg.signal, atol=1e-6)


def test_arrays_without_names_are_twelve_leads_in_order(tmp_path: Path, ecg: Record) -> None:
    path = npy(ecg, tmp_path / "ecg.npy")
    with pytest.raises(InputError, match="does not state its sampling rate"):
        read_record(path)
    np.save(path, ecg.signal.T)
    record = read_record(path, sampling_rate=500)
    np.testing.assert_array_equal(record.signal, ecg.signal)
    assert record.metadata["leads_assumed"] is True
    np.save(
        path, ecg.signal[[0, 1, 2, 3, 5, 4, *range(6, 12)]]
    )  # aVF before aVL, as some data sets have them
    with pytest.warns(UserWarning, match="contradict"):
        read_record(path, sampling_rate=500)
    np.save(path, ecg.signal[:8])
    with pytest.raises(InputError, match="names of its leads"):
        read_record(path, sampling_rate=500)


def test_mat_with_a_structure_as_in_cpsc2018(tmp_path: Path, ecg: Record) -> None:
    scipy.io.savemat(tmp_path / "A1.mat", {"ECG": {"sex": "Male", "age": 61, "data": ecg.signal}})
    record = read_record(tmp_path / "A1.mat", sampling_rate=500)
    np.testing.assert_array_equal(record.signal, ecg.signal)
    assert record.metadata == {"age": 61, "sex": "male", "leads_assumed": True}


@pytest.mark.parametrize(
    "options", [{"format": "4"}, {}, {"do_compression": True}], ids=["4", "5", "compressed"]
)
def test_matlab_is_read_as_scipy_reads_it(tmp_path: Path, options: dict[str, Any]) -> None:
    numbers = {kind: np.arange(-3, 9).astype(kind).reshape(3, 4) for kind in ("f8", "f4", "i4", "i2", "u1")}
    written: dict[str, Any] = {f"x{kind}": value for kind, value in numbers.items()}
    written |= {
        "text": "aVR und Gerät",
        "lines": np.array(["I", "aVF"]),
        "one": 500.0,
        "none": np.empty((0, 0)),
    }
    written["complex"] = np.array([[1 + 2j, 3]])
    if "format" not in options:
        written |= {
            "cell": np.array(["I", "aVF", 3.5], object),
            "struct": {"data": numbers["i2"], "sex": "Male"},
        }
        written |= {"i8": np.array([[2**40]]), "bool": np.array([[True, False]]), "deep": {"a": {"b": "c"}}}
    scipy.io.savemat(tmp_path / "all.mat", written, **options)
    ours, scipys = load_mat(tmp_path / "all.mat"), scipy.io.loadmat(tmp_path / "all.mat")
    assert set(ours) == {key for key in scipys if not key.startswith("__")}
    for key in [*(f"x{kind}" for kind in numbers), "one", "none", *({"i8", "bool"} & set(written))]:
        np.testing.assert_array_equal(ours[key], scipys[key])
    np.testing.assert_array_equal(ours["complex"], scipys["complex"].real)
    assert ours["text"] == scipys["text"][0]
    assert ours["lines"] == ["I", "aVF"]
    if "format" not in options:
        assert [ours["cell"][0], ours["cell"][1], float(ours["cell"][2].item())] == ["I", "aVF", 3.5]
        np.testing.assert_array_equal(ours["struct"]["data"], numbers["i2"])
        assert (ours["struct"]["sex"], ours["deep"]) == ("Male", {"a": {"b": "c"}})


def test_parquet_of_one_ecg_and_of_many(tmp_path: Path, ecg: Record) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    row = {
        "signal_uv": np.round(ecg.signal * 1000).astype(np.int16).ravel(),
        "sampling_rate": 500,
        "sex": "F",
    }
    for n_rows in (1, 2):
        write_table(pyarrow.Table.from_pylist([row] * n_rows), tmp_path / f"{n_rows}.parquet")
    np.testing.assert_allclose(read_record(tmp_path / "1.parquet").signal, ecg.signal, atol=1e-6)
    with pytest.raises(InputError, match="holds 2 ECGs"):
        read_record(tmp_path / "2.parquet")


def test_json_of_others(tmp_path: Path) -> None:
    path = tmp_path / "ecg.json"
    path.write_text(
        '{"sampling_rate": 250, "units": "uV", "leads": ["ii", "V1"], "signal": [[1, null], [2, 3]]}'
    )
    with pytest.warns(UserWarning, match="span"):
        record = read_record(path)
    np.testing.assert_allclose(record["II"], [0.001, np.nan])
    for text, message in (
        ("[1]", "object"),
        ("{", "JSON"),
        ('{"signal": {"I": ["a"]}, "sampling_rate": 5}', "signal"),
        ('{"signal": {"I": [1, 2]}, "sampling_rate": [1, 2]}', "sampling_rate"),
        ('{"signal": [[1]], "sampling_rate": 500}', "lacks leads"),
        ('{"signal": {"I": [1, 2]}, "sampling_rate": 500, "metadata": [1]}', "metadata"),
        ("[" * 100_000, "JSON|object|unknown"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_record(path)


def test_edf_that_cannot_be_read_says_why(tmp_path: Path, ecg: Record) -> None:
    path = write_record(ecg, tmp_path / "ecg.edf")
    content = path.read_bytes()
    for changed, message in (
        (content[:-100], r"cut short \(0 of 1 data records\)"),
        (content[:1000], "cut short|damaged"),
        (content.replace(b"uV      ", b"mmHg    "), "mmHg"),
        (content.replace(b"ECG ", b"EEG "), "named like a lead"),
        (content[:192] + b"EDF+D" + content[197:], "pauses"),
        (content[:244] + b"0       " + content[252:], "duration"),
    ):
        path.write_bytes(changed)
        with pytest.raises(InputError, match=message):
            read_record(path)


def test_content_wins_over_the_suffix_and_unknown_files_are_named(tmp_path: Path, ecg: Record) -> None:
    path = write_record(ecg, tmp_path / "ecg.json").rename(tmp_path / "ecg.csv")
    assert read_record(path).available_leads == LEADS
    for name, content, message in (
        ("page.edf", b"\x89PNG\r\n", "picture"),
        ("report.pdf", b"%PDF-1.7", "picture or a page"),
        ("other.xml", b"<html></html>", "root 'html'"),
        ("noise.bin", bytes(range(256)), "unknown format"),
        ("empty.xml", b"", "unknown format"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match=message) as caught:
            read_record(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, ecg: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    paths = [MAKERS[name](ecg, tmp_path / name) for name in ("ecg.edf", "ecg.dcm", "muse.xml", "ecg.parquet")]
    real = importlib.import_module

    def absent(name: str, package: str | None = None) -> object:
        if name.partition(".")[0] in ("edfio", "pydicom", "ecgdatakit", "pyarrow"):
            raise ModuleNotFoundError(name, name=name.partition(".")[0])
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)
    for path in paths:
        with pytest.raises(MissingDependencyError, match=r"uniecg\[formats\]"):
            read_record(path)


# Parts


@pytest.mark.parametrize("name", MAKERS)
def test_parts_are_those_of_the_whole(tmp_path: Path, ecg: Record, name: str) -> None:
    path = MAKERS[name](ecg, tmp_path / name)
    rate = 500 if name == "ecg.npy" else None
    part = read_record(path, rate, start_s=0.502, end_s=1.4)
    np.testing.assert_allclose(part.signal, ecg.signal[:, 251:700], atol=1e-6)
    pieces = list(read_windows(path, 0.6, rate))
    assert [piece.metadata["start_s"] for piece in pieces] == pytest.approx([0, 0.6, 1.2, 1.8])
    np.testing.assert_allclose(np.hstack([piece.signal for piece in pieces]), ecg.signal, atol=1e-6)
    with pytest.raises(InputError, match=r"nothing lies between 7 s and the end; it lasts 2 s"):
        read_record(path, rate, start_s=7)
    with pytest.raises(InputError, match="window_s"):
        next(read_windows(path, 0, rate))


# Writing


@pytest.mark.parametrize("suffix", [".edf", ".dcm", ".xml", ".json"])
@pytest.mark.parametrize(("rate", "seconds"), [(500, 2), (257.5, 4), (360, 1.0083333), (1000, 20.007)])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, rate: float, seconds: float) -> None:
    ecg = small_ecg(seconds, rate)
    again = read_record(write_record(ecg, tmp_path / f"ecg{suffix}"))
    np.testing.assert_allclose(again.signal, ecg.signal, atol=1e-6)
    assert again.sampling_rate == pytest.approx(rate, rel=1e-6)
    assert again.metadata == ecg.metadata
    assert (
        write_record(ecg, tmp_path / f"two{suffix}").read_bytes() == (tmp_path / f"ecg{suffix}").read_bytes()
    )


def test_fewer_leads_are_written_and_read(tmp_path: Path, ecg: Record) -> None:
    few = ecg.select(["II", "V1"])
    for suffix in (".edf", ".dcm", ".xml", ".json", ".npz", ".csv", ".hea"):
        assert read_record(write_record(few, tmp_path / f"few{suffix}")).available_leads == ("II", "V1")


def test_gaps_are_written_or_refused(tmp_path: Path, ecg: Record) -> None:
    signal = ecg.signal.copy()
    signal[:, 100:120] = np.nan
    gappy = Record(signal, 500)
    for suffix in (".dcm", ".json", ".npz", ".csv", ".hea"):
        again = read_record(write_record(gappy, tmp_path / f"gap{suffix}"))
        np.testing.assert_array_equal(np.isnan(again.signal), np.isnan(signal))
    for suffix in (".edf", ".xml"):
        with pytest.raises(InputError, match="gaps"):
            write_record(gappy, tmp_path / f"gap{suffix}")
        assert not (tmp_path / f"gap{suffix}").exists()


def test_dicom_written_here_is_a_12_lead_ecg(tmp_path: Path, ecg: Record) -> None:
    pydicom = pytest.importorskip("pydicom")
    content = pydicom.dcmread(write_record(ecg, tmp_path / "ecg.dcm"))
    assert content.SOPClassUID.name == "12-lead ECG Waveform Storage"
    np.testing.assert_allclose(content.waveform_array(0).T / 1000, ecg.signal, atol=1e-6)
    assert (content.PatientAge, content.PatientSex, content.PatientName) == ("054Y", "F", "")
    with pytest.raises(InputError, match="resample"):
        write_record(Record(ecg.signal, 100), tmp_path / "slow.dcm")
    with pytest.raises(InputError, match="is the signal in mV"):
        write_record(Record(ecg.signal * 1000, 500), tmp_path / "big.dcm")


def test_aecg_written_here_is_read_alike_by_the_library(tmp_path: Path, ecg: Record) -> None:
    ecgdatakit = pytest.importorskip("ecgdatakit")
    content = ecgdatakit.FileParser.parse(write_record(ecg, tmp_path / "ecg.xml"))
    assert (content.patient.age, content.patient.sex) == (54, "F")
    for lead in content.leads:
        np.testing.assert_allclose(lead.samples, ecg[lead.label], atol=1e-6)


def test_edf_written_here_is_read_alike_by_the_library(tmp_path: Path, ecg: Record) -> None:
    edfio = pytest.importorskip("edfio")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = edfio.read_edf(write_record(ecg, tmp_path / "ecg.edf"))
    assert content.labels == tuple(f"ECG {lead}" for lead in LEADS)
    for signal, row in zip(content.signals, ecg.signal, strict=True):
        assert signal.sampling_frequency == 500
        np.testing.assert_allclose(signal.data / 1000, row, atol=1e-6)


def test_json_is_plain(tmp_path: Path, ecg: Record) -> None:
    content = json.loads(write_record(ecg, tmp_path / "ecg.json").read_text())
    assert set(content) == {"sampling_rate", "units", "metadata", "signal"}
    assert list(content["signal"]) == list(LEADS)


@pytest.mark.parametrize(
    "part", [{"start_s": float("nan")}, {"end_s": float("inf")}, {"end_s": float("nan")}]
)
def test_a_part_without_finite_ends_is_refused(tmp_path: Path, ecg: Record, part: dict[str, float]) -> None:
    path = write_record(ecg, tmp_path / "ecg.edf")
    with pytest.raises(InputError, match="finite number of seconds"):
        read_record(path, **part)


def test_a_lost_lead_label_of_sierra_moves_no_names(tmp_path: Path, ecg: Record) -> None:
    path = sierra(ecg, tmp_path / "sierra.xml")
    path.write_text(path.read_text("utf-16").replace("V2 V3 ", ""), "utf-16")
    with pytest.raises(FormatError, match="names 10 of 12 leads"):
        read_record(path)
