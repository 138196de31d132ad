"""The rules as a policy pack, which the real engine enforces at each preview and update.

``PROTECTED_RULES`` are off unless the pack's configuration turns them on (``policy/protected.json``). A rule that needs
a value unknown in a preview runs in the update; the preview says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.model import Declared, ResourceRule, Rule, StackRule
from policy.rules import PROTECTED_RULES, RULES

NAME = "cqrs"


def start() -> None:
    """Serve the pack to the engine that started this process."""
    PolicyPack(
        name=NAME,
        policies=[
            *(_policy(rule, EnforcementLevel.MANDATORY) for rule in RULES),
            *(_policy(rule, EnforcementLevel.DISABLED) for rule in PROTECTED_RULES),
        ],
    )


def _policy(rule: Rule, level: EnforcementLevel) -> Policy:
    if isinstance(rule, ResourceRule):
        return _of_resource(rule, level)
    return _of_stack(rule, level)


def _of_resource(rule: ResourceRule, level: EnforcementLevel) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type in rule.types:
            for problem in rule.check(_plain(args.props)):
                report(problem, None)

    return ResourceValidationPolicy(name=rule.name, description=rule.asks, validate=validate, enforcement_level=level)


def _of_stack(rule: StackRule, level: EnforcementLevel) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        urns = {(one.resource_type, one.name): one.urn for one in args.resources}
        declared = [Declared(one.resource_type, one.name, _plain(one.props)) for one in args.resources]
        for one, problem in rule.find(declared):
            report(f"{one.name}: {problem}", urns[one.type, one.name])

    return StackValidationPolicy(name=rule.name, description=rule.asks, validate=validate, enforcement_level=level)


def _plain(value: Any) -> Any:
    """The engine's views as dicts and lists, with whole numbers as ints, a type that the protocol lacks."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
