"""The INLINE consumer in memory, beside the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handlers.commands.inline.batch import InlineConsumer
from handlers.commands.inline.entity import EntityVersions
from handlers.commands.inline.progress import InlineProgress
from handlers.commands.inline.targets import TargetCalls
from handlers.commands.inline.version import InlineVersion
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command
from handlers.commands.pipeline.run import Run
from handlers.commands.status import DONE_STATUSES
from handlers.commands.ttl_policies import TtlPolicies
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS
from handlers.store.values import item_to_dynamo
from tests.support.pipelines import KEY, LEASE_SECONDS, World
from tests.support.side_by_side import InTurn

Behaviour = Callable[[Command], object]
AT_ONCE = 3


class Store(MemoryTableStore):
    """Notes the writes, and raises what ``refuse`` says for one."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.refuse: Callable[[str], BaseException | None] = lambda _: None

    def _note(self, what: str) -> None:
        error = self.refuse(what)
        if error is not None:
            raise error
        self.writes.append(what)

    def put(self, table: str, item: Any, condition: Any = None) -> None:
        self._note(f"put {table}")
        super().put(table, item, condition)

    def update(self, table: str, pk: str, sk: str, change: Any, condition: Any = None) -> Any:
        self._note(f"update {table}")
        return super().update(table, pk, sk, change, condition)

    def get(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Any:
        self._note(f"get {table}")
        return super().get(table, pk, sk, consistent=consistent)

    def get_together(self, keys: Any) -> Any:
        self._note(f"get {len(keys)}")
        return super().get_together(keys)

    def transact(self, writes: Any) -> None:
        self._note("transact")
        super().transact(writes)


class Workflows(MemoryWorkflows):
    """Raises what the store raises."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        error = self._store.refuse("start")
        if error is not None:
            raise error
        return super().start(machine, name, payload)


class Handler:
    """A target, of which a test changes what it does."""

    def __init__(self) -> None:
        self.does: Behaviour = lambda _: None
        self.seen: list[int] = []

    def up(self, command: Command) -> object:
        self.seen.append(command.version)
        return self.does(command)


class Inline(World):
    """The consumer, beside the pipeline."""

    def __init__(
        self, *targets: str, detail: str = "terminal", inline_limit: int = 65_536, ttl: TtlPolicies | None = None
    ) -> None:
        self.handlers = {name: Handler() for name in targets}
        store = Store()
        super().__init__(
            store=store,
            workflows=Workflows(store),
            handlers={name: ("ORDER", handler) for name, handler in self.handlers.items()},
            detail=detail,
            inline_limit=inline_limit,
            ttl=ttl,
        )
        self.side_by_side = InTurn()
        progress = InlineProgress(self.store, self.clock, lease_seconds=LEASE_SECONDS)
        calls = TargetCalls(self.side_by_side, self.clock, at_once=AT_ONCE, seconds=5)
        version = InlineVersion(self.pipeline, progress, calls, self.clock, wait_limit_hours=24)
        self.consumer = InlineConsumer(
            self.pipeline.repository,
            EntityVersions(self.pipeline, progress, version, self.clock),
            self.side_by_side,
            at_once=AT_ONCE,
            inline_attribute_limit=inline_limit,
        )

    @property
    def calls(self) -> list[str]:
        """Of the store, since the last look."""
        assert isinstance(self.store, Store)
        calls, self.store.writes = self.store.writes, []
        return calls

    def refuse(self, refuse: Callable[[str], BaseException | None]) -> None:
        """What the store raises from now on."""
        assert isinstance(self.store, Store)
        self.store.refuse = refuse

    def row(self, version: int, key: EntityKey = KEY) -> dict[str, Any]:
        """Without a note of the call, and whatever is refused."""
        row = MemoryTableStore.get(self.memory, COMMANDS, key.pk, VersionKey(key, version).sk)
        assert row is not None
        return row

    def record(self, version: int, key: EntityKey = KEY) -> dict[str, Any]:
        """As the stream tells of a new command."""
        row = self.row(version, key)
        image = item_to_dynamo({**row, "status": "publish:ACCEPTED"})
        return {"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": f"{key.code}-{version}"}}

    def deliver(self, *records: dict[str, Any], seconds: float = 60) -> dict[int, Exception]:
        """A batch, with so much time."""
        return self.consumer.on_stream_records(records, self.clock.now() + seconds)

    def apply_all(self, *versions: int) -> None:
        assert self.deliver(*map(self.record, versions)) == {}

    def started(self) -> list[str]:
        """Sort keys of the commands for which the machine was started."""
        return [payload["sk"] for payload in self.workflows.started.values()]

    def late_from(self, version: int) -> Behaviour:
        """A target that is slow from a version on."""
        return lambda command: self.side_by_side.late.add("one") if command.version >= version else None

    def run_machines(self) -> None:
        """All executions that were started, to their ends, and those that these start in turn."""
        ended: set[tuple[str, str]] = set()
        while left := self.workflows.started.keys() - ended:
            for machine, name in sorted(left):
                given = self.workflows.started[machine, name]
                key = VersionKey.parse(given["pk"], given["sk"])
                if self.row(key.version)["status"] not in DONE_STATUSES:
                    self.apply(Run(key, given["id"], given["attempt"], name))
                ended.add((machine, name))


def other(code: str) -> EntityKey:
    return EntityKey("TENANT", "t1", "ORDER", code)


def raising(error: Exception) -> Behaviour:
    def up(_: Command) -> object:
        raise error

    return up
