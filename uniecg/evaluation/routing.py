"""Routing task: does the model see whether to interpret, to generate or to answer in words?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.errors import InputError
from uniecg.evaluation.common import Pipeline, metric, progress, result, sample, share
from uniecg.evaluation.metrics import bootstrap_ci, macro_f1
from uniecg.text.requests import ACTIONS, sample_request

VERSION = "1.0"
DEFAULT_N = 200
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

Case = tuple[str, bool, str]  # expected action, is an ECG attached, request


def run(
    pipe: Pipeline,
    data: Path | None = None,
    split: str | None = None,
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Accuracy of `pipe.route`, recall of each action and the confusion matrix.

    Parameters
    ----------
    pipe : Pipeline
        Needs `route`.
    data : Path, optional
        TSV of ``expected<TAB>has_ecg<TAB>request``. Without it, phrasings are drawn that share no template
        with the ones used for training.
    split : str, optional
        Not used: a TSV has no splits.
    seed : int
        Seed of the phrasings and the bootstrap.
    n : int, optional
        Number of requests; all of the file, or 200 drawn ones, by default.

    Returns
    -------
    dict
        Baseline: always the most frequent action. ``confusion[expected][predicted]`` counts requests.

    Raises
    ------
    InputError
        If the file is not such a TSV.
    """
    cases = list(sample(read_cases(data), n, seed)) if data is not None else draw_cases(n or DEFAULT_N, seed)
    expected = [case[0] for case in cases]
    predicted = [pipe.route(request, has_ecg) for _, has_ecg, request in progress(cases, "routing")]
    majority, count = Counter(expected).most_common(1)[0]
    truth = np.array([[action == name for name in ACTIONS] for action in expected])
    answers = np.array([[action == name for name in ACTIONS] for action in predicted])
    always = np.array([[majority == name for name in ACTIONS]] * len(cases))
    present = truth.any(axis=0)
    metrics = {
        "accuracy": share(
            (e == p for e, p in zip(expected, predicted, strict=True)), baseline=count / len(cases)
        ),
        "macro_f1": metric(
            macro_f1(truth[:, present], answers[:, present]),
            bootstrap_ci(
                lambda i: macro_f1(truth[np.ix_(i, present)], answers[np.ix_(i, present)]),
                len(cases),
                seed=seed,
            ),
            baseline=macro_f1(truth[:, present], always[:, present]),
        ),
    }
    confusion: dict[str, dict[str, int]] = {}
    for action in ACTIONS:
        given = [p for e, p in zip(expected, predicted, strict=True) if e == action]
        if given:
            metrics[f"recall_{action}"] = share(
                (p == action for p in given), baseline=float(action == majority)
            )
        confusion[action] = dict(Counter(given))
    return result("routing", VERSION, seed, len(cases), metrics, confusion=confusion)


def read_cases(path: Path) -> list[Case]:
    """Read a TSV of ``expected<TAB>has_ecg<TAB>request``; a header line and empty lines are skipped.

    Raises
    ------
    InputError
        If the file is missing or empty, or a line has another form.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    cases: list[Case] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lower().startswith("expected\t"):
            continue
        expected, has_ecg, request = (part.strip() for part in (*line.split("\t", 2), "", "")[:3])
        if expected not in ACTIONS or has_ecg.lower() not in _FLAGS or not request:
            raise InputError(
                f"{path}, line {number}: write {'|'.join(ACTIONS)} TAB 0|1 TAB request, got {line[:80]!r}"
            )
        cases.append((expected, _FLAGS[has_ecg.lower()], request))
    if not cases:
        raise InputError(f"{path}: holds no requests; write lines of expected TAB has_ecg TAB request")
    return cases


def draw_cases(n: int, seed: int) -> list[Case]:
    """Draw held-out requests, the three actions in turn."""
    rng = np.random.default_rng(seed)
    examples = [sample_request(rng, action=ACTIONS[i % len(ACTIONS)], split="heldout") for i in range(n)]
    return [(example.action, example.has_ecg, example.text) for example in examples]
