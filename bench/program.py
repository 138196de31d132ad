"""The program with a module more, in a folder of its own: figures have handlers that nobody deploys."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.packaging import PACKAGES
from local.runtime import PROJECT_DIR

IGNORED = shutil.ignore_patterns("__pycache__")


def with_module(folder: Path, name: str, source: str) -> Path:
    """Copy the program to ``folder`` and write ``handlers.domain.<name>``. Answers the folder."""
    for package in PACKAGES:
        shutil.copytree(PROJECT_DIR / package, folder / package, ignore=IGNORED)
    for path in [PROJECT_DIR / "__main__.py", *PROJECT_DIR.glob("Pulumi*.yaml")]:
        shutil.copy(path, folder / path.name)
    (folder / "handlers" / "domain" / f"{name}.py").write_text(source, encoding="utf-8")
    return folder
