"""GE CardioSoft XML (``CardiologyXML``): resting ECG of a GE CardioSoft or CASE system.

No kept library reads it, so the few elements that matter are read here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError, InputError
from ..record import Record
from .metadata import ReadOptions, agreed_rate, damaged, make_record, mv_per_unit, person
from .xml import parse_xml

__all__ = ["read_cardiosoft"]

_YEARS = {"YEARS": 1.0, "MONTHS": 1 / 12, "WEEKS": 7 / 365.25, "DAYS": 1 / 365.25}


def read_cardiosoft(path: Path, options: ReadOptions) -> Record:
    """Read the rhythm strip of a CardioSoft XML file.

    Parameters
    ----------
    path : Path
        File with ``StripData``: whole numbers, their resolution and rate. Median beats and the zero-padded
        ``FullDisclosure`` are left out.
    options : ReadOptions
        The sampling rate must agree with the file; not needed.

    Returns
    -------
    Record
        The leads in mV.

    Raises
    ------
    InputError
        If there is no strip, or its unit is unknown.
    FormatError
        If the file is damaged.
    MissingDependencyError
        If defusedxml is not installed.
    """
    root = parse_xml(path, "CardioSoft XML")
    strip = root.find("StripData")
    if strip is None:
        raise InputError(f"{path} holds no StripData; export the ECG with its waveforms")
    try:
        rate = float(strip.findtext("SampleRate", ""))
        resolution = float(strip.findtext("Resolution", ""))
        rows = [
            np.array(lead.text.replace(",", " ").split(), dtype=np.float64)
            for lead in strip.iter("WaveformData")
        ]
        stated = strip.findtext("ChannelSampleCountTotal")
        n_samples = int(stated) if stated else len(rows[0])
    except (AttributeError, IndexError, ValueError) as error:
        raise damaged(path, "CardioSoft XML", error) from error
    names = [lead.get("lead", "") for lead in strip.iter("WaveformData")]
    for name, row in zip(names, rows, strict=True):
        if len(row) != n_samples:
            raise FormatError(f"{path} is damaged: lead {name} has {len(row)} of {n_samples} samples")
    unit = strip.find("Resolution").get("units", "").lower().removesuffix("perlsb")
    signal = np.array(rows) * resolution * mv_per_unit(path, unit)
    metadata = _person(root.find("PatientInfo"), root.find("ObservationDateTime"), options)
    return make_record(path, signal, agreed_rate(path, rate, options.sampling_rate), names, metadata)


def _person(info: Any, recorded: Any, options: ReadOptions) -> dict[str, Any]:
    if info is None:
        return {}
    age = info.find("Age")
    years = None
    if age is not None and (age.text or "").strip().isdigit():
        years = int(age.text) * _YEARS.get(age.get("units", "YEARS").upper(), np.nan)
    name = " ".join(filter(None, (info.findtext(f"Name/{part}") for part in ("GivenName", "FamilyName"))))
    return person(
        years,
        info.findtext("Gender", ""),
        birth_date=_date(info.find("BirthDateTime")),
        recorded=_date(recorded),
        name=name,
        number=info.findtext("PID", ""),
        options=options,
    )


def _date(element: Any) -> date | None:
    if element is None:
        return None
    try:
        return date(*(int(element.findtext(part, "")) for part in ("Year", "Month", "Day")))
    except ValueError:
        return None
