"""The ``sweeper`` function: on a schedule, heals what a crash or a lost message left open."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.metrics import OLDEST_OPEN_COMMAND
from contract.options import FULL
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import Progress
from handlers.commands.pipeline.successor import Waker
from handlers.commands.ports import Ports
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.commands.sweeper import Sweeper
from handlers.core import aws_clients as aws
from handlers.core import metrics
from handlers.core.clock import Clock, SystemClock
from handlers.core.errors import CqrsError, Nature
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import SweeperSettings
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.sweeper import ImportSweeper
from handlers.imports.zip.callbacks import Callbacks
from handlers.imports.zip.repository import ArchiveRepository
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA, IMPORT_TMP, TASKS
from handlers.tasks.stream import TaskQueue
from handlers.tasks.sweeper import TaskSweeper
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.topics.port import Topic

#: Kept for the last row and the answer.
RESERVE_SECONDS = 15.0


class SweepIncomplete(CqrsError):
    """Some rows could not be healed; each is in the log, and the next sweep tries again."""

    nature = Nature.TRANSIENT


@dataclass(frozen=True)
class SweeperPorts(Ports):
    """Where the function reaches AWS: the pipeline's ports, and the main topic for messages of tasks and rows."""

    main_topic: Topic


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: SweeperPorts | None = None) -> Handler:
    """The function's handler. Raises SettingsError naming the variable."""
    settings = SweeperSettings(env)
    if ports is None:
        tables = {
            COMMANDS: settings.commands_table,
            DATA: settings.data_table,
            IMPORT_TMP: settings.import_table,
            TASKS: settings.tasks_table,
        }
        ports = SweeperPorts(
            store=DynamoTableStore(aws.dynamodb(), tables),
            workflows=StepFunctions(aws.stepfunctions(), starts=aws.stepfunctions_once()),
            alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
            clock=clock or SystemClock(),
            main_topic=SnsTopic(aws.sns(), settings.main_topic_arn),
        )
    now = ports.clock.now
    # No lease is taken here, and no step bracketed, so neither setting has an effect.
    progress = Progress(ports.store, ports.clock, lease_seconds=1, detail=FULL)
    starter = CommandStarter(ports.workflows, settings.command_state_machine_arn)
    sweeper = Sweeper(
        ports.store,
        ports.clock,
        progress,
        FailureRecorder(CommandRepository(ports.store, now), progress, ports.alarms, settings.commands_table),
        Waker(ports.workflows, starter),
        starter,
        wait_limit_hours=settings.wait_limit_hours,
    )

    queue = TaskQueue(ports.store, ports.clock, settings.tasks_table)
    task_sweeper = TaskSweeper(ports.store, ports.clock, queue, ports.main_topic)
    import_repository = ImportRepository(ports.store, ports.clock)
    import_sweeper = ImportSweeper(
        ports.store,
        import_repository,
        ports.clock,
        ports.main_topic,
        Callbacks(import_repository, ArchiveRepository(ports.store, ports.clock), ports.workflows),
        settings.import_table,
        timeout_hours=settings.import_timeout_hours,
    )

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        seconds = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
        deadline = now() + seconds
        tasks = task_sweeper.sweep(now() + seconds / 3)
        imports = import_sweeper.sweep(now() + seconds / 3)
        report = sweeper.sweep(deadline)
        metrics.emit(
            settings.metric_namespace, OLDEST_OPEN_COMMAND, round(report.oldest_seconds), metrics.SECONDS, now()
        )
        outcomes = dict(sorted(report.outcomes.items()))
        task_outcomes = dict(sorted(tasks.outcomes.items()))
        import_outcomes = dict(sorted(imports.outcomes.items()))
        complete = report.complete and tasks.complete and imports.complete
        errors = report.errors + tasks.errors + imports.errors
        log_step(
            "swept all" if complete else "out of time",
            level=logging.INFO,
            outcomes=outcomes,
            tasks=task_outcomes,
            imports=import_outcomes,
        )
        if errors:
            raise SweepIncomplete(f"{errors} rows could not be healed; see the log")
        return {
            "outcomes": outcomes,
            "tasks": task_outcomes,
            "imports": import_outcomes,
            "oldestSeconds": round(report.oldest_seconds),
            "complete": complete,
        }

    return bounded(handle)


handler = lambda_handler(create)
