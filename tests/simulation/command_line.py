"""What the command lines of the simulations share: which seeds, in how many processes, and what is printed of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from tests.simulation.plan import ListedFaults
from tests.simulation.watcher import Violation

#: So many seeds are handed to a process at once.
CHUNK = 5
#: So many seeds that broke a promise are printed.
MOST_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What any run shows. ``seconds`` are real ones."""

    seed: int
    seconds: float
    violations: tuple[Violation, ...]
    faults: dict[str, str]
    crossings: int
    commands: int
    digest: str
    story: str = field(repr=False, default="")

    def report(self, command: str) -> str:
        """The broken promise, the story of its subject, and ``command``, which shows it again."""
        first = self.violations[0]
        more = f" (and {len(self.violations) - 1} more)" if len(self.violations) > 1 else ""
        return f"{first}{more}\n\nThe story of {first.entity} (seed {self.seed}):\n{self.story}\n\nAgain: {command}"


R = TypeVar("R", bound=Ran)


def parser_of(module: str, text: str, *, subjects: str, site: str) -> argparse.ArgumentParser:
    """The options that all have. ``text`` is the module's; ``subjects`` and ``site`` are examples."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=text.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", help="first:end, the end left out")
    which.add_argument("--seed", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--story", metavar="SUBJECT", help=f"tell the story of one ({subjects}), whatever happened")
    parser.add_argument("--faults", help=f"just these, as printed: '{site}=crash; ...'")
    return parser


def add_shrink(parser: argparse.ArgumentParser) -> None:
    """For those that can make a failing run smaller."""
    parser.add_argument("--shrink", action="store_true", help="leave out what a violation doesn't need")


def faults_text(faults: Mapping[str, str]) -> str:
    """Listed faults for the command line."""
    return "; ".join(f"{site}={kind}" for site, kind in faults.items())


def parse_faults(text: str) -> dict[str, str]:
    """Back again."""
    pairs = (one.rpartition("=") for one in text.split(";") if one.strip())
    return {site.strip(): kind.strip() for site, _, kind in pairs}


def given_plan(options: argparse.Namespace) -> ListedFaults | None:
    """What ``--faults`` lists, None without it."""
    return None if options.faults is None else ListedFaults(parse_faults(options.faults))


def run_seeds(work: Callable[[int], R], seeds: Iterable[int], processes: int) -> list[R]:
    """Run all seeds; the results in their order."""
    if processes == 1:
        return [work(seed) for seed in seeds]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(work, seeds, chunksize=CHUNK))


def run_many(
    options: argparse.Namespace,
    work: Callable[[int], R],
    again: Callable[[int], str],
    summary: Callable[[list[R], float], str],
) -> int:
    """``--seeds``: prints the first that broke a promise, and the figures. Returns the exit code: 1 if one did."""
    first, _, end = options.seeds.partition(":")
    began = time.perf_counter()
    results = run_seeds(work, range(int(first), int(end)), options.processes)
    broken = [one for one in results if one.violations]
    for one in broken[:MOST_SHOWN]:
        sys.stdout.write(f"seed {one.seed}: {one.violations[0]}\n  {again(one.seed)}\n")
    sys.stdout.write(summary(results, time.perf_counter() - began))
    return 1 if broken else 0
