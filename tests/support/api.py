"""The API on in-memory ports: requests as API Gateway hands them on, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from contract.api import OPERATOR, READER, TENANT_HEADER, WRITER
from handlers.api.app import Api
from handlers.api.http.identity import Identities, grants_of
from handlers.commands.ports import Ports
from handlers.core.clock import Clock
from handlers.entrypoints.wiring.api import ApiParts
from handlers.entrypoints.wiring.settings import ApiSettings
from handlers.objects.memory import MemoryLinks
from handlers.operations.alarms import AlarmState
from handlers.state_machines.histories import ExecutionHistory
from handlers.state_machines.memory import MemoryCustomWorkflows
from tests.support.pipelines import LEASE_SECONDS, MACHINE, World

ENVIRONMENT = {
    "COMMANDS_TABLE": "cqrs-test-commands",
    "DATA_TABLE": "cqrs-test-data",
    "HISTORY_TABLE": "cqrs-test-history",
    "TASKS_TABLE": "cqrs-test-tasks",
    "IMPORT_TABLE": "cqrs-test-import_tmp",
    "IMPORT_BUCKETS": "memory",
    "BUCKET_NAME": "memory",
    "INLINE_ATTRIBUTE_LIMIT": "65536",
    "CUSTOM_STATE_MACHINE_ARNS": "{}",
    "HANDLER_SECRETS": "{}",
    "ENTITY_TYPES": '{"allowed": [], "handled": []}',
    "HANDLER_MODULES": "tests.modules.airports,tests.support.api_classes",
    "COMMAND_STATE_MACHINE_ARN": MACHINE,
    "ALARM_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alarms",
    "SYNC_TARGETS": "[]",
    "STATUS_DETAIL": "full",
    "WAIT_LIMIT_HOURS": "24",
    "LEASE_SECONDS": str(LEASE_SECONDS),
    "TTL_DAYS": "{}",
    "TASK_MAX_CONCURRENCY": "2",
    "TASK_TIMEOUT_MINUTES": "15",
    "API_TENANT_CLAIM": "tenant",
    "API_ROLE_CLAIM": "roles",
    "API_TENANTS": json.dumps(
        {
            "arn:aws:iam::123456789012:role/*-of-t1": {"tenants": ["t1"], "roles": ["writer", "operator"]},
            "arn:aws:iam::123456789012:role/everybody": {"tenants": ["*"], "roles": ["reader"]},
        }
    ),
    "LOG_LEVEL": "INFO",
}
MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
WORKFLOWS = {"three_steps": f"{MACHINE_ARN}three_steps", "approval": f"{MACHINE_ARN}approval"}
ALL_ROLES = (READER, WRITER, OPERATOR)


@dataclass(frozen=True)
class Answer:
    """An answer, its body parsed."""

    status: int
    body: Any
    headers: dict[str, str]
    text: str


def token(tenant: str = "t1", roles: tuple[str, ...] = ALL_ROLES, user: str = "u1") -> dict[str, Any]:
    """What the JWT authoriser hands on: every claim is text."""
    claims = {"sub": user, "tenant": tenant, "roles": f"[{' '.join(roles)}]"}
    return {"jwt": {"claims": claims, "scopes": None}}


def principal(arn: str) -> dict[str, Any]:
    """What the IAM authoriser hands on."""
    return {"iam": {"userArn": arn, "accountId": "123456789012", "callerId": "c", "accessKey": "AKIA", "userId": "c"}}


def event_of(
    method: str,
    path: str,
    body: Any = None,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    authorizer: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An event in payload format 2.0. ``path`` as API Gateway hands it on, decoded once."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    given = {"host": "api.example", **(headers or {})}
    if text is not None:
        given.setdefault("content-type", "application/json")
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "t"}
    context: dict[str, Any] = {"stage": "$default", "requestId": "request-1", "http": http}
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": given,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    return event if text is None else {**event, "body": text}


def answer_of(given: Mapping[str, Any]) -> Answer:
    """The function's answer, which is JSON as API Gateway gets it."""
    plain = json.loads(json.dumps(given))
    text = plain.get("body") or ""
    is_json = "json" in plain["headers"].get("Content-Type", "")
    return Answer(plain["statusCode"], json.loads(text) if is_json and text else text, plain["headers"], text)


class MemoryHistories:
    """See ``Histories``; what tests put into ``all``, by execution."""

    def __init__(self) -> None:
        self.all: dict[str, ExecutionHistory] = {}
        self.asked: list[str] = []

    def of(self, execution_arn: str) -> ExecutionHistory | None:
        self.asked.append(execution_arn)
        return self.all.get(execution_arn)


class MemoryAlarms:
    """See ``Alarms``; what tests put into ``states``."""

    def __init__(self) -> None:
        self.states: list[AlarmState] = []

    def all(self) -> list[AlarmState]:
        return self.states


class ApiWorld:
    """A stack's tables with the API over them. ``world`` is the pipeline, which nothing runs by itself."""

    def __init__(
        self,
        *,
        world: World | None = None,
        handlers: dict[str, tuple[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.world = world or World(handlers=handlers)
        self.workflows = MemoryCustomWorkflows(WORKFLOWS)
        self.histories = MemoryHistories()
        self.alarms = MemoryAlarms()
        self.sleeping = sleep or self._pass
        settings = ApiSettings({**ENVIRONMENT, **(environment or {})})
        clock: Clock = self.world.clock
        ports = Ports(self.world.store, self.world.workflows, self.world.alarms, clock)
        self.parts = ApiParts(
            settings,
            ports,
            objects=self.world.objects,
            links=MemoryLinks(),
            workflows=self.workflows,
            histories=self.histories,
            alarms=self.alarms,
            sleep=lambda seconds: self.sleeping(seconds),
        )
        self.parts.__dict__["pipeline"] = self.world.pipeline
        identities = Identities(settings.tenant_claim, settings.role_claim, grants_of(settings.tenants))
        self.api = Api(self.parts, identities, monotonic=clock.now)

    def call(self, method: str, path: str, body: Any = None, *, tenant: str | None = None, **more: Any) -> Answer:
        """One request; by a writer and operator of t1 unless ``authorizer`` says otherwise."""
        more.setdefault("authorizer", token())
        if tenant is not None:
            more["headers"] = {**more.get("headers", {}), TENANT_HEADER: tenant}
        return answer_of(self.api(event_of(method, path, body, **more), None))

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PATCH", path, body, **more)

    def publish(self, code: str = "o1", version: int = 0, **attributes: Any) -> Answer:
        """An order of t1, applied at once."""
        body = {"type": "ORDER", "code": code, "name": code, "attributes": attributes, "version": version}
        return self.post("/commands", body, query="mode=sync")

    def _pass(self, seconds: float) -> None:
        self.world.clock.advance(seconds)


def part(text: str) -> str:
    """A part of a path as API Gateway hands it on when a client has encoded it twice."""
    return quote(text, safe="")
