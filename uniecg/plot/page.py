"""The page for people: drawn by matplotlib, written as PNG, SVG or PDF at true scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FormatError, InputError
from ..record import Record
from .layout import (
    GRID_BOTTOM_MM,
    GRID_LEFT_MM,
    GRID_RIGHT_MM,
    GRID_TOP_MM,
    LABEL_ABOVE_MM,
    MAJOR,
    MINOR,
    MM_PER_S,
    PAGE_HEIGHT_MM,
    PAGE_S,
    PAGE_WIDTH_MM,
    TRACE_WIDTH_MM,
    Strip,
    marks_mm,
    page_strips,
    trace_mm,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..report import Evidence

PT_PER_MM = 72 / 25.4
_EVIDENCE = "#1f5fa8"
_PLOT_SUFFIXES = (".png", ".svg", ".pdf")
_PNG_DPI = 254  # 10 px a mm


def plot_record(record: Record, *, title: str | None = None, evidence: Sequence[Evidence] = ()) -> Figure:
    """Draw the 12-lead page.

    Parameters
    ----------
    record : Record
        The ECG; leads it lacks are named and left empty.
    title : str, optional
        Heading of the page.
    evidence : sequence of Evidence
        Stretches to mark on their leads (those without a lead: on the rhythm strip).

    Returns
    -------
    matplotlib.figure.Figure
        280 mm x 180 mm: printed at 100 % it can be measured with a ruler, and fits A4.
    """
    figure, axes = draw_page(record, title)
    _draw_evidence(axes, page_strips(record), evidence)
    return figure


def draw_page(record: Record, title: str | None, height_mm: float = PAGE_HEIGHT_MM) -> tuple[Figure, Axes]:
    """Draw grid, traces and headings; the unit of the axes is mm from the top left corner.

    Parameters
    ----------
    record : Record
    title : str or None
    height_mm : float, mm
        More than the page leaves room below it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    figure = Figure(figsize=(PAGE_WIDTH_MM / 25.4, height_mm / 25.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, PAGE_WIDTH_MM), ylim=(height_mm, 0))
    axes.set_axis_off()
    _draw_grid(axes)
    # The traces of neighbouring rows may overlap, as on every machine, but stay on the grid.
    clip = axes.fill(
        [GRID_LEFT_MM, GRID_RIGHT_MM, GRID_RIGHT_MM, GRID_LEFT_MM],
        [GRID_TOP_MM, GRID_TOP_MM, GRID_BOTTOM_MM, GRID_BOTTOM_MM],
        fill=False,
        linewidth=0,
    )[0]
    line: dict[str, Any] = {
        "color": "black",
        "linewidth": TRACE_WIDTH_MM * PT_PER_MM,
        "solid_joinstyle": "round",
    }
    halo = withStroke(linewidth=2.0, foreground="white")  # readable where a trace crosses the name
    cut = False
    for mark in marks_mm():
        axes.plot(mark[:, 0], mark[:, 1], **line)
    for strip in page_strips(record):
        label = strip.lead if strip.present else f"{strip.lead} (not recorded)"
        axes.text(
            strip.left_mm + 1, strip.baseline_mm - LABEL_ABOVE_MM, label,
            fontsize=10, fontweight="bold", va="baseline", color="black" if strip.present else "0.4",
            zorder=6, path_effects=[halo],
        )  # fmt: skip
        if strip.present:
            trace = trace_mm(record, strip)
            axes.plot(trace[:, 0], trace[:, 1], **line)[0].set_clip_path(clip)
            cut = cut or bool(np.any((trace[:, 1] < GRID_TOP_MM) | (trace[:, 1] > GRID_BOTTOM_MM)))
    axes.text(GRID_LEFT_MM, 7.5, title or "", fontsize=12, fontweight="bold", va="baseline")
    axes.text(GRID_LEFT_MM, 12.5, _subtitle(record, cut), fontsize=9, va="baseline")
    axes.text(GRID_LEFT_MM, 178.8, "25 mm/s   10 mm/mV", fontsize=9, va="baseline")
    return figure, axes


def write_plot(figure: Figure | Record, path: str | Path, overwrite: bool = False) -> Path:
    """Write a page as PNG (10 px a mm), SVG or PDF, all at true scale.

    Parameters
    ----------
    figure : Figure or Record
        What `plot_record` returned, or a record to plot.
    path : str or Path
        File ending in ``.png``, ``.svg`` or ``.pdf``.
    overwrite : bool
        Replace a file that exists.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the file exists and ``overwrite`` is false, or the folder cannot be written.
    FormatError
        If the suffix is none of the three.
    """
    import matplotlib as mpl

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _PLOT_SUFFIXES:
        raise FormatError(f"{path}: cannot draw {path.suffix!r}; choose one of {' '.join(_PLOT_SUFFIXES)}")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; choose another name or allow to replace it (--force)")
    if isinstance(figure, Record):
        figure = plot_record(figure)
    # The same page gives the same file: no dates, no random ids.
    undated: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})
    try:
        with mpl.rc_context({"svg.hashsalt": "uniecg", "pdf.fonttype": 42}):
            figure.savefig(path, dpi=_PNG_DPI, metadata=undated)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _subtitle(record: Record, cut: bool) -> str:
    """Return who and how long, with what the page leaves out."""
    parts = []
    if isinstance(record.metadata.get("sex"), str):
        parts.append(record.metadata["sex"])
    if isinstance(record.metadata.get("age"), int | float):
        parts.append(f"{record.metadata['age']:g} years")
    if record.duration_s > PAGE_S + 0.05:
        parts.append(f"first {PAGE_S:g} s of {record.duration_s:.4g} s")
    elif record.duration_s < PAGE_S - 0.05:
        parts.append(f"{record.duration_s:.3g} s: columns overlap in time")
    parts.append(f"{record.sampling_rate:g} Hz")
    if cut:
        parts.append("large amplitudes are cut at the edge of the page")
    return ", ".join(parts)


def _draw_grid(axes: Axes) -> None:
    for step_mm, rgb, width_mm in ((1.0, MINOR, 0.1), (5.0, MAJOR, 0.2)):
        color = (rgb[0] / 255, rgb[1] / 255, rgb[2] / 255)
        style: dict[str, Any] = {"color": color, "linewidths": width_mm * PT_PER_MM, "zorder": 0.5}
        x = np.arange(GRID_LEFT_MM, GRID_RIGHT_MM + 0.5, step_mm)
        y = np.arange(GRID_TOP_MM, GRID_BOTTOM_MM + 0.5, step_mm)
        axes.vlines(x, GRID_TOP_MM, GRID_BOTTOM_MM, **style)
        axes.hlines(y, GRID_LEFT_MM, GRID_RIGHT_MM, **style)


def _draw_evidence(axes: Axes, strips: Sequence[Strip], evidence: Sequence[Evidence]) -> None:
    """Shade each stretch on its lead and write its value below; off the page its time is given instead."""
    lines_below: dict[Strip, int] = {}
    for item in evidence:
        value = "" if item.value is None else f" {item.value:.3g} {item.unit}"
        own = [strip for strip in strips if strip.lead == item.lead] if item.lead else [strips[-1]]
        visible = [strip for strip in own if item.start_s < strip.end_s and item.end_s > strip.start_s]
        for strip in visible or own[:1]:
            left, label = strip.left_mm + 1, f"{item.quantity}{value}"
            if visible:
                left = strip.left_mm + (max(item.start_s, strip.start_s) - strip.start_s) * MM_PER_S
                right = strip.left_mm + (min(item.end_s, strip.end_s) - strip.start_s) * MM_PER_S
                box = ([left, max(right, left + 1)], strip.baseline_mm - 11, strip.baseline_mm + 15)
                axes.fill_between(*box, color=_EVIDENCE, alpha=0.18, linewidth=0, zorder=1)
            else:
                label += f" at {item.start_s:.1f} s"
            line = lines_below.get(strip, 0)
            lines_below[strip] = line + 1
            axes.text(
                left, strip.baseline_mm + 18 - 3 * line, label, fontsize=8, color=_EVIDENCE, va="baseline"
            )
