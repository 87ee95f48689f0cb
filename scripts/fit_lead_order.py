"""Print the constants of uniecg/signal/lead_order.py: fit_lead_order.py DATA, a Parquet file of 500 Hz records.

Uses the records of PTB-XL in the split "train" only.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

from uniecg.datasets import read_table
from uniecg.signal import lead_order as order
from uniecg.signal import measure


def main(path: Path) -> None:
    """Fit leads I and II from V1 to V6, then measure what the two searches gain on records taken to be right."""
    beats = []
    for example in read_table(path, "train"):
        if example.dataset == "PTB-XL":
            beat = order.dominant_beat(example.record, measure(example.record).beats)
            if beat is not None:
                beats.append(beat)
    scaled = np.concatenate([beat / np.linalg.norm(beat) for beat in beats], axis=1)
    weights = np.linalg.lstsq(scaled[6:].T, scaled[:2].T, rcond=None)[0].T
    print(len(beats), "records")
    print("FRONTAL_FROM_CHEST", weights.round(2).tolist())
    gains = np.array([order.gains(beat) for beat in beats])
    for name, gain in zip(("limb", "chest"), gains.T, strict=True):
        print(name, "gain, percentiles 50 95 98 99 100:", np.percentile(gain, (50, 95, 98, 99, 100)).round(3))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
