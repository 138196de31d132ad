"""Strategies are found by explicit names; what is wrong with one stops the start."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.commands.model import Command, CommandInput
from handlers.core.errors import RegistryError, TransientError, ValidationError
from handlers.imports.files.csv_reader import row_of
from handlers.imports.files.layout import Layout
from handlers.imports.rows.preparation import prepare
from handlers.imports.strategy import (
    CHANGED,
    EQUAL,
    NOT_EXIST,
    ImportStrategy,
    Row,
    import_strategy,
    load_import_tables,
)
from tests.unit.handlers.imports.quirks import AIRPORTS


class Things(ImportStrategy):
    def map(self, row: Row) -> CommandInput:
        if row["name"] == "broken":
            raise KeyError("a defect of the strategy")
        return CommandInput("THING", row["id"], row["name"], {"n": float(row["id"])})


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("made_")]:
        del sys.modules[name]


def module(name: str, *classes: type) -> str:
    made = types.ModuleType(name)
    for cls in classes:
        cls.__module__ = name
        setattr(made, cls.__name__, cls)
    sys.modules[name] = made
    return name


def strategy(name: str, base: type = Things, table: Any = "things", **layout: Any) -> type:
    cls: type = type(name, (base,), {})
    return import_strategy(table, **{"columns": ("id", "name"), "key": ("id",), **layout})(cls)


def load(*names: str) -> Any:
    return load_import_tables(names, {"store": None, "clock": None})


def test_strategies_are_found_by_table() -> None:
    tables = load(module("made_a", strategy("A"), strategy("B", table="other")))
    assert tables.names == ["other", "things"]
    assert tables.of("things").layout == Layout("things", ("id", "name"), ("id",))
    with pytest.raises(ValidationError, match="tableName: 'thing' is not allowed; expected one of other, things"):
        tables.of("thing")


def test_a_table_has_one_strategy() -> None:
    module("made_a", strategy("A"))
    module("made_b", strategy("B"))
    with pytest.raises(RegistryError, match=r"made_b\.B: import table 'things' is already used by made_a\.A"):
        load("made_a", "made_b")


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"table": "Things"}, "import table 'Things' is not allowed"),
        ({"table": "a#b"}, "import table 'a#b' is not allowed"),
        ({"publish": "BOTH"}, "publish 'BOTH' is not allowed; expected one of ASYNC, SYNC"),
        ({"on_duplicate": "first"}, "on_duplicate 'first' is not allowed; expected one of last, reject"),
        ({"columns": ["id"]}, r"columns \['id'\] is not allowed"),
        ({"columns": ("id", "id")}, "column 'id' is named twice"),
        ({"optional": ("__line",)}, "column '__line' is named twice, or is one of the import's own"),
        ({"key": ()}, r"key \(\) is not allowed"),
        ({"key": ("nr",)}, r"key \('nr',\) is not allowed"),
        ({"base": object}, r"an import strategy is an ImportStrategy with a method map\(row\)"),
        ({"optional": ("message", "row", "line", "code")}, r"row, line, code, message can't all be optional"),
        ({"base": ImportStrategy}, r"an import strategy is an ImportStrategy with a method map\(row\)"),
    ],
)
def test_wrong_layouts_stop_the_start(layout: dict[str, Any], message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        load(module("made_a", strategy("A", **layout)))


def latest(**changes: Any) -> Command:
    row: dict[str, Any] = dict.fromkeys(("id", "code", "created_at", "created_by", "created_ip", "source"), "")
    row.update(dict.fromkeys(("updated_at", "updated_by", "updated_ip"), ""))
    fields: dict[str, Any] = {"name": "a", "attributes": {"n": 1}, "is_deleted": False, **changes}
    return Command(pk="TENANT#t1", sk="THING#1@0000000001", type="THING", version=1, tenant_code="t1", **row, **fields)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, NOT_EXIST),
        (latest(), EQUAL),
        (latest(name="b"), CHANGED),
        (latest(attributes={"n": 2}), CHANGED),
        (latest(attributes={"n": True}), CHANGED),
        (latest(is_deleted=True), CHANGED),
        (latest(seq=1), CHANGED),
    ],
)
def test_compare_with_the_latest(stored: Command | None, expected: str) -> None:
    assert Things().compare(stored, Things().map({"id": "1", "name": "a"})) == expected


def test_a_row_is_transformed_validated_and_mapped() -> None:
    class Upper(Things):
        def transform(self, row: Row) -> Row:
            return {**row, "name": row["name"].upper()}

        def validate(self, row: Row) -> None:
            if row["name"] == "NO":
                raise ValidationError("name", row["name"], "another one")

    layout = Layout("things", ("id", "name"), ("id",), optional=("note",))
    row = row_of(["name", "id"], ["a", "1"], layout)
    assert row == {"note": "", "name": "a", "id": "1"}
    one = prepare(row, Upper())
    assert one.given is not None
    assert (one.given.name, one.problem) == ("A", None)
    refused = prepare({"id": "1", "name": "no"}, Upper())
    assert refused.given is None
    assert refused.problem is not None
    assert refused.problem.message == "name: 'NO' is not allowed; expected another one"


def test_what_a_strategy_makes_is_checked() -> None:
    problem = prepare({"id": "1", "name": "x" * 2_000}, Things()).problem
    assert problem is not None
    assert problem.message.startswith("name: ")


def test_edge_24_what_each_try_would_raise_is_the_rows_problem_at_once() -> None:
    class Reads(Things):
        def transform(self, row: Row) -> Row:
            return {**row, "note": str(float(row["note"]))}

    missing = prepare({"id": "1", "name": "broken"}, Reads()).problem
    no_number = prepare({"id": "1", "name": "a", "note": "free"}, Reads()).problem
    assert missing is not None
    assert no_number is not None
    assert (missing.code, missing.message) == ("KeyError", "'note'")
    assert (no_number.code, no_number.message) == ("ValueError", "could not convert string to float: 'free'")


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TransientError("busy"), RuntimeError("who knows")])
def test_what_another_try_may_find_right_is_not_the_rows_problem(error: Exception) -> None:
    class Asks(Things):
        def validate(self, row: Row) -> None:
            raise error

    with pytest.raises(type(error)):
        prepare({"id": "1", "name": "a", "note": ""}, Asks())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "code: '' is not allowed"),
        ("a#1", "code: 'a#1' is not allowed"),
        ("a@1", "code: 'a@1' is not allowed"),
        ("x" * 1_100, "at most 1024 bytes"),
    ],
)
def test_edge_24_a_key_that_no_command_can_have_is_the_rows_problem(code: str, message: str) -> None:
    class Keyed(Things):
        def map(self, row: Row) -> CommandInput:
            return CommandInput("THING", row["id"], row["name"], {})

    problem = prepare({"id": code, "name": "a"}, Keyed()).problem
    assert problem is not None
    assert problem.code == "InvalidValue"
    assert message in problem.message


def test_the_airports_have_a_strategy() -> None:
    assert AIRPORTS.layout.key == ("icao",)
    assert len(AIRPORTS.layout.columns) + len(AIRPORTS.layout.optional) == 11
