"""The folders are plain top-level packages whose names exist elsewhere too: ours must win."""

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "heliograph",
    "ingestion",
    "storage",
    "evals",
    "actors",
    "pipelines",
    "serve_apps",
    "dashboard",
    "operations",
    "migrations",
)


@pytest.mark.parametrize("name", PACKAGES)
def test_package_resolves_inside_the_repository(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__file__ is not None
    assert Path(package.__file__).is_relative_to(ROOT / name)


@pytest.mark.parametrize("name", PACKAGES)
def test_init_files_are_empty_or_one_docstring(name: str) -> None:
    for path in (ROOT / name).rglob("__init__.py"):
        if path == ROOT / "heliograph" / "__init__.py":
            continue  # the public face
        body = ast.parse(path.read_text("utf-8")).body
        assert len(body) == int(ast.get_docstring(ast.Module(body, [])) is not None), path


@pytest.mark.parametrize("name", PACKAGES)
def test_every_folder_with_modules_is_a_package(name: str) -> None:
    folders = {path.parent for path in (ROOT / name).rglob("*.py") if "versions" not in path.parts}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_published_wheel_holds_heliograph_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["setuptools"]["packages"]["find"]["include"] == ["heliograph", "heliograph.*"]


def test_requirements_are_exact_and_name_no_index() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert [line for line in lines if "==" not in line or "://" in line or line.startswith("-")] == []
