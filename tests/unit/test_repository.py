"""What must never be committed: environments and generated files, also as links."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEVER = (
    ".venv",
    ".local",
    "__pycache__",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".import_linter_cache",
)


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs a git checkout")
def test_no_environment_and_no_generated_file_is_tracked() -> None:
    """A tracked link named .venv would replace the real environment of whoever merges it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = [name for name in listed.stdout.split("\0") if name]
    assert tracked
    assert [name for name in tracked if set(Path(name).parts) & set(NEVER)] == []
