"""The operators' tools on a World, and the failures that they are for."""

from __future__ import annotations

from handlers.commands.failure import Failure
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.pipeline.run import Run
from handlers.commands.starter import CommandStarter
from handlers.operations.explain import Explainer, Explanation
from handlers.operations.redrive import Redriver
from handlers.operations.skip import Skipper
from tests.support.pipelines import KEY, MACHINE, World, order

ENTERED = "2026-01-01T00:00:00.000Z"


class Operator:
    """What a person with ``./cqrs`` can do, without AWS."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.starter = CommandStarter(world.workflows, MACHINE)

    def explain(self, key: EntityKey = KEY, version: int | None = None) -> Explanation:
        return Explainer(self.world.store, self.world.clock)(key, version)

    def redriver(self, *, dry_run: bool = False) -> Redriver:
        world = self.world
        return Redriver(world.store, world.clock, self.starter, world.pipeline.record_failure, dry_run=dry_run)

    def redrive(self, version: int, *, dry_run: bool = False) -> list[tuple[int, str]]:
        outcomes = self.redriver(dry_run=dry_run).version(VersionKey(KEY, version))
        return [(one.key.version, one.outcome) for one in outcomes]

    @property
    def skip(self) -> Skipper:
        return Skipper(
            self.world.store, self.world.clock, self.world.pipeline.finisher, self.world.pipeline.record_failure
        )

    def started(self) -> list[tuple[str, int]]:
        """Sort key and attempt of each started execution, in order."""
        return [(payload["sk"], payload["attempt"]) for payload in self.world.workflows.started.values()]


def fail(world: World, run: Run, error: str = "RuntimeError", *, blocked_by: str | None = None) -> None:
    """End a run as the machine does on an error (or a refusal)."""
    world.pipeline.record_failure(run, Failure(error, "it broke", blocked_by, alarm=blocked_by is None))


def failed(world: World, version: int = 1) -> Run:
    """Publish a version and fail it."""
    run = world.publish(order(version - 1, n=version))
    fail(world, run)
    return run


def waiting(world: World, version: int) -> Run:
    """Publish a version that waits for the one before it."""
    run = world.publish(order(version - 1, n=version))
    assert world.pipeline.check_version(run, first_entry=True) == {"result": 1}
    token = f"token of {version}"
    world.workflows.open_tokens.add(token)
    assert world.pipeline.wait(run, token, ENTERED) == {"waiting": True}
    return run


def expired(world: World, version: int, blocked_by: int) -> Run:
    """Publish a version and let its wait expire."""
    run = waiting(world, version)
    fail(world, run, "WaitExpired", blocked_by=KEY.version_sk(blocked_by))
    return run


def next_attempt(run: Run) -> Run:
    """The run that a redrive starts."""
    return Run(run.key, run.id, run.attempt + 1, f"{run.run_id}, again")
