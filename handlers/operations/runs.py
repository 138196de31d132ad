"""Finds the execution that applies a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.rows import RESTART
from handlers.commands.starter import execution_name
from handlers.state_machines.checks import execution_arn
from handlers.store.port import COMMANDS, TableStore

if TYPE_CHECKING:
    from handlers.commands.keys import VersionKey

_ARN = "arn:"


def execution_of(store: TableStore, key: VersionKey, machine: str) -> str | None:
    """The ARN of the latest execution of a version; None if the version doesn't exist or has expired.

    It is that of the run that holds the command, or held it last. If there was none, or it wasn't an execution, it is
    the ARN that an execution of ``machine`` would have, which may not exist.
    """
    row = store.get(COMMANDS, key.pk, key.sk)
    if row is None:
        return None
    run = str(row.get("runId", ""))
    if run.startswith(_ARN):
        return run
    return execution_arn(machine, execution_name(row["pk"], row["sk"], row["id"], row["attempt"], row.get(RESTART, 0)))
