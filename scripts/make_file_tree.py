"""Write the README's file tree from the first lines of the modules; with --check, fail if it is outdated."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
START, END = "<!-- file tree: made by scripts/make_file_tree.py -->\n", "<!-- end of file tree -->"
WIDTH = 34
# What is not a module of the package.
OTHERS = (
    ("benchmarks/", "scripts that measure speed and memory"),
    ("configs/", "one YAML file for each training run"),
    ("docs/", "the pages of the documentation"),
    ("scripts/demo", "interprets a real ECG and generates one, from nothing but Python"),
    ("scripts/test", "runs all tests"),
    ("scripts/check", "style, types, layers, generated documentation"),
    ("scripts/build", "builds the wheel and tries it in a clean environment"),
    ("scripts/make_cli_docs.py", "writes docs/cli.md from --help"),
    ("scripts/make_file_tree.py", "writes this tree"),
    ("scripts/make_interval_table.py", "makes uniecg/simulate/intervals.csv"),
    ("scripts/fit_lead_order.py", "prints the constants of uniecg/signal/lead_order.py"),
    ("tests/", "mirrors the package"),
)


def first_line(path: Path) -> str:
    """First line of a module's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].removesuffix(".")


def package_lines(folder: Path, depth: int) -> list[str]:
    """Lines for the modules of a folder and, after them, for its folders."""
    lines = []
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            lines.append(line("    " * depth + path.name, first_line(path)))
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / "__init__.py").is_file():
            lines.append(line("    " * depth + f"{path.name}/", first_line(path / "__init__.py")))
            lines += package_lines(path, depth + 1)
        elif path.is_dir() and path.name == "presets":
            lines.append(line("    " * depth + "presets/", "shipped weights"))
    return lines


def line(name: str, text: str) -> str:
    """One line of the tree."""
    return f"{name:<{WIDTH}} {text}".rstrip()


def tree() -> str:
    """The whole tree as a code block."""
    package = ROOT / "uniecg"
    lines = [line("uniecg/", first_line(package / "__init__.py")), *package_lines(package, 1)]
    lines += [line(name, text) for name, text in OTHERS]
    return "\n".join(("```text", *lines, "```")) + "\n"


def main() -> int:
    """Write or check the tree; returns the exit code."""
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    tail = rest.partition(END)[2]
    page = head + START + tree() + END + tail
    if "--check" not in sys.argv[1:]:
        README.write_text(page, encoding="utf-8")
        return 0
    if page == text:
        return 0
    print("the file tree in README.md is not up to date: run scripts/check --fix", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
