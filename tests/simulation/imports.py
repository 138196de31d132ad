"""``python -m tests.simulation.imports``: imports of files under faults, many seeds at once, or one with its story.

python -m tests.simulation.imports --seeds 0:2000 --processes 2
python -m tests.simulation.imports --seed 17 --story j01
python -m tests.simulation.imports --seed 17 --shrink
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass

from handlers.store.port import Item
from local.scheduler import VIRTUAL_EPOCH
from local.states.definition.model import EXPRESS, STANDARD
from tests.simulation import command_line
from tests.simulation.command_line import Ran
from tests.simulation.import_deployment import MACHINES
from tests.simulation.import_workload import ImportWorkload
from tests.simulation.import_world import ImportSetup, SimulatedImports
from tests.simulation.plan import FaultPlan, ListedFaults, SeededFaults, rates
from tests.simulation.simulate import fewest

HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Result(Ran):
    """What a run showed. ``ends``: how often jobs and rows came to which outcome."""

    changes: int
    discarded: int
    dead: int
    ends: Counter[str]
    machines: Counter[str]
    refusals: Counter[str]
    repeats: tuple[str, ...]
    reasons: Counter[str]
    hours: float

    def report(self, command: str = "") -> str:
        """The broken promise, the story of its import, and how to see it again."""
        return super().report(command or again(self.seed))


def again(seed: int) -> str:
    """The command that shows a run again."""
    return f".venv/bin/python -m tests.simulation.imports --seed {seed} --shrink"


def draw_setup(seed: int) -> ImportSetup:
    """What is deployed."""
    rng = random.Random(f"import setup {seed}")
    return ImportSetup(
        command_workflow=(STANDARD, EXPRESS)[seed % 2],
        lanes=rng.choice((1, 4)),
        duplicate=rng.choice((0.0, 0.2)),
        delay=rng.choice((0.0, 2.0, 30.0)),
        loader_timeout=rng.choice((900.0, 60.0)),
        direct_rows=rng.choice((1_000, 4)),
    )


def draw_plan(seed: int) -> FaultPlan:
    """What goes wrong for two hours."""
    rng = random.Random(f"import plan {seed}")
    total = rng.choice((0.0, 0.001, 0.003, 0.01, 0.03))
    begin = VIRTUAL_EPOCH + rng.uniform(0.0, 60.0)
    return SeededFaults(
        seed,
        rates(total),
        until=VIRTUAL_EPOCH + 2 * HOUR,
        starts_throttled=(begin, begin + rng.choice((0.0, 0.0, 5.0, 90.0))),
        most_per_state=rng.choice((2, None)),
    )


def simulate_imports(
    seed: int,
    *,
    most: int = 16,
    refusals: bool = True,
    plan: FaultPlan | None = None,
    setup: ImportSetup | None = None,
    story_of: str | None = None,
) -> Result:
    """One run to its end, or to the first broken promise. ``most``: rows of a file at most."""
    began = time.perf_counter()
    plan = plan if plan is not None else draw_plan(seed)
    world = SimulatedImports(seed, plan, setup or draw_setup(seed))
    ImportWorkload(world, seed, most=most, refusals=refusals)
    world.run()
    if not world.watcher.violations:
        at_rest(world)
    violations = tuple(world.watcher.violations)
    subject = violations[0].entity if violations else story_of
    known = {line.entity for line in world.story.lines}
    books = world.books
    jobs = [job.row for job in books.jobs.values() if job.row is not None]
    rows = [row for job in books.jobs.values() for row in job.rows.values()] + list(books.singles.values())
    return Result(
        seed=seed,
        seconds=time.perf_counter() - began,
        violations=violations,
        faults=dict(getattr(plan, "met", {})),
        crossings=world.gate.crossings,
        commands=sum(len(entity.rows) for entity in world.watcher.entities.values()),
        changes=world.watcher.changes,
        discarded=len(world.discarded),
        dead=len(world.queue.dead),
        ends=Counter(
            [
                *(f"{_kind_of(one)} {one['status']}" for one in jobs),
                *(f"row {one.get('result', one['status'])}" for one in rows),
            ]
        ),
        machines=Counter(
            f"{one.machine.name.removeprefix('cqrs-sim-')} {one.status}"
            for arn in MACHINES.values()
            for one in world.executions.list_executions(arn)
        ),
        refusals=Counter(job["error"]["type"] for job in jobs if "error" in job),
        repeats=(*world.watcher.repeats, *books.repeats),
        reasons=Counter(row["error"]["type"] for row in rows if "error" in row),
        hours=(world.scheduler.now() - VIRTUAL_EPOCH) / HOUR,
        digest=world.story.digest(),
        story=world.story.tell(subject if subject in known else None) if subject else "",
    )


def _kind_of(job: Item) -> str:
    if "parent" in job:
        return "file of an archive"
    return "archive" if job["pk"].startswith("ZIP_") else "job"


def at_rest(world: SimulatedImports) -> None:
    """What must hold when nothing is left to do for anybody."""
    world.watcher.at_rest()
    world.books.at_rest(world.bucket.contents)
    for execution in world.running():
        world.books.broken("G4", "", f"execution {execution.name} of {execution.machine.name} waits for ever")
    if not world.queue.is_empty:
        world.books.broken("G4", "", "messages rest in the queue")


def shrink(failed: Result) -> Result:
    """Leave out faults as long as a promise of the same kind is broken."""
    kind = failed.violations[0].guarantee

    def still(faults: dict[str, str]) -> Result | None:
        again_ = simulate_imports(failed.seed, plan=ListedFaults(faults))
        return again_ if any(one.guarantee == kind for one in again_.violations) else None

    return fewest(failed, still)


def summary(results: list[Result], seconds: float) -> str:
    """The figures of many runs."""
    ends: Counter[str] = sum((one.ends + one.machines for one in results), Counter())
    refusals: Counter[str] = sum((one.refusals for one in results), Counter())
    reasons: Counter[str] = sum((one.reasons for one in results), Counter())
    return (
        f"{len(results)} seeds, {sum(one.commands for one in results)} commands, "
        f"{sum(one.crossings for one in results)} calls, {sum(len(one.faults) for one in results)} faults, "
        f"{sum(one.changes for one in results)} changes checked, {sum(one.discarded for one in results)} batches given "
        f"up, {sum(one.dead for one in results)} dead letters, "
        f"{sum(bool(one.violations) for one in results)} violations; {seconds:.0f} s\n"
        + "".join(f"  {count:6d} {end}\n" for end, count in sorted(ends.items()))
        + f"  jobs FAILED: {', '.join(f'{count} {why}' for why, count in refusals.most_common())}\n"
        + f"  rows FAILED: {', '.join(f'{count} {why}' for why, count in reasons.most_common())}\n"
    )


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if a promise was broken."""
    parser = command_line.parser_of(
        "tests.simulation.imports", __doc__, subjects="j01, s01, or an entity", site="j01@3 worker#1.2"
    )
    command_line.add_shrink(parser)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        result = simulate_imports(options.seed, plan=command_line.given_plan(options), story_of=options.story)
        if result.violations and options.shrink:
            result = shrink(result)
            sys.stdout.write(f"smaller: --faults '{command_line.faults_text(result.faults)}'\n\n")
        sys.stdout.write(f"{result.report() if result.violations else result.story}\n")
        sys.stdout.write(summary([result], result.seconds))
        return 1 if result.violations else 0
    return command_line.run_many(options, simulate_imports, again, summary)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
