"""WFDB records: a text header (``.hea``) that names, scales and locates the samples (``.dat``).

References
----------
Moody G. WFDB Applications Guide, header(5) and signal(5). https://physionet.org/physiotools/wag/
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError, InputError
from ..record import Record, canonical_lead
from .metadata import (
    ReadOptions,
    agreed_rate,
    comments_from_metadata,
    damaged,
    make_record,
    metadata_from_comments,
    mv_per_unit,
    sample_span,
    written_leads,
)

__all__ = ["read_wfdb", "wfdb_files", "wfdb_length", "write_wfdb"]

_GAIN_PER_MV = 1000  # 1 uV a count: +-32.767 mV in 16 bit
_INVALID = -32768  # signal(5): this value of format 16 marks a missing sample
_NAME = re.compile(r"[A-Za-z0-9_-]+")
# Bytes a sample of the formats of fixed size, signal(5); the others (FLAC) are checked as they are decoded.
_BYTES = {
    "8": 1,
    "16": 2,
    "24": 3,
    "32": 4,
    "61": 2,
    "80": 1,
    "160": 2,
    "212": 1.5,
    "310": 4 / 3,
    "311": 4 / 3,
}


def wfdb_files(path: Path) -> tuple[Path, Path]:
    """Return the header and the sample file of a record named by either or by their stem."""
    if path.suffix and path.suffix.lower() not in (".hea", ".dat", ".mat"):
        # Another sample file of the record (.xyz), or a stem that holds a full stop.
        stem = path if path.with_name(f"{path.name}.hea").exists() else path.with_suffix("")
    else:
        stem = path.with_suffix("")
    return stem.with_name(f"{stem.name}.hea"), stem.with_name(f"{stem.name}.dat")


def wfdb_length(path: Path) -> float:
    """Return the length of a record in seconds."""
    header_path, _ = wfdb_files(path)
    header = _read(header_path, None)
    return float(header.sig_len) / agreed_rate(header_path, float(header.fs), None)


def read_wfdb(path: Path, options: ReadOptions) -> Record:
    """Read a WFDB record in its physical units, only the part asked for.

    Parameters
    ----------
    path : Path
        The header, a sample file or the stem of both.
    options : ReadOptions
        The sampling rate must agree with the header; not needed.

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
    header_path, _ = wfdb_files(path)
    header = _read(header_path, None)
    names = header.sig_name
    if not names or not all(names):
        raise FormatError(f"{header_path} does not name its leads; add the names to the signal lines")
    chosen = [index for index, name in enumerate(names) if canonical_lead(name)]
    if not chosen:
        raise InputError(f"{header_path}: no signal is named like a lead; the names are {', '.join(names)}")
    factors = [mv_per_unit(header_path, str(header.units[index]), names[index]) for index in chosen]
    per_frame = {header.samps_per_frame[index] or 1 for index in chosen}
    if len(per_frame) > 1:
        raise InputError(f"{header_path}: its leads have different sampling rates; bring them to one first")
    # Where slow signals lie beside the ECG, the rate of the header counts frames of several samples.
    frame = per_frame.pop()
    first, last = sample_span(header_path, options, float(header.fs), header.sig_len)
    content = _read(header_path, chosen, first, last)
    metadata = metadata_from_comments(header.comments or ())
    try:
        wrong = _wrong_checksums(content) if (first, last) == (0, header.sig_len) else []
        signal = np.stack(content.dac(expanded=True)) * np.asarray(factors)[:, None]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(header_path, "WFDB record", error) from error
    if wrong:
        metadata["suspect"] = [f"the checksum of {', '.join(wrong)} is wrong"]
    others = [name for name in names if not canonical_lead(name)]
    if others:
        metadata["other_leads"] = others
    uncalibrated = _uncalibrated(header_path)
    if uncalibrated:
        metadata["calibrated"] = False
        warnings.warn(
            f"{header_path} gives no gain for {', '.join(uncalibrated)}: amplitudes assume 200 units per mV "
            "and cannot be relied on",
            stacklevel=3,
        )
    rate = agreed_rate(header_path, float(header.fs * frame), options.sampling_rate)
    return make_record(header_path, signal, rate, [names[index] for index in chosen], metadata)


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
    leads = written_leads(record, header_path, "WFDB", gaps=True)
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


def _read(header_path: Path, channels: list[int] | None, first: int = 0, last: int | None = None) -> Any:
    """Return wfdb's record of the channels named, or the header alone where they are None."""
    import wfdb  # brings pandas: loaded only where a WFDB file is read

    if not header_path.exists():
        raise InputError(f"{header_path.with_suffix('')} needs its header {header_path.name} beside it")
    n_samples = _check_files(header_path)
    try:
        with warnings.catch_warnings(), _own_names(header_path) as stem:
            warnings.simplefilter("ignore")  # wfdb's own; what matters to the user is checked here
            if channels is not None:
                return wfdb.rdrecord(
                    str(stem), first, last, channels=channels, physical=False, smooth_frames=False
                )
            header = wfdb.rdheader(str(stem))
            if not header.sig_len:  # a header may leave the length to the size of the files
                header.sig_len = n_samples or wfdb.rdrecord(str(stem), physical=False).sig_len
            return header
    except OSError:
        raise
    except Exception as error:  # wfdb reports damage through whatever its parsing runs into
        raise damaged(header_path, "WFDB record", error) from error


@contextlib.contextmanager
def _own_names(header_path: Path) -> Iterator[Path]:
    """Give the stem of a record under which its files are found, also after they were renamed together.

    A header names its sample files. Where ``a.hea`` and ``a.dat`` came to be ``b.hea`` and ``b.dat``, a copy of
    the header with the new names stands in for it, beside links to the samples.
    """
    renamed = {
        name: own
        for name in _sample_names(header_path)
        if (own := _sample_path(header_path, name)).name != name
    }
    if not renamed:
        yield header_path.with_suffix("")
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(header_path, Path(folder, header_path.name))
        for name in _sample_names(header_path):
            source = _sample_path(header_path, name).resolve()
            try:
                Path(folder, name).symlink_to(source)
            except OSError:  # Windows allows links only to some users
                shutil.copyfile(source, Path(folder, name))
        yield Path(folder, header_path.stem)


def _sample_path(header_path: Path, name: str) -> Path:
    """Return where the sample file lies that a header names."""
    path = header_path.with_name(name)
    own = header_path.with_suffix(Path(name).suffix)
    return own if not path.exists() and own != header_path and own.exists() else path


def _sample_names(header_path: Path) -> list[str]:
    return list(dict.fromkeys(line[0] for line in _header_fields(header_path)[1]))


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


def _check_files(header_path: Path) -> int:
    """Check that the sample files lie beside the header and are as long as it says; return its n_samples or 0."""
    first, lines = _header_fields(header_path)
    n_samples = int(first[3]) if len(first) > 3 and first[3].isdigit() else 0
    for name in _sample_names(header_path):
        # A header is input like any other: it must not reach into other folders or onto the network.
        if Path(name).name != name:
            raise InputError(
                f"{header_path} names samples in another folder ({name}); keep them beside the header"
            )
        samples_path = _sample_path(header_path, name)
        if not samples_path.exists():
            raise InputError(f"{header_path} needs its samples {name} beside it")
        formats = [
            re.fullmatch(r"(\d+)(?:x(\d+))?(?::\d+)?(?:\+\d+)?", line[1]) for line in lines if line[0] == name
        ]
        bytes_per_frame = sum(_BYTES.get(match[1], 0) * int(match[2] or 1) for match in formats if match)
        size, expected = samples_path.stat().st_size, int(n_samples * bytes_per_frame)
        if size < expected:
            raise FormatError(
                f"{samples_path} is cut short ({size} of {expected} bytes); fetch the record again"
            )
    return n_samples


def _wrong_checksums(content: Any) -> list[str]:
    """Return the leads whose samples, all of them, do not add up to the checksum in the header.

    A 0 counts as not stated: many writers fill it in so.
    """
    computed = content.calc_checksum(expanded=True)
    stated = content.checksum or [None] * len(computed)
    return [
        name
        for name, ours, theirs in zip(content.sig_name, computed, stated, strict=True)
        if theirs and (ours - theirs) % 65536
    ]


def _uncalibrated(header_path: Path) -> list[str]:
    """Return the leads whose header line gives no gain, or a gain of 0."""
    names = []
    for number, line in enumerate(_header_fields(header_path)[1], start=1):
        gain = re.match(r"[-+.\deE]+", line[2]) if len(line) > 2 else None
        if gain is None or float(gain[0]) == 0:
            names.append(line[8] if len(line) > 8 else f"signal {number}")
    return names
