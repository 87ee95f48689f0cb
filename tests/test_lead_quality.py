"""Unreadable leads and interchanged electrodes are noticed, and good records are left in peace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from uniecg.record import LEADS, Record, derive_limb_leads
from uniecg.signal import Quality, measure
from uniecg.signal.lead_defects import DROWNED, PARTLY_FLAT, SHIFTED, lead_defects


def judged(signal: np.ndarray, rate_hz: float = 500.0) -> Quality:
    return measure(Record(signal, rate_hz)).quality


def test_good_records_keep_their_verdict(examples: dict[str, Record]) -> None:
    for record in examples.values():
        quality = measure(record).quality
        assert (quality.verdict, quality.acceptable) == ("usable", True)


def spoil(signal: np.ndarray, how: str) -> None:
    """Spoil V3, index 8."""
    if how == PARTLY_FLAT:
        signal[8, 2000:3600] = 0.4
    elif how == SHIFTED:
        signal[8, 1000:1600] += 3.0
    else:
        signal[8] += 1.2 * np.sin(2 * np.pi * 9.0 * np.arange(signal.shape[1]) / 500)  # shivering


@pytest.mark.parametrize("how", [PARTLY_FLAT, SHIFTED, DROWNED])
@pytest.mark.parametrize("rate_hz", [500.0, 100.0])
def test_an_unreadable_lead_is_named_with_its_reason(normal: Record, how: str, rate_hz: float) -> None:
    signal = normal.signal.copy()
    spoil(signal, how)
    quality = judged(Record(signal, 500).resample(rate_hz).signal, rate_hz)
    assert how in quality.leads["V3"]
    assert f"{how} in V3" in quality.reasons
    assert (quality.lead_verdict("V3"), quality.lead_verdict("V4")) == ("unusable", "usable")
    assert quality.verdict == "limited"
    assert not quality.acceptable
    assert quality.to_dict()["lead_verdicts"] == {"V3": "unusable"}


def test_a_pause_is_not_a_flat_lead_and_normalised_shifts_mean_nothing(normal: Record) -> None:
    pause = normal.signal.astype(float)
    pause[:, 1000:2200] = 0.0  # 2.4 s
    assert not any(PARTLY_FLAT in named for named in lead_defects(pause, 500.0))
    shifted = normal.signal.astype(float)
    shifted[8, 1000:2000] += 3.0
    assert lead_defects(shifted, 500.0, in_mv=False)[8] == []


def eight(record: Record) -> np.ndarray:
    return record.signal[[0, 1, 6, 7, 8, 9, 10, 11]]


def test_interchanged_arm_electrodes_are_named(examples: dict[str, Record]) -> None:
    for record in examples.values():
        rows = eight(record)
        rows = np.concatenate([[-rows[0], rows[1] - rows[0]], rows[2:]])
        quality = judged(derive_limb_leads(rows))
        assert "electrodes right and left arm appear swapped" in quality.reasons
        assert quality.lead_verdict("aVR") == "limited"
        assert "V1" not in quality.leads


@pytest.mark.parametrize(
    ("order", "named"), [((1, 0, 2, 3, 4, 5), "V1 and V2"), ((5, 4, 3, 2, 1, 0), "V1 to V6")]
)
def test_chest_electrodes_out_of_order_are_named(normal: Record, order: tuple[int, ...], named: str) -> None:
    rows = eight(normal)
    quality = judged(derive_limb_leads(np.concatenate([rows[:2], rows[2:][list(order)]])))
    assert f"electrodes {named} appear swapped" in quality.reasons
    assert "I" not in quality.leads


def test_records_that_cannot_be_searched_raise_nothing(normal: Record) -> None:
    for record in (
        normal.select(["II"]),
        normal.crop(0, 0.3),
        Record(np.full((12, 5000), np.nan), 500),
        Record(normal.signal[:, :300], 30.0),
        replace_metadata(normal),
    ):
        assert "swapped" not in " ".join(measure(record).quality.reasons)


def replace_metadata(record: Record) -> Record:
    return Record(-record.signal, record.sampling_rate, LEADS, {"units": "zscore"})


def test_a_record_is_refused_for_one_unusable_lead_only() -> None:
    noisy = Quality("limited", (), {"V1": ("muscle noise",)})
    assert noisy.acceptable
    assert not replace(noisy, verdict="unusable").acceptable
    assert not replace(noisy, leads={"V1": ("flat",)}).acceptable


def test_an_unreadable_lead_carries_no_finding(normal: Record) -> None:
    signal = normal.signal.copy()
    noise = np.random.default_rng(0).normal(0, 1.0, signal.shape[1])
    signal[LEADS.index("V4")] = np.cumsum(noise) * 0.2
    m = measure(Record(signal, normal.sampling_rate))
    assert m.quality.lead_verdict("V4") == "unusable"
    assert np.isnan(m.leads["V4"].r_mv)
    assert np.isfinite(m.leads["V5"].r_mv)
