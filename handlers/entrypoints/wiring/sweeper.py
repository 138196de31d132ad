"""Wiring of the ``sweeper`` function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from contract.options import FULL
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import Progress
from handlers.commands.pipeline.successor import Waker
from handlers.commands.ports import Ports
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.commands.sweeper import Sweeper
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.light_dataclasses import dataclass
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
    from handlers.entrypoints.wiring.settings import SweeperSettings
    from handlers.store.open_rows import SweepReport
    from handlers.topics.port import Topic


#: The sweep of commands, the last one, with all remaining time: ``outcomes`` in the response.
COMMANDS_SWEEP = "outcomes"


@dataclass(frozen=True)
class SweeperPorts(Ports):
    """The function's ports to AWS: those of the pipeline, and the main topic for messages of tasks and rows."""

    main_topic: Topic


def on_aws(settings: SweeperSettings, clock: Clock | None) -> SweeperPorts:
    """The ports on AWS, with the tables and topics of the settings."""
    tables = {
        COMMANDS: settings.commands_table,
        DATA: settings.data_table,
        IMPORT_TMP: settings.import_table,
        TASKS: settings.tasks_table,
    }
    return SweeperPorts(
        store=DynamoTableStore(aws.dynamodb(), tables),
        state_machines=StepFunctions(aws.stepfunctions(), starts=aws.stepfunctions_once()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock or SystemClock(),
        main_topic=SnsTopic(aws.sns(), settings.main_topic_arn),
    )


def sweeps(settings: SweeperSettings, ports: SweeperPorts) -> dict[str, Callable[[float], SweepReport]]:
    """The sweeps in order, by their names in the response. Each takes the time at which it has to stop."""
    # No lease is taken here, and no state entered or left, so neither setting has an effect.
    progress = Progress(ports.store, ports.clock, lease_seconds=1, detail=FULL)
    starter = CommandStarter(ports.state_machines, settings.command_state_machine_arn)
    repository = CommandRepository(ports.store, ports.clock.now)
    commands = Sweeper(
        ports.store,
        ports.clock,
        progress,
        FailureRecorder(repository, progress, ports.alarms, settings.commands_table),
        Waker(ports.state_machines, starter),
        starter,
        wait_limit_hours=settings.wait_limit_hours,
    )
    queue = TaskQueue(ports.store, ports.clock, settings.tasks_table)
    tasks = TaskSweeper(ports.store, ports.clock, queue, ports.main_topic)
    import_repository = ImportRepository(ports.store, ports.clock)
    imports = ImportSweeper(
        ports.store,
        import_repository,
        ports.clock,
        ports.main_topic,
        Callbacks(import_repository, ArchiveRepository(ports.store, ports.clock), ports.state_machines),
        settings.import_table,
        timeout_hours=settings.import_timeout_hours,
    )
    return {"tasks": tasks.sweep, "imports": imports.sweep, COMMANDS_SWEEP: commands.sweep}
