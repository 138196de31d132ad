"""What the bench counted, committed: pages are computed from it, and tests count again and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.commands import Cost
from bench.imports import RowCost, Variant

FILE = Path(__file__).with_name("counted.json")


def commands() -> list[Cost]:
    """Of one command, a first version with one sync handler: each workflow, with full and terminal statuses; and of one
    with the built-in target alone.
    """
    return [Cost(**one) for one in _read()["commands"]]


def rows() -> list[RowCost]:
    """Of one imported row, in each variant."""
    return [RowCost(**{**one, "variant": Variant(**one["variant"])}) for one in _read()["rows"]]


def _read() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
