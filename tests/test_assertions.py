"""Reports are read with certainty and place in three languages, and what is read can be written again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniecg.record import LEADS
from uniecg.text.certainty import CERTAINTIES
from uniecg.text.statements import (
    PLACES,
    VOCABULARY,
    Assertion,
    find_statements,
    parse_assertions,
    parse_statements,
    render_statements,
)


@st.composite
def assertions(draw: st.DrawFn) -> Assertion:
    code = draw(st.sampled_from(sorted(VOCABULARY)))
    certainty = draw(st.sampled_from(CERTAINTIES))
    if not VOCABULARY[code].local:
        return Assertion(code, certainty)
    chosen = draw(st.sets(st.sampled_from(LEADS), max_size=6))
    if chosen:
        return Assertion(code, certainty, leads=tuple(lead for lead in LEADS if lead in chosen))
    return Assertion(code, certainty, place=draw(st.sampled_from((None, *PLACES))))


@given(
    st.lists(
        assertions(),
        max_size=10,
        unique_by=lambda assertion: (assertion.code, assertion.place, assertion.leads),
    )
)
def test_parsing_is_the_inverse_of_rendering(said: list[Assertion]) -> None:
    text = render_statements(said)
    assert parse_assertions(text) == said
    assert (
        parse_assertions(text.capitalize() + ".") == said
        if not any(assertion.leads for assertion in said)
        else True
    )
    assert parse_assertions(f"ST elevation in V2. Impression: {text}") == said


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    assert set(parse_statements(text)) <= set(VOCABULARY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # English
        ("possible left atrial enlargement", [Assertion("LAO/LAE", "possible")]),
        ("probable old inferior infarct", [Assertion("IMI", "probable")]),
        ("inferior myocardial infarction, probably old", [Assertion("IMI")]),
        ("cannot rule out anterior infarct", [Assertion("AMI", "not excluded")]),
        ("old inferior infarct cannot be entirely excluded", [Assertion("IMI", "not excluded")]),
        ("LVH is likely", [Assertion("LVH", "probable")]),
        ("findings consistent with myocardial ischaemia", [Assertion("ISC_", "probable")]),
        (
            "suspected WPW; no atrial fibrillation",
            [Assertion("WPW", "possible"), Assertion("AFIB", "denied")],
        ),
        ("sinus rhythm. Possible AF in the past", [Assertion("SR"), Assertion("AFIB", "possible")]),
        (
            "T waves are low or flat in I, aVL, V5,6",
            [Assertion("LOWT"), Assertion("LOWT", leads=("I", "aVL", "V5", "V6"))],
        ),
        (
            "T waves are flat in I and inverted in aVL",
            [Assertion("LOWT", leads=("I",)), Assertion("INVT", leads=("aVL",))],
        ),
        ("ST segments are depressed in V4-V6", [Assertion("STD_", leads=("V4", "V5", "V6"))]),
        ("inferior T wave inversion", [Assertion("INVT", place="inferior")]),
        ("ST elevation in anterior leads", [Assertion("STE_", place="anterior")]),
        ("left axis deviation, poor R wave progression", [Assertion("LAD"), Assertion("PRWP")]),
        ("right bundle branch block and bundle branch block", [Assertion("CRBBB"), Assertion("BBB")]),
        ("Mobitz II", [Assertion("2AVB")]),
        # German
        ("Sinusrhythmus, Linksschenkelblock", [Assertion("SR"), Assertion("CLBBB")]),
        ("unvollständiger Rechtsschenkelblock", [Assertion("IRBBB")]),
        ("V.a. Vorhofflimmern", [Assertion("AFIB", "possible")]),
        ("Verdacht auf Linkshypertrophie", [Assertion("LVH", "possible")]),
        ("inferiorer Infarkt wahrscheinlich alt", [Assertion("IMI")]),
        ("inferiorer Infarkt möglich", [Assertion("IMI", "possible")]),
        ("anteroseptaler Myokardschaden nicht auszuschliessen", [Assertion("ASMI", "not excluded")]),
        ("kein Vorhofflimmern, kein AV-Block II", [Assertion("AFIB", "denied"), Assertion("2AVB", "denied")]),
        ("M#glicher Hinterwandinfarkt", [Assertion("IMI", "possible")]),
        ("ventrikuläre Extrasystole(n) Lagetyp normal", [Assertion("PVC"), Assertion("NAXIS")]),
        ("T-Negativierung in V2-V4", [Assertion("INVT", leads=("V2", "V3", "V4"))]),
        ("T abnorm in inferioren Ableitungen", [Assertion("NDT", place="inferior")]),
        ("intraventr. Leitungsstoerung", [Assertion("IVCD")]),
        # Swedish
        ("sinusrytm vänstersidigt skänkelblock", [Assertion("SR"), Assertion("CLBBB")]),
        ("misstänkt vänster kammarhypertrofi", [Assertion("LVH", "possible")]),
        ("lateral myokardskada kan ej uteslutas", [Assertion("LMI", "not excluded")]),
        ("inferior infarkt sannolikt äldre", [Assertion("IMI")]),
        ("förmaksflimmer, inga extraslag", [Assertion("AFIB"), Assertion("PRC(S)", "denied")]),
        ("eljest normalt EKG", [Assertion("NORM")]),
        # Two statements in one word, abbreviations, and what SCP-ECG has no word for
        ("possible biatrial enlargement", [Assertion(code, "possible") for code in ("LAO/LAE", "RAO/RAE")]),
        ("bifascicular block", [Assertion("CRBBB"), Assertion("LAFB")]),
        ("inferior ST elevation MI, left-sided bundle branch block", [Assertion("IMI"), Assertion("CLBBB")]),
        (
            "TWI in V1-V2, STE in V3",
            [Assertion("INVT", leads=("V1", "V2")), Assertion("STE_", leads=("V3",))],
        ),
        ("Nonspecific T abnrm. Nonspecific repol abnormality", [Assertion("NT_"), Assertion("NST_")]),
        ("Sinus pause; NSVT", [Assertion("SARR"), Assertion("VT")]),
        ("CONSIDER ACUTE ST ELEVATION MI", [Assertion("STEMI", "possible")]),
        ("suggest exclude hypokalaemia", [Assertion("HYPOK", "possible")]),
        ("ventricular couplets, electrode reversal", [Assertion("COUPLET"), Assertion("REVERSAL")]),
        # Denied, past or left open
        ("LBBB not present. AF not seen", [Assertion("CLBBB", "denied"), Assertion("AFIB", "denied")]),
        ("MI ruled out, ischemia unlikely", [Assertion("MI", "denied"), Assertion("ISC_", "denied")]),
        ("LBBB no longer present and sinus rhythm", [Assertion("CLBBB", "denied"), Assertion("SR")]),
        (
            "previously AF; atrial flutter has resolved",
            [Assertion("AFIB", "denied"), Assertion("AFLT", "denied")],
        ),
        ("LBBB not present on the previous tracing", [Assertion("CLBBB")]),
        ("LBBB? MI should be ruled out", [Assertion("CLBBB", "possible"), Assertion("MI", "possible")]),
        ("no LVH, RVH", [Assertion("LVH", "denied"), Assertion("RVH", "denied")]),
        ("LVH or RVH cannot be excluded", [Assertion(code, "not excluded") for code in ("LVH", "RVH")]),
        (
            "no LBBB, RBBB with ST elevation",
            [Assertion("CLBBB", "denied"), Assertion("CRBBB"), Assertion("STE_")],
        ),
        ("no AF, sinus rhythm", [Assertion("AFIB", "denied"), Assertion("SR")]),
        ("instead of LBBB, RBBB", [Assertion("CLBBB", "denied"), Assertion("CRBBB")]),
        ("sinus rhythm. no acute changes, left bundle branch block", [Assertion("SR"), Assertion("CLBBB")]),
        ("no change in left bundle branch block", [Assertion("CLBBB")]),
        (
            "weder Linksschenkelblock noch Vorhofflimmern",
            [Assertion(code, "denied") for code in ("CLBBB", "AFIB")],
        ),
        (
            "kein Linksschenkelblock oder Vorhofflimmern",
            [Assertion(code, "denied") for code in ("CLBBB", "AFIB")],
        ),
        ("kein Anhalt für einen abgelaufenen Infarkt", [Assertion("MI", "denied")]),
        (
            "kein Hinweis auf akute Ischämie, Linksschenkelblock",
            [Assertion("ISC_", "denied"), Assertion("CLBBB")],
        ),
        (
            "Vorhofflimmern nicht mehr nachweisbar Sinusrhythmus",
            [Assertion("AFIB", "denied"), Assertion("SR")],
        ),
        ("Infarkt nicht sicher ausgeschlossen", [Assertion("MI", "not excluded")]),
        ("inga tecken till hypertrofi eller ischemi", [Assertion("ISC_", "denied")]),
        ("inte förmaksflimmer", [Assertion("AFIB", "denied")]),
        ("kan inte uteslutas LVH", [Assertion("LVH", "not excluded")]),
    ],
)
def test_reports(text: str, said: list[Assertion]) -> None:
    assert parse_assertions(text) == said


def test_the_most_certain_claim_counts() -> None:
    assert parse_assertions("possible LVH. Voltages are high. LVH") == [Assertion("LVH"), Assertion("VCLVH")]


def test_statements_of_a_report() -> None:
    text = "Mobitz I. left axis deviation; no RBBB; possible IMI; second degree AV block, Mobitz type I"
    assert parse_statements(text) == ["2AVB", "IMI"]


def test_requests_show_the_model_what_they_always_did() -> None:
    # Tokens stand for English names only, as in the training of the shipped weights.
    assert find_statements("Linksschenkelblock, left axis deviation, T waves are inverted") == []
    assert [mention.code for mention in find_statements("LBBB, no AF")] == ["CLBBB", "AFIB"]


def test_claims_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="not said of single leads"):
        Assertion("SR", place="inferior")
    with pytest.raises(ValueError, match="not one of"):
        Assertion("INVT", place="upper")
    with pytest.raises(ValueError, match="named as well"):
        Assertion("INVT", place="inferior", leads=("II",))
    with pytest.raises(KeyError):
        render_statements([Assertion("XYZ")])
