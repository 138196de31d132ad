"""Counts anew what ``bench/counted.json`` has: ``python -m bench.counting``. It takes some minutes."""

from __future__ import annotations

import json
from dataclasses import asdict

from bench.cli import measured
from bench.counted import FILE
from bench.imports import VARIANTS as OF_ROWS
from bench.imports import cost_of_a_row

if __name__ == "__main__":
    counts = {
        "commands": [asdict(cost) for cost in measured()],
        "rows": [asdict(cost_of_a_row(variant)) for variant in OF_ROWS],
    }
    FILE.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
