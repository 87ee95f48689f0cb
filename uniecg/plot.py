"""The 12-lead page at true scale: `plot_record` for people, `render_page` for training images.

Both draw the same geometry in millimetres: 3 rows of 4 columns of 2.5 s and a rhythm strip of 10 s below, at
25 mm/s and 10 mm/mV on a 1 mm / 5 mm grid, a 1 mV x 200 ms calibration pulse before each row. Each lead is
drawn around its median, so that an offset of the recorder does not move it off its row.

References
----------
Kligfield P. et al. Recommendations for the standardization and interpretation of the electrocardiogram,
part I. Circulation 2007;115:1306-1324 (paper speed, gain, order of the leads).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import FormatError, InputError
from .record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .report import Evidence

__all__ = ["Strip", "page_strips", "plot_record", "render_page", "trace_mm", "write_plot"]

MM_PER_S = 25.0
MM_PER_MV = 10.0
PAGE_WIDTH_MM = 280.0
PAGE_HEIGHT_MM = 180.0
GRID_LEFT_MM, GRID_RIGHT_MM = 5.0, 275.0
GRID_TOP_MM, GRID_BOTTOM_MM = 15.0, 175.0
TRACE_LEFT_MM = 20.0
COLUMN_S = 2.5
PAGE_S = 10.0
BASELINES_MM = (35.0, 75.0, 115.0, 155.0)
LABEL_ABOVE_MM = 15.0
TRACE_WIDTH_MM = 0.35

# Corners of the calibration pulse: mm from the left edge of the page, mm above the baseline.
PULSE_MM = ((11.0, 0.0), (12.5, 0.0), (12.5, 10.0), (17.5, 10.0), (17.5, 0.0), (19.0, 0.0))

# A short tick before the name of each lead but the first of a row, from and to mm above the baseline: on the
# baseline it would look like a pacing spike.
TICK_MM = (14.0, 18.0)

ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
_RHYTHM_LEADS = ("II", "V1", "V5", "I")

_MINOR, _MAJOR, _INK = (250, 218, 218), (236, 160, 160), (0, 0, 0)
_EVIDENCE = "#1f5fa8"
_PT_PER_MM = 72 / 25.4
_PLOT_SUFFIXES = (".png", ".svg", ".pdf")
_PNG_DPI = 254  # 10 px a mm

# Paper and ink of printers and screens, for `render_page` with a generator: (minor, major) lines as RGB.
_GRIDS = (
    (_MINOR, _MAJOR),
    ((255, 214, 204), (245, 150, 130)),
    ((255, 226, 190), (240, 175, 110)),
    ((220, 220, 220), (185, 185, 185)),
    ((205, 235, 210), (140, 200, 150)),
    ((210, 225, 245), (150, 180, 225)),
)


class Strip(NamedTuple):
    """Where one stretch of one lead lies on the page."""

    lead: str
    left_mm: float
    baseline_mm: float
    start_s: float
    end_s: float
    present: bool


def page_strips(record: Record) -> list[Strip]:
    """Lay a record out on the page.

    Parameters
    ----------
    record : Record
        Of a longer record the first 10 s are shown. Of a shorter one each column still shows 2.5 s, if there
        are so many: the columns then overlap in time instead of staying empty.

    Returns
    -------
    list of Strip
        The twelve leads row by row and, last, the rhythm strip (II, or the first of V1, V5, I that is there).
    """
    available = record.available_leads
    shown_s = min(record.duration_s, PAGE_S)
    strips = []
    for row, baseline in zip(ROWS, BASELINES_MM[:3], strict=True):
        for column, lead in enumerate(row):
            start = max(0.0, min(column * COLUMN_S, shown_s - COLUMN_S))
            left = TRACE_LEFT_MM + column * COLUMN_S * MM_PER_S
            strips.append(
                Strip(lead, left, baseline, start, min(start + COLUMN_S, shown_s), lead in available)
            )
    rhythm = next((lead for lead in (*_RHYTHM_LEADS, *available) if lead in available), "II")
    strips.append(Strip(rhythm, TRACE_LEFT_MM, BASELINES_MM[3], 0.0, shown_s, rhythm in available))
    return strips


def trace_mm(record: Record, strip: Strip) -> npt.NDArray[np.float64]:
    """Return the trace of a strip in mm from the top left corner of the page.

    Parameters
    ----------
    record : Record
        The ECG.
    strip : Strip
        One of its strips.

    Returns
    -------
    ndarray, shape (n_samples, 2)
        x and y; NaN where the lead has a gap.
    """
    rate = record.sampling_rate
    start, end = round(strip.start_s * rate), round(strip.end_s * rate)
    values = record[strip.lead][start:end].astype(np.float64)
    x = strip.left_mm + (np.arange(start, start + values.size) / rate - strip.start_s) * MM_PER_S
    whole = record[strip.lead][: round(PAGE_S * rate)]
    center = float(np.median(whole[~np.isnan(whole)])) if strip.present else 0.0
    return np.column_stack([x, strip.baseline_mm - (values - center) * MM_PER_MV])


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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PAGE_WIDTH_MM / 25.4, PAGE_HEIGHT_MM / 25.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, PAGE_WIDTH_MM), ylim=(PAGE_HEIGHT_MM, 0))
    axes.set_axis_off()
    _draw_grid(axes)
    strips = page_strips(record)
    # The traces of neighbouring rows may overlap, as on every machine, but stay on the grid.
    clip = axes.fill(
        [GRID_LEFT_MM, GRID_RIGHT_MM, GRID_RIGHT_MM, GRID_LEFT_MM],
        [GRID_TOP_MM, GRID_TOP_MM, GRID_BOTTOM_MM, GRID_BOTTOM_MM],
        fill=False,
        linewidth=0,
    )[0]
    line: dict[str, Any] = {
        "color": "black",
        "linewidth": TRACE_WIDTH_MM * _PT_PER_MM,
        "solid_joinstyle": "round",
    }
    cut = False
    for mark in _marks_mm():
        axes.plot(mark[:, 0], mark[:, 1], **line)
    for strip in strips:
        label = strip.lead if strip.present else f"{strip.lead} (not recorded)"
        axes.text(
            strip.left_mm + 1, strip.baseline_mm - LABEL_ABOVE_MM, label,
            fontsize=10, fontweight="bold", va="baseline", color="black" if strip.present else "0.4",
        )  # fmt: skip
        if strip.present:
            trace = trace_mm(record, strip)
            axes.plot(trace[:, 0], trace[:, 1], **line)[0].set_clip_path(clip)
            cut = cut or bool(np.any((trace[:, 1] < GRID_TOP_MM) | (trace[:, 1] > GRID_BOTTOM_MM)))
    _draw_evidence(axes, strips, evidence)
    axes.text(GRID_LEFT_MM, 7.5, title or "", fontsize=12, fontweight="bold", va="baseline")
    axes.text(GRID_LEFT_MM, 12.5, _subtitle(record, cut), fontsize=9, va="baseline")
    axes.text(GRID_LEFT_MM, 178.8, "25 mm/s   10 mm/mV", fontsize=9, va="baseline")
    return figure


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


def render_page(
    record: Record, *, px_per_mm: float = 4.0, rng: np.random.Generator | None = None
) -> npt.NDArray[np.uint8]:
    """Draw the page of `plot_record` as pixels, some 30 times faster and without title.

    Parameters
    ----------
    record : Record
        The ECG.
    px_per_mm : float
        Pixels a millimetre; 4 gives 720 x 1120 pixels.
    rng : numpy.random.Generator, optional
        Vary colours, line width, brightness, blur and, slightly, place, turn and size of the page, as
        printers, scanners and screens do. Speed and gain stay.

    Returns
    -------
    ndarray, shape (180 * px_per_mm, 280 * px_per_mm, 3), uint8
        RGB.
    """
    import cv2  # 0.1 s: loaded only where a page is drawn

    minor, major = _GRIDS[int(rng.integers(len(_GRIDS)))] if rng else (_MINOR, _MAJOR)
    ink = tuple(int(level) for level in rng.integers(0, 60, 3)) if rng else _INK
    colours = np.full((256, 1, 3), 255, np.uint8)
    colours[1], colours[2] = minor, major
    page = cv2.LUT(_grid_mask(px_per_mm), colours)
    left, top = round(GRID_LEFT_MM * px_per_mm), round(GRID_TOP_MM * px_per_mm)
    grid = page[top : round(GRID_BOTTOM_MM * px_per_mm), left : round(GRID_RIGHT_MM * px_per_mm)]
    width = max(1, round(TRACE_WIDTH_MM * px_per_mm))
    # A second stroke beside the first thickens the line; OpenCV's own wider lines take five times as long.
    strokes = (0.0, rng.uniform(0.3, 0.8)) if rng and rng.random() < 0.5 else (0.0,)

    def draw(points_mm: npt.NDArray[np.float64]) -> None:
        # OpenCV counts from the centre of a pixel and takes sub-pixels as 1/16.
        pixels = points_mm * px_per_mm - (left, top) - 0.5
        for shift in strokes:
            runs = [np.round((run + shift) * 16).astype(np.int32) for run in _finite_runs(pixels)]
            cv2.polylines(grid, runs, False, ink, width, cv2.LINE_AA, 4)

    for mark in _marks_mm():
        draw(mark)
    for strip in page_strips(record):
        label = strip.lead if strip.present else f"{strip.lead} (not recorded)"
        corner = (strip.left_mm + 1) * px_per_mm, (strip.baseline_mm - LABEL_ABOVE_MM) * px_per_mm
        cv2.putText(page, label, (round(corner[0]), round(corner[1])), cv2.FONT_HERSHEY_SIMPLEX,
                    0.11 * px_per_mm, ink, max(1, round(0.35 * px_per_mm)), cv2.LINE_AA)  # fmt: skip
        if strip.present:
            draw(trace_mm(record, strip))
    corner = GRID_LEFT_MM * px_per_mm, 178.8 * px_per_mm
    cv2.putText(page, "25 mm/s   10 mm/mV", (round(corner[0]), round(corner[1])), cv2.FONT_HERSHEY_SIMPLEX,
                0.1 * px_per_mm, ink, max(1, round(0.25 * px_per_mm)), cv2.LINE_AA)  # fmt: skip
    return _disturb(page, px_per_mm, rng) if rng else page


def _marks_mm() -> list[npt.NDArray[np.float64]]:
    """Return the calibration pulses and the ticks between the columns as lines in mm."""
    marks = [np.array([(x, baseline - up) for x, up in PULSE_MM]) for baseline in BASELINES_MM]
    for baseline in BASELINES_MM[:3]:
        for column in (1, 2, 3):
            x = TRACE_LEFT_MM + column * COLUMN_S * MM_PER_S
            marks.append(np.array([(x, baseline - up) for up in TICK_MM]))
    return marks


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
    for step_mm, rgb, width_mm in ((1.0, _MINOR, 0.1), (5.0, _MAJOR, 0.2)):
        color = (rgb[0] / 255, rgb[1] / 255, rgb[2] / 255)
        style: dict[str, Any] = {"color": color, "linewidths": width_mm * _PT_PER_MM, "zorder": 0.5}
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


@lru_cache(maxsize=4)
def _grid_mask(px_per_mm: float) -> npt.NDArray[np.uint8]:
    """Return the grid, shape (H, W, 3): 0 paper, 1 thin line, 2 thick line."""
    mask = np.zeros((round(PAGE_HEIGHT_MM * px_per_mm), round(PAGE_WIDTH_MM * px_per_mm), 3), np.uint8)
    left, right = round(GRID_LEFT_MM * px_per_mm), round(GRID_RIGHT_MM * px_per_mm)
    top, bottom = round(GRID_TOP_MM * px_per_mm), round(GRID_BOTTOM_MM * px_per_mm)
    for step_mm, kind in ((1.0, 1), (5.0, 2)):
        for x in np.arange(GRID_LEFT_MM, GRID_RIGHT_MM + 0.5, step_mm):
            mask[top : bottom + 1, round(x * px_per_mm)] = kind
        for y in np.arange(GRID_TOP_MM, GRID_BOTTOM_MM + 0.5, step_mm):
            # A thick line that an upright thin line has crossed stays thick.
            row = mask[round(y * px_per_mm), left : right + 1]
            np.maximum(row, kind, out=row)
    return mask


def _finite_runs(points: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    finite = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(finite)) + 1
    return [run for run in np.split(points, edges) if np.isfinite(run[0]).all()]


def _disturb(
    page: npt.NDArray[np.uint8], px_per_mm: float, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Move, dim, blur and grain a page the way a printer and a scanner do."""
    import cv2

    height, width = page.shape[:2]
    if rng.random() < 0.6:  # the others are screenshots: straight
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-1, 1), rng.uniform(0.95, 1.0))
        turn[:, 2] += rng.uniform(-2, 2, 2) * px_per_mm
        page = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=(255,) * 3)
    if rng.random() < 0.3:
        page = cv2.GaussianBlur(page, (3, 3), rng.uniform(0.4, 0.8))
    paper, dark = rng.integers(235, 256, 3), rng.uniform(0, 40)
    levels = np.arange(256)[:, None] / 255 * (paper - dark) + dark
    result: npt.NDArray[np.uint8] = cv2.LUT(page, levels.round().astype(np.uint8)[:, None, :])
    return result
