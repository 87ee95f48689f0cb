"""Evaluation tasks, run on a small pipeline that draws real (if simple) ECGs and reads requests by rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uniecg.attributes import Attributes
from uniecg.errors import InputError
from uniecg.evaluation import TASKS, generation, mapper, questions, reconstruction, routing, superclass
from uniecg.evaluation.generation import find_beats, rr_cv
from uniecg.record import LEADS, Record, derive_limb_leads
from uniecg.report import Finding, Report
from uniecg.simulate import plan_rhythm
from uniecg.text.attributes import parse_attributes
from uniecg.text.statements import STATEMENTS, SUPERCLASSES, parse_statements

SAMPLING_RATE = 500.0
EIGHT_LEADS = np.array([0.6, 1.0, -0.4, 0.3, 0.7, 1.2, 1.1, 0.9])


def draw_ecg(
    statements: Iterable[str], attributes: Attributes, seed: int, duration_s: float = 10.0
) -> Record:
    """Gaussian waves at the times of a rhythm plan, the limb leads derived."""
    rng = np.random.default_rng(seed)
    plan = plan_rhythm(list(statements), attributes, duration_s, rng=rng)
    t = np.arange(int(duration_s * SAMPLING_RATE)) / SAMPLING_RATE

    def bumps(times: np.ndarray, width_s: float) -> np.ndarray:
        return np.exp(-0.5 * ((t - times[:, None]) / width_s) ** 2).sum(axis=0)

    ecg = 0.12 * bumps(plan.p_s, 0.02) + 1.2 * bumps(plan.r_s, 0.012) + 0.3 * bumps(plan.t_s, 0.04)
    ecg = ecg - 0.3 * bumps(plan.r_s + 0.03, 0.01) + 0.005 * rng.normal(size=t.size)
    eight = (EIGHT_LEADS[:, None] * ecg).astype(np.float32)
    return Record(derive_limb_leads(eight), SAMPLING_RATE, LEADS)


@dataclass
class SimpleReply:
    record: Record | None
    report: Report | None = None


class SimplePipeline:
    """Rules instead of a model: enough to tell right evaluation from wrong."""

    superclass_thresholds: Mapping[str, float] = dict.fromkeys(SUPERCLASSES, 0.4)

    def __call__(self, request: str, record: Record | None = None, *, seed: int | None = None) -> SimpleReply:
        if record is not None:
            code = "AFIB" if rr_cv(find_beats(record)) > 0.1 else "SR"
            return SimpleReply(None, Report(code, (Finding(code, STATEMENTS[code].name, "supported"),)))
        return SimpleReply(draw_ecg(parse_statements(request), parse_attributes(request), seed or 0))

    def route(self, request: str, has_ecg: bool) -> str:
        wants_new = any(word in request.lower() for word in ("generate", "create", "make", "draw", "synth"))
        return "generate" if wants_new else "interpret" if has_ecg else "answer"

    def superclass_probabilities(
        self, record: Record | None = None, image: np.ndarray | None = None
    ) -> Mapping[str, float]:
        assert (record is None) != (image is None)
        if image is not None:
            assert image.dtype == np.uint8
            return dict.fromkeys(SUPERCLASSES, 0.5)
        tall = float(np.nanmax(record["V4"])) > 2.0
        return {
            name: 0.9 if tall == (name == "HYP") and name in ("HYP", "NORM") else 0.1 for name in SUPERCLASSES
        }

    def statement_embeddings(self, codes: Iterable[str]) -> np.ndarray:
        order = list(STATEMENTS)
        return np.eye(len(order))[[order.index(code) for code in codes]]

    def mapper_embeddings(self, text: str) -> np.ndarray:
        found = parse_statements(text)
        return self.statement_embeddings(found) if found else np.zeros((1, len(STATEMENTS)))

    def reconstruct(self, record: Record) -> Record:
        return Record(record.signal + np.float32(0.01), record.sampling_rate, LEADS)


@pytest.fixture
def pipe() -> SimplePipeline:
    return SimplePipeline()


def check_form(outcome: dict[str, Any], task: str) -> dict[str, Any]:
    """Every task: JSON-ready, the agreed keys, each value inside its interval and a baseline beside it."""
    assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome
    assert {"task", "version", "seed", "n", "metrics"} <= set(outcome)
    assert outcome["task"] == task
    for name, entry in outcome["metrics"].items():
        assert {"value", "ci95", "baseline"} <= set(entry), name
        low, high = entry["ci95"]
        assert low - 1e-9 <= entry["value"] <= high + 1e-9, name
    return outcome["metrics"]


def test_generation_measures_what_was_asked(pipe: SimplePipeline) -> None:
    outcome = generation.run(pipe, seed=1, n=12)
    metrics = check_form(outcome, "generation")
    assert outcome["n"] == 30
    assert metrics["rate_mae_bpm"]["value"] < 1.0 < metrics["rate_mae_bpm"]["baseline"]
    assert metrics["rate_within_10_bpm"]["value"] == 1.0
    assert metrics["af_rr_cv_above_0_10"]["value"] == 1.0
    assert metrics["sinus_rr_cv_below_0_08"]["value"] == 1.0
    assert metrics["lead_algebra_max_residual_mv"]["value"] < 1e-6
    assert metrics["lead_algebra_max_residual_mv"]["baseline"] > 1e-4
    assert generation.run(pipe, seed=1, n=12) == outcome


def test_generation_counts_replies_without_a_record_as_missed() -> None:
    class Silent(SimplePipeline):
        def __call__(self, request: str, *, seed: int | None = None) -> SimpleReply:
            return SimpleReply(None)

    metrics = generation.run(Silent(), n=4)["metrics"]
    assert metrics["rate_within_10_bpm"]["value"] == 0.0
    assert metrics["rate_measurable"]["value"] == 0.0
    assert metrics["rate_mae_bpm"]["value"] > 40
    assert metrics["af_rr_cv_above_0_10"]["value"] == 0.0
    assert metrics["lead_algebra_max_residual_mv"]["value"] is None


def test_every_generated_request_says_its_rate_and_finding() -> None:
    rng = np.random.default_rng(0)
    for rate in range(50, 121):
        request = generation.rate_request(rate, rng)
        assert parse_attributes(request).heart_rate_bpm == rate
        assert set(parse_statements(request)) & {"SR", "SBRAD", "STACH"}
    assert "AFIB" in parse_statements(generation.rhythm_request("atrial fibrillation", rng))


def test_beats_are_sought_in_another_lead_where_lead_ii_is_flat() -> None:
    record = draw_ecg(["SR"], Attributes(heart_rate_bpm=70), seed=0)
    signal = record.signal.copy()
    signal[1] = np.nan
    beats = generation.find_beats(Record(signal, SAMPLING_RATE, LEADS))
    assert generation.heart_rate_bpm(beats) == pytest.approx(70, abs=1)
    flat = Record(np.zeros((12, 5000)), SAMPLING_RATE, LEADS)
    assert generation.heart_rate_bpm(generation.find_beats(flat)) == 0.0


def test_lead_residual_finds_a_broken_relation() -> None:
    signal = draw_ecg(["SR"], Attributes(), seed=0).signal
    assert generation.lead_residual_mv(signal) < 1e-6
    broken = signal.copy()
    broken[4, 100] += 0.05
    assert generation.lead_residual_mv(broken) == pytest.approx(0.05, abs=1e-5)


def test_routing_from_a_file(pipe: SimplePipeline, tmp_path: Path) -> None:
    table = tmp_path / "requests.tsv"
    table.write_text(
        "expected\thas_ecg\trequest\n"
        "generate\t0\tGenerate an ECG of atrial fibrillation\n"
        "interpret\t1\tWhat does this show?\n"
        "answer\tfalse\tWhat is a bundle branch block?\n\n"
        "interpret\tyes\tMake sense of this tracing for me\n",
        encoding="utf-8",
    )
    outcome = routing.run(pipe, data=table)
    metrics = check_form(outcome, "routing")
    assert outcome["n"] == 4
    assert metrics["accuracy"]["value"] == 0.75
    assert metrics["accuracy"]["baseline"] == 0.5
    assert metrics["recall_interpret"]["value"] == 0.5
    assert outcome["confusion"]["interpret"] == {"interpret": 1, "generate": 1}


def test_routing_draws_held_out_requests_without_a_file(pipe: SimplePipeline) -> None:
    outcome = routing.run(pipe, seed=2, n=30)
    check_form(outcome, "routing")
    assert sum(sum(row.values()) for row in outcome["confusion"].values()) == outcome["n"] == 30


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no requests"),
        ("generate\t0\n", "line 1"),
        ("dance\t0\thello\n", "line 1"),
        (None, "cannot be read"),
    ],
)
def test_routing_names_the_file_and_line_of_a_fault(
    pipe: SimplePipeline, tmp_path: Path, content: str | None, message: str
) -> None:
    table = tmp_path / "bad.tsv"
    if content is not None:
        table.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"bad\.tsv.*{message}"):
        routing.run(pipe, data=table)


def test_mapper_recall_beside_the_text_encoder(pipe: SimplePipeline, tmp_path: Path) -> None:
    outcome = mapper.run(pipe, n=8)
    metrics = check_form(outcome, "mapper")
    entry = metrics["statement_recall_report_like"]
    assert entry["value"] == 1.0
    assert entry["baseline_name"] == "vocabulary search"

    with pytest.raises(InputError, match="no text encoder"):
        mapper.run(pipe, data=tmp_path, n=1)
    transformers = pytest.importorskip("transformers", reason="the text encoder needs the extra 'model'")
    pytest.importorskip("torch").manual_seed(0)
    words = sorted({word for item in STATEMENTS.values() for word in item.name.lower().split()})
    (tmp_path / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", ".", *words])
    )
    tokenizer = transformers.BertTokenizerFast(str(tmp_path / "vocab.txt"))
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    encoder = transformers.BertModel(transformers.BertConfig(vocab_size=len(tokenizer), **size))
    tokenizer.save_pretrained(tmp_path)
    encoder.save_pretrained(tmp_path)
    with_encoder = mapper.run(pipe, data=tmp_path, n=8)["metrics"]["statement_recall_report_like"]
    assert with_encoder["baseline_name"] == "text encoder"
    assert (
        with_encoder["baseline"] > 0.1
    )  # even an untrained one often finds a part that is just a name; chance is 0.03


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """Records in the layout of the shared data: half of them with tall R waves and labelled HYP."""
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet data sets need the extra 'formats'")
    import pyarrow.parquet as pq

    rows: dict[str, list[Any]] = {key: [] for key in ("split", "uid", "patient", "super_class", "signal_uv")}
    for i in range(12):
        record = draw_ecg(["SR"], Attributes(heart_rate_bpm=60 + i), seed=i)
        scale = 2.0 if i % 2 else 1.0
        rows["split"].append("val" if i < 2 else "test")
        rows["uid"].append(f"r{i}")
        rows["patient"].append(f"p{i // 2}")
        rows["super_class"].append("HYP" if i % 2 else "NORM")
        rows["signal_uv"].append(np.round(record.signal * scale * 1000).astype(np.int16).ravel())
    columns: dict[str, Any] = {**rows, "sampling_rate": [SAMPLING_RATE] * 12, "dataset": ["test"] * 12}
    for name in ("age", "sex", "scp_statements"):
        columns[name] = pyarrow.array([None] * 12, pyarrow.string() if name != "age" else pyarrow.float64())
    path = tmp_path / "records.parquet"
    pq.write_table(pyarrow.table(columns), path)
    return path


def test_interpretation_compares_words_with_labels(pipe: SimplePipeline, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet data sets need the extra 'formats'")
    import pyarrow.parquet as pq

    rows = []
    for i in range(8):
        codes = ["AFIB"] if i % 2 else ["SR", "NORM"]
        signal = draw_ecg(codes[:1], Attributes(heart_rate_bpm=70), seed=i).signal
        rows.append(
            {
                "split": "test", "uid": f"r{i}", "patient": f"p{i}", "dataset": "test", "super_class": None,
                "age": None, "sex": None, "scp_statements": "|".join(codes), "sampling_rate": SAMPLING_RATE,
                "signal_uv": np.round(signal * 1000).astype(np.int16).ravel(),
            }
        )  # fmt: skip
    pq.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "records.parquet")
    outcome = TASKS["interpretation"](pipe, data=tmp_path / "records.parquet", split="test", seed=0, n=None)
    metrics = check_form(outcome, "interpretation")
    assert outcome["n"] == 8
    assert metrics["rhythm_accuracy"]["value"] == 1.0
    assert metrics["rhythm_accuracy"]["baseline"] == 0.5
    assert metrics["statement_f1"]["value"] == pytest.approx(16 / 20)  # NORM is missing four times
    assert metrics["normal_f1"]["value"] == 0.0
    assert metrics["normal_f1"]["baseline"] == pytest.approx(8 / 12)
    assert metrics["contradicted"]["value"] == 0.0
    with pytest.raises(InputError, match="no records with statements"):
        TASKS["interpretation"](pipe, data=tmp_path / "records.parquet", split="val")


def test_questions_are_held_against_what_the_record_supports(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet data sets need the extra 'formats'")
    import pyarrow.parquet as pq

    rows = []
    for i in range(12):
        signal = draw_ecg(["SR"], Attributes(heart_rate_bpm=60 + 3 * i), seed=i).signal
        rows.append(
            {
                "split": "test", "uid": f"r{i}", "patient": f"p{i}", "dataset": "test", "super_class": None,
                "age": None, "sex": None, "scp_statements": "SR|NORM", "sampling_rate": SAMPLING_RATE,
                "signal_uv": np.round(signal * 1000).astype(np.int16).ravel(),
            }
        )  # fmt: skip
    path = tmp_path / "records.parquet"
    pq.write_table(pyarrow.Table.from_pylist(rows), path)

    class Always:
        def __call__(
            self, request: str, record: Record | None = None, *, seed: int | None = None
        ) -> SimpleReply:
            return SimpleReply(None, Report(self.reply, ()))

    always = Always()
    shares = {}
    for always.reply in ("Yes, it does.", "No, it does not.", "It cannot be judged."):
        metrics = check_form(TASKS["questions"](always, data=path, split="test", seed=0, n=None), "questions")
        shares[always.reply] = metrics["verify"]["value"]
        assert metrics["choose"]["value"] == metrics["query"]["value"] == 0.0
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares["Yes, it does."], shares["No, it does not."]) > 0.15
    assert questions.words("Rate 60 bpm, axis 5.5.") == questions.words("axis 5.5, rate 60 bpm")
    with pytest.raises(InputError, match="no records with statements"):
        TASKS["questions"](always, data=path, split="val")


def test_superclass_from_signals(pipe: SimplePipeline, parquet: Path) -> None:
    outcome = superclass.run(pipe, data=parquet, split="test")
    assert outcome["n"] == 10
    assert outcome["metrics"]["auc_HYP"]["value"] == 1.0
    assert outcome["metrics"]["auc_MI"]["value"] is None
    assert outcome["metrics"]["macro_auc"]["value"] == 1.0
    assert outcome["metrics"]["f1_HYP"] == {
        "value": 1.0,
        "ci95": [1.0, 1.0],
        "baseline": pytest.approx(2 / 3),
    }
    assert outcome["prevalence"]["HYP"] == 0.5
    json.dumps(outcome, allow_nan=False)
    assert superclass.run(pipe, data=parquet, split="test", n=4)["n"] == 4


def test_superclass_from_pages(pipe: SimplePipeline, parquet: Path) -> None:
    outcome = TASKS["ptbxl-superclass-image"](pipe, data=parquet, split="val", seed=0, n=None)
    assert outcome["task"] == "ptbxl-superclass-image"
    assert outcome["metrics"]["macro_auc"]["value"] == 0.5


def test_superclass_says_what_is_missing(pipe: SimplePipeline, parquet: Path) -> None:
    with pytest.raises(InputError, match="needs --data"):
        superclass.run(pipe)
    with pytest.raises(InputError, match="no records with superclass labels in split 'train'"):
        superclass.run(pipe, data=parquet, split="train")


def test_reconstruction_of_a_shifted_copy(pipe: SimplePipeline, parquet: Path) -> None:
    outcome = reconstruction.run(pipe, data=parquet, split="val")
    metrics = outcome["metrics"]
    assert metrics["rmse_mv"]["value"] == pytest.approx(0.01, abs=1e-3)
    assert metrics["rmse_mv"]["baseline"] > 0.05
    assert metrics["correlation"]["value"] > 0.999
    assert metrics["change_heart_rate_bpm"]["value"] < 0.1
    json.dumps(outcome, allow_nan=False)
