"""The picture of the evidence: every beat ticked, findings on their leads, a legend that says all."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from measured import example, leads

from uniecg.cli.evidence import claims_of
from uniecg.plot import Basis, Claim, page_strips, plot_evidence
from uniecg.plot.wording import quantity_words, values_text
from uniecg.record import Record
from uniecg.report import Evidence
from uniecg.signal import measure


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def numbers(figure: Figure, number: int) -> list[Text]:
    """Where a finding's number stands on the page, without its legend."""
    found = [text for text in figure.axes[0].texts if text.get_text() == str(number)]
    return [text for text in found if text.get_position()[1] < 180]


def st_claim(start_s: float, end_s: float, met: bool = True) -> Claim:
    evidence = tuple(Evidence(lead, start_s, end_s, "st_mv", 0.21, "mV") for lead in ("V2", "V6"))
    return Claim("ST elevation", (Basis("ST up in two leads", evidence, met),))


def test_every_visible_beat_is_ticked_and_named(normal: Record) -> None:
    beats = measure(normal).beats
    figure = plot_evidence(normal, [], beats)
    axes = figure.axes[0]
    ticks = [line for line in axes.lines if line.get_color() == "#303030"]
    shown = sum(
        int(((times >= strip.start_s) & (times <= strip.end_s)).sum())
        for strip in page_strips(normal)
        for times in (beats.p_on_s, beats.p_off_s, beats.qrs_on_s, beats.qrs_off_s, beats.t_off_s)
    )
    assert len(ticks) == shown
    assert texts(figure).count("QRS") == len(beats)
    assert f"{1000 * beats.rr_s[1]:.0f}" in texts(figure)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(280)


def test_evidence_is_shown_on_its_leads_in_a_beat_that_they_show(normal: Record) -> None:
    beats = measure(normal).beats
    first = beats.qrs_off_s[0], beats.t_peak_s[0]  # V2 and V6 do not show the first beat
    figure = plot_evidence(normal, [st_claim(*first)], beats)
    strips = {strip.lead: strip for strip in page_strips(normal)[:12]}
    places = [text.get_position() for text in numbers(figure, 1)]
    assert len(places) == 2
    for lead, (x, _) in zip(("V2", "V6"), sorted(places, key=lambda place: place[0]), strict=True):
        time_s = strips[lead].start_s + (x - strips[lead].left_mm) / 25.0
        assert any(beats.qrs_off_s[k] <= time_s <= beats.t_peak_s[k] for k in range(len(beats)))
    assert "ST up in two leads: ST 0.21\N{NO-BREAK SPACE}mV in V2, V6" in texts(figure)


def test_what_is_not_met_or_nowhere_stands_in_the_legend_only(normal: Record) -> None:
    m = measure(normal)
    count = Evidence(None, m.beats.qrs_on_s[3], m.beats.qrs_off_s[3], "t_flat_count", 0.0)
    claims = [
        st_claim(m.beats.qrs_off_s[0], m.beats.t_peak_s[0], met=False),
        Claim("no flat T", (Basis("", (count,)),)),
        Claim("rate", (Basis("", (Evidence(None, 0.0, 10.0, "heart_rate_bpm", 75.0, "bpm"),)),)),
    ]
    figure = plot_evidence(normal, claims, m.beats)
    assert not numbers(figure, 1)
    assert not numbers(figure, 2)
    assert [text.get_position()[0] < 20 for text in numbers(figure, 3)] == [True]  # below the pulse
    assert any(text.startswith("not met: ST up in two leads") for text in texts(figure))


def boxes_of(figure: Figure) -> list[tuple[str, np.ndarray]]:
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    found = [text for text in figure.axes[0].texts if text.get_text()]
    return [(text.get_text(), text.get_window_extent(renderer).get_points()) for text in found]


@pytest.mark.parametrize("name", ["normal", "atrial_fibrillation", "left_bundle_branch_block"])
def test_no_two_words_overlap_and_none_leaves_the_page(examples: dict[str, Record], name: str) -> None:
    m = measure(examples[name])
    claims = claims_of(m)
    figure = plot_evidence(examples[name], claims, m.beats, title=name, summary=("rate 75 bpm", "usable"))
    boxes = boxes_of(figure)
    page = figure.bbox.get_points()
    for text, box in boxes:
        assert (box >= page[0] - 1).all(), text
        assert (box <= page[1] + 1).all(), text
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = (a[0] >= b[1] - 1).any() or (b[0] >= a[1] - 1).any()
        assert apart, (one, other)
    assert {claim.name for claim in claims} <= set(texts(figure))


def test_records_without_beats_or_leads_are_drawn(normal: Record) -> None:
    for record in (Record(np.zeros((12, 5000)), 500), normal.select(["V3"]), normal.crop(0, 1.5)):
        m = measure(record)
        plot_evidence(record, claims_of(m), m.beats)


def test_leads_behind_a_common_value_are_named() -> None:
    tall = example(leads=leads(aVL={"r_mv": 1.5}, V3={"s_mv": -2.0}))
    claims = {claim.name: claim for claim in claims_of(tall)}
    cornell = claims["left ventricular hypertrophy"].evidence
    assert [item.lead for item in cornell if item.quantity.startswith("cornell")] == ["aVL", "V3"]


def test_values_are_worded_by_quantity_and_lead() -> None:
    q = [Evidence(lead, 1.0, 1.1, "q_ms", 40.0, "ms") for lead in ("III", "aVF")]
    rest = [
        Evidence(None, 0, 10, "p_fraction", 0.97),
        Evidence(None, 0, 1, "qtc_excess_ms", -67.4, "ms"),
        Evidence(None, 0, 1, "qrs_axis_deg", -31.6, "degrees"),
        Evidence(None, 0, 1, "qt_ms", None, "ms"),
    ]
    plain = re.sub(r"\s", " ", values_text([*q, *rest]))
    assert plain == (
        "Q 40 ms in III, aVF; beats with a P wave 97 %; QTc 67 ms below the limit; QRS axis -32°; QT"
    )
    assert quantity_words("sokolow_lyon_mv") == "Sokolow-Lyon voltage"
