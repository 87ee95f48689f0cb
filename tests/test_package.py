"""The package as a whole: public names, lazy imports, layers, house rules."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import uniecg

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(uniecg.__file__).parent


def run_python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_public_names_are_exactly_these() -> None:
    assert sorted(uniecg.__all__) == [
        "Attributes",
        "Evidence",
        "Finding",
        "LEADS",
        "Record",
        "Report",
        "UniECGError",
        "__version__",
        "load_pipeline",
        "measure",
        "plot_record",
        "read_record",
        "write_record",
    ]


def test_every_public_name_can_be_reached_without_torch_except_the_pipeline() -> None:
    names = [name for name in uniecg.__all__ if name != "load_pipeline"]
    code = f"""
import sys, uniecg
for name in {names}: getattr(uniecg, name)
print(sorted({{"torch", "transformers", "diffusers", "fastapi"}} & set(sys.modules)))
"""
    assert run_python(code) == "[]"


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = """
import sys, uniecg
print(sorted({"numpy", "scipy", "matplotlib", "cv2", "wfdb", "torch", "typer"} & set(sys.modules)))
"""
    assert run_python(code) == "[]"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        uniecg.no_such_name  # noqa: B018


def test_dir_lists_the_public_names() -> None:
    assert set(uniecg.__all__) <= set(dir(uniecg))


def test_version_is_that_of_the_installed_distribution() -> None:
    assert importlib.metadata.version("uniecg") == uniecg.__version__


def test_package_carries_its_type_marker() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_layers_import_only_downwards() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which(
        "lint-imports"
    )
    if command is None:
        pytest.skip("import-linter is not installed: pip install 'uniecg[dev]'")
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("the contracts are in the repository's pyproject.toml")
    result = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []
