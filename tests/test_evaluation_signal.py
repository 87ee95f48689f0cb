"""Tasks that ask the criteria instead of the model, on records whose waves are known exactly."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_ecg import regular, synthetic

from uniecg.errors import InputError
from uniecg.evaluation import WITHOUT_MODEL, ecg_reasoning, rhythm
from uniecg.evaluation.reasoning_chains import CHAINS
from uniecg.signal import measure
from uniecg.signal.rules import Some

PR_OPTIONS = ["Below 120ms", "[120ms - 140ms]", "[140ms - 160ms]", "[160ms - 180ms]", "[180ms - 200ms]"]
FURTHER = ecg_reasoning.FURTHER


def question(kind: str, text: str, options: list[str], answer: str | list[str]) -> dict[str, Any]:
    return {"question_type": kind, "question": text, "options": options, "answer": answer}


def step(
    name: str, others: list[str], finding: str, grounding: list[dict[str, Any]], decision: str
) -> dict[str, Any]:
    return {
        "criterion_selection": question("criterion_selection", "Which criterion?", [*others, name], name),
        "finding_identification": question("finding_identification", "Is it so?", ["Yes", "No"], finding),
        "ecg_grounding": grounding,
        "diagnostic_decision": question("diagnostic_decision", "And so?", ["Yes", "No", FURTHER], decision),
    }


def item(number: int, diagnosis: str, answer: str, *steps: dict[str, Any]) -> dict[str, Any]:
    first = question("initial_diagnostic_question", "Is it there?", ["Yes", "No"], answer)
    return {
        "metadata": {"data_source": "ptbxl", "ecg_id": str(number), "target_dx": diagnosis},
        "data": {"initial_diagnostic_question": first, "reasoning": list(steps)},
    }


@pytest.fixture(scope="module")
def normal_item() -> dict[str, Any]:
    """No first degree block at 60/min: R peaks at 0.4, 1.4, ... s, P waves from 0.21 to 0.11 s before them."""
    conducted, prolonged = CHAINS["first_degree_av_block"].criteria
    wave = question(
        "wave_grounding",
        "In which segment can you observe a P wave that demonstrates a non-prolonged PR interval?",
        ["[2.37s - 2.44s]", "[3.19s - 3.29s]", "[4.59s - 4.77s]"],
        "[3.19s - 3.29s]",
    )
    value = question("measurement_grounding", "Which range of the PR interval?", PR_OPTIONS, PR_OPTIONS[3])
    other = "Presence of fragmented QRS complexes"
    return item(
        1,
        "first_degree_av_block",
        "No",
        step(conducted, [other], "Yes", [], FURTHER),
        step(prolonged, [other], "No", [wave, value], "No"),
    )


@pytest.fixture
def folder(tmp_path: Path, normal_item: dict[str, Any]) -> Path:
    """Three PTB-XL records in the layout of the shared data, one with irregular beats, and two items."""
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet data sets need the extra 'formats'")
    import pyarrow.parquet as pq

    rng = np.random.default_rng(3)
    odd = 0.4 + np.concatenate([[0.0], np.cumsum(rng.uniform(0.45, 1.05, 20))])
    records = [
        synthetic(regular(60)),
        synthetic(odd[odd < 9.8], p=False, noise_mv=0.01),
        synthetic(regular(75)),
    ]
    columns = {
        "split": ["test", "test", "val"],
        "uid": [f"ptbxl-{number:05d}" for number in (1, 2, 3)],
        "patient": ["a", "b", "c"],
        "dataset": ["PTB-XL"] * 3,
        "scp_statements": ["NORM|SR", "AFIB", "SR"],
        "sampling_rate": [500.0] * 3,
        "signal_uv": [np.round(record.signal * 1000).astype(np.int16).ravel() for record in records],
    }
    (tmp_path / "ecg").mkdir()
    pq.write_table(pyarrow.table(columns), tmp_path / "ecg" / "ecg_500hz.parquet")
    (tmp_path / "ecg_reasoning_benchmark").mkdir()
    missing = copy.deepcopy(normal_item)
    missing["metadata"]["ecg_id"] = "77"
    lines = "\n".join(json.dumps(item) for item in (normal_item, missing))
    (tmp_path / "ecg_reasoning_benchmark" / "items.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return tmp_path


def test_a_whole_chain(folder: Path) -> None:
    outcome = ecg_reasoning.run(data=folder)
    assert (outcome["n"], outcome["without_waveform"]) == (1, 1)
    assert {name: entry["value"] for name, entry in outcome["metrics"].items()} == dict.fromkeys(
        outcome["metrics"], 1.0
    )
    # 2 initial, 2 criteria of 2, 2 findings of 2, one wave of 3, one range of 5, 2 decisions of 3
    assert outcome["metrics"]["whole_chain"]["baseline"] == pytest.approx(1 / (2 * 4 * 4 * 3 * 5 * 9))
    json.dumps(outcome, allow_nan=False)


def test_the_right_answers_are_not_looked_at(normal_item: dict[str, Any]) -> None:
    m = measure(synthetic(regular(60)))
    given = [(asked.stage, asked.given) for asked in ecg_reasoning.answer_item(normal_item, m)]
    blind = json.loads(
        json.dumps(normal_item), object_hook=lambda d: {**d, "answer": "?"} if "answer" in d else d
    )
    assert [(asked.stage, asked.given) for asked in ecg_reasoning.answer_item(blind, m)] == given


def test_chains_ask_on_until_the_decision_stands() -> None:
    chain = CHAINS["complete_right_bundle_branch_block"]
    wide, r_s_r, broad, slurred = chain.criteria
    assert chain.next_criterion({}, [slurred, wide]) == wide
    assert chain.decide({wide: True, r_s_r: True}) is None
    assert chain.next_criterion({wide: True, r_s_r: True}, [broad, slurred]) == slurred
    assert chain.next_criterion({wide: True, r_s_r: False}, [broad, slurred]) == broad
    assert chain.decide({wide: True, r_s_r: False, broad: False}) is False
    assert chain.decide({wide: True, r_s_r: True, slurred: True}) is True


def test_hypertrophy_is_decided_when_all_voltages_are_known() -> None:
    chain = CHAINS["left_ventricular_hypertrophy"]
    avl, sokolow, cornell, strain = chain.criteria
    assert chain.decide({avl: True, sokolow: True}) is None
    assert chain.decide({avl: True, sokolow: True, cornell: False}) is True
    assert chain.decide({avl: True, sokolow: False, cornell: False}) is None
    assert chain.decide({avl: True, sokolow: False, cornell: False, strain: False}) is False
    assert chain.decide({avl: False, sokolow: False, cornell: False}) is False


def test_what_is_asked_for_by_lead_can_be_answered_by_lead() -> None:
    for chain in CHAINS.values():
        for name, criterion in chain.criteria.items():
            if "in lateral leads" in name and "notched" not in name:
                assert isinstance(criterion.rule, Some), name


def test_rhythm_from_criteria(folder: Path) -> None:
    outcome = rhythm.run(data=folder, split="val+test")
    assert outcome["n"] == 3
    assert outcome["metrics"]["macro_f1"]["value"] == 1.0
    assert outcome["metrics"]["macro_f1"]["baseline"] == pytest.approx(0.4)
    assert outcome["confusion"]["fibrillation"] == {"fibrillation": 1}
    assert rhythm.run(data=folder, split="val")["n"] == 1


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs --data"):
        ecg_reasoning.run()
    with pytest.raises(InputError, match=r"holds no ecg_reasoning_benchmark"):
        ecg_reasoning.run(data=tmp_path)
    (tmp_path / "bad.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(InputError, match=r"bad\.jsonl\.gz, line 1"):
        ecg_reasoning.run(data=tmp_path)
    (tmp_path / "bad.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match=r"bad\.jsonl\.gz: not a readable gzip"):
        ecg_reasoning.run(data=tmp_path)


@pytest.mark.slow
def test_targets_on_the_shared_data(shared: Path) -> None:
    assert {"rhythm", "ecg-reasoning"} <= WITHOUT_MODEL
    assert ecg_reasoning.run(data=shared / "data")["metrics"]["whole_chain"]["value"] >= 0.4
    assert rhythm.run(data=shared / "data", split="val+test")["metrics"]["macro_f1"]["value"] >= 0.85
