"""Callers that import files and single rows, and cancel them, while others publish on the same entities."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from handlers.core.errors import NotFound, TransientError, WrongStatus
from handlers.imports.jobs.model import ImportJob
from handlers.imports.jobs.status import FAILED, TERMINAL
from local.functions.model import SimulatedCrash
from tests.simulation.import_files import BROKEN, SECRET, draw_archive, draw_file
from tests.simulation.import_ports import BUCKET
from tests.simulation.import_strategies import LASTS
from tests.simulation.import_world import SimulatedImports
from tests.simulation.operator import Operator
from tests.simulation.sites import current_visit
from tests.simulation.workload import CONTEXT, MOST_TRIES, Workload, entity_names

R = TypeVar("R")

#: Entities that imports and others publish on; those that only imports touch; those whose rows' commands are refused.
SHARED = entity_names(2)
OWN = [f"f{number:02d}" for number in range(1, 13)]
REFUSED_CODES = ["x01", "x02"]
PAUSES = (0.0, 0.0, 2.0, 30.0)


class ImportWorkload:
    """What a seed's callers do. ``most``: rows of a file at most."""

    def __init__(self, world: SimulatedImports, seed: int, *, most: int, refusals: bool = True) -> None:
        self._world = world
        self._seed = seed
        rng = random.Random(f"imports {seed}")
        Workload(world, seed, entities=SHARED, versions=rng.randint(1, 4))
        refused = REFUSED_CODES if refusals and rng.random() < 0.5 else []
        if rng.random() < 0.3:
            Operator(world, rounds=6)
        codes = [*SHARED, *OWN[: rng.randint(1, len(OWN))]]
        file = None
        for number in range(1, rng.choice((1, 2, 2, 3)) + 1):
            # Some people upload a file twice.
            file = file if file is not None and rng.random() < 0.3 else draw_file(rng, codes, refused, most=most)
            label = f"j{number:02d}"
            world.drop(f"imports/{label}.csv", file)
            self._spawn(label, create_file(label, file.table))
        if rng.random() < 0.1:
            world.drop("imports/j09.csv", BROKEN)
            self._spawn("j09", create_file("j09", LASTS))
        if rng.random() < 0.4:
            world.drop("imports/z01.csv", draw_archive(rng, codes, refused, most=most // 2))
            self._spawn("z01", create_archive("z01"))
        for number in range(1, rng.choice((0, 0, 1, 2)) + 1):
            values = {"code": rng.choice(codes), "n": rng.choice("012?"), "note": SECRET}
            self._spawn(f"s{number:02d}", create_row(f"s{number:02d}", values))

    def _spawn(self, label: str, create: Callable[[SimulatedImports], ImportJob | str]) -> None:
        rng = random.Random(f"{self._seed} {label}")

        def run() -> None:
            self._world.scheduler.sleep(rng.uniform(0.0, rng.choice(PAUSES)))
            made = self._insist(label, "creator", lambda: create(self._world), rng)
            if isinstance(made, ImportJob) and rng.random() < 0.35:
                self._world.scheduler.sleep(rng.uniform(0.0, rng.choice((0.1, 2.0, 30.0, 400.0))))
                self._insist(label, "canceller", lambda: self._cancel(made.id), rng)
            for _ in range(rng.choice((0, 0, 1, 3)) if isinstance(made, ImportJob) else 0):
                self._world.scheduler.sleep(rng.uniform(60.0, 5400.0))
                self._insist(label, "retrier", lambda: self._retry(made), rng)

        self._world.spawn(run, f"importer {label}")

    def _cancel(self, job_id: str) -> str:
        try:
            return self._world.service().cancel_import(job_id, CONTEXT).status
        except WrongStatus:
            job = self._world.service().get_import(job_id, CONTEXT)
            assert job.status in TERMINAL, f"refused to cancel {job}"
            return job.status

    def _retry(self, made: ImportJob | str | None) -> None:
        assert isinstance(made, ImportJob)
        job = self._world.service().get_import(made.id, CONTEXT)
        for one in self._world.service().list_files(made.id, CONTEXT) if job.files else ():
            if one.job is not None and one.status == FAILED:
                with suppress(WrongStatus):  # it was tried again meanwhile
                    self._world.service().retry_failed_rows(one.job, CONTEXT)
        if job.files is None and job.status == FAILED:
            with suppress(WrongStatus):
                self._world.service().retry_failed_rows(made.id, CONTEXT)

    def _insist(self, label: str, who: str, work: Callable[[], R], rng: random.Random) -> R | None:
        """Again after a crash of the caller, or an error that another try may overcome."""
        for _ in range(MOST_TRIES):
            current_visit.set(self._world.visit(label, 0, who))
            try:
                return work()
            except (SimulatedCrash, TransientError, NotFound):
                self._world.scheduler.sleep(rng.uniform(0.0, 5.0))
        return None


def create_archive(label: str) -> Callable[[SimulatedImports], ImportJob]:
    """Create the job of an archive."""

    def create(world: SimulatedImports) -> ImportJob:
        context = replace(CONTEXT, request_id=label)
        return world.service().create_zip_import(BUCKET, f"imports/{label}.csv", context)

    return create


def create_file(label: str, table: str) -> Callable[[SimulatedImports], ImportJob]:
    """Create the job of a file."""

    def create(world: SimulatedImports) -> ImportJob:
        context = replace(CONTEXT, request_id=label)
        return world.service().create_csv_import(table, BUCKET, f"imports/{label}.csv", context)

    return create


def create_row(label: str, values: dict[str, str]) -> Callable[[SimulatedImports], str]:
    """Create a row on its own."""

    def create(world: SimulatedImports) -> str:
        return world.service().create_import(LASTS, values, replace(CONTEXT, request_id=label))

    return create
