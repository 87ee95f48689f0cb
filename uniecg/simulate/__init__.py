"""Simulated ECGs: when the waves happen (rhythm plans), and whole 12-lead records with the exact truth about them."""

from __future__ import annotations

from uniecg.simulate.ecg import OWN_NAMES, SIMULATED, simulate
from uniecg.simulate.noise import Noise
from uniecg.simulate.request import shortest_s, sinus_of
from uniecg.simulate.rhythm import (
    CHANNELS,
    RATE_RANGES,
    RhythmPlan,
    plan_from_measurements,
    plan_rhythm,
    usual_attributes,
)
from uniecg.simulate.truth import BeatTimes, Simulation

__all__ = [
    "CHANNELS",
    "OWN_NAMES",
    "RATE_RANGES",
    "SIMULATED",
    "BeatTimes",
    "Noise",
    "RhythmPlan",
    "Simulation",
    "plan_from_measurements",
    "plan_rhythm",
    "shortest_s",
    "simulate",
    "sinus_of",
    "usual_attributes",
]
