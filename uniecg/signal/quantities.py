"""Quantities derived from measurements that several criteria share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np

from uniecg.signal.filters import FloatArray
from uniecg.signal.measurements import Measurements

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
DROPPED = 1.5
"""A pause of so many cycles holds a beat that failed to come (Kusumoto et al. 2019, JACC 74:e51)."""

MAX_PR_S = 0.4


def _largest(m: Measurements, leads: tuple[str, ...]) -> float:
    sizes = [m.leads[lead].qrs_mv if lead in m.leads else math.nan for lead in leads]
    return max(sizes) if not any(math.isnan(size) for size in sizes) else math.nan


def cornell_excess_mv(m: Measurements) -> float:
    """Cornell voltage less the limit: 2.8 mV for men and unknown sex, 2.0 mV for women (Casale et al. 1987)."""
    return m.cornell_mv - (2.0 if m.sex == "female" else 2.8)


def qtc_excess_ms(m: Measurements) -> float:
    """QTc (Fridericia) less the limit: 460 ms for women and unknown sex, 450 ms for men (Rautaharju et al. 2009)."""
    return m.qtc_fridericia_ms - (450.0 if m.sex == "male" else 460.0)


def rr_range_ms(m: Measurements) -> float:
    """Longest less shortest RR interval between beats that are neither premature nor wide."""
    if len(m.beats) < 4:
        return math.nan
    odd = m.beats.premature | (m.beats.wide & ~m.beats.dominant)
    # The interval before an early beat is short, the one behind it long: both say nothing about the sinus node.
    intervals = m.beats.rr_s[1:][~(odd[1:] | odd[:-1])]
    intervals = intervals[np.isfinite(intervals)]
    return 1000.0 * float(np.ptp(intervals)) if intervals.size >= 3 else math.nan


def pvc_count(m: Measurements) -> float:
    """Number of premature ventricular beats, see `Beats.kind`."""
    return float((m.beats.kind == "pvc").sum()) if len(m.beats) >= 3 else math.nan


def pac_count(m: Measurements) -> float:
    """Number of premature atrial beats, see `Beats.kind`; NaN where regularity cannot be told."""
    known = len(m.beats) >= 4 and math.isfinite(m.rr_irregularity)
    return float((m.beats.kind == "pac").sum()) if known else math.nan


def pr_of_beats_ms(m: Measurements) -> FloatArray:
    """PR interval of every beat, NaN where it has no P wave.

    Parameters
    ----------
    m : Measurements

    Returns
    -------
    ndarray, shape (n_beats,), ms
    """
    return np.asarray(1000.0 * (m.beats.qrs_on_s - m.beats.p_on_s))


def cycles_before(m: Measurements) -> FloatArray:
    """Each RR interval over the one before it; NaN beside early beats and gaps.

    A long interval behind an early beat is a compensatory pause, not a dropped beat.

    Returns
    -------
    ndarray, shape (n_beats,)
    """
    ratio = np.full(len(m.beats), math.nan)
    if len(m.beats) < 3:
        return ratio
    ratio[2:] = m.beats.rr_s[2:] / m.beats.rr_s[1:-1]
    odd = m.beats.premature | (m.beats.wide & ~m.beats.dominant)
    ratio[odd] = math.nan
    ratio[1:][odd[:-1]] = math.nan
    return ratio


def longest_pause_ratio(m: Measurements) -> float:
    """Largest ratio of an RR interval to the one before it; NaN if no two follow each other."""
    ratio = cycles_before(m)
    return float(np.nanmax(ratio)) if np.isfinite(ratio).any() else math.nan


def p_to_qrs_ms(m: Measurements) -> FloatArray:
    """Time from the peak of P to the QRS complex, NaN where a beat has no P wave.

    Behind a dropped beat PR may be so much shorter that P was found only among all P waves.

    Returns
    -------
    ndarray, shape (n_beats,), ms
    """
    peak = m.beats.p_peak_s.copy()
    for beat in np.flatnonzero(np.isnan(peak)):
        since = m.beats.qrs_on_s[beat] - m.p_waves_s
        led = m.p_waves_s[(since > 0.0) & (since < MAX_PR_S)]
        peak[beat] = led[-1] if led.size else math.nan
    return np.asarray(1000.0 * (m.beats.qrs_on_s - peak))


def dropped_count(m: Measurements) -> float:
    """Pauses of 1.5 cycles or more between beats that all have a P wave."""
    if len(m.beats) < 4:
        return math.nan
    with_p = np.isfinite(p_to_qrs_ms(m))
    pause = cycles_before(m) >= DROPPED
    return float((pause & with_p & np.roll(with_p, 1)).sum())


def pr_growth_ms(m: Measurements) -> float:
    """Median of PR before a dropped beat less PR behind it: positive in Wenckebach, zero in Mobitz 2.

    Counted from the peaks of P, which differ from PR by half a P wave in both beats.
    """
    pr = p_to_qrs_ms(m)
    behind = np.flatnonzero(cycles_before(m) >= DROPPED)
    growth = pr[behind - 1] - pr[behind]
    growth = growth[np.isfinite(growth)]
    return median(growth.tolist()) if growth.size else math.nan


def av_ratio(m: Measurements) -> float:
    """Rate of the P waves over that of the complexes: 2 in 2:1 block, not constant in complete block."""
    return m.p_rate_bpm / m.heart_rate_bpm


def _run_of_pattern(m: Measurements, period: int) -> float:
    """Longest run, in beats, in which every `period`-th beat is premature and no other is."""
    if len(m.beats) < 4:
        return math.nan
    early = m.beats.premature | (m.beats.kind == "pvc")
    best = 0
    if early.sum() < 2:
        return 0.0
    for phase in range(period):
        fits = early == (np.arange(len(early)) % period == phase)
        changes = np.flatnonzero(np.diff(np.concatenate([[0], fits.astype(int), [0]])))
        lengths = changes[1::2] - changes[::2]
        best = max(best, int(lengths.max()) if lengths.size else 0)
    return float(best)


def _contiguous(m: Measurements, groups: tuple[tuple[str, ...], ...], is_met: Callable[[str], bool]) -> float:
    """Largest number of leads of one anatomical group in which the condition is met.

    NaN if it is below two and missing leads could make it two.
    """
    known = {lead for lead, waves in m.leads.items() if math.isfinite(waves.r_mv)}
    found = [sum(lead in known and is_met(lead) for lead in group) for group in groups]
    unknown = [len(set(group) - known) for group in groups]
    open_ = any(met + missing >= 2 for met, missing in zip(found, unknown, strict=True) if missing)
    return math.nan if max(found) < 2 and open_ else float(max(found))


INFERIOR, LATERAL, ANTERIOR = ("II", "III", "aVF"), ("I", "aVL", "V5", "V6"), ("V1", "V2", "V3", "V4")


def _q_leads(m: Measurements, leads: tuple[str, ...]) -> float:
    """Leads with a pathological Q: 30 ms and 0.1 mV, or in V2 and V3 any Q of 20 ms (Thygesen et al. 2018)."""
    known = [lead for lead in leads if lead in m.leads and math.isfinite(m.leads[lead].q_mv)]
    if not known or not m.amplitude_known:
        return math.nan

    def is_pathological(lead: str) -> bool:
        waves = m.leads[lead]
        if lead == "V1":
            return False
        if lead in ("V2", "V3"):
            return waves.q_ms >= 20.0
        return waves.q_ms >= 30.0 and waves.q_mv <= -0.1

    found = sum(is_pathological(lead) for lead in known)
    missing = len(set(leads) - {"V1"} - set(known))
    return (
        math.nan if found < 2 <= found + missing else float(found)
    )  # below two, and missing leads could make it two


def _st_leads(m: Measurements, up: bool) -> float:
    """Contiguous leads with ST shift at J (Thygesen et al. 2018: up 0.1 mV, in V2-V3 as below; down 0.05 mV)."""
    if not m.leads or not m.amplitude_known or not any(math.isfinite(lead.j_mv) for lead in m.leads.values()):
        return math.nan

    def is_shifted(lead: str) -> bool:
        waves = m.leads[lead]
        if up:
            young = m.age is not None and m.age < 40
            anterior = 0.15 if m.sex == "female" else 0.25 if young else 0.2
            return min(waves.j_mv, waves.st_mv) >= (anterior if lead in ("V2", "V3") else 0.1)
        return max(waves.j_mv, waves.st_mv) <= -0.05

    return _contiguous(m, (INFERIOR, LATERAL, ANTERIOR), is_shifted)


def _inverted_t(m: Measurements) -> float:
    """Contiguous leads of I, II, aVL, aVF, V3-V6 with R > S and T below -0.1 mV (Rautaharju et al. 2009, part IV)."""
    if not m.leads or not m.amplitude_known or not any(math.isfinite(lead.t_mv) for lead in m.leads.values()):
        return math.nan
    groups = (("II", "aVF"), ("I", "aVL", "V5", "V6"), ("V3", "V4", "V5"))
    return _contiguous(
        m, groups, lambda lead: m.leads[lead].t_mv <= -0.1 and m.leads[lead].r_mv > abs(m.leads[lead].s_mv)
    )


def _flat_t(m: Measurements) -> float:
    """Number of the leads I, II, V4-V6 whose T is lower than a tenth of R in either direction."""
    leads = [m.leads[lead] for lead in ("I", "II", "V4", "V5", "V6") if lead in m.leads]
    known = [lead for lead in leads if math.isfinite(lead.t_mv) and lead.r_mv > 0.3]
    return float(sum(abs(lead.t_mv) < 0.1 * lead.r_mv for lead in known)) if known else math.nan


def _tall_t(m: Measurements) -> float:
    """Number of the leads V2-V4 with T of 0.9 mV and three quarters of the largest wave of QRS.

    In V2 and V3 T is normally up to 0.7 to 1.0 mV high in women and 1.0 to 1.4 mV in men (Rautaharju et al. 2009);
    beside a QRS complex of its own size even a lower one is tall.
    """
    if not m.leads or not m.amplitude_known or not any(math.isfinite(lead.t_mv) for lead in m.leads.values()):
        return math.nan

    def is_tall(lead: str) -> bool:
        waves = m.leads[lead]
        return waves.t_mv >= max(0.9, 0.75 * max(waves.tallest_mv, waves.deepest_mv))

    return _contiguous(m, (("V2", "V3", "V4"),), is_tall)


def _rs_ratio_v1(m: Measurements) -> float:
    waves = m.leads.get("V1")
    if waves is None or not math.isfinite(waves.r_mv):
        return math.nan
    return waves.tallest_mv / max(waves.deepest_mv, 0.01)


DERIVED: Mapping[str, Callable[[Measurements], float]] = {
    "cornell_excess_mv": cornell_excess_mv,
    "av_ratio": av_ratio,
    "longest_pause_ratio": longest_pause_ratio,
    "dropped_count": dropped_count,
    "pr_growth_ms": pr_growth_ms,
    "qtc_excess_ms": qtc_excess_ms,
    "rr_range_ms": rr_range_ms,
    "pvc_count": pvc_count,
    "pac_count": pac_count,
    "bigeminy_run_count": lambda m: _run_of_pattern(m, 2),
    "trigeminy_run_count": lambda m: _run_of_pattern(m, 3),
    "limb_qrs_mv": lambda m: _largest(m, LIMB),
    "chest_qrs_mv": lambda m: _largest(m, CHEST),
    "q_inferior_count": lambda m: _q_leads(m, INFERIOR),
    "q_anterior_count": lambda m: _q_leads(m, ANTERIOR),
    "q_septal_count": lambda m: _q_leads(m, ("V1", "V2", "V3")),
    "q_lateral_count": lambda m: _q_leads(m, LATERAL),
    "st_up_count": lambda m: _st_leads(m, True),
    "st_down_count": lambda m: _st_leads(m, False),
    "t_inverted_count": _inverted_t,
    "t_flat_count": _flat_t,
    "t_tall_count": _tall_t,
    "r_s_ratio_v1": _rs_ratio_v1,
}
"""Derived quantity -> function of the measurements, NaN where it cannot be derived."""
