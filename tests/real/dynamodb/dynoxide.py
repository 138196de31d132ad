"""Dynoxide: finds it, starts it in memory on a free port of the loopback address, ends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.aws.elsewhere.server import DynamoServer
from local.aws.model import EndpointError
from tests.support.ports import free_port

#: The variable with the path of the program, where it isn't on the PATH.
VARIABLE = "CQRS_DYNOXIDE"
PROGRAM = "dynoxide"
#: What was tested, as the program calls itself (its crate, ``dynoxide-rs``, had 3.2.0); an older one differs in more.
LEAST = (1, 5)
PATIENCE_S = 30.0


class NotFound(Exception):
    """There is no Dynoxide, or none that will do; the text says why."""


@dataclass(frozen=True)
class Dynoxide:
    """The program that was found."""

    path: str
    version: str


def find_dynoxide(
    environment: Mapping[str, str] = os.environ, which: Callable[[str], str | None] = shutil.which
) -> Dynoxide:
    """The program of ``CQRS_DYNOXIDE``, else the one on the PATH. Raises NotFound."""
    named = environment.get(VARIABLE)
    path = named or which(PROGRAM)
    if path is None:
        raise NotFound(f"no {PROGRAM} on the PATH, and {VARIABLE} is not set (docs/real-parts.md tells how to get it)")
    if not (Path(path).is_file() and os.access(path, os.X_OK)):
        raise NotFound(f"{VARIABLE}: {path!r} is no program; allowed is the path of {PROGRAM}")
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotFound(f"{path} --version: {error}") from error
    version = done.stdout.strip().rpartition(" ")[2]
    numbers = version.split(".")
    if done.returncode != 0 or len(numbers) != 3 or not all(part.isdigit() for part in numbers):
        raise NotFound(f"{path} --version gives {done.stdout.strip()!r}, which is not a version of {PROGRAM}")
    if tuple(map(int, numbers))[:2] < LEAST:
        raise NotFound(f"{PROGRAM} {version} is too old; {'.'.join(map(str, LEAST))} or later is needed")
    return Dynoxide(path, version)


@contextmanager
def running(found: Dynoxide) -> Iterator[str]:
    """A server with nothing in it, for as long as the scope lasts; its URL."""
    port = free_port()
    command = [found.path, "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _await(process, url)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    pause, end = threading.Event(), time.monotonic() + PATIENCE_S
    while not _answers(url):
        assert process.poll() is None, f"{PROGRAM} ended with exit code {process.returncode}"
        assert time.monotonic() < end, f"{PROGRAM} did not answer at {url}"
        pause.wait(0.05)


def _answers(url: str) -> bool:
    server = DynamoServer(url, "us-east-1")
    try:
        server.call("ListTables", {})
    except EndpointError:
        return False
    finally:
        server.close()
    return True
