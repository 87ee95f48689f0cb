"""Preparing data sets: the same shards however often it is stopped, nothing lost or doubled, everything counted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import dataset_trees as trees
import numpy as np
import pytest
from typer.testing import CliRunner, Result

pa = pytest.importorskip("pyarrow", reason="prepared data are Parquet files")

from uniecg.cli import app  # noqa: E402
from uniecg.datasets import SOURCES, Example, Source, prepare, read_dataset, read_examples, verify  # noqa: E402
from uniecg.datasets.manifest import MANIFEST, read_manifest  # noqa: E402
from uniecg.datasets.parquet import shard_account  # noqa: E402
from uniecg.datasets.source import Entry, Problem  # noqa: E402
from uniecg.errors import FormatError, InputError  # noqa: E402
from uniecg.record import Record  # noqa: E402

CHALLENGE = SOURCES["challenge"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)], prog_name="uniecg")


def georgia(root: Path, count: int, samples: int = 40) -> Path:
    return trees.challenge_tree(root, {f"g/E{number:05d}": "426783006" for number in range(count)}, samples)


def sums(manifest: dict[str, object]) -> dict[str, str]:
    return {shard["file"]: shard["sha256"] for shard in manifest["shards"]}  # type: ignore[attr-defined]


# What is written


def test_what_is_read_back_is_what_the_source_gave(tmp_path: Path) -> None:
    records = {
        "g/A0001": "59118001,39732003",
        "g/E00001": "426783006,99999",
        "g/HR00001": "426783006",
        "g/JS00001": "164889003",
    }
    root = trees.challenge_tree(tmp_path / "in", records)
    (root / "g" / "JS00001.mat").unlink()
    out = tmp_path / "out"
    manifest = prepare(CHALLENGE, root, out, shard_size=2)
    back = {example.uid: example for example in read_examples(out)}
    straight = {
        example.uid: example for example in read_dataset("challenge", root, on_problem=lambda problem: None)
    }
    assert list(back) == list(straight) == ["ch21-A0001", "ch21-E00001"]
    for uid, example in back.items():
        other = straight[uid]
        assert np.array_equal(example.record.signal, other.record.signal)
        for name in ("statements", "other_statements", "age", "sex", "split", "dataset", "patient", "text"):
            assert getattr(example, name) == getattr(other, name), name
        assert example.record.metadata["dx_snomed"] == other.record.metadata["dx_snomed"]
    assert (manifest["listed"], manifest["records"], manifest["complete"]) == (4, 2, True)
    assert {kind: found["count"] for kind, found in manifest["problems"].items()} == {
        "PTB-XL record, read from ptb-xl": 1, "missing or unusable file": 1, "unknown code": 1
    }  # fmt: skip
    assert manifest["labels_without_code"]["most_frequent"] == {"left axis deviation": 1, "snomed 99999": 1}
    assert json.loads((out / MANIFEST).read_text()) == manifest


def test_reports_conversations_gaps_and_rates_survive(tmp_path: Path) -> None:
    ptbxl = trees.ptbxl_tree(
        tmp_path / "p",
        [
            {"report": text, "scp_codes": "{'SR': 0.0}"}
            for text in ("sinusrhythmus normales ekg", "sinus rhythm.", "sinusrytm", "窦性心律")
        ],
    )
    samples = ptbxl / "records100" / "00000" / "00001_lr.dat"
    header = samples.with_suffix(".hea")
    values = np.frombuffer(samples.read_bytes(), "<i2").reshape(-1, 12).copy()
    values[10:20, 6] = -32768  # a gap in V1, the mark of format 16
    samples.write_bytes(values.tobytes())
    lines = header.read_text().splitlines()
    lines[7] = " ".join([*lines[7].split()[:6], "0", "0", "V1"])
    header.write_text("\n".join(lines) + "\n")
    prepare(SOURCES["ptb-xl"], ptbxl, tmp_path / "out", sampling_rate=100)
    examples = list(read_examples(tmp_path / "out"))
    assert [example.text for example in examples] == [
        "sinusrhythmus normales ekg",
        "sinus rhythm.",
        "sinusrytm",
        "",
    ]
    assert examples[3].record.metadata["report_other"] == "窦性心律"
    assert {example.record.sampling_rate for example in examples} == {100}
    gaps = np.isnan(examples[0].record["V1"])
    assert gaps[10:20].all()
    assert gaps.sum() == 10
    turns = [{"from": "human", "value": "<image>\nWhy?"}]
    items = [{"id": "a", "image": "i.png", "ecg": "m/p10000032/s1/1", "conversations": turns,
              "machine_measurements": {"HR": [90]}, "report": "Sinus rhythm."}]  # fmt: skip
    prepare(SOURCES["ecg-grounding"], trees.grounding_tree(tmp_path / "g", items), tmp_path / "out2")
    example = next(read_examples(tmp_path / "out2"))
    assert example.conversation == (("human", "<image>\nWhy?"),)
    assert example.record.metadata["machine_measurements"] == {"HR": [90]}


# Stopped and continued


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_is_lost_or_doubled_after_a_kill(tmp_path: Path, seed: int) -> None:
    root = georgia(tmp_path / "in", 60, samples=4000)
    clean = prepare(CHALLENGE, root, tmp_path / "clean", shard_size=4)
    out = tmp_path / "out"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uniecg",
            "data",
            "prepare",
            "challenge",
            "--root",
            root,
            "-o",
            out,
            "--shard-size",
            "4",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wanted = int(np.random.default_rng(seed).integers(2, 8))
    end = time.monotonic() + 60
    while (
        len(list(out.glob("shard-*.parquet"))) < wanted and process.poll() is None and time.monotonic() < end
    ):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.communicate()
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("shard-*.parquet")}
    assert 0 < len(before) < 15
    _, faults = verify(out)
    assert any("not complete" in fault for fault in faults)
    manifest = prepare(CHALLENGE, root, out, shard_size=4)
    assert manifest == {**clean}
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before  # what was complete was kept
    assert verify(out)[1] == []
    assert [example.uid for example in read_examples(out)] == [f"ch21-E{number:05d}" for number in range(60)]
    assert not list(out.glob(".*.part"))


def test_processes_and_limits_change_nothing(tmp_path: Path) -> None:
    root = georgia(tmp_path / "in", 30)
    clean = prepare(CHALLENGE, root, tmp_path / "clean", shard_size=8)
    several = prepare(CHALLENGE, root, tmp_path / "several", shard_size=8, jobs=2)
    assert several == clean
    out = tmp_path / "out"
    part = prepare(CHALLENGE, root, out, shard_size=8, limit=10)
    assert (part["records"], len(part["shards"])) == (10, 2)
    assert prepare(CHALLENGE, root, out, shard_size=8) == clean
    with pytest.raises(InputError, match=r"smaller --limit.*--force"):
        prepare(CHALLENGE, root, out, shard_size=8, limit=10)
    assert sums(read_manifest(out)) == sums(clean)
    assert prepare(CHALLENGE, root, out, shard_size=8, limit=10, force=True) == part


def test_changed_input_is_read_again_and_the_rest_kept(tmp_path: Path) -> None:
    root = trees.mimic_tree(tmp_path / "in", [["Sinus rhythm"]] * 6, list(range(10000000, 10000006)))
    source, out = SOURCES["mimic-iv-ecg"], tmp_path / "out"
    first = prepare(source, root, out, shard_size=2)
    table = root / "machine_measurements.csv"
    lines = table.read_text().splitlines()
    lines[3] = lines[3].replace("Sinus rhythm", "Atrial fibrillation")
    table.write_text("\n".join(lines) + "\n")
    second = prepare(source, root, out, shard_size=2)
    changed = [name for name in sums(first) if sums(first)[name] != sums(second)[name]]
    assert changed == ["shard-00001.parquet"]
    assert verify(out)[1] == []


def test_other_settings_folders_and_damaged_manifests_are_refused(tmp_path: Path) -> None:
    root = georgia(tmp_path / "in", 2)
    out = tmp_path / "out"
    prepare(CHALLENGE, root, out)
    with pytest.raises(InputError, match="made with another settings"):
        prepare(CHALLENGE, root, out, sampling_rate=100)
    with pytest.raises(InputError, match=r"is not empty and holds no prepared data set"):
        prepare(CHALLENGE, root, root)
    with pytest.raises(InputError, match="is not a folder"):
        prepare(CHALLENGE, tmp_path / "nowhere", tmp_path / "new")
    (out / MANIFEST).write_text("{")
    with pytest.raises(FormatError, match="is damaged"):
        prepare(CHALLENGE, root, out)
    assert prepare(CHALLENGE, root, out, force=True, sampling_rate=100)["records"] == 2


def test_a_record_that_is_listed_twice_is_written_once(tmp_path: Path) -> None:
    root = trees.challenge_tree(tmp_path / "in", {"2020/E00001": "426783006", "2021/E00001": "426783006"})
    manifest = prepare(CHALLENGE, root, tmp_path / "out")
    assert manifest["records"] == 1
    assert manifest["problems"]["listed twice"]["count"] == 1


# Strict


def test_strict_refuses_the_first_problem_also_one_of_an_earlier_run(tmp_path: Path) -> None:
    root = georgia(tmp_path / "in", 6)
    samples = root / "g" / "E00003.mat"
    samples.write_bytes(samples.read_bytes()[:100])
    with pytest.raises(
        InputError, match=r"ch21-E00003: truncated or damaged waveform: .*cut short.*--strict"
    ):
        prepare(CHALLENGE, root, tmp_path / "out", shard_size=2, strict=True)
    assert prepare(CHALLENGE, root, tmp_path / "out", shard_size=2)["records"] == 5
    with pytest.raises(InputError, match="ch21-E00003"):
        prepare(CHALLENGE, root, tmp_path / "out", shard_size=2, strict=True)


def test_a_copy_of_another_data_set_is_no_reason_to_refuse(tmp_path: Path) -> None:
    root = trees.challenge_tree(tmp_path / "in", {"g/HR00001": "426783006", "g/E00001": "426783006"})
    assert prepare(CHALLENGE, root, tmp_path / "out", strict=True)["records"] == 1


# Checked


def test_verify_names_every_fault(tmp_path: Path) -> None:
    root = georgia(tmp_path / "in", 8)
    out = tmp_path / "out"
    prepare(CHALLENGE, root, out, shard_size=2)
    changed = bytearray((out / "shard-00001.parquet").read_bytes())
    changed[50] ^= 1
    (out / "shard-00001.parquet").write_bytes(bytes(changed))
    (out / "shard-00002.parquet").unlink()
    (out / "shard-00009.parquet").write_bytes((out / "shard-00000.parquet").read_bytes())
    _, faults = verify(out)
    assert len(faults) == 3
    for name, words in (("00001", "SHA-256"), ("00002", "missing"), ("00009", "not in the manifest")):
        assert any(name in fault and words in fault for fault in faults)
    result = run("verify", out)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.strip().splitlines()[-1].startswith("error: ")
    for name in ("shard-00001.parquet", "shard-00009.parquet"):
        (out / name).unlink()
    prepare(CHALLENGE, root, out, shard_size=2)
    assert verify(out)[1] == []


def test_a_file_that_is_no_shard_has_no_account(tmp_path: Path) -> None:
    (tmp_path / "shard-00000.parquet").write_bytes(b"PAR1")
    assert shard_account(tmp_path / "shard-00000.parquet") is None


# Memory


def _entries(root: Path) -> Iterator[Entry | Problem]:
    for number in range(int((root / "count").read_text())):
        yield Entry(f"made-{number}", f"p{number}", "train", {"seed": number})


def _load(root: Path, entry: Entry, sampling_rate: float | None) -> tuple[Example, list[Problem]]:
    signal = np.random.default_rng(entry.fields["seed"]).normal(0, 0.3, (12, 120))
    record = Record(signal, 100)
    return Example(entry.uid, record, ("SR",), (), 50.0, "male", entry.split, "made", entry.patient), []


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    source = Source("made", "Made", "none", "", "", _entries, _load)
    peaks = []
    for count in (400, 400, 3200):  # the first run pays for what is loaded once
        root = tmp_path / f"in{len(peaks)}"
        root.mkdir()
        (root / "count").write_text(str(count))
        tracemalloc.start()
        prepare(source, root, tmp_path / f"out{len(peaks)}", shard_size=100)
        peaks.append(tracemalloc.get_traced_memory()[1] + pa.default_memory_pool().max_memory())
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 1.5e6  # the 2,800 further records hold 8 MB of samples


def test_long_records_are_written_and_read_in_small_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr("uniecg.datasets.parquet._GROUP_BYTES", 12 * 40 * 2 * 3)
    prepare(CHALLENGE, georgia(tmp_path / "in", 10), tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "shard-00000.parquet")
    assert [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] == [3, 3, 3, 1]
    assert len(list(read_examples(tmp_path / "out"))) == 10


# The command line


def test_commands_print_results_and_say_the_rest_on_stderr(tmp_path: Path) -> None:
    listed = run("list")
    assert listed.exit_code == 0
    for name, source in SOURCES.items():
        assert name in listed.stdout
        assert source.url in listed.stdout
    root = trees.challenge_tree(tmp_path / "in", {"g/E00001": "426783006,39732003", "g/E00002": "99999"})
    out = tmp_path / "out"
    result = run("prepare", "challenge", "--root", root, "-o", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out / MANIFEST)
    assert "2 of 2 ECGs written" in result.stderr
    assert "unknown code: 1 (kept), such as ch21-E00002: unknown code: snomed 99999" in result.stderr
    assert "left axis deviation (1)" in result.stderr
    checked = run("verify", out)
    assert (checked.exit_code, checked.stdout) == (
        0,
        "challenge: 2 ECGs in 1 files, all as they were written\n",
    )
    assert run("prepare", "nothing", "--root", root, "-o", out).exit_code == 2
    refused = run("prepare", "ludb", "--root", root, "-o", tmp_path / "new")
    assert refused.exit_code == 1
    assert refused.stderr.strip().splitlines() == [
        f"error: {root}: not a LUDB folder (data/1.hea is missing)"
    ]
    strict = run("prepare", "challenge", "--root", root, "-o", tmp_path / "strict", "--strict")
    assert strict.exit_code == 1
    assert len(strict.stderr.strip().splitlines()) == 1
