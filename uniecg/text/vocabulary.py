"""The controlled vocabulary: what can be said of an ECG, with codes, names in three languages and what each implies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations

__all__ = [
    "CODE_OF_SNOMED",
    "RHYTHMS",
    "STATEMENTS",
    "SUPERCLASSES",
    "VOCABULARY",
    "Limit",
    "Statement",
    "conflicts",
    "join_names",
    "nearest_statement",
    "superclasses_of",
]

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
_LIMIT = re.compile(r"(?P<quantity>\w+)(?P<sign><=|>=|<|>)(?P<value>-?[\d.]+)")


@dataclass(frozen=True)
class Limit:
    """What a statement implies for one measured quantity, written ``"qrs_ms>=120"`` in the data.

    Attributes
    ----------
    quantity : str
        As `uniecg.signal.rules.value_of` knows it; the unit is its suffix.
    sign : str
        ``"<"``, ``"<="``, ``">"`` or ``">="``.
    value : float
    """

    quantity: str
    sign: str
    value: float

    def allows(self, value: float) -> bool:
        """Tell whether a measured value agrees; NaN does not."""
        low = value >= self.value if self.sign == ">=" else value > self.value
        high = value <= self.value if self.sign == "<=" else value < self.value
        return low if ">" in self.sign else high


@dataclass(frozen=True)
class Statement:
    """One diagnostic, form or rhythm statement.

    Attributes
    ----------
    code : str
        SCP-ECG code as PTB-XL writes it, such as ``"AFIB"``; a name of our own where that standard has no word.
    name : str
        Preferred English name, lower case except for abbreviations.
    synonyms : tuple of str
        Other English names and abbreviations, understood in any letter case.
    superclass : str or None
        One of `SUPERCLASSES`; None for form and rhythm statements.
    kind : str
        ``"diagnostic"``, ``"form"`` or ``"rhythm"``.
    definition : str
        What it is and its ECG criteria, for teaching.
    snomed : str or None
        SNOMED CT concept used by the PhysioNet/CinC Challenge 2021, where there is one.
    other_snomed : tuple of str
        Further concepts of the Challenge that mean the same here.
    aha : str or None
        Code of the AHA/ACCF/HRS statement list, with a modifier where the meaning needs one ("147+367").
    parent : str or None
        Code of the next wider statement.
    territory : str or None
        Wall, chamber or part of the conduction system that the statement is about.
    local : bool
        Whether the leads in which it is seen belong to what is said ("T wave inversion in inferior leads").
    implies : tuple of Limit
        What its definition says of measurements, all of it; empty where the definition leaves a choice.
    excludes : tuple of str
        Codes of statements that cannot be true of the same ECG. Mutual.
    wordings : dict of str to tuple of str
        Further wordings of reports in English ("en"), German ("de") and Swedish ("sv"), in the notation that
        :mod:`uniecg.text.phrases` explains.
    scp_ecg : bool
        Whether SCP-ECG has it (it is in `STATEMENTS` then).

    References
    ----------
    ISO 11073-91064 (SCP-ECG); Wagner et al., PTB-XL, Sci Data 7:154 (2020); Reyna et al., CinC 2021 (SNOMED CT
    codes); Mason et al., AHA/ACC/HRS recommendations part II, JACC 49:1128 (2007), and Liu et al., Sci Data 9:272
    (2022) (AHA codes). Criteria: AHA/ACCF/HRS recommendations for the interpretation of the ECG, parts III-VI (2009);
    Thygesen et al., fourth universal definition of myocardial infarction (2018); Kligfield et al. (2007).
    """

    code: str
    name: str
    synonyms: tuple[str, ...]
    superclass: str | None
    kind: str
    definition: str
    snomed: str | None
    other_snomed: tuple[str, ...]
    aha: str | None
    parent: str | None
    territory: str | None
    local: bool
    implies: tuple[Limit, ...]
    excludes: tuple[str, ...]
    wordings: dict[str, tuple[str, ...]]
    scp_ecg: bool


def _limit(text: str) -> Limit:
    parts = _LIMIT.fullmatch(text)
    if parts is None:
        raise ValueError(f"statements.json: {text!r} is not a quantity, a sign and a number")
    return Limit(parts["quantity"], parts["sign"], float(parts["value"]))


def _read() -> dict[str, Statement]:
    rows = json.loads(files("uniecg.text").joinpath("statements.json").read_text(encoding="utf-8"))
    return {
        row["code"]: Statement(
            code=row["code"],
            name=row["name"],
            synonyms=tuple(row["synonyms"]),
            superclass=row["superclass"],
            kind=row["kind"],
            definition=row["definition"],
            snomed=next(iter(row["snomed"]), None),
            other_snomed=tuple(row["snomed"][1:]),
            aha=row["aha"],
            parent=row["parent"],
            territory=row["territory"],
            local=row["local"],
            implies=tuple(_limit(text) for text in row["implies"]),
            excludes=tuple(row["excludes"]),
            wordings={language: tuple(row[language]) for language in ("en", "de", "sv")},
            scp_ecg=row["scp_ecg"],
        )
        for row in rows
    }


VOCABULARY: dict[str, Statement] = _read()
"""Every statement that can be said or heard: SCP-ECG's and the Challenge's, with a few that the criteria know."""

# The model has a token for each of these, the decoder a row of its table, in this order, and both are trained: a
# statement that is added here would move them. What SCP-ECG has no word for is therefore in VOCABULARY only.
STATEMENTS: dict[str, Statement] = {code: s for code, s in VOCABULARY.items() if s.scp_ecg}
"""The 71 statements of SCP-ECG that PTB-XL uses: what the model is asked for and answers with."""

RHYTHMS: tuple[str, ...] = tuple(code for code, statement in STATEMENTS.items() if statement.kind == "rhythm")

CODE_OF_SNOMED: dict[str, str] = {
    concept: code
    for code, statement in VOCABULARY.items()
    for concept in (*([statement.snomed] if statement.snomed else []), *statement.other_snomed)
}
"""SNOMED CT concept -> statement code, for every concept that the vocabulary names."""


def join_names(codes: Iterable[str]) -> str:
    """Preferred names of statement codes, joined by ``", "``; `parse_statements` is the inverse.

    Raises
    ------
    KeyError
        If a code is not one of `STATEMENTS`.
    """
    return ", ".join(STATEMENTS[code].name for code in codes)


def superclasses_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Diagnostic superclasses of statement codes, in the order of `SUPERCLASSES`."""
    found = {STATEMENTS[code].superclass for code in codes}
    return tuple(name for name in SUPERCLASSES if name in found)


def nearest_statement(code: str) -> str | None:
    """The statement itself if it is one of `STATEMENTS`, else its nearest wider one that is; None if there is none.

    Raises
    ------
    KeyError
        If the code is not in `VOCABULARY`.
    """
    found: str | None = code
    while found is not None and found not in STATEMENTS:
        found = VOCABULARY[found].parent
    return found


def conflicts(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of statements that cannot be true of the same ECG, in the order of the codes.

    Raises
    ------
    KeyError
        If a code is not in `VOCABULARY`.
    """
    return [(a, b) for a, b in combinations(codes, 2) if b in VOCABULARY[a].excludes]
