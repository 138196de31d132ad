"""Publishing commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any

from cqrs_client.models import OPEN, BatchResult, CommandInput, Published, Upload, Version
from cqrs_client.reading import read, stored_name
from cqrs_client.transport import Transport
from cqrs_client.waiting import until

#: Most commands that the API takes in one request.
BATCH = 100
#: Attributes with more bytes of JSON than this are uploaded: the API takes bodies of up to 1 MB.
INLINE_BYTES = 900_000
LATEST = -1


class Commands:
    """``client.commands``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def publish(
        self,
        type: str,
        code: str,
        name: str,
        attributes: Mapping[str, Any],
        *,
        version: int = 0,
        is_deleted: bool = False,
        seq: int | None = None,
        kind: str | None = None,
        wait: int | None = None,
        sync: bool = False,
        idempotency_key: str | None = None,
    ) -> Published:
        """Publish the full new state of an entity.

        Args:
            version: 0 if you expect that nothing is stored yet, -1 to build on the latest version, n on version n.
            wait: how many seconds (at most 20) the API waits for the outcome.
            sync: whether the API applies the command before it responds.
            idempotency_key: makes the request safe to repeat with the same key; this client then retries it, too.

        Raises:
            VersionConflict: the latest version is a different one.
            ApiError, Unreachable: everything else.
        """
        given = CommandInput(type, code, name, attributes, version, is_deleted, seq, kind)
        answer = self._transport.call(
            "POST",
            "commands",
            query={"wait": wait, "mode": "sync" if sync else None},
            body=self._body(given),
            idempotency_key=idempotency_key,
        )
        return read(Published, answer)

    def patch(
        self,
        type: str,
        code: str,
        *,
        name: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        is_deleted: bool | None = None,
        seq: int | None = None,
        version: int = LATEST,
        kind: str | None = None,
        wait: int | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Change some fields of an entity: None leaves a field unchanged; attributes are merged by name.

        Raises:
            NotFound: nothing is stored under this key.
            ApiError, Unreachable: as ``publish``.
        """
        changes = {
            "name": name,
            "attributes": None if attributes is None else dict(attributes),
            "isDeleted": is_deleted,
            "seq": seq,
            "kind": kind,
            "version": version,
        }
        answer = self._transport.call(
            "PATCH",
            "commands",
            type,
            code,
            query={"wait": wait},
            body={key: value for key, value in changes.items() if value is not None},
            idempotency_key=idempotency_key,
        )
        return read(Published, answer)

    def batch(self, commands: Iterable[CommandInput], *, idempotency_key: str | None = None) -> Iterator[BatchResult]:
        """Publish any number of commands, 100 at a time; a rejected one doesn't stop the others.

        Results are yielded in the order of the commands; requests are sent only as the caller iterates. Each request
        has its own key, derived from ``idempotency_key``.

        Raises:
            ApiError, Unreachable: a whole request of up to 100 commands failed.
        """
        given = iter(commands)
        number = 0
        while part := list(islice(given, BATCH)):
            key = None if idempotency_key is None else f"{idempotency_key}.{number}"
            body = {"commands": [self._body(one) for one in part]}
            answer = self._transport.call("POST", "commands", "batch", body=body, idempotency_key=key)
            for one in answer["results"]:
                yield read(BatchResult, one)
            number += 1

    def wait(self, published: Published, *, timeout: float = 60.0) -> Version:
        """Wait until the version is applied, failed or skipped: see its ``outcome``.

        Raises:
            WaitTimeout: it is still in progress.
            ApiError, Unreachable: as ``publish``.
        """
        command = published.command

        def look() -> Version:
            answer = self._transport.call(
                "GET",
                *("entities", command.type, command.code, "versions", str(command.version)),
                query={"kind": command.kind},
            )
            return read(Version, answer)

        what = f"{command.type} {command.code} version {command.version}"
        return until(self._transport, look, lambda seen: seen.outcome != OPEN, timeout, what)

    def _body(self, given: CommandInput) -> dict[str, Any]:
        body = {stored_name(one.name): getattr(given, one.name) for one in fields(given)}
        body["attributes"] = dict(given.attributes)
        content = json.dumps(body["attributes"], separators=(",", ":"), ensure_ascii=False).encode()
        if len(content) > INLINE_BYTES:
            upload = read(Upload, self._transport.call("POST", "commands", "uploads"))
            self._transport.upload(upload.method, upload.url, content, len(content))
            del body["attributes"]
            body["attributesFrom"] = upload.key
        return {key: value for key, value in body.items() if value is not None}
