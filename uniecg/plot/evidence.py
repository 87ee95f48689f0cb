"""The page with its evidence: boundaries of the waves, the stretches behind each finding, and a legend.

What a finding rests on is tinted in its colour and carries its number; a value of the whole record puts the number
below the calibration pulse of the rhythm strip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..record import Record
from ..report import Evidence
from .layout import (
    GRID_BOTTOM_MM,
    GRID_LEFT_MM,
    GRID_RIGHT_MM,
    GRID_TOP_MM,
    LABEL_ABOVE_MM,
    MM_PER_S,
    PAGE_HEIGHT_MM,
    Strip,
    page_strips,
    trace_mm,
)
from .legend import BAR_MM, CHIP_MM, Box, Claim, draw_block, draw_number, fill, legend
from .page import PT_PER_MM, draw_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.floating[Any]]

BOUNDARIES = ("p_on_s", "p_off_s", "qrs_on_s", "qrs_off_s", "t_peak_s", "t_off_s")
TICKED = ("p_on_s", "p_off_s", "qrs_on_s", "qrs_off_s", "t_off_s")
LETTERS = (("QRS", "qrs_on_s", "qrs_off_s"), ("P", "p_on_s", "p_off_s"), ("T", "t_peak_s", "t_peak_s"))

LONGEST_WAVE_S, LEAST_RR_S, LETTERS_APART_MM = 1.5, 0.25, 2.7
TICK_MM, TICK_COLOR = 1.8, "#303030"
BAR_GAP_MM, LOWEST_BAR_MM = 0.4, 17.0


class BeatTimes(Protocol):
    """Times of the waves of each beat in seconds, NaN where absent, as `uniecg.signal.Beats` has them."""

    @property
    def p_on_s(self) -> FloatArray: ...
    @property
    def p_off_s(self) -> FloatArray: ...
    @property
    def qrs_on_s(self) -> FloatArray: ...
    @property
    def qrs_off_s(self) -> FloatArray: ...
    @property
    def t_peak_s(self) -> FloatArray: ...
    @property
    def t_off_s(self) -> FloatArray: ...
    @property
    def r_peak_s(self) -> FloatArray: ...
    @property
    def rr_s(self) -> FloatArray: ...
    @property
    def dominant(self) -> npt.NDArray[np.bool_]: ...


class _Span(NamedTuple):
    """A stretch of one strip behind the finding with this number."""

    number: int
    strip: Strip
    start_s: float
    end_s: float


def plot_evidence(
    record: Record,
    claims: Sequence[Claim],
    beats: BeatTimes,
    *,
    title: str | None = None,
    summary: Sequence[str] = (),
) -> Figure:
    """Draw the 12-lead page with waves and findings marked, and a legend of the findings below.

    Parameters
    ----------
    record : Record
    claims : sequence of Claim
        In the order of the legend.
    beats : BeatTimes
        Boundaries to mark. Evidence of a beat that its lead does not show on the page is marked on a beat of the
        same shape that it does show.
    title : str, optional
    summary : sequence of str
        At most two lines at the top right.

    Returns
    -------
    matplotlib.figure.Figure
        280 mm wide, at true scale; as high as the legend needs.
    """
    blocks = legend(claims)
    figure, axes = draw_page(
        record, title, max((block.bottom_mm for block in blocks), default=PAGE_HEIGHT_MM)
    )
    for line, y_mm in zip(summary, (7.5, 12.5), strict=False):
        axes.text(GRID_RIGHT_MM, y_mm, line, fontsize=9, ha="right", va="baseline")
    key = "ticks: begin and end of P and QRS, end of T   numbers: findings (below the pulse: of the whole record)"
    axes.text(GRID_RIGHT_MM, 178.8, key, fontsize=9, ha="right", va="baseline")
    strips = [strip for strip in page_strips(record) if strip.present]
    traces = {strip: trace_mm(record, strip) for strip in strips}
    for strip, trace in traces.items():
        _draw_ticks(axes, strip, trace, beats)
    if strips:
        _draw_letters(axes, strips[-1], traces[strips[-1]], beats)
        _draw_rr(axes, strips[-1], beats)
        _draw_chips(axes, strips[-1], [n for n, claim in enumerate(claims, start=1) if _whole(claim, record)])
    _draw_spans(axes, traces, _spans(claims, strips, beats))
    for block in blocks:
        draw_block(axes, block)
    return figure


def _visible(strip: Strip, time_s: FloatArray) -> FloatArray:
    return time_s[(time_s >= strip.start_s) & (time_s <= strip.end_s)]


def _place(strip: Strip, trace: FloatArray, time_s: float) -> tuple[float, float]:
    """Return where a time lies on the page: x, and y of the trace."""
    x = strip.left_mm + (time_s - strip.start_s) * MM_PER_S
    return x, float(np.interp(x, trace[:, 0], np.nan_to_num(trace[:, 1], nan=strip.baseline_mm)))


def _draw_ticks(axes: Axes, strip: Strip, trace: FloatArray, beats: BeatTimes) -> None:
    for name in TICKED:
        for time_s in _visible(strip, getattr(beats, name)):
            x, y = _place(strip, trace, float(time_s))
            if GRID_TOP_MM < y < GRID_BOTTOM_MM:
                axes.plot(
                    [x, x], [y - TICK_MM, y + TICK_MM],
                    color=TICK_COLOR, linewidth=0.25 * PT_PER_MM, solid_capstyle="butt", zorder=3,
                )  # fmt: skip


def _draw_letters(axes: Axes, strip: Strip, trace: FloatArray, beats: BeatTimes) -> None:
    """Name the waves of the rhythm strip above the trace, as far as there is room."""
    written: list[float] = []
    for name, start, end in LETTERS:
        for time_s in _visible(strip, (getattr(beats, start) + getattr(beats, end)) / 2.0):
            x, _ = _place(strip, trace, float(time_s))
            if any(abs(x - other) < LETTERS_APART_MM for other in written):
                continue
            written.append(x)
            near = trace[np.abs(trace[:, 0] - x) < 2.5, 1]
            y = max(float(np.nanmin(near)) - TICK_MM - 0.6, GRID_TOP_MM)
            axes.text(x, y, name, fontsize=7, color=TICK_COLOR, ha="center", va="baseline")


def _draw_rr(axes: Axes, strip: Strip, beats: BeatTimes) -> None:
    """Write the RR intervals along the lower edge."""
    style: dict[str, Any] = {"fontsize": 7, "color": TICK_COLOR, "ha": "center", "va": "baseline"}
    y = GRID_BOTTOM_MM - 1.2
    axes.text((GRID_LEFT_MM + strip.left_mm) / 2.0, y, "RR (ms)", **style)
    for peak_s, rr_s in zip(beats.r_peak_s, beats.rr_s, strict=True):
        if rr_s > LEAST_RR_S and strip.start_s <= peak_s - rr_s and peak_s <= strip.end_s:
            x = strip.left_mm + (peak_s - rr_s / 2.0 - strip.start_s) * MM_PER_S
            axes.text(x, y, f"{1000 * rr_s:.0f}", **style)


def _whole(claim: Claim, record: Record) -> bool:
    """Tell whether a finding rests on a value of the whole record."""
    return any(item.end_s - item.start_s > 0.9 * record.duration_s for item in claim.evidence)


def _draw_chips(axes: Axes, strip: Strip, numbers: Sequence[int]) -> None:
    """Put numbers below the calibration pulse of a strip, three a row."""
    for place, number in enumerate(numbers):
        row, column = divmod(place, 3)
        left, top = GRID_LEFT_MM + 0.4 + column * 4.8, strip.baseline_mm + 2.0 + row * (BAR_MM + BAR_GAP_MM)
        draw_number(axes, number, (left, left + CHIP_MM, top, top + BAR_MM))


def _spans(claims: Sequence[Claim], strips: Sequence[Strip], beats: BeatTimes) -> list[_Span]:
    """Return the stretches behind each finding, those of one finding that touch made one.

    What belongs to no lead is shown on the rhythm strip, the last one; what belongs to a lead not there.
    """
    found: dict[tuple[int, Strip], list[tuple[float, float]]] = {}
    for number, claim in enumerate(claims, start=1):
        for item in claim.evidence:
            if item.lead is None and item.quantity.endswith("_count"):
                continue  # of leads or beats that are not named
            own = [strip for strip in strips[:-1] if strip.lead == item.lead] if item.lead else strips[-1:]
            for strip in own:
                shown = _shown(item, strip, beats)
                if shown is not None:
                    found.setdefault((number, strip), []).append(shown)
    return [_Span(*key, *part) for key, parts in found.items() for part in _united(parts)]


def _united(parts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    result: list[tuple[float, float]] = []
    for start, end in sorted(parts):
        if result and start <= result[-1][1]:
            start, end = result[-1][0], max(end, result.pop()[1])
        result.append((start, end))
    return result


def _shown(item: Evidence, strip: Strip, beats: BeatTimes) -> tuple[float, float] | None:
    """Return the stretch of a beat that the strip shows, the evidence's own if possible."""
    if (
        strip.start_s <= item.start_s
        and item.end_s <= strip.end_s
        and item.end_s - item.start_s < LONGEST_WAVE_S
    ):
        return item.start_s, item.end_s
    times = np.stack([getattr(beats, name) for name in BOUNDARIES], axis=1)
    begins, ends = (np.argwhere(np.abs(times - at) < 1e-6) for at in (item.start_s, item.end_s))
    if not (len(begins) and len(ends)):
        return None
    pairs = times[beats.dominant][:, [begins[0][1], ends[0][1]]]
    inside = pairs[(pairs[:, 0] >= strip.start_s) & (pairs[:, 1] <= strip.end_s)]
    if not len(inside):
        return None
    start, end = inside[len(inside) // 2]
    return float(start), float(end)


def _draw_spans(axes: Axes, traces: Mapping[Strip, FloatArray], spans: Sequence[_Span]) -> None:
    """Number each stretch on a bar beside the trace, and tint it unless a wider one there is tinted already."""
    names = [strip.baseline_mm - LABEL_ABOVE_MM for strip in traces]
    taken = [
        (strip.left_mm, strip.left_mm + 9.0, y - 3.5, y + 0.5) for strip, y in zip(traces, names, strict=True)
    ]
    tinted: list[Box] = []
    drawn = np.concatenate(list(traces.values())) if traces else np.zeros((0, 2))
    for span in sorted(spans, key=lambda span: span.start_s - span.end_s):
        trace = traces[span.strip]
        left, _ = _place(span.strip, trace, span.start_s)
        right, _ = _place(span.strip, trace, span.end_s)
        near = trace[(trace[:, 0] >= left - 1) & (trace[:, 0] <= right + 1), 1]
        top, bottom = float(np.nanmin(near)) - TICK_MM, float(np.nanmax(near)) + TICK_MM
        tint = left, right, top, bottom
        if not any(_meet(tint, other) for other in tinted):
            fill(axes, span.number, tint, alpha=0.22, zorder=1)
            tinted.append(tint)
        lowest = span.strip.baseline_mm + LOWEST_BAR_MM
        boxes = list(_bar_places((left + right) / 2.0, right - left, top, bottom, lowest))
        free = [box for box in boxes if not any(_meet(box, other) for other in taken)] or boxes
        box = next((box for box in free if not _covers(box, drawn)), free[0])
        taken.append(box)
        draw_number(axes, span.number, box)


def _bar_places(middle: float, width: float, top: float, bottom: float, lowest: float) -> Iterator[Box]:
    """Yield where a bar may be: below the stretch, above it, then above and to its right."""
    half, step = max(width, BAR_MM) / 2.0, BAR_MM + BAR_GAP_MM
    above = [top - step * k for k in range(1, 5)]
    for y in (*np.arange(bottom + BAR_GAP_MM, lowest - BAR_MM, step).tolist(), *above):
        yield middle - half, middle + half, y, y + BAR_MM
    for shift in (1, 2, 3):
        for y in above:
            left = middle + half + BAR_GAP_MM + (shift - 1) * (CHIP_MM + BAR_GAP_MM)
            yield left, left + CHIP_MM, y, y + BAR_MM


def _covers(box: Box, points: FloatArray) -> bool:
    left, right, top, bottom = box
    x, y = points.T
    return bool(np.any((x > left) & (x < right) & (y > top) & (y < bottom)))


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
