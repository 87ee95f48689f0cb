"""Report: what was found in an ECG, in words and as findings with their evidence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["Evidence", "Finding", "Report", "Status"]

Status: TypeAlias = Literal["supported", "contradicted", "unverified"]


def _plain(value: Any) -> Any:
    """JSON-ready copy: mappings and sequences of plain values, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if hasattr(value, "tolist"):  # NumPy scalar or array
        return _plain(value.tolist())
    number = float(value)
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Evidence:
    """One measured value and the place in the record where it was measured.

    Attributes
    ----------
    lead : str or None
        Lead name; None if the value belongs to all leads.
    start_s, end_s : float
        Time span in seconds from the start of the record.
    quantity : str
        What was measured, such as ``"qrs_ms"``.
    value : float or None
        The value in `unit`; None if the evidence is a place only.
    unit : str
        Unit of `value`; empty if it has none.
    """

    lead: str | None
    start_s: float
    end_s: float
    quantity: str
    value: float | None = None
    unit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready dictionary; NaN becomes None."""
        fields = ("lead", "start_s", "end_s", "quantity", "value", "unit")
        return {name: _plain(getattr(self, name)) for name in fields}


@dataclass(frozen=True)
class Finding:
    """One statement of the report and whether the measurements bear it out.

    Attributes
    ----------
    code, name : str
        SCP-ECG code and preferred name.
    status : {"supported", "contradicted", "unverified"}
        Result of checking the criteria of the statement against the measurements.
    evidence : tuple of Evidence
        The measurements that decided it.
    """

    code: str
    name: str
    status: Status
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready dictionary."""
        return {
            "code": self.code,
            "name": self.name,
            "status": self.status,
            "evidence": [item.to_dict() for item in self.evidence],
        }


@dataclass(frozen=True)
class Report:
    """Interpretation of one ECG.

    Attributes
    ----------
    text : str
        The answer in words.
    findings : tuple of Finding
        Statements of the answer, each checked against the measurements.
    measurements : mapping
        Measured values, as `Measurements.to_dict` gives them.
    quality : str
        ``"usable"``, ``"limited"`` or ``"unusable"``; empty if there was no signal to judge.
    warnings : tuple of str
        What a reader should know: contradicted claims, poor leads, missing leads.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    measurements: Mapping[str, Any] = field(default_factory=dict)
    quality: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def contradicted(self) -> tuple[Finding, ...]:
        """Findings that the measurements speak against."""
        return tuple(finding for finding in self.findings if finding.status == "contradicted")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready dictionary; NaN becomes None."""
        return {
            "text": self.text,
            "findings": [finding.to_dict() for finding in self.findings],
            "measurements": _plain(self.measurements),
            "quality": self.quality,
            "warnings": list(self.warnings),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """JSON text (strict: no NaN), keys in a fixed order."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        return self.text
