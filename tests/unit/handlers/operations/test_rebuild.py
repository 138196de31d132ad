"""APP-04: a projection is emptied and rebuilt, and has no wrong row afterwards, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.model import Command
from handlers.commands.targets.registry import APPLIED, SKIPPED, Registry
from handlers.core.errors import RegistryError
from handlers.operations.resync import Resync, ResyncSelection
from handlers.store.conditions import absent, at_most
from handlers.store.port import DATA, ConditionFailed
from tests.support.pipelines import World, order

SELECTION = ResyncSelection("prices", ("ORDER",))


class Prices:
    """A projection by a changing key, so that a bug leaves rows that no later version overwrites."""

    def __init__(self, world: World) -> None:
        self.store = world.store
        self.emptied = 0
        self.refuses = False
        self.interrupted_at: int | None = None

    def up(self, command: Command) -> str:
        if self.refuses:
            raise RuntimeError("not today")
        row = {"pk": "PRICES#t1", "sk": f"ORDER#{command.code}", "version": command.version, **command.attributes}
        try:
            self.store.put(DATA, row, absent("pk") | at_most("version", command.version))
        except ConditionFailed:
            return SKIPPED
        return APPLIED

    def empty(self) -> None:
        self.emptied += 1
        for number, row in enumerate(self.store.query(DATA, "PRICES#t1").items):
            if number == self.interrupted_at:
                raise KeyboardInterrupt
            self.store.delete(DATA, row["pk"], row["sk"])

    def rows(self) -> dict[str, Any]:
        return {row["sk"]: (row["version"], row.get("n")) for row in self.store.query(DATA, "PRICES#t1").items}


class World2(World):
    """With the projection as the target ``prices``."""

    def __init__(self) -> None:
        super().__init__()
        self.prices = Prices(self)
        self.pipeline.synchroniser._registry = Registry({"prices": ("ORDER", self.prices)})

    def rebuild(self, run_id: str = "r1", **options: Any) -> Any:
        resync = Resync(
            self.store,
            self.clock,
            self.prices,
            decoded=self.attributes.decoded,
            run_id=run_id,
            sleep=self.clock.advance,
            page_items=2,
        )
        return resync.run(SELECTION, empty=self.prices.empty, **options)


@pytest.fixture
def world() -> World2:
    world = World2()
    for number in range(3):
        world.publish_and_apply(order(0, code=f"o{number}", n=number))
    return world


def test_app_04_a_stale_row_is_gone_and_the_right_ones_are_back(world: World2) -> None:
    world.store.put(DATA, {"pk": "PRICES#t1", "sk": "ORDER#renamed-by-a-bug", "version": 9})
    outcome = world.rebuild()
    assert world.prices.rows() == {f"ORDER#o{number}": (1, number) for number in range(3)}
    assert (outcome.counts.handed, outcome.counts.applied, outcome.status) == (3, 3, "COMPLETED")


def test_app_04_a_version_that_only_the_log_has_is_handed_over_too(world: World2) -> None:
    """Its outcome is stored, so the pipeline would not give it to the target again."""
    run = world.publish(order(1, code="o1", n="new"))
    world.pipeline.check_version(run, first_entry=True)
    world.pipeline.sync_data(run, "prices")
    world.rebuild()
    assert world.prices.rows()["ORDER#o1"] == (2, "new")
    world.pipeline.sync_data(run, "data")
    world.pipeline.finish(run, [{"target": "data", "outcome": APPLIED}])
    assert world.prices.rows()["ORDER#o1"] == (2, "new")


def test_app_04_a_first_version_that_only_the_log_has_is_not_lost(world: World2) -> None:
    run = world.publish(order(0, code="new", n=7))
    world.pipeline.check_version(run, first_entry=True)
    world.pipeline.sync_data(run, "prices")
    world.pipeline.record_failure(run, world.failure("RuntimeError"))
    world.rebuild()
    assert world.prices.rows()["ORDER#new"] == (1, 7)


def test_app_04_a_version_that_the_target_never_had_is_left_to_the_pipeline(world: World2) -> None:
    run = world.publish(order(1, code="o1", n="new"))
    world.rebuild()
    assert world.prices.rows()["ORDER#o1"] == (1, 1)
    world.apply(run)
    assert world.prices.rows()["ORDER#o1"] == (2, "new")


def test_app_04_interrupted_while_emptying_it_empties_again(world: World2) -> None:
    world.prices.interrupted_at = 1
    with pytest.raises(KeyboardInterrupt):
        world.rebuild()
    world.prices.interrupted_at = None
    outcome = world.rebuild("r2")
    assert (world.prices.emptied, outcome.resumed) == (2, True)
    assert len(world.prices.rows()) == 3


def test_app_04_interrupted_afterwards_it_goes_on_without_emptying(world: World2) -> None:
    def stop(*_: str) -> None:
        if len(world.prices.rows()) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.rebuild(on_row=stop)
    outcome = world.rebuild("r2")
    assert (world.prices.emptied, outcome.resumed, len(world.prices.rows())) == (1, True, 3)


def test_a_plain_resync_empties_nothing(world: World2) -> None:
    world.store.put(DATA, {"pk": "PRICES#t1", "sk": "ORDER#other", "version": 9})
    resync = Resync(
        world.store,
        world.clock,
        world.prices,
        decoded=world.attributes.decoded,
        run_id="r",
        sleep=world.clock.advance,
    )
    resync.run(SELECTION)
    assert (world.prices.emptied, len(world.prices.rows())) == (0, 4)


def test_a_target_that_cannot_be_emptied_is_named() -> None:
    class Mailer:
        def up(self, command: Command) -> None: ...

    registry = Registry({"mail": ("ORDER", Mailer())})
    with pytest.raises(RegistryError, match=r"'mail' can't be rebuilt: its class has no method empty\(\)"):
        registry.emptying("mail")
