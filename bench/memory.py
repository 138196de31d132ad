"""Memory of the embedded runtime while it processes commands: it should grow with the stored rows only."""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path

from bench.commands import Bench
from cli.output import table
from contract.options import FULL
from contract.state_machines import STANDARD

ROUNDS = 6
COMMANDS_A_ROUND = 500
MEGABYTE = 1024 * 1024


def figures() -> tuple[object, str]:
    """Megabytes of the process after each round of commands, each the first version of an entity, and KB per command of
    that round. The first rounds also fill what is bounded (histories, stream records, caches).
    """
    with Bench(STANDARD, FULL) as bench:
        bench.first_versions(1)
        gc.collect()
        before = resident_bytes()
        rounds = []
        for number in range(1, ROUNDS + 1):
            bench.first_versions(COMMANDS_A_ROUND)
            gc.collect()
            rounds.append((number * COMMANDS_A_ROUND, (resident_bytes() - before) / MEGABYTE))
    grown_by = [grown - before for (_, grown), (_, before) in zip(rounds, [(0, 0.0), *rounds], strict=False)]
    rows = [
        (f"{commands:,}", f"{grown:.0f}", f"{added * 1024 / COMMANDS_A_ROUND:.0f}")
        for (commands, grown), added in zip(rounds, grown_by, strict=True)
    ]
    header = ("commands", "MB more than before", "KB per command of the round")
    return {"rounds": rounds}, table("Memory of the embedded runtime", rows, header=header)


def resident_bytes() -> int:
    """Memory in use by this process; on systems without /proc its peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
