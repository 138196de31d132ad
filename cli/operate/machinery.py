"""Access of explain, redrive and skip to the stack itself, or the choice of its HTTP API."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from cli.doors.port import Operations
from cli.operate.stack import Stack, on_stack
from cli.output import Progress as Shown
from contract.functions import EVENTS
from contract.options import FULL
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.run import Progress
from handlers.commands.pipeline.successor import Waker
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.core.clock import Clock, SystemClock
from handlers.entrypoints.wiring.settings import EventsSettings
from handlers.operations.explain import Explainer, Explanation
from handlers.operations.failed import Selection, find_failed
from handlers.operations.redrive import Redriven, Redriver
from handlers.operations.skip import Skipped, Skipper
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.topics.sns import SnsTopic


@dataclass(frozen=True)
class Machinery:
    """The pipeline's parts, with the machine and topic that the stack's functions use."""

    clock: Clock
    starter: CommandStarter
    recorder: FailureRecorder
    finisher: Finisher


def machinery(stack: Stack) -> Machinery:
    """Built from the environment of the ``events`` function, so that it starts the same machine as the stream does."""
    settings = EventsSettings(stack.environment_of(EVENTS))
    clock, workflows = SystemClock(), StepFunctions(stack.client("stepfunctions"))
    repository = CommandRepository(stack.store, clock.now)
    # The lease is irrelevant: none is taken here.
    progress = Progress(stack.store, clock, lease_seconds=1, detail=FULL)
    alarms = SnsTopic(stack.client("sns"), settings.alarm_topic_arn)
    starter = CommandStarter(workflows, settings.command_state_machine_arn)
    return Machinery(
        clock,
        starter,
        FailureRecorder(repository, progress, alarms, settings.commands_table),
        Finisher(repository, progress, Waker(workflows, starter)),
    )


class StackOperations:
    """``cli.doors.port.Operations`` on the stack's tables and machines, with the user's credentials."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def explain(self, key: EntityKey, version: int | None) -> Explanation:
        """See ``Operations``."""
        return Explainer(self._stack.store, SystemClock())(key, version)

    def redrive(self, key: EntityKey, version: int | None, *, dry_run: bool) -> list[Redriven]:
        """See ``Operations``."""
        redriver = self._redriver(dry_run=dry_run)
        return redriver.entity(key) if version is None else redriver.version(VersionKey(key, version))

    def redrive_all(self, selection: Selection, limit: int, *, dry_run: bool) -> tuple[list[Redriven], bool]:
        """See ``Operations``."""
        redriver = self._redriver(dry_run=dry_run)
        search = Shown("search", None)
        found = find_failed(self._stack.store, selection, limit=limit, on_page=lambda scanned, _: search.show(scanned))
        search.end()
        progress = Shown("redrive", len({key.entity for key in found.keys}))
        outcomes = list(redriver.all(found.keys, on_entity=progress.show))
        progress.end()
        return outcomes, found.more

    def skip(self, key: VersionKey, *, dry_run: bool) -> Skipped:
        """See ``Operations``."""
        tools = machinery(self._stack)
        return Skipper(self._stack.store, tools.clock, tools.finisher, tools.recorder)(key, dry_run=dry_run)

    def _redriver(self, *, dry_run: bool) -> Redriver:
        tools = machinery(self._stack)
        return Redriver(self._stack.store, tools.clock, tools.starter, tools.recorder, dry_run=dry_run)


def on_operations(options: argparse.Namespace, work: Callable[[Operations], int]) -> int:
    """Run a command on the stack or API that its options name. Returns its exit code. Raises CommandError."""
    if options.api is None:
        return on_stack(options, lambda stack: work(StackOperations(stack)))
    from cli.doors.by_api import on_api  # imports the client, which is only needed here
    from cli.doors.operations import ApiOperations

    return on_api(options, lambda api: work(ApiOperations(api)))
