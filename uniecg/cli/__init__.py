"""The command line.

stdout carries the result and nothing else; everything said beside it goes to stderr. Exit codes: 0 done, 1
the data or the installation do not allow it (one line ``error: ...``), 2 wrong usage. Heavy modules are
imported inside the commands, so that ``uniecg --help`` and the commands without a model start fast.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from ..errors import InputError, UniECGError, require
from .chat import CHAT_HELP, ChatSession
from .data import data_app
from .files import check_plot_output, check_record_output, read_input, save_evidence, save_plot, save_record
from .options import (
    Against,
    AnyFile,
    AsJson,
    Config,
    DataPath,
    Force,
    Limit,
    Model,
    Only,
    OutputFolder,
    PageOutput,
    Question,
    RecordOutput,
    SamplingRate,
    Seed,
    SignalFile,
    Source,
    Style,
    Target,
    Task,
    TestData,
    WordingSeed,
    Words,
)
from .render import error_line, measurement_lines, note, print_json, report_lines

DISCLAIMER = "For research and education, not a medical device."


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Say what is doubtful about a file, without the place in the code that found it."""
    note(f"warning: {' '.join(str(message).split())}")


class ErrorLineGroup(TyperGroup):
    """A command group that turns expected failures into one line on stderr and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; see the class."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (UniECGError, OSError) as error:
            note(error_line(error))
        raise typer.Exit(1)


app = typer.Typer(
    cls=ErrorLineGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Interpret 12-lead ECGs with measured evidence, and generate them from words. " + DISCLAIMER,
)
train_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Train the model from its own code."
)
app.add_typer(train_app, name="train")
app.add_typer(data_app, name="data")


def main() -> None:
    """Entry point of the ``uniecg`` command."""
    app(prog_name="uniecg")


def _print_version(value: bool) -> None:
    if value:
        from .. import __version__

        typer.echo(f"uniecg {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


@app.command()
def interpret(
    file: AnyFile,
    question: Question = "Interpret this ECG.",
    as_json: AsJson = False,
    seed: Seed = None,
    model: Model = None,
    sampling_rate: SamplingRate = None,
) -> None:
    """Interpret an ECG, with the evidence measured in it."""
    inputs = read_input(file, sampling_rate)
    pipe = _load_pipeline(model)
    note(DISCLAIMER)
    reply = pipe(question, **inputs, seed=seed)
    if reply.action == "generate":
        note("The question asks for a new ECG: `uniecg generate TEXT -o OUT` makes and keeps one.")
    if as_json:
        report = reply.report.to_dict() if reply.report is not None else {}
        print_json({"action": reply.action, "text": reply.text, **report})
        return
    typer.echo(reply.text)
    if reply.report is not None:
        for line in report_lines(reply.report):
            typer.echo(line)


@app.command()
def generate(
    text: Words,
    output: RecordOutput,
    seed: Seed = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Also draw it as a page: .png, .svg, .pdf.")
    ] = None,
    duration: Annotated[
        float, typer.Option("--duration", min=2.0, max=60.0, help="Seconds to generate.")
    ] = 10.0,
    force: Force = False,
    model: Model = None,
) -> None:
    """Generate a 12-lead ECG from words; prints the files written."""
    if not text.strip():
        raise typer.BadParameter("say in words which ECG to generate, for example 'sinus rhythm, 70 bpm'")
    check_record_output(output, force)
    if plot is not None:
        check_plot_output(plot, force)
    pipe = _load_pipeline(model)
    note(DISCLAIMER)
    # "atrial fibrillation, 110 bpm" is a description, not yet a request: here the command is the request.
    request = text if pipe.route(text, False) == "generate" else f"Generate an ECG of {text.strip()}"
    reply = pipe(request, seed=seed, duration_s=duration)
    if reply.record is None:
        answer = " ".join(reply.text.split())
        raise InputError(f"no ECG came of {text!r}; describe one, e.g. 'sinus rhythm, 70 bpm' ({answer})")
    note(reply.text)
    for warning in reply.report.warnings if reply.report is not None else ():
        note(f"warning: {warning}")
    save_record(reply.record, output, force)
    if plot is not None:
        save_plot(reply.record, plot, force)


@app.command()
def simulate(
    text: Words,
    output: RecordOutput,
    seed: Seed = None,
    duration: Annotated[
        float, typer.Option("--duration", min=2.0, max=600.0, help="Seconds to simulate.")
    ] = 10.0,
    noise: Annotated[
        float,
        typer.Option(
            "--noise", min=0.0, max=5.0, help="0 none, 1 as in an ordinary recording, 3 as in a poor one."
        ),
    ] = 0.0,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Also draw it as a page: .png, .svg, .pdf.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth", help="Also write what is true of it (waves of every beat and lead) as .json."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse words that cannot be simulated instead of naming them.")
    ] = False,
    force: Force = False,
) -> None:
    """Simulate a 12-lead ECG from words, by equations instead of a model; prints the files written."""
    from .simulate import check_truth_output, save_truth, simulated

    check_record_output(output, force)
    if plot is not None:
        check_plot_output(plot, force)
    if truth is not None:
        check_truth_output(truth, force)
    note(DISCLAIMER)
    simulation = simulated(text, duration, noise, seed, strict)
    save_record(simulation.record, output, force)
    if plot is not None:
        save_plot(simulation.record, plot, force)
    if truth is not None:
        save_truth(simulation, truth)


@app.command()
def chat(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", show_default=False, help="ECG to begin with.")
    ] = None,
    seed: Seed = None,
    model: Model = None,
) -> None:
    """Talk with the model, line by line; /help lists the commands."""
    inputs = read_input(file, None) if file is not None else {}
    pipe = _load_pipeline(model)
    note(DISCLAIMER)
    note(CHAT_HELP)
    ChatSession(pipe, inputs, seed).run()


@app.command()
def measure(
    file: SignalFile,
    as_json: AsJson = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Also draw waves, findings and their evidence: .png, .svg, .pdf."),
    ] = None,
    force: Force = False,
    sampling_rate: SamplingRate = None,
) -> None:
    """Measure rate, intervals, axis and amplitudes, and tell whose criteria they meet; needs no model."""
    from ..io import read_record
    from ..signal import measure as measure_record
    from .evidence import findings_of

    if plot is not None:
        check_plot_output(plot, force)
    record = read_record(file, sampling_rate=sampling_rate)
    measurements = measure_record(record)
    if plot is not None:
        save_evidence(record, measurements, plot, force, title=file.name)
    findings = findings_of(measurements)
    if as_json:
        print_json(measurements.to_dict() | {"findings": [item.to_dict() for item in findings]})
        return
    for line in measurement_lines(measurements, findings):
        typer.echo(line)


@app.command()
def explain(
    file: SignalFile,
    style: Style = "reasoning",
    seed: WordingSeed = None,
    sampling_rate: SamplingRate = None,
) -> None:
    """Explain an ECG from its measurements and criteria; needs no model."""
    from ..io import read_record
    from ..signal import measure as measure_record
    from ..signal.criteria import findings
    from ..text.explain import STYLES
    from ..text.explain import explain as explain_measured

    if style not in STYLES:
        raise typer.BadParameter(f"{style!r} is not one of: {', '.join(STYLES)}", param_hint="--style")
    if seed is not None and seed < 0:
        raise typer.BadParameter("a seed is zero or more", param_hint="--seed")
    measurements = measure_record(read_record(file, sampling_rate=sampling_rate))
    note(DISCLAIMER)
    rng = None
    if seed is not None:
        import numpy as np

        rng = np.random.default_rng(seed)
    typer.echo(explain_measured(measurements, findings(measurements), rng=rng, style=cast(Any, style)))


@app.command()
def plot(
    file: SignalFile,
    output: PageOutput,
    title: Annotated[str | None, typer.Option("--title", help="Line above the page.")] = None,
    force: Force = False,
    sampling_rate: SamplingRate = None,
) -> None:
    """Draw an ECG as a page, 25 mm/s and 10 mm/mV; prints the file written."""
    from ..io import read_record

    check_plot_output(output, force)
    save_plot(read_record(file, sampling_rate=sampling_rate), output, force, title=title)


@app.command()
def convert(
    source: Source,
    target: Target,
    force: Force = False,
    sampling_rate: SamplingRate = None,
) -> None:
    """Convert an ECG file into another format; prints the file written."""
    from ..io import read_record

    check_record_output(target, force)
    save_record(read_record(source, sampling_rate=sampling_rate), target, force)


@train_app.command("understand")
def train_understand(
    config: Config, only: Only = None, data: DataPath = None, output: OutputFolder = None
) -> None:
    """Stage 1: ECG to text (towers, projectors, language model); prints the folder."""
    require("torch", "train")
    from ..training import train_understand as run

    typer.echo(str(run(config, data=data, output=output, only=only)))


@train_app.command("generate")
def train_generate(
    config: Config, only: Only = None, data: DataPath = None, output: OutputFolder = None
) -> None:
    """Stage 2: text to ECG (decoder, then [ECG] tokens and mapper); prints the folder."""
    require("torch", "train")
    from ..training import train_generate as run

    typer.echo(str(run(config, data=data, output=output, only=only)))


@app.command()
def evaluate(
    task: Task,
    data: TestData = None,
    split: Annotated[str, typer.Option("--split", help="Part of the data.")] = "test",
    model: Model = None,
    seed: Annotated[int, typer.Option("--seed", help="Makes the numbers repeatable.")] = 0,
    limit: Limit = None,
    against: Against = None,
) -> None:
    """Evaluate the model on a task, or the criteria alone; prints the numbers as JSON."""
    from ..evaluation import TASKS, WITHOUT_MODEL

    if task not in TASKS:
        raise typer.BadParameter(f"{task!r} is not one of: {', '.join(TASKS)}", param_hint="TASK")
    if data is not None and not data.exists():
        raise InputError(f"{data} does not exist; check the name")
    if against is not None and task != "ludb":
        raise typer.BadParameter("only the task ludb compares packages", param_hint="--against")
    extra = {"against": against.split(",")} if against else {}
    pipe = None if task in WITHOUT_MODEL else _load_pipeline(model)
    print_json(TASKS[task](pipe, data=data, split=split, seed=seed, n=limit, **extra))


def _load_pipeline(model: str | None) -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # weights load in a moment: no bars
    for package in ("torch", "transformers", "diffusers"):
        require(package, "model")
    from diffusers.utils import logging

    from ..pipeline import load_pipeline

    logging.disable_progress_bar()  # the decoder's parts as well
    return load_pipeline(model)
