"""The port to a state machine service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Workflows(Protocol):
    """Executions and their task tokens. Methods raise ``TransientError`` when a later try may work."""

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution. False: one of that name exists already, which is success too.

        The name and the payload must be pure functions of what is started, so that a repeated
        delivery starts nothing twice.
        """
        ...

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """Answer a task token. False: the token is used, timed out or gone, so nothing waits for it."""
        ...
