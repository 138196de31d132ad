"""APP-07 and APP-08: ``./cqrs serve --data`` killed in the middle of its work, and edited while it runs."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from handlers.commands.attributes import AttributeStore
from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.reader import APPLIED, FAILED, EntityReader
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.objects.memory import MemoryObjects
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY
from local.testing.copies import alone, checkout
from tests.support.checkout import PATIENCE_SECONDS, Cli
from tests.support.moody import MOODY

CONTEXT = InvokeContext(user_id="u1", tenant_code="t1")
MODULE = "handlers.domain.moody"


class Served:
    """A copy of the project with the handler, and its ``serve --data`` as often as a test starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = checkout(folder / "cqrs", alone)
        self.data = folder / "data"
        self.module = self.folder / "handlers/domain/moody.py"
        self.module.write_text(MOODY)
        stack = self.folder / "Pulumi.dev.yaml"
        stack.write_text(re.sub(r"handlerModules: .*", f"handlerModules: [{MODULE}]", stack.read_text()))
        self.accepted: list[Command] = []
        self.sent = 0

    def serve(self) -> Cli:
        return Cli(self.folder, "serve", "--port", "0", "--data", str(self.data))

    def connect(self, cli: Cli) -> str:
        """Until it serves; its URL."""
        url = cli.wait_for_match(r"serving on (http://127\.0\.0\.1:\d+) ")[1]
        client: Any = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        )
        store = DynamoTableStore(client, {name: f"cqrs-dev-{name}" for name in (COMMANDS, DATA, HISTORY)})
        attributes = AttributeStore(MemoryObjects())  # they are small
        self.publisher = CommandPublisher(store, attributes, SystemClock())
        self.reader = EntityReader(store, SystemClock(), attributes.decoded)
        return url

    def publish(self, *, bad: bool = False) -> Command:
        """The next command; two of an entity, one after the other."""
        entity, version = divmod(self.sent, 2)
        self.sent += 1
        given = CommandInput("MOOD", f"m{entity}", f"A mood {version}", {"bad": bad}, version)
        command = self.publisher.publish_async(given, CONTEXT)
        assert command is not None
        self.accepted.append(command)
        return command

    def outcome(self, command: Command) -> str | None:
        key = EntityKey(DEFAULT_KIND, "t1", "MOOD", command.code)
        state = self.reader.version(key, command.version)
        return None if state is None else state.outcome


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "too slow"


def kill(cli: Cli) -> None:
    """At once, with everything that it started."""
    os.killpg(cli.process.pid, signal.SIGKILL)
    cli.process.wait()


def killed(served: Served, moments: int, seed: int) -> None:
    """Killed so many times after a random number of commands."""
    source = random.Random(seed)
    for _ in range(moments):
        with served.serve() as cli:
            served.connect(cli)
            for _ in range(source.randrange(1, 12)):
                served.publish()
            last = served.accepted[source.randrange(len(served.accepted))]
            if source.random() < 0.5:
                wait_until(lambda one=last: served.outcome(one) == APPLIED)  # type: ignore[misc]
            kill(cli)
        served.sent += served.sent % 2  # the next one is of another entity


def all_applied(served: Served) -> bool:
    return all(served.outcome(one) == APPLIED for one in served.accepted)


def test_app_07_serve_is_killed_and_goes_on(tmp_path: Path) -> None:
    """APP-08 too: the handler is repaired while it is served, and what failed is redriven."""
    served = Served(tmp_path)
    killed(served, 1, seed=1)
    with served.serve() as cli:
        url = served.connect(cli)
        wait_until(lambda: all_applied(served))
        with served.serve() as second:
            assert second.end() == 1
        assert "is in use by another ./cqrs serve" in second.errors
        served.sent += served.sent % 2
        failing = served.publish(bad=True)
        wait_until(lambda: served.outcome(failing) == FAILED)
        served.module.write_text(MOODY.replace("raise ValueError", "raise ValueError("))
        cli.wait_for("not reloaded: handlers/domain/moody.py: module")
        served.module.write_text(MOODY.replace('["bad"]', '["worse"]').replace("if ", "if False and "))
        cli.wait_for("reloaded: handlers/domain/moody.py (")
        key = VersionKey(EntityKey(DEFAULT_KIND, "t1", "MOOD", failing.code), failing.version)
        redriven = subprocess.run(
            ["./cqrs", "redrive", f"{key.pk} {key.entity.sk}@{failing.version}", "--endpoint", url],
            cwd=served.folder,
            env=clean(os.environ),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert redriven.returncode == 0, redriven.stderr
        wait_until(lambda: served.outcome(failing) == APPLIED)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Credentials as the page of serve says."""
    given = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    return given | {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.mark.slow
def test_app_07_serve_is_killed_at_twenty_moments(tmp_path: Path) -> None:
    served = Served(tmp_path)
    killed(served, 20, seed=20)
    with served.serve() as cli:
        served.connect(cli)
        wait_until(lambda: all_applied(served))
