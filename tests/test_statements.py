"""The vocabulary is unambiguous: names, synonyms and codes are read back as the statement they belong to."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniecg.text.statements import (
    RHYTHMS,
    STATEMENTS,
    SUPERCLASSES,
    join_names,
    parse_statements,
    superclasses_of,
)

SHARED = Path(os.environ.get("UNIECG_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))


def test_vocabulary_is_complete_and_documented() -> None:
    assert len(STATEMENTS) == 71
    assert len(RHYTHMS) == 12
    for code, statement in STATEMENTS.items():
        assert statement.code == code
        assert statement.kind in ("diagnostic", "form", "rhythm")
        assert statement.superclass in (*SUPERCLASSES, None)
        assert (statement.superclass is not None) == (statement.kind == "diagnostic")
        assert len(statement.synonyms) >= 3
        assert statement.definition.endswith(".")
        assert 8 <= len(statement.definition.split()) <= 60


def test_names_and_snomed_codes_are_unique() -> None:
    names = [statement.name for statement in STATEMENTS.values()]
    assert len(set(names)) == len(names)
    phrases = [p.lower() for s in STATEMENTS.values() for p in (s.name, *s.synonyms)]
    assert sorted(p for p in set(phrases) if phrases.count(p) > 1) == []
    snomed = [s.snomed for s in STATEMENTS.values() if s.snomed]
    assert len(set(snomed)) == len(snomed)


@pytest.mark.parametrize("code", STATEMENTS)
def test_every_phrase_means_its_statement(code: str) -> None:
    statement = STATEMENTS[code]
    for phrase in (code, statement.name, *statement.synonyms):
        assert parse_statements(phrase) == [code], phrase
        if phrase != code:
            assert parse_statements(f"Please draw {phrase.upper()}, thank you") == [code], phrase


@given(st.lists(st.sampled_from(sorted(STATEMENTS)), unique=True))
def test_joined_names_are_read_back_in_order(codes: list[str]) -> None:
    assert parse_statements(join_names(codes)) == codes
    assert parse_statements(f"Rate 72 bpm. Impression: {join_names(codes)}.") == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("incomplete left bundle branch block", ["ILBBB"]),
        ("complete LBBB and 1st-degree A-V block", ["CLBBB", "1AVB"]),
        ("normal sinus rhythm", ["SR"]),
        ("a normal 12-lead ECG", ["NORM"]),
        ("an abnormal ECG", []),
        ("afib with frequent PVCs", ["AFIB", "PVC"]),
        ("voltage criteria for LVH", ["VCLVH"]),
        ("Inferior ischaemia and T-wave inversions", ["ISCIN", "INVT"]),
        ("sinus rhythm, no atrial fibrillation, left anterior hemiblock", ["SR", "LAFB"]),
        ("sinus rhythm without ST elevation, Q waves or LBBB", ["SR"]),
        ("not atrial flutter but atrial fibrillation", ["AFIB"]),
        ("AF is not present; RBBB", ["CRBBB"]),
        ("AF cannot be excluded", ["AFIB"]),
        ("inferior MI not ruled out", ["IMI"]),
        ("the pace of life and normal digging", []),
        ("", []),
        ("ST elevation in V2 V3. Impression: sinus rhythm, anterior myocardial infarction", ["SR", "AMI"]),
    ],
)
def test_free_text(text: str, codes: list[str]) -> None:
    assert parse_statements(text) == codes


def test_superclasses() -> None:
    assert superclasses_of(["CLBBB", "IMI", "SR"]) == ("MI", "CD")
    assert superclasses_of(["NORM", "SR"]) == ("NORM",)


def test_matches_ptbxl_table() -> None:
    path = SHARED / "data" / "text" / "scp_statements.csv"
    if not path.exists():
        pytest.skip("the PTB-XL statement table lies outside the repository")
    with path.open(encoding="utf-8", newline="") as lines:
        table = {row[""]: row["diagnostic_class"] or None for row in csv.DictReader(lines)}
    assert table == {code: statement.superclass for code, statement in STATEMENTS.items()}
