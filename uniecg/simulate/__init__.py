"""Simulated cardiac rhythm: when the waves of an ECG happen, before anything is said about their shape."""

from __future__ import annotations

from uniecg.simulate.rhythm import (
    CHANNELS,
    RhythmPlan,
    plan_from_measurements,
    plan_rhythm,
    usual_attributes,
)

__all__ = ["CHANNELS", "RhythmPlan", "plan_from_measurements", "plan_rhythm", "usual_attributes"]
