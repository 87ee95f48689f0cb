"""Fixtures that several test files use: the example records and, where it is there, the shared data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from uniecg.examples import EXAMPLES, example_path
from uniecg.io import read_record
from uniecg.record import Record


@pytest.fixture(scope="session")
def examples() -> dict[str, Record]:
    """All example records by name."""
    return {name: read_record(example_path(name)) for name in EXAMPLES}


@pytest.fixture(scope="session")
def normal(examples: dict[str, Record]) -> Record:
    """A normal ECG in sinus rhythm."""
    return examples["normal"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data beside the project; tests that want it are skipped where it is not there."""
    folder = Path(os.environ.get("UNIECG_SHARED") or Path(__file__).resolve().parents[1].parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip("needs the shared data folder (set UNIECG_SHARED)")
    return folder
