"""Questions about an attached ECG with short answers taken from its measurements and statements."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Sequence

import numpy as np

from uniecg.signal.criteria import check, check_statement
from uniecg.signal.measurements import Measurements
from uniecg.text.explain import NO_PR, compared, q_wave_leads, regularity, st_deviations
from uniecg.text.grammar.cases import surfaces
from uniecg.text.knowledge import definition
from uniecg.text.requests import Split, families, phrase
from uniecg.text.statements import RHYTHMS, STATEMENTS

__all__ = ["KINDS", "RELATED", "answer_about", "evidence_clause", "question_about", "reason"]

# How often each kind of question is drawn; the names are those of the grammar families ask_<kind>_...
KINDS = {
    "yesno": 6.0, "rate": 2.0, "rhythm": 2.0, "st": 2.0, "normal": 1.5, "why": 1.5, "pr": 1.0, "qrs": 1.0, "qt": 0.7,
    "qtc": 1.0, "axis": 1.0, "intervals": 1.0, "regular": 0.7, "pwave": 0.7, "q": 0.7, "quality": 0.7, "list": 1.0,
}  # fmt: skip

RELATED: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "SR SBRAD STACH SARRH",
        "AFIB AFLT SVARR SVTAC PSVT",
        "PVC PAC PRC(S) BIGU TRIGU SARRH SVARR",
        "CLBBB CRBBB ILBBB IRBBB IVCD WPW PACE ABQRS LAFB LPFB",
        "1AVB LPR 2AVB 3AVB",
        "LVH VCLVH HVOLT SEHYP",
        "STD_ STE_ NST_ NT_ INVT LOWT TAB_ NDT DIG EL ANEUR ISC_ ISCAL ISCIN ISCIL ISCAS ISCLA ISCAN LVH QWAVE "
        "IMI ASMI AMI ALMI ILMI LMI PMI IPLMI IPMI INJAS INJAL INJIN INJLA INJIL",
        "LAO/LAE RAO/RAE",
    )
)
"""Groups of kindred statements. A "no" must be beyond doubt, so it is never said of one beside one that is present."""
_PLAIN = {"NORM", "SR"}
_MIN_P, _MAX_NO_P = 0.7, 0.3


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) < 2 else ", ".join(names[:-1]) + " and " + names[-1]


def _names(codes: Collection[str]) -> str:
    return _join([STATEMENTS[code].name for code in codes])


def _value(name: str, quantity: str, value: float, unit: str, m: Measurements) -> str:
    """One sentence with a value and how it compares with the normal range."""
    if not math.isfinite(value):
        return f"The {name} cannot be measured in this ECG."
    word = compared(quantity, value, m)
    return f"The {name} is {round(value)} {unit}{', ' + word if word else ''}."


def _rate(m: Measurements, codes: Sequence[str]) -> str:
    return _value("heart rate", "rate", m.heart_rate_bpm, "bpm", m)


def _pr(m: Measurements, codes: Sequence[str]) -> str:
    without = [code for code in codes if code in NO_PR]
    if without:
        return f"There is no PR interval to measure: {_names(without)}."
    return _value("PR interval", "PR", m.pr_ms, "ms", m)


def _qrs(m: Measurements, codes: Sequence[str]) -> str:
    return _value("QRS duration", "QRS", m.qrs_ms, "ms", m)


def _qt(m: Measurements, codes: Sequence[str]) -> str:
    return _value("QT interval", "QT", m.qt_ms, "ms", m)


def _qtc(m: Measurements, codes: Sequence[str]) -> str:
    return _value("QTc (Fridericia)", "QTc", m.qtc_fridericia_ms, "ms", m)


def _axis(m: Measurements, codes: Sequence[str]) -> str:
    return _value("QRS axis", "axis", m.qrs_axis_deg, "degrees", m)


def _intervals(m: Measurements, codes: Sequence[str]) -> str:
    pr = math.nan if NO_PR & set(codes) else m.pr_ms
    parts = (
        ("rate", m.heart_rate_bpm, "bpm"),
        ("PR", pr, "ms"),
        ("QRS", m.qrs_ms, "ms"),
        ("QT", m.qt_ms, "ms"),
        ("QTc", m.qtc_fridericia_ms, "ms"),
        ("axis", m.qrs_axis_deg, "degrees"),
    )
    text = ", ".join(f"{name} {round(value)} {unit}" for name, value, unit in parts if math.isfinite(value))
    return f"{text[:1].upper()}{text[1:]}." if text else "Nothing can be measured in this ECG."


def _rhythm(m: Measurements, codes: Sequence[str]) -> str:
    names = [STATEMENTS[code].name for code in codes if code in RHYTHMS]
    rate = f" at {round(m.heart_rate_bpm)} bpm" if math.isfinite(m.heart_rate_bpm) else ""
    if names:
        return f"The rhythm is {_join(names)}{rate}."
    return f"The rhythm is not named{', the rate is' + rate[3:] if rate else ''}."


def _regular(m: Measurements, codes: Sequence[str]) -> str:
    if not math.isfinite(m.rr_cv):
        return "Regularity cannot be judged in this ECG."
    return f"The rhythm is {regularity(m)}: the RR intervals vary by {round(100 * m.rr_cv)} %."


def _pwave(m: Measurements, codes: Sequence[str]) -> str:
    if not math.isfinite(m.p_fraction):
        return "P waves cannot be judged in this ECG."
    if m.p_fraction >= _MIN_P:
        return "Yes, there are P waves before the QRS complexes."
    return (
        "No P waves are found."
        if m.p_fraction <= _MAX_NO_P
        else "P waves are found before some of the beats only."
    )


def _st(m: Measurements, codes: Sequence[str]) -> str:
    if not m.amplitude_known or not any(math.isfinite(lead.st_mv) for lead in m.leads.values()):
        return "The ST segment cannot be judged: the amplitudes in millivolt are not known."
    found = st_deviations(m)
    parts = []
    for word, sign in (("elevation", 1), ("depression", -1)):
        leads = [name for name, level in found.items() if level * sign > 0]
        if leads:
            size = max(abs(found[name]) for name in leads)
            parts.append(f"ST {word} in {_join(leads)}, up to {size:.1f} mV")
    return "; ".join(parts) + "." if parts else "No ST elevation or depression of 0.1 mV or more."


def _q(m: Measurements, codes: Sequence[str]) -> str:
    leads = q_wave_leads(m)
    return f"Pathological Q waves in {_join(leads)}." if leads else "No pathological Q waves."


def _quality(m: Measurements, codes: Sequence[str]) -> str:
    word = {"usable": "good", "limited": "limited", "unusable": "poor"}[m.quality.verdict]
    return f"The signal quality is {word}."


def _normal(m: Measurements, codes: Sequence[str]) -> str:
    odd = [code for code in codes if code not in _PLAIN]
    if not odd:
        return "This ECG is normal." if "NORM" in codes else f"No abnormality is found: {_names(codes)}."
    if "NORM" in codes:
        return f"It is normal apart from {_names(odd)}."
    return f"It is abnormal: {_names(odd)}."


def _list(m: Measurements, codes: Sequence[str]) -> str:
    names = ", ".join(STATEMENTS[code].name for code in codes)
    return f"{names[:1].upper()}{names[1:]}."


_MEASURED: dict[str, Callable[[Measurements, Sequence[str]], str]] = {
    "rate": _rate, "pr": _pr, "qrs": _qrs, "qt": _qt, "qtc": _qtc, "axis": _axis, "intervals": _intervals,
    "rhythm": _rhythm, "regular": _regular, "pwave": _pwave, "st": _st, "q": _q, "quality": _quality,
    "normal": _normal, "list": _list,
}  # fmt: skip

_NEEDS_STATEMENTS = {"yesno", "why", "rhythm", "normal", "list"}
_RATES, _BLOCKS = (
    {"SBRAD", "STACH", "SVTAC", "PSVT"},
    {"CLBBB", "CRBBB", "ILBBB", "IRBBB", "IVCD", "PACE", "WPW"},
)


def evidence_clause(code: str, m: Measurements) -> str:
    """The measurements that a statement rests on, as a clause such as "PR 220 ms"; empty if none was made.

    Parameters
    ----------
    code : str
        SCP-ECG code, met or not.
    m : Measurements
    """
    parts: list[tuple[str, float, str]] = []
    if code in _RATES:
        parts = [("rate", m.heart_rate_bpm, "bpm")]
    elif code in ("AFIB", "SARRH"):
        parts = [("RR variation", 100 * m.rr_cv, "%")]
    elif code in ("1AVB", "LPR"):
        parts = [("PR", m.pr_ms, "ms")]
    elif code in _BLOCKS:
        parts = [("QRS", m.qrs_ms, "ms")]
    elif code in ("LAFB", "LPFB", "RVH"):
        parts = [("axis", m.qrs_axis_deg, "degrees")]
    elif code == "LNGQT":
        parts = [("QTc", m.qtc_fridericia_ms, "ms")]
    words = [f"{name} {round(value)} {unit}" for name, value, unit in parts if math.isfinite(value)]
    if code == "AFIB" and m.p_fraction <= _MAX_NO_P:
        words.insert(0, "no P waves")
    superclass = STATEMENTS[code].superclass
    if superclass == "MI" or code == "QWAVE":
        leads = q_wave_leads(m)
        words += [f"Q waves in {_join(leads)}"] if leads else []
    if superclass in ("MI", "STTC") or code in ("STE_", "STD_"):
        words += [_st(m, ()).rstrip(".")] if st_deviations(m) else []
    return ", ".join(words)


def reason(code: str, m: Measurements) -> str:
    """Answer "why?" about a statement: what was measured, then its definition.

    Parameters
    ----------
    code : str
        SCP-ECG code.
    m : Measurements
    """
    evidence = evidence_clause(code, m)
    return f"{evidence[:1].upper()}{evidence[1:]}{'. ' if evidence else ''}{definition(code)}"


def _absent(m: Measurements, codes: Sequence[str], draw: random.Random) -> str | None:
    """A statement that can safely be denied."""
    present = set(codes)
    pool = [
        code
        for code in surfaces("en")
        if code not in present | {"NORM"}
        and not any(code in group and group & present for group in RELATED)
        and check(code, m)[0] is not True
    ]
    return draw.choice(pool) if pool else None


def _about_statement(
    kind: str, m: Measurements, codes: Sequence[str], draw: random.Random
) -> tuple[str, str] | None:
    """A statement to ask about, and the answer."""
    present = [code for code in codes if code != "NORM" and check_statement(code, m)[0] is not False]
    if kind == "why" or (present and draw.random() < 0.5):
        if not present:
            return None
        code = draw.choice(present)
        evidence = evidence_clause(code, m)
        if kind == "yesno":  # no "yes": the question may have been to exclude it
            return code, f"It shows {STATEMENTS[code].name}{': ' + evidence if evidence else ''}."
        return code, reason(code, m)
    absent = _absent(m, codes, draw)
    if absent is None:
        return None
    return absent, f"No {STATEMENTS[absent].name}. It shows {_names(codes)}."


def answer_about(kind: str, m: Measurements, statements: Sequence[str]) -> str:
    """Answer a question of a kind that needs no statement to ask about.

    Parameters
    ----------
    kind : str
        One of `KINDS` except ``"yesno"`` and ``"why"``.
    m : Measurements
    statements : sequence of str
        SCP-ECG codes of the ECG.

    Returns
    -------
    str
        One or two sentences; numbers are the measured ones, as integers (ST in tenths of a millivolt).

    Raises
    ------
    KeyError
        If the kind is unknown.
    """
    return _MEASURED[kind](m, statements)


def question_about(
    rng: np.random.Generator, m: Measurements, statements: Sequence[str], split: Split = "train"
) -> tuple[str, str]:
    """Draw a question about an attached ECG and its answer.

    Parameters
    ----------
    rng : numpy.random.Generator
    m : Measurements
        Of the ECG.
    statements : sequence of str
        SCP-ECG codes of the ECG; may be empty, then only measured values are asked for.
    split : {"train", "heldout"}
        Which set of phrasings to draw from.

    Returns
    -------
    question, answer : str
    """
    draw = random.Random(int(rng.integers(1 << 62)))
    codes = tuple(statements)
    available = {
        family.name.split("_")[1] for family in families("interpret", split) if family.name[:4] == "ask_"
    }
    kinds = [kind for kind in KINDS if kind in available and (codes or kind not in _NEEDS_STATEMENTS)]
    while True:
        kind = draw.choices(kinds, [KINDS[kind] for kind in kinds])[0]
        chosen = [family for family in families("interpret", split) if family.name.startswith(f"ask_{kind}_")]
        family = draw.choices(chosen, [len(family.templates) for family in chosen])[0]
        template = draw.choice(family.templates)
        if kind not in ("yesno", "why"):
            return phrase(family, template, draw), answer_about(kind, m, codes)
        asked = _about_statement(kind, m, codes, draw)
        if asked is not None:
            names = [name for name in surfaces("en")[asked[0]] if not name.startswith(("a ", "an "))]
            return phrase(family, template, draw, thing=draw.choice(names)), asked[1]
