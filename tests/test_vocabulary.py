"""The larger vocabulary: codes, relations, what statements imply, and that the model's part of it stays as it is."""

from __future__ import annotations

import csv
import hashlib
import math
import os
from pathlib import Path

import pytest

from uniecg.record import Record
from uniecg.signal import measure
from uniecg.signal.criteria import CRITERIA
from uniecg.signal.rules import value_of
from uniecg.text.slots import STATEMENT_TOKENS
from uniecg.text.statements import (
    CODE_OF_SNOMED,
    RHYTHMS,
    STATEMENTS,
    SUPERCLASSES,
    VOCABULARY,
    Limit,
    conflicts,
    nearest_statement,
    parse_assertions,
)

SHARED = Path(os.environ.get("UNIECG_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))


def test_the_models_statements_keep_their_order() -> None:
    # Weights were trained with one token and one row of a table for each, in this order.
    order = hashlib.sha256("|".join(STATEMENTS).encode()).hexdigest()
    assert order == "f4e91d46b432d554c38780b5bbb692082738c0f5b0c32792bab708cbae5c227b"
    assert len(STATEMENT_TOKENS) == 71
    assert list(VOCABULARY)[:71] == list(STATEMENTS)
    assert len(VOCABULARY) > 90


def test_entries_are_complete() -> None:
    for code, statement in VOCABULARY.items():
        assert statement.code == code
        assert statement.kind in ("diagnostic", "form", "rhythm")
        assert statement.superclass in (*SUPERCLASSES, None)
        assert len(statement.synonyms) >= 2, code
        assert statement.definition.endswith("."), code
        assert 8 <= len(statement.definition.split()) <= 60, code
        assert statement.parent is None or statement.parent in VOCABULARY
        assert all(concept.isdigit() for concept in (statement.snomed, *statement.other_snomed) if concept)
    spoken = [s for s in VOCABULARY.values() if s.wordings["de"] and s.wordings["sv"]]
    assert len(spoken) > 75


def test_families_end_and_exclusions_are_mutual() -> None:
    for code, statement in VOCABULARY.items():
        seen, parent = {code}, statement.parent
        while parent is not None:
            assert parent not in seen, code
            assert parent not in statement.excludes, code
            seen.add(parent)
            parent = VOCABULARY[parent].parent
        assert all(code in VOCABULARY[other].excludes for other in statement.excludes)
        assert code not in statement.excludes
    assert conflicts(["SR", "CLBBB", "AFIB", "CRBBB"]) == [("SR", "AFIB"), ("CLBBB", "CRBBB")]
    assert conflicts(["SBRAD", "1AVB", "LAD"]) == []
    assert (nearest_statement("2AVB1"), nearest_statement("LAD"), nearest_statement("SR")) == (
        "2AVB",
        None,
        "SR",
    )


def test_implications_name_quantities_that_are_measured(examples: dict[str, Record]) -> None:
    m = measure(examples["normal"])
    for statement in VOCABULARY.values():
        for limit in statement.implies:
            assert isinstance(value_of(m, limit.quantity, None), float)
    for limit in VOCABULARY["NORM"].implies:
        assert limit.allows(value_of(m, limit.quantity, None)), limit
    assert not VOCABULARY["CLBBB"].implies[0].allows(m.qrs_ms)


def test_limits() -> None:
    assert VOCABULARY["CLBBB"].implies == (Limit("qrs_ms", ">=", 120.0),)
    assert Limit("qrs_ms", ">=", 120).allows(120)
    assert not Limit("qrs_ms", "<", 120).allows(120)
    assert not Limit("qrs_ms", ">", 120).allows(120)
    assert Limit("qrs_axis_deg", "<=", -30).allows(-30)
    assert not Limit("qrs_ms", ">", 120).allows(math.nan)


def test_limits_of_one_statement_can_be_met_together() -> None:
    for code, statement in VOCABULARY.items():
        for quantity in {limit.quantity for limit in statement.implies}:
            limits = [limit for limit in statement.implies if limit.quantity == quantity]
            tried = [limit.value + step for limit in limits for step in (-0.01, 0, 0.01)]
            assert any(all(limit.allows(value) for limit in limits) for value in tried), code


def test_every_rhythm_but_ectopy_excludes_another() -> None:
    for code in set(RHYTHMS) - {"SVARR", "PACE", "BIGU", "TRIGU", "SARRH"}:
        assert set(VOCABULARY[code].excludes) & set(RHYTHMS), code


def test_what_the_criteria_find_can_be_said() -> None:
    said = set(CRITERIA)
    unsaid = {code for code in said if code not in VOCABULARY and not code.startswith("STEMI")}
    assert unsaid <= {"SNORMO"}


@pytest.mark.parametrize("code", VOCABULARY)
def test_every_wording_names_its_statement(code: str) -> None:
    statement = VOCABULARY[code]
    assert [assertion.code for assertion in parse_assertions(statement.name)] == [code]
    for phrase in statement.synonyms:
        assert [assertion.code for assertion in parse_assertions(phrase)] == [code], phrase
    for group in statement.wordings.values():
        for phrase in group:
            if "..." not in phrase and "[" not in phrase:
                assert code in [assertion.code for assertion in parse_assertions(phrase.replace("~", ""))], (
                    phrase
                )


def test_scored_classes_of_the_challenge_have_a_statement() -> None:
    path = SHARED / "data" / "text" / "challenge2021_dx_mapping_scored.csv"
    if not path.exists():
        pytest.skip("the Challenge's table lies outside the repository")
    with path.open(encoding="utf-8", newline="") as lines:
        scored = {row["SNOMEDCTCode"]: row["Dx"] for row in csv.DictReader(lines)}
    assert len(scored) == 30
    for concept, name in scored.items():
        assert concept in CODE_OF_SNOMED, name
    # What the Challenge scores as one diagnosis is one statement.
    for a, b in (
        ("733534002", "164909002"),
        ("713427006", "59118001"),
        ("284470004", "63593006"),
        ("427172004", "17338001"),
    ):
        assert CODE_OF_SNOMED[a] == CODE_OF_SNOMED[b]


def test_aha_codes_agree_with_published_tables() -> None:
    folder = SHARED / "data" / "text"
    if not folder.exists():
        pytest.skip("the published tables lie outside the repository")
    with (folder / "AHA_SNOMED_mapping.csv").open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            # The table also maps codes with modifiers of frequency and rate, which mean the same statement.
            known = VOCABULARY[CODE_OF_SNOMED[row["SNOMEDCTCode"]]].aha
            assert known in (row["AHA_Code"], row["AHA_Code"].split("+")[0]), row
