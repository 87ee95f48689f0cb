"""Plausible ECG cases to ask for: statements that can occur together, values that fit them, and words for both."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from uniecg.attributes import Attributes
from uniecg.text.grammar import expand, lexicon
from uniecg.text.statements import STATEMENTS

__all__ = ["Case", "fill_case", "rates_of", "sample_case", "surfaces"]

# Ventricular rates (bpm) that a request may name for a rhythm.
_RATES: Mapping[str, tuple[int, int]] = {
    "SR": (50, 100), "NORM": (55, 99), "STACH": (101, 180), "SBRAD": (28, 59), "SARRH": (48, 98),
    "AFIB": (38, 195), "AFLT": (60, 175), "PACE": (50, 110), "SVARR": (55, 140), "BIGU": (50, 115),
    "TRIGU": (50, 115), "SVTAC": (135, 250), "PSVT": (135, 250), "2AVB": (30, 75), "3AVB": (20, 55),
}  # fmt: skip
_RHYTHMS = (
    "SR",
    "AFIB",
    "STACH",
    "SBRAD",
    "SARRH",
    "PACE",
    "AFLT",
    "SVTAC",
    "PSVT",
    "SVARR",
    "BIGU",
    "TRIGU",
)
_RHYTHM_WEIGHTS = (22, 20, 12, 12, 7, 8, 10, 6, 4, 3, 4, 3)

# At most one statement of each group; weights follow how often people ask, not how often it occurs.
_GROUPS: Mapping[str, Mapping[str, float]] = {
    "conduction": {"CLBBB": 8, "CRBBB": 8, "ILBBB": 2, "IRBBB": 4, "IVCD": 3, "WPW": 4},
    "fascicle": {"LAFB": 5, "LPFB": 3},
    "av": {"1AVB": 6, "2AVB": 4, "3AVB": 5, "LPR": 2},
    "infarct": {
        "IMI": 7, "ASMI": 4, "AMI": 7, "ALMI": 3, "ILMI": 3, "LMI": 4, "PMI": 3, "IPLMI": 1, "IPMI": 1.5,
        "INJAS": 1, "INJAL": 1, "INJIN": 1, "INJLA": 1, "INJIL": 1,
    },
    "ischaemia": {"ISC_": 3, "ISCAL": 1, "ISCIN": 1.5, "ISCIL": 1, "ISCAS": 1, "ISCLA": 1, "ISCAN": 1.5},
    "t": {"NDT": 1, "NT_": 2, "INVT": 4, "LOWT": 2, "TAB_": 2},
    "st": {"STD_": 4, "STE_": 4, "NST_": 2},
    "drug": {"DIG": 2, "EL": 2, "LNGQT": 5, "ANEUR": 1},
    "left": {"LVH": 7, "VCLVH": 2, "SEHYP": 1.5},
    "right": {"RVH": 4},
    "atrium": {"LAO/LAE": 3, "RAO/RAE": 2.5},
    "voltage": {"LVOLT": 3, "HVOLT": 2},
    "form": {"ABQRS": 1.5, "QWAVE": 2},
    "ectopy": {"PVC": 6, "PAC": 5, "PRC(S)": 1},
}  # fmt: skip
_CLASHES = (
    {"AFIB", "av"}, {"AFLT", "av"}, {"SVTAC", "av"}, {"PSVT", "av"}, {"STACH", "av"}, {"AFIB", "atrium"},
    {"AFLT", "atrium"}, {"BIGU", "ectopy"}, {"TRIGU", "ectopy"}, {"SVTAC", "ectopy"}, {"PSVT", "ectopy"},
    {"PACE", "conduction"}, {"PACE", "fascicle"}, {"PACE", "infarct"}, {"PACE", "left"}, {"PACE", "av"},
    {"infarct", "ischaemia"}, {"left", "voltage"}, {"SVTAC", "conduction"}, {"PSVT", "conduction"},
    {"infarct", "st"}, {"ischaemia", "st"}, {"ischaemia", "t"},
)  # fmt: skip
_PR = {"1AVB": (205, 340), "LPR": (202, 300), "WPW": (82, 118)}
_QRS = {
    "CLBBB": (122, 190), "CRBBB": (120, 180), "IVCD": (111, 150), "ILBBB": (102, 119), "IRBBB": (100, 119),
    "PACE": (130, 195), "WPW": (112, 152),
}  # fmt: skip
_NO_PR = {"AFIB", "AFLT", "3AVB", "SVTAC", "PSVT", "PACE", "2AVB"}


@dataclass(frozen=True)
class Case:
    """What a generation request asks for.

    Parameters
    ----------
    statements : tuple of str
        SCP-ECG codes in the order in which the text names them.
    attributes : Attributes
        Values available for naming; only those that end up in the text are reported.
    """

    statements: tuple[str, ...]
    attributes: Attributes


@cache
def surfaces(language: str) -> Mapping[str, tuple[str, ...]]:
    """Names by which people call each statement inside a sentence.

    Parameters
    ----------
    language : str
        ``"en"``, ``"de"``, ``"fr"``, ``"es"``, ``"sv"``, ``"it"``, ``"pt"`` or ``"nl"``.

    Returns
    -------
    mapping of str to tuple of str
        SCP-ECG code to names. English includes the preferred name and synonyms of the vocabulary.
    """
    table = json.loads(files(__package__).joinpath("surfaces.json").read_text(encoding="utf-8"))
    own: dict[str, tuple[str, ...]] = {code: tuple(names) for code, names in table[language].items()}
    if language != "en":
        return own
    for code, statement in STATEMENTS.items():
        if code == "NORM":
            continue
        known = {name.lower() for name in own.get(code, ())}
        extra = (statement.name, statement.name, *statement.synonyms)
        own[code] = own.get(code, ()) + tuple(name for name in extra if name.lower() not in known)
    return own


def _pick(table: Mapping[str, float], draw: random.Random) -> str:
    return draw.choices(tuple(table), tuple(table.values()))[0]


def _sample_statements(draw: random.Random, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """One rhythm or none, with 0-3 statements that can stand beside it."""
    if draw.random() < 0.06:
        return ("NORM",)
    rhythm = draw.choices(_RHYTHMS, _RHYTHM_WEIGHTS)[0] if draw.random() < 0.6 else None
    count = (
        draw.choices((0, 1, 2, 3), (45, 38, 13, 4))[0] if rhythm else draw.choices((1, 2, 3), (74, 21, 5))[0]
    )
    chosen: list[tuple[str, str]] = [("rhythm", rhythm)] if rhythm else []
    for _ in range(count):
        group = draw.choice(tuple(_GROUPS))
        if group not in [name for name, _ in chosen]:
            chosen.append((group, _pick(_GROUPS[group], draw)))
    if not chosen:
        chosen = [("rhythm", "SR")]
    kept: list[tuple[str, str]] = []
    for group, code in chosen:
        marks = {mark for pair in kept for mark in pair}
        clash = any({group, code} & pair and marks & (pair - {group, code}) for pair in _CLASHES)
        if not clash and code in known:
            kept.append((group, code))
    return tuple(code for _, code in kept) or ("SR",)


def rates_of(statements: Sequence[str]) -> tuple[int, int] | None:
    """Lowest and highest ventricular rate (bpm) that a request may name beside the statements; None if any will do."""
    for code in (*(c for c in statements if c in ("2AVB", "3AVB")), *statements):
        if code in _RATES:
            return _RATES[code]
    return None


def _rate_range(statements: Sequence[str]) -> tuple[int, int]:
    return rates_of(statements) or ((20, 250) if not statements else (40, 150))


def _between(draw: random.Random, limits: tuple[int, int]) -> float:
    return float(draw.randint(*limits))


def _sample_attributes(statements: Sequence[str], draw: random.Random) -> Attributes:
    """A value for everything, plausible beside the statements."""
    rate = _between(draw, _rate_range(statements))
    if draw.random() < 0.3:
        rate = min(max(5.0 * round(rate / 5), _rate_range(statements)[0]), _rate_range(statements)[1])
    qtc = draw.uniform(480, 590) if "LNGQT" in statements else draw.uniform(380, 445)
    qt = min(max(round(qtc * math.sqrt(60 / rate)), 200), 700)
    pr = next((_PR[code] for code in statements if code in _PR), (120, 200))
    qrs = next((_QRS[code] for code in statements if code in _QRS), (70, 109))
    axis = (-88, -46) if "LAFB" in statements else (100, 150) if "LPFB" in statements else (-29, 90)
    if "RVH" in statements:
        axis = (95, 150)
    elif draw.random() < 0.15 and not {"LAFB", "LPFB", "NORM"} & set(statements):
        axis = (-90, 180)
    return Attributes(
        age=_between(draw, (18, 95) if draw.random() < 0.93 else (1, 104)),
        sex=draw.choice(("female", "male")),
        heart_rate_bpm=rate,
        pr_ms=None if _NO_PR & set(statements) else _between(draw, pr),
        qrs_ms=_between(draw, qrs),
        qt_ms=float(qt),
        qrs_axis_deg=_between(draw, axis),
    )


def sample_case(draw: random.Random, statements: tuple[str, ...] | None = None, language: str = "en") -> Case:
    """A case to ask for.

    Parameters
    ----------
    draw : random.Random
    statements : tuple of str, optional
        Fixed by a template that names them itself; otherwise drawn.
    language : str
        Only statements that have a name in this language are drawn.

    Returns
    -------
    Case
    """
    if statements is None:
        statements = _sample_statements(draw, surfaces(language))
        if draw.random() < 0.2:
            statements = tuple(draw.sample(statements, len(statements)))
    return Case(statements, _sample_attributes(statements, draw))


def _name(code: str, draw: random.Random, language: str, short: bool = False) -> str:
    names = surfaces(language)[code]
    if short:
        names = tuple(name for name in names if len(name) <= 8) or names
    return draw.choice(names)


def _join(case: Case, draw: random.Random, language: str, short: bool = False) -> str:
    """The statements as one noun phrase."""
    names = [_name(code, draw, language, short) for code in case.statements]
    if len(names) == 1:
        return names[0]
    comma = draw.choice(
        (", ", ", ", " + ", " / ", " and ", " with ") if language == "en" else (", ", ", ", " + ")
    )
    joint = draw.choice(lexicon()[f"and.{language}"]).source.replace("_", " ")
    if short:
        return draw.choice((" ", ", ", " + ", " w/ ", "; ")).join(names)
    return comma.join(names[:-1]) + (joint if draw.random() < 0.7 else comma) + names[-1]


def _phrase(entry: str, draw: random.Random) -> str:
    return expand(draw.choice(lexicon()[entry]), draw)


def _who(draw: random.Random, language: str) -> str:
    """The person: age and sex, or one of them, with an article."""
    return _phrase(draw.choice(("who.both", "who.both", "who.age", "who.sex")) + f".{language}", draw)


def _intervals(case: Case, draw: random.Random, language: str) -> str:
    """One to four of PR, QRS, QT and axis."""
    available = [
        key for key in ("pr", "qrs", "qt", "axis") if key != "pr" or case.attributes.pr_ms is not None
    ]
    count = min(draw.choices((1, 2, 3, 4), (50, 25, 15, 10))[0], len(available))
    keys = [key for key in available if key in draw.sample(available, count)]
    return draw.choice((", ", ", ", " and ", "; ")).join(_phrase(f"{key}.{language}", draw) for key in keys)


def _whole(case: Case, draw: random.Random, language: str, taken: set[str]) -> str:
    """Statements with some of the attributes, in varying order."""
    name = _join(case, draw, language) if case.statements else ""
    parts: list[tuple[str, str]] = []  # (as a list item, as the continuation of a sentence)
    if "rate" not in taken and (draw.random() < 0.6 or not name):
        parts.append((_phrase(f"rate.{language}", draw), _phrase(f"at.{language}", draw)))
    if "who" not in taken and draw.random() < 0.35:
        parts.append((_phrase(f"tag.{language}", draw), _phrase(f"in.{language}", draw)))
    if "iv" not in taken and draw.random() < 0.24:
        intervals = _intervals(case, draw, language)
        parts.append((intervals, intervals))
    if not name:
        return ", ".join(item for item, _ in parts)
    if draw.random() < 0.2:
        items = [name, *(item for item, _ in parts)]
        draw.shuffle(items)
        return draw.choice((", ", ", ", "; ", " - ")).join(items)
    if draw.random() < 0.3:
        draw.shuffle(parts)
    text = name
    for item, continuation in parts:
        text += f" {continuation}" if draw.random() < 0.55 else f", {item}"
    return text


_TAKEN = {
    **dict.fromkeys(("rate", "bpm", "hr"), "rate"),
    **dict.fromkeys(("who", "in", "age", "sexword", "sexadj", "sexletter", "sexphrase"), "who"),
    **dict.fromkeys(("iv", "pr", "qrs", "qt", "axis"), "iv"),
}
_SLOT = re.compile(r"\{([a-z]+)\}")


def fill_case(text: str, case: Case, draw: random.Random, language: str = "en") -> tuple[str, Case]:
    """Put a case into the slots of an expanded template.

    Parameters
    ----------
    text : str
        With slots such as ``{case}``, ``{dx}``, ``{who}``, ``{rate}``, ``{hr}``.
    case : Case
    draw : random.Random
    language : str

    Returns
    -------
    text : str
    case : Case
        Reduced to the attributes that the text really names.

    Raises
    ------
    KeyError
        If the template uses an unknown slot.
    """
    if case.attributes.pr_ms is None and "{pr}" in text:
        case = replace(case, attributes=replace(case.attributes, pr_ms=160.0))
    taken = {_TAKEN[name] for name in _SLOT.findall(text) if name in _TAKEN}
    phrases = {
        "case": lambda: _whole(case, draw, language, taken),
        "dx": lambda: _join(case, draw, language),
        "short": lambda: _join(case, draw, language, short=True),
        "who": lambda: _who(draw, language),
        "in": lambda: _phrase(f"in.{language}", draw),
        "rate": lambda: _phrase(f"rate.{language}", draw),
        "bpm": lambda: _phrase(f"bpm.{language}", draw),
        "iv": lambda: _intervals(case, draw, language),
    }
    while any(name in phrases for name in _SLOT.findall(text)):
        text = _SLOT.sub(lambda m: phrases[m[1]]() if m[1] in phrases else m[0], text)
    return _write_values(text, case, draw, language)


def _write_values(text: str, case: Case, draw: random.Random, language: str) -> tuple[str, Case]:
    """Replace the slots that hold one value, and report which values were written."""
    values = case.attributes
    sex = values.sex or "female"
    fields: dict[str, tuple[str, float | None]] = {
        "hr": ("heart_rate_bpm", values.heart_rate_bpm), "age": ("age", values.age), "pr": ("pr_ms", values.pr_ms),
        "qrs": ("qrs_ms", values.qrs_ms), "qt": ("qt_ms", values.qt_ms), "axis": ("qrs_axis_deg", values.qrs_axis_deg),
    }  # fmt: skip
    named: dict[str, float | str] = {}

    def write(match: re.Match[str]) -> str:
        slot = match[1]
        if slot in fields:
            name, value = fields[slot]
            if value is None:
                raise KeyError(slot)
            named[name] = value
            return f"{value:.0f}"
        named["sex"] = sex
        return _phrase(f"{slot}.{sex}.{language}", draw)

    while _SLOT.search(text):
        text = _SLOT.sub(write, text)
    return text, Case(case.statements, Attributes(**named))  # type: ignore[arg-type]
