"""The numbers that describe an ECG and its patient, as asked for in a request or measured in a record."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["NUMERIC", "Attributes", "NumericAttribute", "Sex"]

Sex: TypeAlias = Literal["female", "male"]


class NumericAttribute(NamedTuple):
    """Typical spread and plausible range of one attribute, in its unit."""

    mean: float
    sd: float
    low: float
    high: float
    unit: str


# mean and sd only bring values to a common scale; values outside low..high are taken as misreadings.
NUMERIC: dict[str, NumericAttribute] = {
    "age": NumericAttribute(60.0, 17.0, 0.0, 110.0, "years"),
    "heart_rate_bpm": NumericAttribute(75.0, 20.0, 20.0, 300.0, "bpm"),
    "pr_ms": NumericAttribute(160.0, 30.0, 80.0, 400.0, "ms"),
    "qrs_ms": NumericAttribute(95.0, 22.0, 50.0, 250.0, "ms"),
    "qt_ms": NumericAttribute(390.0, 45.0, 200.0, 700.0, "ms"),
    "qrs_axis_deg": NumericAttribute(30.0, 45.0, -180.0, 180.0, "degrees"),
}


@dataclass(frozen=True)
class Attributes:
    """Patient and interval values; ``None`` is "not stated".

    Parameters
    ----------
    age : float or None
        Years.
    sex : {"female", "male"} or None
        Sex of the patient.
    heart_rate_bpm : float or None
        Mean ventricular rate in beats a minute.
    pr_ms, qrs_ms, qt_ms : float or None
        PR interval, QRS duration and (uncorrected) QT interval in milliseconds.
    qrs_axis_deg : float or None
        Frontal QRS axis in degrees, -180 to 180.
    """

    age: float | None = None
    sex: Sex | None = None
    heart_rate_bpm: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qrs_axis_deg: float | None = None

    def to_dict(self) -> dict[str, float | str]:
        """Return the attributes that are set, in the order of the class."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None}
