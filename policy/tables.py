"""Tables."""

from __future__ import annotations

from collections.abc import Iterator

from policy.model import Props, ResourceRule

TABLE = "aws:dynamodb/table:Table"


def _encrypted(props: Props) -> Iterator[str]:
    if not (props.get("serverSideEncryption") or {}).get("enabled"):
        yield "serverSideEncryption is not enabled"


def _ttl(props: Props) -> Iterator[str]:
    ttl = props.get("ttl") or {}
    if ttl.get("attributeName") != "ttl" or not ttl.get("enabled"):
        yield "ttl is not enabled on the attribute 'ttl'"


def _stream(props: Props) -> Iterator[str]:
    if props.get("streamEnabled") and props.get("streamViewType") != "NEW_AND_OLD_IMAGES":
        yield f"streamViewType is {props.get('streamViewType')!r}, not 'NEW_AND_OLD_IMAGES'"


def _on_demand(props: Props) -> Iterator[str]:
    if props.get("billingMode") != "PAY_PER_REQUEST":
        yield f"billingMode is {props.get('billingMode')!r}, not 'PAY_PER_REQUEST'"


def _decided(props: Props) -> Iterator[str]:
    if "enabled" not in (props.get("pointInTimeRecovery") or {}):
        yield "pointInTimeRecovery is not set"
    if "deletionProtectionEnabled" not in props:
        yield "deletionProtectionEnabled is not set"


def _protected(props: Props) -> Iterator[str]:
    if not (props.get("pointInTimeRecovery") or {}).get("enabled"):
        yield "pointInTimeRecovery is not enabled"
    if not props.get("deletionProtectionEnabled"):
        yield "deletionProtectionEnabled is not true"


RULES = (
    ResourceRule("table-encrypted", "encryption at rest", (TABLE,), _encrypted),
    ResourceRule("table-ttl", "rows with a ttl expire", (TABLE,), _ttl),
    ResourceRule("table-stream-images", "streams carry both images", (TABLE,), _stream),
    ResourceRule("table-on-demand", "no capacity to plan", (TABLE,), _on_demand),
    ResourceRule("table-protection-decided", "recovery and protection are set, on or off", (TABLE,), _decided),
)
PROTECTED_RULES = (ResourceRule("table-protected", "recovery and protection are on", (TABLE,), _protected),)
