"""The alarm message of a failed command, task or item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from handlers.core.keys import row_id, tenant_of

if TYPE_CHECKING:
    from handlers.topics.port import Topic

ACTION = "sfn-alarm"


class RowKey(Protocol):
    """The key of the row that failed."""

    @property
    def pk(self) -> str:
        """Its partition key."""
        ...

    @property
    def sk(self) -> str:
        """Its sort key."""
        ...


def send_alarm(topic: Topic, table: str, key: RowKey, attempt: int, message: str, execution_id: str) -> None:
    """Publish the alarm of one (key, attempt).

    ``message`` must not contain record data. The attributes contain the alarm's identity, so that a subscriber can drop
    duplicates of at-least-once delivery.
    """
    identity = row_id(key.pk, key.sk)
    topic.publish(
        {
            "action": ACTION,
            "id": identity,
            "table": table,
            "pk": key.pk,
            "sk": key.sk,
            "tenantCode": tenant_of(key.pk),
            "content": {"errorMessage": message, "sfnId": execution_id},
        },
        {"action": ACTION, "alarmId": f"{identity}#{attempt}"},
    )
