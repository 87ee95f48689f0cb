"""What is known for certain about a simulated ECG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniecg.attributes import Attributes
from uniecg.record import LEADS, Record, derive_limb_leads
from uniecg.simulate.noise import Noise
from uniecg.simulate.plan import Floats, RhythmPlan
from uniecg.simulate.waves import VISIBLE_SHARE, Hump, dipole

STEP_S = 0.001
LEAST_WAVE_MV = 0.02
"""Two hundredths of a millivolt make a wave (CSE Working Party 1985, Eur Heart J 6:815)."""

QRS_SHARE = 0.02
"""Within a lead QRS is seen from where it has a fiftieth of its largest deflection."""

MARKS = ("p_on", "p_peak", "p_off", "qrs_on", "r_peak", "qrs_off", "t_on", "t_peak", "t_off")


@dataclass(frozen=True, eq=False)
class Extent:
    """Onset, peak and end of one wave of a beat after the reference of the beat, s: for all leads and in each.

    Attributes
    ----------
    on_s, peak_s, off_s : float, s
        First onset and last end of what the wave is made of, and where its dipole is largest.
    lead_on_s, lead_peak_s, lead_off_s : ndarray, shape (12,), s
        Within each lead; NaN where the lead shows less than `LEAST_WAVE_MV`.
    """

    on_s: float
    peak_s: float
    off_s: float
    lead_on_s: Floats
    lead_peak_s: Floats
    lead_off_s: Floats


def extent(humps: Sequence[Hump], lead_field: Floats, soft: bool) -> Extent:
    """Tell when a wave begins, peaks and ends.

    Parameters
    ----------
    humps : sequence of Hump
        What the wave is made of.
    lead_field : ndarray, shape (8, 3)
    soft : bool
        P or T: their visible ends count (`VISIBLE_SHARE`); QRS begins and ends with its humps.
    """
    start = min(hump.start_s for hump in humps)
    end = max(hump.end_s for hump in humps)
    time_s = np.arange(start, end + STEP_S, STEP_S)
    moment = dipole(humps, time_s)
    size = np.square(moment).sum(axis=0)
    peak_s = float(time_s[int(size.argmax())])
    if soft:
        seen = np.flatnonzero(size >= VISIBLE_SHARE**2 * size.max())
        start, end = float(time_s[seen[0]]), float(time_s[seen[-1]])
    leads = np.abs(derive_limb_leads(lead_field) @ moment)
    top = leads.max(axis=1)
    shown = leads >= (VISIBLE_SHARE if soft else QRS_SHARE) * top[:, None]
    places = (
        time_s[shown.argmax(axis=1)],
        time_s[leads.argmax(axis=1)],
        time_s[leads.shape[1] - 1 - shown[:, ::-1].argmax(axis=1)],
    )
    on, peak, off = (np.where(top >= LEAST_WAVE_MV, place, np.nan) for place in places)
    return Extent(start, peak_s, end, on, peak, off)


@dataclass(frozen=True, eq=False)
class BeatTimes:
    """Times of every beat whose R peak lies in the record; NaN where a wave is absent, buried or outside.

    Attributes
    ----------
    times : mapping of str to ndarray, shape (n_beats,), s
        One entry for each of `MARKS`, over all leads.
    leads : mapping of str to ndarray, shape (n_beats, 12), s
        The same within each lead.
    kind : ndarray of str, shape (n_beats,)
        "dominant", "pac", "pvc" or "paced".
    p_waves_s : ndarray, shape (n_p_waves,), s
        Peaks of all P waves, conducted or not.
    spikes_s : ndarray, s
        Pacing spikes.
    """

    times: Mapping[str, Floats]
    leads: Mapping[str, Floats]
    kind: NDArray[np.str_]
    p_waves_s: Floats
    spikes_s: Floats

    def __len__(self) -> int:
        return len(self.kind)

    def in_lead(self, lead: str) -> dict[str, Floats]:
        """Times in one lead, each of shape (n_beats,), s.

        Parameters
        ----------
        lead : str
            One of `uniecg.record.LEADS`.
        """
        return {name: values[:, LEADS.index(lead)] for name, values in self.leads.items()}


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated ECG and the truth about it.

    Attributes
    ----------
    record : Record
    statements : tuple of str
        What it shows: what was asked for, and its sinus rhythm by its rate where no other rhythm was asked for.
    attributes : Attributes
        Age, sex, and rate, PR, QRS, QT and axis as they are in the signal. PR is that of conducted beats, None where
        there are none.
    plan : RhythmPlan
    beats : BeatTimes
    noise : Noise
    """

    record: Record
    statements: tuple[str, ...]
    attributes: Attributes
    plan: RhythmPlan
    beats: BeatTimes
    noise: Noise

    def to_dict(self) -> dict[str, Any]:
        """Return the truth, without the signal, as a JSON-ready dictionary; None where a time is absent."""
        per_lead = {
            lead: {name: _seconds(values) for name, values in self.beats.in_lead(lead).items()}
            for lead in LEADS
        }
        return {
            "statements": list(self.statements),
            "attributes": self.attributes.to_dict(),
            "atrial": self.plan.atrial,
            "duration_s": self.plan.duration_s,
            "beats": {f"{name}_s": _seconds(self.beats.times[name]) for name in MARKS}
            | {"kind": self.beats.kind.tolist()},
            "leads": {
                lead: {f"{name}_s": values for name, values in marks.items()}
                for lead, marks in per_lead.items()
            },
            "p_waves_s": _seconds(self.beats.p_waves_s),
            "spikes_s": _seconds(self.beats.spikes_s),
            "noise": self.noise.to_dict(),
        }


def _seconds(values: Floats) -> list[float | None]:
    return [round(value, 4) if np.isfinite(value) else None for value in values.tolist()]
