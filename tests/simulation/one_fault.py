"""A small scenario, run once without faults and then once for each fault at each place: the end must be the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from handlers.commands.model import CommandInput
from handlers.core.errors import TransientError
from local.functions.model import SimulatedCrash
from tests.simulation.plan import FaultPlan, ListedFaults
from tests.simulation.sites import HANDLER, INVOKE, KINDS, PERMANENT, current_visit
from tests.simulation.workload import CONTEXT
from tests.simulation.world import Setup, SimulatedWorld

ENTITY, FAILING = "o1", "o2"
VERSIONS = 2


@dataclass
class Recorder:
    """A plan without faults that notes every place where one could be: site to category."""

    sites: dict[str, str] = field(default_factory=dict)

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        self.sites[site] = category
        return None


@dataclass
class Both:
    """The fault under test beside those that the scenario always has."""

    always: FaultPlan
    tested: FaultPlan

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        return self.tested.at(site, category, now) or self.always.at(site, category, now)


@dataclass
class EveryCall:
    """The same fault at every call of one category, in the functions (not in the callers)."""

    category: str
    kind: str

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        return self.kind if category == self.category else None


@dataclass
class HandlerFails:
    """One entity's target refuses every command, so that record_failure is on the way."""

    entity: str = FAILING

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        places = (f"{self.entity}@1 sync_data(mail)", f"{self.entity}@0 apply(mail)")
        return PERMANENT if category == HANDLER and site.startswith(places) else None


def run(plan: FaultPlan, setup: Setup) -> SimulatedWorld:
    """Two versions of one entity, of which the second waits, and one command that fails. Callers meet no faults."""
    world = SimulatedWorld(None, Both(HandlerFails(), plan), setup)
    publisher = world.publisher()

    def publish() -> None:
        current_visit.set(world.visit("", 0, "caller"))
        for code, versions in ((ENTITY, VERSIONS), (FAILING, 1)):
            for version in range(versions):
                given = CommandInput("ORDER", code, f"v{version + 1}", {"n": version + 1}, version)
                assert publisher.publish_async(given, CONTEXT) is not None

    world.spawn(publish, "caller")
    world.run()
    if not world.watcher.violations:
        world.watcher.at_rest()
    return world


def run_sync(plan: FaultPlan, setup: Setup) -> SimulatedWorld:
    """One publish_sync without a request id, which nobody repeats: who dies on the way has the sweeper."""
    world = SimulatedWorld(None, plan, setup)
    publisher = world.sync_publisher()

    def publish() -> None:
        current_visit.set(world.visit(ENTITY, 0, "sync_caller"))
        with suppress(SimulatedCrash, TransientError):
            publisher.publish_sync(CommandInput("ORDER", ENTITY, "v1", {"n": 1}, 0), CONTEXT)

    world.spawn(publish, "caller")
    world.run()
    if not world.watcher.violations:
        world.watcher.at_rest(everything_done=True)
    return world


def function_sites(setup: Setup) -> dict[str, str]:
    """The places of all calls that the functions make when nothing goes wrong."""
    recorder = Recorder()
    run(recorder, setup)
    return {site: category for site, category in recorder.sites.items() if not site.startswith("@0 caller")}


def places(setup: Setup, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every (site, kind) that can be tested."""
    sites = function_sites(setup)
    return [(site, kind) for site, category in sites.items() for kind in kinds if kind in KINDS[category]]


def run_with(site: str, kind: str, setup: Setup) -> tuple[SimulatedWorld, ListedFaults]:
    """The scenario with one fault."""
    plan = ListedFaults({site: kind})
    return run(plan, setup), plan


def final_state(world: SimulatedWorld) -> dict[str, Any]:
    """What the end looks like, without times and without who did it. A target that had been applied by a run that
    crashed says so in its outcome; that is the same end. Which of the other targets a command that failed had
    reached is a matter of time.
    """
    entities = world.watcher.entities
    state: dict[str, Any] = {
        code: {version: _row(row) for version, row in sorted(entity.rows.items())}
        for code, entity in sorted(entities.items())
    }
    state["targets"] = {version: sorted(row["targets"]) for version, row in sorted(entities[ENTITY].rows.items())}
    state["effects"] = entities[ENTITY].effects
    data = entities[ENTITY].data
    state["data"] = None if data is None else (data["version"], data["attributes"])
    state["history"] = {version: row["attributes"] for version, row in sorted(entities[ENTITY].history.items())}
    state["alarms"] = sorted(world.watcher.alarms)
    return state


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    held = [name for name in ("ttl", "openShard", "taskToken", "runId") if name in row]
    return (row["status"], row["attempt"], row.get("error", {}).get("type"), held)


__all__ = ["INVOKE", "EveryCall", "Recorder", "final_state", "function_sites", "places", "run", "run_sync", "run_with"]
