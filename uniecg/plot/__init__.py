"""The 12-lead page at true scale: for people (`plot_record`, `plot_evidence`) and for training (`render_page`)."""

from __future__ import annotations

from .evidence import plot_evidence
from .layout import Strip, page_strips, trace_mm
from .legend import Basis, Claim
from .page import plot_record, write_plot
from .pixels import render_page

__all__ = [
    "Basis",
    "Claim",
    "Strip",
    "page_strips",
    "plot_evidence",
    "plot_record",
    "render_page",
    "trace_mm",
    "write_plot",
]
