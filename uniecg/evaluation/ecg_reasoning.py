"""ECG reasoning task: the questions of ECG-Reasoning-Benchmark answered from criteria and measurements alone.

References
----------
Oh J. et al. ECG-Reasoning-Benchmark: evaluating clinical reasoning capabilities in ECG interpretation.
arXiv:2603.14326, 2026. Its "completion" is `completion` here: every question of the chain right, the initial
diagnosis aside, which it reports on its own; `whole_chain` asks for that one too.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.errors import InputError
from uniecg.evaluation.common import metric, progress, read_examples, result, sample
from uniecg.evaluation.metrics import bootstrap_ci
from uniecg.evaluation.reasoning_chains import CHAINS, Chain
from uniecg.signal import Measurements, measure
from uniecg.signal.rules import Criterion, Met, Some, value_of

VERSION = "1.0"
FOLDER = "ecg_reasoning_benchmark"
STAGES = ("initial_diagnosis", "criterion", "finding", "lead", "wave", "measurement", "decision")
YES, NO = "Yes", "No"
FURTHER = "Further findings are required to confirm the diagnosis"
_NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?")
_LEAD = re.compile(r"lead (aV[RLF]|V[1-6]|I{1,3})\b")

Answer = str | list[str]


@dataclass(frozen=True)
class Asked:
    """One question with the answer given and the right one."""

    stage: str
    given: Answer
    right: Answer
    options: tuple[str, ...]

    @property
    def hit(self) -> bool:
        """Whether the answer is right; of leads, all must be named and no other."""
        return self.given == self.right

    @property
    def chance(self) -> float:
        """Chance of a blind guess: one of the options, or one of the non-empty sets of leads."""
        n = len(self.options)
        return 1.0 / (2**n - 1) if self.stage == "lead" and n > 2 else 1.0 / n


def run(
    pipe: object = None,
    data: Path | None = None,
    split: str | None = None,
    seed: int = 0,
    n: int | None = None,
) -> dict[str, Any]:
    """Share of items with the whole chain right, and of right answers at each stage.

    Parameters
    ----------
    pipe : object
        Not used: no model is asked.
    data : Path
        Folder that holds ``ecg_reasoning_benchmark/*.jsonl.gz`` and the waveforms in one of the layouts of
        `uniecg.datasets` (a PTB-XL record has the uid ``ptbxl-00001``).
    split : str, optional
        Not used: all items are asked, `by_split` tells them apart.
    seed : int
        Seed of the bootstrap (over records) and of the choice of `n` items.
    n : int, optional
        Use at most so many items.

    Returns
    -------
    dict
        Baselines: blind guessing; for yes, no and decisions the commonest answer.

    Raises
    ------
    InputError
        If there are no items or none of their waveforms.
    """
    if data is None:
        raise InputError(
            f"the task ecg-reasoning needs --data: a folder with {FOLDER}/*.jsonl.gz and the waveforms"
        )
    items = list(sample(read_items(data), n, seed))
    wanted = {uid_of(item) for item in items}
    examples = (
        e for e in read_examples(data, None, "ecg-reasoning") if e.uid in wanted and e.amplitude_known
    )
    measured: dict[str, tuple[Measurements, str]] = {}
    for example in progress(examples, "ecg-reasoning", total=len(wanted)):
        if example.uid not in measured:
            measured[example.uid] = measure(example.record), example.split
    asked = [
        (item, answer_item(item, measured[uid_of(item)][0])) for item in items if uid_of(item) in measured
    ]
    if not asked:
        raise InputError(f"{data}: holds none of the waveforms that its items ask about")
    return _score(asked, {uid: found[1] for uid, found in measured.items()}, len(items), seed)


def read_items(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the items of all ``.jsonl.gz`` files of the benchmark in a folder.

    Raises
    ------
    InputError
        If there is none, or a line is not an item.
    """
    home = Path(folder) / FOLDER if (Path(folder) / FOLDER).is_dir() else Path(folder)
    files = sorted(home.glob("*.jsonl.gz")) if home.is_dir() else []
    if not files:
        raise InputError(f"{folder}: holds no {FOLDER}/*.jsonl.gz")
    for path in files:
        try:
            lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a readable gzip file of JSON lines ({error})") from error
        for number, line in enumerate(lines, start=1):
            try:
                item = json.loads(line)
                known = item["metadata"]["target_dx"] in CHAINS and item["data"]["reasoning"]
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"{path}, line {number}: not an item of the benchmark ({error})") from error
            if known:
                yield item


def uid_of(item: dict[str, Any]) -> str:
    """Identifier of the waveform of an item."""
    meta = item["metadata"]
    number = str(meta["ecg_id"])
    return f"ptbxl-{int(number):05d}" if meta["data_source"] == "ptbxl" else f"{meta['data_source']}-{number}"


@dataclass
class _Talk:
    """What was said so far about one record."""

    m: Measurements
    chain: Chain
    known: dict[str, Met] = field(default_factory=dict)
    criterion: Criterion | None = None
    beat: int | None = None
    leads: tuple[str, ...] = ()


def answer_item(item: dict[str, Any], m: Measurements) -> list[Asked]:
    """Answer all questions of an item; the right answers are only copied beside ours.

    Parameters
    ----------
    item : dict
        As `read_items` yields it.
    m : Measurements
        Of its waveform.
    """
    talk = _Talk(m, CHAINS[item["metadata"]["target_dx"]])
    everything = {name: criterion.met(m) for name, criterion in talk.chain.criteria.items()}
    first = item["data"]["initial_diagnostic_question"]
    asked = [_asked("initial_diagnosis", first, YES if talk.chain.decide(everything) else NO)]
    for step in item["data"]["reasoning"]:
        question = step["criterion_selection"]
        name = talk.chain.next_criterion(talk.known, question["options"])
        talk.criterion = talk.chain.criteria.get(name or "")
        asked.append(_asked("criterion", question, name or question["options"][0]))
        met = everything.get(name or "")
        asked.append(_asked("finding", step["finding_identification"], YES if met else NO))
        if name:
            talk.known[name] = bool(met)
        for question in step["ecg_grounding"]:
            stage = question["question_type"].removesuffix("_grounding")
            asked.append(_asked(stage, question, _GROUNDING[stage](talk, question)))
        decided = talk.chain.decide(talk.known)
        asked.append(
            _asked("decision", step["diagnostic_decision"], {True: YES, False: NO, None: FURTHER}[decided])
        )
    return asked


def _asked(stage: str, question: dict[str, Any], given: Answer) -> Asked:
    return Asked(stage, given, question["answer"], tuple(question["options"]))


def _numbers(text: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(text)]


def _lead_answer(talk: _Talk, question: dict[str, Any]) -> list[str]:
    """Leads of the criterion in which it is met; of "the larger R amplitude" the one lead that has it."""
    options = {option.removeprefix("Lead "): option for option in question["options"]}
    if "larger R amplitude" in question["question"]:
        sizes = {lead: value_of(talk.m, "tallest_mv", lead) for lead in options}
        talk.leads = (max(sizes, key=lambda lead: np.nan_to_num(sizes[lead])),)
    else:
        talk.leads = _leads_met(talk.criterion, talk.m)
    return [text for lead, text in options.items() if lead in talk.leads]


def _leads_met(criterion: Criterion | None, m: Measurements) -> tuple[str, ...]:
    parts = criterion.rule.parts if criterion is not None and isinstance(criterion.rule, Some) else ()
    found = [item.lead for part in parts if part.met(m) for item in part.evidence(m)]
    return tuple(dict.fromkeys(lead for lead in found if lead is not None))


def _wave_answer(talk: _Talk, question: dict[str, Any]) -> str:
    """Return the option that overlaps most with a wave of the kind asked for."""
    text, options, beats = question["question"], question["options"], talk.m.beats
    if "QRS wave - " in options[0]:
        return _longest_interval(talk, text, options)
    waves = {
        "P": (beats.p_on_s, beats.p_off_s),
        "QRS": (beats.qrs_on_s, beats.qrs_off_s),
        # T begins about as long before its peak as it ends behind it.
        "T": (2.0 * beats.t_peak_s - beats.t_off_s, beats.t_off_s),
    }
    if "non-conducted P" in text:
        overlap = [
            max(_overlap(option, *span).max(initial=0.0) for span in waves.values()) for option in options
        ]
        return str(options[int(np.argmin(overlap))])
    kind = "P" if "P wave" in text else "T" if "T wave" in text and "QRS" not in text else "QRS"
    starts, ends = waves[kind]
    if "premature" in text:
        starts = np.where(beats.premature | (beats.wide & ~beats.dominant), starts, math.nan)
    scores = np.array([_overlap(option, starts, ends) for option in options])
    if scores.size == 0:
        return str(options[0])
    best, talk.beat = (int(index) for index in np.unravel_index(int(scores.argmax()), scores.shape))
    talk.leads = tuple(_LEAD.findall(text)) or talk.leads
    return str(options[best])


def _overlap(option: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return shared time over joint time of an option such as "[1.54s - 1.64s]" with each wave."""
    start, end = (float(part) for part in re.findall(r"[\d.]+(?=s)", option)[:2])
    shared = np.minimum(ends, end) - np.maximum(starts, start)
    joint = np.maximum(ends, end) - np.minimum(starts, start)
    return np.nan_to_num(np.maximum(shared, 0.0) / joint)


def _longest_interval(talk: _Talk, text: str, options: list[str]) -> str:
    """Return the option with the longest RR interval, counting QRS complexes as the question does."""
    first = int(np.argmax(_overlap(text[text.index("[") :], talk.m.beats.qrs_on_s, talk.m.beats.qrs_off_s)))
    ends = [first + int(re.findall(r"\d+", option)[1]) - 1 for option in options]
    rr_s = [talk.m.beats.rr_s[end] if end < len(talk.m.beats) else 0.0 for end in ends]
    return options[int(np.argmax(np.nan_to_num(rr_s)))]


def _measurement_answer(talk: _Talk, question: dict[str, Any]) -> str:
    """Return the range that holds the value, or the nearest one."""
    value = _measured(talk, question["question"])
    distance = [_outside(value, option) for option in question["options"]]
    return str(question["options"][int(np.argmin(distance))])


def _measured(talk: _Talk, text: str) -> float:
    m, beats, beat = talk.m, talk.m.beats, talk.beat
    lead = talk.leads[0] if talk.leads else None
    if "amplitude" in text:
        return (
            value_of(m, "tallest_mv" if "R amplitude" in text else "deepest_mv", lead) if lead else math.nan
        )
    if "QRS axis" in text:
        return value_of(m, "net_axis_deg", None)
    if "heart rate" in text:
        return m.heart_rate_bpm
    if "PR interval" in text:
        single = 1000.0 * (beats.qrs_on_s[beat] - beats.p_on_s[beat]) if beat is not None else math.nan
        return m.pr_ms if math.isnan(single) else float(single)
    if "QRS duration" in text:
        single = 1000.0 * (beats.qrs_off_s[beat] - beats.qrs_on_s[beat]) if beat is not None else math.nan
        return m.qrs_ms if math.isnan(single) else float(single)
    return math.nan  # the atrial rate, which is measured only where it is that of flutter waves


def _outside(value: float, option: str) -> float:
    """Distance of a value from a range such as "Below 120ms", "[120ms - 140ms]" or "Above 240ms"."""
    limits = _numbers(option)
    low = -math.inf if option.startswith("Below") else limits[0]
    high = math.inf if option.startswith("Above") else limits[-1]
    # The upper limit belongs to the next range.
    return max(low - value, value - high, 0.0) + (1e-6 if value == high else 0.0)


_GROUNDING: dict[str, Callable[[_Talk, dict[str, Any]], Answer]] = {
    "lead": _lead_answer,
    "wave": _wave_answer,
    "measurement": _measurement_answer,
}


def _score(
    asked: list[tuple[dict[str, Any], list[Asked]]], split_of: dict[str, str], given: int, seed: int
) -> dict[str, Any]:
    records = [uid_of(item) for item, _ in asked]

    def chain(names: Iterable[str]) -> dict[str, Any]:
        kept = [[question for question in found if question.stage in set(names)] for _, found in asked]
        chance = [math.prod(question.chance for question in found) for found in kept]
        return _mean([all(q.hit for q in found) for found in kept], records, float(np.mean(chance)), seed)

    metrics = {"whole_chain": chain(STAGES), "completion": chain(STAGES[1:])}
    for stage in STAGES:
        rows = [
            (q, uid)
            for uid, (_, found) in zip(records, asked, strict=True)
            for q in found
            if q.stage == stage
        ]
        if rows:
            hits = [question.hit for question, _ in rows]
            baseline = _baseline([question for question, _ in rows])
            metrics[stage] = _mean(hits, [uid for _, uid in rows], baseline, seed, questions=len(rows))
    groups: dict[str, dict[str, list[bool]]] = {
        "by_diagnosis": defaultdict(list),
        "by_split": defaultdict(list),
    }
    for item, found in asked:
        right = all(question.hit for question in found)
        groups["by_diagnosis"][item["metadata"]["target_dx"]].append(right)
        groups["by_split"][split_of[uid_of(item)]].append(right)
    shares = {
        name: {
            key: {"whole_chain": float(np.mean(hits)), "n": len(hits)} for key, hits in sorted(group.items())
        }
        for name, group in groups.items()
    }
    return result(
        "ecg-reasoning", VERSION, seed, len(asked), metrics, without_waveform=given - len(asked), **shares
    )


def _baseline(questions: list[Asked]) -> float:
    """Blind guessing, or the commonest answer where all questions have the same options."""
    chance = float(np.mean([question.chance for question in questions]))
    if len({question.options for question in questions}) > 1:
        return chance
    return Counter(str(question.right) for question in questions).most_common(1)[0][1] / len(questions)


def _mean(hits: list[bool], records: list[str], baseline: float, seed: int, **extra: Any) -> dict[str, Any]:
    rows = np.array(hits, dtype=np.float64)
    ci95 = bootstrap_ci(lambda index: float(rows[index].mean()), len(rows), seed=seed, groups=records)
    return metric(float(rows.mean()), ci95, baseline, **extra)
