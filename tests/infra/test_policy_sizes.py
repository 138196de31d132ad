"""E5: each function's policy is within IAM's limit for a role, before anything is declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.collaborators import WORKFLOWS
from infra.capabilities.application import Classes
from infra.capabilities.catalogue import policies
from infra.components.places import expected_places, expected_resources
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.definitions.custom_workflows import CustomWorkflow
from infra.definitions.handler_classes import WORKFLOW, HandlerClass
from infra.naming.names import Account, Names
from infra.permissions.sizes import MAX_CHARACTERS, characters, check_policies
from local.deploy.errors import DeployError
from tests.support.evaluation import ACCOUNT, REGION, Evaluation, evaluate_into, evaluated

NAMES, PLACE = Names("cqrs", "dev"), Account("aws", REGION, ACCOUNT)
MOST_BUCKETS = [f"{'b' * 60}-{number:02d}" for number in range(10)]
QUEUE = "arn:aws:sqs:us-east-1:123456789012:search"
TARGETS = [{"id": "search", "types": ["ORDER"], "kind": "sqs", "arn": QUEUE}]


def expected(config: dict[str, Any], workflows: int = 0) -> dict[str, dict[str, object]]:
    made = [CustomWorkflow(f"workflow_{number:02d}", "STANDARD", "x.asl.json", {}) for number in range(workflows)]
    places = expected_places(NAMES, PLACE, [one.name for one in made])
    classes = [HandlerClass(WORKFLOW, "x.py", (WORKFLOWS,))] if workflows else []
    known = Classes(StackConfig.from_mapping(config), PLACE, classes, made, places.custom_machines)
    return policies(known, expected_resources(NAMES, PLACE, own_key=bool(config.get("kmsKeyArn"))), NAMES)


def test_edge_05_what_is_checked_is_what_is_declared() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    config = {
        "handlerModules": [],
        "tracing": True,
        "importBuckets": MOST_BUCKETS,
        "syncTargets": TARGETS,
        "kmsKeyArn": key,
    }
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in config.items()}
    evaluation = evaluated("dev", texts)
    checked = expected(config)
    for name in checked:
        declared = evaluation.get("aws:iam/rolePolicy:RolePolicy", f"{name}-policy")["policy"]
        assert json.loads(declared) == checked[name]
    for name, props in evaluation.of_type("aws:iam/rolePolicy:RolePolicy").items():
        assert characters(json.loads(props["policy"])) <= MAX_CHARACTERS, name


def test_edge_05_too_many_workflows_name_the_function_and_the_limit() -> None:
    check_policies(expected({}, workflows=12))
    with pytest.raises(ConfigError) as caught:
        check_policies(expected({}, workflows=40))
    policies = expected({}, workflows=40)
    assert len(caught.value.problems) == 2  # both may start all of them
    for function, line in zip(("api", "states"), sorted(caught.value.problems), strict=True):
        size = characters(policies[function])
        assert line.startswith(
            f"the policy of the function {function!r} has {size} characters; expected at most 10240: "
        )


def test_edge_05_white_space_is_not_counted() -> None:
    assert characters({"a": ["b", "c"]}) == len('{"a":["b","c"]}')
    check_policies({"f": {"a": "x" * (MAX_CHARACTERS - len('{"a":""}'))}})
    with pytest.raises(ConfigError, match="has 10241 characters"):
        check_policies({"f": {"a": "x" * (MAX_CHARACTERS - len('{"a":""}') + 1)}})


def test_edge_05_a_policy_that_is_too_long_declares_nothing() -> None:
    permissions = [
        {"actions": ["sqs:SendMessage"], "resources": [f"arn:aws:sqs:us-east-1:123456789012:queue-{number:03d}"]}
        for number in range(90)
    ]
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError, match=r"the policy of the function 'states' has \d+ characters; expected"):
        evaluate_into(evaluation, {"handlerPermissions": json.dumps(permissions)})
    assert evaluation.registrations == []
