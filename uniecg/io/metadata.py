"""What the readers share: which remarks of a file are kept, and the checks on units and sampling rate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..attributes import NUMERIC
from ..errors import InputError

__all__ = [
    "MV_PER_UNIT",
    "agreed_rate",
    "check_amplitude",
    "comments_from_metadata",
    "metadata_from_comments",
]

MV_PER_UNIT = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}

_KEPT = ("age", "sex", "source", "licence")
_COMMENT = re.compile(r"^[#\s]*<?(?P<key>[A-Za-z_ ]+?)>?\s*[:=\s]\s*(?P<value>\S.*?)\s*$")
_SEX = {"f": "female", "female": "female", "woman": "female", "m": "male", "male": "male", "man": "male"}

# A lead of a real ECG does not span this much; a file of microvolt read as mV does.
_MAX_SPAN_MV = 40.0


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
            limits = NUMERIC["age"]
            # PTB-XL writes 300 for patients over 89, others -1 for unknown: such values are no age.
            if number and limits.low <= float(number[0]) <= limits.high:
                metadata["age"] = float(number[0])
        elif key == "sex":
            if value.lower() in _SEX:
                metadata["sex"] = _SEX[value.lower()]
        else:
            metadata[key] = value
    return metadata


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


def check_amplitude(path: Path, signal: npt.NDArray[np.floating[Any]]) -> None:
    """Refuse a signal without a stated unit that cannot be in mV."""
    spans = [np.ptp(row[~np.isnan(row)]) for row in signal if not np.isnan(row).all()]
    if spans and float(np.median(spans)) > _MAX_SPAN_MV:
        raise InputError(
            f"{path}: the leads span {float(np.median(spans)):.0f}, too much for mV; state the unit in the "
            "file (a first line '# units: uV' in CSV, units='uV' in NPZ)"
        )
