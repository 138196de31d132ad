"""How fast a file of the sample is read."""

from __future__ import annotations

import csv
import time
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


#: How many times as long as ``csv.DictReader`` a row may take, on whatever machine: about three times what it took.
MOST_TIMES = {"look": 4, "prepare": 40, "batches": 60}


def seconds_of_dict_reader(folder: Path) -> float:
    """The least processor time of a row, of five passes over the same file."""
    path, times = folder / f"{csv_reading.PREPARED_ROWS}.csv", []
    for _ in range(5):
        with path.open(encoding="utf-8", newline="") as file:
            begin = time.process_time()
            rows = sum(1 for _ in csv.DictReader(file))
            times.append((time.process_time() - begin) / rows)
    return min(times)


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
    assert largest["seconds"] / middle["seconds"] < 20, "linear: ten times the rows"
    times = {kind: one["seconds"] / one["rows"] / seconds_of_dict_reader(tmp_path) for kind, one in per_row.items()}
    times["look"] = largest["seconds"] / largest["rows"] / seconds_of_dict_reader(tmp_path)
    print({kind: round(one, 1) for kind, one in times.items()})
    assert {kind for kind, one in times.items() if one > MOST_TIMES[kind]} == set()
