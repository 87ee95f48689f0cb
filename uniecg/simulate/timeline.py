"""Everything that happens in a stretch of rhythm, also just outside of the record and under other waves.

A `RhythmPlan` is what is left of it when only the peaks that can be told inside the record are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from uniecg.simulate.plan import PREMATURE_VENTRICULAR, Atrial, Floats, Ints, RhythmPlan

# Medians of the PTB-XL training records.
P_ONSET_TO_PEAK_S = 0.054
R_PEAK_IN_QRS = 0.48  # fraction of the QRS before the R peak
T_PEAK_TO_END_S = 0.072
PREMATURE_QRS_S = 0.15
LONGER_QT_S = 0.03  # of a premature ventricular beat


@dataclass(frozen=True)
class Timing:
    """Intervals of a conducted beat, s."""

    pr_s: float
    qrs_s: float
    qt_s: float

    @property
    def ventricular(self) -> Timing:
        """Intervals of a beat that begins in a ventricle."""
        return Timing(self.pr_s, max(self.qrs_s, PREMATURE_QRS_S), self.qt_s + LONGER_QT_S)

    def qrs_on(self, r_s: Floats) -> Floats:
        """Onset of QRS."""
        return r_s - R_PEAK_IN_QRS * self.qrs_s

    def p_peak(self, r_s: Floats) -> Floats:
        """Peak of the P wave that is conducted."""
        return r_s - R_PEAK_IN_QRS * self.qrs_s - self.pr_s + P_ONSET_TO_PEAK_S

    def t_peak(self, r_s: Floats) -> Floats:
        """Peak of the T wave."""
        return r_s - R_PEAK_IN_QRS * self.qrs_s + self.qt_s - T_PEAK_TO_END_S


@dataclass(frozen=True, eq=False)
class Timeline:
    """Waves of a stretch of rhythm.

    Parameters
    ----------
    duration_s : float, s
        Length of the record; events may lie before and after it.
    r_s, p_s : ndarray, shapes (n,), (m,), s
        Peaks of QRS complexes and P waves.
    beat_class : ndarray of int, shape (n,)
        As in `RhythmPlan`.
    timing : Timing
    atrial : {"sinus", "fibrillation", "flutter", "none"}
    conducted : bool
        Whether every P wave leads to the QRS complex behind it, so that one right after a QRS complex is buried.
    p_of_beat : ndarray of int, shape (n,)
        Index of the P wave that led to each QRS complex, -1 where none did.
    """

    duration_s: float
    r_s: Floats
    p_s: Floats
    beat_class: Ints
    timing: Timing
    atrial: Atrial
    conducted: bool = True
    p_of_beat: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def ventricular(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which beats begin in a ventricle, shape (n,)."""
        return np.asarray(self.beat_class == PREMATURE_VENTRICULAR)

    @property
    def shown_p(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which P waves there are, shape (m,): none where a QRS complex would have met excited atria."""
        if not (self.conducted and self.p_s.size):
            return np.ones(self.p_s.size, dtype=bool)
        previous = np.searchsorted(self.r_s, self.p_s) - 1
        since = self.p_s - np.where(previous >= 0, self.r_s[np.maximum(previous, 0)], -np.inf)
        return np.asarray(since > 0.10)

    def plan(self) -> RhythmPlan:
        """Keep what falls inside the record; drop P and T waves that a neighbouring QRS complex would bury."""
        t_s = np.where(
            self.ventricular, self.timing.ventricular.t_peak(self.r_s), self.timing.t_peak(self.r_s)
        )
        t_s = t_s[t_s < np.append(self.r_s[1:], np.inf) - 0.06]
        p_s = self.p_s[self.shown_p]
        inside = (self.r_s >= 0.0) & (self.r_s < self.duration_s)
        return RhythmPlan(
            duration_s=self.duration_s,
            r_s=self.r_s[inside],
            p_s=p_s[(p_s >= 0.0) & (p_s < self.duration_s)],
            t_s=t_s[(t_s >= 0.0) & (t_s < self.duration_s)],
            beat_class=self.beat_class[inside],
            atrial=self.atrial,
        )
