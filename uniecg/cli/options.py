"""The arguments and options that the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SignalFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", show_default=False, help="ECG file of a known format, told by its content."
    ),
]
AnyFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", show_default=False, help="ECG file of a known format, or a page as .png, .jpg."
    ),
]
SamplingRate = Annotated[
    float | None,
    typer.Option("--sampling-rate", metavar="HZ", help="Sampling rate, where the file does not say it."),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Makes the answer repeatable.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="PATH", help="A model folder or preset instead of the one in the package."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Force = Annotated[bool, typer.Option("--force", help="Write over existing files.")]
Style = Annotated[
    str,
    typer.Option(
        "--style",
        metavar="STYLE",
        help="reasoning (every step with its evidence), teaching (the same for a student), report, short, "
        "impression, line (one line) or json.",
    ),
]
WordingSeed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Varies the wording; without it, it is always the same.")
]
Only = Annotated[
    str | None, typer.Option("--only", metavar="STEP", help="Run only this step of the configuration.")
]
DataPath = Annotated[
    Path | None, typer.Option("--data", help="Folder of training data instead of the configured one.")
]
OutputFolder = Annotated[Path | None, typer.Option("--output", help="Folder for checkpoints and weights.")]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", show_default=False, help="YAML file of the run.")]
Question = Annotated[str, typer.Option("--question", "-q", help="What to ask about the ECG.")]
Words = Annotated[str, typer.Argument(metavar="TEXT", show_default=False, help="The ECG in words.")]
RecordOutput = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        show_default=False,
        help="NAME.hea (WFDB), .csv, .npz, .json, .edf, .dcm or .xml (aECG).",
    ),
]
PageOutput = Annotated[
    Path, typer.Option("--output", "-o", show_default=False, help="Page to write: .png, .svg, .pdf.")
]
Source = Annotated[
    Path,
    typer.Argument(metavar="IN", show_default=False, help="ECG file of a known format, told by its content."),
]
Target = Annotated[
    Path, typer.Argument(metavar="OUT", show_default=False, help="File to write; its suffix is the format.")
]
Task = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        show_default=False,
        help="ptbxl-superclass, ptbxl-superclass-image, interpretation, questions, generation, routing, mapper, "
        "reconstruction; ludb, rhythm, ecg-reasoning, quality, simulator, statements, explanations (no model).",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="NAMES",
        help="For ludb: other packages to measure beside, of neurokit2,openecg,openecg-codec,biosppy.",
    ),
]
TestData = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="What to evaluate on: a Parquet file, PTB-XL folder or TSV (mapper: the folder of the text encoder).",
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Use at most this many examples.")]
