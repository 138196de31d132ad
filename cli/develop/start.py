"""Starts the runtime for a command, with its log in a file and its errors in one line."""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli import stopping
from cli.develop.errors import CommandError
from cli.terminal import complain
from handlers.core.log import LOGGER_NAME, JsonFormatter
from local.aws.elsewhere.server import VARIABLE
from local.aws.model import EndpointError, PortInUse
from local.deploy.errors import DeployError
from local.gateway.callers import MIN_SECRET_BYTES, SECRET_VARIABLE
from local.kept.folder import FolderError
from local.runtime import PROJECT_DIR, LocalRuntime

LOG_DIR = PROJECT_DIR / ".local"


@contextmanager
def started(
    stack: str,
    config: Mapping[str, str],
    *,
    port: int | None = None,
    shown: logging.Handler | None = None,
    data: Path | None = None,
    project_dir: Path = PROJECT_DIR,
) -> Iterator[LocalRuntime]:
    """A running deployment of the program. ``port``: where it is served, if given. ``shown`` also gets the functions'
    log. ``data``: the folder that keeps its state, if given.

    If ``CQRS_DYNAMODB_ENDPOINT`` is set, the tables are on that server. Callers' tokens are verified with
    ``CQRS_TOKEN_SECRET``.

    Raises:
        CommandError: the secret is too short, the port is taken, the server of the tables doesn't answer, the folder
            can't be used, or the program or its configuration was refused.
    """
    tables_url = os.environ.get(VARIABLE) or None
    if data is not None and tables_url is not None:
        raise CommandError(f"--data only keeps tables of this process, not those at {tables_url} ({VARIABLE})")
    try:
        runtime = LocalRuntime(
            project_dir=project_dir,
            stack=stack,
            config=config,
            port=port,
            tables_url=tables_url,
            data=data,
            token_secret=_token_secret(),
        )
    except PortInUse as error:
        raise CommandError(f"{error} (--port)") from error
    except EndpointError as error:
        raise CommandError(str(error)) from error
    except (DeployError, FolderError) as error:
        raise CommandError(str(error)) from error
    stopping.on_stop(runtime.drop_files)
    log_file = log_to_file(LOG_DIR)
    if shown is not None:
        logging.getLogger(LOGGER_NAME).addHandler(shown)
    where = f", with the tables at {tables_url} ({VARIABLE})" if tables_url else ""
    complain(f"deploying stack {stack} on the embedded runtime{where}")
    begin = time.monotonic()
    try:
        runtime.start()
    except (DeployError, EndpointError) as error:
        raise CommandError(str(error)) from error
    try:
        seconds = time.monotonic() - begin
        count = sum(resource.custom for resource in runtime.deployment.resources)
        log_name = log_file.relative_to(PROJECT_DIR)
        complain(f"deployed {count} resources in {seconds:.1f} s; functions log to {log_name}")
        yield runtime
    finally:
        runtime.stop()


def _token_secret() -> str | None:
    secret = os.environ.get(SECRET_VARIABLE) or None
    if secret is not None and (size := len(secret.encode())) < MIN_SECRET_BYTES:
        raise CommandError(f"{SECRET_VARIABLE}: {size} bytes are not allowed; expected at least {MIN_SECRET_BYTES}")
    return secret


def log_to_file(directory: Path) -> Path:
    """Write the functions' log to a file instead of the terminal. Returns the file.

    It is ``functions.log``, emptied first. While another process writes to that, it is ``functions-2.log``, and so on.
    """
    directory.mkdir(exist_ok=True)
    for number in itertools.count(1):
        path = directory / ("functions.log" if number == 1 else f"functions-{number}.log")
        stream = path.open("a", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends, however it ends
        except BlockingIOError:
            stream.close()
            continue
        stream.truncate(0)
        break
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return path
