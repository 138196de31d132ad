"""What the recording handlers of a test's deployment saw, and what they are to do.

Functions of a deployment run from their archive, apart from the test's own modules; this module is not part of
``handlers``, so both sides share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Recorder:
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    ends: list[tuple[str, str, int]] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)
    behaviours: dict[str, Callable[[Any], object]] = field(default_factory=dict)

    def handle(self, target: str, command: Any) -> object:
        self.calls.append((target, command.code, command.version))
        self.commands.append(command)
        result = self.behaviours.get(target, lambda _: None)(command)
        self.ends.append((target, command.code, command.version))
        return result

    def versions(self, target: str, code: str = "o1") -> list[int]:
        return [version for name, seen, version in self.calls if (name, seen) == (target, code)]


_current: list[Recorder] = []


def install() -> Recorder:
    """A fresh recorder for the next deployment."""
    _current[:] = [Recorder()]
    return _current[0]


def handle(target: str, command: Any) -> object:
    """Called by the recording handlers."""
    return _current[0].handle(target, command)
