"""The embedded language model's own byte-level BPE."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from uniecg.models.processing_uniecg import END, PAD, SPECIAL_TOKENS


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, words: Iterable[str] = ()
) -> PreTrainedTokenizerFast:
    """Train a BPE in which every digit is a token of its own, so that numbers can be copied digit by digit.

    Parameters
    ----------
    texts : iterable of str
        Requests and answers as the model will see them.
    vocab_size : int
        Learned tokens including the special ones.
    words : iterable of str
        Words that stay whole, beside the learned tokens, where a space precedes them.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    vocabulary = tokenizer.get_vocab()
    for word in words:
        vocabulary.setdefault(f"\u0120{word}", len(vocabulary))  # the byte-level sign of a space
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    tokenizer.model = models.BPE(vocabulary, merges, ignore_merges=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, additional_special_tokens=SPECIAL_TOKENS[2:]
    )
