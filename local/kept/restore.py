"""Restores a runtime's state from its folder, between the deployment and the first event."""

from __future__ import annotations

from local import journal as journals
from local.aws.endpoint import AwsEndpoint
from local.deploy.model import Deployment
from local.journal import Journal
from local.kept.executions import restore_executions
from local.kept.objects import keep_objects, restore_objects
from local.kept.queues import restore_queues
from local.kept.tables import restore_tables
from local.scheduler import Scheduler
from local.sources.mappings import StreamMapping
from local.states.manager import ExecutionManager

#: Kinds of journal rows: when a process was last alive, and the periods in which none was.
ALIVE, PAUSES = "alive", "pauses"
#: How often a process records that it is alive (seconds).
ALIVE_EVERY_S = 5.0


def restore(
    journal: Journal, scheduler: Scheduler, endpoint: AwsEndpoint, executions: ExecutionManager, deployment: Deployment
) -> None:
    """Restore the state of the deployed resources, and store changes from now on."""
    pauses = _pauses(journal, scheduler.now())
    mappings = [one for one in deployment.event_source_mappings if isinstance(one, StreamMapping)]
    last = pauses[-1] if pauses else (0.0, 0.0)
    restore_tables(endpoint, journal, mappings, last[1] - last[0])
    restore_queues(journal, endpoint.region)
    restore_objects(journal, endpoint.region)
    restore_executions(executions, journal, pauses)
    endpoint.keep_objects = keep_objects
    journals.activate(journal)
    _stay_alive(journal, scheduler)


def _pauses(journal: Journal, now: float) -> list[tuple[float, float]]:
    found = [(float(begin), float(end)) for row in journal.rows(PAUSES) for begin, end in row.value]
    for row in journal.rows(ALIVE):
        found.append((float(row.value), now))
        journal.put(PAUSES, PAUSES, found)
    return found


def _stay_alive(journal: Journal, scheduler: Scheduler) -> None:
    journal.put(ALIVE, ALIVE, scheduler.now())
    scheduler.call_later(ALIVE_EVERY_S, lambda: _stay_alive(journal, scheduler), background=True)
