"""The command `simulate`: an ECG from words, and the truth about it as a file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import typer

from ..errors import InputError
from ..simulate import OWN_NAMES, Simulation, shortest_s
from ..simulate import simulate as simulate_ecg
from ..text.attributes import describe
from ..text.statements import STATEMENTS
from .files import check_output
from .render import note
from .simulate_request import read_request


def simulated(
    text: str, duration_s: float, noise: float, seed: int | None, strict: bool = False
) -> Simulation:
    """Simulate what words ask for, and say on stderr what is shown and what was left out.

    Parameters
    ----------
    text : str
        Such as ``"atrial fibrillation, left bundle branch block, 110/min"``.
    duration_s : float, s
    noise : float
    seed : int or None
        Drawn, and told, when not given.
    strict : bool
        Whether words that nothing is made of are refused.

    Raises
    ------
    InputError
        If no ECG can be like that, or the record would be too short to show it.
    """
    request = read_request(text)
    left_out = ", ".join(repr(words) for words in request.left_out)
    if left_out and strict:
        raise InputError(f"not understood, or not to be simulated: {left_out}; leave it out")
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
    statements, attributes = request.draw(seed)
    shortest = shortest_s(statements, attributes)
    if duration_s < shortest:
        raise InputError(
            f"{duration_s:g} s may not show what was asked for; give --duration {math.ceil(shortest)} or more"
        )
    rng = np.random.default_rng(seed)
    simulation = simulate_ecg(statements, attributes, duration_s, rng=rng, noise=noise)
    simulation.record.metadata["seed"] = seed
    known = [code for code in simulation.statements if code in STATEMENTS]
    names = [OWN_NAMES[code] for code in simulation.statements if code in OWN_NAMES]
    note(f"simulated (seed {seed}): {', '.join([*names, describe(known, simulation.attributes)])}")
    if left_out:
        note(f"left out, for it is not understood or cannot be simulated: {left_out}")
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
