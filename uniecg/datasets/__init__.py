"""Data sets as iterables of :class:`Example`."""

from __future__ import annotations

from uniecg.datasets.examples import Example
from uniecg.datasets.ptbxl import read_ptbxl
from uniecg.datasets.shared import read_shared, read_table

__all__ = ["Example", "read_ptbxl", "read_shared", "read_table"]
