"""``python -m tests.simulation``: many seeds at once with figures, or one seed with its story.

python -m tests.simulation --seeds 0:1000 --entities 20 --versions 10 --processes 2
python -m tests.simulation --seed 4711 --entities 20 --versions 10 --story e03
python -m tests.simulation --seed 4711 --entities 20 --versions 10 --shrink
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.plan import ListedFaults
from tests.simulation.simulate import Outcome, shrink, simulate

CHUNK = 5


def replay_command(seed: int, entities: int, versions: int) -> str:
    """The command that shows a run again."""
    return f".venv/bin/python -m tests.simulation --seed {seed} --entities {entities} --versions {versions} --shrink"


def faults_text(faults: Mapping[str, str]) -> str:
    """Listed faults for the command line."""
    return "; ".join(f"{site}={kind}" for site, kind in faults.items())


def parse_faults(text: str) -> dict[str, str]:
    """Back again."""
    pairs = (one.rpartition("=") for one in text.split(";") if one.strip())
    return {site.strip(): kind.strip() for site, _, kind in pairs}


def run_seeds(seeds: list[int], entities: int, versions: int, processes: int) -> list[Outcome]:
    """Run all seeds; the outcomes in their order."""
    work = partial(simulate, entities=entities, versions=versions, tell=False)
    if processes == 1:
        return [work(seed) for seed in seeds]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(work, seeds, chunksize=CHUNK))


def summary(outcomes: list[Outcome], seconds: float, processes: int) -> str:
    """The figures of many runs in one line."""
    commands = sum(one.commands for one in outcomes)
    broken = [one for one in outcomes if one.violations]
    return (
        f"{len(outcomes)} seeds, {commands} commands, {sum(one.crossings for one in outcomes)} calls, "
        f"{sum(len(one.faults) for one in outcomes)} faults, {sum(one.changes for one in outcomes)} changes checked, "
        f"{sum(one.alarms for one in outcomes)} alarms, {len(broken)} violations; {seconds:.0f} s in {processes} "
        f"processes, {commands / seconds:.0f} commands/s"
    )


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if a guarantee was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", help="first:end, the end left out")
    which.add_argument("--seed", type=int)
    parser.add_argument("--entities", type=int, default=20)
    parser.add_argument("--versions", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--story", metavar="ENTITY", help="tell the story of one entity, whatever happened")
    parser.add_argument("--faults", help="just these, as printed: 'e01@2 finish#1.3=crash; ...'")
    parser.add_argument("--shrink", action="store_true", help="leave out what a violation doesn't need")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _one(options)
    first, _, end = options.seeds.partition(":")
    began = time.perf_counter()
    outcomes = run_seeds(list(range(int(first), int(end))), options.entities, options.versions, options.processes)
    for broken in [one for one in outcomes if one.violations][:5]:
        sys.stdout.write(f"seed {broken.seed}: {broken.violations[0]}\n")
        sys.stdout.write(f"  {replay_command(broken.seed, options.entities, options.versions)}\n")
    sys.stdout.write(summary(outcomes, time.perf_counter() - began, options.processes) + "\n")
    return 1 if any(one.violations for one in outcomes) else 0


def _one(options: argparse.Namespace) -> int:
    command = replay_command(options.seed, options.entities, options.versions)
    plan = None if options.faults is None else ListedFaults(parse_faults(options.faults))
    sizes = {"entities": options.entities, "versions": options.versions}
    outcome = simulate(options.seed, **sizes, plan=plan, story_of=options.story)
    if not outcome.violations:
        sys.stdout.write(f"{outcome.story}\n" if options.story else "")
        sys.stdout.write(f"seed {options.seed}: {outcome.commands} commands, no violation\n")
        return 0
    if options.shrink:
        outcome, names = shrink(outcome, entities=options.entities, versions=options.versions)
        sys.stdout.write(f"smaller: entities {', '.join(names)}; --faults '{faults_text(outcome.faults)}'\n\n")
    sys.stdout.write(outcome.report(command) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
