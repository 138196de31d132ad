"""``./cqrs preview``: shows how changes to the repository would change a stack, without AWS or the Pulumi CLI."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from cli.develop.errors import CommandError
from cli.output import as_json
from cli.terminal import show
from local.deploy.errors import DeployError
from local.preview import report
from local.preview.difference import difference
from local.preview.snapshot import Resource, declared, loaded
from local.runtime import PROJECT_DIR

SNAPSHOT = "local.preview.snapshot"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs preview``."""
    parser.add_argument("--stack", default="dev", help="the stack (default: dev)")
    parser.add_argument(
        "--against", default="main", metavar="REVISION", help="revision to compare with (default: main)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="format for a comment on a pull request")
    form.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Print the difference between a revision and the working tree. Raises CommandError."""
    old = revision(PROJECT_DIR, options.against, options.stack)
    try:
        new = declared(PROJECT_DIR, options.stack)
    except DeployError as error:
        raise CommandError(str(error)) from error
    changes = difference(old, new)
    if options.json:
        show(as_json(changes))
    else:
        form = report.markdown if options.markdown else report.text
        show(form(options.stack, options.against, changes))
    return 0


def revision(root: Path, name: str, stack: str) -> list[Resource]:
    """The resources that a revision declares, evaluated with that revision's own code.

    Raises:
        CommandError: the revision is unknown to git, can't be evaluated, or is older than this command.
    """
    # The name may begin with dashes, so it is resolved to a hash first.
    commit = _git(root, name, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    archived = _git(root, name, "archive", "--format=tar", commit.decode().strip())
    with tempfile.TemporaryDirectory(prefix="cqrs-preview-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archived)) as files:
            files.extractall(folder, filter="data")
        if not Path(folder, *SNAPSHOT.split(".")).with_suffix(".py").exists():
            raise CommandError(f"--against: revision {name!r} is older than ./cqrs preview and can't be compared")
        command = [sys.executable, "-m", SNAPSHOT, stack]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no output"]
        raise CommandError(f"--against: revision {name!r} can't be evaluated: {lines[-1]}")
    return loaded(done.stdout)


def _git(root: Path, name: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise CommandError("no git on the PATH; ./cqrs preview needs it to read the other revision") from None
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip().splitlines()
        raise CommandError(f"--against: revision {name!r} can't be read: {why[-1] if why else 'unknown to git'}")
    return done.stdout
