"""What redrive and skip work with, on a deployed stack."""

from __future__ import annotations

from dataclasses import dataclass

from cli.operate.stack import Stack
from contract.functions import EVENTS
from contract.options import FULL
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.run import Progress
from handlers.commands.pipeline.successor import Waker
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.core.clock import Clock, SystemClock
from handlers.entrypoints.wiring.settings import EventsSettings
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.topics.sns import SnsTopic


@dataclass(frozen=True)
class Machinery:
    """The pipeline's parts, bound to the machine and the topic that the stack's functions use."""

    clock: Clock
    starter: CommandStarter
    recorder: FailureRecorder
    finisher: Finisher


def machinery(stack: Stack) -> Machinery:
    """From the environment of the ``events`` function, so that starts go where the stream's starts go."""
    settings = EventsSettings(stack.environment_of(EVENTS))
    clock, workflows = SystemClock(), StepFunctions(stack.client("stepfunctions"))
    repository = CommandRepository(stack.store, clock.now)
    # No lease is taken here.
    progress = Progress(stack.store, clock, lease_seconds=1, detail=FULL)
    alarms = SnsTopic(stack.client("sns"), settings.alarm_topic_arn)
    starter = CommandStarter(workflows, settings.command_state_machine_arn)
    return Machinery(
        clock,
        starter,
        FailureRecorder(repository, progress, alarms, settings.commands_table),
        Finisher(repository, progress, Waker(workflows, starter)),
    )
