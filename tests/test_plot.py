"""The 12-lead page: true scale, the same geometry from both renderers, odd records."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from uniecg.errors import FormatError, InputError
from uniecg.io import page_to_gray, read_page
from uniecg.plot import page_strips, plot_record, render_page, trace_mm, write_plot
from uniecg.record import LEADS, Record
from uniecg.report import Evidence


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def labels(record: Record) -> list[str]:
    return [strip.lead for strip in page_strips(record)]


def test_page_has_its_true_size_in_every_format(tmp_path: Path, normal: Record) -> None:
    figure = plot_record(normal, title="Normal")
    assert (figure.get_size_inches() * 25.4).tolist() == pytest.approx([280, 180])
    assert read_page(write_plot(figure, tmp_path / "page.png")).shape[:2] == (1800, 2800)
    svg = write_plot(figure, tmp_path / "page.svg").read_text()
    assert 'width="793.7' in svg  # points: 280 mm
    assert write_plot(normal, tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_writing_is_repeatable_and_overwrites_only_when_told(tmp_path: Path, normal: Record) -> None:
    path = write_plot(normal, tmp_path / "page.svg")
    first = path.read_bytes()
    with pytest.raises(InputError, match="--force"):
        write_plot(normal, path)
    assert write_plot(normal, path, overwrite=True).read_bytes() == first
    with pytest.raises(FormatError, match=r"\.png \.svg \.pdf"):
        write_plot(normal, tmp_path / "page.bmp")
    with pytest.raises(InputError, match="cannot be written"):
        write_plot(normal, tmp_path / "nowhere" / "page.png")


def test_page_names_leads_speed_gain_and_patient(normal: Record) -> None:
    written = texts(plot_record(normal, title="A title"))
    assert written[:13] == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    assert written[13:] == ["A title", "female, 50 years, 500 Hz", "25 mm/s   10 mm/mV"]


def test_a_millivolt_is_10_mm_and_a_second_25_mm() -> None:
    signal = np.zeros((12, 5000))
    signal[LEADS.index("II"), 500] = 1.0
    record = Record(signal + 3.0, 500)  # an offset of the recorder does not move the trace
    row = next(strip for strip in page_strips(record) if strip.lead == "II")
    trace = trace_mm(record, row)
    x, y = trace[trace[:, 1].argmin()]
    assert x - row.left_mm == pytest.approx(25.0)
    assert row.baseline_mm - y == pytest.approx(10.0, abs=1e-4)
    assert trace[-1, 0] - row.left_mm == pytest.approx(62.5, abs=0.06)


def test_columns_follow_each_other_in_time(normal: Record) -> None:
    strips = {strip.lead: strip for strip in page_strips(normal)[:12]}
    assert [(strips[lead].start_s, strips[lead].end_s) for lead in ("I", "aVR", "V1", "V4")] == [
        (0, 2.5), (2.5, 5), (5, 7.5), (7.5, 10),
    ]  # fmt: skip
    assert page_strips(normal)[-1][3:5] == (0, 10)


@pytest.mark.parametrize("name", ["normal", "atrial_fibrillation", "left_bundle_branch_block"])
def test_fast_renderer_draws_the_same_page(tmp_path: Path, examples: dict[str, Record], name: str) -> None:
    record = examples[name]
    path = tmp_path / "page.png"
    plot_record(record).savefig(path, dpi=4 * 25.4)
    fast = render_page(record)
    assert fast.shape == (720, 1120, 3)
    inside = (slice(60, 700), slice(80, 1080))
    slow_ink, fast_ink = (page_to_gray(page)[inside] for page in (read_page(path), fast))

    def correlation(shift: tuple[int, int]) -> float:
        return float(np.corrcoef(slow_ink.ravel(), np.roll(fast_ink, shift, (0, 1)).ravel())[0, 1])

    assert correlation((0, 0)) > 0.9
    # A shift by a single pixel, a quarter of a millimetre, is worse: the two agree to less than that.
    assert max(correlation(shift) for shift in [(1, 0), (-1, 0), (0, 1), (0, -1)]) < 0.8


def test_rendering_varies_only_with_its_generator(normal: Record) -> None:
    np.testing.assert_array_equal(render_page(normal), render_page(normal))
    first, again = (render_page(normal, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = render_page(normal, rng=np.random.default_rng(6))
    assert first.shape == other.shape == (720, 1120, 3)
    assert not np.array_equal(first, other)


def test_disturbed_pages_still_show_the_trace(normal: Record) -> None:
    clean = page_to_gray(render_page(normal))
    for seed in range(8):
        ink = page_to_gray(render_page(normal, rng=np.random.default_rng(seed)))
        # Scaled down tenfold, small shifts and turns hardly matter.
        small = [cv2.resize(page, (112, 72), interpolation=cv2.INTER_AREA) for page in (clean, ink)]
        blurred = [cv2.GaussianBlur(page, (9, 9), 2) for page in small]
        assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.55, seed


@pytest.mark.parametrize("px_per_mm", [2, 3.5, 6])
def test_rendering_at_other_scales(normal: Record, px_per_mm: float) -> None:
    page = render_page(normal, px_per_mm=px_per_mm)
    assert page.shape == (round(180 * px_per_mm), round(280 * px_per_mm), 3)


def test_missing_leads_are_named_and_left_empty(normal: Record) -> None:
    record = normal.select(["I", "V1", "V4"])
    written = texts(plot_record(record))
    assert "III (not recorded)" in written
    assert labels(record)[-1] == "V1"  # of the rhythm strip, without II
    assert labels(normal.select(["V4"]))[-1] == "V4"
    assert render_page(record).shape == (720, 1120, 3)


def test_a_record_without_any_value_is_an_empty_page() -> None:
    record = Record(np.full((12, 5000), np.nan), 500)
    assert sum("(not recorded)" in text for text in texts(plot_record(record))) == 13
    assert render_page(record).shape == (720, 1120, 3)


def test_long_records_show_their_first_10_s(normal: Record) -> None:
    long = Record(np.tile(normal.signal, (1, 3)), 500)
    assert "first 10 s of 30 s, 500 Hz" in texts(plot_record(long))
    np.testing.assert_array_equal(render_page(long), render_page(normal))


def test_short_records_fill_their_columns(normal: Record) -> None:
    short = normal.crop(0, 4)
    assert any("4 s: columns overlap in time" in text for text in texts(plot_record(short)))
    assert [strip.start_s for strip in page_strips(short)[:4]] == [0, 1.5, 1.5, 1.5]
    assert {strip.start_s for strip in page_strips(normal.crop(0, 1))} == {0}
    assert render_page(normal.crop(0, 0.01)).shape == (720, 1120, 3)


def test_gaps_and_large_amplitudes_do_not_leave_the_grid(normal: Record) -> None:
    signal = normal.signal * 50
    signal[0, 300:600] = np.nan
    record = Record(signal, 500)
    assert any("cut at the edge" in text for text in texts(plot_record(record)))
    page, blank = render_page(record), render_page(Record(np.zeros((12, 5000)), 500))
    np.testing.assert_array_equal(page[:60], blank[:60])
    np.testing.assert_array_equal(page[:, 1101:], blank[:, 1101:])


def test_evidence_is_marked_where_it_lies(normal: Record) -> None:
    evidence = [
        Evidence("V1", 5.2, 5.36, "QRS", 96.0, "ms"),
        Evidence("V1", 9.0, 9.1, "S", 1.9, "mV"),
        Evidence("II", 1.0, 1.2, "PR", 160.0, "ms"),
        Evidence(None, 0.4, 1.2, "irregular", None, ""),
    ]
    figure = plot_record(normal, evidence=evidence)
    written = texts(figure)
    # Lead II is on the page twice, V1 at 9 s not at all.
    assert [written.count(text) for text in ("QRS 96 ms", "S 1.9 mV at 9.0 s", "PR 160 ms", "irregular")] == [
        1,
        1,
        2,
        1,
    ]
    boxes = [area.get_paths()[0].get_extents() for area in figure.axes[0].collections[-4:]]
    assert boxes[0].x0 == pytest.approx(20 + 125 + 0.2 * 25)
    assert boxes[0].width == pytest.approx(4.0)
