"""Write docs/cli.md from the --help of every command; with --check, fail if the file is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from typer.testing import CliRunner

from uniecg.cli import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
COMMANDS = (
    (),
    ("interpret",),
    ("generate",),
    ("simulate",),
    ("chat",),
    ("measure",),
    ("explain",),
    ("plot",),
    ("convert",),
    ("train",),
    ("train", "understand"),
    ("train", "generate"),
    ("evaluate",),
    ("data",),
    ("data", "list"),
    ("data", "prepare"),
    ("data", "verify"),
)
HEAD = """# Command line

This page is made from `--help` by `scripts/make_cli_docs.py`; do not edit it by hand.

stdout carries the result and nothing else; everything said beside it goes to stderr. Exit codes: 0 done,
1 the data or the installation do not allow it (one line `error: ...`), 2 wrong usage. Nothing is written over
without `--force`.
"""


def help_page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for command in COMMANDS:
        result = CliRunner().invoke(
            app, [*command, "--help"], prog_name="uniecg", env={"COLUMNS": "100"}, terminal_width=100
        )
        title = " ".join(("uniecg", *command))
        parts.append(f"## {title}\n\n```text\n{result.stdout.strip()}\n```\n")
    return "\n".join(parts)


def main() -> int:
    """Write or check the page; returns the exit code."""
    page = help_page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print("docs/cli.md is not up to date: run scripts/check --fix", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
