"""``python -m tests.fuzzing --requests 10000 --seed 1``: fuzz the API; exit code 1 if something was found."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzzing.fuzzing import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    report = fuzz(options.requests, options.seed)
    for label, text in report.failures.items():
        print(f"{label}\n{text}\n")
    statuses = ", ".join(f"{status}: {number}" for status, number in sorted(report.statuses.items()))
    print(f"{report.requests} requests in {time.monotonic() - begun:.0f} s; {statuses}")
    print(f"{report.refused} refused; all tables, objects and executions compared after each")
    print(f"{len(report.failures)} failures")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
