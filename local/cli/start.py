"""Starts the runtime for a command, with its log in a file and its errors as one line."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from handlers.log import LOGGER_NAME, JsonFormatter
from handlers.operations.cli.terminal import complain
from local.cli import stopping
from local.cli.errors import CommandError
from local.deploy.errors import DeployError
from local.runtime import PROJECT_DIR, LocalRuntime

LOG_FILE = PROJECT_DIR / ".local" / "functions.log"


@contextmanager
def started(stack: str, config: Mapping[str, str]) -> Iterator[LocalRuntime]:
    """A running deployment of the program.

    Raises:
        CommandError: the program or its configuration was refused.
    """
    _log_to_file()
    complain(f"deploying stack {stack} on the embedded runtime")
    begin = time.monotonic()
    runtime = LocalRuntime(stack=stack, config=config)
    stopping.on_stop(runtime.drop_files)
    try:
        runtime.start()
    except DeployError as error:
        raise CommandError(str(error)) from error
    try:
        seconds = time.monotonic() - begin
        count = sum(resource.custom for resource in runtime.deployment.resources)
        log_name = LOG_FILE.relative_to(PROJECT_DIR)
        complain(f"deployed {count} resources in {seconds:.1f} s; functions log to {log_name}")
        yield runtime
    finally:
        runtime.stop()


def _log_to_file() -> None:
    """What the functions log goes where CloudWatch would be; the terminal belongs to the command."""
    LOG_FILE.parent.mkdir(exist_ok=True)
    handler = logging.FileHandler(LOG_FILE, mode="w", encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
