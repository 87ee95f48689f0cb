"""WFDB records of the usual kind, read without wfdb: one file of 16-bit samples, every field of the header stated.

wfdb takes several milliseconds to parse a header and brings pandas; for a data set of a million records that is hours.
Headers of any other form are left to it.

References
----------
Moody G. WFDB Applications Guide, header(5) and signal(5), format 16. https://physionet.org/physiotools/wag/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_MISSING = -32768  # signal(5): this value of format 16 marks a missing sample
_RECORD = re.compile(
    r"[^\s/]+ (?P<signals>[1-9]\d*) (?P<rate>\d+(?:\.\d+)?) (?P<samples>[1-9]\d*)"
    r"(?: \d+:\d+:\d+(?:\.\d+)?(?: \d+/\d+/\d+)?)?"
)
_SIGNAL = re.compile(
    r"(?P<file>[^\s#]+) 16(?:x1)?(?:\+(?P<offset>\d+))? (?P<gain>\d+(?:\.\d+)?)(?:\((?P<baseline>-?\d+)\))?"
    r"/(?P<unit>[^\s#]+) \d+ (?P<zero>-?\d+) -?\d+ (?P<checksum>-?\d+) \d+ (?P<name>[^\s#]+)"
)


@dataclass(frozen=True)
class PlainSignals:
    """Digital samples of chosen signals; the part of wfdb's record that reading needs.

    Attributes
    ----------
    samples : ndarray, shape (n_signals, n_samples), int16
        As stored.
    sig_name, checksum, gain, baseline : list
        Of each signal, from its line of the header.
    """

    samples: npt.NDArray[np.int16]
    sig_name: list[str]
    checksum: list[int]
    gain: list[float]
    baseline: list[int]

    def dac(self, expanded: bool) -> list[npt.NDArray[np.float64]]:
        """The signals in their physical units, NaN where a sample is missing."""
        rows = []
        for row, gain, baseline in zip(self.samples, self.gain, self.baseline, strict=True):
            values = (row.astype(np.float64) - baseline) / gain
            values[row == _MISSING] = np.nan
            rows.append(values)
        return rows

    def calc_checksum(self, expanded: bool) -> list[int]:
        """Sum of the samples of each signal, modulo 65536."""
        return [int(row.sum(dtype=np.int64)) % 65536 for row in self.samples]


@dataclass(frozen=True)
class PlainHeader:
    """A header of the usual kind; attributes are named as wfdb names them."""

    sig_name: list[str]
    units: list[str]
    fs: float
    sig_len: int
    comments: list[str]
    file_name: str
    offset: int
    gain: list[float]
    baseline: list[int]
    checksum: list[int]

    @property
    def samps_per_frame(self) -> list[int]:
        """One sample of each signal a frame."""
        return [1] * len(self.sig_name)

    def read(self, path: Path, channels: Sequence[int], first: int, last: int) -> PlainSignals:
        """Read the samples from `first` to before `last` of chosen signals.

        Raises
        ------
        ValueError
            If the file is shorter than the header says.
        """
        width = len(self.sig_name)
        stored = np.fromfile(path, "<i2", (last - first) * width, offset=self.offset + first * width * 2)
        if stored.size < (last - first) * width:
            raise ValueError("it is cut short")
        rows = stored.reshape(-1, width).T[list(channels)]

        def chosen(values: list[Any]) -> list[Any]:
            return [values[channel] for channel in channels]

        names, checksums = chosen(self.sig_name), chosen(self.checksum)
        return PlainSignals(rows, names, checksums, chosen(self.gain), chosen(self.baseline))


def plain_header(text: str) -> PlainHeader | None:
    """Parse a header of the usual kind.

    Parameters
    ----------
    text : str
        Content of the header file.

    Returns
    -------
    PlainHeader or None
        None for a header of any other form, damaged ones among them.
    """
    lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
    fields = [line for line in lines if not line.startswith("#")]
    record = _RECORD.fullmatch(fields[0]) if fields else None
    if record is None or len(fields) != 1 + int(record["signals"]):
        return None
    signals = [match for line in fields[1:] if (match := _SIGNAL.fullmatch(line))]
    places = {(match["file"], match["offset"]) for match in signals}
    if len(signals) != len(fields) - 1 or len(places) != 1 or any(not float(m["gain"]) for m in signals):
        return None
    file_name, offset = places.pop()
    return PlainHeader(
        sig_name=[match["name"] for match in signals],
        units=[match["unit"] for match in signals],
        fs=float(record["rate"]),
        sig_len=int(record["samples"]),
        comments=[line.strip(" \t#") for line in lines if line.startswith("#")],
        file_name=file_name,
        offset=int(offset or 0),
        gain=[float(match["gain"]) for match in signals],
        baseline=[int(match["baseline"] or match["zero"]) for match in signals],
        checksum=[int(match["checksum"]) for match in signals],
    )
