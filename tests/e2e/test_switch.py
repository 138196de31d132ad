"""OPS-07: ``commandWorkflow`` is switched while commands are on their way; nothing is stranded."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from contract.functions import APPLY, EVENTS
from contract.state_machines import EXPRESS, INLINE, STARTED_MACHINES
from handlers.commands.keys import EntityKey
from handlers.store.port import COMMANDS
from local.sources.mappings import QueueMapping, StreamMapping
from tests.support.deployments import Deployed

ENTITIES = 10
VERSIONS = 10


def use(deployed: Deployed, workflow: str) -> None:
    """What `pulumi up` does: another machine in the functions' environment, with their next cold start; new commands
    come to the function of that workflow.
    """
    runtime = deployed.runtime
    arn = deployed.machine_arns[{INLINE: EXPRESS}.get(workflow, workflow)]
    for spec in list(runtime.deployment.functions.values()):
        if "COMMAND_STATE_MACHINE_ARN" in spec.env:
            deployed.redeploy(spec.name, {"COMMAND_STATE_MACHINE_ARN": arn})
    names = {end: next(name for name in runtime.host.names if name.endswith(f"-{end}")) for end in (APPLY, EVENTS)}
    mappings = [
        replace(one, function=names[APPLY if workflow == INLINE else EVENTS]) if accepts(one, deployed) else one
        for one in runtime.deployment.event_source_mappings
    ]
    runtime.run_sources(mappings, runtime.deployment.rules, runtime.deployment.async_settings)


def accepts(mapping: StreamMapping | QueueMapping, deployed: Deployed) -> bool:
    """It is the mapping of new commands."""
    starts = mapping.function.rpartition("-")[2] in (APPLY, EVENTS)
    return starts and f"table/{deployed.tables[COMMANDS]}/" in getattr(mapping, "stream_arn", "")


@pytest.mark.parametrize(("first", "second"), list(permutations(STARTED_MACHINES, 2)))
def test_inl_06_ops_07_a_hundred_commands_in_flight(tmp_path: Path, first: str, second: str) -> None:
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
        assert all(started[kind] for kind in (first, second) if kind != INLINE)
        assert deployed.alarms() == []
