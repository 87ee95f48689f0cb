"""`Record`: leads by name, the algebra of the limb leads, resampling, cropping, what it refuses."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from uniecg.attributes import NUMERIC, Attributes
from uniecg.errors import InputError, MissingDependencyError, UniECGError, require
from uniecg.record import LEADS, Record, derive_limb_leads

millivolts = st.floats(-10, 10, width=32)


def sine(rate: float, duration_s: float = 4.0, frequency: float = 3.0) -> Record:
    time = np.arange(round(rate * duration_s)) / rate
    return Record(np.tile(np.sin(2 * np.pi * frequency * time), (12, 1)), rate)


def test_leads_go_by_name_whatever_their_order_and_spelling() -> None:
    record = Record([[1, 1], [2, 2], [3, 3], [4, 4]], 500, leads=["avf", "Lead I", "AVR", "v6"])
    assert record.available_leads == ("I", "aVR", "aVF", "V6")
    assert record["aVF"].tolist() == [1, 1]
    assert record["I"].tolist() == [2, 2]
    assert np.isnan(record["V1"]).all()
    assert record.signal.shape == (12, 2)
    assert record.signal.dtype == np.float32


def test_other_leads_are_named_not_mixed_up() -> None:
    record = Record(np.ones((3, 10)), 250, leads=["II", "VX", "MLII"])
    assert record.available_leads == ("II",)
    assert record.metadata["other_leads"] == ["VX", "MLII"]


def test_identity_is_not_kept() -> None:
    metadata = {
        "age": 54,
        "Patient_Name": "A",
        "patient id": 7,
        "birth_date": "1970",
        "name": "B",
        "source": "x",
    }
    assert Record(np.zeros((12, 5)), 500, metadata=metadata).metadata == {"age": 54, "source": "x"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"signal": np.zeros((12, 0)), "sampling_rate": 500}, "empty"),
        ({"signal": np.zeros(100), "sampling_rate": 500}, "shape"),
        ({"signal": np.zeros((100, 12)), "sampling_rate": 500}, "transposed"),
        ({"signal": np.zeros((12, 10)), "sampling_rate": 0}, "sampling_rate"),
        ({"signal": np.zeros((12, 10)), "sampling_rate": float("nan")}, "sampling_rate"),
        ({"signal": np.zeros((12, 10)), "sampling_rate": "fast"}, "sampling_rate"),
        (
            {"signal": np.zeros((2, 10)), "sampling_rate": 500, "leads": ["II", "ii"]},
            "lead II is given twice",
        ),
        ({"signal": np.zeros((1, 10)), "sampling_rate": 500, "leads": ["EEG"]}, "EEG"),
        ({"signal": np.zeros((0, 10)), "sampling_rate": 500, "leads": []}, "none"),
        ({"signal": [["a", "b"]], "sampling_rate": 500, "leads": ["I"]}, "numbers"),
    ],
)
def test_refuses_what_is_no_ecg_in_one_line(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Record(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_unknown_lead_is_an_input_error(normal: Record) -> None:
    with pytest.raises(InputError, match="V9"):
        normal["V9"]
    with pytest.raises(InputError, match="V9"):
        normal.select(["I", "V9"])


def test_infinite_values_become_gaps_without_a_warning() -> None:
    record = Record([[1.0, np.inf, 1e300]], 500, leads=["I"])
    assert np.isnan(record["I"][1:]).all()


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 3), st.just(8), st.integers(1, 20)), elements=millivolts)
)
def test_derived_leads_obey_einthoven_and_goldberger(eight: np.ndarray) -> None:
    twelve = derive_limb_leads(eight)
    lead = {name: twelve[..., index, :] for index, name in enumerate(LEADS)}
    np.testing.assert_array_equal(lead["III"], lead["II"] - lead["I"])
    np.testing.assert_allclose(lead["aVR"] + lead["aVL"] + lead["aVF"], 0, atol=1e-12)
    np.testing.assert_array_equal(lead["V1"], eight[..., 2, :])
    assert derive_limb_leads(eight.astype(np.float32)).dtype == np.float32


def test_derive_needs_eight_rows() -> None:
    with pytest.raises(InputError, match="8 rows"):
        derive_limb_leads(np.zeros((12, 10)))


@pytest.mark.parametrize("kept", [("I", "II"), ("I", "III"), ("aVL", "aVF"), ("aVR", "III"), ("II", "aVF")])
def test_any_two_limb_leads_give_the_others(normal: Record, kept: tuple[str, str]) -> None:
    whole = normal.select(["I", "II", "V1"]).derive_limb_leads()
    again = whole.select([*kept, "V1"]).derive_limb_leads()
    np.testing.assert_allclose(again.signal, whole.signal, atol=1e-5)
    assert np.isnan(again["V2"]).all()


def test_deriving_from_one_limb_lead_is_refused(normal: Record) -> None:
    with pytest.raises(InputError, match="two limb leads"):
        normal.select(["I", "V1"]).derive_limb_leads()


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 1500), st.sampled_from([100, 128, 250, 360, 500, 1000]), st.floats(50, 1000))
def test_resampling_keeps_the_duration(n_samples: int, old: int, new: float) -> None:
    record = Record(np.zeros((1, n_samples)), old, leads=["II"]).resample(new)
    assert record.sampling_rate == new
    assert abs(record.duration_s - n_samples / old) <= 0.5 / new + 1e-9


@pytest.mark.parametrize("rate", [100, 257, 360, 1000])
def test_resampling_keeps_the_wave(rate: int) -> None:
    expected = sine(rate).signal
    inner = slice(rate // 4, -rate // 4)  # the filter needs some samples on either side
    np.testing.assert_allclose(sine(500).resample(rate).signal[:, inner], expected[:, inner], atol=0.01)


def test_resampling_keeps_offset_and_gaps() -> None:
    signal = np.full((12, 1000), 3.0)
    signal[0, 400:600] = np.nan
    signal[5] = np.nan
    record = Record(signal, 500).resample(250)
    assert np.isnan(record["I"][200:300]).all()
    assert not np.isnan(record["I"][:199]).any()
    assert "aVF" not in record.available_leads
    np.testing.assert_allclose(record["II"], 3.0, atol=1e-4)


def test_crop(normal: Record) -> None:
    part = normal.crop(2, 4.5)
    np.testing.assert_array_equal(part.signal, normal.signal[:, 1000:2250])
    assert normal.crop(9, 99).duration_s == pytest.approx(1)
    with pytest.raises(InputError, match="10 s"):
        normal.crop(11, 12)


def test_equality_is_by_content(normal: Record) -> None:
    same = Record(normal.signal, normal.sampling_rate, metadata=normal.metadata)
    assert same == normal
    assert normal.select(["I"]) == normal.select(["I"])
    assert same != Record(normal.signal, 250, metadata=normal.metadata)
    assert normal != "normal"
    same.signal[0, 0] += 1
    assert same != normal


def test_repr_tells_what_is_there(normal: Record) -> None:
    assert repr(normal) == "Record(12 leads, 10.00 s at 500 Hz)"
    assert repr(normal.select(["V1"])) == "Record(1 lead: V1, 10.00 s at 500 Hz)"


def test_attributes_tell_only_what_is_set() -> None:
    assert Attributes().to_dict() == {}
    assert Attributes(age=70, sex="female").to_dict() == {"age": 70, "sex": "female"}
    assert set(NUMERIC) | {"sex"} == set(Attributes.__dataclass_fields__)
    assert all(limit.low < limit.mean < limit.high for limit in NUMERIC.values())


def test_missing_packages_name_their_extra() -> None:
    assert require("json", "any") is sys.modules["json"]
    with pytest.raises(MissingDependencyError, match=r"pip install 'uniecg\[server\]'") as caught:
        require("no_such_package_at_all", "server")
    assert isinstance(caught.value, UniECGError | ImportError)
