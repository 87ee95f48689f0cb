"""Towers, language model, [ECG] tokens, mapper and decoder, on tiny real components."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the model needs the extra 'model'")

from tiny import DIM, QUERIES, noise_record, tiny_decoder, tiny_model, tiny_processor, tiny_table  # noqa: E402
from transformers import LogitsProcessorList  # noqa: E402

from uniecg.attributes import Attributes  # noqa: E402
from uniecg.errors import InputError  # noqa: E402
from uniecg.models import (  # noqa: E402
    ECGDiffusionPipeline,
    ECGTokenLogitsProcessor,
    UniECGForConditionalGeneration,
    UniECGProcessor,
)
from uniecg.models.autoencoder_ecg import twelve  # noqa: E402
from uniecg.models.conditioning import StatementTable, attribute_values, says_something  # noqa: E402
from uniecg.models.mapper import set_distance  # noqa: E402
from uniecg.models.processing_uniecg import GENERATE, ecg_values  # noqa: E402
from uniecg.record import Record, derive_limb_leads  # noqa: E402
from uniecg.simulate import CHANNELS  # noqa: E402
from uniecg.text.slots import plain_request  # noqa: E402


@pytest.fixture(scope="module")
def processor() -> UniECGProcessor:
    return tiny_processor()


@pytest.fixture(scope="module")
def model(processor: UniECGProcessor) -> UniECGForConditionalGeneration:
    return tiny_model(processor)


def inputs_of(processor: UniECGProcessor, text: str = "interpret this ecg", **kwargs):
    content = processor.user_content(text, has_ecg=True, measured="rate 72")
    return processor(processor.prompt([{"role": "user", "content": content}]), ecg=[noise_record()])


def test_save_and_reload_is_bit_equal(processor, model, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again = UniECGForConditionalGeneration.from_pretrained(tmp_path).eval()
    processor_again = UniECGProcessor.from_pretrained(tmp_path)
    inputs, inputs_again = inputs_of(processor), inputs_of(processor_again)
    assert all(torch.equal(inputs[name], inputs_again[name]) for name in inputs)
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, again(**inputs_again).logits)


@pytest.mark.parametrize("causal", [False, True])
def test_cached_and_uncached_decoding_agree(processor, causal: bool) -> None:
    model = tiny_model(processor, causal=causal)
    inputs = inputs_of(processor)
    outputs = [
        model.generate(**inputs, max_new_tokens=12, do_sample=False, use_cache=cache, eos_token_id=None)
        for cache in (True, False)
    ]
    assert torch.equal(*outputs)


@pytest.mark.parametrize("causal", [False, True])
def test_the_prompt_is_read_in_both_directions_and_the_reply_in_one(processor, causal: bool) -> None:
    model = tiny_model(processor, causal=causal)
    ids = inputs_of(processor)["input_ids"]
    reply = torch.tensor([processor.tokenizer("normal ECG")["input_ids"]])
    features = {"ecg_values": torch.zeros(1, 12, 1000)}

    def states(tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model(
                tokens, torch.ones_like(tokens), **features, output_hidden_states=True
            ).hidden_states[-1][0]

    whole = torch.cat([ids, reply], 1)
    before = states(whole)
    other_request, other_reply = whole.clone(), whole.clone()
    other_request[0, ids.shape[1] - 2] += 1
    other_reply[0, -1] += 1
    changed = (states(other_request) - before).abs().amax(1) > 1e-6
    assert (
        bool(changed[: ids.shape[1] - 2].any()) != causal
    )  # an earlier token of the prompt sees a later one
    assert torch.allclose(states(other_reply)[:-1], before[:-1], atol=1e-6)


def test_padding_on_the_left_changes_nothing(processor, model) -> None:
    texts = [
        processor.prompt([{"role": "user", "content": processor.user_content(text)}])
        for text in ("interpret this ecg, please, and tell all about it", "ecg")
    ]
    with torch.no_grad():
        together = model(**processor(texts)).logits[:, -1]
        alone = torch.cat([model(**processor(text)).logits[:, -1] for text in texts])
    assert together.argmax(-1).tolist() == alone.argmax(-1).tolist()


def test_signal_and_page_reach_the_answer(processor, model) -> None:
    page = np.full((180, 280, 3), 255, np.uint8)
    dark = page.copy()
    dark[60:90, 20:240] = 0
    content = processor.user_content("interpret", has_ecg=True, has_image=True)
    prompt = processor.prompt([{"role": "user", "content": content}])
    logits = []
    with torch.no_grad():
        for seed, image in ((0, page), (1, page), (0, dark)):
            inputs = processor(prompt, ecg=[noise_record(seed)], images=[image])
            logits.append(model(**inputs).logits[0, -1])
    assert not torch.equal(logits[0], logits[1])
    assert not torch.equal(logits[0], logits[2])


def test_placeholders_and_inputs_must_match(processor, model) -> None:
    prompt = processor.prompt([{"role": "user", "content": processor.user_content("x", has_ecg=True)}])
    with pytest.raises(InputError, match="1 places for ECGs but 0"):
        processor(prompt)
    inputs = processor(prompt, ecg=[noise_record()])
    inputs["input_ids"] = inputs["input_ids"][:, :-3].masked_fill(inputs["input_ids"][:, :-3] == 3, 9)
    inputs.pop("attention_mask")
    with pytest.raises(ValueError, match="placeholders"):
        model(**inputs)


def test_stage_two_leaves_understanding_bit_identical(processor) -> None:
    model = tiny_model(processor)
    inputs = inputs_of(processor)
    with torch.no_grad():
        before = model(**inputs).logits[..., : model.text_vocab_size].clone()
        new_before = model(**inputs).logits[..., model.text_vocab_size :].clone()
    model.freeze_for_generation()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.1)
    ids = torch.tensor([[5, 6, 20, 21, *processor.generation_token_ids, 1]])
    target = torch.randn(1, QUERIES, DIM)
    for _ in range(5):
        optimizer.zero_grad()
        model(ids, torch.ones_like(ids), labels=ids, target_embeds=target).loss.backward()
        optimizer.step()
    with torch.no_grad():
        after = model(**inputs).logits
    assert torch.equal(before, after[..., : model.text_vocab_size])
    assert not torch.equal(new_before, after[..., model.text_vocab_size :])


def test_stage_two_learns_to_emit_and_to_map(processor) -> None:
    """One batch can be overfitted with the base frozen, although its head is not tied (new output rows)."""
    model = tiny_model(processor)
    model.freeze_for_generation()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    n = len(processor.generation_token_ids)
    texts = [[5, 20, 21], [5, 30, 31]]
    ids = torch.tensor([[*text, *processor.generation_token_ids] for text in texts])
    labels = ids.clone()
    labels[:, :3] = -100
    target = torch.nn.functional.normalize(torch.randn(2, QUERIES, DIM), dim=-1)
    for _ in range(400):
        optimizer.zero_grad()
        output = model(ids, torch.ones_like(ids), labels=labels, target_embeds=target)
        output.loss.backward()
        optimizer.step()
    assert output.loss.item() < 0.1
    assert torch.equal(output.logits[:, 2 : 2 + n].argmax(-1), ids[:, 3:])
    assert set_distance(output.prompt_embeds, target).max().item() < 0.1


def test_ecg_tokens_follow_their_rules(processor, model) -> None:
    first, n = processor.generation_token_ids[0], len(processor.generation_token_ids)
    generate, end = processor.token_id(GENERATE), 1
    rule = ECGTokenLogitsProcessor(first, n, generate, end, prompt_length=2)
    scores = torch.zeros(1, first + n)
    outside = rule(torch.tensor([[generate, 5, 20]]), scores)
    assert torch.isinf(outside[0, first:]).all()
    assert not torch.isinf(outside[0, :first]).any()
    inside = rule(torch.tensor([[5, 6, generate, 20]]), scores)
    assert not torch.isinf(inside[0, first])
    assert torch.isinf(inside[0, first + 1 :]).all()
    forced = [int(rule(torch.tensor([[5, 6, generate, first + k]]), scores).argmax()) for k in range(n)]
    assert forced == [*range(first + 1, first + n), end]
    prompt = torch.tensor([[5, 6]])
    output = model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8, do_sample=False,
        logits_processor=LogitsProcessorList([rule]), eos_token_id=end,
    )  # fmt: skip
    assert int(output.max()) < first


def test_a_sequence_with_half_the_tokens_cannot_be_mapped(processor, model) -> None:
    ids = torch.tensor([processor.generation_token_ids[:2]])
    with pytest.raises(ValueError, match="once or not at all"):
        model.map_tokens(ids, [torch.zeros(1, 2, 32)])


def test_a_condition_is_a_set() -> None:
    found, wanted = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    shuffled = wanted[:, [2, 0, 3, 1]]
    torch.testing.assert_close(set_distance(found, wanted), set_distance(found, shuffled))
    orders = [wanted[:, list(order)] for order in itertools.permutations(range(4))]
    every = torch.stack([(found - other).square().sum(-1).mean(-1) for other in orders])
    torch.testing.assert_close(set_distance(found, wanted), every.amin(0))
    assert set_distance(wanted, shuffled).abs().max() < 1e-6


def test_tower_sees_shape_apart_from_amplitude(model) -> None:
    values = torch.randn(1, 12, 1000) * 0.2
    with torch.no_grad():
        tower = model.ecg_tower
        hidden = tower(values, torch.tensor([False])).logits
        assert torch.allclose(hidden, tower(values * 3, torch.tensor([False])).logits, atol=1e-4)
        assert not torch.allclose(tower(values).logits, tower(values * 3).logits, atol=1e-4)
        missing = values.clone()
        missing[:, 3] = torch.nan
        assert torch.isfinite(tower(missing).logits).all()


def test_unknown_labels_do_not_count(model) -> None:
    values, unknown = torch.randn(2, 12, 1000), torch.full((2, 6), torch.nan)
    assert model.ecg_tower(values, labels=unknown).loss.item() == 0


def test_ecg_values_pads_centres_and_marks_missing_leads() -> None:
    signal = np.ones((12, 500)) * np.arange(12)[:, None]
    signal[4] = np.nan
    values = ecg_values(Record(signal, 100.0), 100, 1000)
    assert values.shape == (12, 1000)
    assert not values.any()


def test_requests_are_plain() -> None:
    assert plain_request("  Électrocardiogramme:\tVORHOFFLIMMERN ") == "electrocardiogramme: vorhofflimmern"


def test_attributes_are_normalised_and_maskable() -> None:
    values = attribute_values(Attributes(age=60, sex="female", heart_rate_bpm=95))
    assert values[0] == 0
    assert values[1] == 1
    assert values[2] == pytest.approx(1.0)
    assert np.isnan(values[3:]).all()
    assert np.nanmax(np.abs(attribute_values(Attributes(heart_rate_bpm=300)))) <= 6


def test_statement_table_round_trip(tmp_path: Path) -> None:
    table = tiny_table()
    rows = table.embed(["AFIB", "CLBBB"], QUERIES)
    assert says_something(rows).tolist() == [True, True, False, False]
    table.save(tmp_path / "t.safetensors")
    assert StatementTable.load(tmp_path / "t.safetensors").nearest(rows) == ["AFIB", "CLBBB"]


def test_derived_leads_match_between_numpy_and_torch() -> None:
    eight = np.random.default_rng(0).normal(size=(2, 8, 40)).astype(np.float32)
    assert np.array_equal(derive_limb_leads(eight), twelve(torch.from_numpy(eight)).numpy())


def test_decoder_round_trip_and_lead_algebra(tmp_path: Path) -> None:
    decoder = tiny_decoder()
    decoder.save_pretrained(tmp_path)
    again = ECGDiffusionPipeline.from_pretrained(tmp_path)
    prompt, attributes = tiny_table().embed(["AFIB"], QUERIES)[None], torch.zeros(1, 7)
    plan = torch.zeros(1, len(CHANNELS), 50)
    signals = [
        pipe(
            prompt,
            attributes,
            plan,
            num_steps=50,
            num_inference_steps=3,
            generator=torch.Generator().manual_seed(1),
        )
        for pipe in (decoder, again)
    ]
    assert np.array_equal(*signals)
    one, two, three, avr, avl, avf = signals[0][0, :6]
    assert np.array_equal(three, two - one)
    assert np.array_equal(avr, -(one + two) / 2)
    assert np.array_equal(avl, one - two / 2)
    assert np.array_equal(avf, two - one / 2)


def test_autoencoder_keeps_any_length() -> None:
    autoencoder = tiny_decoder().autoencoder
    for steps in (25, 50, 131):
        signal = torch.randn(1, 8, 40 * steps)
        latent = autoencoder.encode(signal)
        assert latent.shape == (1, 4, steps)
        assert autoencoder.decode(latent).shape == signal.shape


def test_denoiser_attends_to_statements_differently_over_time() -> None:
    """The condition is no constant bias: its effect differs between latent steps (trap 4 of a repeated vector)."""
    denoiser = tiny_decoder().denoiser
    torch.manual_seed(0)
    torch.nn.init.normal_(denoiser.output.weight)
    sample, plan = torch.randn(1, 4, 40), torch.zeros(1, len(CHANNELS), 40)
    table = tiny_table()
    outputs = []
    with torch.no_grad():
        for codes in (["AFIB"], ["CLBBB"]):
            rows = table.embed(codes, QUERIES)[None]
            outputs.append(
                denoiser(
                    sample, torch.tensor([500.0]), rows, says_something(rows), torch.full((1, 7), torch.nan), plan,
                    torch.tensor([True]),
                )
            )  # fmt: skip
    effect = (outputs[0] - outputs[1])[0]
    assert float(effect.std(-1).mean()) > 0.05 * float(effect.abs().mean())


def test_denoiser_ignores_masked_inputs() -> None:
    denoiser = tiny_decoder().denoiser
    torch.nn.init.normal_(denoiser.output.weight)
    sample = torch.randn(1, 4, 20)
    rest = (torch.full((1, 7), torch.nan), torch.randn(1, len(CHANNELS), 20), torch.tensor([False]))
    nothing = torch.zeros(1, QUERIES, dtype=torch.bool)
    with torch.no_grad():
        one = denoiser(sample, torch.tensor([10.0]), torch.randn(1, QUERIES, DIM), nothing, *rest)
        two = denoiser(
            sample, torch.tensor([10.0]), torch.randn(1, QUERIES, DIM), nothing, rest[0], rest[1] * 5, rest[2]
        )
    assert torch.allclose(one, two, atol=1e-6)
