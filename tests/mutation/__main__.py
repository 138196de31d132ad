"""``python -m tests.mutation``: breaks ``handlers/`` in many small ways and shows which test notices.

    python -m tests.mutation --count 200 --seed 1      a sample; ./cqrs test --mutants 200
    python -m tests.mutation --count 200 --seconds 600 goes on where the last call stopped, for ten minutes
    python -m tests.mutation --only commands/publish   the mutants whose description holds this text
    python -m tests.mutation --list --count 20         shows them and breaks nothing

Verdicts are kept in ``.local/mutation``: a catch holds until the mutated file or the test that caught it changes; a
survivor is tried again in each run.
"""

from __future__ import annotations

import argparse
import hashlib
import signal
import sys
import time
from collections.abc import Sequence
from itertools import islice

from tests.mutation.equivalents import Equivalent, equivalents, stale
from tests.mutation.line_map import ROOT, measured
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trials import Trials, Verdict
from tests.mutation.verdicts import KeptVerdicts

#: Of the mutants that are tried out, so many must be caught.
NEEDED = 0.97


def all_mutants() -> list[Mutant]:
    """Of each module in ``handlers/``."""
    paths = sorted((ROOT / "handlers").rglob("*.py"))
    return [
        mutant
        for path in paths
        for mutant in mutants_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them, in an order that the seed decides: a smaller sample is the beginning of a larger one.

    The order is that of a hash of each mutant, so a change of the source moves no others in or out.
    """

    def place(mutant: Mutant) -> bytes:
        return hashlib.sha256("\0".join((str(seed), *mutant.key)).encode()).digest()

    return list(islice((one for one in sorted(mutants, key=place) if one.compiles), count))


def table(verdicts: Sequence[Verdict], left_out: int) -> str:
    """Survivors with their change, and the score."""
    survivors = [one for one in verdicts if not one.caught]
    lines = [f"survived  {one.mutant}" for one in survivors]
    caught = len(verdicts) - len(survivors)
    lines.append(
        f"{caught} of {len(verdicts)} mutants caught ({score(verdicts):.1%}); {left_out} more change nothing "
        "that can be seen (tests/mutation/equivalents.toml)"
    )
    endless = [one for one in verdicts if one.ran_out_of_time]
    if endless:
        lines += [f"ran out of time  {one.mutant}" for one in endless]
        lines.append(f"{len(endless)} of them failed no test, but didn't end; if the machine was busy, try those again")
    return "\n".join(lines)


def score(verdicts: Sequence[Verdict]) -> float:
    """The part that was caught; 1 if nothing was tried out."""
    return sum(one.caught for one in verdicts) / len(verdicts) if verdicts else 1.0


def split(chosen: Sequence[Mutant], listed: Sequence[Equivalent]) -> tuple[list[Mutant], int]:
    """Those to try out, and how many are left out as equivalent."""
    known = {one.key for one in listed}
    kept = [one for one in chosen if one.key not in known]
    return kept, len(chosen) - len(kept)


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if too many mutants went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="how many mutants (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="decides which ones (default: 1)")
    parser.add_argument("--only", default="", help="those whose file, function or change holds this text")
    parser.add_argument("--seconds", type=float, help="begin no mutant after so many seconds")
    parser.add_argument("--list", action="store_true", help="show them and break nothing")
    options = parser.parse_args(arguments)
    mutants, listed = all_mutants(), equivalents()
    for entry in stale(listed, mutants):
        print(f"no longer fits the source, so it counts for nothing: {entry.file} {entry.function} {entry.before}")
    chosen = sample([one for one in mutants if options.only in str(one)], options.count, options.seed)
    tried, left_out = split(chosen, listed)
    if options.list:
        print("\n".join(map(str, tried)))
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that no test is left running
    verdicts = _verdicts(tried, options.seconds)
    if len(verdicts) < len(tried):
        print(f"stopped after {len(verdicts)} of {len(tried)}; the same call goes on")
    print(table(verdicts, left_out))
    return 0 if score(verdicts) >= NEEDED else 1


def _verdicts(mutants: Sequence[Mutant], seconds: float | None) -> list[Verdict]:
    verdicts: list[Verdict] = []
    kept = KeptVerdicts()
    coverage = measured()
    began = time.monotonic()
    with Trials(coverage) as trials:
        for number, mutant in enumerate(mutants, start=1):
            verdict = kept.of(mutant)
            if verdict is None:
                if seconds is not None and time.monotonic() - began > seconds:
                    continue
                verdict = trials.verdict(mutant)
                kept.add(verdict)
                by = verdict.by.removeprefix("tests/") or "SURVIVED"
                print(f"{number}/{len(mutants)} {verdict.seconds:5.1f} s  {by}  {mutant}", flush=True)
            verdicts.append(verdict)
    return verdicts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
