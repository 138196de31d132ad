"""A project folder, the real CLI and the embedded AWS behind the provider: what the ENG scenarios run in."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import yaml

from cli.develop.pulumi_cli import PulumiCli, copy_program, offline_environment
from handlers import (
    AttributeStore,
    CommandInput,
    CommandPublisher,
    DynamoTableStore,
    InvokeContext,
    S3Objects,
    SystemClock,
)
from local.provider import EngineRuntime
from local.runtime import PROJECT_DIR

PATIENCE_S = 900
PATIENCE_OF_FUNCTIONS_S = 120
REGION = "us-east-1"
#: A CLI's error lines begin with this; what follows is its message.
ERROR = re.compile(r"^\s*error: (.+)$", re.MULTILINE)


class World:
    """One backend, one embedded AWS, any number of projects and stacks."""

    source = PROJECT_DIR

    def __init__(self, cli: PulumiCli, engine: EngineRuntime, folder: Path) -> None:
        self.cli = cli
        self.engine = engine
        self.folder = folder
        self.environment = offline_environment(folder / "home", engine.environment)

    def program(
        self,
        name: str = "program",
        source: Path = PROJECT_DIR,
        stack_files: Sequence[str] = ("Pulumi.dev.yaml", "Pulumi.prod.yaml"),
    ) -> Project:
        """A copy of the program's files, as they are committed."""
        return Project(self, copy_program(source, self.folder / name, stack_files))


class Project:
    """One project folder."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The CLI in a process group of its own."""
        return subprocess.Popen(
            self.world.cli.command(*arguments),
            cwd=self.folder,
            env=self.world.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, refused: bool = False) -> str:
        """What the CLI prints on both channels. A failure fails the test, unless it is wanted (``refused``)."""
        begin = time.monotonic()
        with self.start(*arguments) as process:
            output, _ = process.communicate(timeout=PATIENCE_S)
        print(
            f"--- pulumi {' '.join(arguments)}: exit {process.returncode}, {time.monotonic() - begin:.1f} s\n{output}"
        )
        assert (process.returncode != 0) == refused, output
        return output

    def json(self, *arguments: str) -> Any:
        """What the CLI prints as JSON."""
        command = self.world.cli.command(*arguments, "--json")
        done = subprocess.run(
            command, cwd=self.folder, env=self.world.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def configured(self, stack: str, values: Mapping[str, Any]) -> Iterator[None]:
        """The stack's file with these values (keys of the project) as long as the scope lasts."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        before = path.read_text(encoding="utf-8")
        document = yaml.safe_load(before)
        document["config"] |= {f"cqrs:{key}": value for key, value in values.items()}
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    def init(self, stack: str) -> None:
        self.run("stack", "init", stack)

    def up(self, stack: str, *arguments: str) -> str:
        return self.run("up", "--stack", stack, "--yes", "--skip-preview", *arguments)

    def outputs(self, stack: str) -> dict[str, Any]:
        return dict(self.json("stack", "output", "--stack", stack))

    def changes(self, stack: str, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
        """What a preview would do, by (type, name); what stays the same is left out.

        Each with ``op``, ``diff`` (changed properties) and ``replace`` (those that replace).
        """
        preview = self.json("preview", "--stack", stack, *arguments)
        found = {}
        for step in preview["steps"]:
            if step["op"] == "same":
                continue
            _, _, types, name = step["urn"].split("::", 3)
            details = {
                "op": step["op"],
                "diff": sorted(step.get("diffReasons") or []),
                "replace": sorted(step.get("replaceReasons") or []),
            }
            found[types.rsplit("$", 1)[-1], name] = details
        return found


def errors(output: str) -> list[str]:
    """The CLI's error messages, in order."""
    return [" ".join(one.split()) for one in ERROR.findall(output)]


def publish(outputs: Mapping[str, Any], code: str, *, versions: int = 1) -> None:
    """Versions of an order, one on top of the other, as an application of the stack publishes them."""
    tables = {name: outputs[f"{name}TableName"] for name in ("commands", "data", "history")}
    store = DynamoTableStore(boto3.client("dynamodb", region_name=REGION), tables)
    objects = S3Objects(lambda: boto3.client("s3", region_name=REGION), outputs["bucketName"])
    publisher = CommandPublisher(store, AttributeStore(objects), SystemClock())
    me = InvokeContext(user_id="u1", tenant_code="acme")
    for version in range(versions):
        given = CommandInput("ORDER", code, f"v{version + 1}", {"n": version + 1}, version=version)
        assert publisher.publish_async(given, me) is not None


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what the functions do in their own time. Fails after a while."""
    pause = threading.Event()
    end = time.monotonic() + PATIENCE_OF_FUNCTIONS_S
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        pause.wait(0.2)
