"""Where everything lies on the 12-lead page, in millimetres.

3 rows of 4 columns of 2.5 s and a rhythm strip of 10 s below, at 25 mm/s and 10 mm/mV on a 1 mm / 5 mm grid, a 1 mV x
200 ms calibration pulse before each row. Each lead is drawn around its median, so that an offset of the recorder does
not move it off its row.

References
----------
Kligfield P. et al. Recommendations for the standardization and interpretation of the electrocardiogram,
part I. Circulation 2007;115:1306-1324 (paper speed, gain, order of the leads).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..record import Record

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
RHYTHM_LEADS = ("II", "V1", "V5", "I")

# Colours of the grid and the trace on the screen, RGB.
MINOR, MAJOR, INK = (250, 218, 218), (236, 160, 160), (0, 0, 0)


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
    rhythm = next((lead for lead in (*RHYTHM_LEADS, *available) if lead in available), "II")
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


def marks_mm() -> list[npt.NDArray[np.float64]]:
    """Return the calibration pulses and the ticks between the columns as lines in mm."""
    marks = [np.array([(x, baseline - up) for x, up in PULSE_MM]) for baseline in BASELINES_MM]
    for baseline in BASELINES_MM[:3]:
        for column in (1, 2, 3):
            x = TRACE_LEFT_MM + column * COLUMN_S * MM_PER_S
            marks.append(np.array([(x, baseline - up) for up in TICK_MM]))
    return marks
