"""Copies of this project with the tests' own modules and stacks (``local.testing.copies``)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from local.testing.application import shared_work_dir
from local.testing.copies import DOMAIN, alone


def shared_project(extra: Mapping[str, str] | None = None) -> Path:
    """``project`` with these files, for this process; not to be changed. A copy a test took a tenth of its time."""
    return _shared_project(tuple(sorted((extra or {}).items())))


@cache
def _shared_project(extra: tuple[tuple[str, str], ...]) -> Path:
    return project(Path(tempfile.mkdtemp(prefix="project-", dir=shared_work_dir())), dict(extra))


def project(tmp_path: Path, extra: Mapping[str, str] | None = None) -> Path:
    """A copy of the project with the recording handlers, too, and more files of ``handlers/domain``."""
    folder = alone(tmp_path / "project")
    shutil.copy(Path(__file__).with_name("recording_handlers.py"), folder / DOMAIN / "recording.py")
    for name, text in (extra or {}).items():
        (folder / DOMAIN / name).write_text(text)
    return folder
