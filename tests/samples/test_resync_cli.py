"""``./cqrs resync`` of the sample's target, in this process: an operator's command runs the repository's own code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.__main__ import main
from handlers.commands.model import CommandInput
from handlers.store.port import DATA
from tests.e2e.test_operations_cli import documented
from tests.support.deployments import Deployed


def test_the_documented_permissions_of_resync(orders: Deployed) -> None:
    used: set[str] = set()
    orders.runtime.endpoint.on_call(lambda call: used.update(action for action, _ in call.access))
    assert main(["resync", "order-summary"]) == 0
    assert used == documented("resync")


ORDERS = [f"o{number}" for number in range(7)]


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[Deployed]:
    """Seven orders, applied, whose summaries were lost."""
    with Deployed(tmp_path, recording=False) as deployed:
        for code in ORDERS:
            lines = [{"quantity": 2, "price": 5}]
            deployed.publish(CommandInput("ORDER", code, "n", {"lines": lines}))
        deployed.run()
        client = deployed.store._client
        for code in ORDERS:
            key = {"pk": {"S": "ORDER_SUMMARY#t1"}, "sk": {"S": f"ORDER#{code}"}}
            client.delete_item(TableName=deployed.tables[DATA], Key=key)
        yield deployed


def summaries(deployed: Deployed) -> list[tuple[str, int]]:
    page = deployed.store.query(DATA, "ORDER_SUMMARY#t1")
    return [(item["sk"].partition("#")[2], item["total"]) for item in page.items]


def test_ops_06_resync_a_target(orders: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert summaries(orders) == []
    assert main(["resync", "order-summary", "--dry-run"]) == 0
    assert capsys.readouterr().out == "7 rows would be delivered\n"
    assert summaries(orders) == []
    assert main(["resync", "order-summary"]) == 0
    assert summaries(orders) == [(code, 10) for code in ORDERS]
    text = capsys.readouterr().out
    assert "Resync of order-summary" in text
    assert re.search(r"^  rows delivered +7$", text, re.MULTILINE)
    assert re.search(r"^ +applied +7$", text, re.MULTILINE)
    assert main(["resync", "order-summary", "--tenant", "t2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["counts"]) == {"handed", "failed", "skipped", "applied", "kept", "unreported"}
    assert not any(answer["counts"].values())
    assert answer["status"] == "COMPLETED"


def test_resync_goes_on_where_it_was_interrupted(
    orders: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("handlers.domain.orders.OrderSummary.up", interrupt)
        with pytest.raises(KeyboardInterrupt):
            main(["resync", "order-summary"])
    assert main(["resync", "order-summary", "--rate", "1000"]) == 0
    assert "continued from the checkpoint of 20" in capsys.readouterr().out
    assert len(summaries(orders)) == 7


WRONG_TARGETS = [
    (["nope"], "sync target 'nope' is not registered; known: ['airport-card', 'order-summary']"),
    (["data"], "target 'data' is the read model itself"),
    (["order-summary", "--type", "AIRPORT"], "--type 'AIRPORT': target 'order-summary' takes ORDER"),
]


def test_wrong_targets(orders: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, line in WRONG_TARGETS:
        assert main(["resync", *arguments]) == 1
        assert line in capsys.readouterr().err
    assert summaries(orders) == []
    assert orders.store._client.scan(TableName=orders.runtime.outputs["tasksTableName"])["Count"] == 0
