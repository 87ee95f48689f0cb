"""EDF, EDF+ and BDF: channels of 16 or 24 bit in data records of fixed duration.

References
----------
Kemp B. et al. A simple format for exchange of digitized polygraphic recordings. Electroencephalogr Clin
Neurophysiol 1992;82:391-393. Kemp B., Olivan J. European data format 'plus' (EDF+). Clin Neurophysiol
2003;114:1755-1761. https://www.edfplus.info/specs
"""

from __future__ import annotations

import io
import re
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import FormatError, InputError, require
from ..record import Record, canonical_lead
from .metadata import (
    ReadOptions,
    agreed_rate,
    damaged,
    make_record,
    mv_per_unit,
    person,
    sample_span,
    written_leads,
)

__all__ = ["edf_length", "read_edf", "write_edf"]

_MAIN = 256  # bytes of the main header, and of the header of each signal
_RANGE_UV = (-32768, 32767)  # 1 uV a count in 16 bit; in whole numbers, which the library cannot round
_MAX_RECORD_BYTES = 61440  # the specification's limit for one data record
# "MCH-0234567 F 02-MAY-1951 Haagse_Harry", with X for what is not told; EDF+ 2.1.3.3
_PATIENT = re.compile(r"(?P<id>\S+) (?P<sex>[FMX]) (?P<birth>\S+) (?P<name>\S+)(?: .*?\bage:(?P<age>\d+))?.*")


class _Header(NamedTuple):
    raw: bytes
    n_records: int
    record_s: float
    rates: tuple[float, ...]
    per_record: tuple[int, ...]
    labels: tuple[str, ...]
    record_bytes: int
    rest: int


def edf_length(path: Path) -> float:
    """Return the length of an EDF or BDF file in seconds."""
    header = _read_header(path)
    return header.n_records * header.per_record[0] / header.rates[0]


def read_edf(path: Path, options: ReadOptions) -> Record:
    """Read the leads of an EDF, EDF+ or BDF file, only the part asked for.

    Parameters
    ----------
    path : Path
        File whose labels name the leads (``I``, ``ECG V1``).
    options : ReadOptions
        The sampling rate must agree with the file; not needed.

    Returns
    -------
    Record
        The leads in mV; age and sex where the patient field has the form of EDF+.

    Raises
    ------
    InputError
        If no signal is a lead, their rates or units do not fit, or the recording has pauses (EDF+D).
    FormatError
        If the file is damaged or cut short.
    MissingDependencyError
        If edfio is not installed.
    """
    edfio: Any = require("edfio", "formats")
    header = _read_header(path)
    chosen = [index for index, label in enumerate(header.labels) if _lead(label)]
    if not chosen:
        raise InputError(f"{path}: no signal is named like a lead; the names are {', '.join(header.labels)}")
    if len({header.per_record[index] for index in chosen}) > 1:
        raise InputError(f"{path}: its leads have different sampling rates; bring them to one first")
    if header.raw[192:197] in (b"EDF+D", b"BDF+D"):
        raise InputError(f"{path} holds pauses (EDF+D); save the part you want as EDF+C")
    rate, per_record = header.rates[chosen[0]], header.per_record[chosen[0]]
    first, last = sample_span(path, options, rate, header.n_records * per_record)
    first_record, last_record = first // per_record, -(-last // per_record)
    with path.open("rb") as file:
        file.seek(len(header.raw) + first_record * header.record_bytes)
        records = file.read((last_record - first_record) * header.record_bytes)
    # The library is given a file of just these data records: so BDF, too, is read without loading all of it.
    head = header.raw[:236] + f"{last_record - first_record:<8d}".encode() + header.raw[244:]
    read = edfio.read_bdf if header.raw[0] == 0xFF else edfio.read_edf
    options_of_read = {} if header.raw[0] == 0xFF else {"lazy_load_data": False}
    rows, names = [], []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = read(io.BytesIO(head + records), header_encoding="latin-1", **options_of_read)
            for signal in content.signals:
                lead = _lead(signal.label)
                if lead is None:
                    continue
                if signal.physical_min == signal.physical_max or signal.digital_min >= signal.digital_max:
                    raise InputError(f"{path} gives no scale for lead {lead}; export it again")
                start = first - first_record * per_record
                values = np.asarray(signal.data[start : start + last - first], dtype=np.float64)
                rows.append(values * mv_per_unit(path, signal.physical_dimension, lead))
                names.append(lead)
    except InputError:
        raise
    except Exception as error:  # what the header may hold beyond the checks above
        raise damaged(path, "EDF or BDF file", error) from error
    metadata = _person(header.raw, options)
    if header.rest:
        metadata["suspect"] = [f"{header.rest} bytes follow the samples that its header states"]
    others = [label for label in header.labels if not _lead(label) and not label.endswith("Annotations")]
    if others:
        metadata["other_leads"] = others
    return make_record(path, np.array(rows), agreed_rate(path, rate, options.sampling_rate), names, metadata)


def write_edf(record: Record, path: Path) -> Path:
    """Write the leads a record has as EDF with a resolution of 1 uV, without name, number or date.

    Parameters
    ----------
    record : Record
        The ECG; it must be free of gaps.
    path : Path
        File to write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the record has gaps or an amplitude does not fit 16 bit.
    MissingDependencyError
        If edfio is not installed.
    """
    edfio: Any = require("edfio", "formats")
    leads = written_leads(record, path, "EDF")
    peak = float(np.nanmax(np.abs(record.signal)))
    if peak * 1000 > _RANGE_UV[1]:
        raise InputError(f"{path} was not written: {peak:.0f} mV does not fit; is the signal in mV?")
    per_record, duration = _record_size(record.n_samples, record.sampling_rate, 2 * len(leads))
    age, sex = record.metadata.get("age"), str(record.metadata.get("sex", ""))
    patient = edfio.Patient(
        sex={"female": "F", "male": "M"}.get(sex, "X"),
        additional=() if age is None else (f"age:{float(age):.0f}",),
    )
    signals = [
        edfio.EdfSignal(
            record[lead].astype(np.float64) * 1000,
            per_record,
            label=f"ECG {lead}",
            physical_dimension="uV",
            physical_range=_RANGE_UV,
            digital_range=_RANGE_UV,
        )
        for lead in leads
    ]
    content = bytearray(edfio.Edf(signals, patient=patient, data_record_duration=1).to_bytes())
    # Set here: the library computes durations as floats and refuses those that are not exact.
    content[244:252] = f"{duration:<8}".encode()
    path.write_bytes(content)
    return path


def _record_size(n_samples: int, rate: float, bytes_per_sample: int) -> tuple[int, str]:
    """Return samples in a data record and its duration as text, so that the eight characters hurt least."""

    def text(size: int) -> str:
        seconds = size / rate
        return f"{seconds:.{max(0, 7 - len(str(int(seconds))))}f}"

    def cost(size: int) -> tuple[bool, bool, float, int]:
        error = abs(float(text(size)) * rate / size - 1)
        return error > 1e-6, size * bytes_per_sample > _MAX_RECORD_BYTES, round(error, 9), -size

    divisors = [size for size in range(1, min(n_samples, 100_000) + 1) if n_samples % size == 0]
    best = min({*divisors, n_samples}, key=cost)
    return best, text(best).rstrip("0").rstrip(".") if "." in text(best) else text(best)


def _lead(label: str) -> str | None:
    """Return the lead that a label names: ``"ECG I"``, ``"EKG V1-Ref"``."""
    return canonical_lead(re.sub(r"(?i)-ref$", "", re.sub(r"(?i)^ekg", "ECG", label.strip())))


def _read_header(path: Path) -> _Header:
    """Read the header of a file and check it against the size of the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        main = file.read(_MAIN)
        try:
            n_signals = int(main[252:256])
            n_records = int(main[236:244])
            duration_text = main[244:252].decode("ascii").strip()
            record_s = float(duration_text)
            if not (0 < n_signals <= 1000 and int(main[184:192]) == _MAIN * (n_signals + 1)):
                raise ValueError("the size of its header is wrong")
            raw = main + file.read(_MAIN * n_signals)
            fields = [raw[_MAIN + 16 * index :][:16] for index in range(n_signals)]
            labels = tuple(field.decode("latin-1").strip() for field in fields)
            counts = raw[_MAIN + 216 * n_signals :]
            per_record = tuple(int(counts[8 * index :][:8]) for index in range(n_signals))
            if not (0 < record_s < 1e7) or min(per_record) < 1 or len(raw) < _MAIN * (n_signals + 1):
                raise ValueError("its data records have no duration or no samples")
        except ValueError as error:
            raise damaged(path, "EDF or BDF file", error) from error
    record_bytes = sum(per_record) * (3 if raw[0] == 0xFF else 2)
    present = (size - len(raw)) // record_bytes
    if n_records < 0:  # not filled in: the recorder was stopped before it closed the file
        n_records = present
    if present < n_records or n_records == 0:
        raise FormatError(
            f"{path} is cut short ({present} of {n_records} data records); fetch the recording again"
        )
    # The duration has few digits: the rate is the whole number that they allow, where there is one.
    half_step = (
        0.5 * 10.0 ** -len(duration_text.partition(".")[2]) / record_s if "." in duration_text else 0.0
    )
    rates = []
    for count in per_record:
        rate = count / record_s
        whole = round(rate)
        rates.append(float(whole) if whole and abs(whole / rate - 1) <= min(half_step, 1e-3) else rate)
    rest = size - len(raw) - n_records * record_bytes
    return _Header(raw, n_records, record_s, tuple(rates), per_record, labels, record_bytes, rest)


def _person(raw: bytes, options: ReadOptions) -> dict[str, Any]:
    match = _PATIENT.fullmatch(raw[8:88].decode("latin-1").strip())
    if match is None:
        return person(name=raw[8:88].decode("latin-1"), options=options)
    recorded = re.match(r"Startdate (\S+)", raw[88:168].decode("latin-1"))
    unknown = ("X", "")
    return person(
        float(match["age"]) if match["age"] else None,
        match["sex"],
        birth_date=_date(match["birth"]),
        recorded=_date(recorded[1]) if recorded else None,
        name="" if match["name"] in unknown else match["name"].replace("_", " "),
        number="" if match["id"] in unknown else match["id"],
        options=options,
    )


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d-%b-%Y").date()
    except ValueError:
        return None
