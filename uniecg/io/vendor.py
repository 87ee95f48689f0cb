"""Formats of carts and Holter recorders read by ecgdatakit, and what has to be put right in what it returns.

GE MUSE XML, Philips Sierra XML, HL7 aECG, SCP-ECG and ISHNE.
"""

from __future__ import annotations

import binascii
import re
import struct
import tempfile
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, require
from ..record import LEADS, Record, canonical_lead
from .metadata import ReadOptions, agreed_rate, damaged, make_record, mv_per_unit, person

__all__ = ["read_aecg", "read_ishne", "read_muse", "read_scp", "read_sierra"]

_ISHNE_FAULT = -32768  # sample that marks a lead fault, as the specification of ISHNE proposes


def read_muse(path: Path, options: ReadOptions) -> Record:
    """Read a GE MUSE XML file (``RestingECG``): the rhythm waveform, usually the eight independent leads.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        The sampling rate must agree with the file; not needed.

    Returns
    -------
    Record
        The leads in mV.

    Raises
    ------
    InputError
        If it is no ECG of known unit.
    FormatError
        If the file is damaged.
    MissingDependencyError
        If ecgdatakit is not installed.
    """
    return _read(path, options, "GE MUSE XML", "ge_muse_xml", "GEMuseXMLParser")


def read_sierra(path: Path, options: ReadOptions) -> Record:
    """Read a Philips Sierra XML file (1.03 to 1.04.02) without the calibration pulse at its end.

    Parameters, results and errors are those of `read_muse`.
    """
    ascii_part = path.read_bytes().replace(b"\0", b"")  # what is left of UTF-16
    found = re.search(rb"<parsedwaveforms[^>]*>", ascii_part)
    tag = found[0] if found else b""
    count = re.search(rb'\bnumberofleads="(\d+)"', tag)
    labels = re.search(rb'\bleadlabels="([^"]*\S[^"]*)"', tag)
    # Samples go to labels by position: where a label is lost, every lead behind it would get a wrong name.
    if count and labels and int(count[1]) > len(labels[1].split()):
        reason = f"it names {len(labels[1].split())} of {int(count[1])} leads"
        raise damaged(path, "Philips Sierra XML", reason)
    return _read(path, options, "Philips Sierra XML", "sierra_xml", "SierraXMLParser", _without_calibration)


def read_aecg(path: Path, options: ReadOptions) -> Record:
    """Read the rhythm series of an HL7 annotated ECG (aECG).

    Parameters, results and errors are those of `read_muse`.
    """
    return _read(path, options, "HL7 aECG", "hl7_aecg", "HL7aECGParser")


def read_scp(path: Path, options: ReadOptions) -> Record:
    """Read the rhythm data of an SCP-ECG file (EN 1064), compressed or not.

    Parameters, results and errors are those of `read_muse`.
    """
    data = path.read_bytes()
    fixed = _with_ranges_from_one(data)
    if fixed == data:
        return _read(path, options, "SCP-ECG", "scp_ecg", "SCPECGParser")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "fixed.scp")
        copy.write_bytes(fixed)
        return _read(path, options, "SCP-ECG", "scp_ecg", "SCPECGParser", source=copy)


def read_ishne(path: Path, options: ReadOptions) -> Record:
    """Read an ISHNE Holter file; samples of lead faults are gaps.

    Parameters, results and errors are those of `read_muse`.
    """
    return _read(path, options, "ISHNE Holter file", "ishne_holter", "ISHNEHolterParser", _without_faults)


def _read(
    path: Path,
    options: ReadOptions,
    kind: str,
    module: str,
    parser: str,
    correct: Callable[[npt.NDArray[np.float64], list[Any]], npt.NDArray[np.float64]] | None = None,
    source: Path | None = None,
) -> Record:
    """Read a file, or what stands in for it, with a parser of ecgdatakit.

    `correct` gets the counts, shape (n_leads, n_samples), and the leads they belong to.
    """
    parsers = require(f"ecgdatakit.parsing.parsers.{module}", "formats")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            content = getattr(parsers, parser)().parse(source or path)
        names, signal = _signal(path, content.leads, correct)
        rate = _rate(content)
    except (InputError, OSError):
        raise
    except Exception as error:  # damaged files end in whatever the parser runs into
        raise damaged(path, kind, error) from error
    patient, recorded = content.patient, content.recording.date
    metadata = person(
        patient.age,
        patient.sex,
        birth_date=_day(patient.birth_date),
        recorded=_day(recorded),
        name=f"{patient.first_name} {patient.last_name}",
        number=patient.patient_id,
        options=options,
    )
    suspect = []
    if any(warning.category.__name__ == "ChecksumWarning" for warning in caught):
        suspect.append("a checksum of the file is wrong")
    if len({len(lead.samples) for lead in content.leads}) > 1:
        suspect.append("its leads differ in length")
    stated = content.raw_metadata.get("ecg_size", 0)  # of ISHNE, in samples of each lead
    if stated > signal.shape[1]:
        suspect.append(f"it states {stated} samples, but holds {signal.shape[1]}")
    if suspect:
        metadata["suspect"] = suspect
    return make_record(path, signal, agreed_rate(path, rate, options.sampling_rate), names, metadata)


def _signal(path: Path, leads: list[Any], correct: Any) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the names of leads and their samples in mV, shape (n_leads, n_samples)."""
    # SCP-ECG leads may start one after another; the sample at which each does counts from 1.
    starts = [int(lead.annotations.get("start_sample", 1)) - 1 for lead in leads]
    starts = [start - min(starts) for start in starts]
    counts = np.full(
        (len(leads), max(s + len(lead.samples) for s, lead in zip(starts, leads, strict=True))), np.nan
    )
    for row, start, lead in zip(counts, starts, leads, strict=True):
        row[start : start + len(lead.samples)] = lead.samples
    if correct is not None:
        counts = correct(counts, leads)
    for row, lead in zip(counts, leads, strict=True):
        if canonical_lead(lead.label) is None:
            continue
        unit = lead.resolution_unit if lead.is_raw else lead.units
        if not unit or (lead.is_raw and lead.resolution == 0):
            raise InputError(f"{path} gives no unit for lead {lead.label}; export it again with its scale")
        if lead.is_raw:
            row *= lead.resolution
            row += lead.offset
        row *= mv_per_unit(path, unit, lead.label)
    return [lead.label for lead in leads], counts


def _rate(content: Any) -> float:
    """Return the sampling rate (Hz), which ecgdatakit rounds to whole numbers, as the file has it."""
    stated = content.raw_metadata
    if "rhythm_sample_interval_us" in stated:
        return 1e6 / float(stated["rhythm_sample_interval_us"])
    exact = (stated.get("rhythm_time") or {}).get("sampling_rate_exact")
    if exact is None:
        return float(content.leads[0].sampling_rate)
    # The increment is a decimal number of seconds or so: 257.49999999999994 is 257.5.
    return float(f"{float(exact):.9g}")


def _without_calibration(counts: npt.NDArray[np.float64], leads: list[Any]) -> npt.NDArray[np.float64]:
    """Cut the end of a Sierra recording where all leads show the same: padding and a pulse of 1 mV.

    The carts append it to every lead, so the end in common has no heart in it; it is cut only where it holds
    nothing but rest and one height of about 1 mV.
    """
    if len(leads) < len(LEADS):
        return counts
    apart = np.flatnonzero((counts != counts[0]).any(axis=0))
    start = int(apart[-1]) + 1 if apart.size else 0
    tail = np.unique(counts[0, start:])
    height = float(np.max(tail) * leads[0].resolution) if tail.size == 2 and tail[0] == 0 else 0.0
    return counts[:, :start] if start and 500 < height < 2000 else counts  # microvolt


def _without_faults(counts: npt.NDArray[np.float64], leads: list[Any]) -> npt.NDArray[np.float64]:
    return np.where(counts == _ISHNE_FAULT, np.nan, counts)


def _with_ranges_from_one(data: bytes) -> bytes:
    """Return an SCP-ECG file whose leads run from sample 1, as EN 1064 counts.

    Some carts (Contec) write 0 to n instead of 1 to n, for n samples. Only where every lead does and the
    samples stored confirm n are the ranges put right, and the checksums with them.
    """
    try:
        sections = {}
        for position in range(22, 6 + struct.unpack_from("<I", data, 10)[0] - 9, 10):
            number, length, index = struct.unpack_from("<HII", data, position)
            sections[number] = (index - 1, length)
        (start, length), (rhythm, _) = sections[3], sections[6]
        n_leads = data[start + 16]
        first_lead, fixed = start + 18, bytearray(data)
        for lead in range(n_leads):
            first, last = struct.unpack_from("<II", data, first_lead + 9 * lead)
            n_bytes = struct.unpack_from("<H", data, rhythm + 22 + 2 * lead)[0]
            if first != 0 or n_bytes != 2 * last or sections.get(2, (0, 0))[1]:
                return data
            struct.pack_into("<I", fixed, first_lead + 9 * lead, 1)
        struct.pack_into("<H", fixed, start, binascii.crc_hqx(fixed[start + 2 : start + length], 0xFFFF))
        if (
            binascii.crc_hqx(data[start + 2 : start + length], 0xFFFF)
            != struct.unpack_from("<H", data, start)[0]
        ):
            return data  # damaged: the parser shall say so
        size = struct.unpack_from("<I", data, 2)[0]
        if binascii.crc_hqx(data[2:size], 0xFFFF) == struct.unpack_from("<H", data, 0)[0]:
            struct.pack_into("<H", fixed, 0, binascii.crc_hqx(fixed[2:size], 0xFFFF))
        return bytes(fixed)
    except (struct.error, IndexError, KeyError):
        return data


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value
