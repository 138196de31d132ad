"""The bench's committed counts, from which pages are generated; tests count again and compare.

``python -m bench.counted`` counts again. It takes some minutes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.commands import Cost
from bench.door import DoorCost, measured
from bench.imports import VARIANTS, RowCost, Variant, cost_of_a_row

FILE = Path(__file__).with_name("counted.json")


def commands() -> list[Cost]:
    """The costs of one command, a first version with one sync handler, for each workflow with full and terminal
    statuses; and of one with only the built-in target.
    """
    return [Cost(**one) for one in _read()["commands"]]


def rows() -> list[RowCost]:
    """The cost of one imported row in each variant."""
    return [RowCost(**{**one, "variant": Variant(**one["variant"])}) for one in _read()["rows"]]


def doors() -> list[DoorCost]:
    """The cost of one command published by the HTTP API, in each way."""
    return [DoorCost(**one) for one in _read()["doors"]]


def _read() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    from bench.cli import measured as of_commands  # imported here, because bench.cli imports this module

    counts = {
        "commands": [asdict(cost) for cost in of_commands()],
        "doors": [asdict(cost) for cost in measured()],
        "rows": [asdict(cost_of_a_row(variant)) for variant in VARIANTS],
    }
    FILE.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
