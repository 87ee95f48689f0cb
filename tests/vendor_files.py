"""Small files of the formats that UniECG reads but does not write, made from a record."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from uniecg.io import write_record
from uniecg.record import LEADS, Record

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
UV_PER_COUNT = 5


def small_ecg(seconds: float = 2.0, rate: float = 500.0) -> Record:
    """A record of whole multiples of 5 uV in which the limb leads fit together."""
    time = np.arange(round(seconds * rate)) / rate
    beat = np.exp(-0.5 * ((time % 0.8 - 0.4) / 0.012) ** 2) + 0.2 * np.exp(
        -0.5 * ((time % 0.8 - 0.65) / 0.04) ** 2
    )
    weights = {"I": 0.6, "II": 1.0, "V1": -0.8, "V2": -1.2, "V3": 0.5, "V4": 1.5, "V5": 1.3, "V6": 1.0}
    # Even counts, so that the augmented leads are whole counts too.
    rows = [
        np.round(weights[lead] * beat / (2 * UV_PER_COUNT) * 1000) * 2 * UV_PER_COUNT / 1000 for lead in EIGHT
    ]
    record = Record(np.array(rows), rate, EIGHT, {"age": 54, "sex": "female"})
    return record.derive_limb_leads()


def counts(record: Record, lead: str) -> np.ndarray:
    """Samples of a lead in steps of 5 uV."""
    return np.round(record[lead].astype(float) * 1000 / UV_PER_COUNT).astype("<i2")


def muse(record: Record, path: Path) -> Path:
    """GE MUSE XML with the eight leads that it stores."""
    leads = "".join(
        f"""<LeadData><LeadByteCountTotal>{2 * record.n_samples}</LeadByteCountTotal>
        <LeadSampleCountTotal>{record.n_samples}</LeadSampleCountTotal><LeadSampleSize>2</LeadSampleSize>
        <LeadAmplitudeUnitsPerBit>5</LeadAmplitudeUnitsPerBit>
        <LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{lead}</LeadID>
        <LeadDataCRC32>{binascii.crc32(counts(record, lead).tobytes())}</LeadDataCRC32>
        <WaveFormData>{base64.b64encode(counts(record, lead).tobytes()).decode()}</WaveFormData></LeadData>"""
        for lead in EIGHT
    )
    path.write_text(
        f"""<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>
        <PatientDemographics><PatientID>4711</PatientID><PatientLastName>Doe</PatientLastName>
        <PatientAge>54</PatientAge><AgeUnits>YEARS</AgeUnits><Gender>FEMALE</Gender></PatientDemographics>
        <Waveform><WaveformType>Rhythm</WaveformType><SampleBase>{record.sampling_rate:g}</SampleBase>
        <SampleExponent>0</SampleExponent>{leads}</Waveform></RestingECG>""",
        encoding="latin-1",
    )
    return path


def sierra(record: Record, path: Path, pulse_uv: int = 1000) -> Path:
    """Philips Sierra XML 1.03 in UTF-16 whose leads end in rest and a pulse of 1 mV."""
    pulse = np.zeros(200, "<i2")
    pulse[40:140] = pulse_uv // UV_PER_COUNT
    data = b"".join(np.concatenate([counts(record, lead), pulse]).astype("<i2").tobytes() for lead in LEADS)
    n_ms = round((record.n_samples + 200) / record.sampling_rate * 1000)
    path.write_text(
        f"""<?xml version="1.0" encoding="utf-16"?><restingecgdata xmlns="http://www3.medical.philips.com">
        <documentinfo><documenttype>SierraECG</documenttype><documentversion>1.03</documentversion></documentinfo>
        <dataacquisition><signalcharacteristics><samplingrate>{record.sampling_rate:g}</samplingrate>
        <signalresolution>5</signalresolution><numberchannelsallocated>12</numberchannelsallocated>
        <acquisitiontype>STD-12</acquisitiontype></signalcharacteristics></dataacquisition>
        <patient><generalpatientdata><patientid>4711</patientid><age><years>54</years></age><sex>Female</sex>
        </generalpatientdata></patient><waveforms><parsedwaveforms dataencoding="Base64" numberofleads="12"
        durationperchannel="{n_ms}" samplespersecond="{record.sampling_rate:g}" resolution="5"
        leadlabels="{" ".join(LEADS)}">{base64.b64encode(data).decode()}</parsedwaveforms></waveforms>
        </restingecgdata>""",
        encoding="utf-16",
    )
    return path


def cardiosoft(record: Record, path: Path) -> Path:
    """GE CardioSoft XML."""
    leads = "".join(
        f'<WaveformData lead="{lead}">{",".join(map(str, counts(record, lead)))}</WaveformData>'
        for lead in LEADS
    )
    path.write_text(
        f"""<?xml version="1.0" encoding="ISO-8859-1"?><CardiologyXML><PatientInfo><PID>4711</PID>
        <Name><FamilyName>Doe</FamilyName></Name><Age units="YEARS">54</Age><Gender>FEMALE</Gender></PatientInfo>
        <StripData><SampleRate units="Hz">{record.sampling_rate:g}</SampleRate>
        <ChannelSampleCountTotal>{record.n_samples}</ChannelSampleCountTotal>
        <Resolution units="uVperLsb">5</Resolution>{leads}</StripData></CardiologyXML>""",
        encoding="latin-1",
    )
    return path


def scp(record: Record, path: Path, first: int = 1) -> Path:
    """SCP-ECG, uncompressed, whose leads are numbered from `first` (the standard says 1)."""

    def section(number: int, body: bytes) -> bytes:
        body += b"\0" * (len(body) % 2)
        head = struct.pack("<HIBB6x", number, 16 + len(body), 13, 13)
        return struct.pack("<H", binascii.crc_hqx(head + body, 0xFFFF)) + head + body

    codes = dict(zip(EIGHT, (1, 2, 3, 4, 5, 6, 7, 8), strict=True))
    n_samples = record.n_samples
    demographics = b"".join(
        struct.pack("<BH", tag, len(value)) + value
        for tag, value in (
            (0, b"Doe\0"),
            (2, b"4711\0"),
            (4, struct.pack("<HB", 54, 1)),
            (8, b"\2"),
            (255, b""),
        )
    )
    ranges = b"".join(struct.pack("<IIB", first, n_samples, codes[lead]) for lead in EIGHT)
    samples = b"".join(counts(record, lead).tobytes() for lead in EIGHT)
    rhythm = struct.pack("<HHBB", UV_PER_COUNT * 1000, round(1e6 / record.sampling_rate), 0, 0)
    rhythm += struct.pack("<8H", *[2 * n_samples] * 8) + samples
    bodies = {1: demographics, 3: struct.pack("<BB", 8, 0x44) + ranges, 6: rhythm}
    sections = {number: section(number, body) for number, body in bodies.items()}
    position = 7 + 16 + 10 * 12
    pointers = struct.pack("<HII", 0, 16 + 10 * 12, 7)
    for number in range(1, 12):
        size = len(sections.get(number, b""))
        pointers += struct.pack("<HII", number, size, position if size else 0)
        position += size
    content = section(0, pointers) + b"".join(sections.values())
    content = struct.pack("<I", 6 + len(content)) + content
    path.write_bytes(struct.pack("<H", binascii.crc_hqx(content, 0xFFFF)) + content)
    return path


def ishne(record: Record, path: Path) -> Path:
    """ISHNE Holter file."""
    header = bytearray(514)  # from byte 10 of the file
    struct.pack_into("<iiii", header, 0, 0, record.n_samples, 522, 522)
    struct.pack_into("<h", header, 16, 1)
    header[18:22], header[98:102] = b"Jane", b"4711"
    struct.pack_into("<hh3h3h", header, 118, 2, 0, 1, 6, 1950, 2, 6, 2004)
    struct.pack_into("<h", header, 146, 12)
    struct.pack_into("<12h", header, 148, *range(5, 17))
    struct.pack_into("<12h", header, 196, *[UV_PER_COUNT * 1000] * 12)
    struct.pack_into("<hh", header, 220, 0, 0)
    struct.pack_into("<h", header, 262, round(record.sampling_rate))
    block = bytes(header[:512])
    checksum = struct.pack("<H", binascii.crc_hqx(block, 0xFFFF))
    samples = np.stack([counts(record, lead) for lead in LEADS], axis=1)
    path.write_bytes(b"ISHNE1.0" + checksum + block + samples.tobytes())
    return path


def bdf(record: Record, path: Path) -> Path:
    """BDF with 24 bit."""
    import edfio

    signals = [
        edfio.BdfSignal(
            record[lead].astype(float) * 1000,
            record.sampling_rate,
            label=f"EKG {lead}",
            physical_dimension="uV",
            physical_range=(-262144, 262143),
            digital_range=(-262144, 262143),
        )
        for lead in LEADS
    ]
    patient = edfio.Patient(code="4711", name="Doe", sex="F", additional=["age:54"])
    edfio.Bdf(signals, patient=patient, data_record_duration=0.1).write(path)
    return path


def mat(record: Record, path: Path) -> Path:
    """MATLAB 5 file with names."""
    import scipy.io

    fields = {"fs": record.sampling_rate, "units": "uV", "leads": list(LEADS), "age": 54, "sex": "F"}
    scipy.io.savemat(path, {"ECG": record.signal.astype(float) * 1000, **fields})
    return path


def parquet(record: Record, path: Path) -> Path:
    """Parquet table with one column a lead."""
    import pyarrow
    from pyarrow.parquet import write_table

    stated = {"sampling_rate": str(record.sampling_rate), "units": "mV", "age": "54", "sex": "F"}
    table = pyarrow.table({lead: record[lead] for lead in LEADS}).replace_schema_metadata(stated)
    write_table(table, path)
    return path


def npy(record: Record, path: Path) -> Path:
    """Bare array."""
    np.save(path, record.signal)
    return path


def _written(record: Record, path: Path) -> Path:
    return write_record(record, path, overwrite=True)


# How each format is made, by the name of its file.
MAKERS: dict[str, Callable[[Record, Path], Path]] = {
    "muse.xml": muse,
    "sierra.xml": sierra,
    "cardiosoft.xml": cardiosoft,
    "aecg.xml": _written,
    "ecg.scp": scp,
    "ecg.ecg": ishne,
    "ecg.dcm": _written,
    "ecg.edf": _written,
    "ecg.bdf": bdf,
    "ecg.mat": mat,
    "ecg.parquet": parquet,
    "ecg.npy": npy,
    "ecg.npz": _written,
    "ecg.json": _written,
    "ecg.csv": _written,
    "wfdb.hea": _written,
}
