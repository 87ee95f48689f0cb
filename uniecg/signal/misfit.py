"""How far an ECG is from what was asked for: what the closed loop of generation makes small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniecg.attributes import Attributes
from uniecg.signal.criteria import check
from uniecg.signal.measurements import Measurements

# Intervals: 1.5 standard deviations of what readers differ by at the two boundaries (CSE working party 1985: P on
# 10.2 ms, QRS on 6.5, QRS off 11.6, T off 30.6). Rate and axis: what a look at the paper tells.
TOLERANCES = {"heart_rate_bpm": 3.0, "pr_ms": 18.0, "qrs_ms": 20.0, "qt_ms": 47.0, "qrs_axis_deg": 20.0}
FAR_OFF = 10.0


def misfit(asked: Attributes, statements: Sequence[str], m: Measurements) -> float:
    """How much of what was asked for an ECG misses; 0 if nothing.

    Parameters
    ----------
    asked : Attributes
        Numbers asked for.
    statements : sequence of str
        Codes asked for.
    m : Measurements
        What was measured on the ECG.

    Returns
    -------
    float
        One for each statement that the measurements contradict, and for each number how many tolerances it is off
        beyond the first; a number that cannot be measured counts as far off.
    """
    misses = [float(check(code, m)[0] is False) for code in statements]
    for name, tolerance in TOLERANCES.items():
        if (wanted := getattr(asked, name)) is not None:
            off = getattr(m, name) - wanted
            off = abs((off + 180) % 360 - 180 if name == "qrs_axis_deg" else off) / tolerance
            misses.append(max(off - 1, 0.0) if np.isfinite(off) else FAR_OFF)
    return sum(misses)
