"""DICOM waveforms: 12-lead, general and ambulatory ECG.

References
----------
DICOM PS3.3 A.34.3 to A.34.5 and C.10.9 (Waveform Module), PS3.16 CID 3001 (ECG Leads).
https://dicom.nema.org/medical/dicom/current
"""

from __future__ import annotations

import re
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError, InputError, require
from ..record import Record, canonical_lead
from .metadata import (
    ReadOptions,
    agreed_rate,
    damaged,
    make_record,
    mv_per_unit,
    person,
    written_leads,
)

__all__ = ["read_dicom", "write_dicom"]

# Last number of the codes of a lead, the same in SCP-ECG (5.6.3-9-1) and ISO/IEEE 11073 (2:1).
_CODES = {
    "I": 1,
    "II": 2,
    "III": 61,
    "aVR": 62,
    "aVL": 63,
    "aVF": 64,
    "V1": 3,
    "V2": 4,
    "V3": 5,
    "V4": 6,
    "V5": 7,
    "V6": 8,
}
_LEAD_OF_CODE = {code: lead for lead, code in _CODES.items()}
_CODE = re.compile(r"(?:5\.6\.3-9-|2:)(\d+)")
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}

_DEFLATED = "1.2.840.10008.1.2.1.99"  # may unpack to anything, and the library does so at once
_TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
_GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.2"
_MAX_TWELVE_LEAD = 16384  # samples, PS3.3 A.34.3.4.5
_RATES_HZ = (200.0, 1000.0)  # PS3.3 A.34.3.4.6 and A.34.4.4.5
_PADDING = -32768
_MIN_PADDING = 10  # samples


def read_dicom(path: Path, options: ReadOptions) -> Record:
    """Read the rhythm leads of a DICOM ECG.

    Parameters
    ----------
    path : Path
        Waveform object; of several multiplex groups the longest original one is taken, with those beside it
        that hold other leads of the same time. Averaged beats are left out.
    options : ReadOptions
        The sampling rate must agree with the file; not needed.

    Returns
    -------
    Record
        The leads in mV. Padding at the ends is cut off, zeros of the signal stay.

    Raises
    ------
    InputError
        If the file holds no ECG, or a unit is unknown.
    FormatError
        If the file is damaged.
    MissingDependencyError
        If pydicom is not installed.
    """
    pydicom: Any = require("pydicom", "formats")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # values that break the standard but matter nothing here
            meta = require("pydicom.filereader", "formats").read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == _DEFLATED:
                raise InputError(f"{path} is deflated DICOM; save it in an uncompressed transfer syntax")
            content = pydicom.dcmread(path)
            groups = list(content.get("WaveformSequence") or [])
            if not groups:
                raise InputError(f"{path} is DICOM but holds no waveform; it is no ECG signal")
            names, signal, rate = _rhythm(path, content, groups)
            metadata = _person(content, options)
    except (InputError, OSError):
        raise
    except Exception as error:  # pydicom parses values when they are used and fails as they are damaged
        raise damaged(path, "DICOM waveform", error) from error
    return make_record(path, signal, agreed_rate(path, rate, options.sampling_rate), names, metadata)


def write_dicom(record: Record, path: Path) -> Path:
    """Write the leads a record has as DICOM, with a resolution of 1 uV and without identity.

    Parameters
    ----------
    record : Record
        The ECG; gaps are written as padding value. 12-Lead ECG up to 16384 samples, General ECG above.
    path : Path
        File to write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the sampling rate is not one of DICOM, or an amplitude does not fit 16 bit.
    MissingDependencyError
        If pydicom is not installed.
    """
    pydicom: Any = require("pydicom", "formats")
    leads = written_leads(record, path, "DICOM", gaps=True)
    if not _RATES_HZ[0] <= record.sampling_rate <= _RATES_HZ[1]:
        raise InputError(
            f"{path} was not written: DICOM ECGs have 200 to 1000 Hz, the record has {record.sampling_rate:g}; "
            "resample it (Record.resample) or write another format"
        )
    microvolt = np.stack([record[lead] for lead in leads]).astype(np.float64) * 1000
    if np.nanmax(np.abs(microvolt)) > -_PADDING - 1:
        peak = np.nanmax(np.abs(microvolt)) / 1000
        raise InputError(f"{path} was not written: {peak:.0f} mV does not fit; is the signal in mV?")
    digital = np.where(np.isnan(microvolt), _PADDING, np.round(microvolt)).astype("<i2")

    make: Any = pydicom.Dataset
    uid: Any = pydicom.uid

    def code(value: str, scheme: str, meaning: str) -> Any:
        item = make()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
        return pydicom.Sequence([item])

    channels = []
    for lead in leads:
        channel = make()
        channel.ChannelSourceSequence = code(f"5.6.3-9-{_CODES[lead]}", "SCPECG", f"Lead {lead}")
        channel.ChannelSensitivity = "1"
        channel.ChannelSensitivityUnitsSequence = code("uV", "UCUM", "microvolt")
        channel.ChannelSensitivityCorrectionFactor = "1"
        channel.ChannelBaseline = "0"
        channel.ChannelSampleSkew = "0"
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group = make()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(leads)
    group.NumberOfWaveformSamples = record.n_samples
    group.SamplingFrequency = f"{record.sampling_rate:.10g}"
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = pydicom.Sequence(channels)
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new("WaveformPaddingValue", "OW", np.array(_PADDING, "<i2").tobytes())
    group.add_new("WaveformData", "OW", digital.T.tobytes())

    content = make()
    content.SOPClassUID = _TWELVE_LEAD if record.n_samples <= _MAX_TWELVE_LEAD else _GENERAL
    # Made from the samples: the same record always gives the same file.
    seed = [digital.tobytes().hex(), f"{record.sampling_rate}", " ".join(leads)]
    content.SOPInstanceUID = uid.generate_uid(entropy_srcs=[*seed, "instance"])
    content.StudyInstanceUID = uid.generate_uid(entropy_srcs=[*seed, "study"])
    content.SeriesInstanceUID = uid.generate_uid(entropy_srcs=[*seed, "series"])
    content.Modality, content.SeriesNumber, content.InstanceNumber = "ECG", 1, 1
    # Required, empty where unknown: a record knows neither who nor when.
    for keyword in ("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"):
        setattr(content, keyword, "")
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "Manufacturer",
        "ContentDate",
        "ContentTime",
    ):
        setattr(content, keyword, "")
    content.AcquisitionDateTime = ""
    content.AcquisitionContextSequence = pydicom.Sequence([])
    content.PatientSex = {"female": "F", "male": "M"}.get(str(record.metadata.get("sex", "")), "")
    if record.metadata.get("age") is not None:
        content.PatientAge = f"{float(record.metadata['age']):03.0f}Y"
    content.WaveformSequence = pydicom.Sequence([group])
    content.file_meta = pydicom.dataset.FileMetaDataset()
    content.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(path, content, enforce_file_format=True)
    return path


def _rhythm(path: Path, content: Any, groups: list[Any]) -> tuple[list[str], npt.NDArray[np.float64], float]:
    """Return names, signal in mV, shape (n_leads, n_samples), and sampling rate (Hz) of the rhythm leads."""
    originals = [group for group in groups if group.get("WaveformOriginality", "ORIGINAL") != "DERIVED"]
    rhythms = [
        group for group in originals or groups if "MEDIAN" not in str(group.get("MultiplexGroupLabel", ""))
    ]
    candidates = [group for group in rhythms or groups if any(_lead(c) for c in _channels(group))]
    if not candidates:
        raise InputError(f"{path} holds no lead named like one of a 12-lead ECG")

    def extent(group: Any) -> tuple[float, int, float]:
        rate = float(group.SamplingFrequency)
        if not rate > 0:
            raise FormatError(f"{path}: its sampling rate {rate:g} is not a positive number of Hz")
        return rate, int(group.NumberOfWaveformSamples), float(group.get("MultiplexGroupTimeOffset") or 0)

    main = max(candidates, key=lambda group: extent(group)[1] / extent(group)[0])
    names: list[str] = []
    blocks = []
    for group in [main, *(other for other in candidates if other is not main)]:
        if extent(group) != extent(main) or (names and {_lead(c) for c in _channels(group)} & set(names)):
            continue
        names += [_lead(channel) or _label(channel) for channel in _channels(group)]
        blocks.append(_samples(path, content, groups.index(group), group))
    signal = np.concatenate(blocks)
    kept = np.flatnonzero(~np.isnan(signal).all(axis=0))
    if kept.size:  # cut the padding at the ends
        signal = signal[:, kept[0] : kept[-1] + 1]
    return names, signal, extent(main)[0]


def _samples(path: Path, content: Any, index: int, group: Any) -> npt.NDArray[np.float64]:
    """Return the samples of a group in mV, shape (n_channels, n_samples); padding is NaN."""
    raw: npt.NDArray[Any] = require("pydicom.waveforms", "formats").multiplex_array(content, index).T
    channels = _channels(group)
    if len(channels) != raw.shape[0]:
        raise FormatError(f"{path} describes {len(channels)} of {raw.shape[0]} channels; export it again")
    values = raw.astype(np.float64)
    padded = _padding(raw, group)
    for row, channel in zip(values, channels, strict=True):
        lead = _lead(channel)
        if lead is None:
            continue
        units = channel.get("ChannelSensitivityUnitsSequence") or []
        if "ChannelSensitivity" not in channel or not units:
            raise InputError(f"{path} gives no unit for lead {lead}; export it again with its sensitivity")
        # PS3.3 C.10.9.1.4.2: sample x sensitivity x correction + baseline, in the units of the sensitivity.
        row *= float(channel.ChannelSensitivity) * float(
            channel.get("ChannelSensitivityCorrectionFactor") or 1
        )
        row += float(channel.get("ChannelBaseline") or 0)
        row *= mv_per_unit(path, str(units[0].CodeValue), lead)
    values[padded] = np.nan
    return values


def _padding(raw: npt.NDArray[Any], group: Any) -> npt.NDArray[np.bool_]:
    """Return where a group is padded, shape (n_channels, n_samples)."""
    stated = group.get("WaveformPaddingValue")
    if stated is None:
        return np.zeros(raw.shape, bool)
    value = (
        np.frombuffer(bytes(stated)[: raw.dtype.itemsize], raw.dtype)[0]
        if isinstance(stated, bytes)
        else stated
    )
    equal: npt.NDArray[np.bool_] = raw == value
    limits = np.iinfo(raw.dtype)
    if limits.min < int(value) < limits.max - 1:
        # Some carts state 0, which is also a potential: only where all channels rest on it at an end is it padding.
        resting = equal.all(axis=0)
        moving = np.flatnonzero(~resting)
        first, last = (moving[0], moving[-1] + 1) if moving.size else (0, resting.size)
        equal = np.zeros(raw.shape, bool)
        if first >= _MIN_PADDING:
            equal[:, :first] = True
        if resting.size - last >= _MIN_PADDING:
            equal[:, last:] = True
    return equal


def _channels(group: Any) -> list[Any]:
    return list(group.get("ChannelDefinitionSequence") or [])


def _lead(channel: Any) -> str | None:
    """Return the lead of a channel by the code of its source, else by the words of its meaning or its label."""
    source = (channel.get("ChannelSourceSequence") or [{}])[0]
    code = _CODE.fullmatch(str(source.get("CodeValue", "")).strip())
    if code:
        return _LEAD_OF_CODE.get(int(code[1]))
    for text in (source.get("CodeValue", ""), source.get("CodeMeaning", ""), channel.get("ChannelLabel", "")):
        words = re.sub(r"\(.*?\)|^MDC_ECG_", "", str(text)).strip()  # "Lead I (Einthoven)", "MDC_ECG_LEAD_I"
        lead = canonical_lead(words)
        if lead:
            return lead
    return None


def _label(channel: Any) -> str:
    """Return what a channel that is no standard lead is called."""
    source = (channel.get("ChannelSourceSequence") or [{}])[0]
    return str(
        source.get("CodeMeaning") or channel.get("ChannelLabel") or source.get("CodeValue") or "channel"
    )


def _person(content: Any, options: ReadOptions) -> dict[str, Any]:
    age = re.fullmatch(r"(\d+)([YMWD])", str(content.get("PatientAge") or "").strip())
    return person(
        int(age[1]) * _YEARS[age[2]] if age else None,
        str(content.get("PatientSex") or ""),
        birth_date=_date(content.get("PatientBirthDate")),
        recorded=_date(content.get("AcquisitionDateTime") or content.get("StudyDate")),
        name=str(content.get("PatientName") or "").replace("^", " "),
        number=str(content.get("PatientID") or ""),
        options=options,
    )


def _date(value: Any) -> date | None:
    try:
        return datetime.strptime(str(value or "")[:8], "%Y%m%d").date()
    except ValueError:
        return None
