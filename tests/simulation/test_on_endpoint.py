"""ORD-14 for truth: the deployed program on the AWS-compatible endpoint, with the same workload and invariants."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.publishing.publisher import CommandPublisher
from handlers.store.port import COMMANDS, DATA, HISTORY
from handlers.store.values import item_from_dynamo
from local.aws.model import AwsCall
from local.aws.tables.streams import read_new_records
from local.functions.model import SimulatedCrash
from local.scheduler import VIRTUAL_EPOCH
from local.sources.faults import DeliveryFaults
from tests.simulation.plan import SeededFaults, rates
from tests.simulation.sites import CRASH, CRASH_AFTER, HANG, HANG_SECONDS, READ, SLOW, THROTTLE, WRITE, Visit
from tests.simulation.watcher import Watcher
from tests.simulation.workload import Workload, entity_names
from tests.support.deployments import Deployed

TARGETS = ("one", "three", "two")
WRITES = frozenset({"PutItem", "UpdateItem", "TransactWriteItems"})
KINDS = (CRASH, CRASH_AFTER, THROTTLE, SLOW, HANG)
#: Virtual seconds: faults end, and a run in which commands stay open.
FAULTY_SECONDS, MOST_SECONDS, SWEEP_SECONDS = 3600.0, 30 * 3600.0, 300.0


class CallFaults:
    """Crashes, throttles and zombies at the calls of functions; a site is the n-th call of a function's kind."""

    def __init__(self, seed: int, sleep: Callable[[float], None], now: Callable[[], float]) -> None:
        wanted = rates(random.Random(f"endpoint {seed}").choice((0.0, 0.002, 0.005)))
        only = {kind: wanted[kind] for kind in KINDS}
        self.plan = SeededFaults(seed, only, until=VIRTUAL_EPOCH + FAULTY_SECONDS, most_per_state=None)
        self._sleep = sleep
        self._now = now
        self._calls = 0
        self._after: dict[int, str] = {}

    def before(self, call: AwsCall) -> str | None:
        """See Faults."""
        if call.caller is None:
            return None
        self._calls += 1
        site = f"{call.caller} {call.label}#{self._calls}"
        kind = self.plan.at(site, READ if call.operation.startswith("Get") else WRITE, self._now())
        if kind == CRASH:
            raise SimulatedCrash(site)
        if kind == CRASH_AFTER:
            self._after[id(call)] = site
        if kind in HANG_SECONDS:
            self._sleep(HANG_SECONDS[str(kind)])
        return "ThrottlingException" if kind == THROTTLE else None

    def after(self, call: AwsCall) -> None:
        """See Faults."""
        site = self._after.pop(id(call), None)
        if site is not None:
            raise SimulatedCrash(site)


class EndpointWorld:
    """What the workload needs, on a deployment; feeds the watcher from the tables' streams at every write."""

    def __init__(self, deployed: Deployed, seed: int) -> None:
        self.deployed = deployed
        self.scheduler = deployed.scheduler
        self.watcher = Watcher(self.scheduler.now, targets=TARGETS)
        self._positions = {COMMANDS: 0, DATA: 0}
        self.faults = CallFaults(seed, self.scheduler.sleep, self.scheduler.now)
        self._events = deployed.subscribe(deployed.runtime.outputs["mainTopicArn"], "events", ["command-status"])
        deployed.runtime.endpoint.on_call(self._called)
        for target in TARGETS:
            deployed.recorder.behaviours[target] = self._target(target)

    def publisher(self) -> CommandPublisher:
        """The deployment's."""
        return self.deployed.publisher

    def visit(self, entity: str, version: int, state: str) -> Visit:
        """No gate asks for it here."""
        return Visit(entity, version, state, 1)

    def spawn(self, work: Callable[[], None], name: str) -> None:
        """A caller."""
        self.scheduler.spawn(work, name=name)

    def run(self) -> None:
        """As ``SimulatedWorld.run``, then the checks at rest."""
        self.scheduler.run_until_idle()
        while self.watcher.open_commands and self.scheduler.now() < VIRTUAL_EPOCH + MOST_SECONDS:
            self.scheduler.run_for(SWEEP_SECONDS)
            self.scheduler.run_until_idle()
        self.scheduler.run_for(SWEEP_SECONDS)
        for body in self.deployed.drain(self._events):
            self.watcher.notified(json.loads(json.loads(body)["Message"]))
        for body in self.deployed.drain(self.deployed._alarm_queue):
            envelope = json.loads(body)
            attributes = {name: one["Value"] for name, one in envelope["MessageAttributes"].items()}
            self.watcher.alarm(json.loads(envelope["Message"]), attributes)
        self.watcher.at_rest()

    def _target(self, target: str) -> Callable[[Any], object]:
        return lambda command: self.watcher.target_applied(target, command.key)

    def _called(self, call: AwsCall) -> None:
        if call.service != "dynamodb" or call.operation not in WRITES:
            return
        tables = self.deployed.tables
        if call.operation == "PutItem" and call.params["TableName"] == tables[HISTORY]:
            # Put if absent, and without a stream: a row that is there already was refused.
            item = item_from_dynamo(call.params["Item"])
            known = self.watcher.entities[item["code"]].history
            if item["version"] not in known:
                self.watcher.changed(HISTORY, None, item)
        for table in self._positions:
            records, self._positions[table] = read_new_records(
                self.deployed.runtime.endpoint, tables[table], self._positions[table]
            )
            for record in records:
                images = [record["dynamodb"].get(name) for name in ("OldImage", "NewImage")]
                before, after = (None if image is None else item_from_dynamo(image) for image in images)
                self.watcher.changed(table, before, after)


def run(folder: Path, seed: int, entities: int, versions: int, *, tables_url: str | None = None) -> EndpointWorld:
    """One run; ``tables_url``: see LocalRuntime."""
    rng = random.Random(f"delivery {seed}")
    delivery = DeliveryFaults(rng, duplicate=0.1, duplicate_after=300.0, delay=rng.choice((0.0, 5.0)))
    workflow = ("STANDARD", "EXPRESS")[seed % 2]
    with Deployed(folder, seed=seed, workflow=workflow, delivery_faults=delivery, tables_url=tables_url) as deployed:
        world = EndpointWorld(deployed, seed)
        deployed.runtime.endpoint.faults = world.faults
        Workload(world, seed, entities=entity_names(entities), versions=versions)  # type: ignore[arg-type]
        world.run()
    return world


@pytest.mark.parametrize("seed", range(10))
def test_ord_14_on_the_endpoint(tmp_path: Path, seed: int) -> None:
    world = run(tmp_path, seed, 2, 3)
    assert sum(len(entity.rows) for entity in world.watcher.entities.values()) >= 6
    assert world.watcher.violations == []


def test_the_endpoint_s_faults_are_met(tmp_path: Path) -> None:
    kinds = {kind for seed in (3, 7, 8) for kind in run(tmp_path / str(seed), seed, 1, 3).faults.plan.met.values()}
    assert len(kinds) >= 2, kinds


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 150))
def test_ord_14_on_the_endpoint_for_long(tmp_path: Path, seed: int) -> None:
    world = run(tmp_path, seed, 5, 5)
    assert sum(len(entity.rows) for entity in world.watcher.entities.values()) >= 25
    assert world.watcher.violations == []
