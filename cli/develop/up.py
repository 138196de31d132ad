"""``./cqrs up``: ``pulumi up`` with the real CLI and engine, on the AWS of ``./cqrs serve --engine``.

The CLI's state, its plugins and a copy of the program are in the runtime's own folder: nothing is written into the
project, and there is no login to a backend and no download.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import stopping
from cli.develop.engine import ANNOUNCEMENT, ServedEngine, announced
from cli.develop.errors import CommandError
from cli.develop.pulumi_cli import copy_program, find_cli, offline_environment, refusal
from cli.terminal import complain, show
from local.deploy.errors import DeployError
from local.deploy.project import load_stack
from local.provider.service import PACKAGE
from local.runtime import PROJECT_DIR

#: How long an interrupted CLI may take to complete its current operation and save its state.
STOP_PATIENCE_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs up``."""
    parser.add_argument("--stack", default="dev", help="stack whose Pulumi.<stack>.yaml is deployed (default dev)")
    parser.add_argument("--preview", action="store_true", help="only show what would change")
    parser.add_argument("--unlock", action="store_true", help="first remove the lock of an update that was killed")


def run(options: argparse.Namespace, announcement: Path = ANNOUNCEMENT) -> int:
    """Deploy. Raises CommandError: why it can't, in one line."""
    cli = find_cli()
    served = announced(announcement)
    if served is None:
        raise CommandError("no embedded runtime to deploy to: start ./cqrs serve --engine in another terminal")
    stack = str(options.stack)
    check_stack(stack, served)
    home = Path(served.home)
    folder = copy_program(PROJECT_DIR, home / "program", [f"Pulumi.{stack}.yaml"])
    environment = offline_environment(home, {"PULUMI_DEBUG_PROVIDERS": f"{PACKAGE}:{served.provider}"})
    complain(f"pulumi {cli.version} on {served.url}")

    def call(*arguments: str, quiet: bool = False) -> None:
        code, output = _run(cli.command(*arguments), folder, environment, quiet=quiet)
        if code != 0:
            known = refusal(output, stack)
            raise CommandError(known or f"pulumi {arguments[0]} failed with exit code {code}; see its output above")

    call("stack", "select", "--create", "--stack", stack, quiet=True)
    if options.unlock:
        call("cancel", "--yes", "--stack", stack, quiet=True)
    if options.preview:
        call("preview", "--stack", stack, "--diff")
    else:
        call("up", "--stack", stack, "--yes", "--skip-preview")
    return 0


def check_stack(stack: str, served: ServedEngine, project_dir: Path = PROJECT_DIR) -> None:
    """Raises CommandError: the stack doesn't exist, or its region isn't the runtime's."""
    try:
        region = load_stack(project_dir, stack).region
    except DeployError as error:
        raise CommandError(str(error)) from error
    if region != served.region:
        raise CommandError(
            f"stack {stack} is for {region}, the runtime serves {served.region}: "
            f"start ./cqrs serve --engine --stack {stack}"
        )


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], *, quiet: bool) -> tuple[int, str]:
    """Exit code and output. The output is also shown at once; that of a ``quiet`` call only if it fails."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C would reach it twice, and the second signal aborts the current operation
    ) as child:

        def read() -> None:
            assert child.stdout is not None
            for line in child.stdout:
                lines.append(line)
                if not quiet:
                    show(line.rstrip("\n"))

        def interrupt() -> None:
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_PATIENCE_S)

        stopping.on_stop(interrupt)
        reader = threading.Thread(target=read, daemon=True)  # continues reading while a signal is handled
        reader.start()
        code = child.wait()
        reader.join()
    if quiet and code != 0:
        show("".join(lines).rstrip("\n"))
    return code, "".join(lines)
