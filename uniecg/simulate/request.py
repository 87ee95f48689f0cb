"""What may be asked of a simulation: numbers within life that fit each other, and a record long enough."""

from __future__ import annotations

from collections.abc import Collection

from uniecg.attributes import NUMERIC, Attributes
from uniecg.errors import InputError
from uniecg.simulate.noise import Noise
from uniecg.simulate.rhythm import RATE_RANGES

HIGHEST_NOISE = 5.0
EVENT_RR = {"BIGU": 6, "TRIGU": 6, "COUPLET": 7, "PVC": 5, "PAC": 5, "PRC(S)": 5, "SVARR": 5}
EVENT_RR |= {"2AVB": 6, "2AVB1": 6, "2AVB2": 6, "2AVB21": 3}
"""RR intervals within which early beats appear, or a blocked P wave between two that are conducted."""


def check_numbers(
    attributes: Attributes, duration_s: float, sampling_rate: float, noise: float | Noise
) -> None:
    """Raise InputError if numbers lie outside of life or of what can be recorded, or contradict each other.

    Parameters
    ----------
    attributes : Attributes
    duration_s : float, s
    sampling_rate : float, Hz
    noise : float or Noise
    """
    if not (0.5 <= duration_s <= 3600.0 and 50.0 <= sampling_rate <= 4000.0):
        raise InputError(
            f"a simulation lasts 0.5 to 3600 s at 50 to 4000 Hz, not {duration_s:g} s at {sampling_rate:g} Hz"
        )
    if not isinstance(noise, Noise) and not 0.0 <= noise <= HIGHEST_NOISE:
        raise InputError(
            f"noise is a number from 0 (none) to {HIGHEST_NOISE:g}, or a Noise, not {noise:g}; 1 is ordinary"
        )
    if attributes.sex not in (None, "female", "male"):
        raise InputError(f"sex is 'female', 'male' or None, not {attributes.sex!r}")
    for name, limits in NUMERIC.items():
        value = getattr(attributes, name)
        if value is not None and not limits.low <= value <= limits.high:
            raise InputError(
                f"{name} is {value:g}; ask for {limits.low:g} to {limits.high:g} {limits.unit}, or leave it out"
            )
    rate, qrs_ms, qt_ms = attributes.heart_rate_bpm, attributes.qrs_ms, attributes.qt_ms
    if qrs_ms is not None and qt_ms is not None and qrs_ms >= qt_ms:
        raise InputError(
            f"QT {qt_ms:g} ms cannot go with QRS {qrs_ms:g} ms, which it holds; change one of them"
        )
    for name, value in (("PR", attributes.pr_ms), ("QT", qt_ms)):
        if rate is not None and value is not None and value >= 60_000.0 / rate:
            raise InputError(
                f"{name} {value:g} ms does not fit between two beats at {rate:g}/min, "
                f"which are {60_000.0 / rate:.0f} ms apart; change one of them"
            )


def sinus_of(rate_bpm: float) -> str:
    """Code of a sinus rhythm of this rate: 60 to 100 beats a minute are normal (Surawicz & Knilans 2008)."""
    return "SBRAD" if rate_bpm < 60.0 else "STACH" if rate_bpm > 100.0 else "SR"


def shortest_s(statements: Collection[str], attributes: Attributes) -> float:
    """Length of record that is sure to show the early beats and blocked P waves that are asked for; s.

    Parameters
    ----------
    statements : collection of str
    attributes : Attributes
        Its rate, else the slowest that is usual for the rhythm.
    """
    intervals = max((EVENT_RR.get(code, 0) for code in statements), default=0)
    rhythm = next((code for code in RATE_RANGES if code in statements), "SR")
    return intervals * 60.0 / (attributes.heart_rate_bpm or RATE_RANGES[rhythm][0])
