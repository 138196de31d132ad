"""Sync targets in other projects: their configuration, and the permissions for deliveries to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contract.targets import BUILT_IN, EVENTBRIDGE, FIELDS, LAMBDA, SERVICES, SNS, SQS
from infra.definitions.handler_classes import HandlerClass

#: Kind to the resource part of its ARNs and to the action that a delivery needs (Service Authorization Reference).
_ARN = r"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:{resource}"
KINDS = {
    LAMBDA: (
        _ARN.format(service=SERVICES[LAMBDA], resource="function:[A-Za-z0-9-_]+(:[A-Za-z0-9-_$]+)?"),
        "InvokeFunction",
    ),
    SQS: (_ARN.format(service=SERVICES[SQS], resource=r"[A-Za-z0-9-_]{1,80}(\.fifo)?"), "SendMessage"),
    SNS: (_ARN.format(service=SERVICES[SNS], resource=r"[A-Za-z0-9-_]{1,256}(\.fifo)?"), "Publish"),
    EVENTBRIDGE: (_ARN.format(service=SERVICES[EVENTBRIDGE], resource="event-bus/[A-Za-z0-9-_./]+"), "PutEvents"),
}
ID = r"[a-z][a-z0-9-]{0,62}"
TYPE = r"[^#@\x00-\x1f]{1,256}"


@dataclass(frozen=True)
class SyncTarget:
    """One target: the commands of ``types`` go to the resource ``arn`` of a ``kind``."""

    id: str
    types: tuple[str, ...]
    kind: str
    arn: str

    @property
    def action(self) -> str:
        """The action on the ARN that a delivery needs."""
        return f"{SERVICES[self.kind]}:{KINDS[self.kind][1]}"


class WrongTarget(ValueError):
    """An entry isn't allowed; says what is."""


def parse_sync_targets(value: Any) -> tuple[SyncTarget, ...]:
    """The value of ``syncTargets``. Raises WrongTarget naming entry, field, value and what is allowed."""
    if not isinstance(value, list | tuple):
        raise WrongTarget(f"a list of {{{', '.join(FIELDS)}}}")
    targets = tuple(_target(number, entry) for number, entry in enumerate(value, start=1))
    ids = [one.id for one in targets]
    for number, id_ in enumerate(ids):
        if id_ in ids[:number]:
            raise WrongTarget(f"unique ids; entry {number + 1} has id {id_!r} of an earlier one")
    return targets


def targets_json(targets: Sequence[SyncTarget]) -> str:
    """The ``SYNC_TARGETS`` variable."""
    return json.dumps([asdict(one) for one in targets], separators=(",", ":"))


def target_permissions(targets: Sequence[SyncTarget]) -> dict[str, tuple[str, ...]]:
    """ARN to actions, for exactly the configured targets."""
    return {one.arn: (one.action,) for one in targets}


def duplicated_ids(targets: Sequence[SyncTarget], classes: Sequence[HandlerClass]) -> Iterator[str]:
    """One message per configured id that a sync handler uses as well.

    Only ids that are literals in the source are found; the function refuses the others when it starts.
    """
    wanted = {one.id for one in targets}
    for one in classes:
        if one.id in wanted:
            yield f"cqrs:syncTargets: id {one.id!r} is not allowed; expected an id that {one.where} does not use"


def _target(number: int, entry: Any) -> SyncTarget:
    where = f"entry {number}"
    if not isinstance(entry, Mapping) or set(entry) != set(FIELDS):
        raise WrongTarget(f"objects with exactly {', '.join(FIELDS)}; {where} is {entry!r}")
    id_, types, kind, arn = (entry[name] for name in FIELDS)
    if not isinstance(id_, str) or not re.fullmatch(ID, id_) or id_ == BUILT_IN:
        raise WrongTarget(
            f"an id of lower-case letters, digits and '-', starting with a letter, and not {BUILT_IN!r}; "
            f"{where} has {id_!r}"
        )
    good = isinstance(types, list | tuple) and all(isinstance(one, str) and re.fullmatch(TYPE, one) for one in types)
    if not good or not types or len(set(types)) != len(types):
        raise WrongTarget(f"types as a list of distinct types without '#' and '@'; {where} ({id_}) has {types!r}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise WrongTarget(f"a kind of {', '.join(KINDS)}; {where} ({id_}) has {kind!r}")
    if not isinstance(arn, str) or not re.fullmatch(KINDS[kind][0], arn):
        raise WrongTarget(f"an arn of the kind {kind}; {where} ({id_}) has {arn!r}")
    return SyncTarget(id_, tuple(types), kind, arn)
