"""Labelled examples with their measurements: what both stages learn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from rich.progress import track

from uniecg.attributes import NUMERIC, Attributes
from uniecg.datasets import Example
from uniecg.signal import Measurements, measure
from uniecg.text.explain import measurement_text
from uniecg.text.statements import RHYTHMS, STATEMENTS


@dataclass(frozen=True)
class MeasuredExample:
    """An example, what was measured on it, and the statements in the order they are told."""

    example: Example
    measurements: Measurements
    statements: tuple[str, ...]

    @cached_property
    def line(self) -> str:
        """The line of measurements in a prompt; made once, since conversations draw an example many times."""
        return measurement_text(self.measurements)

    def attributes(self) -> Attributes:
        """Person and measured values, rounded to what a report would say; implausible ones left out."""
        values = {}
        for name in ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qrs_axis_deg"):
            value = getattr(self.measurements, name)
            if np.isfinite(value) and NUMERIC[name].low <= value <= NUMERIC[name].high:
                values[name] = float(round(value))
        return replace(self.example.person(), **values)


def measure_examples(examples: Iterable[Example], *, description: str) -> list[MeasuredExample]:
    """Measure every labelled example; unusable recordings are left out, since nothing true can be said of them."""
    kept = []
    for example in track(list(examples), description=description):
        known = [code for code in example.statements if code in STATEMENTS]
        measurements = measure(example.record)
        if not known or measurements.quality.verdict == "unusable":
            continue
        ordered = tuple(sorted(known, key=lambda code: code not in RHYTHMS))
        kept.append(MeasuredExample(example, measurements, ordered))
    return kept
