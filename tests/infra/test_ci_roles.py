"""examples/ci-roles: who may take the roles, and that they reach everything of their stack and nothing of another."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

import pytest

from local.deploy.registrations import ACCOUNT, NAMED_BY, REGION, evaluated
from tests.support.evaluation import PROJECT_DIR, Evaluation

FOLDER = PROJECT_DIR / "examples" / "ci-roles"
CONFIG = {"cqrs-ci-roles:repository": "o/r", "cqrs-ci-roles:stateBucket": "state"}
#: They belong to another resource, or have no name that begins with the stack's.
WITHOUT_NAME = {
    "aws:apigatewayv2/api:Api",
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
}


@pytest.fixture(scope="module")
def roles() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ci_roles", FOLDER / "roles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def program() -> Evaluation:
    return evaluated("ci", CONFIG, project_dir=FOLDER)


def trusted(program: Evaluation, role: str) -> Mapping[str, Any]:
    (statement,) = json.loads(program.get("aws:iam/role:Role", role)["assumeRolePolicy"])["Statement"]
    condition: Mapping[str, Any] = statement["Condition"]["StringEquals"]
    assert set(statement["Condition"]) == {"StringEquals"}
    return condition


@pytest.mark.parametrize(
    ("role", "subjects"),
    [
        ("preview", ["repo:o/r:pull_request", "repo:o/r:ref:refs/heads/main"]),
        ("deploy-dev", ["repo:o/r:environment:dev"]),
        ("deploy-prod", ["repo:o/r:environment:prod"]),
        ("ephemeral", ["repo:o/r:environment:ephemeral"]),
    ],
)
def test_pr_01_a_role_is_for_exactly_these_jobs(program: Evaluation, role: str, subjects: list[str]) -> None:
    issuer = "token.actions.githubusercontent.com"
    assert trusted(program, role) == {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subjects}
    assert "*" not in json.dumps(subjects)


def test_pr_01_who_previews_changes_nothing_but_the_state(program: Evaluation) -> None:
    policies = {
        name: json.loads(props["policy"])
        for name, props in program.of_type("aws:iam/rolePolicy:RolePolicy").items()
        if name.startswith("preview-")
    }
    assert set(policies) == {"preview-state", "preview-describing"}
    actions = policies["preview-describing"]["Statement"][0]["Action"]
    reading = ("Describe", "GET", "Get", "List", "Validate")
    assert [action for action in actions if not action.partition(":")[2].startswith(reading)] == []
    assert [action for action in actions if action in ("dynamodb:GetItem", "s3:GetObject", "lambda:*")] == []


@pytest.mark.parametrize(("stack", "allowed"), [("prod", True), ("dev", False), ("prod2", False)])
def test_pr_01_who_deploys_reaches_its_stack_only(
    roles: ModuleType, prod: Evaluation, stack: str, allowed: bool
) -> None:
    patterns = [
        resource
        for statement in roles.managing(REGION, ACCOUNT, "cqrs-prod-")["Statement"]
        for named in [statement["Resource"]]
        for resource in ([named] if isinstance(named, str) else named)
        if resource != "*"
    ]
    arns = {arn.replace("cqrs-prod-", f"cqrs-{stack}-") for arn in arns_of(prod)}
    assert len(arns) > 60
    reached = {arn for arn in arns if any(fnmatchcase(arn, pattern) for pattern in patterns)}
    assert reached == (arns if allowed else set())


def arns_of(evaluation: Evaluation) -> set[str]:
    """Of all resources with a name of their own."""
    found = set()
    for one in evaluation.registrations:
        name = one.props.get(NAMED_BY.get(one.type, "name"))
        if one.custom and isinstance(name, str) and "cqrs-prod" in name and one.type not in WITHOUT_NAME:
            found.add(ARNS[one.type].format(name=name))
    return found


#: AWS Service Authorization Reference, "Resource types defined by ...".
ARNS = {
    "aws:cloudwatch/dashboard:Dashboard": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{{name}}",
    "aws:cloudwatch/eventBus:EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{{name}}",
    "aws:cloudwatch/eventRule:EventRule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{name}}",
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{name}}",
    "aws:dynamodb/table:Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}",
    "aws:iam/policy:Policy": f"arn:aws:iam::{ACCOUNT}:policy/{{name}}",
    "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    "aws:lambda/function:Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::{name}",
    "aws:sfn/stateMachine:StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{name}}",
    "aws:sns/topic:Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}",
    "aws:sqs/queue:Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
}
