"""Which stream records become status events, and what stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.outcomes import StatusEvents, notice_of
from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.errors import TransientThrottle, ValidationError
from handlers.entrypoints import outcomes
from handlers.entrypoints.wiring.outcomes import OutcomePorts
from handlers.event_bus.memory import MemoryBus
from handlers.store.memory import MemoryTableStore
from handlers.store.values import item_to_dynamo
from handlers.topics.memory import MemoryTopic
from tests.support.clock import ManualClock
from tests.unit.handlers.test_settings import OUTCOMES

SECRET = "4711-secret"


def row(status: str, **given: Any) -> dict[str, Any]:
    return {
        "pk": "TENANT#t1",
        "sk": "ORDER#o1@0000000003",
        "id": "c3",
        "status": status,
        "rank": 1,
        "attempt": 1,
        "type": "ORDER",
        "code": "o1",
        "version": 3,
        "attributes": {"card": SECRET},
        "taskToken": SECRET,
        "runId": SECRET,
        "requestId": "r1",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        **given,
    }


def change(old: dict[str, Any] | None, new: dict[str, Any] | None, name: str = "MODIFY", number: str = "1") -> Any:
    images = {"OldImage": old, "NewImage": new}
    found = {key: item_to_dynamo(image) for key, image in images.items() if image is not None}
    return {"eventName": name, "dynamodb": {**found, "SequenceNumber": number}}


def test_ops_03_the_message_of_an_applied_command() -> None:
    notice = notice_of(change(row("finish:STARTED"), row("finish:FINISHED")), "c", "terminal")
    assert notice is not None
    assert notice.attributes == {"action": "command-status"}
    assert notice.message == {
        "id": "TENANT#t1#ORDER#o1@0000000003",
        "action": "command-status",
        "table": "c",
        "pk": "TENANT#t1",
        "sk": "ORDER#o1@0000000003",
        "tenantCode": "t1",
        "content": {
            "commandId": "c3",
            "type": "ORDER",
            "code": "o1",
            "version": 3,
            "status": "finish:FINISHED",
            "attempt": 1,
            "outcome": "DONE",
            "requestId": "r1",
            "updatedAt": "2026-01-01T00:00:00.000Z",
        },
    }


def test_wf_05_no_attributes_and_no_token_in_a_failure() -> None:
    error = {"type": "OutOfStock", "message": "none left", "state": "sync_data", "stackTrace": SECRET}
    notice = notice_of(change(row("sync_data:STARTED"), row("sync_data:FAILED", error=error)), "c", "terminal")
    assert notice is not None
    content = notice.message["content"]
    assert content["outcome"] == "FAILED"
    assert content["error"] == {"type": "OutOfStock", "message": "none left", "state": "sync_data"}
    assert SECRET not in repr(notice)


@pytest.mark.parametrize("which", ["terminal", "all", "none"])
@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("finish:STARTED", "finish:FINISHED", {"terminal", "all"}),
        ("sync_data:FINISHED", "finish:FINISHED", {"terminal", "all"}),
        ("sync_data:STARTED", "sync_data:FAILED", {"terminal", "all"}),
        ("sync_data:FAILED", "skipped", {"terminal", "all"}),
        ("sync_data:FINISHED", "finish:STARTED", {"all"}),
        ("publish:ACCEPTED", "check_version:STARTED", {"all"}),
        ("sync_data:FAILED", "publish:ACCEPTED", set()),
        ("finish:FINISHED", "finish:FINISHED", set()),
        ("skipped", "skipped", set()),
        ("sync_data:FAILED", "sync_data:FAILED", set()),
    ],
)
def test_changes_of_the_status(which: str, old: str, new: str, kinds: set[str]) -> None:
    assert (notice_of(change(row(old), row(new)), "c", which) is not None) == (which in kinds)


def test_another_attempt_that_fails_in_the_same_way_is_reported_again() -> None:
    record = change(row("sync_data:FAILED"), row("sync_data:FAILED", attempt=2))
    notice = notice_of(record, "c", "terminal")
    assert notice is not None
    assert notice.message["content"]["attempt"] == 2


@pytest.mark.parametrize("which", ["terminal", "all", "none"])
@pytest.mark.parametrize(("new", "kinds"), [("finish:FINISHED", {"terminal", "all"}), ("publish:SYNC", set())])
def test_a_command_that_was_applied_with_its_publish_is_reported(which: str, new: str, kinds: set[str]) -> None:
    """By the record of its new row: there is no other. One that is still open has its change of status to come."""
    record = change(None, row(new, syncMode=True), "INSERT")
    assert (notice_of(record, "c", which) is not None) == (which in kinds)


@pytest.mark.parametrize(
    "record",
    [
        change(None, row("finish:FINISHED"), "INSERT"),
        change(row("finish:FINISHED"), None, "REMOVE"),
        change({"pk": "TENANT#t1", "sk": "REQ#r"}, {"pk": "TENANT#t1", "sk": "REQ#r", "version": 1}),
        {"eventName": "REMOVE", "dynamodb": {"Keys": {}}},
        {"eventName": "MODIFY"},
    ],
)
def test_other_records_are_dropped(record: Any) -> None:
    assert notice_of(record, "c", "all") is None


def test_one_call_for_a_batch_and_failures_by_record() -> None:
    topic = MemoryTopic(lambda message: TransientThrottle("busy") if message["sk"].endswith("2") else None)
    versions = [f"ORDER#o1@000000000{number}" for number in (1, 2, 3)]
    records = [change(row("finish:STARTED", sk=sk), row("finish:FINISHED", sk=sk)) for sk in versions]
    poison = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"status": {"??": "x"}}, "OldImage": {}}}
    unsent = StatusEvents(topic, "c", "terminal").on_stream_records([poison, *records])
    assert sorted(unsent) == [0, 2]
    assert isinstance(unsent[2], TransientThrottle)
    assert [message["sk"] for message in topic.messages] == [versions[0], versions[2]]


def test_the_function_reports_events_that_are_not_out() -> None:
    topic = MemoryTopic(lambda message: TransientThrottle("busy") if message["sk"].endswith("2") else None)
    batch = [
        change(row("finish:STARTED", sk=sk), row("finish:FINISHED", sk=sk), number=sk[-1])
        for sk in ("ORDER#o1@0000000001", "ORDER#o1@0000000002")
    ]
    ports = OutcomePorts(topic, MemoryBus(), MemoryTableStore(), ManualClock(), MemoryDeadLetters())
    handle = outcomes.create(OUTCOMES, ports=ports)
    assert handle({"Records": batch}, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(topic.messages) == 1
    with pytest.raises(ValidationError, match="a batch of a stream or a queue"):
        handle({"hello": 1}, None)
