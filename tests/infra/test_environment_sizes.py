"""E5: each function's whole environment is within Lambda's limit, before anything is declared."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.capabilities.catalogue import environments
from infra.components.environments import MAX_BYTES, check_sizes
from infra.components.places import expected_places
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.definitions.handler_classes import handler_classes
from infra.naming.names import Account, Names
from infra.packaging import archive_members
from local.deploy.errors import DeployError
from tests.support.evaluation import ACCOUNT, REGION, Evaluation, evaluate_into, evaluated
from tests.support.projects import shared_project

ARN = "arn:aws:sqs:eu-west-1:123456789012:search"


def targets(count: int) -> list[dict[str, Any]]:
    return [{"id": f"target-{number}", "types": ["ORDER"], "kind": "sqs", "arn": ARN} for number in range(count)]


#: As in Pulumi.dev.yaml, but for the tenants.
DEV = {"handlerModules": ["handlers.domain.orders", "handlers.domain.airports"]}


def expected(config: dict[str, Any], workflows: int = 0) -> dict[str, Any]:
    places = expected_places(
        Names("cqrs", "dev"), Account("aws", REGION, ACCOUNT), [f"workflow_{number}" for number in range(workflows)]
    )
    known = StackConfig.from_mapping({**DEV, **config})
    return environments(known, places, handler_classes(archive_members(shared_project()), known.handler_modules))


def test_edge_05_what_is_checked_is_what_is_declared() -> None:
    config = {"importBuckets": '["files-a","files-b"]', "syncTargets": json.dumps(targets(2)), "apiTenants": "{}"}
    evaluation = evaluated("dev", config)
    declared = {
        props["handler"].split(".")[-2]: props["environment"]["variables"]
        for props in evaluation.of_type("aws:lambda/function:Function").values()
    }
    assert declared == expected({"importBuckets": ["files-a", "files-b"], "syncTargets": targets(2)})


def test_edge_05_the_sum_counts_and_the_largest_variables_are_named() -> None:
    """Each of the two would fit alone."""
    config = {"syncTargets": targets(17), "ttlDays": {"commands": {f"t{n}/ORDER": 30 for n in range(80)}}}
    check_sizes(expected({"syncTargets": targets(17)}))
    check_sizes(expected({"ttlDays": config["ttlDays"]}))
    with pytest.raises(ConfigError) as caught:
        check_sizes(expected(config))
    (line,) = [problem for problem in caught.value.problems if "'states'" in problem]
    pattern = (
        r"the environment of the function 'states' has (\d+) bytes; expected at most 4096: "
        r"SYNC_TARGETS \(syncTargets\) \d+, TTL_DAYS \(ttlDays\) \d+, COMMAND_STATE_MACHINE_ARN \d+, .*"
    )
    match = re.fullmatch(pattern, line)
    assert match, line
    variables = expected(config)["states"]
    assert int(match[1]) == len(json.dumps(variables, separators=(",", ":")))


def test_edge_05_workflows_count() -> None:
    check_sizes(expected({}, workflows=20))
    with pytest.raises(ConfigError, match=r"CUSTOM_STATE_MACHINE_ARNS \(one entry per workflow\) \d+"):
        check_sizes(expected({}, workflows=40))


def test_edge_05_the_very_limit_is_taken() -> None:
    overhead = len('{"A":""}')
    check_sizes({"f": {"A": "x" * (MAX_BYTES - overhead)}})
    with pytest.raises(ConfigError, match="has 4097 bytes; expected at most 4096: A 4097"):
        check_sizes({"f": {"A": "x" * (MAX_BYTES - overhead + 1)}})
    with pytest.raises(ConfigError, match="has 4098 bytes"):
        check_sizes({"f": {"A": "é" * 2045}})  # bytes of UTF-8 count


def test_edge_05_nothing_is_declared() -> None:
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError, match="the environment of the function 'imports' has"):
        evaluate_into(evaluation, {"syncTargets": json.dumps(targets(40))})
    assert evaluation.registrations == []
