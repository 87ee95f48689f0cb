"""Measurements in words: the line that the language model reads, and the short paragraphs that it learns to write."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from uniecg.errors import InputError
from uniecg.signal.criteria import findings
from uniecg.signal.measurements import Measurements
from uniecg.signal.rules import value_of
from uniecg.text.statements import IMPRESSION, RHYTHMS, STATEMENTS

__all__ = [
    "FEW_P",
    "MANY_P",
    "MANY_SPIKES",
    "MIN_ST_MV",
    "NO_PR",
    "ParagraphStyle",
    "compared",
    "compared_rightly",
    "inverted_t_leads",
    "is_flutter",
    "measurement_text",
    "paragraph",
    "q_wave_leads",
    "regularity",
    "significant_st",
    "st_deviations",
]

ParagraphStyle: TypeAlias = Literal["report", "short", "impression"]

MIN_ST_MV = 0.1
MIN_T_MV = 0.1
MIN_Q_MS = 30.0
MIN_Q_MV = 0.1
MIN_Q_SHARE = 0.25
MANY_P, FEW_P = 0.7, 0.3
REGULAR, IRREGULAR = 0.05, 0.10
"""Largest and smallest variation of RR (standard deviation over mean) that is called regular and irregular."""
MAX_QTC_MS = (460, 450)
"""Where a long QTc begins: women and unknown sex, men."""
NORMAL_RANGES: Mapping[str, tuple[int, int, tuple[str, str, str]]] = {
    "rate": (60, 100, ("slow", "normal", "fast")),
    "PR": (120, 200, ("short", "normal", "long")),
    "QRS": (0, 119, ("", "not wide", "wide")),
    "QTc": (340, MAX_QTC_MS[0] - 1, ("short", "normal", "long")),
    "axis": (-30, 90, ("left", "normal", "right")),
}
"""Lowest and highest normal value (bpm, ms, degrees), and words for below, within and above; a QTc ends earlier in men.

References
----------
Surawicz et al. 2009 (PR, QRS, axis); Rautaharju et al. 2009 (QTc); Kusumoto et al. 2019 (rate).
"""
FLUTTER_REGULARITY = 0.5
MANY_SPIKES = 0.5
NO_PR = frozenset({"AFIB", "AFLT", "3AVB"})
"""Rhythms in which the time from P to QRS means nothing."""
WORD_OF_QUALITY = {"usable": "good", "limited": "limited", "unusable": "poor"}


def _whole(value: float) -> int | None:
    return round(value) if math.isfinite(value) else None


def _tenth(value: float) -> str | None:
    return f"{value:.1f}" if math.isfinite(value) else None


def compared(quantity: str, value: float, m: Measurements) -> str:
    """Word for a value, rounded as it is written, against its normal range; empty if NaN or if there is no word."""
    if quantity not in NORMAL_RANGES or not math.isfinite(value):
        return ""
    low, high, words = NORMAL_RANGES[quantity]
    if quantity == "QTc" and m.sex == "male":
        high = MAX_QTC_MS[1] - 1
    if quantity == "axis" and round(value) < -90:
        return "extreme"
    return words[0] if round(value) < low else words[2] if round(value) > high else words[1]


_JUDGED = re.compile(
    r"(?:\b(?P<name>PR|QRS|QTc)\b[^.,;\d-]*|\b(?P<rate>rate)\b[^.,;\d-]*|(?<![\w.]))(?P<value>-?\d+) "
    r"(?P<unit>ms|bpm|degrees)(?P<link>, | \()(?P<word>slow|normal|fast|short|long|not wide|wide|left|right|extreme)\b"
)


def compared_rightly(text: str, m: Measurements) -> str:
    """Put the word of :func:`compared` behind each value of rate, PR, QRS, QTc and axis that has another one.

    Parameters
    ----------
    text : str
        For example ``"PR 184 ms (long), QRS 144 ms (wide)"``.
    m : Measurements
        For the sex of the patient.
    """

    def replaced(match: re.Match[str]) -> str:
        unit = match["unit"]
        quantity = match["name"] if unit == "ms" else {"bpm": match["rate"], "degrees": "axis"}[unit]
        word = compared(quantity or "", float(match["value"]), m) or match["word"]
        return match[0][: match.start("word") - match.start()] + word

    return _JUDGED.sub(replaced, text)


def regularity(m: Measurements) -> str:
    """Word for the variation of RR; empty if it was not measured."""
    if not math.isfinite(m.rr_cv):
        return ""
    return "regular" if m.rr_cv <= REGULAR else "irregular" if m.rr_cv >= IRREGULAR else "slightly irregular"


def st_deviations(m: Measurements) -> dict[str, float]:
    """ST level in mV of the leads where it is off the baseline by 0.1 mV or more; empty if amplitudes are unknown."""
    if not m.amplitude_known:
        return {}
    return {name: lead.st_mv for name, lead in m.leads.items() if abs(lead.st_mv) >= MIN_ST_MV}


def _without_lone(leads: list[str]) -> list[str]:
    """Leave out III and aVL where no neighbour shows the same: alone, a Q or negative T is normal there."""
    neighbours = {"III": ("II", "aVF"), "aVL": ("I", "V6")}
    return [n for n in leads if n not in neighbours or any(other in leads for other in neighbours[n])]


def q_wave_leads(m: Measurements) -> list[str]:
    """Leads with a pathological Q wave; aVR and V1 are left out, and III or aVL alone.

    References
    ----------
    Thygesen et al. 2018, fourth universal definition of myocardial infarction: Q of 30 ms and 0.1 mV, or QS.
    A quarter of the R wave is the older criterion; it keeps its meaning when amplitudes are not in millivolt.
    """
    found = []
    for name, lead in m.leads.items():
        deep = lead.q_mv <= -MIN_Q_MV or not m.amplitude_known
        large = -lead.q_mv >= MIN_Q_SHARE * lead.r_mv
        if name not in ("aVR", "V1") and lead.q_ms >= MIN_Q_MS and deep and large:
            found.append(name)
    return _without_lone(found)


def inverted_t_leads(m: Measurements) -> list[str]:
    """Leads with a T wave of -0.1 mV or less; aVR and V1, where it is normal, are left out, and III or aVL alone."""
    if not m.amplitude_known:
        return []
    return _without_lone(
        [n for n, lead in m.leads.items() if n not in ("aVR", "V1") and lead.t_mv <= -MIN_T_MV]
    )


def is_flutter(m: Measurements) -> bool:
    """Tell whether the atrial activity is regular enough for its rate to mean something."""
    return m.atrial_regularity >= FLUTTER_REGULARITY and math.isfinite(m.atrial_rate_bpm)


def _p_word(m: Measurements, words: tuple[str, str, str]) -> str | None:
    if not math.isfinite(m.p_fraction):
        return None
    return words[0] if m.p_fraction >= MANY_P else words[2] if m.p_fraction <= FEW_P else words[1]


def measurement_text(m: Measurements, *, rng: np.random.Generator | None = None, drop: float = 0.0) -> str:
    """Write measurements as one compact line of fixed order for the prompt of the language model.

    Parameters
    ----------
    m : Measurements
        What is NaN is left out.
    rng : numpy.random.Generator, optional
        Needed if `drop` is above 0.
    drop : float
        Probability with which each item is left out, so that a model learns to do without.

    Returns
    -------
    str
        For example ``"rate 72 normal; rr cv 3 regular; P yes; PR 160 normal; QRS 92 not wide; QT 400; QTc 420 normal;
        axis 45 normal; ST V2 +0.2; meets sinus rhythm; quality good"``: bpm, percent, ms, degrees and mV, with the
        word of :func:`compared`, since a small model compares numbers badly; QTc is Fridericia's, "rr step" the
        typical change from one RR to the next, "limb" the largest QRS of the limb leads, "meets" the statements whose
        criteria are met.

    Raises
    ------
    InputError
        If `drop` is above 0 without `rng`.
    """
    if drop > 0 and rng is None:
        raise InputError("drop needs a random generator: pass rng=numpy.random.default_rng(seed)")

    def graded(quantity: str, value: float) -> str | None:
        return f"{_whole(value)} {compared(quantity, value, m)}" if math.isfinite(value) else None

    early = int(m.beats.premature.sum())
    numbers: tuple[tuple[str, int | str | None], ...] = (
        ("rate", graded("rate", m.heart_rate_bpm)),
        ("rr cv", math.isfinite(m.rr_cv) and f"{_whole(100 * m.rr_cv)} {regularity(m)}"),
        ("rr step", _whole(100 * m.rr_irregularity)),
        ("P", _p_word(m, ("yes", "some", "no"))),
        ("PR", graded("PR", m.pr_ms)),
        ("QRS", graded("QRS", m.qrs_ms)),
        ("QT", _whole(m.qt_ms)),
        ("QTc", graded("QTc", m.qtc_fridericia_ms)),
        ("axis", graded("axis", m.qrs_axis_deg)),
        ("early", early or None),
        ("wide", _whole(value_of(m, "pvc_count", None)) or None),
        ("paced", "yes" if m.paced_fraction >= MANY_SPIKES else None),
        ("atrial", _whole(m.atrial_rate_bpm) if is_flutter(m) else None),
        ("ST", " ".join(f"{name} {level:+.1f}" for name, level in st_deviations(m).items())),
        ("T neg", " ".join(inverted_t_leads(m))),
        ("Q", " ".join(q_wave_leads(m))),
        ("Sokolow", _tenth(value_of(m, "sokolow_lyon_mv", None))),
        ("limb", _tenth(value_of(m, "limb_qrs_mv", None))),
        ("meets", ", ".join(STATEMENTS[code].name for code in findings(m))),
        ("quality", WORD_OF_QUALITY[m.quality.verdict]),
    )
    items = [f"{name} {value}" for name, value in numbers if value not in (None, "", False)]
    if rng is not None and drop > 0:
        items = [item for item in items if rng.random() >= drop]
    return "; ".join(items)


def _pick(options: Sequence[str], rng: np.random.Generator | None) -> str:
    return options[0] if rng is None else options[int(rng.integers(len(options)))]


def _listed(leads: Iterable[str]) -> str:
    names = list(leads)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _sentence(parts: Iterable[str | None]) -> str:
    text = ", ".join(part for part in parts if part)
    return text[0].upper() + text[1:] + "." if text else ""


def _rhythm(m: Measurements, codes: Sequence[str], rng: np.random.Generator | None) -> str:
    """First sentence: rhythm as stated, rate, regularity and P waves as measured."""
    names = ", ".join(STATEMENTS[code].name for code in codes if code in RHYTHMS)
    rate = _whole(m.heart_rate_bpm)
    if rate is None:
        spoken = names
    elif names:
        spoken = names + _pick((f", rate {rate} bpm", f" at {rate} bpm", f" with a rate of {rate} bpm"), rng)
    else:
        spoken = _pick((f"rate {rate} bpm", f"heart rate {rate} bpm", f"ventricular rate {rate} bpm"), rng)
    regular = regularity(m)
    p_waves = None if "PACE" in codes else _p_word(m, ("P waves present", "", "no P waves"))
    spikes = "pacing spikes" if m.paced_fraction >= MANY_SPIKES else None
    flutter = f"atrial rate {_whole(m.atrial_rate_bpm)} bpm" if "AFLT" in codes and is_flutter(m) else None
    return _sentence((spoken, regular, p_waves, spikes, flutter, *_odd_beats(m, codes)))


def _odd_beats(m: Measurements, codes: Sequence[str]) -> list[str]:
    """Premature and wide beats; an early beat says nothing where the rhythm is irregular by nature."""
    uneven = {"AFIB", "AFLT", "SARRH"} & set(codes) or m.p_fraction <= FEW_P
    early = 0 if uneven else int(m.beats.premature.sum())
    wide = _whole(value_of(m, "pvc_count", None)) or 0
    counts = ((early, "premature beat"), (wide, "wide beat"))
    return [f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count]


def _graded(name: str, value: float, unit: str, m: Measurements, said: Sequence[str] = ()) -> str | None:
    """A value with its word, if the word is one of those said."""
    whole = _whole(value)
    if whole is None:
        return None
    word = compared(name, value, m)
    return f"{name} {whole} {unit}" + (f" ({word})" if word in said else "")


def _intervals(m: Measurements, codes: Sequence[str], short: bool) -> str:
    """PR, QRS, QT, QTc and axis with a word where they leave the normal range."""
    pr = None if NO_PR & set(codes) else _graded("PR", m.pr_ms, "ms", m, ("long", "short"))
    qrs = _graded("QRS", m.qrs_ms, "ms", m, ("wide",))
    qt = _graded("QT", m.qt_ms, "ms", m)
    qtc = _graded("QTc", m.qtc_fridericia_ms, "ms", m, ("long",))
    axis = _graded("axis", m.qrs_axis_deg, "degrees", m, ("normal", "left", "right", "extreme"))
    return _sentence((qrs, qtc) if short else (pr, qrs, qt, qtc, axis))


def significant_st(m: Measurements) -> dict[str, float]:
    """ST deviations beyond the normal elevation of V2 and V3 (Thygesen et al. 2018: 0.2 mV, women 0.15 mV)."""
    usual = 0.15 if m.sex == "female" else 0.2
    return {
        n: level for n, level in st_deviations(m).items() if n not in ("V2", "V3") or not 0 < level < usual
    }


def _st_sentence(m: Measurements, rng: np.random.Generator | None) -> str:
    found = significant_st(m)
    parts = []
    for word, sign in (("elevation", 1), ("depression", -1)):
        leads = [name for name, level in found.items() if level * sign > 0]
        if leads:
            size = max(abs(found[name]) for name in leads)
            parts.append(f"ST {word} in {_listed(leads)} (up to {size:.1f} mV)")
    if not parts and m.amplitude_known and any(math.isfinite(lead.st_mv) for lead in m.leads.values()):
        parts = [_pick(("no significant ST deviation", "no ST elevation or depression"), rng)]
    return _sentence(parts)


def _wave_sentence(m: Measurements, codes: Sequence[str], rng: np.random.Generator | None) -> str:
    """Evidence beside ST: Q and T waves, and voltages where they matter for what is stated."""
    q_leads, t_leads = q_wave_leads(m), inverted_t_leads(m)
    prime = [name for name in ("V1", "V2") if name in m.leads and m.leads[name].r_prime_mv > 0]
    height, limb = value_of(m, "sokolow_lyon_mv", None), value_of(m, "limb_qrs_mv", None)
    right_block = {"CRBBB", "IRBBB"} & set(codes)
    tall = height >= 3.5 or {"LVH", "VCLVH"} & set(codes)
    small = limb < 0.5 or "LVOLT" in codes
    return _sentence(
        (
            f"Q waves in {_listed(q_leads)}" if q_leads else None,
            _pick(("T wave inversion in ", "inverted T waves in "), rng) + _listed(t_leads)
            if t_leads
            else None,
            f"R' in {_listed(prime)}" if prime and right_block else None,
            f"Sokolow-Lyon {_tenth(height)} mV" if tall and _tenth(height) else None,
            f"limb lead QRS up to {_tenth(limb)} mV" if small and _tenth(limb) else None,
        )
    )


def _impression(codes: Sequence[str]) -> str:
    names = ", ".join(STATEMENTS[code].name for code in codes)
    return f"{IMPRESSION} {names}." if names else ""


def _quality(m: Measurements, rng: np.random.Generator | None) -> str:
    if m.quality.verdict == "usable":
        return ""
    word = WORD_OF_QUALITY[m.quality.verdict]
    return _pick((f"Signal quality is {word}.", f"Quality {word}."), rng)


def paragraph(
    m: Measurements, codes: Sequence[str], style: ParagraphStyle, rng: np.random.Generator | None = None
) -> str:
    """Word the styles that the shipped language model learned: one paragraph, in few and constant words.

    Parameters
    ----------
    m : Measurements
    codes : sequence of str
        Known codes in the order of the vocabulary.
    style : {"report", "short", "impression"}
    rng : numpy.random.Generator, optional
        Varies the wording a little; None gives the canonical one.
    """
    impression = _impression(codes)
    if style == "impression" and impression:
        return impression
    sentences = [_rhythm(m, codes, rng), _intervals(m, codes, short=style != "report")]
    if style == "report":
        sentences += [_st_sentence(m, rng), _wave_sentence(m, codes, rng), _quality(m, rng)]
    return " ".join(sentence for sentence in (*sentences, impression) if sentence)
