"""The command line: results on stdout, the rest on stderr, exit codes 0, 1, 2, one-line errors."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from uniecg.cli import app
from uniecg.examples import example_path
from uniecg.io import read_record, write_record
from uniecg.record import Record

NORMAL = example_path("normal")


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="uniecg", input=stdin)


def run_process(*arguments: object, code: str | None = None) -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "uniecg"]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_one_line_error(result: Result, *words: object) -> None:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert str(word) in lines[0]


# Help, version, usage


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "uniecg", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines() if "|" in line}
    assert "typer" in imported
    assert not imported & {
        "torch",
        "transformers",
        "diffusers",
        "numpy",
        "scipy",
        "matplotlib",
        "rich",
        "cv2",
    }
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        assert run_process("--help").returncode == 0
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.6


def test_help_names_every_command_and_says_what_this_is_not() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in (
        "interpret",
        "generate",
        "simulate",
        "chat",
        "measure",
        "plot",
        "convert",
        "train",
        "evaluate",
    ):
        assert f"  {command}" in result.stdout
    assert "not a medical device" in result.stdout


def test_version() -> None:
    from uniecg import __version__

    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"uniecg {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("measure",),
        ("measure", "a.hea", "--no-such-option"),
        ("plot", "a.hea"),
        ("convert", "a.hea"),
        ("generate", "sinus rhythm"),
        ("generate", "  ", "-o", "out"),
        ("generate", "sinus rhythm", "-o", "out", "--duration", "soon"),
        ("generate", "sinus rhythm", "-o", "out", "--duration", "0.1"),
        ("simulate", "sinus rhythm"),
        ("train", "no-such-stage", "run.yaml"),
        ("evaluate",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_with_nothing_on_stdout(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_unknown_evaluation_task_is_wrong_usage_that_lists_the_tasks() -> None:
    result = run("evaluate", "no-such-task")
    assert result.exit_code == 2
    assert "routing" in result.stderr


# Files that cannot be used


@pytest.mark.parametrize("command", ["measure", "interpret", "plot", "convert"])
@pytest.mark.parametrize("kind", ["missing", "unknown", "folder", "not an ECG", "truncated", "empty"])
def test_unusable_file_is_one_line_that_names_it(command: str, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "record.hea"
    if kind == "unknown":
        file = tmp_path / "record.docx"
        file.write_text("not an ECG")
    elif kind == "folder":
        file = tmp_path / "folder"
        file.mkdir()
    elif kind == "not an ECG":
        file.write_text("this is no WFDB header\n")
    elif kind == "empty":
        file.write_text("")
    elif kind == "truncated":
        write_record(read_record(NORMAL), file)
        samples = file.with_suffix(".dat")
        samples.write_bytes(samples.read_bytes()[:1001])
    output = {"plot": ("-o", tmp_path / "page.png"), "convert": (tmp_path / "out.csv",)}.get(command, ())
    assert_one_line_error(run(command, file, *output), file.name.removesuffix(".hea"))


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_unusable_page_is_one_line_that_names_it(content: bytes, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    page.write_bytes(content)
    assert_one_line_error(run("interpret", page), "page.png")


def test_missing_page_is_one_line_that_names_it(tmp_path: Path) -> None:
    assert_one_line_error(run("interpret", tmp_path / "page.jpg"), "page.jpg")


@pytest.mark.parametrize("kind", ["flat", "nan", "short", "one lead"])
def test_poor_signal_is_measured_as_poor_or_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    signal = read_record(NORMAL).signal.copy()
    if kind == "flat":
        signal[:] = 0
    elif kind == "nan":
        signal[:, 100:-100] = np.nan
    elif kind == "short":
        signal = signal[:, :500]
    elif kind == "one lead":
        signal[1:] = np.nan
    file = tmp_path / "poor.npz"
    np.savez(file, signal=signal, sampling_rate=500.0, leads=list(Record(signal, 500.0).leads))
    result = run("measure", file, "--json")
    if result.exit_code != 0:
        assert_one_line_error(result, "poor")
        return
    assert json.loads(result.stdout)["quality"]["verdict"] != "usable"


def test_sampling_rate_is_for_files_that_do_not_say_it(tmp_path: Path) -> None:
    file = tmp_path / "record.csv"
    record = read_record(NORMAL)
    rows = "\n".join(",".join(f"{value:.3f}" for value in row) for row in record.signal[:, :2000].T)
    file.write_text(",".join(record.leads) + "\n" + rows + "\n")
    assert_one_line_error(run("measure", file), "record.csv", "sampling")
    result = run("measure", file, "--sampling-rate", "500")
    assert result.exit_code == 0, result.stderr


# Outputs


@pytest.mark.parametrize(("command", "name"), [("plot", "out.png"), ("convert", "out.csv")])
def test_existing_output_stays_without_force(command: str, name: str, tmp_path: Path) -> None:
    output = tmp_path / name
    output.write_text("mine")
    arguments = (NORMAL, "-o", output) if command == "plot" else (NORMAL, output)
    assert_one_line_error(run(command, *arguments), name, "--force")
    assert output.read_text() == "mine"
    result = run(command, *arguments, "--force")
    assert result.exit_code == 0, result.stderr
    assert output.stat().st_size > 1000


@pytest.mark.parametrize("existing", ["new.hea", "new.dat", "page.png"])
def test_generate_refuses_existing_outputs_before_it_loads_a_model(existing: str, tmp_path: Path) -> None:
    (tmp_path / existing).write_text("mine")
    result = run("generate", "sinus rhythm", "-o", tmp_path / "new", "--plot", tmp_path / "page.png")
    assert_one_line_error(result, existing, "--force")
    assert (tmp_path / existing).read_text() == "mine"


@pytest.mark.parametrize(
    ("command", "output", "words"),
    [
        ("plot", "page.docx", (".png", ".svg")),
        ("plot", "no_folder/page.png", ("no_folder",)),
        ("convert", "record.docx", (".csv", ".hea")),
        ("convert", "no_folder/record.csv", ("no_folder",)),
        ("convert", ".", ()),
    ],
)
def test_unusable_output_is_one_line(
    command: str, output: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    option = ("-o",) if command == "plot" else ()
    assert_one_line_error(run(command, NORMAL, *option, tmp_path / output), *words)


# Commands without a model


def test_measure_prints_quantities_with_units() -> None:
    result = run("measure", NORMAL)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    first = result.stdout.splitlines()[0].split()
    assert first[:2] == ["Heart", "rate"]
    assert first[3] == "bpm"
    assert 40 < float(first[2]) < 120
    assert "V6" in result.stdout


def test_measure_prints_json_that_says_the_same_as_python() -> None:
    from uniecg import measure

    result = run("measure", NORMAL, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert [finding["code"] for finding in printed.pop("findings")] == ["SR", "NORM"]
    assert printed == json.loads(json.dumps(measure(read_record(NORMAL)).to_dict()))


def test_explain_needs_no_model_and_says_what_it_is_for() -> None:
    result = run("explain", NORMAL)
    assert result.exit_code == 0, result.stderr
    assert "not a medical device" in result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Quality: ")
    assert lines[-1] == "Impression: sinus rhythm, normal ECG."
    assert result.stdout == run("explain", NORMAL).stdout
    seeded = run("explain", NORMAL, "--seed", 1).stdout
    assert seeded != result.stdout
    assert seeded == run("explain", NORMAL, "--seed", 1).stdout
    assert len(run("explain", NORMAL, "--style", "line").stdout.splitlines()) == 1
    told = json.loads(run("explain", NORMAL, "--style", "json").stdout)
    assert told["impression"] == ["sinus rhythm", "normal ECG"]


def test_explain_names_its_styles_and_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    wrong = run("explain", NORMAL, "--style", "poem")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "reasoning" in wrong.stderr
    assert run("explain", NORMAL, "--seed", "-1").exit_code == 2
    assert_one_line_error(run("explain", tmp_path / "nothing.hea"), "nothing.hea")


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_plot_writes_a_page_and_prints_its_path(suffix: str, magic: bytes, tmp_path: Path) -> None:
    output = tmp_path / f"page{suffix}"
    result = run("plot", NORMAL, "-o", output, "--title", "Example")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{output}\n", "")
    assert output.read_bytes().startswith(magic)


def test_measure_draws_its_evidence_and_keeps_stdout_and_files(tmp_path: Path) -> None:
    output = tmp_path / "evidence.png"
    result = run("measure", NORMAL, "--json", "--plot", output)
    assert (result.exit_code, result.stderr) == (0, f"wrote {output}\n")
    assert json.loads(result.stdout)["quality"]["acceptable"] is True
    before = output.read_bytes()
    assert before.startswith(b"\x89PNG")
    assert_one_line_error(run("measure", NORMAL, "--plot", output), output, "--force")
    assert_one_line_error(run("measure", NORMAL, "--plot", tmp_path / "evidence.bmp"), ".png")
    assert run("measure", NORMAL, "--plot", output, "--force").exit_code == 0
    assert output.read_bytes() == before


def test_convert_through_all_formats_keeps_the_signal(tmp_path: Path) -> None:
    file = NORMAL
    names = ["one.csv", "two.npz", "three.hea", "four.json"]
    if importlib.util.find_spec("ecgdatakit"):  # uniecg[formats]
        names += ["five.edf", "six.dcm", "seven.xml"]
    for name in names:
        result = run("convert", file, tmp_path / name)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == f"{tmp_path / name}\n"
        file = tmp_path / name
    np.testing.assert_allclose(read_record(file).signal, read_record(NORMAL).signal, atol=1e-3)


def test_doubts_about_a_file_are_one_line_on_stderr(tmp_path: Path) -> None:
    record = read_record(NORMAL)
    record.signal[[0, 1]] = record.signal[[1, 0]]  # I and II in each other's place
    file = write_record(record, tmp_path / "swapped.csv")
    result = run_process("convert", file, tmp_path / "again.npz")
    assert (result.returncode, result.stdout) == (0, f"{tmp_path / 'again.npz'}\n")
    assert result.stderr.startswith(f"warning: {file} is suspect: the limb leads contradict each other")
    assert result.stderr.count("\n") == 1


def test_core_commands_work_without_torch_and_interpret_names_the_extra(tmp_path: Path) -> None:
    without_torch = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "diffusers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from uniecg.cli import main
main()
"""
    for arguments in (("measure", NORMAL), ("plot", NORMAL, "-o", tmp_path / "page.png")):
        result = run_process(*arguments, code=without_torch)
        assert (result.returncode, result.stderr) == (0, "")
    result = run_process("interpret", NORMAL, code=without_torch)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "error: this needs torch: pip install 'uniecg[model]'\n"


def test_generated_command_page_is_up_to_date() -> None:
    root = Path(__file__).resolve().parents[1]
    script = root / "scripts" / "make_cli_docs.py"
    result = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr


# Commands that need torch


@pytest.mark.parametrize("stage", ["understand", "generate"])
def test_missing_configuration_is_one_line(stage: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs uniecg[train]")
    assert_one_line_error(run("train", stage, tmp_path / "no.yaml"), "no.yaml")


def test_missing_test_data_is_one_line(tmp_path: Path) -> None:
    assert_one_line_error(run("evaluate", "routing", "--data", tmp_path / "no.tsv"), "no.tsv")


@pytest.fixture(scope="module")
def shipped_model() -> None:
    pytest.importorskip("torch", reason="needs uniecg[model]")
    import uniecg

    if not list((Path(uniecg.__file__).parent / "presets" / "nano").rglob("*.safetensors")):
        pytest.skip("the package has no weights yet")


@pytest.mark.usefixtures("shipped_model")
class TestModel:
    def test_interpret_prints_findings_and_says_it_is_no_medical_device(self) -> None:
        result = run("interpret", example_path("atrial_fibrillation"), "--seed", "0")
        assert result.exit_code == 0, result.stderr
        assert "atrial fibrillation" in result.stdout.lower()
        assert "not a medical device" in result.stderr
        assert "not a medical device" not in result.stdout

    def test_interpret_json_is_repeatable_with_a_seed(self) -> None:
        first, second = (run("interpret", NORMAL, "--json", "--seed", "0") for _ in range(2))
        assert first.exit_code == 0, first.stderr
        assert first.stdout == second.stdout
        reply = json.loads(first.stdout)
        assert reply["action"] == "interpret"
        assert {"text", "findings", "measurements", "quality", "warnings"} <= set(reply)

    def test_interpret_reads_a_page_drawn_by_plot(self, tmp_path: Path) -> None:
        page = tmp_path / "page.png"
        assert run("plot", NORMAL, "-o", page).exit_code == 0
        result = run("interpret", page, "-q", "What does this ECG show?")
        assert result.exit_code == 0, result.stderr
        assert result.stdout.strip()

    def test_generate_writes_the_record_and_its_page(self, tmp_path: Path) -> None:
        arguments = (
            "generate",
            "sinus rhythm, ventricular rate 70 bpm",
            "-o",
            tmp_path / "new",
            "--seed",
            "1",
        )
        result = run(*arguments, "--plot", tmp_path / "new.png")
        assert result.exit_code == 0, result.stderr
        assert "not a medical device" in result.stderr
        written = [Path(line) for line in result.stdout.splitlines()]
        assert [path.name for path in written] == ["new.hea", "new.png"]
        record = read_record(written[0])
        assert (record.duration_s, len(record.available_leads)) == (pytest.approx(10.0), 12)
        assert_one_line_error(run(*arguments), "--force")

    def test_chat_loads_asks_generates_and_saves(self, tmp_path: Path) -> None:
        lines = [
            f"/load {NORMAL}",
            "What is the heart rate?",
            "/save too_early",
            "Generate an ECG of atrial fibrillation.",
            f"/save {tmp_path / 'new.csv'}",
            f"/save {tmp_path / 'new.csv'}",
            f"/save {tmp_path / 'new.csv'} --force",
            "/load no_such_file.hea",
            "/quit",
            "never reached",
        ]
        result = run("chat", "--seed", "0", stdin="\n".join(lines))
        assert result.exit_code == 0, result.stderr
        assert result.stdout.count(str(tmp_path / "new.csv")) == 2
        errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 3
        assert "never reached" not in result.output

    def test_model_folder_that_is_none_is_one_line(self, tmp_path: Path) -> None:
        shutil.copy(NORMAL, tmp_path)
        result = run("interpret", NORMAL, "--model", tmp_path)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert str(tmp_path) in result.stderr
