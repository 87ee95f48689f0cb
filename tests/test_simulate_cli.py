"""The command `simulate` and the task that measures what it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from uniecg.cli import app
from uniecg.cli.simulate import read_request
from uniecg.evaluation import TASKS, WITHOUT_MODEL, simulator
from uniecg.io import read_record
from uniecg.signal import measure
from uniecg.signal.criteria import check
from uniecg.simulate import OWN_NAMES


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="uniecg")


def test_simulate_writes_what_was_asked_for_and_the_truth_about_it(tmp_path: Path) -> None:
    record, page, truth = (tmp_path / name for name in ("ecg.csv", "ecg.png", "ecg.json"))
    words = "atrial fibrillation, left bundle branch block, 110/min"
    result = run("simulate", words, "-o", record, "--seed", 3, "--plot", page, "--truth", truth)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split() == [str(record), str(page), str(truth)]
    assert "seed 3" in result.stderr
    assert "complete left bundle branch block" in result.stderr
    m = measure(read_record(record))
    assert m.heart_rate_bpm == pytest.approx(110, abs=1)
    assert check("CLBBB", m)[0]
    assert check("AFIB", m)[0]
    known = json.loads(truth.read_text())
    assert known["statements"] == ["AFIB", "CLBBB"]
    assert known["attributes"]["heart_rate_bpm"] == pytest.approx(110, abs=0.5)
    assert len(known["beats"]["qrs_on_s"]) == len(known["leads"]["V6"]["t_off_s"]) >= 17
    assert page.stat().st_size > 10_000


def test_simulate_is_repeatable_by_its_seed(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        run("simulate", "sinus rhythm with PVCs", "-o", tmp_path / name, "--seed", 5, "--noise", 1)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_simulate_replaces_nothing_unless_told_to(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text("mine")
    arguments = ("simulate", "sinus rhythm", "-o", tmp_path / "ecg.csv", "--truth", tmp_path / "truth.json")
    result = run(*arguments)
    assert result.exit_code == 1
    assert "truth.json exists" in result.stderr
    assert (tmp_path / "truth.json").read_text() == "mine"
    assert not (tmp_path / "ecg.csv").exists()
    assert run(*arguments, "--force").exit_code == 0
    assert (tmp_path / "truth.json").read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        ("hello", 2, "can be simulated"),
        ("no atrial fibrillation", 2, "can be simulated"),
        ("sinus bradycardia at 90 bpm", 1, "below 60"),
        ("sinus rhythm, QRS 300 ms, QT 250 ms", 0, ""),  # QRS beyond life is passed over by the reader
    ],
)
def test_requests_that_make_no_sense_are_refused(
    words: str, exit_code: int, message: str, tmp_path: Path
) -> None:
    result = run("simulate", words, "-o", tmp_path / "ecg.csv", "--seed", 1)
    assert result.exit_code == exit_code, result.stderr
    assert message in " ".join(result.stderr.split())
    assert result.exit_code == 0 or result.stdout == ""


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("atrial flutter with 4:1 conduction", ["AFLT"]),
        ("acute inferior myocardial infarction", ["STEMI inferior"]),
        ("anterior STEMI", ["STEMI anterior"]),
        ("old inferior infarction", ["IMI"]),
        ("Mobitz II", ["2AVB2"]),
        ("second degree AV block, Wenckebach type", ["2AVB1"]),
        ("2:1 AV block", ["2AVB21"]),
        ("VT at 180/min", ["VT"]),
        ("sinus rhythm, no pericarditis", ["SR"]),
        ("hyperkalemia", ["HYPERK"]),
        ("arm lead reversal", ["REVERSAL LA/RA"]),
        ("RBBB and LAFB", ["CRBBB", "LAFB"]),
    ],
)
def test_words_become_statements(words: str, codes: list[str]) -> None:
    assert read_request(words)[0] == codes


def test_own_names_are_read_back() -> None:
    for code, name in OWN_NAMES.items():
        assert code in read_request(name)[0], name


def test_numbers_and_person_are_read(tmp_path: Path) -> None:
    _, attributes = read_request(
        "70 year old woman, sinus rhythm 64/min, PR 180 ms, QRS 100 ms, axis 20 degrees"
    )
    assert attributes.to_dict() == {
        "age": 70.0, "sex": "female", "heart_rate_bpm": 64.0, "pr_ms": 180.0, "qrs_ms": 100.0, "qrs_axis_deg": 20.0
    }  # fmt: skip


def test_task_reports_each_row_and_meets_its_aims_on_a_small_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "simulator" in WITHOUT_MODEL
    # A few of the statements: the whole task is a matter of minutes.
    monkeypatch.setattr(simulator, "SIMULATED", frozenset({"CLBBB", "AFIB", "LNGQT"}))
    found = TASKS["simulator"](None, seed=0, n=10)
    values = {name: entry["value"] for name, entry in found["metrics"].items()}
    assert values["rate_mae_bpm"] <= 1.0
    assert values["pr_mae_ms"] <= 6.0
    assert values["qrs_mae_ms"] <= 5.0
    assert values["qt_mae_ms"] <= 10.0
    assert values["diagnosis_recall_mean"] >= 0.9
    assert values["records_per_second"] > 20  # any machine, however busy
    assert found["diagnoses"]["CLBBB"]["value"] == 1.0
    json.dumps(found, allow_nan=False)
