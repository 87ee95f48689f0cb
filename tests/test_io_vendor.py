"""Real files of carts, stress systems and archives: each value equals that of an independent decoder."""

from __future__ import annotations

import base64
import re
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from uniecg.io import read_record
from uniecg.record import LEADS, Record

pytest.importorskip("ecgdatakit", reason="needs uniecg[formats]")
pytest.importorskip("edfio", reason="needs uniecg[formats]")
pydicom = pytest.importorskip("pydicom", reason="needs uniecg[formats]")

FLOAT32_MV = 1e-6  # rounding of float32 at a few mV


@pytest.fixture
def vendor(shared: Path) -> Path:
    return shared / "data/vendor"


def largest_difference(record: Record, reference: dict[str, np.ndarray]) -> float:
    return max(float(np.abs(record[lead] - values).max()) for lead, values in reference.items())


@pytest.mark.parametrize(
    ("name", "length_s", "rate", "person"),
    [
        ("braveheart_xml__example1.xml", 10, 500, {}),
        ("braveheart_xml__example2.xml", 10, 500, {}),
        ("cardiosoft_xml__example-XML1.xml", 10, 500, {"age": 53, "sex": "male"}),
        ("dicom__ecgtoolkit_Example.dcm", 10, 500, {"age": 49, "sex": "male"}),
        ("dicom__example-DICOM1.dcm", 10, 500, {"sex": "female"}),
        ("edf__contec_0000050.edf", 47.31875, 800, {}),
        ("hl7_aecg__ecgtoolkit_Example.xml", 10, 500, {"age": 46, "sex": "male"}),
        ("hl7_aecg__fda_subject1_0.xml", 10, 500, {"age": 46, "sex": "male"}),
        ("philips_sierra__129DYPRG_1.03.xml", 10.528, 500, {"age": 50, "sex": "male"}),
        ("philips_sierra__2020-5-18_1.04.01.xml", 10.6, 500, {"age": 69}),
        ("philips_sierra__ZZDEMO_1.04_orig.xml", 10.6, 500, {"age": 60, "sex": "male"}),
        ("scp__Example.scp", 10, 500, {"age": 49, "sex": "male"}),
        ("scp__contec_demo.scp", 10, 1000, {"age": 47, "sex": "male"}),
        ("wfdb__s0010_re.hea", 38.4, 1000, {"age": 81, "sex": "female"}),
        ("wfdb__s0010_re.dat", 38.4, 1000, {"age": 81, "sex": "female"}),
        ("wfdb__s0010_re.xyz", 38.4, 1000, {"age": 81, "sex": "female"}),
    ],
)
def test_every_vendor_file_is_a_plausible_ecg(
    vendor: Path, name: str, length_s: float, rate: float, person: dict[str, object]
) -> None:
    record = read_record(vendor / name)
    assert record.available_leads == LEADS
    assert record.duration_s == pytest.approx(length_s)
    assert record.sampling_rate == rate
    assert not np.isnan(record.signal).any()
    assert 0.3 < float(np.median(np.ptp(record.signal, axis=1))) < 5
    assert np.abs(record["II"] - record["I"] - record["III"]).max() < 0.02
    assert "suspect" not in record.metadata
    assert {key: record.metadata[key] for key in ("age", "sex") if key in record.metadata} == person
    assert "Clark" not in str(record.metadata)


def test_muse_equals_its_samples(vendor: Path) -> None:
    for name in ("braveheart_xml__example1.xml", "braveheart_xml__example2.xml"):
        text = (vendor / name).read_text("latin-1").partition("<WaveformType>Rhythm")[2]
        lead_data = re.findall(
            r"<LeadAmplitudeUnitsPerBit>([\d.]+)<.*?<LeadID>(\w+)</LeadID>.*?<WaveFormData>(.*?)</",
            text,
            re.DOTALL,
        )
        assert len(lead_data) == 8
        reference = {
            lead: np.frombuffer(base64.b64decode(data), "<i2") * float(scale) / 1000
            for scale, lead, data in lead_data
        }
        record = read_record(vendor / name)
        assert largest_difference(record, reference) < FLOAT32_MV
        assert record.metadata["derived_leads"] == ["III", "aVR", "aVL", "aVF"]


def test_cardiosoft_equals_its_numbers(vendor: Path) -> None:
    path = vendor / "cardiosoft_xml__example-XML1.xml"
    strip = path.read_text("latin-1").partition("<StripData>")[2].partition("</StripData>")[0]
    reference = {
        lead: np.array([int(number) * 5 / 1000 for number in re.findall(r"-?\d+", numbers)])
        for lead, numbers in re.findall(r'<WaveformData lead="(\w+)">(.*?)<', strip, re.DOTALL)
    }
    assert len(reference) == 12
    assert largest_difference(read_record(path), reference) < FLOAT32_MV


def test_dicom_equals_pydicom(vendor: Path) -> None:
    for name in ("dicom__ecgtoolkit_Example.dcm", "dicom__example-DICOM1.dcm"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.IGNORE)
            microvolt = pydicom.dcmread(vendor / name).waveform_array(0)
        reference = dict(zip(LEADS, microvolt.T / 1000, strict=True))
        assert largest_difference(read_record(vendor / name), reference) < FLOAT32_MV


def test_one_recording_in_three_formats_is_the_same(vendor: Path) -> None:
    aecg = read_record(vendor / "hl7_aecg__ecgtoolkit_Example.xml")
    numbers = re.findall(
        r'code="MDC_ECG_LEAD_(\w+)".*?<scale value="([\d.]+)".*?<digits>([^<]+)<',
        (vendor / "hl7_aecg__ecgtoolkit_Example.xml").read_text(),
        re.DOTALL,
    )[:12]
    reference = {
        lead: np.array(digits.split(), float) * float(scale) / 1000 for lead, scale, digits in numbers
    }
    assert largest_difference(aecg, reference) < FLOAT32_MV
    # Its DICOM copy states a padding of 0: the 1,269 zeros of the signal stay zeros.
    for name in ("dicom__ecgtoolkit_Example.dcm", "scp__Example.scp", "hl7_aecg__fda_subject1_0.xml"):
        np.testing.assert_allclose(read_record(vendor / name).signal, aecg.signal, atol=FLOAT32_MV)


def test_edf_equals_its_samples(vendor: Path) -> None:
    path = vendor / "edf__contec_0000050.edf"
    counts = np.frombuffer(path.read_bytes()[256 * 13 :], "<i2").reshape(-1, 12).T
    physical = (counts + 32768.0) * 2000 / 65535 - 1000
    assert largest_difference(read_record(path), dict(zip(LEADS, physical, strict=True))) < 1e-5


@pytest.mark.parametrize(
    ("name", "checksum"),
    [
        ("129DYPRG_1.03", 2009621238),
        ("2020-5-18_1.04.01", 951610903),
        ("ZZDEMO_1.04_orig", 4020812401),
    ],
)
def test_sierra_equals_sierraecg(vendor: Path, name: str, checksum: int) -> None:
    # Made with sierraecg 0.4.0 (pip install sierraecg), which decodes on its own:
    #   leads = sierraecg.read_file(path).leads
    #   zlib.crc32(np.stack([lead.samples[:5000] for lead in leads]).astype("<i2").tobytes())
    record = read_record(vendor / f"philips_sierra__{name}.xml")
    counts = np.round(record.signal[:, :5000] * 1000 / 5).astype("<i2")  # 5 uV a count
    assert zlib.crc32(counts.tobytes()) == checksum
    # All leads show a pulse of 1 mV at the end of the file: it is gone.
    assert np.ptp(record.signal[:, -1]) > 0.01


def test_scp_of_contec_equals_its_samples(vendor: Path) -> None:
    data = (vendor / "scp__contec_demo.scp").read_bytes()
    section = 0x183 - 1 + 16
    nanovolt = struct.unpack_from("<H", data, section)[0]
    counts = np.frombuffer(data, "<i2", 8 * 10000, section + 6 + 8 * 2).reshape(8, 10000)
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    reference = dict(zip(leads, counts.astype(float) * nanovolt / 1e6, strict=True))
    assert largest_difference(read_record(vendor / "scp__contec_demo.scp"), reference) < FLOAT32_MV


def test_wfdb_with_15_leads_equals_its_samples_under_both_names(vendor: Path, tmp_path: Path) -> None:
    counts = np.fromfile(vendor / "wfdb__s0010_re.dat", "<i2").reshape(-1, 12).T
    reference = dict(zip(LEADS, counts / 2000, strict=True))
    for suffix in (".hea", ".dat", ".xyz"):
        shutil.copy(vendor / f"wfdb__s0010_re{suffix}", tmp_path / f"s0010_re{suffix}")
    for path in (vendor / "wfdb__s0010_re.hea", tmp_path / "s0010_re.hea"):
        record = read_record(path)
        assert largest_difference(record, reference) < FLOAT32_MV
        assert record.metadata["other_leads"] == ["vx", "vy", "vz"]


def test_who_the_patient_is_stays_out_unless_asked(vendor: Path) -> None:
    for name, number in (
        ("scp__Example.scp", "SBJ-123"),
        ("dicom__ecgtoolkit_Example.dcm", "SBJ-123"),
        ("hl7_aecg__ecgtoolkit_Example.xml", "SBJ-123"),
        ("cardiosoft_xml__example-XML1.xml", "1532006361"),
    ):
        assert number not in str(read_record(vendor / name).metadata)
        assert read_record(vendor / name, identity=True).metadata["identity"]["id"] == number
