"""Quantities of a record worked out anew from its plain measurements, for the referee of explanations.

Nothing here calls the code that measures, judges or explains: what two ways of working out agree on is not wrong by a
slip in one of them. The definitions are those of the criteria's sources (see `uniecg.signal.criteria`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from uniecg.signal.measurements import Measurements

Plain = Mapping[str, Any]

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
ALL_LEADS = LIMB + CHEST
LONGEST_PR_S = 0.4
WALLS = (("II", "III", "aVF"), ("I", "aVL", "V5", "V6"), ("V1", "V2", "V3", "V4"))
T_WALLS = (("II", "aVF"), ("I", "aVL", "V5", "V6"), ("V3", "V4", "V5"))
Q_WALLS = {
    "q_inferior_count": WALLS[0],
    "q_lateral_count": WALLS[1],
    "q_anterior_count": WALLS[2],
    "q_septal_count": ("V1", "V2", "V3"),
}


def plain_of(m: Measurements) -> dict[str, Any]:
    """Measurements as nested mappings and lists of plain values, without rounding."""
    beats = {name: list(values) for name, values in vars(m.beats).items()}
    leads = {lead: vars(waves) for lead, waves in m.leads.items()}
    return {**vars(m), "beats": beats, "leads": leads, "quality": m.quality.to_dict()}


def number(value: Any) -> float:
    """A number; NaN for None."""
    return math.nan if value is None else float(value)


def of_lead(m: Plain, lead: str, quantity: str) -> float:
    """A measured value of one lead."""
    return number(m["leads"].get(lead, {}).get(quantity))


def _up(m: Plain, lead: str) -> float:
    return max(of_lead(m, lead, "r_mv"), of_lead(m, lead, "r_prime_mv"))


def _down(m: Plain, lead: str) -> float:
    return -min(of_lead(m, lead, "q_mv"), of_lead(m, lead, "s_mv"))


def _ratio(over: float, under: float, if_none: float) -> float:
    if math.isnan(over) or math.isnan(under):
        return math.nan
    return over / under if under > 0 else if_none


SHAPES: Mapping[str, Callable[[Plain, str], float]] = {
    "negative_share": lambda m, x: _ratio(_down(m, x), _down(m, x) + _up(m, x), math.nan),
    "q_r_ratio": lambda m, x: _ratio(
        -of_lead(m, x, "q_mv"), _up(m, x), math.inf if of_lead(m, x, "q_mv") < 0 else 0.0
    ),
    "r_before_s_ratio": lambda m, x: _ratio(of_lead(m, x, "r_mv"), -of_lead(m, x, "s_mv"), math.inf),
    "s_r_ms_ratio": lambda m, x: _ratio(of_lead(m, x, "s_ms"), of_lead(m, x, "r_ms"), 0.0),
    "second_r_mv": lambda m, x: of_lead(m, x, "r_prime_mv") - max(of_lead(m, x, "j_mv"), 0.0),
    "early_st_mv": lambda m, x: (of_lead(m, x, "j_mv") + of_lead(m, x, "st_mv")) / 2,
    "st_t_ratio": lambda m, x: _ratio(of_lead(m, x, "st_mv"), of_lead(m, x, "t_mv"), math.nan),
}


def raised(m: Plain, lead: str) -> bool:
    """ST elevation at J and after it (Thygesen et al. 2018)."""
    young = m["age"] is not None and m["age"] < 40
    limit = 0.15 if m["sex"] == "female" else 0.25 if young else 0.2
    level = min(of_lead(m, lead, "j_mv"), of_lead(m, lead, "st_mv"))
    return level >= (limit if lead in ("V2", "V3") else 0.1)


def lowered(m: Plain, lead: str) -> bool:
    """ST depression of 0.05 mV at J and after it (Thygesen et al. 2018)."""
    return max(of_lead(m, lead, "j_mv"), of_lead(m, lead, "st_mv")) <= -0.05


def inverted(m: Plain, lead: str) -> bool:
    """T of -0.1 mV or less where R is larger than S (Rautaharju et al. 2009)."""
    return of_lead(m, lead, "t_mv") <= -0.1 and of_lead(m, lead, "r_mv") > abs(of_lead(m, lead, "s_mv"))


def flat(m: Plain, lead: str) -> bool:
    """T lower than a tenth of an R above 0.3 mV."""
    return of_lead(m, lead, "r_mv") > 0.3 and abs(of_lead(m, lead, "t_mv")) < 0.1 * of_lead(m, lead, "r_mv")


def tall(m: Plain, lead: str) -> bool:
    """T of 0.9 mV or more that reaches three quarters of the largest wave of QRS, in V2 to V4."""
    largest = max(_up(m, lead), _down(m, lead))
    return lead in ("V2", "V3", "V4") and of_lead(m, lead, "t_mv") >= max(0.9, 0.75 * largest)


def deep_q(m: Plain, lead: str) -> bool:
    """Q of 30 ms and 0.1 mV, in V2 and V3 of 20 ms, nothing in V1 (Thygesen et al. 2018)."""
    if math.isnan(of_lead(m, lead, "q_mv")):
        return False
    if lead in ("V1", "V2", "V3"):
        return lead != "V1" and of_lead(m, lead, "q_ms") >= 20
    return of_lead(m, lead, "q_ms") >= 30 and of_lead(m, lead, "q_mv") <= -0.1


def _most(m: Plain, walls: Iterable[Sequence[str]], shows: Callable[[Plain, str], bool]) -> float:
    return float(max(sum(shows(m, lead) for lead in wall) for wall in walls))


def _largest(m: Plain, leads: Sequence[str]) -> float:
    return max(_up(m, lead) + _down(m, lead) for lead in leads)


def _ordinary_rr(m: Plain) -> list[float]:
    beats, odd = m["beats"], _odd(m)
    kept = [
        number(rr) * 1000 for k, rr in enumerate(beats["rr_s"]) if k > 0 and not odd[k] and not odd[k - 1]
    ]
    return [rr for rr in kept if math.isfinite(rr)]


def _odd(m: Plain) -> list[bool]:
    beats = m["beats"]
    flags = zip(beats["premature"], beats["wide"], beats["dominant"], strict=True)
    return [bool(early or (wide and not usual)) for early, wide, usual in flags]


def _cycles(m: Plain) -> dict[int, float]:
    """RR over the RR before it, by beat; nothing beside odd beats (Kusumoto et al. 2019)."""
    rr, odd = [number(value) for value in m["beats"]["rr_s"]], _odd(m)
    found = {k: rr[k] / rr[k - 1] for k in range(2, len(rr)) if not odd[k] and not odd[k - 1]}
    return {k: ratio for k, ratio in found.items() if math.isfinite(ratio)}


def _p_to_qrs(m: Plain) -> list[float]:
    """Milliseconds from the P wave of each beat; one that only the search over the record found counts too."""
    beats, delays = m["beats"], []
    for q, own in zip(beats["qrs_on_s"], beats["p_peak_s"], strict=True):
        p = number(own)
        if math.isnan(p):
            p = max((x for x in m["p_waves_s"] if 0 < number(q) - x < LONGEST_PR_S), default=math.nan)
        delays.append(1000 * (number(q) - p))
    return delays


def _dropped(m: Plain) -> float:
    delays = _p_to_qrs(m)
    paused = [k for k, ratio in _cycles(m).items() if ratio >= 1.5]
    return float(sum(math.isfinite(delays[k]) and math.isfinite(delays[k - 1]) for k in paused))


def _growth(m: Plain) -> float:
    delays = _p_to_qrs(m)
    grown = [delays[k - 1] - delays[k] for k, ratio in _cycles(m).items() if ratio >= 1.5]
    grown = [value for value in grown if math.isfinite(value)]
    return median(grown) if grown else math.nan


def _ventricular_run(m: Plain) -> float:
    beats, longest, run = m["beats"], 0, 0
    for k, wide in enumerate(beats["wide"]):
        if not wide or beats["dominant"][k] or beats["paced"][k]:
            run = 0
            continue
        run = run + 1 if run and number(beats["rr_s"][k]) < 0.6 else 1
        longest = max(longest, run)
    return float(longest)


def _alternation(m: Plain, period: int) -> float:
    early = [
        premature or kind == "pvc"
        for premature, kind in zip(m["beats"]["premature"], m["beats"]["kind"], strict=True)
    ]
    longest = 0
    if sum(early) < 2:
        return 0.0
    for phase in range(period):
        run = 0
        for place, is_early in enumerate(early):
            run = run + 1 if is_early == (place % period == phase) else 0
            longest = max(longest, run)
    return float(longest)


def _cornell(m: Plain) -> float:
    return _up(m, "aVL") + _down(m, "V3")


WHOLE: Mapping[str, Callable[[Plain], float]] = {
    "sokolow_lyon_mv": lambda m: _down(m, "V1") + max(_up(m, "V5"), _up(m, "V6")),
    "cornell_mv": _cornell,
    "cornell_excess_mv": lambda m: _cornell(m) - (2.0 if m["sex"] == "female" else 2.8),
    "qtc_excess_ms": lambda m: number(m["qtc_fridericia_ms"]) - (450 if m["sex"] == "male" else 460),
    "limb_qrs_mv": lambda m: _largest(m, LIMB),
    "chest_qrs_mv": lambda m: _largest(m, CHEST),
    "r_s_ratio_v1": lambda m: _up(m, "V1") / max(_down(m, "V1"), 0.01),
    "rr_range_ms": lambda m: max(_ordinary_rr(m), default=math.nan) - min(_ordinary_rr(m), default=math.nan),
    "av_ratio": lambda m: number(m["p_rate_bpm"]) / number(m["heart_rate_bpm"]),
    "dropped_count": _dropped,
    "pr_growth_ms": _growth,
    "longest_pause_ratio": lambda m: max(_cycles(m).values(), default=math.nan),
    "ventricular_run_count": _ventricular_run,
    "pvc_count": lambda m: float(m["beats"]["kind"].count("pvc")),
    "pac_count": lambda m: float(m["beats"]["kind"].count("pac")),
    "bigeminy_run_count": lambda m: _alternation(m, 2),
    "trigeminy_run_count": lambda m: _alternation(m, 3),
    "st_up_count": lambda m: _most(m, WALLS, raised),
    "st_down_count": lambda m: _most(m, WALLS, lowered),
    "t_inverted_count": lambda m: _most(m, T_WALLS, inverted),
    "t_tall_count": lambda m: _most(m, [("V2", "V3", "V4")], tall),
    "t_flat_count": lambda m: _most(m, [("I", "II", "V4", "V5", "V6")], flat),
    **{name: (lambda m, wall=wall: _most(m, [wall], deep_q)) for name, wall in Q_WALLS.items()},
}


def value_in(m: Plain, quantity: str, lead: str | None) -> float:
    """Value of a quantity, of the record or of a lead; NaN if it is not there.

    Parameters
    ----------
    m : mapping
        As `plain_of` gives it.
    quantity : str
        Name as in the criteria, with its unit.
    lead : str or None
    """
    if lead is not None and quantity not in WHOLE:
        shape = SHAPES.get(quantity)
        return shape(m, lead) if shape else of_lead(m, lead, quantity)
    worked_out = WHOLE.get(quantity)
    return worked_out(m) if worked_out else number(m.get(quantity))
