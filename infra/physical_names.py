"""All physical names of a stack, for a check before anything is declared.

The list repeats what the components declare; a test compares the two, so that no new resource escapes the check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract.functions import API, FUNCTIONS
from contract.messages import DEAD_LETTER_QUEUES, EVENT_BUS, FAILURE_QUEUES, QUEUES, TOPICS
from contract.state_machines import MACHINES
from contract.tables import TABLES
from infra.capabilities.catalogue import STREAM_READERS
from infra.capabilities.publishers import POLICY
from infra.components.monitoring import alarms_of
from infra.components.rules import RULES
from infra.configuration.stack_config import ConfigError
from infra.naming import rules as name_rules
from infra.naming.names import Names
from infra.naming.rules import NAME_RULES

_LETTERS = (*DEAD_LETTER_QUEUES.values(), *FAILURE_QUEUES)
#: Account ids have twelve digits; the check depends only on their number.
ANY_ACCOUNT = "0" * 12
#: The part of the strictest rule, the bucket's, that applies to project and stack.
_PART = "lower-case letters, digits and '-'"
_PARTS = {"project": re.compile(r"[a-z0-9][a-z0-9-]*"), "stack": re.compile(r"[a-z0-9-]+")}


@dataclass(frozen=True)
class Named:
    """One resource with a physical name: its Pulumi type and its name. ``what``: the name without project and stack."""

    type: str
    name: str
    what: str


def physical_names(names: Names, workflows: Sequence[str], account_id: str = ANY_ACCOUNT) -> list[Named]:
    """Every resource of the stack that has a physical name. ``workflows``: the names of the application's."""
    found = [
        *(Named(name_rules.TABLE, names.of(table), table) for table in TABLES),
        *(Named(name_rules.QUEUE, names.of(queue), queue) for queue in (*QUEUES, *_LETTERS)),
        *(Named(name_rules.TOPIC, names.of(topic), topic) for topic in TOPICS),
        *(Named(name_rules.EVENT_RULE, names.of(rule), rule) for rule in RULES),
        Named(name_rules.EVENT_BUS, names.of(EVENT_BUS), EVENT_BUS),
        Named(name_rules.BUCKET, names.bucket(account_id), "store"),
        Named(name_rules.API, names.of(API), API),
        Named(name_rules.LOG_GROUP, names.log_group_of_api(API), API),
        Named(name_rules.MANAGED_POLICY, names.of(POLICY), POLICY),
        Named(name_rules.DASHBOARD, names.of("dashboard"), "dashboard"),
    ]
    for function in FUNCTIONS:
        found.append(Named(name_rules.FUNCTION, names.of(function), function))
        found.append(Named(name_rules.ROLE, names.of(function), function))
        found.append(Named(name_rules.LOG_GROUP, names.log_group_of_function(function), function))
    for machine in (*MACHINES, *workflows):
        found.append(Named(name_rules.STATE_MACHINE, names.of(machine), machine))
        found.append(Named(name_rules.ROLE, names.of(machine), machine))
        found.append(Named(name_rules.LOG_GROUP, names.log_group_of_machine(machine), machine))
    alarms = alarms_of((*MACHINES, *workflows), FUNCTIONS, STREAM_READERS, tuple(QUEUES), _LETTERS, RULES, (API,))
    found.extend(Named(name_rules.METRIC_ALARM, names.of(alarm), alarm) for alarm in alarms)
    return found


def taken_names() -> dict[str, str]:
    """The stack's own names in lower case, each with the kind of resource: role names must differ in more than case."""
    return {one.what.lower(): NAME_RULES[one.type].kind for one in reversed(physical_names(Names("p", "s"), ()))}


def check_names(names: Names, workflows: Sequence[str]) -> None:
    """Check all physical names against AWS's rules.

    Raises:
        ConfigError: naming the project, stack or resource, and what is allowed.
    """
    problems = [
        f"{part} {value!r} is not allowed: it is part of the names of buckets, functions and queues; expected {_PART}"
        for part, value in (("project", names.project), ("stack", names.stack))
        if not _PARTS[part].fullmatch(value)
    ]
    planned = physical_names(names, workflows)
    problems = problems or list(_too_long(names, planned)) or list(_refused(planned))
    if problems:
        raise ConfigError(problems)


def _too_long(names: Names, planned: Sequence[Named]) -> Iterator[str]:
    """One message, for the name that exceeds its limit by the most."""
    over: Mapping[Named, int] = {one: len(one.name) - NAME_RULES[one.type].longest for one in planned}
    worst = max(over, key=lambda one: over[one])
    if over[worst] <= 0:
        return
    rule, room = NAME_RULES[worst.type], len(names.stack) - over[worst]
    allowed = f"at most {room}" if room > 0 else "a shorter project name"
    yield (
        f"stack {names.stack!r} has {len(names.stack)} characters; expected {allowed} with the project "
        f"{names.project!r}: the {rule.kind} {worst.name!r} would have {len(worst.name)}, at most {rule.longest}"
    )


def _refused(planned: Sequence[Named]) -> Iterator[str]:
    for one in planned:
        rule = NAME_RULES[one.type]
        problem = rule.problem(one.name)
        if problem is not None:
            yield f"{rule.kind}: {problem}; the name is made of project, stack and {one.what!r}"
