"""Files named on the command line: reading inputs, and refusing outputs before any work is spent on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InputError

if TYPE_CHECKING:
    from ..record import Record
    from ..signal import Measurements

PLOT_SUFFIXES = (".png", ".svg", ".pdf")


def read_input(file: Path, sampling_rate: float | None = None) -> dict[str, Any]:
    """Read a signal file or a picture of a page.

    Parameters
    ----------
    file : Path
        Signal file, or a page as .png or .jpg.
    sampling_rate : float, optional
        Hz, for signal files that do not say it.

    Returns
    -------
    dict
        The keyword argument of the pipeline that takes it: ``record`` or ``image``.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    from ..io import read_page, read_record
    from ..io.image import PAGE_SUFFIXES

    if file.suffix.lower() in PAGE_SUFFIXES:
        return {"image": read_page(file)}
    return {"record": read_record(file, sampling_rate=sampling_rate)}


def check_record_output(path: Path, force: bool) -> None:
    """Raise InputError unless an ECG may be written to this path."""
    from ..io import WRITERS
    from ..io.wfdb import wfdb_files, write_wfdb

    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise InputError(
            f"{path}: no format {suffix!r} to write; use one of {' '.join(filter(None, WRITERS))}"
        )
    check_output(path, wfdb_files(path) if WRITERS[suffix] is write_wfdb else (path,), force)


def check_plot_output(path: Path, force: bool) -> None:
    """Raise InputError unless a page may be written to this path."""
    if path.suffix.lower() not in PLOT_SUFFIXES:
        raise InputError(f"{path}: a page is written as one of {' '.join(PLOT_SUFFIXES)}")
    check_output(path, (path,), force)


def save_record(record: Record, path: Path, force: bool) -> None:
    """Write an ECG and print its path."""
    from ..io import write_record

    typer.echo(str(write_record(record, path, overwrite=force)))


def save_plot(record: Record, path: Path, force: bool, title: str | None = None) -> None:
    """Draw an ECG as a page and print its path."""
    from ..plot import plot_record, write_plot

    typer.echo(str(write_plot(plot_record(record, title=title), path, overwrite=force)))


def save_evidence(record: Record, measurements: Measurements, path: Path, force: bool, title: str) -> None:
    """Draw an ECG with its waves and the evidence of its findings; stdout is left to the measurements."""
    from ..plot import plot_evidence, write_plot
    from .evidence import claims_of
    from .render import measurement_summary, note

    claims, summary = claims_of(measurements), measurement_summary(measurements)
    figure = plot_evidence(record, claims, measurements.beats, title=title, summary=summary)
    note(f"wrote {write_plot(figure, path, overwrite=force)}")


def check_output(path: Path, files: Sequence[Path], force: bool) -> None:
    """Raise InputError unless the files that writing to `path` makes may be written."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder; make it first")
    for file in files:
        if file.exists() and not force:
            raise InputError(f"{file} exists; choose another name or allow to replace it (--force)")
