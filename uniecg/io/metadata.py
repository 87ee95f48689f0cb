"""What the readers share: what is asked of them, what is kept about the person, checks on what was read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..attributes import NUMERIC
from ..errors import FormatError, InputError
from ..record import LEADS, Record

__all__ = [
    "MV_PER_UNIT",
    "ReadOptions",
    "agreed_rate",
    "checked",
    "comments_from_metadata",
    "damaged",
    "demand_mv",
    "demand_size",
    "make_record",
    "metadata_from_comments",
    "mv_per_unit",
    "person",
    "sample_span",
    "without_identity",
    "written_leads",
]

MV_PER_UNIT = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}

_KEPT = ("age", "sex", "source", "licence")
_COMMENT = re.compile(r"^[#\s]*<?(?P<key>[A-Za-z_ ]+?)>?\s*[:=\s]\s*(?P<value>\S.*?)\s*$")
_SEX = {"f": "female", "female": "female", "woman": "female", "m": "male", "male": "male", "man": "male"}

# A lead of a real ECG does not span this much; a file of microvolt read as mV does.
_MAX_SPAN_MV = 40.0
# Nor this little, if it is not flat: a file of V read as mV, or a damaged scale.
_MIN_SPAN_MV = 0.01
# Electrodes of amplifiers without a high-pass add up to 300 mV (IEC 60601-2-25); a damaged baseline adds anything.
_MAX_OFFSET_MV = 500.0
# In 1,863 records of eight data sets the stored limb leads obey III = II - I within 0.05 mV; one does not.
_MAX_ALGEBRA_MV = 0.1
# Below, no QRS complex has a shape; above, no recorder of surface ECGs works.
_RATES_HZ = (40.0, 32000.0)

# A file may pack any number of zeros into a few bytes; 12 leads of half a day at 500 Hz in 32 bit are 1 GB.
_MAX_BYTES = 1 << 30

_EIGHT = {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"}
_Real = TypeVar("_Real", bound=np.floating[Any])


@dataclass(frozen=True)
class ReadOptions:
    """What a caller asks of a reader, beside the file.

    Attributes
    ----------
    sampling_rate : float or None
        Hz, for a file that does not state it.
    start_s, end_s : float, float or None
        Part to read, in seconds from the start of the file; None is the end of the file.
    identity : bool
        Whether name, number and birth date of the patient go into ``metadata["identity"]``.
    """

    sampling_rate: float | None = None
    start_s: float = 0.0
    end_s: float | None = None
    identity: bool = False

    def __post_init__(self) -> None:
        for name in ("start_s", "end_s"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value):
                raise InputError(f"{name} must be a finite number of seconds, got {value!r}")


def metadata_from_comments(comments: Iterable[str]) -> dict[str, Any]:
    """Return age, sex, source and licence from remarks such as ``# Age: 54`` or ``<sex>: F``.

    Everything else is dropped: remarks of clinical files often tell who the patient is.
    """
    metadata: dict[str, Any] = {}
    for comment in comments:
        match = _COMMENT.match(comment)
        key = match["key"].strip().lower() if match else ""
        if match is None or key not in _KEPT or key in metadata:
            continue
        value = match["value"]
        if key == "age":
            number = re.match(r"\d+(\.\d+)?", value)
            metadata |= person(age=float(number[0]) if number else None)
        elif key == "sex":
            metadata |= person(sex=value)
        else:
            metadata[key] = value
    return metadata


def person(
    age: float | None = None,
    sex: str | None = None,
    *,
    birth_date: date | None = None,
    recorded: date | None = None,
    name: str | None = None,
    number: str | None = None,
    options: ReadOptions | None = None,
) -> dict[str, Any]:
    """Return what a record keeps about the person; who it is only where the options ask for it.

    Parameters
    ----------
    age : float, optional
        Years; where it is absent it follows from the dates of birth and recording.
    sex : str, optional
        Any usual spelling (``"F"``, ``"male"``); others are dropped.
    birth_date, recorded : date, optional
        Dates of birth and of the recording.
    name, number : str, optional
        Name and number of the patient.
    options : ReadOptions, optional
        Says whether the identity was asked for.

    Returns
    -------
    dict
        ``age`` (years), ``sex`` (``"female"`` or ``"male"``) and ``identity``, as far as they are known.
    """
    metadata: dict[str, Any] = {}
    if age is None and birth_date is not None and recorded is not None:
        had_birthday = (recorded.month, recorded.day) >= (birth_date.month, birth_date.day)
        age = recorded.year - birth_date.year - (not had_birthday)
    limits = NUMERIC["age"]
    # PTB-XL writes 300 for patients over 89, others -1 for unknown: such values are no age.
    if age is not None and limits.low <= age <= limits.high:
        metadata["age"] = float(age)
    if sex is not None and sex.strip().lower() in _SEX:
        metadata["sex"] = _SEX[sex.strip().lower()]
    if options is not None and options.identity:
        birth = birth_date.isoformat() if birth_date else None
        stated = {"name": (name or "").strip(), "id": (number or "").strip(), "birth_date": birth}
        metadata["identity"] = {key: value for key, value in stated.items() if value}
    return metadata


def without_identity(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata for writing: who the patient is stays out of every file."""
    return {key: value for key, value in metadata.items() if key != "identity"}


def comments_from_metadata(metadata: Mapping[str, Any]) -> list[str]:
    """Return the remarks, one line each, from which `metadata_from_comments` restores the metadata."""
    lines = []
    for key in _KEPT:
        value = metadata.get(key)
        if value is not None and str(value).strip():
            text = f"{value:g}" if isinstance(value, int | float) else " ".join(str(value).split())
            lines.append(f"{key}: {text}")
    return lines


def agreed_rate(path: Path, stated: float | None, argument: float | None) -> float:
    """Return the sampling rate of a file, from the file or the caller, who must not contradict each other."""
    if stated is not None and not (np.isfinite(stated) and stated > 0):
        raise InputError(f"{path}: the sampling rate {stated:g} of the file is not a positive number of Hz")
    if argument is None:
        if stated is None:
            raise InputError(
                f"{path} does not state its sampling rate; pass sampling_rate (Hz) or add a column time_s"
            )
        return stated
    if stated is not None and abs(stated - argument) > 0.005 * stated:
        raise InputError(
            f"{path} states {stated:g} Hz, but sampling_rate={argument:g} was given; leave the argument out"
        )
    return argument if stated is None else stated


def mv_per_unit(path: Path, unit: str, lead: str | None = None) -> float:
    """Return millivolt per unit, or raise InputError that names the unit (and the lead it belongs to)."""
    factor = MV_PER_UNIT.get(unit.strip().lower())
    if factor is None:
        subject = f"the unit {unit!r} is unknown" if lead is None else f"lead {lead} is in {unit!r}"
        raise InputError(f"{path}: {subject}; the unit must be mV, uV or V")
    return factor


def demand_mv(path: Path, signal: npt.NDArray[np.floating[Any]]) -> None:
    """Refuse a signal without a stated unit that cannot be in mV."""
    span = _median_span(signal)
    if span > _MAX_SPAN_MV:
        raise InputError(
            f"{path}: the leads span {span:.0f}, too much for mV; state the unit in the file (a first line "
            "'# units: uV' in CSV, units='uV' in NPZ, MAT and JSON) or store mV"
        )


def demand_size(path: Path, n_bytes: int) -> None:
    """Refuse a file that unpacks to more bytes than an ECG has."""
    if n_bytes > _MAX_BYTES:
        raise InputError(
            f"{path} unpacks to more than {_MAX_BYTES >> 20} MB; if it is an ECG, convert it to WFDB or EDF and "
            "read parts"
        )


def damaged(path: Path, kind: str, error: BaseException | str) -> FormatError:
    """Return the error for a file that a library could not read; it keeps the first line of the reason."""
    reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    return FormatError(f"{path} is damaged or no {kind} ({reason}); export or fetch it again")


def sample_span(path: Path, options: ReadOptions, rate: float, n_samples: int) -> tuple[int, int]:
    """Return the first and one past the last sample asked for, cut at the ends of the file."""
    first = max(0, round(options.start_s * rate))
    last = n_samples if options.end_s is None else min(n_samples, round(options.end_s * rate))
    if first >= last:
        end = "the end" if options.end_s is None else f"{options.end_s:g} s"
        raise InputError(
            f"{path}: nothing lies between {options.start_s:g} s and {end}; it lasts {n_samples / rate:g} s"
        )
    return first, last


def make_record(
    path: Path,
    signal: npt.NDArray[np.floating[Any]],
    rate: float,
    names: Sequence[str],
    metadata: Mapping[str, Any],
) -> Record:
    """Return the record of a file; what makes it none is said with the name of the file."""
    try:
        return Record(signal, rate, names, metadata)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def checked(record: Record) -> Record:
    """Complete twelve leads from eight and name in ``metadata["suspect"]`` what no sound ECG file shows.

    Where I, II and V1 to V6 are there, the limb leads that are missing follow from them and are named in
    ``metadata["derived_leads"]``.
    """
    missing = [lead for lead in LEADS if lead not in record.available_leads]
    if missing and _EIGHT.issubset(record.available_leads):
        record = record.derive_limb_leads()
        record.metadata["derived_leads"] = missing
    reasons = list(record.metadata.pop("suspect", []))
    low, high = _RATES_HZ
    if not low <= record.sampling_rate <= high:
        reasons.append(f"a sampling rate of {record.sampling_rate:g} Hz is not that of an ECG")
    spans = {
        lead: float(np.nanmax(record[lead]) - np.nanmin(record[lead])) for lead in record.available_leads
    }
    large = [f"{lead} ({span:.3g} mV)" for lead, span in spans.items() if span > _MAX_SPAN_MV]
    if large:
        reasons.append(f"the span of {', '.join(large)} is not that of an ECG")
    elif 0 < (span := _median_span(record.signal)) < _MIN_SPAN_MV:
        reasons.append(f"the span of its leads ({span:.3g} mV) is not that of an ECG")
    offset = [lead for lead in spans if np.nanmin(np.abs(record[lead])) > _MAX_OFFSET_MV]
    if offset:
        reasons.append(f"{', '.join(offset)} lies more than {_MAX_OFFSET_MV:g} mV from zero")
    if not spans:
        reasons.append("it holds no values")
    if not missing:
        error = record.signal[:6] - Record(record.signal[:2], 1, ["I", "II"]).derive_limb_leads().signal[:6]
        worst = float(np.nanmax(np.abs(error), initial=0.0))
        if worst > _MAX_ALGEBRA_MV:
            reasons.append(
                f"the limb leads contradict each other (III = II - I and the like) by {worst:.2f} mV"
            )
    if reasons:
        record.metadata["suspect"] = list(dict.fromkeys(reasons))
    return record


def written_leads(record: Record, path: Path, kind: str, gaps: bool = False) -> tuple[str, ...]:
    """Return the leads to write, or raise InputError where there are none or the format has no gaps."""
    leads = record.available_leads
    if not leads:
        raise InputError(f"{path} was not written: the record holds no values")
    if not gaps and any(np.isnan(record[lead]).any() for lead in leads):
        raise InputError(
            f"{path} was not written: {kind} has no mark for gaps; crop them or write .hea or .csv"
        )
    return leads


def _median_span(signal: npt.NDArray[_Real]) -> float:
    """Return the median of the leads' spans, flat ones left out."""
    spans = [float(np.ptp(row[~np.isnan(row)])) for row in signal if not np.isnan(row).all()]
    return float(np.median([span for span in spans if span > 0] or [0.0]))
