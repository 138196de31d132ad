"""Client of the HTTP API of a cqrs stack.

``connect`` (or ``connect_async``) gives a client whose rooms are those of the API: ``commands``, ``entities``,
``operations``, ``tasks``, ``imports``, ``approvals``, ``workflows``. What the API answers are the frozen dataclasses of
``cqrs_client.models``; what it refuses are the exceptions of ``cqrs_client.errors``.
"""

from cqrs_client.asynchronous import AsyncClient
from cqrs_client.connecting import Client, connect, connect_async
from cqrs_client.errors import (
    ApiError,
    ClientError,
    Conflict,
    Forbidden,
    NotFound,
    Rejected,
    ServerError,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
    VersionConflict,
    WaitTimeout,
)
from cqrs_client.models import (
    Approval,
    BatchResult,
    CommandInput,
    Counts,
    Entity,
    EntityState,
    Execution,
    Failure,
    FieldError,
    Import,
    ImportFile,
    ImportRow,
    Published,
    Started,
    Task,
    TaskItem,
    Version,
)
from cqrs_client.operations import FailedCommand

__all__ = [
    "ApiError",
    "Approval",
    "AsyncClient",
    "BatchResult",
    "Client",
    "ClientError",
    "CommandInput",
    "Conflict",
    "Counts",
    "Entity",
    "EntityState",
    "Execution",
    "FailedCommand",
    "Failure",
    "FieldError",
    "Forbidden",
    "Import",
    "ImportFile",
    "ImportRow",
    "NotFound",
    "Published",
    "Rejected",
    "ServerError",
    "Started",
    "Task",
    "TaskItem",
    "Throttled",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Version",
    "VersionConflict",
    "WaitTimeout",
    "connect",
    "connect_async",
]
