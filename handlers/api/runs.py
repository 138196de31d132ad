"""``/entities/{type}/{code}/versions/{version}/run``: the execution that applies a version, state by state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response

from contract.state_machines import COMMAND_HANDLER_EXPRESS
from handlers.api.http.models import Kind, Number, Part, Shown
from handlers.api.http.routes import OPERATOR, Routes, answer
from handlers.api.services import Services
from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.core.clock import iso
from handlers.core.errors import NotFound

if TYPE_CHECKING:
    from handlers.state_machines.histories import ExecutionHistory

#: Names of the state machine definitions.
STANDARD, EXPRESS = "command", "command_express"


class ShownState(Shown):
    """A state that was entered. ``exitedAt`` is null while it is running, and if it failed."""

    name: str
    entered_at: str
    exited_at: str | None


class Run(Shown):
    """The latest execution. ``machine``: the definition (command, command_express), or a workflow's name.
    ``states``: in the order in which they were entered. ``status``, the times and ``states`` are null if there is no
    history: EXPRESS machines keep none, others for 90 days, and commands may be applied without an execution.
    """

    machine: str
    status: str | None
    started_at: str | None
    stopped_at: str | None
    states: list[ShownState] | None


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""

    @routes.add(
        "GET", "/entities/<type>/<code>/versions/<version>/run", OPERATOR,
        "Show the execution that applies a version, state by state", answers={200: Run}, may=(404,),
    )  # fmt: skip
    def get_run(type: Part, code: Part, version: Number, kind: Kind = DEFAULT_KIND) -> Response[Run]:
        from handlers.operations.runs import execution_of

        key = VersionKey(EntityKey.of_caller(kind, routes.caller.tenant, type, code), version)
        machine = services.names.command_machine
        arn = execution_of(services.store, key, machine)
        if arn is None:
            raise NotFound(f"{key}: there is no such version, or it has expired")
        name = EXPRESS if f"{COMMAND_HANDLER_EXPRESS}:" in arn else STANDARD
        # EXPRESS machines keep no history, and the function has no permission to read one.
        found = None if name == EXPRESS else services.histories.of(arn)
        return answer(200, shown_run(name, found))


def shown_run(machine: str, found: ExecutionHistory | None) -> Run:
    """Convert a history to its response model."""
    if found is None:
        return Run(machine=machine, status=None, started_at=None, stopped_at=None, states=None)
    states = [
        ShownState(name=one.name, entered_at=iso(one.entered), exited_at=None if one.left is None else iso(one.left))
        for one in found.states
    ]
    stopped = None if found.stopped is None else iso(found.stopped)
    return Run(machine=machine, status=found.status, started_at=iso(found.started), stopped_at=stopped, states=states)
