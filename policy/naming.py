"""Names that AWS accepts, and tags that identify resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.naming.rules import DASHBOARD, NAME_RULES, ROLE
from policy.model import Declared, StackRule

#: Dashboards don't support tags.
TAGGED = NAME_RULES.keys() - {DASHBOARD}
TAGS = ("project", "stack")


def _taken_by_aws(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    for one in resources:
        rule = NAME_RULES.get(one.type)
        if rule is None:
            continue
        name = one.props.get(rule.field)
        problem = rule.problem(str(name)) if name else f"{rule.field} is not set"
        if problem is not None:
            yield one, problem


def _distinct(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    seen: set[tuple[str, str]] = set()
    for one in resources:
        rule = NAME_RULES.get(one.type)
        if rule is None:
            continue
        name = str(one.props.get(rule.field))
        # Names of roles must differ in more than case (IAM API reference, CreateRole).
        key = (one.type, name.lower() if one.type == ROLE else name)
        if key in seen:
            yield one, f"{rule.field} {name!r} is taken by another of its type"
        seen.add(key)


def _tagged(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    for one in resources:
        if one.type in TAGGED:
            missing = [tag for tag in TAGS if not (one.props.get("tags") or {}).get(tag)]
            if missing:
                yield one, f"lacks the tags {', '.join(missing)}"


RULES = (
    StackRule("name-taken-by-aws", "names that AWS accepts", _taken_by_aws),
    StackRule("name-distinct", "one name, one resource", _distinct),
    StackRule("tags", "project and stack on everything that supports tags", _tagged),
)
