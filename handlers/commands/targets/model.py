"""The configured targets of a deployment: the ``SYNC_TARGETS`` variable, validated when the function starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contract.targets import FIELDS, SERVICES, SNS, SQS
from handlers.core.errors import SettingsError
from handlers.core.light_dataclasses import dataclass


@dataclass(frozen=True)
class TargetSpec:
    """One configured target. ``types``: the types of commands that it receives."""

    id: str
    types: tuple[str, ...]
    kind: str
    arn: str

    @property
    def region(self) -> str:
        """The target's region, to which calls are made."""
        return self.arn.split(":")[3]

    @property
    def is_fifo(self) -> bool:
        """A FIFO queue or topic, recognised by its name (SQS and SNS Developer Guides)."""
        return self.kind in (SQS, SNS) and self.arn.endswith(".fifo")


def parse_targets(text: str) -> tuple[TargetSpec, ...]:
    """From ``[{"id", "types", "kind", "arn"}, ...]``.

    Raises:
        SettingsError: naming the entry and the problem. The registry checks ids.
    """
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"SYNC_TARGETS: not JSON: {error}") from error
    if not isinstance(entries, list):
        raise SettingsError(f"SYNC_TARGETS: {text!r} is not a list of targets")
    return tuple(_spec(number, entry) for number, entry in enumerate(entries))


def _spec(number: int, entry: Any) -> TargetSpec:
    if not isinstance(entry, Mapping) or set(entry) != set(FIELDS):
        raise SettingsError(f"SYNC_TARGETS: entry {number} is not an object of id, types, kind and arn: {entry!r}")
    kind, arn, types = entry["kind"], entry["arn"], entry["types"]
    if kind not in SERVICES:
        raise SettingsError(f"SYNC_TARGETS: entry {number}: kind {kind!r} is not one of {', '.join(SERVICES)}")
    if not isinstance(arn, str) or arn.split(":")[2:3] != [SERVICES[kind]] or len(arn.split(":")) < 6:
        raise SettingsError(f"SYNC_TARGETS: entry {number}: arn {arn!r} is not one of the service {SERVICES[kind]}")
    if not isinstance(types, list) or not types or not all(isinstance(one, str) and one for one in types):
        raise SettingsError(f"SYNC_TARGETS: entry {number}: types {types!r} is not a list of types")
    return TargetSpec(str(entry["id"]), tuple(types), kind, arn)
