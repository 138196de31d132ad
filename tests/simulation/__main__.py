"""``python -m tests.simulation``: many seeds at once with figures, or one seed with its story.

python -m tests.simulation --seeds 0:1000 --entities 20 --versions 10 --processes 2
python -m tests.simulation --seed 4711 --entities 20 --versions 10 --story e03
python -m tests.simulation --seed 4711 --entities 20 --versions 10 --shrink
python -m tests.simulation --seeds 0:1000 --mixed
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.simulation import command_line
from tests.simulation.simulate import Outcome, draw_mixed, shrink, simulate


def replay_command(seed: int, entities: int, versions: int, *, mixed: bool = False) -> str:
    """The command that shows a run again."""
    sizes = f"--entities {entities} --versions {versions}"
    return f".venv/bin/python -m tests.simulation --seed {seed} {sizes} {'--mixed' if mixed else '--shrink'}"


def work_of(entities: int, versions: int, *, mixed: bool = False) -> Callable[[int], Outcome]:
    """What many seeds do. ``mixed``: all three workflows, switched under way."""
    return partial(mix if mixed else simulate, entities=entities, versions=versions, tell=False)


def mix(seed: int, **arguments: Any) -> Outcome:
    """``simulate`` with the workflows and switches of the seed."""
    setup, switches = draw_mixed(seed)
    return simulate(seed, setup=setup, switches=switches, **arguments)


def summary(outcomes: list[Outcome], seconds: float, processes: int) -> str:
    """The figures of many runs in one line."""
    commands = sum(one.commands for one in outcomes)
    broken = [one for one in outcomes if one.violations]
    return (
        f"{len(outcomes)} seeds, {commands} commands, {sum(one.crossings for one in outcomes)} calls, "
        f"{sum(len(one.faults) for one in outcomes)} faults, {sum(one.changes for one in outcomes)} changes checked, "
        f"{sum(one.alarms for one in outcomes)} alarms, {len(broken)} violations; {seconds:.0f} s in {processes} "
        f"processes, {commands / seconds:.0f} commands/s\n"
    )


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if a guarantee was broken."""
    parser = command_line.parser_of("tests.simulation", __doc__, subjects="e01", site="e01@2 finish#1.3")
    command_line.add_shrink(parser)
    parser.add_argument("--mixed", action="store_true", help="the three workflows, switched in mid-run")
    parser.add_argument("--entities", type=int, default=20)
    parser.add_argument("--versions", type=int, default=10)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _one(options)
    return command_line.run_many(
        options,
        work_of(options.entities, options.versions, mixed=options.mixed),
        lambda seed: replay_command(seed, options.entities, options.versions, mixed=options.mixed),
        lambda outcomes, seconds: summary(outcomes, seconds, options.processes),
    )


def _one(options: argparse.Namespace) -> int:
    command = replay_command(options.seed, options.entities, options.versions, mixed=options.mixed)
    sizes = {"entities": options.entities, "versions": options.versions}
    run = mix if options.mixed else simulate
    outcome = run(options.seed, **sizes, plan=command_line.given_plan(options), story_of=options.story)
    if not outcome.violations:
        sys.stdout.write(f"{outcome.story}\n" if options.story else "")
        sys.stdout.write(f"seed {options.seed}: {outcome.commands} commands, no violation\n")
        return 0
    if options.shrink and not options.mixed:
        outcome, names = shrink(outcome, entities=options.entities, versions=options.versions)
        sys.stdout.write(
            f"smaller: entities {', '.join(names)}; --faults '{command_line.faults_text(outcome.faults)}'\n\n"
        )
    sys.stdout.write(outcome.report(command) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
