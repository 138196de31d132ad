"""A difference as text for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from local.preview.difference import Change, Kind, Value

#: What is lost with a resource of these types.
LOST = {
    "aws:dynamodb/table:Table": "every row in the table",
    "aws:s3/bucket:Bucket": "every object in the bucket",
    "aws:sqs/queue:Queue": "the messages in the queue",
    "aws:sns/topic:Topic": "the subscriptions of other projects",
    "aws:cloudwatch/eventBus:EventBus": "the rules of other projects on the bus",
    "aws:cloudwatch/logGroup:LogGroup": "the log",
    "aws:kms/key:Key": "all that is encrypted with the key",
}
SIGN = {Kind.REPLACED: "+-", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.ADDED: "+"}
#: Maximum characters of one value; definitions and policies are long.
WIDEST = 240
#: Maximum number of values per resource.
MOST_VALUES = 20


def text(stack: str, against: str, changes: Sequence[Change]) -> str:
    """Warnings first, then each resource with its changed values."""
    lines = [f"{stack}: {summary(changes)} (against {against})"]
    lines += [f"  DANGER: {one}" for one in dangers(changes)]
    for change in changes:
        lines.append(f"  {SIGN[change.kind]:<2} {change.kind:<8}  {change.type}  {change.name}")
        lines += [f"       {line}" for line in _lines(change)]
    return "\n".join(lines)


def markdown(stack: str, against: str, changes: Sequence[Change]) -> str:
    """The same format for a comment on a pull request."""
    lines = [f"### Preview of `{stack}`: {summary(changes)}", ""]
    lines += [f"> [!CAUTION]\n> {one}\n" for one in dangers(changes)]
    if changes:
        lines.append("```diff")
        for change in changes:
            mark = "!" if change.kind in (Kind.CHANGED, Kind.REPLACED) else SIGN[change.kind]
            lines.append(f"{mark} {change.kind} {change.type} {change.name}")
            lines += [f"    {line}" for line in _lines(change)]
        lines += ["```", ""]
    lines.append(f"Compared with `{against}` from what the program declares, without AWS: drift is not seen.")
    return "\n".join(lines)


def summary(changes: Sequence[Change]) -> str:
    """The number of resources per kind."""
    counts = Counter(one.kind for one in changes)
    return ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind]) or "nothing changes"


def dangers(changes: Sequence[Change]) -> list[str]:
    """Data that would be lost with removed or replaced resources, tables first."""
    stateful = [one for one in changes if one.kind in (Kind.REPLACED, Kind.REMOVED) and one.type in LOST]
    return [_danger(one) for one in sorted(stateful, key=lambda one: list(LOST).index(one.type))]


def _danger(change: Change) -> str:
    why = ", ".join(sorted({value.path for value in change.values if value.replaces}))
    what = f"would be REPLACED, because of {why}" if why else "would be DELETED"
    guarded = change.old is not None and change.old.get("deletionProtectionEnabled")
    guard = " Its deletion protection stops the update half way." if guarded else ""
    return f"{change.name} {what}. Lost with it: {LOST[change.type]}.{guard} Keep its name, or move the data first."


def _lines(change: Change) -> list[str]:
    shown = [_line(value) for value in change.values[:MOST_VALUES]]
    more = len(change.values) - len(shown)
    return [*shown, f"... and {more} more values"] if more > 0 else shown


def _line(value: Value) -> str:
    note = "  (replaces it)" if value.replaces else ""
    return f"{value.path}: {_short(value.old)} -> {_short(value.new)}{note}"


def _short(value: Any) -> str:
    shown = "(none)" if value is None else json.dumps(value, ensure_ascii=True, sort_keys=True)
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 3]}..."
