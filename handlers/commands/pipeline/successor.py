"""Waking a successor: by its task token, by starting it if it is parked, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.rows import RESTART

if TYPE_CHECKING:
    from handlers.commands.starter import CommandStarter
    from handlers.state_machines.port import StateMachines
    from handlers.store.port import Item

RESUMED = "resumed_by_prev_version"


def resume_output(prev_version: int) -> dict[str, Any]:
    """The output of a resumed wait, shaped like a Lambda result so that the state's OutputPath matches."""
    return {"Payload": [[{"result": RESUMED, "prevVersion": prev_version}]]}


class Waker:
    """Supports both variants of the wait, so switching the type of state machine strands no command."""

    def __init__(self, state_machines: StateMachines, starter: CommandStarter) -> None:
        self._state_machines = state_machines
        self._starter = starter

    def wake(self, row: Item, prev_version: int) -> bool:
        """Wake a waiting command. True: a run of it continues or was started; False: nothing was waiting.

        A parked command is started first and claimed later, in its own ``check_version``.
        """
        resumed = self.resume(row, prev_version)
        if "parkedAt" not in row:
            return resumed
        started = self._starter.start(row, restart=row.get(RESTART, 0))
        return resumed or started

    def resume(self, row: Item, prev_version: int) -> bool:
        """Complete the task token of a waiting command. False: it has none, or no execution is waiting for it."""
        token = row.get("taskToken")
        return token is not None and self._state_machines.resume(token, resume_output(prev_version))
