"""What the recording handlers of a test's deployment saw, and what they are to do.

Functions of a deployment run from their archive, apart from the test's own modules; this module is not part of
``handlers``, so both sides share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class NotYet(Exception):
    """What a behaviour raises for an error worth another try: functions have modules, and so errors, of their own."""


@dataclass
class Recorder:
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    ends: list[tuple[str, str, int]] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)
    behaviours: dict[str, Callable[[Any], object]] = field(default_factory=dict)
    #: Calls of the task handler: its input and what it was told beside.
    tasks: list[tuple[Any, Any]] = field(default_factory=list)
    running: int = 0
    most_at_once: int = 0

    def handle(self, target: str, command: Any) -> object:
        self.calls.append((target, command.code, command.version))
        self.commands.append(command)
        result = self.behaviours.get(target, lambda _: None)(command)
        self.ends.append((target, command.code, command.version))
        return result

    def run_task(self, given: Any, call: Any) -> object:
        self.tasks.append((given, call))
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            return self.behaviours.get("task", lambda _: None)(given)
        finally:
            self.running -= 1

    def versions(self, target: str, code: str = "o1") -> list[int]:
        return [version for name, seen, version in self.calls if (name, seen) == (target, code)]


_current: list[Recorder] = []


def install() -> Recorder:
    """A fresh recorder for the next deployment."""
    _current[:] = [Recorder()]
    return _current[0]


def run_task(given: Any, call: Any) -> object:
    """Called by the recording task handler."""
    return _current[0].run_task(given, call)


def handle(target: str, command: Any) -> object:
    """Called by the recording handlers."""
    return _current[0].handle(target, command)
