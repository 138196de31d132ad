"""The same rooms for asyncio: each call runs in a thread, with the same models and errors."""

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
Room = TypeVar("Room")
#: Entries that are fetched by one visit to a thread.
_AT_ONCE = 100


class AsyncRoom(Generic[Room]):
    """A room, whose own methods run in threads."""

    def __init__(self, room: Room) -> None:
        self._room = room


def _called(
    method: Callable[Concatenate[Room, P], R],
) -> Callable[Concatenate[AsyncRoom[Room], P], Awaitable[R]]:
    async def call(self: AsyncRoom[Room], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self._room, *args, **kwargs)

    call.__doc__, call.__name__ = method.__doc__, method.__name__
    return call


def _listed(
    method: Callable[Concatenate[Room, P], Iterator[R]],
) -> Callable[Concatenate[AsyncRoom[Room], P], AsyncIterator[R]]:
    async def follow(self: AsyncRoom[Room], /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        entries = method(self._room, *args, **kwargs)
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


class AsyncCommands(AsyncRoom[Commands]):
    """``client.commands``."""

    publish = _called(Commands.publish)
    patch = _called(Commands.patch)
    batch = _listed(Commands.batch)
    wait = _called(Commands.wait)


class AsyncEntities(AsyncRoom[Entities]):
    """``client.entities``."""

    get = _called(Entities.get)
    find = _called(Entities.find)
    state = _called(Entities.state)
    list = _listed(Entities.list)
    history = _listed(Entities.history)
    version = _called(Entities.version)


class AsyncOperations(AsyncRoom[Operations]):
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


class AsyncTasks(AsyncRoom[Tasks]):
    """``client.tasks``."""

    create = _called(Tasks.create)
    get = _called(Tasks.get)
    list = _listed(Tasks.list)
    items = _listed(Tasks.items)
    wait = _called(Tasks.wait)
    retry = _called(Tasks.retry)
    cancel = _called(Tasks.cancel)


class AsyncImports(AsyncRoom[Imports]):
    """``client.imports``. ``progress`` is called in another thread."""

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


class AsyncWorkflows(AsyncRoom[Workflows]):
    """``client.workflows``."""

    start = _called(Workflows.start)
    get = _called(Workflows.get)
    list = _listed(Workflows.list)
    run = _called(Workflows.run)
    wait = _called(Workflows.wait)


class AsyncApprovals(AsyncRoom[Approvals]):
    """``client.approvals``."""

    list = _listed(Approvals.list)
    approve = _called(Approvals.approve)
    reject = _called(Approvals.reject)


class AsyncClient:
    """The rooms of the API for asyncio. ``client`` is the one whose calls are made."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.commands = AsyncCommands(client.commands)
        self.entities = AsyncEntities(client.entities)
        self.operations = AsyncOperations(client.operations)
        self.tasks = AsyncTasks(client.tasks)
        self.imports = AsyncImports(client.imports)
        self.approvals = AsyncApprovals(client.approvals)
        self.workflows = AsyncWorkflows(client.workflows)
