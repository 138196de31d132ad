"""Property values of the engine's protocol."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import AssetArchive, FileArchive, FileAsset, StringAsset
from pulumi.runtime.rpc import UNKNOWN

from local.deploy.errors import DeployError
from local.provider.changes import change_of
from local.provider.resources import Urn
from local.provider.values import ARCHIVE, ASSET, SIGNATURE, comparable, has_unknown, plain, struct_of, with_assets

FUNCTION = "aws:lambda/function:Function"


def asset(**fields: Any) -> dict[str, Any]:
    return {SIGNATURE: ASSET, **fields}


def archive(**fields: Any) -> dict[str, Any]:
    return {SIGNATURE: ARCHIVE, **fields}


def test_numbers_and_unset_values() -> None:
    given = {"n": 3, "f": 1.5, "none": None, "list": [1, {"a": None, "b": 2}], "on": True, "text": "3"}
    assert plain(struct_of(given)) == {"n": 3, "f": 1.5, "list": [1, {"b": 2}], "on": True, "text": "3"}


def test_assets_and_archives() -> None:
    code = with_assets(
        {"code": archive(assets={"a.py": asset(path="/a.py"), "b.py": asset(text="pass"), "c": archive(path="/c")})}
    )
    made = code["code"]
    assert isinstance(made, AssetArchive)
    one, two, three = (made.assets[name] for name in ("a.py", "b.py", "c"))
    assert isinstance(one, FileAsset)
    assert one.path == "/a.py"
    assert isinstance(two, StringAsset)
    assert two.text == "pass"
    assert isinstance(three, FileArchive)
    assert three.path == "/c"


@pytest.mark.parametrize(
    "value", [asset(path="a.py"), archive(path="code.zip"), archive(assets={"a": asset(path="b")})]
)
def test_a_relative_path_is_refused(value: Any) -> None:
    with pytest.raises(DeployError, match="is relative"):
        with_assets({"code": value})


@pytest.mark.parametrize("value", [asset(uri="https://a"), archive(uri="https://a"), {SIGNATURE: "other", "value": 1}])
def test_other_kinds_are_refused(value: Any) -> None:
    with pytest.raises(DeployError, match="is not supported"):
        with_assets(value)


def test_where_a_file_lies_is_no_difference() -> None:
    here = {"code": archive(hash="1", assets={"a": asset(path="/here/a", hash="2")})}
    there = {"code": archive(hash="1", assets={"a": asset(path="/there/a", hash="2")})}
    other = {"code": archive(hash="3", assets={"a": asset(path="/here/a", hash="4")})}
    assert comparable(here) == comparable(there)
    assert change_of(FUNCTION, here, there, frozenset()).changed == []
    assert change_of(FUNCTION, here, other, frozenset()).changed == ["code"]


def test_ignored_changes_are_none() -> None:
    change = change_of(FUNCTION, {"name": "a", "timeout": 1}, {"name": "b", "timeout": 2}, frozenset({"name"}))
    assert (change.changed, change.replacing) == (["timeout"], [])


def test_unknown_values_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": "known"}]})


def test_names_of_resources() -> None:
    urn = Urn.parse("urn:pulumi:dev::cqrs::cqrs:infra:Tables$aws:dynamodb/table:Table::a::b")
    assert urn == Urn("dev", "cqrs", "aws:dynamodb/table:Table", "a::b")
