"""The copied data is what its licence note says."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from handlers.core.errors import ValidationError
from tests.modules.airports import airport_input

DATA = Path(__file__).parents[2] / "data"


def test_airports_are_unchanged() -> None:
    digest = hashlib.sha256((DATA / "airports.csv").read_bytes()).hexdigest()
    assert digest == "516c57d9d999f7a3be28ca649d2badbe3b972f07e57dc6173ab973b72d51cf52"
    assert digest in (DATA / "README.md").read_text()
    assert "MIT License" in (DATA / "LICENSE-airportsdata.txt").read_text()


def test_every_row_but_13_is_a_valid_command() -> None:
    refused = []
    with (DATA / "airports.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        try:
            airport_input(row).checked()
        except ValidationError as error:
            refused.append((row["icao"], error.field))
    assert len(rows) == 28_298
    assert len(refused) == 13
    assert all(icao.startswith("_") and field == "icao" for icao, field in refused)
