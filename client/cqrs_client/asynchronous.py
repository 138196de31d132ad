"""The client for asyncio: each call runs in a thread, with the same models and errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from cqrs_client.commands import Commands
from cqrs_client.entities import Entities
from cqrs_client.imports import Imports
from cqrs_client.operations import Operations
from cqrs_client.tasks import Tasks
from cqrs_client.workflows import Approvals, Workflows

if TYPE_CHECKING:
    from cqrs_client.connecting import Client

P = ParamSpec("P")
R = TypeVar("R")
Resource = TypeVar("Resource")
#: Entries that one call to a thread fetches.
_AT_ONCE = 100


class AsyncResource(Generic[Resource]):
    """A group of routes whose methods run in threads."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource


def _called(
    method: Callable[Concatenate[Resource, P], R],
) -> Callable[Concatenate[AsyncResource[Resource], P], Awaitable[R]]:
    async def call(self: AsyncResource[Resource], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self._resource, *args, **kwargs)

    call.__doc__, call.__name__ = method.__doc__, method.__name__
    return call


def _listed(
    method: Callable[Concatenate[Resource, P], Iterator[R]],
) -> Callable[Concatenate[AsyncResource[Resource], P], AsyncIterator[R]]:
    async def follow(self: AsyncResource[Resource], /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        entries = method(self._resource, *args, **kwargs)
        while True:
            part = await asyncio.to_thread(_some, entries)
            for entry in part:
                yield entry
            if not part:
                return

    follow.__doc__, follow.__name__ = method.__doc__, method.__name__
    return follow


def _some(entries: Iterator[Any]) -> list[Any]:
    return list(islice(entries, _AT_ONCE))


class AsyncCommands(AsyncResource[Commands]):
    """``client.commands``."""

    publish = _called(Commands.publish)
    patch = _called(Commands.patch)
    batch = _listed(Commands.batch)
    wait = _called(Commands.wait)


class AsyncEntities(AsyncResource[Entities]):
    """``client.entities``."""

    get = _called(Entities.get)
    find = _called(Entities.find)
    state = _called(Entities.state)
    list = _listed(Entities.list)
    history = _listed(Entities.history)
    version = _called(Entities.version)


class AsyncOperations(AsyncResource[Operations]):
    """``client.operations``."""

    failed = _listed(Operations.failed)
    overview = _called(Operations.overview)
    alarms = _called(Operations.alarms)
    catalogue = _called(Operations.catalogue)
    run = _called(Operations.run)
    explain = _called(Operations.explain)
    redrive = _called(Operations.redrive)
    redrive_all = _listed(Operations.redrive_all)
    skip = _called(Operations.skip)


class AsyncTasks(AsyncResource[Tasks]):
    """``client.tasks``."""

    create = _called(Tasks.create)
    get = _called(Tasks.get)
    list = _listed(Tasks.list)
    items = _listed(Tasks.items)
    wait = _called(Tasks.wait)
    retry = _called(Tasks.retry)
    cancel = _called(Tasks.cancel)


class AsyncImports(AsyncResource[Imports]):
    """``client.imports``. ``progress`` is called from a worker thread."""

    upload_and_run = _called(Imports.upload_and_run)
    upload = _called(Imports.upload)
    create = _called(Imports.create)
    create_row = _called(Imports.create_row)
    get = _called(Imports.get)
    list = _listed(Imports.list)
    rows = _listed(Imports.rows)
    files = _called(Imports.files)
    report = _listed(Imports.report)
    wait = _called(Imports.wait)
    retry = _called(Imports.retry)
    cancel = _called(Imports.cancel)


class AsyncWorkflows(AsyncResource[Workflows]):
    """``client.workflows``."""

    start = _called(Workflows.start)
    get = _called(Workflows.get)
    list = _listed(Workflows.list)
    run = _called(Workflows.run)
    wait = _called(Workflows.wait)


class AsyncApprovals(AsyncResource[Approvals]):
    """``client.approvals``."""

    list = _listed(Approvals.list)
    approve = _called(Approvals.approve)
    reject = _called(Approvals.reject)


class AsyncClient:
    """The client for asyncio; it makes its calls through ``client``."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.commands = AsyncCommands(client.commands)
        self.entities = AsyncEntities(client.entities)
        self.operations = AsyncOperations(client.operations)
        self.tasks = AsyncTasks(client.tasks)
        self.imports = AsyncImports(client.imports)
        self.approvals = AsyncApprovals(client.approvals)
        self.workflows = AsyncWorkflows(client.workflows)
