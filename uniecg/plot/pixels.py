"""A fast renderer of the page as pixels, for training images.

It draws the geometry of `uniecg.plot.layout` with OpenCV.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..record import Record
from .layout import (
    GRID_BOTTOM_MM,
    GRID_LEFT_MM,
    GRID_RIGHT_MM,
    GRID_TOP_MM,
    INK,
    LABEL_ABOVE_MM,
    MAJOR,
    MINOR,
    PAGE_HEIGHT_MM,
    PAGE_WIDTH_MM,
    TRACE_WIDTH_MM,
    marks_mm,
    page_strips,
    trace_mm,
)

# Paper and ink of printers and screens, for `render_page` with a generator: (minor, major) lines as RGB.
_GRIDS = (
    (MINOR, MAJOR),
    ((255, 214, 204), (245, 150, 130)),
    ((255, 226, 190), (240, 175, 110)),
    ((220, 220, 220), (185, 185, 185)),
    ((205, 235, 210), (140, 200, 150)),
    ((210, 225, 245), (150, 180, 225)),
)


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

    minor, major = _GRIDS[int(rng.integers(len(_GRIDS)))] if rng else (MINOR, MAJOR)
    ink = tuple(int(level) for level in rng.integers(0, 60, 3)) if rng else INK
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

    for mark in marks_mm():
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
