"""Measuring an ECG signal: beats, waves, intervals, quality, criteria."""

from __future__ import annotations

from uniecg.signal.measure import measure
from uniecg.signal.measurements import Beats, LeadMeasurements, Measurements
from uniecg.signal.quality import Quality

__all__ = ["Beats", "LeadMeasurements", "Measurements", "Quality", "measure"]
