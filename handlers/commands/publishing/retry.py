"""``publish_with_retry``: read, build, publish; on a conflict, read and build again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.core.context import InvokeContext, caller
from handlers.core.errors import PendingVersions, ValidationError, VersionConflict
from handlers.core.log import log_step
from handlers.core.values.arguments import instance, whole_number

if TYPE_CHECKING:
    from handlers.commands.publishing.publisher import CommandPublisher

MAX_ATTEMPTS = 20

#: Takes the latest version (None: nothing is stored) and returns the input to publish on it; None: publish nothing.
Build = Callable[[Command | None], CommandInput | None]
#: ``CommandPublisher.publish_async`` or ``SyncPublisher.publish_sync``.
Publish = Callable[[CommandInput, InvokeContext], Command | None]
#: Called for each conflict that leads to another attempt: number of the lost attempt, from 1, and the conflict.
OnRetry = Callable[[int, VersionConflict], None]


def publish_with_retry(
    build: Build,
    attempts: int,
    *,
    key: EntityKey,
    context: InvokeContext,
    publisher: CommandPublisher,
    publish: Publish | None = None,
    on_retry: OnRetry | None = None,
) -> Command | None:
    """Publish the result of ``build`` for the latest version, on exactly that version.

    ``build`` may be called several times and must not have side effects. The version in its result is replaced by the
    one that it was given, so it can't overwrite a version that it hasn't seen. ``publish`` defaults to
    ``publisher.publish_async``; the alternative is ``SyncPublisher.publish_sync``. A request id that was used before
    returns its first result without calling ``build``. There is no pause between attempts: a conflict means that the
    next version already exists.

    Returns:
        The result of ``publish``; None also if ``build`` returns None.

    Raises:
        ValidationError: ``attempts`` is not within 1 to 20, or ``build`` returned a different entity.
        VersionConflict: every attempt conflicted; this is the last conflict.
        PendingVersions: raised at once, since only the pipeline's progress helps (``publish_sync``).
        Other errors of ``publish`` and ``build``.
    """
    attempts = whole_number("attempts", attempts, 1, MAX_ATTEMPTS)
    key, context = instance("key", key, EntityKey), caller(context)
    publish = publish if publish is not None else publisher.publish_async
    first = _first_input(publisher, key, context)
    if first is not None:
        return publish(first, context)
    for attempt in range(1, attempts + 1):
        given = _build(build, publisher, key, context)
        if given is None:
            return None
        try:
            return publish(given, context)
        except PendingVersions:
            raise
        except VersionConflict as conflict:
            if attempt == attempts:
                raise
            log_step(
                "conflict, rebuilding", level=logging.INFO, pk=key.pk, sk=key.sk, attempt=attempt, attempts=attempts
            )
            if on_retry is not None:
                on_retry(attempt, conflict)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _build(build: Build, publisher: CommandPublisher, key: EntityKey, context: InvokeContext) -> CommandInput | None:
    row = publisher.repository.latest(key)
    # The data row may be the latest if the command rows have expired; its key has no version.
    latest = None if row is None else Command.from_row({**row, "sk": VersionKey(key, row["version"]).sk})
    given = build(latest)
    if given is None:
        return None
    if given.key(context) != key:
        raise ValidationError("code", str(given.key(context)), f"a command for the key that build got, {key}")
    return replace(given, version=0 if latest is None else latest.version)


def _first_input(publisher: CommandPublisher, key: EntityKey, context: InvokeContext) -> CommandInput | None:
    """The input that the request published earlier, for the ordinary replay by ``publish``."""
    row = publisher.result_of_request(key, context)
    if row is None or VersionKey.parse(row["pk"], row["sk"]).entity != key:
        return None  # of another entity: publish rejects the request id
    return CommandInput(
        type=row["type"],
        code=row["code"],
        name=row["name"],
        attributes=row["attributes"],
        version=row["version"] - 1,
        is_deleted=row["isDeleted"],
        seq=row.get("seq"),
        kind=key.kind,
    )
