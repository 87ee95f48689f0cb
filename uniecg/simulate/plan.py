"""Rhythm plans: when the waves of one ECG happen, and how a network sees it.

Times are peaks in seconds from the start of the record. Statements are SCP-ECG codes.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from uniecg.errors import InputError

if TYPE_CHECKING:
    from uniecg.signal.measurements import Measurements

Atrial = Literal["sinus", "fibrillation", "flutter", "none"]
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

NORMAL, PREMATURE_ATRIAL, PREMATURE_VENTRICULAR, PACED = 0, 1, 2, 3

CHANNELS: tuple[str, ...] = (
    "r_present", "r_offset", "p_present", "p_offset", "t_present", "t_offset",
    "phase_sin", "phase_cos", "log_rr",
    "premature_atrial", "premature_ventricular", "paced",
    "fibrillation", "flutter",
)  # fmt: skip

REFERENCE_RR_S = 0.8  # 75 beats a minute: log_rr is 0 here
LOG_RR_SCALE = 0.3  # about one standard deviation of log RR among adults at rest


@dataclass(frozen=True, eq=False)
class RhythmPlan:
    """When the waves of one ECG happen.

    Parameters
    ----------
    duration_s : float
        Length of the record, s.
    r_s, p_s, t_s : ndarray of float64, shapes (n,), (m,), (k,)
        Peak times of QRS complexes, P waves and T waves, s, ascending.
    beat_class : ndarray of int64, shape (n,)
        0 normal, 1 premature atrial, 2 premature ventricular, 3 paced.
    atrial : {"sinus", "fibrillation", "flutter", "none"}
        What the atria do between the beats.

    Raises
    ------
    InputError
        If times are not ascending and finite, or classes and QRS complexes differ in number.
    """

    duration_s: float
    r_s: Floats
    p_s: Floats
    t_s: Floats
    beat_class: Ints
    atrial: Atrial = "sinus"

    def __post_init__(self) -> None:
        if not self.duration_s > 0:
            raise InputError(f"a rhythm plan needs a positive duration, got {self.duration_s} s")
        for name in ("r_s", "p_s", "t_s"):
            times = np.asarray(getattr(self, name), dtype=np.float64)
            if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
                raise InputError(f"{name} of a rhythm plan must be finite, ascending times in seconds")
            object.__setattr__(self, name, times)
        object.__setattr__(self, "beat_class", np.asarray(self.beat_class, dtype=np.int64))
        if self.beat_class.shape != self.r_s.shape:
            raise InputError("a rhythm plan needs exactly one beat class for each QRS complex")

    @property
    def heart_rate_bpm(self) -> float:
        """Mean ventricular rate from first to last QRS complex, beats a minute; NaN with fewer than two."""
        if self.r_s.size < 2:
            return math.nan
        return float(60.0 * (self.r_s.size - 1) / (self.r_s[-1] - self.r_s[0]))

    def channels(self, n_steps: int, step_s: float) -> NDArray[np.float32]:
        """Draw the plan on a grid of time steps.

        Parameters
        ----------
        n_steps : int
            Number of steps.
        step_s : float
            Length of one step, s. Step `i` covers `i * step_s` up to `(i + 1) * step_s`.

        Returns
        -------
        ndarray of float32, shape (len(CHANNELS), n_steps)
            Rows as named in `CHANNELS`. `*_present` is 1 in the step that holds the event, `*_offset` says
            where inside that step (-1 start, 1 end). Phase is 0 at each R peak and runs to 2 pi at the next.
            Events outside the grid are left out; without any QRS complex the phase and `log_rr` rows are 0.
        """
        rows = np.zeros((len(CHANNELS), n_steps), dtype=np.float32)
        for row, times in ((0, self.r_s), (2, self.p_s), (4, self.t_s)):
            steps, offsets, _ = _grid(times, n_steps, step_s)
            rows[row, steps] = 1.0
            rows[row + 1, steps] = offsets
        if self.r_s.size:
            phase, rr = self._phase((np.arange(n_steps, dtype=np.float64) + 0.5) * step_s)
            rows[6] = np.sin(2 * np.pi * phase)
            rows[7] = np.cos(2 * np.pi * phase)
            rows[8] = np.clip(np.log(rr / REFERENCE_RR_S) / LOG_RR_SCALE, -4.0, 4.0)
        steps, _, inside = _grid(self.r_s, n_steps, step_s)
        for kind in (PREMATURE_ATRIAL, PREMATURE_VENTRICULAR, PACED):
            rows[8 + kind, steps[self.beat_class[inside] == kind]] = 1.0
        rows[12] = self.atrial == "fibrillation"
        rows[13] = self.atrial == "flutter"
        return rows

    def _phase(self, times: Floats) -> tuple[Floats, Floats]:
        """Phase in cycles and RR in s at each time; beyond the outer beats the nearest interval goes on."""
        if self.r_s.size == 1:
            rr = np.full(times.shape, REFERENCE_RR_S)
            return (times - self.r_s[0]) / rr, rr
        intervals = np.diff(self.r_s)
        before = np.clip(np.searchsorted(self.r_s, times, side="right") - 1, 0, intervals.size - 1)
        rr = intervals[before]
        return (times - self.r_s[before]) / rr, rr


def _grid(times: Floats, n_steps: int, step_s: float) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """Step index and offset (-1..1) of the times that fall on the grid, and which ones do."""
    position = times / step_s
    steps = np.floor(position).astype(np.int64)
    inside = (steps >= 0) & (steps < n_steps)
    return steps[inside], 2.0 * (position - steps)[inside] - 1.0, inside


def atrial_activity(codes: Collection[str]) -> Atrial:
    """What the atria do between the beats under these SCP-ECG codes."""
    if "AFIB" in codes:
        return "fibrillation"
    if "AFLT" in codes:
        return "flutter"
    # In re-entrant tachycardia the P wave hides in the QRS complex.
    return "none" if "SVTAC" in codes or "PSVT" in codes else "sinus"


def plan_from_measurements(m: Measurements, statements: Collection[str] = ()) -> RhythmPlan:
    """Read the timeline off a measured record.

    Parameters
    ----------
    m : Measurements
        Measurements of the record.
    statements : collection of str
        SCP-ECG codes known of the record. AFIB and AFLT set the atrial activity (what was taken for P waves
        there is left out, and early narrow beats are not premature atrial ones); PACE marks all beats as
        paced.

    Returns
    -------
    RhythmPlan
        Waves the delineation did not find are not in the plan.
    """
    codes = frozenset(statements)
    beats = m.beats
    atrial = atrial_activity(codes)
    beat_class = np.full(len(beats), NORMAL, dtype=np.int64)
    if atrial == "sinus":
        beat_class[beats.premature & ~beats.wide] = PREMATURE_ATRIAL
    beat_class[beats.premature & beats.wide] = PREMATURE_VENTRICULAR
    if "PACE" in codes:
        beat_class[:] = PACED
    p_s = np.empty(0) if atrial in ("fibrillation", "flutter") else _finite(beats.p_peak_s)
    if atrial == "sinus" and p_s.size == 0:
        atrial = "none"
    r_s, first = np.unique(beats.r_peak_s, return_index=True)
    known = np.isfinite(r_s)
    return RhythmPlan(
        m.duration_s, r_s[known], p_s, _finite(beats.t_peak_s), beat_class[first[known]], atrial
    )


def _finite(times: Floats) -> Floats:
    """Finite times, ascending, each once."""
    times = np.asarray(times, dtype=np.float64)
    return np.unique(times[np.isfinite(times)])
