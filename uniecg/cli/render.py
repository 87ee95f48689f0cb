"""Results as lines of text or JSON: stdout for the result, stderr for what is said beside it."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ..report import Evidence, Finding, Report
    from ..signal import Measurements

# label, attribute of Measurements, unit
MEASUREMENT_ROWS = (
    ("Heart rate", "heart_rate_bpm", "bpm"),
    ("RR", "rr_ms", "ms"),
    ("P", "p_ms", "ms"),
    ("PR", "pr_ms", "ms"),
    ("QRS", "qrs_ms", "ms"),
    ("QT", "qt_ms", "ms"),
    ("QTc (Bazett)", "qtc_bazett_ms", "ms"),
    ("QTc (Fridericia)", "qtc_fridericia_ms", "ms"),
    ("QT dispersion", "qt_dispersion_ms", "ms"),
    ("P axis", "p_axis_deg", "degrees"),
    ("QRS axis", "qrs_axis_deg", "degrees"),
    ("Sokolow-Lyon", "sokolow_lyon_mv", "mV"),
    ("Cornell", "cornell_mv", "mV"),
)
SUMMARY_ROWS = (
    ("rate", "heart_rate_bpm", " bpm"),
    ("PR", "pr_ms", " ms"),
    ("QRS", "qrs_ms", " ms"),
    ("QT", "qt_ms", " ms"),
    ("QTcF", "qtc_fridericia_ms", " ms"),
    ("axis", "qrs_axis_deg", "°"),
)
# Names of quantities end in their unit: qrs_ms, st_mv.
UNIT_SUFFIX = re.compile(r"_(ms|s|mv|bpm|deg)$")
BEAT_NAMES = {
    "dominant": "usual",
    "pac": "premature atrial",
    "pvc": "premature ventricular",
    "paced": "paced",
    "other": "of another shape",
}
WAVE_NAMES = {
    name.lower(): name for name in ("P", "PR", "Q", "QRS", "R", "RR", "S", "ST", "T", "QT", "QTc", "CV")
}
LEAD_COLUMNS = (("P", "p_mv"), ("Q", "q_mv"), ("R", "r_mv"), ("S", "s_mv"), ("ST", "st_mv"), ("T", "t_mv"))


def note(message: str) -> None:
    """Say something on stderr, beside the result."""
    typer.echo(message, err=True)


def error_line(error: Exception) -> str:
    """An expected failure in one line, whatever line breaks its message has."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"error: {error.filename}: {error.strerror}"
    return f"error: {' '.join(str(error).split())}"


def print_json(value: Mapping[str, Any]) -> None:
    """Print a result as JSON; NaN is not JSON and must be None by now."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def measurement_lines(measurements: Measurements, findings: Iterable[Finding]) -> Iterator[str]:
    """Measurements as quantities, a table of amplitudes by lead, and the statements whose criteria they meet."""
    for label, name, unit in MEASUREMENT_ROWS:
        value = getattr(measurements, name)
        digits = 2 if unit == "mV" else 0
        yield f"{label:<18}{'not measurable' if math.isnan(value) else f'{value:.{digits}f} {unit}'}"
    kinds = Counter(measurements.beats.kind.tolist())
    if kinds:
        yield f"{'Beats':<18}{', '.join(f'{count} {BEAT_NAMES[kind]}' for kind, count in kinds.items())}"
    quality = measurements.quality
    yield f"{'Quality':<18}{quality.verdict}{': ' if quality.reasons else ''}{'; '.join(quality.reasons)}"
    if not measurements.leads:
        return
    yield ""
    yield f"{'mV':<6}" + "".join(f"{label:>8}" for label, _ in LEAD_COLUMNS)
    for lead, amplitudes in measurements.leads.items():
        values = (getattr(amplitudes, name) for _, name in LEAD_COLUMNS)
        yield f"{lead:<6}" + "".join(f"{_millivolt(value):>8}" for value in values)
    yield ""
    yield "Criteria met"
    for finding in findings:
        yield f"  {finding.name} ({finding.code})"
        yield from _evidence_lines(finding)


def measurement_summary(measurements: Measurements) -> tuple[str, str]:
    """Two short lines: the measurable intervals and axis, and the quality."""
    rows = ((label, getattr(measurements, name), unit) for label, name, unit in SUMMARY_ROWS)
    values = (f"{label} {value:.0f}{unit}" for label, value, unit in rows if not math.isnan(value))
    quality = measurements.quality
    reasons = f" ({'; '.join(quality.reasons)})" if quality.reasons else ""
    return "   ".join(values), shorten(f"signal quality: {quality.verdict}{reasons}", 95, placeholder=" ...")


def _millivolt(value: float) -> str:
    # Adding zero turns the -0.0 of a rounded small number into 0.0.
    return "-" if math.isnan(value) else f"{round(value, 2) + 0.0:.2f}"


def report_lines(report: Report) -> Iterator[str]:
    """What stands behind an interpretation: its findings with their evidence, the quality, the warnings."""
    if report.findings:
        yield ""
        yield "Findings"
    for finding in report.findings:
        yield f"  {finding.name} ({finding.code}): {finding.status}"
        yield from _evidence_lines(finding)
    if report.quality or report.warnings:
        yield ""
    if report.quality:
        yield f"Signal quality: {report.quality}"
    for warning in report.warnings:
        yield f"Warning: {warning}"


def _evidence_lines(finding: Finding) -> Iterator[str]:
    # Two criteria may rest on one value: it is told once.
    for line in dict.fromkeys(evidence_line(evidence) for evidence in finding.evidence):
        yield f"    {line}"


def evidence_line(evidence: Evidence) -> str:
    """One piece of evidence: quantity, value, lead and the time it was measured at."""
    name = UNIT_SUFFIX.sub("", evidence.quantity)
    quantity = " ".join(WAVE_NAMES.get(word, word) for word in name.split("_"))
    value = "" if evidence.value is None else f" {evidence.value:.3g} {evidence.unit}".rstrip()
    lead = f" in {evidence.lead}" if evidence.lead else ""
    return f"{quantity}{value}{lead}, {evidence.start_s:.2f}-{evidence.end_s:.2f} s"
