"""Creates, updates, describes and deletes the state machines of one region.

Source: API reference, CreateStateMachine and related actions.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

from local.partitions import partition_of
from local.scheduler import Scheduler
from local.states.definition.model import STANDARD
from local.states.definition.parser import parse_definition
from local.states.errors import InvalidName, StateMachineAlreadyExists, StateMachineDoesNotExist
from local.states.limits import NAME_CHARACTERS, dumps
from local.states.running.executions import Machine

_BAD_NAME = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]""")


class MachineRegistry:
    """The part of ``ExecutionManager`` that doesn't deal with executions."""

    def __init__(self, scheduler: Scheduler, region: str, account_id: str) -> None:
        self.scheduler = scheduler
        self.region = region
        self.account_id = account_id
        self._lock = threading.Lock()
        self._machines: dict[str, Machine] = {}

    def create_state_machine(
        self, name: str, definition: str | Mapping[str, Any], role_arn: str, machine_type: str = STANDARD
    ) -> str:
        """Check the definition, create a machine and return its ARN. Idempotent.

        Raises:
            InvalidName: the name isn't valid.
            InvalidDefinition: see ``definition.validate``; ``UnsupportedFeature`` names the unknown feature.
            StateMachineAlreadyExists: a different machine has this name.
        """
        check_name(name)
        text = definition if isinstance(definition, str) else dumps(definition)
        parsed = parse_definition(definition, machine_type)
        arn = f"arn:{partition_of(self.region)}:states:{self.region}:{self.account_id}:stateMachine:{name}"
        now = self.scheduler.now()
        with self._lock:
            existing = self._machines.get(arn)
            if existing is None:
                self._machines[arn] = Machine(arn, name, machine_type, role_arn, text, parsed, now, now)
            elif (existing.text, existing.role_arn, existing.type) != (text, role_arn, machine_type):
                raise StateMachineAlreadyExists(f"State Machine Already Exists: '{arn}'")
        return arn

    def update_state_machine(
        self, arn: str, definition: str | Mapping[str, Any] | None = None, role_arn: str | None = None
    ) -> Machine:
        """Replace definition or role. Running executions keep their definition. Raises the same as ``create``."""
        machine = self.describe_state_machine(arn)
        parsed = None if definition is None else parse_definition(definition, machine.type)
        with self._lock:
            if definition is not None and parsed is not None:
                machine.text = definition if isinstance(definition, str) else dumps(definition)
                machine.definition = parsed
            machine.role_arn = role_arn or machine.role_arn
            machine.updated = self.scheduler.now()
        return machine

    def delete_state_machine(self, arn: str) -> None:
        """Remove a machine; its executions continue. Unknown ARNs aren't an error (API reference)."""
        with self._lock:
            self._machines.pop(arn, None)

    def describe_state_machine(self, arn: str) -> Machine:
        """A machine by ARN. Raises ``StateMachineDoesNotExist``."""
        with self._lock:
            machine = self._machines.get(arn)
        if machine is None:
            raise StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")
        return machine

    def list_state_machines(self) -> list[Machine]:
        """All machines, oldest first."""
        with self._lock:
            return list(self._machines.values())


def check_name(name: str) -> None:
    """Check the name of a machine or an execution. Raises InvalidName."""
    if not name or len(name) > NAME_CHARACTERS or _BAD_NAME.search(name):
        raise InvalidName(
            f"Invalid Name: '{name}' (1 to {NAME_CHARACTERS} characters, no white space or reserved ones)"
        )
