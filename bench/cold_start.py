"""How long a cold start of each function takes in Python alone: a fresh interpreter that imports the entry point."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRIES = 5


def entry_points() -> list[str]:
    """The modules with a Lambda handler."""
    modules = sorted((ROOT / "handlers" / "entrypoints").glob("*.py"))
    return [path.stem for path in modules if "lambda_handler(create)" in path.read_text(encoding="utf-8")]


def milliseconds(statement: str) -> float:
    """Median wall time of a new interpreter that runs ``statement``."""
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def import_milliseconds() -> dict[str, float]:
    """Entry point to milliseconds above a bare interpreter."""
    bare = milliseconds("pass")
    return {name: milliseconds(f"import handlers.entrypoints.{name}") - bare for name in entry_points()}
