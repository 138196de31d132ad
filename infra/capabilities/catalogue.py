"""All functions of the stack, for the checks before anything is declared."""

from __future__ import annotations

from collections.abc import Sequence

from infra.capabilities import api, commands, events, imports, loader, outcomes, sweeper, tasks
from infra.capabilities.application import KINDS_OF, Classes, environment_of_classes
from infra.components.environments import Environment
from infra.components.functions import policy_of
from infra.components.places import Places
from infra.configuration.stack_config import StackConfig
from infra.definitions.handler_classes import HandlerClass
from infra.naming.names import Account, Names
from infra.permissions.resources import Resources

FUNCTIONS = (
    *(api.SPEC, commands.APPLY_SPEC, events.SPEC, imports.SPEC, loader.SPEC, outcomes.SPEC, sweeper.SPEC, tasks.SPEC),
    commands.SPEC,
)
#: The functions that read a table's stream.
STREAM_READERS = tuple(one.name for one in FUNCTIONS if one.reads_streams)


def environments(config: StackConfig, places: Places, classes: Sequence[HandlerClass]) -> dict[str, Environment]:
    """Function to variables, except those of ``infra/application.py``."""
    of_classes = environment_of_classes(config, classes)
    return {
        one.name: {**one.variables(config, places), **(of_classes if one.name in KINDS_OF else {})} for one in FUNCTIONS
    }


def check_layers(config: StackConfig, account: Account) -> None:
    """Raises ConfigError: a function needs a layer that the region doesn't have."""
    for spec in FUNCTIONS:
        spec.layers(config, account)


def policies(known: Classes, resources: Resources, names: Names) -> dict[str, dict[str, object]]:
    """Function to the policy document of its role, without the grants of ``infra/application.py``."""
    found = {}
    for spec in FUNCTIONS:
        allowed, also = known.rights(spec)
        logs = known.account.arn("logs", f"log-group:{names.log_group_of_function(spec.name)}")
        configured = [*allowed.items(), *known.permissions(spec.name)]
        found[spec.name] = policy_of(spec, known.config, resources, logs, configured=configured, also=also)
    return found
