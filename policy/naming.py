"""Names that AWS takes, and tags by which people find things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy.model import Declared, StackRule

#: Type to the property that is the name and its longest length (each service's quotas page).
LIMITS = {
    "aws:cloudwatch/eventBus:EventBus": ("name", 256),
    "aws:cloudwatch/eventRule:EventRule": ("name", 64),
    "aws:cloudwatch/logGroup:LogGroup": ("name", 512),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", 255),
    "aws:dynamodb/table:Table": ("name", 255),
    "aws:iam/role:Role": ("name", 64),
    "aws:lambda/function:Function": ("name", 64),
    "aws:s3/bucket:Bucket": ("bucket", 63),
    "aws:sfn/stateMachine:StateMachine": ("name", 80),
    "aws:sns/topic:Topic": ("name", 256),
    "aws:sqs/queue:Queue": ("name", 80),
}
TAGS = ("project", "stack")


def _lengths(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    for one in resources:
        field, longest = LIMITS.get(one.type, ("", 0))
        if not field:
            continue
        name = one.props.get(field)
        if not name:
            yield one, f"{field} is not set"
        elif len(name) > longest:
            yield one, f"{field} {name!r} has {len(name)} characters; at most {longest}"


def _distinct(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    seen: set[tuple[str, str]] = set()
    for one in resources:
        field, _ = LIMITS.get(one.type, ("", 0))
        key = (one.type, str(one.props.get(field)))
        if field and key in seen:
            yield one, f"{field} {key[1]!r} is taken by another of its type"
        seen.add(key)


def _tagged(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    for one in resources:
        if one.type in LIMITS:
            missing = [tag for tag in TAGS if not (one.props.get("tags") or {}).get(tag)]
            if missing:
                yield one, f"lacks the tags {', '.join(missing)}"


RULES = (
    StackRule("name-length", "names that AWS takes", _lengths),
    StackRule("name-distinct", "one name, one resource", _distinct),
    StackRule("tags", "project and stack on everything that takes tags", _tagged),
)
