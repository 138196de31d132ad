"""Counts anew what ``bench/counted.json`` has: ``python -m bench.counting``. It takes some minutes."""

from __future__ import annotations

import json
from dataclasses import asdict

from bench.cli import MEASURED
from bench.cli import VARIANTS as OF_COMMANDS
from bench.commands import Bench, Cost
from bench.counted import FILE
from bench.imports import VARIANTS as OF_ROWS
from bench.imports import cost_of_a_row


def _command(workflow: str, detail: str) -> Cost:
    with Bench(workflow, detail) as bench:
        return bench.first_versions(MEASURED)


if __name__ == "__main__":
    counts = {
        "commands": [asdict(_command(*variant)) for variant in OF_COMMANDS],
        "rows": [asdict(cost_of_a_row(variant)) for variant in OF_ROWS],
    }
    FILE.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
