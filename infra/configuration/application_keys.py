"""Configuration of the application's own code: its environment, secrets and permissions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
#: Set by Lambda itself, or affecting what the runtime loads (Lambda Developer Guide, "Defined runtime environment
#: variables").
RESERVED = re.compile(r"AWS_.*|LAMBDA_.*|_.*|PATH|LD_LIBRARY_PATH|PYTHONPATH|PYTHONHOME|TZ|LANG|LOG_LEVEL")
SECRET_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
#: ARN formats: Secrets Manager User Guide, "Secret name"; Systems Manager, Service Authorization Reference.
SECRET_ARN = re.compile(
    r"arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+"
    r"|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]+)"
)
ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z][A-Za-z0-9]*")
RESOURCE = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[^\s]+")
EVERYTHING = "*"


class WrongEntry(ValueError):
    """An entry isn't allowed; says what is."""


@dataclass(frozen=True)
class Permission:
    """Additional permissions of the application's classes. ``reason``: required if ``resources`` contains ``*``."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str = ""


def parse_environment(value: Any) -> dict[str, str]:
    """The value of ``handlerEnvironment``. Raises WrongEntry."""
    if not isinstance(value, Mapping):
        raise WrongEntry("an object of names of environment variables to text")
    for name, text in value.items():
        if not isinstance(name, str) or not VARIABLE.fullmatch(name) or RESERVED.fullmatch(name):
            raise WrongEntry(
                "names of letters, digits and '_', starting with a letter, that neither Lambda nor this stack uses, "
                f"not {name!r}"
            )
        if not isinstance(text, str):
            raise WrongEntry(f"text as values; {name} has {text!r}")
    return dict(value)


def parse_secrets(value: Any) -> dict[str, str]:
    """The value of ``handlerSecrets``. Raises WrongEntry."""
    if not isinstance(value, Mapping):
        raise WrongEntry("an object of names to ARNs of secrets or parameters")
    for name, arn in value.items():
        if not isinstance(name, str) or not SECRET_NAME.fullmatch(name):
            raise WrongEntry(f"names of lower-case letters, digits and '-', starting with a letter, not {name!r}")
        if not isinstance(arn, str) or not SECRET_ARN.fullmatch(arn):
            # Not shown: it may be the secret itself.
            raise WrongEntry(f"ARNs of Secrets Manager secrets or SSM parameters; {name} has something else")
    return dict(value)


def parse_permissions(value: Any) -> tuple[Permission, ...]:
    """The value of ``handlerPermissions``. Raises WrongEntry naming the entry."""
    if not isinstance(value, list | tuple):
        raise WrongEntry("a list of {actions, resources}")
    return tuple(_permission(number, entry) for number, entry in enumerate(value, start=1))


def _permission(number: int, entry: Any) -> Permission:
    where = f"entry {number}"
    if not isinstance(entry, Mapping) or set(entry) - {"reason"} != {"actions", "resources"}:
        raise WrongEntry(f"objects of actions, resources and an optional reason; {where} is {entry!r}")
    actions, resources, reason = entry["actions"], entry["resources"], entry.get("reason", "")
    if not _texts(actions) or not all(map(ACTION.fullmatch, actions)):
        raise WrongEntry(f"actions as a list of <service>:<Action> without '*'; {where} has {actions!r}")
    if not _texts(resources) or not all(one == EVERYTHING or RESOURCE.fullmatch(one) for one in resources):
        raise WrongEntry(f"resources as a list of ARNs; {where} has {resources!r}")
    if not isinstance(reason, str) or (EVERYTHING in resources and not reason.strip()):
        raise WrongEntry(f"a reason, as text, with the resource '*'; {where} has {reason!r}")
    return Permission(tuple(actions), tuple(resources), reason)


def _texts(value: Any) -> bool:
    good = isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str) for one in value)
    return good and len(set(value)) == len(value)
