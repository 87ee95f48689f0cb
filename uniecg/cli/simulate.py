"""The command `simulate`: words to statements and numbers, and the truth about the result as a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import typer

from ..attributes import Attributes
from ..errors import InputError
from ..simulate import OWN_NAMES, SIMULATED, Simulation
from ..simulate import simulate as simulate_ecg
from ..text.attributes import describe, parse_attributes
from ..text.possible import impossible
from ..text.statements import STATEMENTS, is_negated, parse_statements
from .files import check_output
from .render import note

_SECOND = r"(?:(?:2nd|second)[\s-]degree\s+a-?v\s+block,?\s+)?(?:type\s+)?"
_WALL = r"(?:wall\s+)?"
_INFARCT = r"(?:myocardial\s+)?(?:infarct\w*|MI)\b"
_PATTERNS = {
    "2AVB1": rf"{_SECOND}(?:mobitz\s+(?:type\s+)?(?:I|1)\b|wenckebach)",
    "2AVB2": rf"{_SECOND}mobitz\s+(?:type\s+)?(?:II|2)\b",
    "2AVB21": r"2\s*:\s*1\s+a-?v[\s-]+block|two[\s-]to[\s-]one\s+a-?v[\s-]+block",
    "JUNC": r"junctional\s+(?:escape\s+)?rhythm|junctional\s+bradycardia",
    "VT": r"ventricular\s+tachycardia|\bVT\b",
    "COUPLET": r"(?:ventricular\s+)?couplets?",
    "SHQT": r"short(?:ened)?\s+QTc?(?:\s+(?:interval|syndrome))?",
    "PERICARDITIS": r"(?:acute\s+)?pericarditis",
    "EARLY REPOLARISATION": r"early\s+repolari[sz]ation",
    "HYPERK": r"hyperkala?emia|high\s+potassium",
    "HYPOK": r"hypokala?emia|low\s+potassium",
    **{
        f"STEMI {wall}": rf"{wall}\s+{_WALL}STEMI|STEMI\s+{wall}|acute\s+{wall}\s+{_WALL}{_INFARCT}"
        for wall in ("anterior", "inferior", "lateral", "posterior")
    },
    "REVERSAL LA/RA": r"(?:arm|LA\s*/\s*RA|RA\s*/\s*LA)\s+(?:lead|electrode)s?\s+(?:reversal|swap\w*|interchange\w*)",
    "REVERSAL LA/LL": r"(?:LA\s*/\s*LL|LL\s*/\s*LA)\s+(?:lead|electrode)s?\s+(?:reversal|swap\w*|interchange\w*)",
    "REVERSAL RA/LL": r"(?:RA\s*/\s*LL|LL\s*/\s*RA)\s+(?:lead|electrode)s?\s+(?:reversal|swap\w*|interchange\w*)",
    "REVERSAL V1/V2": r"V1\s*/\s*V2\s+(?:lead|electrode)s?\s+(?:reversal|swap\w*|interchange\w*)",
    "REVERSAL V2/V3": r"V2\s*/\s*V3\s+(?:lead|electrode)s?\s+(?:reversal|swap\w*|interchange\w*)",
}
_OWN = {
    code: re.compile(rf"{pattern}|{re.escape(OWN_NAMES[code])}(?!\w)", re.IGNORECASE)
    for code, pattern in _PATTERNS.items()
}


def read_request(text: str) -> tuple[list[str], Attributes]:
    """Statements and numbers of a request.

    Parameters
    ----------
    text : str
        Such as ``"atrial fibrillation, left bundle branch block, 110/min"``.

    Raises
    ------
    typer.BadParameter
        If nothing in it can be simulated.
    InputError
        If its numbers contradict each other or the statements.
    """
    rest, own = text, []
    for code, pattern in _OWN.items():
        for match in pattern.finditer(rest):
            if not is_negated(text, match.start(), match.end()):
                own.append(code)
        # What has been understood must not be read again as something more general.
        rest = pattern.sub(lambda match: " " * len(match.group()), rest)
    statements = [*dict.fromkeys(own), *(code for code in parse_statements(rest) if code in SIMULATED)]
    attributes = parse_attributes(text)
    if not statements and not attributes.to_dict():
        raise typer.BadParameter(
            f"nothing in {text!r} can be simulated; name a rhythm or a finding, for example "
            "'atrial fibrillation, left bundle branch block, 110/min'"
        )
    reason = impossible(text, rest)
    if reason is not None:
        raise InputError(reason)
    return statements, attributes


def simulated(
    statements: list[str], attributes: Attributes, duration_s: float, noise: float, seed: int | None
) -> Simulation:
    """Simulate, and say on stderr what is shown.

    Parameters
    ----------
    statements : list of str
    attributes : Attributes
    duration_s : float, s
    noise : float
    seed : int or None
        Drawn, and told, when not given.
    """
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
    rng = np.random.default_rng(seed)
    simulation = simulate_ecg(statements, attributes, duration_s, rng=rng, noise=noise)
    simulation.record.metadata["seed"] = seed
    known = [code for code in simulation.statements if code in STATEMENTS]
    names = [OWN_NAMES[code] for code in simulation.statements if code in OWN_NAMES]
    shown = ", ".join([*names, describe(known, simulation.attributes)])
    note(f"simulated (seed {seed}): {shown}")
    return simulation


def check_truth_output(path: Path, force: bool) -> None:
    """Raise InputError unless the truth may be written to this path."""
    if path.suffix.lower() != ".json":
        raise InputError(f"{path}: the truth is written as .json")
    check_output(path, (path,), force)


def save_truth(simulation: Simulation, path: Path) -> None:
    """Write the truth about a simulated ECG and print the path."""
    path.write_text(json.dumps(simulation.to_dict(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    typer.echo(str(path))
