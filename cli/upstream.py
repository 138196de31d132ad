"""Which files of this repository are the application's, and which of the others differ from upstream.

Upstream is the remote of that name (docs/upgrading.md); files are compared with the newest common commit.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

#: Paths that upstream never changes (docs/application.md); folders end with ``/``.
APPLICATIONS = (
    "handlers/domain/",
    "tests/domain/",
    "handlers/requirements.txt",
    "infra/application.py",
    "Pulumi.*.yaml",
    "stacks/",
)
REMOTE = "upstream"
BRANCH = f"refs/remotes/{REMOTE}/main"


def is_applications(path: str, folders: Iterable[str] = ()) -> bool:
    """Whether a file (path relative to the repository) is the application's. ``folders``: ``applicationPackages``."""
    owned = (*APPLICATIONS, *(f"{folder}/" for folder in folders))
    return any(path.startswith(one) if one.endswith("/") else fnmatchcase(path, one) for one in owned)


def changed_files(root: Path, folders: Iterable[str] = ()) -> list[str] | None:
    """Files outside the application that were changed, removed or added here, committed or not. None: no upstream."""
    base = _git(root, "merge-base", "HEAD", BRANCH)
    if not base:
        return None
    changed = [*(_git(root, "diff", "--name-only", "--no-renames", base[0]) or ()), *(_git(root, *_NEW) or ())]
    return sorted({path for path in changed if not is_applications(path, folders)})


_NEW = ("ls-files", "--others", "--exclude-standard")


def _git(root: Path, *arguments: str) -> list[str] | None:
    """The lines of git's output; None if it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else None
