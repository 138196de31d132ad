"""Copies of this project with the tests' own modules in place of the application: whatever that is, the tests stay the
same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from infra.packaging import PACKAGES
from local.runtime import PROJECT_DIR
from local.testing.application import shared_work_dir

#: Stand in ``handlers/domain`` of the copies; in this process they are ``tests.modules``.
MODULES = PROJECT_DIR / "tests" / "modules"
#: The application's own, which copies don't have.
_OWN = shutil.ignore_patterns("__pycache__", "requirements.txt")
#: How the program is told to declare nothing of the application's own.
_BUILD = "outputs = build(config, names, Path(__file__).parent)"
_ALONE = "outputs = build(config, names, Path(__file__).parent, lambda args: Application())"
_IMPORT = "from infra.components.application import Application"


def shared_project(extra: Mapping[str, str] | None = None) -> Path:
    """``project`` with these files, for this process; not to be changed. A copy a test took a tenth of its time."""
    return _shared_project(tuple(sorted((extra or {}).items())))


@cache
def _shared_project(extra: tuple[tuple[str, str], ...]) -> Path:
    return project(Path(tempfile.mkdtemp(prefix="project-", dir=shared_work_dir())), dict(extra))


def project(tmp_path: Path, extra: Mapping[str, str] | None = None) -> Path:
    """A copy of the project with the tests' modules, the recording handlers and more files of ``handlers/domain``."""
    folder = tmp_path / "project"
    for package in PACKAGES:
        shutil.copytree(PROJECT_DIR / package, folder / package, ignore=_OWN)
    domain = folder / "handlers" / "domain"
    shutil.rmtree(domain)
    shutil.copytree(MODULES, domain, ignore=_OWN)
    (domain / "__init__.py").write_text("")
    text = (PROJECT_DIR / "__main__.py").read_text(encoding="utf-8")
    assert _BUILD in text, "the program is built otherwise now: say here how it declares nothing of the application"
    (folder / "__main__.py").write_text(f"{_IMPORT}\n{text.replace(_BUILD, _ALONE)}", encoding="utf-8")
    for path in PROJECT_DIR.glob("Pulumi*.yaml"):
        shutil.copy(path, folder / path.name)
    shutil.copy(Path(__file__).with_name("recording_handlers.py"), domain / "recording.py")
    for name, text in (extra or {}).items():
        (domain / name).write_text(text)
    return folder
