"""UniECG interprets 12-lead ECGs with evidence and generates them from words.

``import uniecg`` is fast: each public name is loaded from its module when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attributes import Attributes
    from .errors import UniECGError
    from .io import read_record, write_record
    from .pipeline import load_pipeline
    from .plot import plot_record
    from .record import LEADS, Record
    from .report import Evidence, Finding, Report
    from .signal import measure

__version__ = "0.1.0"

__all__ = [
    "LEADS",
    "Attributes",
    "Evidence",
    "Finding",
    "Record",
    "Report",
    "UniECGError",
    "__version__",
    "load_pipeline",
    "measure",
    "plot_record",
    "read_record",
    "write_record",
]

_MODULE_OF = {
    "LEADS": "record",
    "Attributes": "attributes",
    "Evidence": "report",
    "Finding": "report",
    "Record": "record",
    "Report": "report",
    "UniECGError": "errors",
    "load_pipeline": "pipeline",
    "measure": "signal",
    "plot_record": "plot",
    "read_record": "io",
    "write_record": "io",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
