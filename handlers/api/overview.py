"""``/overview``, ``/alarms``, ``/catalogue``: commands in progress, alarms, and the names that routes accept."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from handlers.api.http.models import Shown
from handlers.api.http.routes import OPERATOR, READER, Routes, answer
from handlers.api.services import Services
from handlers.commands.keys import DEFAULT_KIND
from handlers.core.clock import iso
from handlers.core.keys import partition


class StatusCount(Shown):
    """How many open commands have a status."""

    status: str
    count: int


class OldestOpenCommand(Shown):
    """An open command. ``since``: when it was published."""

    kind: str
    type: str
    code: str
    version: int
    status: str
    since: str


class Overview(Shown):
    """The tenant's commands without an outcome. ``oldest``: of those that the sweeper checks first; ``isComplete`` is
    false if there are too many to count.
    """

    open: int
    by_status: list[StatusCount]
    oldest: OldestOpenCommand | None
    is_complete: bool


class Alarm(Shown):
    """An alarm of the stack: ``ALARM``, ``OK`` or ``INSUFFICIENT_DATA``. ``since``: null if it was never evaluated."""

    name: str
    state: str
    reason: str
    since: str | None


class Alarms(Shown):
    """All alarms of the stack, which cover all tenants; raised ones first."""

    items: list[Alarm]


class Catalogue(Shown):
    """Names that routes accept. ``entityTypes``: those that the stack declares, and those of stored entities."""

    entity_types: list[str]
    import_tables: list[str]
    task_types: list[str]
    workflows: list[str]


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""

    @routes.add("GET", "/overview", READER, "Get an overview of open and failed commands", answers={200: Overview})
    def get_overview() -> Response[Overview]:
        from handlers.operations.overview import open_commands

        found = open_commands(services.store, routes.caller.tenant)
        oldest = None
        if found.oldest is not None:
            entity = found.oldest.key.entity
            oldest = OldestOpenCommand(
                kind=entity.kind,
                type=entity.type,
                code=entity.code,
                version=found.oldest.key.version,
                status=found.oldest.status,
                since=found.oldest.since,
            )
        counts = [StatusCount(status=status, count=count) for status, count in sorted(found.by_status.items())]
        shown = Overview(open=found.by_status.total(), by_status=counts, oldest=oldest, is_complete=found.is_complete)
        return answer(200, shown)

    @routes.add("GET", "/alarms", OPERATOR, "List the stack's alarms and their states", answers={200: Alarms})
    def list_alarms() -> Response[Alarms]:
        shown = [
            Alarm(
                name=one.name, state=one.state, reason=one.reason, since=None if one.since is None else iso(one.since)
            )
            for one in services.alarms.all()
        ]
        return answer(200, Alarms(items=shown))

    @routes.add("GET", "/catalogue", READER, "List the names of entity types, import tables, task types and workflows",
                answers={200: Catalogue})  # fmt: skip
    def get_catalogue() -> Response[Catalogue]:
        from handlers.operations.overview import stored_types

        names = services.names
        stored = stored_types(services.store, partition(DEFAULT_KIND, routes.caller.tenant))
        shown = Catalogue(
            entity_types=sorted({*names.entity_types, *stored}),
            import_tables=sorted(names.import_tables),
            task_types=sorted(names.task_types),
            workflows=sorted(names.workflows),
        )
        return answer(200, shown)
