"""The functions of the route as they are deployed, from their environment on: what they are made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.context import InvokeContext
from handlers.entrypoints import imports
from handlers.entrypoints.wiring.imports import ImportPorts
from handlers.imports.keys import ImportRowKey
from handlers.imports.service import ImportService
from handlers.objects.memory import MemoryObjects
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, IMPORT_TMP
from handlers.topics.memory import MemoryTopic
from tests.support import recorder
from tests.support.clock import ManualClock
from tests.support.zip_world import ENVIRONMENT

CONTEXT = InvokeContext("u1", "t1", "10.0.0.1")
MODULES = {"HANDLER_MODULES": "tests.support.recording_handlers"}


class Function:
    """The ``imports`` function with tables in memory."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryTableStore(), ManualClock()
        ports = ImportPorts(
            store=self.store,
            objects=MemoryObjects(),
            main_topic=MemoryTopic(),
            alarms=MemoryTopic(),
            state_machines=MemoryWorkflows(),
            clock=self.clock,
            dead_letters=MemoryDeadLetters(),
        )
        self.handle = imports.create({**ENVIRONMENT, **MODULES}, ports=ports)
        self.service = ImportService(self.store, self.clock, ["cards", "notes"], ["files"])

    def import_row(self, table: str) -> dict[str, Any]:
        """A row on its own; the row when its message was worked on."""
        kind, tenant, *name = self.service.create_import(table, {"code": "c1", "name": "n"}, CONTEXT).split("#")
        key = ImportRowKey(tenant, "#".join(name))
        content = {"pk": key.pk, "sk": key.sk, "action": "import-execute", "content": {"attempt": 1}}
        message = {
            "messageId": "m1",
            "eventSource": "aws:sqs",
            "body": json.dumps({"Message": json.dumps(content)}),
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        assert self.handle({"Records": [message]}, None) == {"batchItemFailures": []}
        found = self.store.get(IMPORT_TMP, key.pk, key.sk)
        assert found is not None
        assert kind == "IMPORT"
        return found


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(recorder, "handle", lambda target, command: found.append((target, command.code)))
    return found


def test_the_function_has_the_sync_handlers_of_tables_that_publish_synchronously(called: list[Any]) -> None:
    function = Function()
    assert function.import_row("cards")["status"] == "COMPLETED"
    assert called == [("card", "c1")]
    (command,) = (row for row in function.store.scan(COMMANDS).items if "status" in row)
    assert sorted(command["targets"]) == ["card", "data"]


def test_a_batch_without_records_is_answered() -> None:
    assert Function().handle({"Records": []}, None) == {"batchItemFailures": []}
