"""The gate that calls to AWS go through: it counts them, and the process dies before or after one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from handlers.topics.memory import MemoryTopic
from handlers.topics.port import Notice
from local.functions.model import SimulatedCrash

NOTHING, BEFORE, AFTER = "nothing", "before", "after"

R = TypeVar("R")


class Gate:
    """Counts the calls of functions and callers to AWS; the process dies before or after one of them."""

    def __init__(self, fault: str = NOTHING, at: int = 0) -> None:
        self._fault = fault
        self._at = at
        self.calls: list[str] = []
        #: Where other tasks may run first.
        self.checkpoint: Callable[[str], None] = lambda _: None

    def cross(self, what: str, action: Callable[[], R]) -> R:
        self.calls.append(what)
        number = len(self.calls)
        self.checkpoint(what)
        due = number == self._at
        if due and self._fault == BEFORE:
            raise SimulatedCrash(what)
        result = action()
        if due and self._fault == AFTER:
            raise SimulatedCrash(what)
        return result


class Gated:
    """Any port behind the gate."""

    def __init__(self, port: Any, gate: Gate) -> None:
        self._port = port
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._gate.cross(name, lambda: found(*args, **kwargs))


class GatedTopic:
    """The topic port behind the gate; ``PublishBatch`` is one call."""

    def __init__(self, topic: MemoryTopic, gate: Gate, sent: Callable[[Mapping[str, Any]], None]) -> None:
        self._topic = topic
        self._gate = gate
        self._sent = sent

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        self.publish_many([Notice(message, attributes)])

    def publish_many(self, notices: Sequence[Notice]) -> dict[int, Exception]:
        def publish() -> dict[int, Exception]:
            unsent = self._topic.publish_many(notices)
            for notice in notices:
                self._sent(notice.message)
            return unsent

        return self._gate.cross("publish", publish)
