"""WFDB records: a text header (``.hea``) that names, scales and locates the samples (``.dat``).

References
----------
Moody G. WFDB Applications Guide, header(5) and signal(5). https://physionet.org/physiotools/wag/
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from ..errors import FormatError, InputError
from ..record import LEADS, Record
from .metadata import MV_PER_UNIT, agreed_rate, comments_from_metadata, metadata_from_comments

__all__ = ["read_wfdb", "wfdb_files", "write_wfdb"]

_GAIN_PER_MV = 1000  # 1 uV a count: +-32.767 mV in 16 bit
_INVALID = -32768  # signal(5): this value of format 16 marks a missing sample
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def wfdb_files(path: Path) -> tuple[Path, Path]:
    """Return the header and the sample file of a record named by either or by their stem."""
    stem = path.with_suffix("") if path.suffix.lower() in (".hea", ".dat", ".mat") else path
    return stem.with_name(f"{stem.name}.hea"), stem.with_name(f"{stem.name}.dat")


def read_wfdb(path: Path, sampling_rate: float | None = None) -> Record:
    """Read a WFDB record in its physical units.

    Parameters
    ----------
    path : Path
        The header, the sample file or the stem of both.
    sampling_rate : float, optional
        Must agree with the header; not needed.

    Returns
    -------
    Record
        Leads by their names in the header, in mV. Of the remarks only age, sex, source and licence are kept.
        ``metadata["calibrated"]`` is False where the header gives a lead no gain.

    Raises
    ------
    InputError
        If a file of the record is missing, or it is no ECG.
    FormatError
        If header or samples are damaged.
    """
    import wfdb  # brings pandas: loaded only where a WFDB file is read

    header_path, _ = wfdb_files(path)
    if not header_path.exists():
        raise InputError(f"{path} needs its header {header_path.name} beside it")
    _check_files(header_path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wfdb's own; what matters to the user is checked here
            content = wfdb.rdrecord(str(header_path.with_suffix("")))
    except Exception as error:  # wfdb reports damage through whatever its parsing runs into
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FormatError(
            f"{header_path} or its samples are damaged ({reason}); fetch the record again"
        ) from error
    if not content.sig_name or content.p_signal is None or not all(content.sig_name):
        raise FormatError(f"{header_path} does not name its leads; add the names to the signal lines")
    factors = []
    for name, unit in zip(content.sig_name, content.units, strict=True):
        factor = MV_PER_UNIT.get(str(unit).strip().lower())
        if factor is None and name.strip().lower() in {lead.lower() for lead in LEADS}:
            raise InputError(f"{header_path}: lead {name} is in {unit!r}; the unit must be mV, uV or V")
        factors.append(factor or 1.0)
    metadata = metadata_from_comments(content.comments or ())
    uncalibrated = _uncalibrated(header_path)
    if uncalibrated:
        metadata["calibrated"] = False
        warnings.warn(
            f"{header_path} gives no gain for {', '.join(uncalibrated)}: amplitudes assume 200 units per mV "
            "and cannot be relied on",
            stacklevel=3,
        )
    rate = agreed_rate(header_path, float(content.fs), sampling_rate)
    try:
        return Record(content.p_signal.T * np.asarray(factors)[:, None], rate, content.sig_name, metadata)
    except InputError as error:
        raise InputError(f"{header_path}: {error}") from error


def write_wfdb(record: Record, path: Path) -> Path:
    """Write the leads a record has as 16-bit WFDB with a resolution of 1 uV.

    Parameters
    ----------
    record : Record
        The ECG; gaps are written as the missing-sample mark of the format.
    path : Path
        The header to write, or its stem.

    Returns
    -------
    Path
        The header.

    Raises
    ------
    InputError
        If the name is not one WFDB allows, or an amplitude does not fit 16 bit.
    """
    header_path, samples_path = wfdb_files(path)
    name = samples_path.stem
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{header_path}: WFDB names hold only letters, digits, '-' and '_'; choose another name"
        )
    leads = record.available_leads
    if not leads:
        raise InputError(f"{header_path} was not written: the record holds no values")
    signal = np.stack([record[lead] for lead in leads]).astype(np.float64) * _GAIN_PER_MV
    if np.nanmax(np.abs(signal)) > -_INVALID - 1:
        peak = np.nanmax(np.abs(signal)) / _GAIN_PER_MV
        raise InputError(f"{header_path} was not written: {peak:.0f} mV does not fit; is the signal in mV?")
    digital = np.where(np.isnan(signal), _INVALID, np.round(signal)).astype("<i2")
    lines = [f"{name} {len(leads)} {record.sampling_rate:.10g} {record.n_samples}"]
    for lead, row in zip(leads, digital, strict=True):
        checksum = (int(row.sum(dtype=np.int64)) + 32768) % 65536 - 32768
        lines.append(f"{samples_path.name} 16 {_GAIN_PER_MV}(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    lines += [f"# {comment}" for comment in comments_from_metadata(record.metadata)]
    samples_path.write_bytes(digital.T.tobytes())
    header_path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return header_path


def _header_fields(header_path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the fields of the record line and of each signal line."""
    # Old headers carry remarks in other encodings; the fields themselves are ASCII.
    text = header_path.read_text(encoding="utf-8", errors="replace")
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or len(lines[0]) < 2 or not lines[0][1].isdigit():
        raise FormatError(f"{header_path} is not a WFDB header (no record line)")
    if "/" in lines[0][0]:
        raise FormatError(f"{header_path} is a record of several segments; read one of its segments")
    n_signals = int(lines[0][1])
    if n_signals == 0:
        raise InputError(f"{header_path} holds no signals")
    if len(lines) <= n_signals or any(len(line) < 2 for line in lines[1 : n_signals + 1]):
        raise FormatError(
            f"{header_path} is cut short: it announces {n_signals} signals; fetch the record again"
        )
    return lines[0], lines[1 : n_signals + 1]


def _check_files(header_path: Path) -> None:
    """Check that the sample files lie beside the header and are as long as it says."""
    first, lines = _header_fields(header_path)
    n_samples = int(first[3]) if len(first) > 3 and first[3].isdigit() else 0
    for name in dict.fromkeys(line[0] for line in lines):
        samples_path = header_path.parent / name
        # A header is input like any other: it must not reach into other folders or onto the network.
        if Path(name).name != name:
            raise InputError(
                f"{header_path} names samples in another folder ({name}); keep them beside the header"
            )
        if not samples_path.exists():
            raise InputError(f"{header_path} needs its samples {name} beside it")
        own = [line for line in lines if line[0] == name]
        size, expected = samples_path.stat().st_size, 2 * n_samples * len(own)
        if size < expected and all(line[1] == "16" for line in own):
            raise FormatError(
                f"{samples_path} is cut short ({size} of {expected} bytes); fetch the record again"
            )


def _uncalibrated(header_path: Path) -> list[str]:
    """Return the leads whose header line gives no gain, or a gain of 0."""
    names = []
    for number, line in enumerate(_header_fields(header_path)[1], start=1):
        gain = re.match(r"[-+.\deE]+", line[2]) if len(line) > 2 else None
        if gain is None or float(gain[0]) == 0:
            names.append(line[8] if len(line) > 8 else f"signal {number}")
    return names
