"""An API that answers what it is told, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cqrs_client import Client
from cqrs_client.errors import Unreachable
from cqrs_client.transport import Answer, Retries, Transport, Unsigned

URL = "https://api.example"
ENTITY = {
    "kind": "TENANT",
    "type": "ORDER",
    "code": "o1",
    "version": 1,
    "name": "First",
    "tenantCode": "t1",
    "attributes": {"lines": 2},
    "isDeleted": False,
    "id": "1",
    "source": "api",
    "createdAt": "2026-01-01T00:00:00Z",
    "createdBy": "u",
    "updatedAt": "2026-01-01T00:00:00Z",
    "updatedBy": "u",
    "laterAdded": 1,
}


def version(outcome: str, number: int = 1) -> dict[str, Any]:
    command = {**ENTITY, "version": number}
    return {"command": command, "outcome": outcome, "status": "s", "attempt": 1, "targets": {}, "error": None}


def published(outcome: str = "OPEN") -> dict[str, Any]:
    return {"changed": True, **version(outcome)}


@dataclass
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any

    @property
    def path(self) -> str:
        return self.url.removeprefix(URL)


@dataclass
class Api:
    """``answers`` in their order: the JSON of a 200, an ``Answer``, or an exception."""

    answers: list[Any] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        content = body.read() if hasattr(body, "read") else body
        self.asked.append(Request(method, url, headers, content))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, {}, json.dumps(answer).encode())

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def client(self, **options: Any) -> Client:
        transport = Transport(URL, Unsigned(), self, Retries(), **options)
        transport.sleep, transport.monotonic = self.sleep, lambda: self.now
        return Client(transport)

    def bodies(self) -> list[Any]:
        return [json.loads(one.body) if one.body else None for one in self.asked]


def refused(status: int, **problem: Any) -> Answer:
    kind = problem.pop("kind", None)
    headers = {"retry-after": str(problem.pop("after"))} if "after" in problem else {}
    document = {"status": status, **({"type": f"urn:cqrs:problem:{kind}"} if kind else {}), **problem}
    return Answer(status, headers, json.dumps(document).encode())


GONE = Unreachable("gone")
