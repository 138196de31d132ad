"""The workflow port in memory: remembers starts and resumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.errors import TransientThrottle


class MemoryWorkflows:
    """See ``Workflows``. ``open_tokens`` holds the tokens that somebody waits for; ``refuse_starts`` throttles."""

    def __init__(self) -> None:
        self.started: dict[tuple[str, str], dict[str, Any]] = {}
        self.open_tokens: set[str] = set()
        self.resumed: list[tuple[str, dict[str, Any]]] = []
        self.refuse_starts = False

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See Workflows."""
        if self.refuse_starts:
            raise TransientThrottle("starts are refused")
        if (machine, name) in self.started:
            return False
        self.started[machine, name] = dict(payload)
        return True

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See Workflows."""
        if token not in self.open_tokens:
            return False
        self.open_tokens.discard(token)
        self.resumed.append((token, dict(output)))
        return True
