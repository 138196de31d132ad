"""The embedded runtime that ``./cqrs serve --engine`` runs, and how ``./cqrs up`` finds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cli import stopping
from cli.develop.errors import CommandError
from cli.develop.start import LOG_DIR, log_to_file
from local.aws.model import EndpointError
from local.deploy.errors import DeployError
from local.provider import EngineRuntime

#: Written by the running runtime for ``./cqrs up``.
ANNOUNCEMENT = LOG_DIR / "engine.json"


@dataclass(frozen=True)
class ServedEngine:
    """The announcement of a running ``./cqrs serve --engine`` for ``./cqrs up``.

    Attributes:
        url: its AWS endpoint.
        region: the only region that can be deployed to.
        provider: port of the resource provider on 127.0.0.1.
        home: folder of the engine's state, deleted when the runtime ends, as its resources are.
        pid: its process id.
    """

    url: str
    region: str
    provider: int
    home: str
    pid: int

    @property
    def is_running(self) -> bool:
        """Whether its provider can be reached."""
        try:
            socket.create_connection(("127.0.0.1", self.provider), timeout=5).close()
        except OSError:
            return False
        return True


@contextmanager
def engine_started(stack: str, port: int, announcement: Path = ANNOUNCEMENT) -> Iterator[ServedEngine]:
    """A running runtime without a deployment, announced for ``./cqrs up``.

    Raises:
        CommandError: the port is taken, the stack's files were refused, or another such runtime is running.
    """
    other = announced(announcement)
    if other is not None:
        raise CommandError(f"another ./cqrs serve --engine is running (process {other.pid}); stop it first")
    try:
        engine = EngineRuntime(stack=stack, port=port)
    except EndpointError as error:
        raise CommandError(f"{error} (--port)") from error
    except DeployError as error:
        raise CommandError(str(error)) from error
    home = tempfile.TemporaryDirectory(prefix="cqrs-engine-")

    def drop_files() -> None:
        engine.runtime.drop_files()
        announcement.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            home.cleanup()

    stopping.on_stop(drop_files)
    log_to_file(LOG_DIR)
    try:
        with engine:
            runtime = engine.runtime
            served = ServedEngine(runtime.url, runtime.endpoint.region, engine.port, home.name, os.getpid())
            announcement.parent.mkdir(exist_ok=True)
            announcement.write_text(json.dumps(asdict(served)), encoding="utf-8")
            yield served
    finally:
        drop_files()


def announced(announcement: Path = ANNOUNCEMENT) -> ServedEngine | None:
    """The running runtime; None if there is none."""
    try:
        served = ServedEngine(**json.loads(announcement.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return served if served.is_running else None
