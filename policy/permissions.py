"""Roles and resource policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.permissions.task_tokens import TOKEN_ACTIONS, TOKENS_ON_MACHINES
from policy.model import Props, ResourceRule, as_list, parsed

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
MANAGED_POLICY = "aws:iam/policy:Policy"
ROLE = "aws:iam/role:Role"
RESOURCE_POLICIES = (
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
)
_LOG_DELIVERY = "log delivery has no resource types (Step Functions Developer Guide, logging)"
_X_RAY = "X-Ray has no resources (Service Authorization Reference)"
#: Actions that may be allowed on ``*``, with the reason.
ON_ANY_RESOURCE = {
    "logs:CreateLogDelivery": _LOG_DELIVERY,
    "logs:DeleteLogDelivery": _LOG_DELIVERY,
    "logs:DescribeLogGroups": _LOG_DELIVERY,
    "logs:DescribeResourcePolicies": _LOG_DELIVERY,
    "logs:GetLogDelivery": _LOG_DELIVERY,
    "logs:ListLogDeliveries": _LOG_DELIVERY,
    "logs:PutResourcePolicy": _LOG_DELIVERY,
    "logs:UpdateLogDelivery": _LOG_DELIVERY,
    "dynamodb:ListStreams": "it has no resources (Service Authorization Reference)",
    "xray:GetSamplingRules": _X_RAY,
    "xray:GetSamplingTargets": _X_RAY,
    "xray:PutTelemetryRecords": _X_RAY,
    "xray:PutTraceSegments": _X_RAY,
    **({} if TOKENS_ON_MACHINES else dict.fromkeys(TOKEN_ACTIONS, "the reference lists no resource (record 0143)")),
}


def _allowing(props: Props, field: str = "policy") -> Iterator[dict[str, Any]]:
    for statement in as_list(parsed(props.get(field)).get("Statement")):
        if statement.get("Effect") == "Allow":
            yield statement


def _no_wildcard_action(props: Props) -> Iterator[str]:
    for statement in _allowing(props):
        for action in as_list(statement.get("Action")):
            if "*" in action:
                yield f"allows {action}"
        if "NotAction" in statement:
            yield "allows by NotAction"


def _no_wildcard_resource(props: Props) -> Iterator[str]:
    for statement in _allowing(props):
        resources = as_list(statement.get("Resource"))
        if "NotResource" in statement or not resources:
            yield "names no resource"
        if "*" in resources:
            for action in as_list(statement.get("Action")):
                if action not in ON_ANY_RESOURCE:
                    yield f"allows {action} on every resource"


def _trusts_services(props: Props) -> Iterator[str]:
    for statement in _allowing(props, "assumeRolePolicy"):
        principal = statement.get("Principal")
        if not isinstance(principal, dict) or set(principal) != {"Service"}:
            yield f"may be assumed by {principal!r}, not by a service alone"
        condition = statement.get("Condition") or {}
        named = {key for of in condition.values() if isinstance(of, dict) for key in of}
        missing = sorted({"aws:SourceAccount", "aws:SourceArn"} - named)
        if missing:
            yield f"may be assumed on behalf of any account: the Condition lacks {', '.join(missing)}"


def _no_public_access(props: Props) -> Iterator[str]:
    for statement in _allowing(props):
        principal = statement.get("Principal")
        open_to_all = principal == "*" or (isinstance(principal, dict) and "*" in as_list(principal.get("AWS")))
        if open_to_all:
            yield "allows everyone"
        elif isinstance(principal, dict) and "Service" in principal and not statement.get("Condition"):
            yield "allows a service on behalf of any account: needs a Condition on the source"


RULES = (
    ResourceRule("iam-no-wildcard-action", "actions by name", (ROLE_POLICY, MANAGED_POLICY), _no_wildcard_action),
    ResourceRule(
        "iam-no-wildcard-resource",
        "resources by name, or a reason",
        (ROLE_POLICY, MANAGED_POLICY),
        _no_wildcard_resource,
    ),
    ResourceRule("iam-trusts-services", "roles are for services, on behalf of this account", (ROLE,), _trusts_services),
    ResourceRule("policy-not-public", "resource policies name their principals", RESOURCE_POLICIES, _no_public_access),
)
