"""What imports need of AWS beside tables and topics: files, a queue with a dead-letter queue, machines' starts."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from handlers.core.errors import TransientError
from handlers.objects.memory import MemoryObjects, MemorySource
from handlers.objects.port import JSON
from handlers.objects.source import ObjectInfo
from local.functions.model import SimulatedCrash
from local.sources.queues import Message
from local.states.errors import ExecutionAlreadyExists
from local.states.maps.objects import ObjectError, Pinned
from tests.simulation.gate import PlanGate
from tests.simulation.ports import GatedWorkflows
from tests.simulation.sites import READ, START, WRITE, Visit, current_visit

BUCKET = "cqrs-sim-files"

R = TypeVar("R")


class Bucket(MemoryObjects):
    """The stack's bucket, versioned: what is written as an object can be read as a file to import."""

    def __init__(self) -> None:
        super().__init__(BUCKET)
        self.files = MemorySource(BUCKET)

    def put(self, key: str, body: bytes, *, content_type: str = JSON) -> None:
        """See Objects."""
        super().put(key, body, content_type=content_type)
        self.files.put(BUCKET, key, body)

    def write(self, key: str, blocks: Iterable[bytes], *, content_type: str = JSON) -> int:
        """See Objects."""
        body = b"".join(blocks)
        self.put(key, body, content_type=content_type)
        return len(body)


class GatedSource:
    """The port for files, behind the gate. A stream is read at once: its calls are not told apart."""

    def __init__(self, source: MemorySource, gate: PlanGate) -> None:
        self._source = source
        self._gate = gate

    def find(self, bucket: str, key: str) -> ObjectInfo:
        """See ObjectSource."""
        return self._gate.cross(READ, f"look for {key}", lambda: self._source.find(bucket, key))

    def open(self, info: ObjectInfo) -> BinaryIO:
        """See ObjectSource."""
        return self._gate.cross(READ, f"open {info.key}", lambda: self._source.open(info))

    def read_range(self, info: ObjectInfo, start: int, length: int) -> bytes:
        """See ObjectSource."""
        return self._gate.cross(READ, f"read of {info.key}", lambda: self._source.read_range(info, start, length))


class MapFiles:
    """S3 as a Distributed Map uses it, behind the gate. What goes wrong there fails the Map: nobody repeats it.

    ``visit`` names who reads or writes a key.
    """

    def __init__(self, bucket: Bucket, gate: Callable[[], PlanGate], visit: Callable[[str], Visit]) -> None:
        self._bucket = bucket
        self._gate = gate
        self._visit = visit

    def pin(self, caller: str, bucket: str, key: str, version: str | None = None) -> tuple[Pinned, bytes]:
        """See Objects of the Map."""
        return self._cross(READ, key, lambda: self._pinned(bucket, key, version))

    def read(self, caller: str, pinned: Pinned, start: int) -> bytes:
        """See Objects of the Map."""
        return self._cross(READ, pinned.key, lambda: self._pinned(pinned.bucket, pinned.key, pinned.version)[1][start:])

    def write(self, caller: str, bucket: str, key: str, body: bytes) -> None:
        """See Objects of the Map."""
        self._cross(WRITE, key, lambda: self._bucket.put(key, body))

    def _pinned(self, bucket: str, key: str, version: str | None) -> tuple[Pinned, bytes]:
        versions = self._bucket.files.contents[bucket].get(key, [])
        number = len(versions) if version is None else int(version)
        if not 1 <= number <= len(versions):
            raise ObjectError("NoSuchKey: The specified key does not exist.")
        body = versions[number - 1]
        return Pinned(bucket, key, len(body), f"etag{number}", str(number)), body

    def _cross(self, category: str, key: str, action: Callable[[], R]) -> R:
        before = current_visit.set(self._visit(key))
        try:
            return self._gate().cross(category, f"{category} of {key}", action)
        except (SimulatedCrash, TransientError) as error:
            raise ObjectError(f"SlowDown: {error}") from None
        finally:
            current_visit.reset(before)


class ImportWorkflows(GatedWorkflows):
    """Starts also the machines of imports, whose executions are named by their job. ``label`` names it."""

    label: Callable[[str], str]

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        if "jobKey" not in payload:
            return super().start(machine, name, payload)
        label = self.label(payload["jobKey"])
        self._starts[label, 0] += 1
        visit = Visit(label, 0, "start", self._starts[label, 0])

        def start() -> bool:
            try:
                self._manager.start_execution(machine, name, json.dumps(payload, sort_keys=True))
            except ExecutionAlreadyExists:
                self._story.note("was started before", visit=visit)
                return False
            self._story.note(f"starts execution {name[:8]} of {machine.rpartition(':')[2]}", visit=visit)
            return True

        return self._gate.cross(START, "StartExecution", start, visit=visit)


@dataclass
class _Kept:
    number: int
    body: str
    visible_at: float
    receives: int = 0


class SimulatedQueue:
    """A standard queue: any order, hidden while somebody works on a message, at most so many receives."""

    def __init__(
        self, now: Callable[[], float], rng: random.Random, *, visibility: float, max_receives: int, delay: float
    ) -> None:
        self._now = now
        self._random = rng
        self._visibility = visibility
        self._max_receives = max_receives
        self._delay = delay
        self._kept: dict[int, _Kept] = {}
        self.sent = 0
        self.dead: list[str] = []
        #: How often messages were received, by the number of the receive.
        self.receives: Counter[int] = Counter()

    def send(self, message: Mapping[str, Any]) -> None:
        """What SNS puts into a queue: its envelope with the message as text. It may take its time."""
        self.sent += 1
        later = self._random.uniform(0.0, self._delay)
        self._kept[self.sent] = _Kept(self.sent, json.dumps({"Message": json.dumps(message)}), self._now() + later)

    @property
    def is_empty(self) -> bool:
        """Nothing is in it, nor hidden."""
        return not self._kept

    def receive(self, queue_arn: str, limit: int) -> list[Message]:
        """See QueueReader."""
        visible = [one for one in self._kept.values() if one.visible_at <= self._now()]
        for one in [one for one in visible if one.receives >= self._max_receives]:
            self.dead.append(self._kept.pop(one.number).body)
        alive = [one for one in visible if one.receives < self._max_receives]
        chosen = self._random.sample(alive, min(limit, len(alive)))
        return [self._received(one) for one in chosen]

    def _received(self, one: _Kept) -> Message:
        one.receives += 1
        one.visible_at = self._now() + self._visibility
        self.receives[one.receives] += 1
        return {
            "MessageId": f"m{one.number}",
            "ReceiptHandle": str(one.number),
            "Body": one.body,
            "MD5OfBody": "",
            "Attributes": {"ApproximateReceiveCount": str(one.receives)},
        }

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """See QueueReader."""
        for handle in receipt_handles:
            self._kept.pop(int(handle), None)

    def next_visible_at(self, queue_arn: str) -> float | None:
        """See QueueReader."""
        return min((one.visible_at for one in self._kept.values() if one.visible_at > self._now()), default=None)
