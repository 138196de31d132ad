"""``/commands``: publish commands, one at a time or in batches."""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query
from pydantic import BeforeValidator, Field

from contract.command_status import ACCEPTED
from contract.objects import IMPORTS
from handlers.api.http.identity import Caller
from handlers.api.http.models import Entity, Failure, Given, KeyPart, Part, Shown, Version, version_of
from handlers.api.http.problems import Forbidden, Problem, problem_of
from handlers.api.http.routes import WRITER, Routes, answer
from handlers.api.services import Services
from handlers.api.uploads import Upload, attributes_prefix, upload_to
from handlers.commands.attributes import MAX_ATTRIBUTES_BYTES
from handlers.commands.keys import DEFAULT_KIND, EntityKey
from handlers.commands.model import LATEST, MAX_NAME_CHARS, Command, CommandInput
from handlers.commands.reader import OPEN, VersionState
from handlers.core.errors import ObjectMissing, ObjectTooLarge, ValidationError
from handlers.core.keys import MAX_REQUEST_ID_CHARS, MAX_VERSION
from handlers.core.log import log_step, without_text

MAX_WAIT_SECONDS = 20
MAX_BATCH = 100
#: Characters of a request id that are reserved for a command's position in its batch.
_PLACE_CHARS = 4


class GivenCommand(Given):
    """The full new state of one entity. ``attributesFrom``: the ``key`` of an upload, instead of ``attributes``."""

    type: KeyPart
    code: KeyPart
    name: str = Field(max_length=MAX_NAME_CHARS)
    attributes: dict[str, Any] | None = None
    attributes_from: str | None = None
    version: int | None = Field(
        0,
        ge=LATEST,
        lt=MAX_VERSION,
        description="0: if nothing is stored yet; -1: on top of the latest version; n: on top of version n",
    )
    is_deleted: bool = False
    seq: int | None = None
    kind: KeyPart = DEFAULT_KIND


class GivenChange(Given):
    """Changes to some fields of an entity; ``attributes`` are merged by name."""

    name: str | None = None
    attributes: dict[str, Any] | None = None
    is_deleted: bool | None = None
    seq: int | None = None
    version: int | None = Field(LATEST, ge=LATEST, lt=MAX_VERSION)
    kind: KeyPart = DEFAULT_KIND


class GivenBatch(Given):
    """Commands that are accepted one after the other, independently of each other."""

    commands: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_BATCH)


class Published(Shown):
    """``changed`` is false if the entity already had this state: nothing was written, and ``command`` is its latest.
    ``outcome`` and the fields after it show the command's current state.
    """

    changed: bool
    command: Entity
    outcome: str
    status: str
    targets: dict[str, Any]
    error: Failure | None = None


class BatchEntry(Shown):
    """The result of one command, as if it had been sent in a request of its own."""

    status: int
    published: Published | None = None
    problem: Problem | None = None


class BatchAnswer(Shown):
    """In the order of the commands."""

    results: list[BatchEntry]
    failed: int


def _seconds(text: object) -> object:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 4:
        return int(text)
    raise ValueError(f"whole seconds, at most {MAX_WAIT_SECONDS}")


Wait = Annotated[
    int | None,
    Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for the outcome"),
    BeforeValidator(_seconds),
]
RequestId = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_REQUEST_ID_CHARS,
        pattern="^[^@]*$",
        description="A repeated request with the same key returns the command of the first one",
    ),
]
EXAMPLE = {
    "type": "ORDER",
    "code": "o1",
    "name": "First order",
    "attributes": {"lines": [{"quantity": 2, "price": 5}]},
}


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""
    api = _Commands(services)

    @routes.add(
        "POST", "/commands", WRITER, "Publish a command", answers={200: Published, 202: Published}, may=(409,),
        example=EXAMPLE,
    )  # fmt: skip
    def publish_command(
        command: Annotated[GivenCommand, Body()],
        wait: Wait = None,
        mode: Annotated[Literal["async", "sync"], Query(description="sync applies it before answering")] = "async",
        idempotency_key: RequestId = None,
    ) -> Response[Published]:
        status, published = api.publish(command, routes.caller, idempotency_key, wait=wait, sync=mode == "sync")
        return answer(status, published)

    @routes.add(
        "PATCH", "/commands/<type>/<code>", WRITER, "Change some fields of an entity",
        answers={200: Published, 202: Published}, may=(404, 409), example={"name": "The first order"},
    )  # fmt: skip
    def change_entity(
        type: Part,
        code: Part,
        changes: Annotated[GivenChange, Body()],
        wait: Wait = None,
        idempotency_key: RequestId = None,
    ) -> Response[Published]:
        status, published = api.change(type, code, changes, routes.caller, idempotency_key, wait)
        return answer(status, published)

    @routes.add(
        "POST", "/commands/batch", WRITER, "Publish up to 100 commands, independently of each other",
        answers={200: BatchAnswer}, example={"commands": [EXAMPLE, {**EXAMPLE, "code": "o2"}]},
    )  # fmt: skip
    def publish_batch(given: Annotated[GivenBatch, Body()], idempotency_key: RequestId = None) -> Response[BatchAnswer]:
        return answer(200, api.batch(given.commands, routes.caller, idempotency_key))

    @routes.add(
        "POST", "/commands/uploads", WRITER, "Get an upload URL for large attributes, for use with `attributesFrom`",
        answers={200: Upload},
    )  # fmt: skip
    def upload_attributes() -> Response[Upload]:
        return answer(200, upload_to(services, attributes_prefix(routes.caller.tenant), "attributes.json"))


class _Commands:
    """Implements the routes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def publish(
        self, given: GivenCommand, caller: Caller, request_id: str | None, *, wait: int | None, sync: bool
    ) -> tuple[int, Published]:
        context, command_input = caller.context(request_id), self._input(given, caller)
        key = command_input.key(context)
        if not sync:
            command = self._services.publisher.publish_async(command_input, context)
            return self._answer(key, command, wait)
        accepted: list[Command] = []
        try:
            command = self._services.sync_publisher.publish_sync(command_input, context, accepted=accepted.append)
        except Exception as error:
            # Boundary: a sync handler may raise anything. Once the command is accepted, its row has the outcome.
            if not accepted:
                raise
            log_step("not applied", level=logging.WARNING, pk=key.pk, sk=key.sk, **without_text(error))
            command = accepted[0]
        return self._answer(key, command, 0)

    def change(
        self,
        type_: str,
        code: str,
        given: GivenChange,
        caller: Caller,
        request_id: str | None,
        wait: int | None,
    ) -> tuple[int, Published]:
        context = caller.context(request_id)
        key = EntityKey.of_caller(given.kind, caller.tenant, type_, code)
        fields = {"name": given.name, "attributes": given.attributes, "is_deleted": given.is_deleted, "seq": given.seq}
        changes = {name: value for name, value in fields.items() if name in given.model_fields_set}
        if changes.get("attributes", {}) is None:
            raise ValidationError("attributes", None, "a JSON object")
        command = self._services.publisher.publish_partial_async(key.pk, key.sk, given.version, changes, context)
        return self._answer(key, command, wait)

    def batch(self, commands: list[dict[str, Any]], caller: Caller, request_id: str | None) -> BatchAnswer:
        if request_id is not None and len(request_id) > MAX_REQUEST_ID_CHARS - _PLACE_CHARS:
            most = MAX_REQUEST_ID_CHARS - _PLACE_CHARS
            raise ValidationError("Idempotency-Key", request_id, f"at most {most} characters for a batch")
        results = [
            self._entry(one, caller, None if request_id is None else f"{request_id}.{place}")
            for place, one in enumerate(commands)
        ]
        return BatchAnswer(results=results, failed=sum(one.problem is not None for one in results))

    def _entry(self, given: dict[str, Any], caller: Caller, request_id: str | None) -> BatchEntry:
        try:
            command = GivenCommand.model_validate(given)
            status, published = self.publish(command, caller, request_id, wait=None, sync=False)
        except Exception as error:  # noqa: BLE001 - boundary: one command of a batch; unexpected errors are logged
            problem, _ = problem_of(error, None)
            problem.current = None  # a hundred conflicts with these could exceed the size of a response
            return BatchEntry(status=problem.status, problem=problem)
        if command.attributes_from is not None:
            published.command.attributes = None  # for the same reason: the caller uploaded them
        return BatchEntry.model_construct(status=status, published=published, problem=None)

    def _input(self, given: GivenCommand, caller: Caller) -> CommandInput:
        if (given.attributes is None) == (given.attributes_from is None):
            raise ValidationError("attributes", given.attributes, "either attributes or attributesFrom")
        attributes = given.attributes
        if given.attributes_from is not None:
            attributes = self._uploaded(given.attributes_from, caller)
        assert attributes is not None
        return CommandInput(
            given.type, given.code, given.name, attributes, given.version, given.is_deleted, given.seq, given.kind
        )

    def _uploaded(self, key: str, caller: Caller) -> dict[str, Any]:
        if not key.startswith(attributes_prefix(caller.tenant)):
            raise Forbidden(f"attributesFrom: expected a key from POST /commands/uploads, under {IMPORTS}<tenant>/")
        try:
            body = self._services.objects.get(key, max_bytes=MAX_ATTRIBUTES_BYTES)
            found: Any = json.loads(body)
        except ObjectMissing:
            raise ValidationError("attributesFrom", key, "the key of an existing upload") from None
        except ObjectTooLarge:
            raise ValidationError("attributesFrom", key, f"at most {MAX_ATTRIBUTES_BYTES} bytes") from None
        except (ValueError, RecursionError):
            raise ValidationError("attributesFrom", key, "JSON in UTF-8") from None
        if not isinstance(found, dict):
            raise ValidationError("attributesFrom", key, "a JSON object")
        return found

    def _answer(self, key: EntityKey, command: Command | None, wait: int | None) -> tuple[int, Published]:
        """``wait``: seconds; None doesn't read the status at all."""
        services = self._services
        if command is None:
            latest = services.publisher.whole(services.publisher.repository.latest(key))
            assert latest is not None
            found = Command.from_row(latest)
            return 200, _published(services.reader.wait(found, 0), services, changed=False)
        if wait is None:
            accepted = VersionState(command, OPEN, ACCEPTED, 1, {}, None)
            return 202, _published(accepted, services, changed=True)
        state = services.reader.wait(command, wait)
        return 202 if state.outcome == OPEN else 200, _published(state, services, changed=True)


def _published(state: VersionState, services: Services, *, changed: bool) -> Published:
    shown: Version = version_of(state, services.links)
    return Published.model_construct(
        changed=changed,
        command=shown.command,
        outcome=shown.outcome,
        status=shown.status,
        targets=shown.targets,
        error=shown.error,
    )
