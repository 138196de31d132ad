"""OPS-07: ``commandWorkflow`` is switched while commands are on their way; nothing is stranded."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.commands.keys import EntityKey
from tests.support.deployments import Deployed

ENTITIES = 10
VERSIONS = 10


def use(deployed: Deployed, workflow: str) -> None:
    """What `pulumi up` does to the functions: another machine in their environment, with the next cold start."""
    arn = deployed.machine_arns[workflow]
    for spec in list(deployed.runtime.deployment.functions.values()):
        if "COMMAND_STATE_MACHINE_ARN" in spec.env:
            deployed.redeploy(spec.name, {"COMMAND_STATE_MACHINE_ARN": arn})


@pytest.mark.parametrize("first", ["STANDARD", "EXPRESS"])
def test_ops_07_a_hundred_commands_in_flight(tmp_path: Path, first: str) -> None:
    second = {"STANDARD": "EXPRESS", "EXPRESS": "STANDARD"}[first]
    with Deployed(tmp_path, seed=7, workflow=first) as deployed:
        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(1)
        for number in range(ENTITIES):
            deployed.publish_versions(VERSIONS // 2, code=f"o{number}")
        deployed.scheduler.run_for(3)
        assert 0 < sum(len(deployed.recorder.versions("one", f"o{number}")) for number in range(ENTITIES)) < 50
        use(deployed, second)
        for number in range(ENTITIES):
            deployed.publish_versions(VERSIONS // 2, code=f"o{number}", after=VERSIONS // 2)
        deployed.run()
        deployed.scheduler.run_for(3600)
        for number in range(ENTITIES):
            key = EntityKey("TENANT", "t1", "ORDER", f"o{number}")
            assert deployed.applied_versions(key) == list(range(1, VERSIONS + 1))
            assert deployed.recorder.versions("one", f"o{number}") == list(range(1, VERSIONS + 1))
            assert {deployed.row(version, key)["status"] for version in range(1, VERSIONS + 1)} == {"finish:FINISHED"}
        started = {
            kind: deployed.runtime.executions.list_executions(arn) for kind, arn in deployed.machine_arns.items()
        }
        assert all(started.values())
        assert deployed.alarms() == []
