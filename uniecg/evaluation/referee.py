"""An independent referee of explanations: every number, lead, time, criterion and statement held against the record.

It reads the text with patterns of its own and the record as plain numbers, and shares no code
with `uniecg.text.explain`. What it cannot read counts as wrong: a number or lead without a known meaning is a
contradiction. Numbers must agree to half a unit of their last digit.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from uniecg.evaluation import referee_values as values
from uniecg.evaluation.referee_values import Plain, number, plain_of, value_in
from uniecg.evaluation.referee_words import LEAD, LEAD_LIST, leads_with_a_sign, words
from uniecg.signal.criteria import CRITERIA, check
from uniecg.signal.measurements import Measurements
from uniecg.text.statements import STATEMENTS

NUM = r"(?<![\w.])-?\d+(?:\.\d+)?(?![\d.]*\d)"
UNIT = r"(?:ms|mV|bpm|beats per minute|per minute|degrees|%|(?:premature |wide )?beats?\b)"

# What a number of a unit may be: the nearest of these words before it, else behind it, tells.
MEANINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "rate": (
        ("p_rate_bpm", r"P waves (?:come|run|march)|rate of the P waves|P rate"),
        ("atrial_rate_bpm", r"[Aa]trial rate|rate of the atria|atria beat|atria are"),
        ("heart_rate_bpm", r"\b[Rr]ate|\b[Hh]eart|[Vv]entric|\bHR\b|^"),
    ),
    "degrees": (("qrs_axis_deg", r"axis"),),
    "%": (
        ("rr_irregularity", r"steps?\b|jumps|beat to beat|from RR to RR"),
        ("p_fraction", r"P waves?\b|not tied to the QRS"),
        ("paced_fraction", r"spikes?\b|paced"),
        ("atrial_regularity", r"atrial activity"),
        ("negative_share", r"negative"),
        ("rr_cv", r"variation|\bRR\b|varying|scatter|spread"),
    ),
    "ms": (
        ("rr_range_ms", r"longest and shortest RR"),
        ("pr_growth_ms", r"PR growth"),
        ("p_terminal_ms", r"erminal phase(?: of P)?|erminal P|last phase|end of P"),
        ("delta_ms", r"slurr\w+ (?:begin of QRS|at the begin of QRS)"),
        ("r_peak_ms", r"R peak"),
        ("q_ms", r"Q (?:duration|lasting)"),
        ("r_ms", r"R (?:duration|lasting)"),
        ("s_ms", r"(?<!['\w])S (?:duration|lasting)"),
        ("p_ms", r"\bP\b(?! to)|P wave|atria"),
        ("qtc_fridericia_ms", r"QTc|(?<!un)corrected QT"),
        ("qt_ms", r"(?<!corrected )QT\b|uncorrected QT"),
        ("pr_ms", r"\bPR\b(?! growth)"),
        ("qrs_ms", r"\bQRS\b"),
    ),
    "mV": (
        ("sokolow_lyon_mv", r"Sokolow"),
        ("cornell_mv", r"Cornell"),
        ("limb_qrs_mv", r"limb lead"),
        ("chest_qrs_mv", r"QRS of the chest leads"),
        ("p_terminal_mv", r"erminal phase(?: of P)?|erminal P|last phase|end of P"),
        ("second_r_mv", r"R'|second R wave of"),
        ("q_mv", r"\bQ\b"),
        ("r_mv", r"\bR (?:height|peak)|an R of"),
        ("s_mv", r"\bS depth|an S of"),
        ("j_mv", r"\bJ (?:point|level)"),
        ("st_mv", r"\bST\b(?! to)"),
        ("t_mv", r"\bT\b"),
        ("p_mv", r"\bP\b|atria"),
    ),
    "": (
        ("av_ratio", r"ratio of P rate"),
        ("blocked_p_count", r"blocked P waves|P waves without a QRS|P waves that no QRS"),
        ("pvc_count", r"(?:premature ventricular|ventricular early) beats:"),
        ("pac_count", r"(?:premature atrial|narrow early) beats:"),
        ("dropped_count", r"dropped beats?:"),
        ("longest_pause_ratio", r"longest pause"),
        ("ventricular_run_count", r"ventricular beats in a row"),
        ("bigeminy_run_count", r"(?:alternation|bigeminy) in a row"),
        ("trigeminy_run_count", r"trigeminy in a row"),
        ("q_inferior_count", r"inferior leads with abnormal Q"),
        ("q_anterior_count", r"anterior leads with abnormal Q"),
        ("q_septal_count", r"septal leads with abnormal Q"),
        ("q_lateral_count", r"lateral leads with abnormal Q"),
        ("st_up_count", r"leads with ST elevation"),
        ("st_down_count", r"leads with ST depression"),
        ("t_inverted_count", r"leads with inverted T"),
        ("t_flat_count", r"leads with flat T"),
        ("t_tall_count", r"leads with tall T"),
        ("q_r_ratio", r"Q to R ratio"),
        ("s_r_ms_ratio", r"S to R duration ratio|duration of S over that of R"),
        ("r_before_s_ratio", r"R to S height ratio"),
        ("r_s_ratio_v1", r"R to S ratio"),
        ("st_t_ratio", r"ST to T ratio"),
    ),
}
# Whether a lead that stands in brackets behind a count or sum has to do with it.
CARRIES = {
    "sokolow_lyon_mv": lambda m, lead: lead in ("V1", "V5", "V6"),
    "cornell_mv": lambda m, lead: lead in ("aVL", "V3"),
    "limb_qrs_mv": lambda m, lead: lead in values.LIMB,
    "chest_qrs_mv": lambda m, lead: lead in values.CHEST,
    "r_s_ratio_v1": lambda m, lead: lead == "V1",
    "st_up_count": values.raised,
    "st_down_count": values.lowered,
    "t_inverted_count": values.inverted,
    "t_flat_count": values.flat,
    "t_tall_count": values.tall,
    **dict.fromkeys(values.Q_WALLS, values.deep_q),
}
# Limits that a teacher may name, by unit; sources as in uniecg.signal.criteria.
LIMITS = {"bpm": {60, 100}, "ms": {120, 200, 450, 460}, "degrees": {-30, 90}, "mV": {0.25}}
LIMIT = re.compile(
    rf"(?P<a>{NUM}) to (?P<b>{NUM}) (?P<unit>{UNIT})"
    rf"|(?:below|under|above|over) (?P<c>{NUM}) (?P<unit2>{UNIT})"
    rf"|from (?P<d>{NUM}) (?P<unit3>{UNIT}) on\b|(?P<e>{NUM}) (?P<unit4>{UNIT}) or more",
    re.IGNORECASE,
)
# Leads in sentences that speak of ECGs in general.
TEXTBOOK = re.compile(
    r"P waves in II and V1|P waves in II first|(?:compare|look at|take) I (?:with|and) aVF"
    r"|P in II for its height(?: and|,) in V1|(?<=or more) in II of the right"
    r"|in aVR(?: and V1|, and often in V1),? an inverted T"
    r"|(?:seen by|faces|watched by|face) II, III and aVF|II, III and aVF look from below|V2 to V4|V1 to V3"
    r"|a second R in V1|late R in V1",
    re.IGNORECASE,
)
LABEL = re.compile(r"^(?:Quality|Rhythm|Rate|Intervals|Axis|P wave|QRS|ST-T|Conclusions): ", re.MULTILINE)
STARTS, ENDS = (
    ("p_on_s", "qrs_on_s", "qrs_off_s"),
    ("qrs_on_s", "p_off_s", "qrs_off_s", "t_peak_s", "t_off_s"),
)
TIME = r"\d+\.\d\d"
SPAN = re.compile(rf"(?:from )?({TIME})(?:-| to )({TIME}) s\b")
MOMENT = re.compile(rf"(?:seen at|read at|in the beat of|beat at|\bat) ({TIME}) s\b(?! and later)")
MOMENTS = re.compile(rf"at ({TIME}(?:, {TIME})*(?: and {TIME})?) s\b(?: and later)?")
DOUBT = re.compile(r"\bis not met\b|rules it out|criteria are not met")
OPEN = re.compile(
    r"cannot be judged|cannot be told|stays open|leave it open|cannot judge|confirm nor exclude"
)


@dataclass(frozen=True)
class Ruling:
    """One thing that a text says, and whether the record agrees.

    Attributes
    ----------
    kind : {"number", "limit", "time", "lead", "criterion", "statement", "word", "quality"}
    text : str
    ok : bool
    """

    kind: str
    text: str
    ok: bool


def agrees(said: str, measured: float) -> bool:
    """Tell whether a number is the measured one, rounded as it is written."""
    decimals = len(said.partition(".")[2])
    return abs(float(said) - measured) <= 0.5 * 10**-decimals + 1e-9 * max(1.0, abs(measured))


def referee(text: str, m: Measurements) -> list[Ruling]:
    """Judge everything that an explanation in prose says about a record.

    Parameters
    ----------
    text : str
        In any style of `uniecg.text.explain` but "json".
    m : Measurements
    """
    plain = plain_of(m)
    rulings: list[Ruling] = []
    for statement in STATEMENTS.values():  # definitions are quoted whole
        text = text.replace(statement.definition, ".")
    for reason in plain["quality"]["reasons"]:
        if reason in text:
            rulings.append(Ruling("quality", reason, True))
            text = text.replace(reason, "")
    body, _, impression = text.partition("Impression:")
    rulings += _names(impression, m, stated=True)
    for part in re.split(r"\n|(?<=[.?!])\s+", LABEL.sub("", body)):
        rulings += _names(part, m, stated=False)
        rulings += _sentence(part, m, plain)
    rulings += _sentence(impression, m, plain)
    return rulings


_NAMES = re.compile(
    "|".join(sorted((re.escape(s.name) for s in STATEMENTS.values()), key=len, reverse=True)), re.IGNORECASE
)
_CODES = {statement.name.lower(): code for code, statement in STATEMENTS.items()}
_CRITERIA = {item.name: item for diagnosis in CRITERIA.values() for item in diagnosis.criteria}
_SIGNS = {
    "STE_",
    "STD_",
    "INVT",
    "QWAVE",
    "LVOLT",
    "HVOLT",
}  # before the impression also names of what is seen


def _names(text: str, m: Measurements, *, stated: bool) -> Iterator[Ruling]:
    for found in _NAMES.finditer(re.sub(r"“[^”]*”", "", text)):
        code = _CODES[found[0].lower()]
        if not stated and code in _SIGNS:
            continue
        met = check(code, m)[0]
        doubted = DOUBT.search(text) or OPEN.search(text)
        yield Ruling("statement", found[0], met is not True if doubted else met is True)


def _sentence(text: str, m: Measurements, plain: Plain) -> Iterator[Ruling]:
    text, rulings = _criteria(text, m)
    yield from rulings
    text, rulings = _times(text, plain)
    yield from rulings
    specific, rulings = _limits(text)
    yield from rulings
    if specific == text and not text.endswith("?"):  # a limit or a question speaks of ECGs in general
        q_infarct = check("QWAVE", m)[0]
        # "left" in the name of a block says nothing of the axis.
        unnamed = _NAMES.sub(lambda name: name[0] if _CODES[name[0].lower()] in _SIGNS else "", text)
        fibrillates = any(check(code, m)[0] for code in ("AFIB", "AFLT"))
        said = words(unnamed, plain, q_infarct=q_infarct, fibrillates=fibrillates)
        yield from (Ruling("word", word, ok) for word, ok in said)
    text = specific
    text, found = leads_with_a_sign(text, plain)
    yield from (Ruling("lead", word, ok) for word, ok in found)
    text, rulings = _numbers(text, plain)
    yield from rulings
    for left in re.finditer(rf"{NUM}|(?<![\w'])(?:aV[RLF]|III|II|V[1-6])(?!\w)", text):
        yield Ruling("lead" if left[0][0] in "aIV" else "number", f"unread: {left[0]} in {text!r}", False)


def _criteria(text: str, m: Measurements) -> tuple[str, list[Ruling]]:
    """Quoted criteria: they exist, and are met or not as is said."""
    rulings = []
    for quote in re.finditer(r"“([^”]*)”( is not met)?", text):
        met = _CRITERIA[quote[1]].met(m) if quote[1] in _CRITERIA else None
        rulings.append(Ruling("criterion", quote[0], met is (quote[2] is None)))
    return re.sub(r"“[^”]*”", "", text), rulings


def _times(text: str, m: Plain) -> tuple[str, list[Ruling]]:
    beats, rulings = m["beats"], []
    every = range(len(beats["r_peak_s"]))

    def at(names: tuple[str, ...], beat: int, said: str) -> bool:
        return any(agrees(said, number(beats[name][beat])) for name in names)

    for span in SPAN.finditer(text):
        ok = any(at(STARTS, beat, span[1]) and at(ENDS, beat, span[2]) for beat in every)
        rulings.append(Ruling("time", span[0], ok))
    text = SPAN.sub("", text)
    odd = [k for k in every if beats["premature"][k] or beats["kind"][k] in ("pvc", "pac")]
    for moments in MOMENTS.finditer(text):
        for said in re.findall(TIME, moments[1]):
            lone = re.fullmatch(TIME, moments[1]) and any(at(STARTS, beat, said) for beat in every)
            ok = bool(lone) or any(at(("r_peak_s",), beat, said) for beat in odd)
            rulings.append(Ruling("time", moments[0], ok))
    text = MOMENTS.sub("", text)
    for moment in MOMENT.finditer(text):
        rulings.append(Ruling("time", moment[0], any(at(STARTS, beat, moment[1]) for beat in every)))
    return MOMENT.sub("", text), rulings


def _limits(text: str) -> tuple[str, list[Ruling]]:
    rulings = []
    text = TEXTBOOK.sub("", text)
    for found in LIMIT.finditer(text):
        unit = found["unit"] or found["unit2"] or found["unit3"] or found["unit4"]
        said = [float(found[name]) for name in "abcde" if found[name]]
        rulings.append(Ruling("limit", found[0], all(value in LIMITS.get(unit, ()) for value in said)))
    return LIMIT.sub("", text), rulings


def _numbers(text: str, m: Plain) -> tuple[str, list[Ruling]]:
    rulings = []
    pattern = re.compile(
        rf"(?P<n>{NUM})(?: (?P<u>{UNIT}))?(?P<at>(?: high| tall)? in (?P<in>{LEAD_LIST})| \((?P<of>{LEAD_LIST})\))?"
    )
    for found in pattern.finditer(text):
        if re.search(r"beats?$", found["u"] or ""):
            wide = "wide" in found["u"] or ("wide" in text.lower() and found["u"] in ("beat", "beats"))
            right = m["beats"]["kind"].count("pvc") if wide else sum(m["beats"]["premature"])
            rulings.append(Ruling("number", f"{found[0]} in {text!r}", int(found["n"]) == right))
            continue
        unit = found["u"] or ""
        kind = "rate" if unit in ("bpm", "beats per minute", "per minute") else unit
        quantity = _meaning(text, found.start(), found.end("n"), kind)
        for lead in re.findall(LEAD, found["in"] or "") or [None]:
            right = value_in(m, quantity, lead) if quantity else math.nan
            right *= 100 if kind == "%" else 1
            rulings.append(Ruling("number", f"{quantity} {found[0]} in {text!r}", agrees(found["n"], right)))
        for lead in re.findall(LEAD, found["of"] or ""):
            carries = CARRIES.get(quantity)
            rulings.append(Ruling("lead", f"{quantity} {found[0]}", bool(carries and carries(m, lead))))
    return pattern.sub("", text), rulings


def _meaning(text: str, start: int, end: int, kind: str) -> str:
    """The quantity named nearest before a number, or else behind it; a share may as well be named behind it."""
    first = text.rfind(";", 0, start) + 1
    last = text.find(";", end) if ";" in text[end:] else len(text)
    found: list[tuple[int, int, str]] = []
    for rank, (quantity, names) in enumerate(MEANINGS.get(kind, ())):
        for match in re.compile(names, re.IGNORECASE).finditer(text, first, last):
            if match.end() <= start:
                found.append((start - match.end(), rank, quantity))
            elif match.start() >= end:
                found.append((match.start() - end + (0 if kind == "%" else 10**6), rank, quantity))
    if not found and (first or last < len(text)):
        return _meaning(text.replace(";", ","), start, end, kind)
    return min(found, default=(0, 0, ""))[2]


def referee_json(text: str, m: Measurements) -> list[Ruling]:
    """Judge an explanation in the style "json": every value, lead and time in it.

    Parameters
    ----------
    text : str
    m : Measurements
    """
    plain, told = plain_of(m), json.loads(text)
    rulings = [Ruling("quality", "quality", told["quality"] == plain["quality"])]
    known = {name.lower(): code for name, code in ((s.name, c) for c, s in STATEMENTS.items())}
    stated = [*told["impression"], *told.get("rhythm", {}).get("statements", ())]
    rulings += [Ruling("statement", name, check(known[name.lower()], m)[0] is True) for name in stated]
    for conclusion in told["conclusions"]:
        met = check(conclusion["code"], m)[0]
        ok = {"met": met is True, "not met": met is False, "open": met is not True}[conclusion["status"]]
        rulings.append(Ruling("statement", conclusion["name"], ok))
        for criterion in conclusion["criteria"]:
            rulings += (_evidence(item, plain) for item in criterion["evidence"])
    steps = {
        name: part for name, part in told.items() if name not in ("quality", "conclusions", "impression")
    }
    rulings += _tree(steps, plain)
    return rulings


def _same(said: float | None, right: float) -> bool:
    """Values of JSON are rounded to four decimals at most."""
    if said is None:  # nothing is said: a value may be open for lack of leads or of a scale in millivolt
        return True
    return abs(said - right) <= 1e-4 * max(1.0, abs(right))


def _evidence(item: Mapping[str, Any], m: Plain) -> Ruling:
    right = value_in(m, item["quantity"], item["lead"])
    start, end = item["start_s"], item["end_s"]
    beats = m["beats"]
    whole = start == 0 and _same(end, m["duration_s"])
    of_a_beat = any(
        any(_same(start, number(beats[name][k])) for name in STARTS)
        and any(_same(end, number(beats[name][k])) for name in ENDS)
        for k in range(len(beats["r_peak_s"]))
    )
    return Ruling("number", str(item), _same(item["value"], right) and (whole or of_a_beat))


def _tree(part: Any, m: Plain, name: str = "") -> Iterable[Ruling]:
    """Values of the steps of the protocol, by the names under which they stand."""
    shifts = {
        "pathological_q": "q_mv",
        "st_elevation": "st_mv",
        "st_depression": "st_mv",
        "t_inversion": "t_mv",
    }
    if name in ("statements", "regularity", "word", "unit") or part is None:
        return
    if name in shifts:
        for lead, value in part.items():
            known = value is not None or not m["amplitude_known"]
            ok = known and (value is None or _same(value, value_in(m, shifts[name], lead)))
            yield Ruling("lead", f"{name} {lead}", ok)
    elif name.endswith("_beats_s"):
        beats = m["beats"]
        chosen = beats["premature"] if name.startswith("premature") else [k == "pvc" for k in beats["kind"]]
        right = [time for time, is_meant in zip(beats["r_peak_s"], chosen, strict=True) if is_meant]
        yield Ruling("time", name, len(part) == len(right) and all(map(_same, part, right)))
    elif isinstance(part, Mapping) and "value" in part:
        quantity = {"rate": "heart_rate_bpm", "axis": "qrs_axis_deg"}.get(name, name)
        yield Ruling("number", name, _same(part["value"], value_in(m, quantity, part.get("lead"))))
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _tree(value, m, key)
    else:
        yield Ruling("number", name, _same(part, value_in(m, name, None)))
