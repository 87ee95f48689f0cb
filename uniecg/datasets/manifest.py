"""The manifest of a prepared data set: which shards there are, their checksums, what was read and what was not."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from uniecg.datasets.parquet import shard_account, sync_folder
from uniecg.datasets.rows import file_sha256
from uniecg.datasets.source import Problem
from uniecg.errors import FormatError, InputError, require

MANIFEST = "manifest.json"
FORMAT = 1
_EXAMPLES = 5  # of each kind of problem
_LISTED = 500  # of the labels without an SCP-ECG code, the most frequent


@dataclass
class Account:
    """What became of the records of a data set, or of one shard.

    Attributes
    ----------
    listed, records : int
        Records that the data set lists, and records written.
    problems : dict
        Kind -> ``count``, ``skipped``, ``intended`` and the first ``examples``.
    unmapped : Counter
        Label that SCP-ECG has no code for -> records.
    splits, datasets : Counter
        Split or source -> records written.
    """

    listed: int = 0
    records: int = 0
    problems: dict[str, dict[str, Any]] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    datasets: Counter[str] = field(default_factory=Counter)

    def note(self, problem: Problem) -> None:
        """Count a problem."""
        self._add(
            problem.kind,
            {
                "count": problem.count,
                "skipped": problem.skipped,
                "intended": problem.intended,
                "examples": [problem.line()],
            },
        )

    def merge(self, other: dict[str, Any]) -> None:
        """Add the account of a shard, as `to_dict` wrote it."""
        self.listed += other["listed"]
        self.records += other["records"]
        for kind, found in other["problems"].items():
            self._add(kind, found)
        for name in ("unmapped", "splits", "datasets"):
            getattr(self, name).update(other[name])

    def to_dict(self) -> dict[str, Any]:
        """As JSON, in an order that depends on the content alone."""
        return {
            "listed": self.listed,
            "records": self.records,
            "problems": dict(sorted(self.problems.items())),
            "unmapped": _ranked(self.unmapped),
            "splits": _ranked(self.splits),
            "datasets": _ranked(self.datasets),
        }

    def _add(self, kind: str, found: dict[str, Any]) -> None:
        known = self.problems.setdefault(kind, {**found, "count": 0, "examples": []})
        known["count"] += found["count"]
        known["examples"] = (known["examples"] + found["examples"])[:_EXAMPLES]


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def manifest_dict(
    head: dict[str, Any], account: Account, shards: list[dict[str, Any]], *, complete: bool
) -> dict[str, Any]:
    """The manifest as it is written.

    Parameters
    ----------
    head : dict
        Name, licence and settings of the data set.
    account : Account
        Of all shards together.
    shards : list of dict
        ``file``, ``records``, ``listed``, ``bytes`` and ``sha256`` of each.
    complete : bool
        Whether every record that is listed has been dealt with.
    """
    told = account.to_dict()
    unmapped = told.pop("unmapped")
    return {
        **head,
        "complete": complete,
        **told,
        "labels_without_code": {
            "distinct": len(unmapped),
            "total": sum(unmapped.values()),
            "most_frequent": dict(list(unmapped.items())[:_LISTED]),
        },
        "shards": shards,
    }


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest so that a kill leaves the old one or the new one, never a part."""
    part = folder / f".{MANIFEST}.{os.getpid()}.part"
    with part.open("w", encoding="utf-8") as handle:
        json.dump(manifest, handle, indent=1, ensure_ascii=False)
        handle.write("\n")
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(part, folder / MANIFEST)
    sync_folder(folder)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a prepared data set.

    Raises
    ------
    InputError
        If there is none.
    FormatError
        If it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"{folder} holds no {MANIFEST}: it was not made by `uniecg data prepare`")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise InputError(
                f"{path} is of format {manifest['format']}, known is {FORMAT}; prepare the data again"
            )
        if not all({"file", "bytes", "sha256", "records"} <= set(shard) for shard in manifest["shards"]):
            raise ValueError("a shard without its checksum")
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise FormatError(f"{path} is damaged ({error}); prepare the data again") from error
    return dict(manifest)


def verify(folder: str | Path) -> tuple[dict[str, Any], list[str]]:
    """Check a prepared data set against its manifest.

    Parameters
    ----------
    folder : str or Path
        What `prepare` wrote.

    Returns
    -------
    manifest : dict
        The manifest.
    faults : list of str
        One line each: shards that are missing, changed, unreadable or not listed, identifiers that occur twice, and
        whether the preparation came to its end. Empty where all is well.

    Raises
    ------
    InputError
        If there is no manifest.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    faults = [] if manifest["complete"] else ["not complete: run `uniecg data prepare` again to go on"]
    hashes = []
    for shard in manifest["shards"]:
        path = folder / shard["file"]
        if not path.is_file():
            faults.append(f"{path} is missing")
        elif file_sha256(path) != shard["sha256"]:
            faults.append(f"{path} is not the file that was written (SHA-256)")
        elif (shard_account(path) or {}).get("records") != shard["records"]:
            faults.append(f"{path} does not hold the {shard['records']} records of the manifest")
        else:
            hashes.append(_uid_hashes(path))
    listed = {shard["file"] for shard in manifest["shards"]}
    faults += [f"{path} is not in the manifest" for path in shard_files(folder) if path.name not in listed]
    together = np.concatenate(hashes) if hashes else np.zeros(0, np.uint64)
    twice = together.size - np.unique(together).size
    if twice:
        faults.append(f"{twice} records occur twice")
    return manifest, faults


def shard_files(folder: Path) -> list[Path]:
    """The shards in a folder, in their order."""
    return sorted(folder.glob("shard-[0-9]*.parquet"))


def uid_hash(uid: str) -> int:
    """64 bits that stand for an identifier."""
    return int.from_bytes(hashlib.blake2b(uid.encode("utf-8"), digest_size=8).digest(), "big")


def _uid_hashes(path: Path) -> np.ndarray:
    parquet: Any = require("pyarrow.parquet", "formats")
    column = parquet.read_table(path, columns=["uid"]).column("uid")
    return np.array([uid_hash(uid.as_py()) for uid in column], np.uint64)
