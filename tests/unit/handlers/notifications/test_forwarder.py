"""From queue messages to bus events, and which messages come again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.errors import TransientThrottle
from handlers.entrypoints import outcomes
from handlers.entrypoints.wiring.outcomes import OutcomePorts
from handlers.event_bus.memory import MemoryBus
from handlers.event_bus.port import BusEvent
from handlers.notifications.forwarder import Forwarder
from handlers.store.memory import MemoryTableStore
from handlers.topics.memory import MemoryTopic
from tests.support.clock import ManualClock
from tests.unit.handlers.test_settings import OUTCOMES

MESSAGE = {"id": "i", "action": "command-status", "content": {"status": "finish:FINISHED"}}


def record(message: Any, number: int = 1) -> dict[str, Any]:
    body = json.dumps({"Type": "Notification", "Message": json.dumps(message)})
    return {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": body}


def test_ops_03_the_message_is_the_events_detail() -> None:
    bus = MemoryBus()
    ports = OutcomePorts(MemoryTopic(), bus, MemoryTableStore(), ManualClock(), MemoryDeadLetters())
    batch = {"Records": [record(MESSAGE), record({**MESSAGE, "id": "j"})]}
    answer = outcomes.create(OUTCOMES, ports=ports)(batch, None)
    assert answer == {"batchItemFailures": []}
    assert bus.events == [
        BusEvent("command-status", MESSAGE),
        BusEvent("command-status", {**MESSAGE, "id": "j"}),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "{}",
        '{"Message": 1}',
        '{"Message": "{"}',
        '{"Message": "[]"}',
        '{"Message": "{\\"action\\": \\"\\"}"}',
    ],
)
def test_edge_24_a_poison_message_is_a_dead_letter_at_once(body: str) -> None:
    bus, letters = MemoryBus(), MemoryDeadLetters()
    batch = [record(MESSAGE, 1), {"messageId": "m2", "eventSource": "aws:sqs", "body": body}, record(MESSAGE, 3)]
    assert Forwarder(bus, letters)(batch) == {"batchItemFailures": []}
    assert [one["messageId"] for one, _ in letters.letters] == ["m2"]
    assert len(bus.events) == 2


def test_what_the_bus_refused_comes_again() -> None:
    bus = MemoryBus(lambda event: TransientThrottle("busy") if event.detail["id"] == "2" else None)
    poison = {"messageId": "m0", "eventSource": "aws:sqs", "body": "{"}
    batch = [poison, *(record({**MESSAGE, "id": str(number)}, number) for number in (1, 2, 3))]
    letters = MemoryDeadLetters()
    assert Forwarder(bus, letters)(batch) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    letters.refuses = TransientThrottle("busy")
    assert Forwarder(bus, letters)(batch) == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m2"}]}
    assert [event.detail["id"] for event in bus.events] == ["1", "3", "1", "3"]
