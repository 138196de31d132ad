"""A saga whose steps are data: an action and its undo; this module handles the log, the order and request ids.

A step begins once it is recorded (``SagaLog``), and an undo handles a step that never happened. A step that changes an
entity by a command publishes it under its own request id; to undo it, that id is withdrawn first: this returns what was
published, or makes sure that nothing ever will be, however late a call comes (decision record 0105).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.publishing.retry import Build, publish_with_retry
from handlers.commands.status import is_done, is_failed
from handlers.core.context import InvokeContext
from handlers.core.errors import (
    PendingVersions,
    RequestConflict,
    SkipRefused,
    TransientConflict,
    TransientError,
    ValidationError,
)
from handlers.core.keys import MAX_REQUEST_ID_CHARS
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step
from handlers.workflows.keys import approval_sk, saga_partition
from handlers.workflows.saga import SagaLog

if TYPE_CHECKING:
    from handlers.commands.model import Command
    from handlers.commands.publishing.publisher import CommandPublisher
    from handlers.commands.publishing.sync_publisher import SyncPublisher
    from handlers.core.clock import Clock
    from handlers.store.port import Item, TableStore

#: Attempts when others publish on a step's entity at the same moment.
ATTEMPTS = 5
UNDO = "undo-"


@dataclass(frozen=True)
class SagaRequest:
    """The request of a saga. A repeated request has the same ``content``; ``id`` and tenant identify the saga."""

    tenant_code: str
    id: str
    user_id: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class SagaStep:
    """One step. Both may be called again for the same request, ``undo`` even if ``action`` never happened or failed.

    ``action`` returns the step's result, a small JSON value.
    """

    name: str
    action: Callable[[], Any]
    undo: Callable[[], None]


class Saga:
    """Runs and undoes the steps of one workflow's sagas.

    ``steps``: the names of all steps, which limit the length of request ids. The other parameters are the collaborators
    of a workflow's class with the same names.
    """

    def __init__(
        self,
        workflow: str,
        steps: Sequence[str],
        *,
        store: TableStore,
        clock: Clock,
        publisher: CommandPublisher,
        sync_publisher: SyncPublisher,
        skipper: Callable[[VersionKey], object],
    ) -> None:
        self._workflow = workflow
        self._most = MAX_REQUEST_ID_CHARS - max(len(f".{UNDO}{step}") for step in steps)
        self._log = SagaLog(store, clock)
        self._publisher = publisher
        self._publish_sync = sync_publisher.publish_sync
        self._skipper = skipper

    def do(self, request: SagaRequest, step: SagaStep, *, last_of: str | None = None) -> Any:
        """Record a step, run it, and return its result. ``last_of``: the execution's name, for the last step of a saga.

        Raises:
            ValidationError: the request id is too long to derive those of the steps.
            RequestConflict: the request id was used with different content.
            SagaIsUndone: undoing has begun, or has happened.
            TransientConflict: another call changed the saga at the same moment.
            The action's errors.
        """
        key = self._key(request)
        self._log.begin(key, step.name, request.content)
        done = step.action()
        if last_of is not None:
            self._log.finish(key, last_of)
        return done

    def undo(self, request: SagaRequest, steps: Sequence[SagaStep], execution: str) -> list[str]:
        """Undo the recorded steps in reverse order; returns the names of the undone steps.

        After an error, a later call continues.
        ``execution``: the name of the undoing execution; a saga that another one has finished is unchanged.
        """
        if len(request.id) > self._most:
            return []  # no step begins under it
        actions = {step.name: step.undo for step in steps}
        return self._log.undo(self._key(request), actions, request.content, execution)

    def command_step(
        self,
        request: SagaRequest,
        name: str,
        key: EntityKey,
        *,
        action: Build,
        undo: Build,
        shows: Callable[[Mapping[str, Any]], bool],
    ) -> SagaStep:
        """A step that changes one entity by a command, which is applied when the step is done (decision record 0082).

        ``action`` and ``undo`` take the latest version (None: nothing is stored) and return the input to publish on it,
        or None. ``shows``: whether a version with these attributes was published by this step of this saga.
        """
        return SagaStep(
            name,
            lambda: self._change(request, name, key, action, shows),
            lambda: self._reverse(request, name, key, undo, shows),
        )

    # -- inside --------------------------------------------------------------------------------------------

    def _key(self, request: SagaRequest) -> tuple[str, str]:
        if len(request.id) > self._most:
            raise ValidationError("requestId", request.id, f"at most {self._most} characters")
        return saga_partition(request.tenant_code), approval_sk(self._workflow, request.id)

    def _change(
        self, request: SagaRequest, name: str, key: EntityKey, action: Build, shows: Callable[[Mapping[str, Any]], bool]
    ) -> dict[str, Any]:
        command = self._publish(request, key, name, action)
        if command is not None and not shows(command.attributes):
            raise RequestConflict(f"{key}: request id {request.id}.{name} was used for {command.sk} by another one")
        return {"step": name, "version": None if command is None else command.version}

    def _reverse(
        self, request: SagaRequest, name: str, key: EntityKey, undo: Build, shows: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        """Withdraw the step's request id, so that an unpublished step never is; end and reverse a published one."""
        row = self._publisher.withdraw(key, _context(request, name))
        if row is None or (row["pk"], row["code"]) != (key.pk, key.code) or not shows(row["attributes"]):
            return  # not published by a step of this saga
        self._end(request, key, name, row)
        self._publish(request, key, f"{UNDO}{name}", undo)

    def _end(self, request: SagaRequest, key: EntityKey, name: str, row: Item) -> None:
        """Complete the step's own command, and skip it if it failed, since it blocks all others."""
        if not is_done(row) and not is_failed(row):
            try:
                self._publish(request, key, name, lambda _: None)
            except TransientError:
                raise
            except Exception as error:  # noqa: BLE001 - boundary: a step that fails again is undone here
                log_step("step to be undone failed", level=logging.WARNING, error=error, pk=key.pk, sk=key.sk)
                row = self._publisher.result_of_request(key, _context(request, name)) or row
            else:
                return
        if is_failed(row):
            try:
                self._skipper(VersionKey.parse(row["pk"], row["sk"]))
            except SkipRefused as refused:
                raise TransientConflict(str(refused)) from refused

    def _publish(self, request: SagaRequest, key: EntityKey, name: str, build: Build) -> Command | None:
        """Publish; the command is applied on return."""
        try:
            return publish_with_retry(
                build,
                ATTEMPTS,
                key=key,
                context=_context(request, name),
                publisher=self._publisher,
                publish=self._publish_sync,
            )
        except PendingVersions as pending:
            raise TransientConflict(str(pending)) from pending


def _context(request: SagaRequest, name: str) -> InvokeContext:
    """The requester's context with the step's own request id."""
    return InvokeContext(request.user_id, request.tenant_code, request_id=f"{request.id}.{name}")
