"""Explanations in the registers for people: order, evidence, variety, and nothing that the record does not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import MEASUREMENTS, beats, example
from synthetic_ecg import regular, synthetic

from uniecg.evaluation import explanations
from uniecg.evaluation.referee import Ruling, referee, referee_json
from uniecg.record import Record
from uniecg.signal import measure
from uniecg.signal.criteria import CRITERIA, findings
from uniecg.signal.measurements import Measurements
from uniecg.signal.quality import Quality
from uniecg.signal.rules import Every, Rule, Some, Unless, Within
from uniecg.simulate import simulate
from uniecg.text.explain import STYLES, explain
from uniecg.text.explain.evidence import SHOWN_AS
from uniecg.text.explain.wording import families, has_family, say
from uniecg.text.grammar import Choice, Node
from uniecg.text.statements import STATEMENTS, parse_statements

CODES = st.lists(st.sampled_from(sorted(STATEMENTS)), unique=True, max_size=6)
PROSE = ("line", "reasoning", "teaching")


def judge(text: str, m: Measurements, style: str) -> list[Ruling]:
    return referee_json(text, m) if style == "json" else referee(text, m)


def wrong(text: str, m: Measurements, style: str = "reasoning") -> list[Ruling]:
    return [ruling for ruling in judge(text, m, style) if not ruling.ok]


def test_reasoning_goes_through_the_protocol_and_ends_in_one_line(examples: dict[str, Record]) -> None:
    m = measure(examples["left_bundle_branch_block"])
    lines = explain(m, findings(m), style="reasoning").split("\n")
    assert [line.split(":")[0] for line in lines] == [
        "Quality",
        "Rhythm",
        "Rate",
        "Intervals",
        "Axis",
        "P wave",
        "QRS",
        "ST-T",
        "Conclusions",
        "Impression",
    ]
    assert lines[-1] == ("Impression: sinus rhythm, complete left bundle branch block.")
    # Criterion, value and the time of the beat it was read from.
    middle = m.beats.qrs_on_s[m.beats.dominant][int(m.beats.dominant.sum()) // 2]
    assert f"“QRS of 120 ms or more” is met: QRS {round(m.qrs_ms)} ms ({middle:.2f}-" in lines[8]
    assert re.search(r"“dominant S in V1 and V2” is met: negative share of QRS \d+ % in V1", lines[8])


def test_one_line_is_one_line() -> None:
    assert explain(example(), ["SR", "IMI"], style="line") == (
        "Impression: sinus rhythm, inferior myocardial infarction: rate 72 bpm, PR 160 ms, QRS 92 ms, QT 400 ms, "
        "QTc 425 ms and axis 45 degrees."
    )


def test_teaching_adds_what_a_student_should_know() -> None:
    reasoning, teaching = (explain(example(), ["SR"], style=style) for style in ("reasoning", "teaching"))  # type: ignore[arg-type]
    assert len(teaching) > 1.5 * len(reasoning)
    assert "60 to 100 bpm is normal" in teaching
    assert "A word on sinus rhythm: the sinus node leads" in teaching


def test_json_holds_every_step_and_the_evidence() -> None:
    told = json.loads(explain(example(), ["SR", "IMI", "AFIB"], style="json"))
    assert list(told) == [
        "quality",
        "rhythm",
        "rate",
        "intervals",
        "axis",
        "p_wave",
        "qrs",
        "st_t",
        "conclusions",
        "impression",
    ]
    assert told["rate"] == {"value": 72.3, "unit": "bpm", "word": "normal"}
    assert told["st_t"]["st_elevation"] == {"II": 0.18, "III": 0.18, "aVF": 0.18}
    assert {item["code"]: item["status"] for item in told["conclusions"]} == {
        "SR": "met",
        "AFIB": "not met",
        "IMI": "met",
    }
    infarct = next(item for item in told["conclusions"] if item["code"] == "IMI")["criteria"][0]
    assert [item["lead"] for item in infarct["evidence"]] == ["II", "III", "aVF"]
    assert told["impression"] == ["sinus rhythm", "inferior myocardial infarction"]


@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3, 4])
def test_only_what_meets_its_criteria_is_affirmed(seed: int | None) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    text = explain(example(), ["AFIB", "SR", "IPMI"], style="reasoning", rng=rng)
    assert parse_statements(text) == ["SR"]
    assert re.search(r"trial fibrillation.*is not met|is not met.*atrial fibrillation", text)
    assert re.search(r"nferoposterior myocardial infarction.*measurements", text)
    assert "fibrillation" not in explain(example(), ["AFIB", "SR"], style="line", rng=rng)


@pytest.mark.parametrize("style", PROSE)
def test_a_recording_that_cannot_be_judged_gets_no_reading(style: str) -> None:
    spoiled = example(quality=Quality("unusable", ("no repeating QRS complex",), {}))
    text = explain(spoiled, ["SR"], style=style)  # type: ignore[arg-type]
    assert "no repeating QRS complex" in text
    assert "72" not in text
    assert parse_statements(text) == []


def test_noisy_leads_are_named_and_amplitudes_without_scale_are_not() -> None:
    noisy = example(quality=Quality("usable", ("1 of 12 leads noisy",), {"V3": ("muscle noise",)}))
    assert "muscle noise in V3" in explain(noisy, [], style="reasoning").lower().replace("v3", "V3")
    text = explain(example(amplitude_known=False), ["SR", "IMI"], style="teaching")
    assert "mV in" not in re.sub(r"0\.25 mV or more in II", "", text)


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_p_waves_of_their_own_rate_are_told_with_the_blocked_ones(seed: int | None) -> None:
    m = measure(simulate(["3AVB"], rng=np.random.default_rng(0), noise=1.0).record)
    rng = None if seed is None else np.random.default_rng(seed)
    text = explain(m, findings(m), style="reasoning", rng=rng)
    rate, blocked = round(m.p_rate_bpm), round(m.blocked_p_count)
    assert re.search(rf"{rate} (?:per minute|bpm)", text)
    assert "not tied to the QRS complexes" in text.lower().replace("qrs", "QRS")
    assert re.search(rf"P waves[^.:]*: {blocked}\.", text)
    assert wrong(text, m) == []
    assert wrong(text.replace(f"{rate} ", f"{rate + 1} "), m)
    assert wrong(text.replace(f": {blocked}.", f": {blocked + 1}."), m)
    assert wrong("P waves are missing: just 0 % of the complexes have one.", m)
    assert wrong("P waves are not tied to the QRS complexes.", example())


def test_early_beats_have_their_times() -> None:
    m = example(beats=beats(12, premature=2), rr_cv=0.08)
    assert "2 beats, at 0.50 and 1.30 s" in explain(m, ["SR"], style="reasoning")


def test_q_waves_that_a_block_explains_are_not_called_pathological(examples: dict[str, Record]) -> None:
    m = measure(examples["left_bundle_branch_block"])
    for seed in range(10):
        text = explain(m, findings(m), style="reasoning", rng=np.random.default_rng(seed))
        assert "pathological Q" not in text
        assert "arge Q waves" in text


@settings(max_examples=20, deadline=None)
@given(MEASUREMENTS, CODES, st.integers(0, 2**32 - 1))
def test_the_referee_finds_no_contradiction(m: Measurements, codes: list[str], seed: int) -> None:
    for style in ("line", "reasoning", "teaching", "json"):
        for rng in (None, np.random.default_rng(seed)):
            text = explain(m, codes, rng=rng, style=style)  # type: ignore[arg-type]
            assert wrong(text, m, style) == [], text
            assert "nan" not in text.replace("dominant", "")


def test_no_contradiction_on_real_records(examples: dict[str, Record]) -> None:
    for record in examples.values():
        m = measure(record)
        for style in STYLES:
            for seed in range(4):
                rng = np.random.default_rng(seed)
                text = explain(m, findings(m), rng=rng, style=style)  # type: ignore[arg-type]
                assert wrong(text, m, style) == [], text


@pytest.mark.parametrize("seed", range(3))
def test_the_referee_notices_every_changed_number_lead_and_statement(
    examples: dict[str, Record], seed: int
) -> None:
    m = measure(examples["left_bundle_branch_block"])
    text = explain(m, findings(m), style="reasoning", rng=np.random.default_rng(seed))
    told = re.sub(r"“[^”]*”", lambda quote: "_" * len(quote[0]), text)
    for number in re.finditer(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\d.]*\d)", told):
        decimals = len(number[0].partition(".")[2])
        changed = f"{float(number[0]) + 7 * 10**-decimals:.{decimals}f}"
        assert wrong(text[: number.start()] + changed + text[number.end() :], m), number[0]
    for said in re.finditer(r"is met|holds(?=:)", text):
        assert wrong(text[: said.start()] + "is not met" + text[said.end() :], m)
    assert wrong(text.replace("left bundle branch block", "right bundle branch block"), m)
    assert wrong(text + "\nST elevation in II.", m)
    assert wrong(text + "\nThe rhythm is irregular.", m)
    assert wrong(text + "\nThe moon is 3 years old.", m)


def _quantities(rule: Rule) -> Iterator[str]:
    if isinstance(rule, Within):
        yield rule.quantity
    elif isinstance(rule, Every | Some):
        for part in rule.parts:
            yield from _quantities(part)
    elif isinstance(rule, Unless):
        yield from _quantities(rule.part)
    elif hasattr(rule, "rule"):
        yield from _quantities(rule.rule)


def test_the_grammar_has_words_for_every_quantity_and_never_says_i() -> None:
    for diagnosis in CRITERIA.values():
        for quantity in _quantities(diagnosis.rule):
            assert has_family(f"e.{SHOWN_AS.get(quantity, quantity)}"), quantity

    def literals(nodes: tuple[Node, ...]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, Choice):
                for option in node.options:
                    yield from literals(option)
            elif isinstance(node, str):
                yield node

    for name, templates in families().items():
        for nodes in templates:
            for literal in literals(nodes):
                assert not re.search(r"\bI (?:see|read|call|measure|find|think)\b", literal), name
    assert {name.removeprefix("about.") for name in families() if name.startswith("about.")} <= set(
        STATEMENTS
    )


def test_wordings_are_drawn_evenly() -> None:
    rng = np.random.default_rng(0)
    drawn = [say("axis_normal", {"axis": "45"}, rng) for _ in range(3000)]
    counts = {text: drawn.count(text) for text in set(drawn)}
    assert len(counts) > 60
    assert max(counts.values()) < 0.04 * len(drawn)


def test_skeletons_mask_numbers_leads_and_names() -> None:
    one = explanations.skeleton("ST elevation in II, III and aVF, up to 0.20 mV in III.")
    assert one == explanations.skeleton("ST elevation in V2, up to 0.31 mV in V2.")
    assert explanations.skeleton("Impression: sinus rhythm, normal ECG.") == "Impression: <name>."
    assert explanations.sentences("Rate: The rate is 60.5 bpm. It is normal.\nAxis 3 degrees.") == [
        "The rate is 60.5 bpm.",
        "It is normal.",
        "Axis 3 degrees.",
    ]


def test_the_task_counts_claims_and_skeletons(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet data sets need the extra 'formats'")
    import pyarrow.parquet as pq

    records = [synthetic(regular(rate)) for rate in (50, 60, 75, 110)]
    columns = {
        "split": ["val"] * 4,
        "uid": [f"ptbxl-{number:05d}" for number in range(4)],
        "patient": list("abcd"),
        "dataset": ["PTB-XL"] * 4,
        "scp_statements": ["SR"] * 4,
        "sampling_rate": [500.0] * 4,
        "signal_uv": [np.round(record.signal * 1000).astype(np.int16).ravel() for record in records],
    }
    pq.write_table(pyarrow.table(columns), tmp_path / "ecg_500hz.parquet")
    outcome = explanations.run(data=tmp_path / "ecg_500hz.parquet", split="val")
    assert (outcome["n"], outcome["explanations"]) == (4, 4 * len(STYLES))
    assert outcome["first_contradictions"] == []
    assert outcome["contradictions"] == 0
    assert sum(outcome["claims"].values()) > 400
    assert outcome["distinct_sentences"]["all"] > 80
    assert outcome == explanations.run(data=tmp_path / "ecg_500hz.parquet", split="val")
    json.dumps(outcome, allow_nan=False)


def test_the_task_reaches_its_aims_on_the_shared_data(shared: Path) -> None:
    outcome = explanations.run(data=shared / "data", split="val", n=30)
    assert outcome["contradictions"] == 0, outcome["first_contradictions"]
