"""The command `simulate` and the task that measures what it makes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from uniecg.attributes import Attributes
from uniecg.cli import app
from uniecg.cli.simulate_request import read_request
from uniecg.errors import InputError
from uniecg.evaluation import TASKS, WITHOUT_MODEL, simulator
from uniecg.io import read_record
from uniecg.signal import measure
from uniecg.signal.criteria import check
from uniecg.simulate import OWN_NAMES, shortest_s, simulate


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
        ("sinus bradycardia at 90 bpm", 1, "< 60"),
        ("anterolateral STEMI", 2, "can be simulated"),
        ("inferior STEMI, anterior STEMI", 1, "one wall"),
        ("sinus rhythm, QRS 300 ms, QT 250 ms", 0, "left out"),
        ("LBBB and RBBB", 1, "cannot be true of the same ECG"),
        ("sinus rhythm 150/min, QT 500 ms", 1, "400 ms apart"),
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
        ("2nd degree AV block type II", ["2AVB2"]),
        ("AV block 2:1", ["2AVB21"]),
        ("inferior ST elevation MI", ["STEMI inferior"]),
        ("sinus rhythm, anteroseptal STEMI, atrial couplets", ["SR"]),
        ("V tach", ["VT"]),
        ("nodal rhythm with Perikarditis", ["JUNC", "PERICARDITIS"]),
        ("LA/RA reversal", ["REVERSAL LA/RA"]),
        ("LVH with left axis deviation", ["LVH"]),
        ("bradycardia", ["SBRAD"]),
        ("atrial flutter with 2:1 AV block", ["AFLT"]),
    ],
)
def test_words_become_statements(words: str, codes: list[str]) -> None:
    assert list(read_request(words).statements) == codes


def test_own_names_are_read_back() -> None:
    for code, name in OWN_NAMES.items():
        assert code in read_request(name).statements, name


def test_numbers_and_person_are_read(tmp_path: Path) -> None:
    request = read_request("70 year old woman, sinus rhythm 64/min, PR 180 ms, QRS 100 ms, axis 20 degrees")
    assert request.attributes.to_dict() == {
        "age": 70.0, "sex": "female", "heart_rate_bpm": 64.0, "pr_ms": 180.0, "qrs_ms": 100.0, "qrs_axis_deg": 20.0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "lowest", "highest"),
    [
        ("70F AF RVR 140", 140, 140),
        ("VT 180", 180, 180),
        ("SVT @ 190 with LVH", 190, 190),
        ("AF, rate between 120 and 140", 120, 140),
        ("VT 180-200", 180, 200),
        ("atrial flutter 4:1", 75, 75),
        ("AF with rapid ventricular response", 110, 160),
    ],
)
def test_rates_are_read_however_they_are_written(words: str, lowest: float, highest: float) -> None:
    request = read_request(words)
    rates = [request.draw(seed)[1].heart_rate_bpm or 0.0 for seed in range(20)]
    assert lowest <= min(rates) <= max(rates) <= highest
    assert lowest == highest or len(set(rates)) > 5
    assert request.left_out == ()


def test_an_age_beside_a_rhythm_is_no_rate() -> None:
    assert read_request("AF 70F").attributes == Attributes(age=70, sex="female")


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        ("sinus rhythm, Brugada pattern", "Brugada pattern"),
        ("atrial fibrillation with torsades", "torsades"),
        ("ST elevation in V1-V3", "in V1-V3"),
        ("sinus rhythm, QTc 450 ms", "QTc 450 ms"),
    ],
)
def test_words_that_nothing_is_made_of_are_named_or_refused(
    words: str, left_out: str, tmp_path: Path
) -> None:
    arguments = ("simulate", words, "-o", tmp_path / "ecg.csv", "--seed", 1)
    refused = run(*arguments, "--strict")
    assert refused.exit_code == 1
    assert left_out in refused.stderr
    named = run(*arguments)
    assert named.exit_code == 0
    assert f"'{left_out}'" in named.stderr.splitlines()[-1]


def test_a_record_too_short_for_its_events_is_refused_and_the_length_named_is_enough(tmp_path: Path) -> None:
    arguments = ("simulate", "couplets", "-o", tmp_path / "ecg.csv", "--seed", 1, "--duration")
    refused = run(*arguments, 3)
    assert refused.exit_code == 1
    assert "--duration 7 or more" in refused.stderr
    assert run(*arguments, 7).exit_code == 0
    for code, kind in (("COUPLET", "pvc"), ("PVC", "pvc"), ("PAC", "pac"), ("TRIGU", "pvc")):
        wanted = Attributes(heart_rate_bpm=80.0)
        duration_s = shortest_s([code], wanted)
        draws = [simulate([code], wanted, duration_s, rng=np.random.default_rng(seed)) for seed in range(20)]
        assert all(kind in draw.beats.kind for draw in draws), code


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    assert run("simulate", "sinus rhythm", "-o", tmp_path / "ecg.csv", "--seed", -1).exit_code == 2


@pytest.mark.parametrize(
    ("attributes", "noise", "message"),
    [
        (Attributes(heart_rate_bpm=1000), 0.0, "20 to 300 bpm"),
        (Attributes(heart_rate_bpm=float("nan")), 0.0, "20 to 300 bpm"),
        (Attributes(age=-3), 0.0, "0 to 110 years"),
        (Attributes(sex="x"), 0.0, "sex is"),  # type: ignore[arg-type]
        (Attributes(heart_rate_bpm=180, pr_ms=350), 0.0, "333 ms apart"),
        (Attributes(qrs_ms=240, qt_ms=230), 0.0, "QT 230 ms"),
        (None, -1.0, "noise"),
    ],
)
def test_numbers_that_no_ecg_has_are_refused_in_python(
    attributes: Attributes | None, noise: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        simulate(["SR"], attributes, rng=np.random.default_rng(0), noise=noise)


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
