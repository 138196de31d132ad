"""The ports of the handlers, in memory, behind the gate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from handlers.commands.keys import VersionKey
from handlers.core.errors import TransientError
from handlers.objects.memory import MemoryObjects
from handlers.objects.port import JSON
from handlers.store.conditions import Condition
from handlers.store.memory import MemoryTableStore
from handlers.store.port import Change, Item, Page, TableStore, Write
from handlers.topics.port import Notice
from local.states.errors import ExecutionAlreadyExists, InvalidToken, TaskDoesNotExist, TaskTimedOut
from local.states.manager import ExecutionManager
from tests.simulation.gate import PlanGate
from tests.simulation.keys import version_key
from tests.simulation.sites import PUBLISH, READ, RESUME, START, WRITE, Visit
from tests.simulation.story import Story


class GatedStore:
    """The table port. A read that isn't strongly consistent gets the item as it was before its last change."""

    def __init__(
        self, store: MemoryTableStore, stale: Mapping[tuple[str, str, str], Item | None], gate: PlanGate
    ) -> None:
        self._store: TableStore = store
        self._stale = stale
        self._gate = gate

    def get(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """See TableStore."""

        def read() -> Item | None:
            if not consistent and (table, pk, sk) in self._stale:
                return self._stale[table, pk, sk]
            return self._store.get(table, pk, sk)

        return self._gate.cross(READ, f"get {table} {sk}", read)

    def get_together(self, keys: Sequence[tuple[str, str, str]]) -> list[Item | None]:
        """See TableStore."""
        return self._gate.cross(READ, f"get {len(keys)} rows", lambda: self._store.get_together(keys))

    def put(self, table: str, item: Item, condition: Condition | None = None) -> None:
        """See TableStore."""
        self._gate.cross(WRITE, f"put {table} {item['sk']}", lambda: self._store.put(table, item, condition))

    def update(self, table: str, pk: str, sk: str, change: Change, condition: Condition | None = None) -> Item:
        """See TableStore."""
        return self._gate.cross(
            WRITE, f"update {table} {sk}", lambda: self._store.update(table, pk, sk, change, condition)
        )

    def delete(self, table: str, pk: str, sk: str, condition: Condition | None = None) -> None:
        """See TableStore."""
        self._gate.cross(WRITE, f"delete {table} {sk}", lambda: self._store.delete(table, pk, sk, condition))

    def transact(self, writes: Sequence[Write]) -> None:
        """See TableStore."""
        self._gate.cross(WRITE, f"transaction of {len(writes)}", lambda: self._store.transact(writes))

    def query(self, table: str, pk: str, *, consistent: bool = True, **arguments: Any) -> Page:
        """See TableStore."""

        def read() -> Page:
            page = self._store.query(table, pk, **arguments)
            if consistent:
                return page
            items = [self._stale.get((table, pk, item["sk"]), item) for item in page.items]
            return Page([item for item in items if item is not None], page.next_key)

        return self._gate.cross(READ, f"query {table}", read)

    def __getattr__(self, name: str) -> Any:
        """Further methods of the port, as plain reads."""
        method = getattr(self._store, name)
        return lambda *args, **kwargs: self._gate.cross(READ, name, lambda: method(*args, **kwargs))


class GatedWorkflows:
    """The workflow port on the runtime's own execution manager."""

    def __init__(
        self, manager: ExecutionManager, gate: PlanGate, story: Story, started: Callable[[VersionKey, int, str], None]
    ) -> None:
        self._manager = manager
        self._started = started
        self._gate = gate
        self._story = story
        self._starts: Counter[tuple[str, int]] = Counter()

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines. The site belongs to the command, whoever starts it."""
        key = version_key(payload["pk"], payload["sk"])
        self._starts[key.entity.code, key.version] += 1
        visit = Visit(key.entity.code, key.version, "start", self._starts[key.entity.code, key.version])

        def start() -> bool:
            self._started(key, payload["attempt"], name)
            try:
                self._manager.start_execution(machine, name, json.dumps(payload, sort_keys=True))
            except ExecutionAlreadyExists:
                self._story.note("was started before", visit=visit)
                return False
            self._story.note(f"starts execution {name[:8]}", visit=visit)
            return True

        return self._gate.cross(START, "StartExecution", start, visit=visit)

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines."""

        def resume() -> bool:
            try:
                self._manager.send_task_success(token, json.dumps(output))
            except (InvalidToken, TaskTimedOut, TaskDoesNotExist):
                self._story.note("finds the token used or gone")
                return False
            self._story.note("wakes a waiting execution")
            return True

        return self._gate.cross(RESUME, "SendTaskSuccess", resume)


class GatedObjects:
    """The object port."""

    def __init__(self, objects: MemoryObjects, gate: PlanGate) -> None:
        self._objects = objects
        self._gate = gate

    @property
    def bucket(self) -> str:
        """See Objects."""
        return self._objects.bucket

    def put(self, key: str, body: bytes, *, content_type: str = JSON) -> None:
        """See Objects."""
        self._gate.cross(WRITE, "put an object", lambda: self._objects.put(key, body, content_type=content_type))

    def write(self, key: str, blocks: Iterable[bytes], *, content_type: str = JSON) -> int:
        """See Objects. Whoever makes the blocks has calls of his own."""
        body = b"".join(blocks)
        return self._gate.cross(
            WRITE, "write an object", lambda: self._objects.write(key, [body], content_type=content_type)
        )

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """See Objects."""
        return self._gate.cross(READ, "get an object", lambda: self._objects.get(key, max_bytes=max_bytes))

    def delete(self, key: str) -> None:
        """See Objects."""
        self._gate.cross(WRITE, "delete an object", lambda: self._objects.delete(key))


class GatedTopic:
    """The topic port; ``receive`` is the subscriber."""

    def __init__(
        self, gate: PlanGate, what: str, receive: Callable[[Mapping[str, Any], Mapping[str, str]], None]
    ) -> None:
        self._gate = gate
        self._what = what
        self._receive = receive

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """See Topic."""
        self._gate.cross(PUBLISH, self._what, lambda: self._receive(dict(message), dict(attributes)))

    def publish_many(self, notices: Sequence[Notice]) -> dict[int, Exception]:
        """See Topic. One call, which is taken or refused as a whole; contract tests show the rest."""

        def publish() -> None:
            for notice in notices:
                self._receive(dict(notice.message), dict(notice.attributes))

        try:
            self._gate.cross(PUBLISH, f"{len(notices)} of {self._what}", publish)
        except TransientError as error:
            return dict.fromkeys(range(len(notices)), error)
        return {}
