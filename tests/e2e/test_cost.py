"""What one command costs in AWS calls: a first version, one sync handler of the application, everything counted.

A transaction is one call; Lambda invocations are counted apart. The figures are printed (``-s``).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from handlers.commands.model import CommandInput
from tests.support.deployments import Deployed

COUNTED = ("dynamodb", "stepfunctions", "sns")
COMMANDS_IN_ALL = 20
#: issue of record: at most 24 with every status, at most 12 (EXPRESS 13) with terminal ones
LIMITS = {("STANDARD", "full"): 24, ("EXPRESS", "full"): 24, ("STANDARD", "terminal"): 12, ("EXPRESS", "terminal"): 13}


def orders(count: int, prefix: str) -> list[CommandInput]:
    lines = [{"quantity": 2, "price": 1.5}]
    return [CommandInput("ORDER", f"{prefix}{number}", "first", {"lines": lines}) for number in range(count)]


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_calls_per_command(tmp_path: Path, workflow: str, detail: str) -> None:
    config = {"statusDetail": detail, "handlerModules": '["handlers.domain.orders"]'}
    with Deployed(tmp_path, workflow=workflow, recording=False, config=config) as deployed:
        for given in orders(1, "warm-up"):
            deployed.publish(given)
        deployed.run()
        before = Counter(deployed.runtime.endpoint.calls)
        invocations = len(deployed.payloads)
        for given in orders(COMMANDS_IN_ALL, "o"):
            deployed.publish(given)
        deployed.run()
        calls = Counter(deployed.runtime.endpoint.calls)
        calls.subtract(before)
        by_operation: Counter[str] = Counter()
        for (_, service, operation), count in calls.items():
            if service in COUNTED and count:
                by_operation[f"{service}.{operation}"] += count
        per_command = sum(by_operation.values()) / COMMANDS_IN_ALL
        print(f"\n{workflow} {detail}: {per_command:.2f} calls per command")
        for name, count in sorted(by_operation.items()):
            print(f"  {name} {count / COMMANDS_IN_ALL:.2f}")
        print(f"  (Lambda invocations {(len(deployed.payloads) - invocations) / COMMANDS_IN_ALL:.2f})")
        assert per_command <= LIMITS[workflow, detail]
        assert by_operation["stepfunctions.StartExecution"] == COMMANDS_IN_ALL


@pytest.mark.parametrize("versions", [5, 20])
def test_cost_grows_linearly_with_versions(tmp_path: Path, workflow: str, versions: int) -> None:
    with Deployed(tmp_path, workflow=workflow, config={"statusDetail": "terminal"}) as deployed:
        counts = []
        for version in range(versions):
            before = sum(deployed.runtime.endpoint.calls.values())
            deployed.publish(CommandInput("ORDER", "o1", f"v{version}", {"n": version}, version=-1))
            deployed.run()
            counts.append(sum(deployed.runtime.endpoint.calls.values()) - before)
        # from the third on each costs what the one before did: nothing depends on how many there were
        assert set(counts[2:]) == {counts[2]}
