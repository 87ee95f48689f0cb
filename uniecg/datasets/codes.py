"""Labels of published data sets in SCP-ECG codes: the table ``codes.csv`` beside this file.

Its columns: ``system`` (``snomed``, ``aha``, ``code15``, ``ludb``), ``code`` as the data set writes it (``*`` at its
end stands for any ending), ``name``, ``scp`` (codes of `uniecg.text.statements` joined by ``|``, empty where SCP-ECG
has none) and ``relation``: ``exact``, or ``broad`` where the SCP-ECG statement says less or leaves something open.

References
----------
SNOMED CT: the label tables of the PhysioNet/CinC Challenge 2021 (github.com/physionetchallenges/evaluation-2021,
``dx_mapping_scored.csv`` and ``dx_mapping_unscored.csv``); codes that it scores as one, such as 59118001 and 713427006,
have one translation here.
AHA: Mason JW et al. 2007, Recommendations for the standardization and interpretation of the electrocardiogram part II,
Circulation 115:1325-1332; used by Liu H et al. 2022 (SPH), Sci Data 9:272.
LUDB: Kalyakulina AV et al. 2020, IEEE Access 8:186181. CODE-15 %: Ribeiro AH et al. 2021, doi 10.5281/zenodo.4916206.
SCP-ECG: ISO 11073-91064; Wagner P et al. 2020, PTB-XL, Sci Data 7:154.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from uniecg.datasets.source import UNKNOWN_CODE, Problem
from uniecg.text.statements import STATEMENTS, nearest_statement, parse_assertions, render_statements


@dataclass(frozen=True)
class Code:
    """One label of a data set: its name, and the SCP-ECG codes that stand for it (none, one or several)."""

    name: str
    scp: tuple[str, ...]


@cache
def code_table(system: str) -> dict[str, Code]:
    """All labels of one coding system by their code."""
    text = files("uniecg.datasets").joinpath("codes.csv").read_text(encoding="utf-8")
    return {
        row["code"]: Code(row["name"], tuple(filter(None, row["scp"].split("|"))))
        for row in csv.DictReader(text.splitlines())
        if row["system"] == system
    }


def vocabulary_digest() -> str:
    """Checksum of the tables that statements are made with: data prepared with others is not to be mixed."""
    tables = (("uniecg.datasets", "codes.csv"), ("uniecg.text", "statements.json"))
    content = b"".join(files(package).joinpath(name).read_bytes() for package, name in tables)
    return hashlib.sha256(content).hexdigest()[:16]


def find_code(system: str, code: str) -> Code | None:
    """Look a label up: as it is, then without its modifiers (``"60+310"`` -> ``"60"``), then by its beginning."""
    table = code_table(system)
    found = table.get(code) or table.get(code.partition("+")[0])
    if found is None:
        starts = [key for key in table if key.endswith("*") and code.startswith(key[:-1])]
        found = table[max(starts, key=len)] if starts else None
    return found


def translate(
    system: str, codes: Iterable[str], uid: str
) -> tuple[tuple[str, ...], tuple[str, ...], list[Problem]]:
    """Translate the labels of one record.

    Parameters
    ----------
    system : str
        ``"snomed"``, ``"aha"``, ``"code15"`` or ``"ludb"``.
    codes : iterable of str
        As the data set writes them.
    uid : str
        The record, for the problems.

    Returns
    -------
    statements : tuple of str
        SCP-ECG codes, each once.
    others : tuple of str
        Names of the labels that SCP-ECG has no code for; an unknown one as ``"system code"``.
    problems : list of Problem
        The unknown ones.
    """
    statements: list[str] = []
    others: list[str] = []
    problems = []
    for code in codes:
        found = find_code(system, code)
        if found is None:
            others.append(f"{system} {code}")
            problems.append(Problem(UNKNOWN_CODE, uid, f"{system} {code}", skipped=False))
        elif found.scp:
            statements += found.scp
        else:
            others.append(code if system == "ludb" else found.name)
    return tuple(dict.fromkeys(statements)), tuple(dict.fromkeys(others)), problems


def known_statements(
    codes: Iterable[str], uid: str
) -> tuple[tuple[str, ...], tuple[str, ...], list[Problem]]:
    """Sort SCP-ECG codes into those of the vocabulary and others; returns the same three as `translate`."""
    listed = list(dict.fromkeys(codes))
    others = tuple(code for code in listed if code not in STATEMENTS)
    problems = [Problem(UNKNOWN_CODE, uid, f"scp {code}", skipped=False) for code in others]
    return tuple(code for code in listed if code in STATEMENTS), others, problems


def statements_in(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the lines of a machine's report.

    Parameters
    ----------
    lines : iterable of str
        One statement a line, as in "Sinus rhythm with PVC(s)".

    Returns
    -------
    statements : tuple of str
        SCP-ECG codes that the lines affirm or hold for probable, of what is narrower its wider one.
    others : tuple of str
        What SCP-ECG has no code for, and what is only possible or not excluded, in the words of `render_statements`;
        lines in which nothing is understood as they are, without the full stop at their end. What is denied is in
        neither.
    """
    statements: list[str] = []
    others: list[str] = []
    for line in lines:
        assertions = parse_assertions(line)
        for assertion in assertions:
            code = nearest_statement(assertion.code)
            if code is not None and assertion.certainty in ("definite", "probable"):
                statements.append(code)
            elif assertion.certainty != "denied":
                others.append(render_statements([assertion]))
        if not assertions:
            others.append(line.strip().rstrip(".").strip())
    return tuple(dict.fromkeys(statements)), tuple(dict.fromkeys(filter(None, others)))
