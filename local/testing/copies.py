"""Copies of this repository, for figures, pages and tests whose handlers aren't deployed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from infra.packages.requirements import FILE
from infra.packaging import PACKAGES
from local.runtime import PROJECT_DIR

DOMAIN = Path("handlers/domain")
#: The functions' code, the program's file and the stacks; the rest of the program is used from this process.
PROGRAM = (*PACKAGES, "__main__.py", "Pulumi*.yaml")
#: The parts of a clone that ``./cqrs`` needs. Files of tools and runs are left out, except bytecode, which is used only
#: if it matches its source, and without it each copy would compile everything again.
CHECKOUT = (*PROGRAM, "infra", "local", "cli", "client", "data", "cqrs", "pyproject.toml", "requirements*.txt")
#: The modules and stacks of the repository's own tests; in their process the modules are ``tests.modules``.
MODULES, STACKS = PROJECT_DIR / "tests" / "modules", PROJECT_DIR / "tests" / "infra" / "stacks"
_LEFTOVERS = shutil.ignore_patterns(".*")
#: The configuration with which the program declares no resources of the application.
_BUILD = "outputs = build(config, names, Path(__file__).parent)"
_ALONE = "outputs = build(config, names, Path(__file__).parent, lambda args: Application())"
_IMPORT = "from infra.components.application import Application"


def program(folder: Path, parts: tuple[str, ...] = PROGRAM) -> Path:
    """Copy the repository unchanged; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in parts:
        for source in PROJECT_DIR.glob(pattern):
            if source.is_dir():
                shutil.copytree(source, folder / source.name, ignore=_LEFTOVERS)
            else:
                shutil.copy2(source, folder / source.name)
    return folder


def alone(folder: Path, parts: tuple[str, ...] = PROGRAM) -> Path:
    """A copy with the tests' modules and stacks instead of the application's, its packages and resources, so that
    statements about the program don't depend on those. Returns the folder.
    """
    program(folder, parts)
    (folder / FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / DOMAIN)
    shutil.copytree(MODULES, folder / DOMAIN, ignore=_LEFTOVERS)
    (folder / DOMAIN / "__init__.py").write_text('"""The application."""\n', encoding="utf-8")
    for path in folder.glob("Pulumi.*.yaml"):
        path.unlink()
    for path in STACKS.iterdir():
        shutil.copy2(path, folder / path.name)
    text = (PROJECT_DIR / "__main__.py").read_text(encoding="utf-8")
    assert _BUILD in text, "the program is built otherwise now: say here how it declares nothing of the application"
    (folder / "__main__.py").write_text(f"{_IMPORT}\n{text.replace(_BUILD, _ALONE)}", encoding="utf-8")
    return folder


def with_module(folder: Path, name: str, source: str) -> Path:
    """``program`` plus ``handlers.domain.<name>``."""
    program(folder).joinpath(DOMAIN, f"{name}.py").write_text(source, encoding="utf-8")
    return folder


def checkout(folder: Path, copy: Callable[[Path, tuple[str, ...]], Path] = program) -> Path:
    """A copy for ``./cqrs``. The environment is shared by a symbolic link, so that nothing is installed."""
    copy(folder, CHECKOUT)
    (folder / ".venv").symlink_to(Path(sys.prefix).resolve())
    return folder
