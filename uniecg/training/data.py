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
from uniecg.signal.criteria import check_statement
from uniecg.text.explain import measurement_text
from uniecg.text.statements import RHYTHMS, STATEMENTS
from uniecg.text.vocabulary import conflicts


@dataclass(frozen=True)
class MeasuredExample:
    """An example, what was measured on it, and those of its statements that are told, in their order."""

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
    """Measure every labelled example; unusable recordings are left out, since nothing true can be said of them.

    Statements that the measurements contradict are not told, nor "normal" beside a statement it excludes: a model that
    learns to say what it cannot see in its input learns to guess.
    """
    kept = []
    for example in track(list(examples), description=description):
        measurements = measure(example.record)
        known = [code for code in example.statements if code in STATEMENTS]
        told = [code for code in known if check_statement(code, measurements)[0] is not False]
        if any("NORM" in pair for pair in conflicts(told)):
            told.remove("NORM")
        if not told or measurements.quality.verdict == "unusable":
            continue
        ordered = tuple(sorted(told, key=lambda code: code not in RHYTHMS))
        kept.append(MeasuredExample(example, measurements, ordered))
    return kept
