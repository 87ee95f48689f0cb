"""Which format a file has: told by its content, and by its suffix only where that says nothing."""

from __future__ import annotations

import struct
from pathlib import Path

from ..errors import FormatError, InputError
from .image import PAGE_SUFFIXES
from .table import has_lead_names
from .wfdb import wfdb_files
from .xml import root_name

__all__ = ["sniff"]

_HEAD = 16384  # bytes: some XML files begin with a page of remarks

_MAGIC = (
    (0, b"\x93NUMPY", "npy"),
    (0, b"PK\x03\x04", "npz"),
    (0, b"PAR1", "parquet"),
    (0, b"ISHNE1.0", "ishne"),
    (0, b"\xffBIOSEMI", "edf"),
    (0, b"MATLAB ", "mat"),
    (0, b"\x89HDF\r\n", "mat"),
    (128, b"DICM", "dicom"),
)
_ROOTS = {
    "RestingECG": "muse",
    "CardiologyXML": "cardiosoft",
    "restingecgdata": "sierra",
    "AnnotatedECG": "aecg",
}
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"%PDF")
# For files whose first bytes are damaged or say nothing.
_SUFFIXES = {
    ".hea": "wfdb",
    ".dat": "wfdb",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".npz": "npz",
    ".npy": "npy",
    ".mat": "mat",
    ".parquet": "parquet",
    ".json": "json",
    ".edf": "edf",
    ".bdf": "edf",
    ".dcm": "dicom",
    ".scp": "scp",
    ".ecg": "ishne",
}


def sniff(path: Path) -> str:
    """Return the name of the format of a file.

    Parameters
    ----------
    path : Path
        The file; a WFDB record may also be named by its stem.

    Returns
    -------
    str
        A key of ``uniecg.io.READERS``.

    Raises
    ------
    InputError
        If there is no such file.
    FormatError
        If it is a picture, or of no known format.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder; name one record in it")
    if suffix in PAGE_SUFFIXES:
        raise FormatError(f"{path} is a picture, not a signal; read it with read_page")
    has_header = wfdb_files(path)[0].exists()
    if not path.exists():
        if has_header or suffix in ("", ".hea", ".dat"):
            return "wfdb"
        raise InputError(f"{path} does not exist; check the name")
    # The samples of the PhysioNet Challenges are MATLAB files, but units and names stand in the header.
    if suffix == ".hea" or (has_header and suffix in (".dat", ".mat")):
        return "wfdb"
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_PICTURES):
        raise FormatError(f"{path} is a picture or a page, not a signal; read PNG and JPEG with read_page")
    found = _by_content(head)
    if found:
        return found
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if has_header:  # sample files of other suffixes, such as .xyz
        return "wfdb"
    root = root_name(head)
    if root:
        raise FormatError(
            f"{path}: XML with the root {root!r} is none of {' '.join(_ROOTS)}; export it as one"
        )
    known = " ".join(sorted(_SUFFIXES))
    raise FormatError(f"{path}: unknown format {suffix!r}; known are {known} and XML of GE, Philips and HL7")


def _by_content(head: bytes) -> str | None:
    """Return the name of the format that the first bytes of a file show."""
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:8] == b"0       " and head[184:192].strip().isdigit():
        return "edf"
    if _is_scp(head):
        return "scp"
    root = root_name(head)
    if root:
        return _ROOTS.get(root)
    try:
        # The last line may be cut, also within a letter.
        text = head.decode("utf-8-sig", errors="ignore" if len(head) == _HEAD else "strict").lstrip()
    except UnicodeDecodeError:
        return None
    if text.startswith("{"):
        return "json"
    rows = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return "csv" if has_lead_names(next(rows, "")) else None


def _is_scp(head: bytes) -> bool:
    """Say whether a file begins like SCP-ECG: its section 0 lists itself first, at byte 7."""
    if len(head) < 32:
        return False
    number, length = struct.unpack_from("<HI", head, 8)
    first_number, _, first_index = struct.unpack_from("<HII", head, 22)
    return bool(number == 0 and length >= 26 and first_number == 0 and first_index == 7)
