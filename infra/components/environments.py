"""Checks the functions' environments before anything is declared. Each environment is defined next to its function."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi

from infra.configuration.stack_config import ConfigError, StackConfig

#: All variables of a function together (Lambda Developer Guide, "Lambda quotas"). Lambda measures their JSON, as its
#: error message shows ("String measured: {...}", github-aws-runners/terraform-aws-github-runner issue 3594).
MAX_BYTES = 4_096
#: How many of the largest variables an error names.
SHOWN = 5
#: Variable to the source of its length.
_MADE_OF = {
    "API_TENANTS": "apiTenants",
    "CUSTOM_STATE_MACHINE_ARNS": "one entry per workflow",
    "ENTITY_TYPES": "entityTypes, and the types of sync handlers",
    "HANDLER_MODULES": "handlerModules",
    "HANDLER_SECRETS": "handlerSecrets",
    "IMPORT_BUCKETS": "importBuckets",
    "SYNC_TARGETS": "syncTargets",
    "TTL_DAYS": "ttlDays",
}
Environment = dict[str, pulumi.Input[str]]


def handler_modules(config: StackConfig) -> str:
    """The ``HANDLER_MODULES`` variable."""
    return ",".join(config.handler_modules)


def ttl_days(config: StackConfig) -> str:
    """The ``TTL_DAYS`` variable."""
    return json.dumps(config.ttl_days, sort_keys=True)


def check_names_of_variables(given: Mapping[str, str], environments: Mapping[str, Environment]) -> None:
    """Raises ConfigError: a function already has a variable with a name in ``handlerEnvironment``."""
    problems = [
        f"cqrs:handlerEnvironment: {name} is not allowed; expected a name that no function of the stack uses"
        for name in sorted(given)
        if any(variables.get(name) != given[name] for variables in environments.values() if name in variables)
    ]
    if problems:
        raise ConfigError(problems)


def check_sizes(given: Mapping[str, Environment]) -> None:
    """Check the size of each environment, made of ``expected_places``, against Lambda's limit.

    Raises:
        ConfigError: one line per function, with its largest variables and what makes them long.
    """
    problems = []
    for function, variables in given.items():
        size = _bytes(variables)
        if size > MAX_BYTES:
            largest = sorted(variables, key=lambda name: _bytes({name: variables[name]}), reverse=True)[:SHOWN]
            shown = ", ".join(f"{_label(name)} {_bytes({name: variables[name]})}" for name in largest)
            problems.append(
                f"the environment of the function {function!r} has {size} bytes; expected at most {MAX_BYTES}: {shown}"
            )
    if problems:
        raise ConfigError(problems)


def _bytes(variables: Mapping[str, pulumi.Input[str]]) -> int:
    return len(json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False).encode())


def _label(name: str) -> str:
    return f"{name} ({_MADE_OF[name]})" if name in _MADE_OF else name
