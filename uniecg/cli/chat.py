"""The conversation behind ``uniecg chat``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InputError, UniECGError
from .files import check_record_output, read_input, save_record
from .render import error_line, note

if TYPE_CHECKING:
    from ..record import Record

CHAT_HELP = (
    "/load FILE attaches an ECG, /save FILE [--force] keeps the last generated one, /quit leaves, "
    "/help says this."
)


class ChatSession:
    """A conversation: the attached ECG, what was said, and the last generated ECG.

    Parameters
    ----------
    pipe : UniECGPipeline
        The model at work.
    inputs : dict
        The attached ECG as the pipeline's keyword arguments; empty without one.
    seed : int or None
        Makes each answer repeatable.
    """

    def __init__(self, pipe: Any, inputs: dict[str, Any], seed: int | None) -> None:
        self.pipe = pipe
        self.inputs = inputs
        self.seed = seed
        self.history: list[dict[str, str]] = []
        self.generated: Record | None = None

    def run(self) -> None:
        """Answer lines from stdin until its end or /quit; an error does not end the conversation."""
        while (line := _read_line()) is not None:
            command, _, argument = line.partition(" ")
            if command in ("/quit", "/exit"):
                return
            try:
                if command.startswith("/"):
                    self.command(command, argument.strip())
                elif line:
                    self.say(line)
            except (UniECGError, OSError) as error:
                note(error_line(error))

    def say(self, line: str) -> None:
        """Answer one request."""
        reply = self.pipe(line, **self.inputs, history=list(self.history), seed=self.seed)
        self.history += [{"role": "user", "content": line}, {"role": "assistant", "content": reply.text}]
        typer.echo(reply.text)
        if reply.action == "generate" and reply.record is not None:
            self.generated = reply.record
            note("/save FILE keeps the generated ECG.")

    def command(self, command: str, argument: str) -> None:
        """Carry out a line that begins with a slash."""
        if command == "/help":
            note(CHAT_HELP)
        elif command == "/load" and argument:
            self.inputs = read_input(Path(argument))
            note(f"{argument} is attached.")
        elif command == "/save" and argument:
            if self.generated is None:
                raise InputError("there is no generated ECG yet: ask for one first")
            name = argument.removesuffix("--force").strip()
            force = name != argument
            check_record_output(Path(name), force)
            save_record(self.generated, Path(name), force)
        else:
            raise InputError(f"{command!r} cannot be used like this: {CHAT_HELP}")


def _read_line() -> str | None:
    """Next line from stdin, stripped, or None at its end; the prompt goes to stderr and only to a person."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip() if line else None
    typer.echo("> ", err=True, nl=False)
    try:
        return input().strip()
    except EOFError:
        note("")
        return None
