"""INF-02 for state machines: what a machine does by itself, its role must allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.deployments import Deployed

MACHINE = "cqrs-dev-command-handler"


def test_inf_02_a_missing_permission_of_a_machine_fails_the_test_that_needs_it(tmp_path: Path) -> None:
    def without_invoke() -> None:
        with Deployed(tmp_path) as deployed:
            for document in deployed.runtime.deployment.machine_policies[MACHINE]:
                for statement in document["Statement"]:
                    if statement["Action"] == "lambda:InvokeFunction":
                        statement["Resource"] = []
            deployed.publish_versions(1)
            deployed.run()

    with pytest.raises(AssertionError, match=f"{MACHINE} called lambda:InvokeFunction on arn:aws:lambda:"):
        without_invoke()


def test_inf_02_what_a_machine_calls_is_listed_under_its_name(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        deployed.publish_versions(1)
        deployed.run()
    assert set(deployed.used_by_machines) == {MACHINE}
    assert MACHINE not in deployed.used
    (function,) = deployed.used_by_machines[MACHINE]["lambda:InvokeFunction"]
    assert function.endswith(":function:cqrs-dev-states")
