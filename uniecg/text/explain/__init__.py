"""Explanations grounded in measurements, in several registers, and the line of measurements a language model reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

import numpy as np

from uniecg.errors import InputError
from uniecg.signal.measurements import Measurements
from uniecg.text.explain.canonical import (
    MIN_ST_MV,
    NO_PR,
    ParagraphStyle,
    compared,
    compared_rightly,
    inverted_t_leads,
    measurement_text,
    paragraph,
    q_wave_leads,
    regularity,
    significant_st,
    st_deviations,
)
from uniecg.text.explain.prose import ProseStyle, prose
from uniecg.text.explain.structured import structured
from uniecg.text.statements import STATEMENTS

__all__ = [
    "MIN_ST_MV",
    "NO_PR",
    "STYLES",
    "Style",
    "compared",
    "compared_rightly",
    "explain",
    "inverted_t_leads",
    "measurement_text",
    "q_wave_leads",
    "regularity",
    "significant_st",
    "st_deviations",
]

Style: TypeAlias = Literal[ParagraphStyle, ProseStyle, "json"]
STYLES: tuple[str, ...] = (*get_args(ParagraphStyle), *get_args(ProseStyle), "json")


def explain(
    m: Measurements,
    statements: Iterable[str],
    *,
    rng: np.random.Generator | None = None,
    style: Style = "report",
) -> str:
    """Explain an ECG in a cardiologist's order: quality, rhythm, rate, intervals, axis, P, QRS, ST-T, conclusions.

    Parameters
    ----------
    m : Measurements
        Source of every number and lead in the text; what is NaN is not mentioned.
    statements : iterable of str
        SCP-ECG codes, in any order. Empty: only measurements are described.
    rng : numpy.random.Generator, optional
        Varies the wording; None gives the canonical one.
    style : str
        ``"report"``, ``"short"``, ``"impression"``: one paragraph with rhythm, intervals, axis, ST, Q, T and voltages,
        with rhythm and main intervals, or the impression alone. They state what they are given, so that
        `parse_statements` gives it back, and are what the shipped language model learned to write.
        ``"line"``, ``"reasoning"``, ``"teaching"``, ``"json"``: a one-line report, the full reasoning in the order of
        the protocol with criterion, lead, value and time behind each conclusion, the same as a teacher tells it, and
        all of it as JSON. They affirm a statement only if its criteria are met; of the others they tell what speaks
        against them, or that the measurements cannot judge them (the line leaves them out).

    Returns
    -------
    str
        Empty only if nothing is stated and nothing was measured, in the first three styles.

    Raises
    ------
    KeyError
        If a code is not in the vocabulary.
    InputError
        If the style is unknown.
    """
    wanted = {STATEMENTS[code].code for code in statements}
    codes = [code for code in STATEMENTS if code in wanted]
    if style == "report" or style == "short" or style == "impression":
        return paragraph(m, codes, style, rng)
    if style == "line" or style == "reasoning" or style == "teaching":
        return prose(m, codes, style, rng)
    if style == "json":
        return structured(m, codes)
    names = ", ".join(repr(name) for name in STYLES[:-1])
    raise InputError(f"unknown style {style!r}: use {names} or {STYLES[-1]!r}")
