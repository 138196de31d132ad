"""HOUSE-01: packages that can be taken in at a glance: few modules in a folder, and none that is too long."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "cli", "client", "contract", "handlers", "infra", "local", "policy")
MOST_MODULES, MOST_LINES, MOST_PACKAGES = 15, 300, 17
#: How the docstring of a longer module begins to say why.
EXCUSE = "Longer than a module should be:"


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def too_long(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return text.count("\n") > MOST_LINES and EXCUSE not in (ast.get_docstring(ast.parse(text)) or "")


def crowded(folder: Path) -> bool:
    return len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) > MOST_MODULES


def test_house_01_no_module_is_too_long_without_a_reason() -> None:
    assert [str(path.relative_to(ROOT)) for path in modules() if too_long(path)] == []


def test_house_01_no_folder_is_crowded() -> None:
    folders = sorted({path.parent for path in modules()})
    assert [str(folder.relative_to(ROOT)) for folder in folders if crowded(folder)] == []


def test_house_01_few_rooms_at_the_top_of_handlers() -> None:
    packages = [path for path in (ROOT / "handlers").iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert len(packages) <= MOST_PACKAGES


@pytest.mark.parametrize(
    ("lines", "docstring", "found"),
    [(300, "Short.", False), (301, "Long.", True), (301, f"Long.\n\n{EXCUSE} it is.", False)],
)
def test_a_module_that_is_too_long_is_found(tmp_path: Path, lines: int, docstring: str, found: bool) -> None:
    text = f'"""{docstring}"""\n'
    path = tmp_path / "module.py"
    path.write_text(text + "x = 1\n" * (lines - text.count("\n")))
    assert too_long(path) == found


def test_a_crowded_folder_is_found(tmp_path: Path) -> None:
    for number in range(MOST_MODULES):
        (tmp_path / f"m{number}.py").touch()
    (tmp_path / "__init__.py").touch()
    assert not crowded(tmp_path)
    (tmp_path / "more.py").touch()
    assert crowded(tmp_path)
