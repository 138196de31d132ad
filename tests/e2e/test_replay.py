"""LOC-04: a run in virtual time is its seed. Nothing of the machine it runs on gets in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.commands.publishing.publisher import CommandPublisher
from handlers.store.port import COMMANDS, DATA
from local.sources.faults import DeliveryFaults
from tests.support.deployments import Deployed


@dataclass(frozen=True)
class Run:
    trace: list[str]
    images: list[dict[str, Any]]
    visited: list[list[str]]


def run(folder: Path, seed: int) -> Run:
    """Three entities with three versions each, with duplicated and delayed deliveries."""
    faults = DeliveryFaults(duplicate=0.2, delay=5.0)
    with Deployed(folder, seed=seed, delivery_faults=faults) as deployed:
        trace = deployed.scheduler.trace = []
        ids = itertools.count()
        deployed.publisher = CommandPublisher(
            deployed.store, deployed.attributes, deployed.scheduler, new_id=lambda: f"id{next(ids)}", source="test"
        )
        for code in ("o1", "o2", "o3"):
            deployed.publish_versions(3, code=code)
        deployed.run()
        images = deployed.images(COMMANDS) + deployed.images(DATA)
        return Run(trace, images, [one.visited() for one in deployed.executions()])


def test_loc_04_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    first, second, other = run(tmp_path / "a", 11), run(tmp_path / "b", 11), run(tmp_path / "c", 12)
    assert len(first.trace) > 200
    assert first.trace == second.trace
    assert first.images == second.images
    assert first.visited == second.visited
    assert first.trace != other.trace
    assert any("wait_prev_command" in one for one in first.visited)
