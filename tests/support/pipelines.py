"""A publisher and a pipeline on in-memory ports."""

from __future__ import annotations

from typing import Any

from handlers.commands.attributes import DEFAULT_INLINE_LIMIT, AttributeStore
from handlers.commands.failure import Failure
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.run import Run
from handlers.commands.pipeline.steps import Pipeline, PipelineOptions
from handlers.commands.pipeline.successor import Waker
from handlers.commands.ports import Ports
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.publishing.sync_publisher import SyncPublisher
from handlers.commands.starter import CommandStarter
from handlers.commands.sweeper import Sweeper
from handlers.commands.targets.registry import Registry
from handlers.commands.ttl_policies import TtlPolicies
from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.context import InvokeContext
from handlers.objects.memory import MemoryObjects
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, TableStore
from handlers.topics.memory import MemoryTopic
from tests.support.clock import ManualClock

CONTEXT = InvokeContext(user_id="u1", tenant_code="t1", source_ip="203.0.113.7")
KEY = EntityKey("TENANT", "t1", "ORDER", "o1")
LEASE_SECONDS = 120
MACHINE = "command-machine"


def order(version: int | None = 0, *, code: str = "o1", name: str = "first", **attributes: Any) -> CommandInput:
    return CommandInput(type="ORDER", code=code, name=name, attributes=attributes, version=version)


#: Of a command without trouble, where every status is written.
STATUSES = [
    "publish:ACCEPTED",
    "check_version:STARTED",
    "check_version:FINISHED",
    "set_ttl_command:STARTED",
    "set_ttl_command:FINISHED",
    "history_copy:STARTED",
    "history_copy:FINISHED",
    "transform_data:STARTED",
    "transform_data:FINISHED",
    "sync_data:STARTED",
    "sync_data:FINISHED",
    "finish:STARTED",
    "finish:FINISHED",
]


class World:
    """Everything a test of the command package needs, without AWS."""

    def __init__(
        self,
        *,
        store: TableStore | None = None,
        workflows: MemoryWorkflows | None = None,
        handlers: dict[str, tuple[str, Any]] | None = None,
        ttl: TtlPolicies | None = None,
        detail: str = "full",
        wait_limit_hours: int = 24,
        inline_limit: int = DEFAULT_INLINE_LIMIT,
    ) -> None:
        self.clock = ManualClock()
        self.store: TableStore = store if store is not None else MemoryTableStore()
        self.workflows = workflows or MemoryWorkflows()
        self.alarms = MemoryTopic()
        self.letters = MemoryDeadLetters()
        self.objects = MemoryObjects()
        self.attributes = AttributeStore(self.objects, inline_limit)
        self.publisher = CommandPublisher(self.store, self.attributes, self.clock)
        self.repository = self.publisher.repository
        options = PipelineOptions(
            "cqrs-test-commands", MACHINE, detail, LEASE_SECONDS, wait_limit_hours, ttl or TtlPolicies()
        )
        ports = Ports(self.store, self.workflows, self.alarms, self.clock)
        self.pipeline = Pipeline(ports, self.attributes, Registry(handlers), options)
        starter = CommandStarter(self.workflows, MACHINE)
        self.sweeper = Sweeper(
            self.store,
            self.clock,
            self.pipeline.progress,
            self.pipeline.record_failure,
            Waker(self.workflows, starter),
            starter,
            wait_limit_hours=wait_limit_hours,
        )
        self.sync = SyncPublisher(self.publisher, self.pipeline, self.clock, lease_seconds=LEASE_SECONDS)

    @property
    def memory(self) -> MemoryTableStore:
        """The store, for tests that put into it what no command could."""
        assert isinstance(self.store, MemoryTableStore)
        return self.store

    def publish(self, given: CommandInput, context: InvokeContext = CONTEXT) -> Run:
        command = self.publisher.publish_async(given, context)
        assert command is not None
        return Run(command.key, command.id, 1, f"execution-of-{command.sk}")

    def apply(self, run: Run) -> None:
        """Walk one command through the states, as the machine does when nothing goes wrong."""
        result = self.pipeline.check_version(run, first_entry=True)
        assert result == {"result": 0}, result
        self.pipeline.set_ttl_command(run)
        self.pipeline.history_copy(run)
        outputs = [self.pipeline.sync_data(run, entry["target"]) for entry in self.pipeline.transform_data(run)]
        self.pipeline.finish(run, outputs)

    def command(self, version: int) -> Command:
        return Command.from_row(self.row(version))

    @staticmethod
    def failure(error: str) -> Failure:
        return Failure(error, "as the test wants it")

    def publish_and_apply(self, given: CommandInput) -> Run:
        run = self.publish(given)
        self.apply(run)
        return run

    def row(self, version: int, key: EntityKey = KEY) -> dict[str, Any]:
        row = self.store.get(COMMANDS, key.pk, VersionKey(key, version).sk)
        assert row is not None
        return row
