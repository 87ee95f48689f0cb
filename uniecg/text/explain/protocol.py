"""Measurements in the order in which an ECG is read: quality, rhythm, rate, intervals, axis, P, QRS, ST-T."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from uniecg.record import LEADS
from uniecg.signal.criteria import check
from uniecg.signal.measurements import Measurements
from uniecg.signal.quality import SWAPPED
from uniecg.signal.rules import value_of
from uniecg.text.explain.canonical import (
    FEW_P,
    MANY_P,
    MANY_SPIKES,
    NO_PR,
    compared,
    inverted_t_leads,
    is_flutter,
    q_wave_leads,
    regularity,
    significant_st,
)
from uniecg.text.explain.evidence import times_of, whole
from uniecg.text.explain.wording import joined
from uniecg.text.statements import RHYTHMS, join_names

__all__ = ["Fact", "Step", "intervals", "steps"]

Step: TypeAlias = Literal["quality", "rhythm", "rate", "intervals", "axis", "p", "qrs", "st"]

HIGH_SOKOLOW_MV = 3.5
"""Sokolow & Lyon 1949, Am Heart J 37:161."""
LOW_LIMB_MV = 0.5
"""Surawicz & Knilans 2008, Chou's Electrocardiography in Clinical Practice."""
TERMINAL_P_MV, TERMINAL_P_MS = -0.1, 40.0
"""Last phase of P in V1 that is called abnormal (Hancock et al. 2009, JACC 53:992)."""
SAME_RATE = 0.1
"""P waves may be untied only where their rate differs by more than this share from that of the complexes."""
QRS_WORDS = {"": "narrow", "not wide": "narrow", "wide": "wide"}


@dataclass(frozen=True)
class Fact:
    """One thing measured: the family of the grammar that words it, and the values of its slots.

    ``optional`` facts are of interest in a full explanation and may be left out of a short one.
    """

    family: str
    values: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


def steps(m: Measurements, met: Sequence[str]) -> dict[Step, list[Fact]]:
    """Facts of each step of the protocol, in its order; a step of which nothing was measured is left out.

    Parameters
    ----------
    m : Measurements
        What is NaN gives no fact.
    met : sequence of str
        Codes of the statements whose criteria are met: a rhythm is named only then, and PR is left out where P waves
        do not lead the ventricles.
    """
    found: dict[Step, list[Fact]] = {"quality": list(_quality(m))}
    if m.quality.verdict != "unusable":
        found |= {
            "rhythm": list(_rhythm(m, met)),
            "rate": list(_rate(m)),
            "intervals": intervals(m, met),
            "axis": list(_axis(m)),
            "p": list(_p_wave(m, met)),
            "qrs": list(_qrs(m, met)),
            "st": list(_st_and_t(m)),
        }
    return {step: facts for step, facts in found.items() if facts}


def _quality(m: Measurements) -> Iterator[Fact]:
    quality = m.quality
    what = {"what": joined(quality.reasons, "; ", "; ")} if quality.reasons else None
    if quality.verdict == "unusable":
        yield Fact("quality_poor", what or {"what": "no usable beats"})
        return
    if quality.verdict == "limited":
        yield Fact("quality_limited", what or {"what": "parts of it are missing or noisy"})
    else:
        yield Fact("quality_noted", what) if what else Fact("quality_good")
    by_reason: dict[str, list[str]] = defaultdict(list)
    for lead in LEADS:
        for reason in quality.leads.get(lead, ()):
            # What is said of the record as a whole names these leads already.
            if reason != SWAPPED and not any(text.startswith(f"{reason} in ") for text in quality.reasons):
                by_reason[reason].append(lead)
    if by_reason:
        named = [f"{reason} in {joined(leads)}" for reason, leads in by_reason.items()]
        yield Fact("quality_leads", {"reasons": joined(named, "; ", "; ")})
    if not m.amplitude_known:
        yield Fact("amplitude_unknown")


def _rhythm(m: Measurements, met: Sequence[str]) -> Iterator[Fact]:
    if word := regularity(m):
        yield Fact(word.replace(" ", "_"), {"cv": whole(100 * m.rr_cv)})
    if "PACE" not in met:
        yield from _p_waves(m, met)
    # An early beat says nothing where the rhythm is irregular by nature.
    uneven = bool({"AFIB", "AFLT", "SARRH"} & set(met)) or m.p_fraction <= FEW_P
    early, wide = m.beats.premature, m.beats.kind == "pvc"
    if early.any() and not uneven:
        yield Fact("early", {"early": _beats(int(early.sum())), "times": times_of(m, early)})
    if wide.any() and math.isfinite(value_of(m, "pvc_count", None)):
        yield Fact("wide_early", {"wide": _beats(int(wide.sum())), "times": times_of(m, wide)})
    if m.paced_fraction >= MANY_SPIKES:
        yield Fact("spikes", {"spikes": whole(100 * m.paced_fraction)})
    if "AFLT" in met and is_flutter(m):
        yield Fact("flutter", {"atrial": whole(m.atrial_rate_bpm)})
    if names := [code for code in met if code in RHYTHMS]:
        yield Fact("rhythm_named", {"names": join_names(names)})


def _p_waves(m: Measurements, met: Sequence[str]) -> Iterator[Fact]:
    """P waves before the complexes, and in what other order they come."""
    share = {"share": whole(100 * m.p_fraction)} if math.isfinite(m.p_fraction) else None
    # What passes for a row of P waves in fibrillation and flutter is none.
    in_a_row = math.isfinite(m.p_rate_bpm) and not {"AFIB", "AFLT"} & set(met)
    if share and m.p_fraction <= FEW_P and in_a_row and abs(value_of(m, "av_ratio", None) - 1) > SAME_RATE:
        yield Fact("p_untied", {"p_rate": whole(m.p_rate_bpm), **share})
    elif share:
        yield Fact(
            "p_many" if m.p_fraction >= MANY_P else "p_few" if m.p_fraction <= FEW_P else "p_some", share
        )
    if in_a_row and m.blocked_p_count >= 1:
        yield Fact("p_blocked", {"blocked": whole(m.blocked_p_count)})


def _beats(count: int) -> str:
    return f"{count} beat{'' if count == 1 else 's'}"


def _rate(m: Measurements) -> Iterator[Fact]:
    if word := compared("rate", m.heart_rate_bpm, m):
        yield Fact(f"rate_{word}", {"rate": whole(m.heart_rate_bpm)})


def intervals(m: Measurements, met: Sequence[str]) -> list[Fact]:
    """PR, QRS, QT and QTc (Fridericia) as far as they were measured and mean something.

    Parameters
    ----------
    m : Measurements
    met : sequence of str
        As for `steps`.
    """
    facts = []
    if (word := compared("PR", m.pr_ms, m)) and not NO_PR & set(met):
        facts.append(Fact(f"pr_{word}", {"pr": whole(m.pr_ms)}))
    if word := compared("QRS", m.qrs_ms, m):
        facts.append(Fact(f"qrs_{QRS_WORDS[word]}", {"qrs": whole(m.qrs_ms)}))
    if math.isfinite(m.qt_ms):
        facts.append(Fact("qt", {"qt": whole(m.qt_ms)}))
    if word := compared("QTc", m.qtc_fridericia_ms, m):
        facts.append(Fact(f"qtc_{word}", {"qtc": whole(m.qtc_fridericia_ms)}))
    return facts


def _axis(m: Measurements) -> Iterator[Fact]:
    if word := compared("axis", m.qrs_axis_deg, m):
        yield Fact(f"axis_{word}", {"axis": whole(m.qrs_axis_deg)})


def _p_wave(m: Measurements, met: Sequence[str]) -> Iterator[Fact]:
    if {"AFIB", "AFLT", "PACE"} & set(met) or not m.p_fraction > FEW_P or not math.isfinite(m.p_ms):
        return
    height = value_of(m, "p_mv", "II")
    values = {"p_ms": whole(m.p_ms), "p_mv": _mv(height)}
    negative = "p_wave_negative" if height < 0 else "p_wave_height"
    yield Fact(negative if math.isfinite(height) and height != 0 else "p_wave", values)
    depth, width = value_of(m, "p_terminal_mv", "V1"), value_of(m, "p_terminal_ms", "V1")
    if depth <= TERMINAL_P_MV and width >= TERMINAL_P_MS:
        yield Fact("p_terminal", {"depth": _mv(depth), "width": whole(width)})


def _qrs(m: Measurements, met: Sequence[str]) -> Iterator[Fact]:
    q_leads = q_wave_leads(m)
    if q_leads:
        # The word that names a disease is for Q waves whose criterion is met: in a bundle branch block it is open.
        kind = {"kind": "pathological" if check("QWAVE", m)[0] else "large"}
        fact = _with_extreme(m, "q_waves" if m.amplitude_known else "q_leads", q_leads, "q_mv", "depth")
        yield Fact(fact.family, {**fact.values, **kind})
    elif check("QWAVE", m)[0] is False:
        yield Fact("no_q")
    prime = [lead for lead in ("V1", "V2") if value_of(m, "r_prime_mv", lead) > 0]
    if prime and {"CRBBB", "IRBBB"} & set(met):
        yield Fact("r_prime", {"leads": joined(prime)})
    yield from _progression(m)
    height, limb = value_of(m, "sokolow_lyon_mv", None), value_of(m, "limb_qrs_mv", None)
    if math.isfinite(height):
        tall = height >= HIGH_SOKOLOW_MV
        yield Fact("voltage_high" if tall else "voltage", {"height": _mv(height)}, optional=not tall)
    if limb < LOW_LIMB_MV:
        yield Fact("voltage_low", {"limb": _mv(limb)})


def _progression(m: Measurements) -> Iterator[Fact]:
    turn = m.rs_transition
    chest = LEADS[6:]
    if turn <= 1.0:
        yield Fact("progression_early", optional=True)
    elif math.isfinite(turn):
        behind = math.ceil(turn)  # lead number, counted from one
        yield Fact("progression", {"before": chest[behind - 2], "after": chest[behind - 1]}, optional=True)
    elif all(math.isfinite(value_of(m, wave, lead)) for lead in chest for wave in ("q_mv", "r_mv", "s_mv")):
        yield Fact("progression_none")


def _st_and_t(m: Measurements) -> Iterator[Fact]:
    shifted = significant_st(m)
    for family, sign in (("st_up", 1), ("st_down", -1)):
        leads = [lead for lead, level in shifted.items() if sign * level > 0]
        if leads:
            yield _with_extreme(m, family, leads, "st_mv", "level")
    known = m.amplitude_known
    if not shifted and known and any(math.isfinite(lead.st_mv) for lead in m.leads.values()):
        yield Fact("st_none")
    if negative := inverted_t_leads(m):
        yield _with_extreme(m, "t_neg", negative, "t_mv", "depth")
    elif known and check("INVT", m)[0] is False:
        yield Fact("t_none")


def _with_extreme(m: Measurements, family: str, leads: list[str], quantity: str, slot: str) -> Fact:
    """Leads that share a sign, and the value of the one that shows it most."""
    most = max(leads, key=lambda lead: abs(getattr(m.leads[lead], quantity)))
    value = _mv(getattr(m.leads[most], quantity))
    return Fact(family, {"leads": joined(leads), slot: value, "lead": most})


def _mv(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}" if math.isfinite(value) else ""
