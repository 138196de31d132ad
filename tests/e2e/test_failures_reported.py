"""What operators are told of a failure, on the deployed program: the error itself, and the target that it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.operate.explain import rendered
from handlers.operations.explain import Explainer
from tests.support.clock import ManualClock
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY, order

HUGE = "index is full " + "x" * 400_000


@pytest.mark.parametrize("workflow", ["STANDARD", "EXPRESS"])
def test_edge_14_53_a_huge_error_of_one_target(tmp_path: Path, workflow: str) -> None:
    def refuses(_: Any) -> None:
        raise RuntimeError(HUGE)

    with Deployed(tmp_path, workflow=workflow) as deployed:
        deployed.recorder.behaviours["two"] = refuses
        deployed.publish(order(0, n=1))
        deployed.run()
        row = deployed.row(1)
        assert row["status"] == "sync_data:FAILED"
        assert (row["error"]["type"], row["error"]["target"]) == ("RuntimeError", "two")
        assert row["error"]["message"].startswith("index is full xxx")
        assert row["error"]["message"].endswith(" more characters)")
        (alarm,) = deployed.alarms()
        assert alarm["content"]["errorMessage"] == "sync_data failed: RuntimeError, target two"
        text = rendered(Explainer(deployed.store, ManualClock())(KEY))
        assert "two FAILED" in text
        assert "one APPLIED" in text


def test_edge_53_a_target_that_never_answers_is_named(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        deployed.recorder.behaviours["two"] = lambda _: deployed.scheduler.sleep(3_600)
        deployed.publish(order(0, n=1))
        deployed.scheduler.run_for(1_200)
        error = deployed.row(1)["error"]
        assert (error["type"], error["target"]) == ("Sandbox.Timedout", "two")
        (alarm,) = deployed.alarms()
        assert alarm["content"]["errorMessage"] == "sync_data failed: Sandbox.Timedout, target two"
