"""Throughput of the embedded runtime in commands and imported rows, with all of AWS simulated by one process.

In virtual time and one thread, so waiting takes no time. Counted per second of processor time, which other programs on
the machine affect less than wall time; on an idle machine the two are nearly the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.commands import Bench
from bench.imports import ImportBench, Variant
from cli.output import table
from contract.options import FULL, TERMINAL
from contract.state_machines import EXPRESS, INLINE, STANDARD

COMMANDS = 300
ROWS = 1_000


def figures() -> tuple[object, str]:
    """Commands of each variant and rows of each kind per second of one core."""
    rates = {
        "commands, STANDARD, every status": _commands(STANDARD, FULL),
        "commands, EXPRESS, terminal statuses": _commands(EXPRESS, TERMINAL),
        "commands, INLINE, terminal statuses": _commands(INLINE, TERMINAL),
        "rows published SYNC, read model only": _rows(Variant("SYNC", custom=False)),
        "rows published ASYNC, EXPRESS": _rows(Variant("ASYNC", EXPRESS)),
    }
    rows = [(name, f"{rate:.0f}") for name, rate in rates.items()]
    return rates, table("Speed of the embedded runtime", rows, header=("", "a second of one core"))


def _commands(workflow: str, detail: str) -> float:
    """First versions of ``COMMANDS`` entities, published together."""
    with Bench(workflow, detail) as bench:
        bench.first_versions(20)
        return COMMANDS / _seconds_of(lambda: bench.first_versions(COMMANDS))


def _rows(variant: Variant) -> float:
    """The first rows of the airports file, by the Distributed Map."""
    with ImportBench(variant) as bench:
        return ROWS / _seconds_of(lambda: bench.run(ROWS))


def _seconds_of(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin
