"""What the DynamoDB adapter sends with its reads (defect C5)."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS


class Client:
    """Notes the arguments."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        self.sent.append(arguments)
        return {}

    def query(self, **arguments: Any) -> dict[str, Any]:
        self.sent.append(arguments)
        return {"Items": [], "ScannedCount": 0}


@pytest.mark.parametrize("wanted", [None, True, False])
def test_reads_are_strongly_consistent_by_default(wanted: bool | None) -> None:
    client = Client()
    store = DynamoTableStore(client, {COMMANDS: "commands-table"})  # type: ignore[arg-type]
    arguments: dict[str, Any] = {} if wanted is None else {"consistent": wanted}
    store.get(COMMANDS, "TENANT#t1", "ORDER#o1@0000000001", **arguments)
    store.query(COMMANDS, "TENANT#t1", **arguments)
    assert [one["ConsistentRead"] for one in client.sent] == [wanted is not False] * 2
