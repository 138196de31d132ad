"""Restores executions: running ones continue from their last step, ended ones can be described.

A running execution keeps the definition that it was started with, as on AWS. Interrupted function calls are made again;
tokens, waits and retry counts are kept. The history of a continued execution starts again, with the states that it has
visited.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from local.journal import Journal
from local.states.definition.parser import parse_definition
from local.states.limits import loads
from local.states.manager import ExecutionManager
from local.states.running import steps
from local.states.running.executions import RUNNING, Execution
from local.states.running.steps import NO_STEPS, Pauses, Steps

log = logging.getLogger("cqrs.local.kept")

#: Kinds of journal rows: executions by ARN, definitions by hash.
KIND = "execution"
DEFINITION = "definition"


class KeptExecutions:
    """Stores the executions of one manager, except children of Map Runs. Implements its protocol."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._definitions = {row.key for row in journal.rows(DEFINITION)}

    def begun(self, execution: Execution) -> None:
        """Store a started execution, and set its ``steps``."""
        execution.steps = Steps(self._journal, f"{execution.arn} ")
        text = execution.machine.text
        key = hashlib.sha256(text.encode()).hexdigest()
        with self._journal.together():
            if key not in self._definitions:
                self._definitions.add(key)
                self._journal.put(DEFINITION, key, text)
            self._put(execution, {"definition": key})

    def ended(self, execution: Execution) -> None:
        """Store an execution's end, which hasn't been reported yet."""
        with self._journal.together():
            self._put(execution, {"reported": False})
            execution.steps.forget()

    def reported(self, execution: Execution) -> None:
        """Record that an execution's end has been reported to all listeners."""
        self._put(execution, {"reported": True})

    def dropped(self, execution: Execution) -> None:
        """Remove the data of an execution that can no longer be described; its name stays taken."""
        self._journal.put(KIND, execution.arn, {"machine": execution.machine.arn, "name": execution.name})

    def _put(self, execution: Execution, more: dict[str, Any]) -> None:
        described = {
            "machine": execution.machine.arn,
            "name": execution.name,
            "input": execution.input_text,
            "started": execution.started,
            "status": execution.status,
            "stopped": execution.stopped,
            "output": execution.output,
            "error": execution.error,
            "cause": execution.cause,
        }
        self._journal.put(KIND, execution.arn, {**described, **more})


def restore_executions(manager: ExecutionManager, journal: Journal, pauses: Pauses) -> None:
    """Restore the manager's executions, and let it store future ones.

    Executions of machines that the program no longer declares are kept in the journal, with a warning in the log.
    """
    machines = {machine.arn: machine for machine in manager.list_state_machines()}
    texts = {row.key: row.value for row in journal.rows(DEFINITION)}
    known = {row.key: row.value for row in journal.rows(steps.KIND)}
    manager.keep = KeptExecutions(journal)
    for row in journal.rows(KIND):
        kept, machine = row.value, machines.get(row.value["machine"])
        if machine is None:
            log.warning("execution %s: the program no longer declares machine %s", row.key, kept["machine"])
        elif "status" not in kept:
            manager.take_name(machine, kept["name"])
        else:
            definition, done = machine.definition, NO_STEPS
            if kept["status"] == RUNNING:
                definition = parse_definition(texts[kept["definition"]], machine.type)
                done = Steps(journal, f"{row.key} ", known, pauses)
            text = kept["input"]
            execution = Execution(row.key, kept["name"], machine, definition, text, loads(text), kept["started"])
            execution.steps = done
            for name in ("status", "stopped", "output", "error", "cause"):
                setattr(execution, name, kept[name])
            manager.reopen(execution, reported=kept.get("reported", True))
