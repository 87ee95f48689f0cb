"""``uniecg data``: published data sets as sharded Parquet."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError
from .options import Force, Limit
from .render import note

data_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Published data sets: which are known, preparing them for training, checking what was prepared.",
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", show_default=False, help="Data set, one of those that `uniecg data list` names."
    ),
]
Root = Annotated[
    Path, typer.Option("--root", show_default=False, help="Folder of the data set as published.")
]
Prepared = Annotated[
    Path,
    typer.Option("--output", "-o", show_default=False, help="Folder to write; an earlier run is continued."),
]
Checked = Annotated[
    Path, typer.Argument(metavar="OUT", show_default=False, help="Folder that `uniecg data prepare` wrote.")
]


@data_app.command("list")
def list_sources() -> None:
    """List the data sets that can be prepared: name, licence, where to get it, files it must hold."""
    from ..datasets import SOURCES

    for source in SOURCES.values():
        typer.echo(f"{source.name:<14} {source.title}")
        for label, value in (("licence", source.licence), ("from", source.url), ("files", source.layout)):
            typer.echo(
                textwrap.fill(f"{label}: {value}", 110, initial_indent=" " * 15, subsequent_indent=" " * 17)
            )


@data_app.command("prepare")
def prepare_source(
    name: Name,
    root: Root,
    output: Prepared,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes; the result is the same.")] = 1,
    limit: Limit = None,
    sampling_rate: Annotated[
        float | None,
        typer.Option("--sampling-rate", metavar="HZ", min=50, max=2000, help="Bring every ECG to this rate."),
    ] = None,
    shard_size: Annotated[int, typer.Option("--shard-size", min=1, help="ECGs in one file.")] = 1000,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse the first ECG that cannot be used instead of counting it."),
    ] = False,
    force: Force = False,
) -> None:
    """Write a data set as sharded Parquet with a manifest; prints the manifest's path.

    A run that was stopped goes on where it was when the same command is given again.
    """
    from ..datasets import SOURCES, prepare
    from ..datasets.manifest import MANIFEST

    if name not in SOURCES:
        raise typer.BadParameter(f"{name!r} is not one of: {', '.join(SOURCES)}", param_hint="NAME")
    source = SOURCES[name]
    total = source.count(root)
    with _ProgressBar(min(total, limit or total) if total is not None else limit) as advance:
        manifest = prepare(
            source,
            root,
            output,
            sampling_rate=sampling_rate,
            shard_size=shard_size,
            jobs=jobs,
            limit=limit,
            strict=strict,
            force=force,
            on_progress=advance,
        )
    for line in summary_lines(manifest):
        note(line)
    typer.echo(str(output / MANIFEST))


@data_app.command("verify")
def verify_prepared(folder: Checked) -> None:
    """Check the files of a prepared data set against its checksums; exits with 1 if one differs."""
    from ..datasets import verify

    manifest, faults = verify(folder)
    for fault in faults[:20]:
        note(fault)
    if faults:
        raise InputError(f"{folder}: {len(faults)} faults; prepare it again, after removing the files named")
    count = len(manifest["shards"])
    typer.echo(
        f"{manifest['dataset']}: {manifest['records']} ECGs in {count} files, all as they were written"
    )


def summary_lines(manifest: dict[str, Any]) -> list[str]:
    """What was read and what was not, for people."""
    splits = ", ".join(f"{count} {name}" for name, count in manifest["splits"].items())
    lines = [f"{manifest['records']} of {manifest['listed']} ECGs written ({splits or 'none'})"]
    for kind, found in manifest["problems"].items():
        fate = "left out" if found["skipped"] else "kept"
        lines.append(f"{kind}: {found['count']} ({fate}), such as {found['examples'][0]}")
    labels = manifest["labels_without_code"]
    if labels["total"]:
        most = ", ".join(f"{name} ({count})" for name, count in list(labels["most_frequent"].items())[:5])
        lines.append(
            f"labels without an SCP-ECG code, kept by name: {labels['total']}, {labels['distinct']} different; {most}"
        )
    return lines


class _ProgressBar:
    """A progress bar on stderr, shown on terminals only; used as a context it gives what advances it."""

    def __init__(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("preparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("preparing", total=total)

    def __enter__(self) -> Any:
        self._bar.start()
        return lambda count: self._bar.advance(self._task, count)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
