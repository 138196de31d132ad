"""Each awkward CSV file has the outcome that its table gives (README of the files, ``expected.json``)."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pytest

from handlers.imports.errors import ImportRefused
from handlers.imports.files.limits import CsvLimits
from tests.unit.handlers.imports.quirks import EXPECTED, QUIRKS, quirk, read

#: Files that are refused whole, with the message.
REFUSED = {
    "empty.csv": "the file is empty",
    "duplicate_header.csv": "column 'name' is in the header more than once",
}
#: Here rows are as wide as the header, or shorter: absent values at the end are empty, extra ones are an error.
STRICT_WIDTH = ("long_rows.csv",)
CSV_FILES = sorted(name for name in EXPECTED if name.endswith(".csv"))
READ = [name for name in CSV_FILES if name not in REFUSED and name != "big_field.csv"]


def test_the_files_are_unchanged() -> None:
    assert {path.name for path in QUIRKS.iterdir()} - {"README.md", "expected.json", "LICENSE-airportsdata.txt"} == set(
        EXPECTED
    )
    for name, expected in EXPECTED.items():
        content = (QUIRKS / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (expected["bytes"], expected["sha256"]), name
    assert "MIT License" in (QUIRKS / "LICENSE-airportsdata.txt").read_text()


@pytest.mark.parametrize("name", READ)
def test_imp_02_rows_and_valid_rows_are_those_of_the_table(name: str) -> None:
    expected = EXPECTED[name]
    outcome = quirk(name)
    assert outcome.inspection.rows == expected["rows_total"]
    assert outcome.inspection.header[0] == expected["first_header"]
    assert outcome.inspection.encoding.removesuffix("-sig") == expected["encoding"]
    assert outcome.inspection.delimiter == expected["delimiter"]
    valid = expected["rows_valid_strict_width" if name in STRICT_WIDTH else "rows_valid"]
    assert outcome.inspection.rows - len(outcome.invalid) == valid
    if name not in STRICT_WIDTH:
        assert outcome.invalid == [number for number, _ in expected["invalid_rows"]]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_imp_02_a_file_without_usable_header_is_refused(name: str) -> None:
    assert EXPECTED[name]["clear_error"] == "yes"
    with pytest.raises(ImportRefused, match=REFUSED[name]):
        quirk(name)


def test_imp_02_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert quirk("utf8_bom.csv").inspection.header[0] == "icao"


def test_imp_02_carriage_returns_are_no_part_of_a_value() -> None:
    assert not any("\r" in value for record in quirk("crlf.csv").records for value in record.values)


def test_imp_02_line_ends_in_quotes_are_kept_and_lines_are_physical() -> None:
    outcome = quirk("quoted_newline.csv")
    expected = list(csv.reader(io.StringIO((QUIRKS / "quoted_newline.csv").read_bytes().decode(), newline="")))
    assert [record.values for record in outcome.records] == expected[1:]
    assert "\r\n" in "".join(outcome.records[10].values)
    assert "\n\n" in "".join(outcome.records[24].values)
    lines = (QUIRKS / "quoted_newline.csv").read_bytes().decode().replace("\r\n", "\n").split("\n")
    for record in outcome.records:
        assert record.values[0] in lines[record.line - 1]


def test_imp_02_cp932_is_read_as_windows_writes_it() -> None:
    outcome = quirk("cp932.csv")
    assert outcome.row(1)["name"] == "東京駅"
    text = "".join(value for record in outcome.records for value in record.values)
    assert all(character in text for character in "髙﨑①\uff5e")
    assert "\ufffd" not in text


def test_imp_02_cp932_named_as_utf_8_is_refused() -> None:
    with pytest.raises(ImportRefused, match="the file is not UTF-8 throughout"):
        quirk("cp932.csv", encoding="UTF-8")


def test_imp_02_absent_values_are_empty() -> None:
    outcome = quirk("short_rows.csv")
    assert outcome.row(5)["lid"] == ""
    assert outcome.problems[30].startswith("InvalidValue: country: '' is not allowed")


def test_imp_02_extra_values_are_an_error_and_shift_nothing() -> None:
    outcome = quirk("long_rows.csv")
    assert outcome.invalid == [2, 12, 20, 21, 33, 50]
    assert outcome.problems[2] == "TooManyValues: 12 values, but the header names 11 columns"


def test_imp_05_the_last_of_repeated_keys_wins() -> None:
    outcome = quirk("duplicate_keys.csv")
    last = {}
    for number in outcome.prepared:
        if number not in outcome.superseded:
            last[outcome.row(number)["icao"]] = outcome.row(number)["name"]
    assert len(last) == EXPECTED["duplicate_keys.csv"]["unique_keys"] == 30
    assert last["00AA"] == "Aero B Ranch Airport"
    assert all(last[key].endswith("(rev 3)") for key in ("00AK", "00AL", "00AN", "00AR"))
    assert all(last[key].endswith("(rev 2)") for key in ("00AS", "00CA", "00CL", "00FA"))
    keys = {record.number: record.values[0] for record in outcome.records}
    assert all(keys[number] == keys[winner] and number < winner for number, winner in outcome.superseded.items())
    assert not set(outcome.superseded.values()) & set(outcome.superseded)


def test_imp_02_each_bad_value_is_reported_with_its_column() -> None:
    columns = {3: "icao", 9: "name", 14: "country", 20: "lat", 26: "lat", 31: "lon", 37: "elevation", 43: "icao"}
    columns.update({50: "country", 58: "lat"})
    problems = quirk("bad_values.csv").problems
    assert {number: text.split(": ")[1] for number, text in problems.items()} == columns


def test_imp_02_backslashes_are_ordinary_characters() -> None:
    outcome = quirk("backslash.csv")
    expected = list(csv.reader(io.StringIO((QUIRKS / "backslash.csv").read_text(encoding="utf-8"), newline="")))
    assert [record.values for record in outcome.records] == expected[1:]
    assert sum(record.values[-1].endswith("\\") for record in outcome.records) >= 2


def test_imp_17_formulas_are_kept_in_the_data() -> None:
    names = [record.values[2] for record in quirk("formula.csv").records]
    assert {name[0] for name in names} >= set("=+-@\t")


def test_imp_02_blank_lines_are_no_rows_and_lines_are_physical() -> None:
    outcome = quirk("blank_lines.csv")
    lines = (QUIRKS / "blank_lines.csv").read_text(encoding="utf-8").split("\n")
    assert all(lines[record.line - 1].startswith(f"{record.values[0]},") for record in outcome.records)
    assert outcome.records[-1].line - 1 > outcome.records[-1].number


def test_imp_02_10_a_large_value_fails_its_row_and_no_other() -> None:
    outcome = quirk("big_field.csv")
    assert outcome.invalid == [10]
    assert "at most 190000 are imported" in outcome.problems[10]
    whole = quirk("big_field.csv", limits=CsvLimits(row_bytes=400_000))
    assert whole.invalid == []
    assert len(whole.row(10)["city"]) == 300_001
    assert whole.row(10)["city"].endswith("Z")


def test_imp_02_a_value_beyond_all_limits_refuses_the_file() -> None:
    with pytest.raises(ImportRefused, match="line 11: a value is longer than the limit of 1000 characters"):
        quirk("big_field.csv", limits=CsvLimits(field_chars=1000))


def test_the_airports_file_is_read_whole() -> None:
    outcome = read((Path(__file__).parents[4] / "data" / "airports.csv").read_bytes())
    assert outcome.inspection.is_direct
    assert outcome.inspection.rows == 28_298
    assert len(outcome.invalid) == 13
