"""Every command and example of the README and the docs runs, or at least parses where it needs data."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import uniecg
from uniecg.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
WITHOUT_MODEL = ("measure", "explain", "plot", "convert", "simulate")
WITH_MODEL = ("interpret", "generate")

if not README.is_file():
    pytest.skip("needs the repository, not only the package", allow_module_level=True)


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def command_lines(page: Path) -> list[list[str]]:
    """Lines of shell blocks and of blocks indented by four."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in code_blocks(page, "bash") for line in block.splitlines()]
    lines += [
        line.strip()
        for line in re.sub(r"^```.*?^```", "", text, flags=re.S | re.M).splitlines()
        if line.startswith("    ")
    ]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(("uniecg ", "bash "))]


UNIECG_COMMANDS = [
    pytest.param(words[1:], id=f"{page.name}: {' '.join(words[1:])}")
    for page in PAGES
    for words in command_lines(page)
    if words[0] == "uniecg"
]
README_COMMANDS = [words[1:] for words in command_lines(README) if words[0] == "uniecg"]


def has_weights() -> bool:
    return bool(list((Path(uniecg.__file__).parent / "presets" / "nano").rglob("*.safetensors")))


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the repository to the commands of the README."""
    shutil.copytree(ROOT / "uniecg" / "examples", tmp_path / "uniecg" / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_all(commands: list[list[str]]) -> None:
    for arguments in commands:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{arguments}: {result.output}"
        assert result.stdout.strip()


def test_readme_shows_the_main_commands() -> None:
    shown = {arguments[0] for arguments in README_COMMANDS}
    assert {"interpret", "generate", "measure", "plot", "convert", "chat"} <= shown


@pytest.mark.parametrize("arguments", UNIECG_COMMANDS)
def test_command_parses(arguments: list[str]) -> None:
    command = typer.main.get_command(app)
    context = command.make_context("uniecg", list(arguments))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_named_in_a_page_exist(page: Path) -> None:
    for words in command_lines(page):
        if words[0] == "bash":
            assert (ROOT / words[1]).is_file(), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.usefixtures("clone")
def test_readme_commands_without_a_model_run() -> None:
    commands = [arguments for arguments in README_COMMANDS if arguments[0] in WITHOUT_MODEL]
    assert len(commands) >= 3
    run_all(commands)


@pytest.mark.usefixtures("clone")
def test_readme_commands_with_the_model_run() -> None:
    pytest.importorskip("torch", reason="needs uniecg[model]")
    if not has_weights():
        pytest.skip("the package has no weights yet")
    # In the README's order: one command reads the page that another has drawn.
    run_all([arguments for arguments in README_COMMANDS if arguments[0] in (*WITHOUT_MODEL, *WITH_MODEL)])


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("page", [README, ROOT / "docs" / "quickstart.md"], ids=lambda page: page.name)
def test_python_examples_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs uniecg[model]")
    if not has_weights():
        pytest.skip("the package has no weights yet")
    blocks = code_blocks(page, "python")
    assert blocks
    for block in blocks:
        exec(compile(block, page.name, "exec"), {})
    assert capsys.readouterr().out.strip()


def test_dependency_table_names_every_dependency() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = re.findall(r'^  "([A-Za-z0-9_.-]+)(?:>=|==)', pyproject, re.MULTILINE)
    table = "\n".join(
        line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    )
    assert len(names) > 10
    assert [name for name in names if name not in table] == []
