"""How fast a file of the sample is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import csv_reading
from tests.unit.handlers.imports.quirks import Outcome, read


def test_a_pass_over_a_file_takes_the_same_time_per_row_whatever_its_shape(tmp_path: Path) -> None:
    """The benchmark's own file is one that the Map reads itself, and its rows are valid."""
    csv_reading.generate(tmp_path / "a.csv", 3_000)
    outcome: Outcome = read((tmp_path / "a.csv").read_bytes())
    assert outcome.inspection.is_direct
    assert (outcome.inspection.rows, outcome.invalid) == (3_000, [])


@pytest.mark.slow
def test_imp_14_a_million_rows(tmp_path: Path) -> None:
    figures = {rows: csv_reading.measured("look", rows, tmp_path) for rows in csv_reading.SIZES}
    kinds = ("prepare", "batches")
    per_row = {kind: csv_reading.measured(kind, csv_reading.PREPARED_ROWS, tmp_path) for kind in kinds}
    measured = [{"work": "look", **one} for one in figures.values()]
    measured += [{"work": kind, **one} for kind, one in per_row.items()]
    print(csv_reading.text(measured))
    largest, middle = figures[1_000_000], figures[100_000]
    assert largest["bytes"] > 100e6
    assert largest["peakBytes"] < 200e6
    assert largest["rows"] / largest["seconds"] > 150_000
    assert largest["seconds"] / middle["seconds"] < 20, "linear: ten times the rows"
    assert all(one["rows"] / one["seconds"] > 20_000 for one in per_row.values())
