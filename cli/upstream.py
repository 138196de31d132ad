"""Which files of this repository are the application's, and which of the others are not as they came from upstream.

Upstream is the remote of that name (docs/upgrading.md); what was taken last is the newest commit that both have.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

#: What upstream never changes, as docs/application.md says: a folder ends with ``/``.
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
    """Whether a file (a path below the repository) belongs to the application. ``folders``: ``applicationPackages``."""
    owned = (*APPLICATIONS, *(f"{folder}/" for folder in folders))
    return any(path.startswith(one) if one.endswith("/") else fnmatchcase(path, one) for one in owned)


def changed_files(root: Path, folders: Iterable[str] = ()) -> list[str] | None:
    """Upstream files that were changed, removed or added here, committed or not; None: there is no upstream."""
    base = _git(root, "merge-base", "HEAD", BRANCH)
    if not base:
        return None
    changed = [*(_git(root, "diff", "--name-only", "--no-renames", base[0]) or ()), *(_git(root, *_NEW) or ())]
    return sorted({path for path in changed if not is_applications(path, folders)})


_NEW = ("ls-files", "--others", "--exclude-standard")


def _git(root: Path, *arguments: str) -> list[str] | None:
    """The lines that git answers; None: it does not."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else None
