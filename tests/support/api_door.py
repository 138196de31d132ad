"""``--api`` without a network: the commands over the real API on in-memory ports, by a sender that calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from cli.__main__ import parser_of
from cli.doors.approvals import ApiApprovals
from cli.doors.by_api import Api, on_api
from cli.doors.imports import ApiImports
from cli.doors.operations import ApiOperations
from cli.doors.tasks import ApiTasks
from cli.imports import jobs
from cli.imports.stack_imports import StackImports
from cli.operate import approvals, approve, explain, redrive, skip, tasks
from cli.operate.approving import StackApprovals
from cli.operate.machinery import StackOperations
from cli.operate.stack import Stack
from cqrs_client.errors import Unreachable
from cqrs_client.transport import Answer
from tests.support.api import ApiWorld, token

URL = "http://127.0.0.1:4566"
COMMANDS: Mapping[str, tuple[Any, Callable[[Api], Any], Callable[[Stack], Any]]] = {
    "explain": (explain, ApiOperations, StackOperations),
    "redrive": (redrive, ApiOperations, StackOperations),
    "skip": (skip, ApiOperations, StackOperations),
    "tasks": (tasks, ApiTasks, tasks.StackTasks),
    "imports": (jobs, ApiImports, StackImports),
    "approvals": (approvals, ApiApprovals, StackApprovals),
    "approve": (approve, ApiApprovals, StackApprovals),
}


class Door:
    """A sender. ``asked``: method and path with its query of each request; ``instead`` answers in place of the API."""

    def __init__(self, world: ApiWorld, authorizer: Mapping[str, Any] | None = None) -> None:
        self._world = world
        self.authorizer: Mapping[str, Any] | None = token() if authorizer is None else authorizer
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.instead: Answer | Unreachable | None = None

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        """See ``cqrs_client.transport.Sender``."""
        parts = urlsplit(url)
        self.asked.append((method, url.removeprefix(URL), headers))
        if isinstance(self.instead, Unreachable):
            raise self.instead
        if self.instead is not None:
            return self.instead
        answer = self._world.call(
            method,
            unquote(parts.path),
            None if body is None else json.loads(body),
            query=parts.query,
            headers={name.lower(): value for name, value in headers.items()},
            authorizer=self.authorizer,
        )
        return Answer(answer.status, answer.headers, answer.text.encode())


def by_api(door: Door, name: str, *arguments: str, url: str = URL) -> int:
    """Run a command with ``--api``. Raises CommandError."""
    module, made, _ = COMMANDS[name]
    options = parser_of(name).parse_args([*arguments, "--api", url])
    return on_api(options, lambda api: int(module.run_on(made(api), options)), door)


def on_tables(world: ApiWorld, name: str, *arguments: str) -> int:
    """Run one that only reads on the same tables."""
    module, _, made = COMMANDS[name]
    stack = cast("Stack", SimpleNamespace(store=world.world.store, client=lambda _: None))
    return int(module.run_on(made(stack), parser_of(name).parse_args(list(arguments))))
