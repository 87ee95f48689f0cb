"""Mapper task: does the language model's way to the statement embeddings beat calling the text encoder?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, average, progress, result
from uniecg.text.attributes import generation_answer
from uniecg.text.requests import RequestExample, sample_request
from uniecg.text.statements import STATEMENTS, parse_statements

VERSION = "1.1"
DEFAULT_N = 200


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = None,
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Statement recall by nearest neighbour, on report-like and on free-form requests.

    The embeddings a request leads to are compared with those of all statements; of a request for `k`
    statements the `k` nearest count, and recall is the share of the requested ones among them.

    Parameters
    ----------
    pipe : Pipeline
        Needs `mapper_embeddings` and `statement_embeddings`.
    data : path, optional
        Folder of the tuned text encoder (the training step `text_encoder` writes it) for the baseline.
    split : optional
        Not used: requests are drawn from held-out phrasings.
    seed : int
        Seed of requests and bootstrap.
    n : int, optional
        Number of requests of each kind, 200 by default.

    Returns
    -------
    dict
        Baseline: the text encoder called directly on the parts of the request, without a language model; where no
        encoder is named, a search for statement names in the request.
    """
    rng = np.random.default_rng(seed)
    examples = _draw(DEFAULT_N if n is None else n, rng)
    codes = list(STATEMENTS)
    table = np.asarray(pipe.statement_embeddings(codes), dtype=np.float64)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    encode = None if data is None else _encoder(data)
    names = None if encode is None else encode([STATEMENTS[code].name for code in codes])
    metrics = {}
    for kind in ("report_like", "free_form"):
        recalls, baselines = [], []
        for example in progress(examples, f"mapper, {kind.replace('_', '-')} requests"):
            if kind == "report_like":
                text = generation_answer(example.statements, example.attributes).replace(
                    "This is", "Generate", 1
                )
            else:
                text = example.text
            wanted = set(example.statements)
            found = nearest(pipe.mapper_embeddings(text), table, codes, len(wanted))
            recalls.append(len(wanted & found) / len(wanted))
            if encode is not None and names is not None:
                direct = nearest(encode(_parts(text)), names, codes, len(wanted))
            else:
                direct = set(parse_statements(text)[: len(wanted)])
            baselines.append(len(wanted & direct) / len(wanted))
        metrics[f"statement_recall_{kind}"] = average(
            recalls,
            seed,
            baseline=float(np.mean(baselines)),
            baseline_name="vocabulary search" if encode is None else "text encoder",
        )
    return result("mapper", VERSION, seed, len(examples), metrics)


def nearest(
    embeddings: NDArray[np.floating[Any]], table: NDArray[np.floating[Any]], codes: Sequence[str], k: int
) -> set[str]:
    """The `k` statements nearest to any of the embeddings.

    Parameters
    ----------
    embeddings : ndarray, shape (n_queries, dim)
        Not normalised: a query the mapper leaves near zero has no say.
    table : ndarray, shape (n_codes, dim)
        Rows of length 1.
    codes : sequence of str
        Names of the rows.
    k : int
    """
    similarity = np.max(np.asarray(embeddings, dtype=np.float64) @ table.T, axis=0)
    return {codes[index] for index in np.argsort(-similarity, kind="stable")[:k]}


def _encoder(folder: Path) -> Callable[[list[str]], NDArray[np.floating[Any]]]:
    import torch

    from uniecg.models.text_encoder import TextEncoder

    if not (folder / "model.safetensors").is_file():
        raise InputError(
            f"{folder}: no text encoder; name the folder that the training step text_encoder wrote"
        )
    encoder = TextEncoder(folder).eval()

    def encode(texts: list[str]) -> NDArray[np.floating[Any]]:
        with torch.no_grad():
            return np.asarray(encoder(texts).numpy())

    return encode


def _draw(n: int, rng: np.random.Generator) -> list[RequestExample]:
    """Held-out requests for an ECG that name at least one statement."""
    examples: list[RequestExample] = []
    while len(examples) < n:
        example = sample_request(rng, action="generate", split="heldout")
        if example.statements:
            examples.append(example)
    return examples


def _parts(text: str) -> list[str]:
    """The request and its comma-separated parts: one embedding of many statements tells few of them."""
    return [text, *(part.strip(" .") for part in text.split(",") if part.strip(" ."))]
