"""PUB-14 and PUB-15 on the local runtime: what expires, and what never does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.status import DONE_STATUSES
from handlers.store.port import COMMANDS
from local.deploy.errors import DeployError
from local.runtime import LocalRuntime
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY, order
from tests.support.projects import shared_project

DAY = 86_400
TTL_DAYS = {"commands": 90, "history": {"default": 30, "*/ORDER": 20}, "data": 400}


def test_pub_14_only_done_commands_with_a_successor_expire(tmp_path: Path) -> None:
    # the fourth waits for days: with fewer sweeps until then
    config = {"ttlDays": json.dumps(TTL_DAYS), "sweepMinutes": "60"}
    with Deployed(tmp_path, config=config) as deployed:

        def refuse_the_third(command: Any) -> None:
            if command.version == 3:
                raise ValueError("no")

        deployed.recorder.behaviours["one"] = refuse_the_third
        now = int(deployed.scheduler.now())
        deployed.publish_versions(4)  # the third fails, the fourth waits behind it and expires
        deployed.run()
        assert [deployed.row(v)["status"].partition(":")[2] for v in (1, 2, 3, 4)] == ["FINISHED"] * 2 + ["FAILED"] * 2
        assert ["ttl" in deployed.row(version) for version in (1, 2, 3, 4)] == [True, True, False, False]
        assert now + 90 * DAY <= deployed.row(1)["ttl"] <= now + 91 * DAY
        latest = 0
        for image in deployed.images(COMMANDS):
            latest = max(latest, image["version"])
            if "ttl" in image:
                assert image["status"] in DONE_STATUSES
                assert image["version"] < latest
        assert [row["ttl"] // DAY - now // DAY for row in deployed.history()] == [20, 20]
        assert deployed.data()["ttl"] // DAY - now // DAY == 400


def test_pub_14_absent_is_never(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        deployed.publish_versions(3)
        deployed.run()
        rows = [*deployed.images(COMMANDS), deployed.data(), *deployed.history()]
        assert [row for row in rows if "ttl" in row] == []


@pytest.mark.parametrize("days", [0, -1, {"default": 0}, {"*/ORDER": -5}, 1.5, "soon", 36_501])
def test_pub_14_zero_and_negative_are_refused_before_anything_is_declared(days: object) -> None:
    runtime = LocalRuntime(project_dir=shared_project(), config={"ttlDays": json.dumps({"commands": days})})
    with pytest.raises(DeployError, match="ttlDays") as caught:
        runtime.start()
    assert "days from 1 to 36500" in str(caught.value)
    assert json.dumps(days) in str(caught.value)
    assert runtime.endpoint.calls == {}


def test_pub_15_soft_delete_and_revival(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        deployed.publish(order(0, n=1), user_id="first")
        deployed.publish(replace(order(1, n=1), is_deleted=True), user_id="second")
        deployed.run()
        deleted = deployed.data()
        assert (deleted["version"], deleted["isDeleted"], deleted["attributes"]) == (2, True, {"n": 1})
        assert [command.is_deleted for command in deployed.recorder.commands] == [False] * 3 + [True] * 3
        again = deployed.publish(order(2, n=1), user_id="third")
        assert again.version == 3
        deployed.run()
        revived = deployed.data()
        assert (revived["version"], revived["isDeleted"]) == (3, False)
        assert (revived["createdBy"], revived["createdAt"]) == ("first", deleted["createdAt"])
        assert revived["updatedBy"] == "third"
        assert [(row["version"], row["isDeleted"]) for row in deployed.history()] == [(1, False), (2, True)]
        assert [row["isDeleted"] for row in deployed.repository.versions(KEY)] == [False, True, False]
