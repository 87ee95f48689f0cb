"""The whole judgement of quality: what `measure` noticed, unreadable leads, interchanged electrodes."""

from __future__ import annotations

import numpy as np

from uniecg.record import LEADS, Record
from uniecg.signal.filters import fill_gaps
from uniecg.signal.lead_defects import lead_defects
from uniecg.signal.lead_order import Arrangement, dominant_beat, swapped_electrodes
from uniecg.signal.measurements import Measurements
from uniecg.signal.quality import SHAPELESS, SPOILED, SWAPPED, Quality

MIN_SAMPLING_RATE = 50.0
"""Below it, a block of 20 ms holds less than one sample."""


def assess(record: Record, m: Measurements) -> Quality:
    """Judge each lead and the record.

    Parameters
    ----------
    record : Record
    m : Measurements
        Measured in it; their `quality` is the start.

    Returns
    -------
    Quality
        The verdict of `m`, at best "limited" where a recorded lead is unreadable or electrodes appear interchanged.
    """
    leads = {lead: list(m.quality.leads.get(lead, ())) for lead in LEADS}
    whole: dict[str, list[str]] = {}
    for lead, named in zip(LEADS, _defects(record, m), strict=True):
        if not SPOILED & set(leads[lead]):
            leads[lead] += named
            for reason in named:
                whole.setdefault(f"{reason} in ", []).append(lead)
    added = [reason + ", ".join(names) for reason, names in whole.items()]
    swap = _swapped(record, m, leads)
    if swap is not None:
        added.append(f"electrodes {swap.electrodes} appear swapped")
        for lead in swap.leads:
            leads[lead].append(SWAPPED)
    verdict = "limited" if added and m.quality.verdict == "usable" else m.quality.verdict
    reasons = {lead: tuple(named) for lead, named in leads.items() if named}
    return Quality(verdict, (*m.quality.reasons, *added), reasons)


def _defects(record: Record, m: Measurements) -> list[list[str]]:
    if record.sampling_rate < MIN_SAMPLING_RATE:
        return [[] for _ in LEADS]
    filled, _ = fill_gaps(np.asarray(record.signal, dtype=np.float32))
    return lead_defects(filled, record.sampling_rate, in_mv=m.amplitude_known)


def _swapped(record: Record, m: Measurements, leads: dict[str, list[str]]) -> Arrangement | None:
    """Look for interchanged electrodes where all leads show beats, the sizes of I and II compare and nothing paces.

    A pacing electrode turns the front of activation: paced beats look like interchanged limb electrodes.
    """
    if m.paced_fraction >= 0.5:
        return None
    shapeless = any(SHAPELESS & set(leads[lead]) for lead in ("I", "II", *LEADS[6:]))
    beat = dominant_beat(record, m.beats) if m.amplitude_known and not shapeless else None
    if beat is None or not np.isfinite(beat).all():
        return None
    return swapped_electrodes(beat, m.leads["I"].p_mv)
