"""``python -m tests.simulation.workflows``: the sample workflows under faults, many seeds or one with its story.

python -m tests.simulation.workflows --seeds 0:2000 --processes 2
python -m tests.simulation.workflows --seed 4 --story r01
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass

from local.scheduler import VIRTUAL_EPOCH
from local.states.definition.model import EXPRESS, STANDARD
from tests.simulation import command_line
from tests.simulation.command_line import Ran
from tests.simulation.plan import FaultPlan, SeededFaults, rates
from tests.simulation.sites import PERMANENT
from tests.simulation.workflow_workload import BALANCE, LastingOperator, WorkflowWorkload
from tests.simulation.workflow_world import ARNS, SimulatedWorkflows
from tests.simulation.world import Setup

#: The platform's own errors, which end an execution that nothing catches once its retries are used up.
PLATFORM = ("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "Lambda.TooManyRequestsException")
HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Result(Ran):
    """What a run showed. ``ends``: how often each workflow ended how."""

    log_lines: int
    ends: Counter[str]

    def report(self, command: str = "") -> str:
        """The broken promise, the story of its subject, and how to see it again."""
        return super().report(command or again(self.seed))


def again(seed: int) -> str:
    """The command that shows a run again."""
    return f".venv/bin/python -m tests.simulation.workflows --seed {seed}"


def draw_setup(seed: int) -> Setup:
    """What is deployed."""
    rng = random.Random(f"workflow setup {seed}")
    return Setup(
        command_workflow=(STANDARD, EXPRESS)[seed % 2],
        lanes=rng.choice((1, 4)),
        duplicate=rng.choice((0.0, 0.2)),
        delay=rng.choice((0.0, 2.0, 30.0)),
    )


def draw_plan(seed: int) -> FaultPlan:
    """What goes wrong: for two hours, or until the last approvals have expired."""
    rng = random.Random(f"workflow plan {seed}")
    total = rng.choice((0.0, 0.001, 0.003, 0.01, 0.03))
    begin = VIRTUAL_EPOCH + rng.uniform(0.0, 60.0)
    return SeededFaults(
        seed,
        # In some runs the ledger refuses many commands: steps fail in the pipeline, undos too.
        {**rates(total), **rng.choice(({}, {PERMANENT: 0.1}))},
        until=VIRTUAL_EPOCH + rng.choice((2 * HOUR, 26 * HOUR)),
        starts_throttled=(begin, begin + rng.choice((0.0, 0.0, 5.0, 90.0))),
        most_per_state=rng.choice((2, None)),
    )


def simulate_workflows(
    seed: int,
    *,
    transfers: int = 4,
    approvals: int = 3,
    others: int = 1,
    plan: FaultPlan | None = None,
    story_of: str | None = None,
) -> Result:
    """One run to its end, or to the first broken promise."""
    began = time.perf_counter()
    plan = plan if plan is not None else draw_plan(seed)
    world = SimulatedWorkflows(seed, plan, draw_setup(seed))
    workload = WorkflowWorkload(world, seed, transfers=transfers, approvals=approvals, others=others)
    LastingOperator(world, seed, hours=60.0)
    world.run()
    if not world.watcher.violations:
        _at_rest(world, workload)
    violations = tuple(world.watcher.violations)
    subject = violations[0].entity if violations else story_of
    known = {line.entity for line in world.story.lines}
    return Result(
        seed=seed,
        seconds=time.perf_counter() - began,
        violations=violations,
        faults=dict(getattr(plan, "met", {})),
        crossings=world.gate.crossings,
        commands=sum(len(entity.rows) for entity in world.watcher.entities.values()),
        log_lines=world.books.lines,
        ends=Counter(f"{name} {end}" for name in ARNS for end in _ends(world, name).values()),
        digest=world.story.digest(),
        story=world.story.tell(subject if subject in known else None) if subject else "",
    )


def _ends(world: SimulatedWorkflows, name: str) -> dict[str, str]:
    """Status and error of a workflow's executions, by the id that each was started with."""
    return {
        world.subject(one.name): one.status if one.error is None else f"{one.status} {one.error}"
        for one in world.ended(name)
    }


def _at_rest(world: SimulatedWorkflows, workload: WorkflowWorkload) -> None:
    """What must hold when nothing is left to do for anybody."""
    books = world.books
    for one in world.running():
        books.broken("G4", world.subject(one.name), "the execution waits for ever")
    world.watcher.at_rest(everything_done=True)
    for request in books.asked:
        ends = {
            world.subject(one.name): one.status for one in world.ended("transfer") if one.input["requestId"] == request
        }
        books.transfer_at_rest(request, ends)
    balances = books.balances()
    for place in (0, 1):
        total = sum(both[place] for both in balances.values() if both[place] is not None)
        opened = sum(both[place] is not None for both in balances.values())
        if total != BALANCE * opened:
            books.broken("SAGA-03", "all", f"{total} in {opened} accounts, opened with {BALANCE} each: {balances}")
    for one in world.ended("approval"):
        books.approval_at_rest(world.subject(one.name), one.status, one.error)
    books.answers_at_rest()
    for one in world.ended("three_steps"):
        subject = world.subject(one.name)
        numbers = workload.sums[subject]
        right = {"count": len(numbers), "sum": sum(numbers), "mean": sum(numbers) / len(numbers)}
        if one.output != (right if one.status == "SUCCEEDED" else None):
            books.broken("WF-01", subject, f"{numbers} became {one.output}")
        if one.status == "FAILED" and one.error not in PLATFORM:
            books.broken("WF-01", subject, f"it FAILED with {one.error}")
    for one in world.ended("beats"):
        subject = world.subject(one.name)
        answered = workload.beaten.get(subject)
        if one.status == "SUCCEEDED" and answered is None:
            books.broken("WF-06", subject, "SUCCEEDED without an answer")
        if one.status == "SUCCEEDED" and one.output != {"answer": subject}:
            books.broken("WF-06", subject, f"the answer became {one.output}")


def summary(results: list[Result], seconds: float) -> str:
    """The figures of many runs."""
    ends: Counter[str] = sum((one.ends for one in results), Counter())
    return (
        f"{len(results)} seeds, {ends.total()} executions, {sum(one.commands for one in results)} commands, "
        f"{sum(one.crossings for one in results)} calls, {sum(len(one.faults) for one in results)} faults, "
        f"{sum(one.log_lines for one in results)} log lines read, "
        f"{sum(bool(one.violations) for one in results)} violations; {seconds:.0f} s\n"
        + "".join(f"  {count:6d} {end}\n" for end, count in sorted(ends.items()))
    )


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if a promise was broken."""
    parser = command_line.parser_of(
        "tests.simulation.workflows", __doc__, subjects="r01, p01, s01, b01, or an account", site="r01@0 credit#1.3"
    )
    options = parser.parse_args(arguments)
    if options.seed is not None:
        result = simulate_workflows(options.seed, plan=command_line.given_plan(options), story_of=options.story)
        sys.stdout.write(f"{result.report() if result.violations else result.story}\n")
        sys.stdout.write(summary([result], result.seconds))
        return 1 if result.violations else 0
    return command_line.run_many(options, simulate_workflows, again, summary)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
