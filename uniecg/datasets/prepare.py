"""Published data sets as sharded Parquet: in pieces that are complete or not there, so that a kill loses nothing.

The records of a data set are cut into shards by their place in its index. A shard is written under another name, forced
to the disk and renamed; its footer says what it holds, from which part of the index it was made, and what could not be
used. A later run keeps every shard whose part of the index is the same and makes the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, TypeAlias

from uniecg.datasets.codes import vocabulary_digest
from uniecg.datasets.manifest import (
    FORMAT,
    MANIFEST,
    Account,
    manifest_dict,
    read_manifest,
    shard_files,
    uid_hash,
    write_manifest,
)
from uniecg.datasets.parquet import ShardWriter, example_row, shard_account
from uniecg.datasets.rows import file_sha256
from uniecg.datasets.source import TWICE, BadRecord, Entry, Problem, Source, load_example
from uniecg.errors import InputError, UniECGError, require

SHARD_SIZE = 1000
_SAVE_EVERY_S = 2.0  # the manifest, beside the shards that are complete anyway

Item: TypeAlias = Entry | Problem


def prepare(
    source: Source,
    root: str | Path,
    out: str | Path,
    *,
    sampling_rate: float | None = None,
    shard_size: int = SHARD_SIZE,
    jobs: int = 1,
    limit: int | None = None,
    strict: bool = False,
    force: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write a published data set as sharded Parquet, or go on where an earlier run stopped.

    Parameters
    ----------
    source : Source
        One of `uniecg.datasets.SOURCES`.
    root : str or Path
        Its folder.
    out : str or Path
        Folder to write: ``shard-00000.parquet`` and so on, and ``manifest.json``.
    sampling_rate : float, optional
        Hz to bring every record to; its own if not given.
    shard_size : int
        Records of the index a shard.
    jobs : int
        Processes that read and write; the result is the same.
    limit : int, optional
        Read only so many records of the index.
    strict : bool
        Refuse the first thing that cannot be used instead of counting it.
    force : bool
        Begin anew: remove the shards and the manifest of an earlier run.
    on_progress : callable, optional
        Receives the number of records dealt with since the last call.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    InputError
        If the folders are not what they should be, or, under `strict`, for the first problem.
    """
    require("pyarrow", "formats")
    root, out = Path(root), Path(out)
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; give the folder of {source.title}")
    head = {
        "format": FORMAT,
        "dataset": source.name,
        "title": source.title,
        "licence": source.licence,
        "url": source.url,
        "settings": {
            "sampling_rate": sampling_rate,
            "shard_size": shard_size,
            "vocabulary": vocabulary_digest(),
        },
    }
    run = _Run(source, root, out, head, strict)
    run.open(force)
    report = on_progress or (lambda count: None)
    chunks = _chunks(source, root, shard_size, limit)
    if jobs == 1:
        for number, items in chunks:
            if not run.keep(number, items, report):
                run.add(number, run.task(number, items)(report=report))
    else:
        _in_processes(run, chunks, jobs, report)
    return run.finish()


class _Run:
    """What one call of `prepare` knows: where it writes, and what is written so far."""

    def __init__(self, source: Source, root: Path, out: Path, head: dict[str, Any], strict: bool) -> None:
        self._source, self._root, self._out, self._head, self._strict = source, root, out, head, strict
        self._account = Account()
        self._shards: dict[int, dict[str, Any]] = {}
        self._earlier: dict[str, dict[str, Any]] = {}
        self._saved = 0.0

    def open(self, force: bool) -> None:
        """Make the folder, or check that it is one to go on with."""
        self._out.mkdir(parents=True, exist_ok=True)
        for pattern in (".shard-*.parquet.*.part", f".{MANIFEST}.*.part"):  # of a run that was killed
            for path in self._out.glob(pattern):
                path.unlink()
        if any(self._out.iterdir()):
            manifest = self._manifest_there(force)
            for name in ("dataset", "settings"):
                if not force and manifest.get(name) != self._head[name]:
                    raise InputError(
                        f"{self._out} was made with another {name} ({manifest.get(name)}, now {self._head[name]}); "
                        "choose another folder or begin anew (--force)"
                    )
            if force:
                for path in shard_files(self._out):
                    path.unlink()
            else:
                self._earlier = {shard["file"]: shard for shard in manifest["shards"]}
        self._save(complete=False)

    def _manifest_there(self, force: bool) -> dict[str, Any]:
        try:
            return read_manifest(self._out)
        except InputError as error:
            if force and (self._out / MANIFEST).is_file():
                return {}
            if (self._out / MANIFEST).is_file():
                raise
            raise InputError(
                f"{self._out} is not empty and holds no prepared data set; choose another folder"
            ) from error

    def task(self, number: int, items: Sequence[Item]) -> partial[dict[str, Any]]:
        """What makes one shard, here or in another process."""
        rate = self._head["settings"]["sampling_rate"]
        digest = self._digest(items)
        path = self._path(number)
        return partial(write_shard, self._source, self._root, path, items, rate, self._strict, digest)

    def keep(self, number: int, items: Sequence[Item], report: Callable[[int], None]) -> bool:
        """Whether an earlier run has made this shard from the same part of the index."""
        path = self._path(number)
        account = shard_account(path) if path.exists() else None
        if account is None or account.get("index_sha256") != self._digest(items):
            if account is not None and account["listed"] > sum(_weight(item) for item in items):
                raise self._would_shrink(path)
            return False
        faults = [found for found in account["problems"].values() if not found["intended"]]
        if self._strict and faults:
            raise _refusal(faults[0]["examples"][0])
        self.add(number, account, kept=True)
        report(len(items))
        return True

    def add(self, number: int, account: dict[str, Any], *, kept: bool = False) -> None:
        """Take a complete shard into the manifest; one that is kept keeps the checksum it was written with."""
        path = self._path(number)
        size = path.stat().st_size
        earlier = self._earlier.get(path.name, {})
        known = kept and earlier.get("index_sha256") == account["index_sha256"]
        self._shards[number] = {
            "file": path.name,
            "records": account["records"],
            "listed": account["listed"],
            "bytes": size,
            "index_sha256": account["index_sha256"],
            "sha256": earlier["sha256"] if known else file_sha256(path),
        }
        self._account.merge(account)
        if time.monotonic() - self._saved > _SAVE_EVERY_S:
            self._save(complete=False)

    def finish(self) -> dict[str, Any]:
        """Write the complete manifest."""
        written = {shard["file"] for shard in self._shards.values()}
        for path in shard_files(self._out):
            if path.name not in written:
                raise self._would_shrink(path)
        return self._save(complete=True)

    def _would_shrink(self, path: Path) -> InputError:
        return InputError(
            f"{path} holds records that are not listed now (a smaller --limit, or other files in {self._root}); "
            "choose another folder or begin anew (--force)"
        )

    def _save(self, *, complete: bool) -> dict[str, Any]:
        shards = {shard["file"]: shard for shard in self._shards.values()}
        if not complete:  # what an earlier run wrote stays known until it is looked at again
            shards = {**self._earlier, **shards}
        manifest = manifest_dict(
            self._head, self._account, [shards[name] for name in sorted(shards)], complete=complete
        )
        write_manifest(self._out, manifest)
        self._saved = time.monotonic()
        return manifest

    def _path(self, number: int) -> Path:
        return self._out / f"shard-{number:05d}.parquet"

    def _digest(self, items: Sequence[Item]) -> str:
        digest = hashlib.sha256(json.dumps([self._head["dataset"], self._head["settings"]]).encode("utf-8"))
        for item in items:
            digest.update(json.dumps(asdict(item), sort_keys=True, default=str).encode("utf-8"))
        return digest.hexdigest()


def write_shard(
    source: Source,
    root: Path,
    path: Path,
    items: Sequence[Item],
    sampling_rate: float | None,
    strict: bool,
    index_sha256: str,
    report: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write one shard.

    Parameters
    ----------
    source, root, sampling_rate, strict
        As for `prepare`.
    path : Path
        File to write.
    items : sequence of Entry or Problem
        Its part of the index.
    index_sha256 : str
        Checksum of that part.
    report : callable, optional
        Called with 1 after each of the items.

    Returns
    -------
    dict
        The account that stands in the footer of the shard.
    """
    account = Account()
    writer = ShardWriter(path)
    try:
        for item in items:
            account.listed += _weight(item)
            for problem in _write_item(source, root, item, sampling_rate, writer, account):
                if strict and not problem.intended:
                    raise _refusal(problem.line())
                account.note(problem)
            if report is not None:
                report(1)
        told = {**account.to_dict(), "index_sha256": index_sha256}
        writer.close(told)
    except BaseException:
        writer.abandon()
        raise
    return told


def _write_item(
    source: Source, root: Path, item: Item, sampling_rate: float | None, writer: ShardWriter, account: Account
) -> list[Problem]:
    """Write one record, if it can be used; returns what is wrong with it."""
    if isinstance(item, Problem):
        return [item]
    try:
        example, problems = load_example(source, root, item, sampling_rate)
        cells, samples = example_row(example, source.licence)
    except BadRecord as error:
        return [error.problem]
    writer.add(cells, samples)
    account.records += 1
    account.splits[example.split] += 1
    account.datasets[example.dataset] += 1
    account.unmapped.update(example.other_statements)
    return problems


def _chunks(source: Source, root: Path, size: int, limit: int | None) -> Iterator[tuple[int, list[Item]]]:
    """Cut the index into numbered parts of `size` lines; a record that is listed again becomes a problem."""
    seen: set[int] = set()
    items: list[Item] = []
    number = 0
    for item in source.entries(root):
        if isinstance(item, Entry):
            if limit is not None and len(seen) >= limit:
                break
            key = uid_hash(item.uid)
            if key in seen:
                item = Problem(TWICE, item.uid, "only the first was read")
            else:
                seen.add(key)
        items.append(item)
        if len(items) == size:
            yield number, items
            number, items = number + 1, []
    if items:
        yield number, items


def _in_processes(
    run: _Run, chunks: Iterator[tuple[int, list[Item]]], jobs: int, report: Callable[[int], None]
) -> None:
    """Write shards in several processes; no more parts of the index wait than keep them busy."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent)
    waiting: dict[Future[dict[str, Any]], tuple[int, int]] = {}

    def collect(at_most: int) -> None:
        while len(waiting) > at_most:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                number, count = waiting.pop(future)
                run.add(number, future.result())
                report(count)

    try:
        for number, items in chunks:
            if not run.keep(number, items, report):
                waiting[pool.submit(run.task(number, items))] = (number, len(items))
                collect(2 * jobs)
        collect(0)
    except BrokenProcessPool as error:
        raise UniECGError(
            "a worker process ended unexpectedly, for want of memory perhaps; run the same command again to go on, "
            "with fewer --jobs"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Let a worker end when the process that started it is killed; it would wait for work for ever."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _weight(item: Item) -> int:
    return item.count if isinstance(item, Problem) else 1


def _refusal(line: str) -> InputError:
    return InputError(f"{line} (refused by --strict; without it the record is counted and the rest is read)")
