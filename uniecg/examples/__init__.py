"""Three real ECGs to try things on; where they come from is in ``PROVENANCE.md`` beside them."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

__all__ = ["EXAMPLES", "example_path"]

EXAMPLES: tuple[str, ...] = ("normal", "atrial_fibrillation", "left_bundle_branch_block")


def example_path(name: str) -> Path:
    """Return the WFDB header of an example record.

    Parameters
    ----------
    name : str
        One of `EXAMPLES`.

    Returns
    -------
    Path
        Header (``.hea``) in the installed package; the samples (``.dat``) lie beside it.

    Raises
    ------
    InputError
        If there is no such example.
    """
    if name not in EXAMPLES:
        raise InputError(f"there is no example {name!r}; choose one of {', '.join(EXAMPLES)}")
    return Path(__file__).with_name(f"{name}.hea")
