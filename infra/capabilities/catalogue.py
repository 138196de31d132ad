"""All functions of the stack, for what is checked before anything is declared."""

from __future__ import annotations

from infra.capabilities import commands, events, imports, loader, outcomes, sweeper, tasks
from infra.components.environments import Environment
from infra.components.places import Places
from infra.configuration.stack_config import StackConfig

FUNCTIONS = (events.SPEC, imports.SPEC, loader.SPEC, outcomes.SPEC, sweeper.SPEC, tasks.SPEC, commands.SPEC)
#: Those that a table's stream calls.
STREAM_READERS = tuple(one.name for one in FUNCTIONS if one.reads_streams)


def environments(config: StackConfig, places: Places) -> dict[str, Environment]:
    """Function to variables."""
    return {one.name: one.variables(config, places) for one in FUNCTIONS}
