"""PR-02: the difference of two snapshots, and the words that it is told in."""

from __future__ import annotations

import json

import pytest

from local.preview.difference import Change, Kind, Value, difference
from local.preview.report import MOST_VALUES, dangers, markdown, summary, text
from local.preview.snapshot import Resource, dumped, loaded

TABLE, ALARM, BUCKET = "aws:dynamodb/table:Table", "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:s3/bucket:Bucket"
ORDERS = Resource(TABLE, "orders", {"name": "a-orders", "deletionProtectionEnabled": True, "billingMode": "X"})
LATE = Resource(ALARM, "late", {"name": "a-late", "threshold": 3600, "dimensions": {"Q": "a"}})


def changed(one: Resource, **props: object) -> Resource:
    return one._replace(props={**one.props, **props})


def test_pr_02_nothing_changes() -> None:
    assert difference([ORDERS, LATE], [LATE, ORDERS]) == []
    assert text("dev", "main", []) == "dev: nothing changes (against main)"


def test_pr_02_one_threshold_is_one_changed_resource() -> None:
    (change,) = difference([ORDERS, LATE], [ORDERS, changed(LATE, threshold=1200)])
    assert change == Change(Kind.CHANGED, ALARM, "late", [Value("threshold", 3600, 1200)], LATE.props)
    assert text("dev", "main", [change]) == (
        f"dev: 1 changed (against main)\n  ~  changed   {ALARM}  late\n       threshold: 3600 -> 1200"
    )


def test_pr_02_a_renamed_table_is_a_replacement_that_makes_one_stop() -> None:
    changes = difference([ORDERS], [changed(ORDERS, name="b-orders", billingMode="Y")])
    assert [(one.kind, one.values) for one in changes] == [
        (Kind.REPLACED, [Value("billingMode", "X", "Y"), Value("name", "a-orders", "b-orders", replaces=True)])
    ]
    assert dangers(changes) == [
        "orders would be REPLACED, because of name. Lost with it: every row in the table. "
        "Its deletion protection stops the update half way. Keep its name, or move the data first."
    ]
    assert "  DANGER: orders would be REPLACED" in text("dev", "main", changes)
    assert "> [!CAUTION]\n> orders would be REPLACED" in markdown("dev", "main", changes)
    assert 'name: "a-orders" -> "b-orders"  (replaces it)' in markdown("dev", "main", changes)


def test_pr_02_a_table_with_another_logical_name_is_deleted_and_another_one_made() -> None:
    unguarded = changed(ORDERS, deletionProtectionEnabled=False)
    changes = difference([unguarded], [unguarded._replace(name="others")])
    assert [(one.kind, one.name) for one in changes] == [(Kind.REMOVED, "orders"), (Kind.ADDED, "others")]
    assert dangers(changes) == [
        "orders would be DELETED. Lost with it: every row in the table. Keep its name, or move the data first."
    ]
    assert summary(changes) == "1 removed, 1 added"


def test_dangers_of_tables_come_first_and_alarms_are_none() -> None:
    bucket = Resource(BUCKET, "files", {"bucket": "a"})
    assert [one.split()[0] for one in dangers(difference([bucket, LATE, ORDERS], []))] == ["orders", "files"]


@pytest.mark.parametrize(
    ("old", "new", "values"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Value("a.b", 1, 2)]),
        ({"a": {"b": 1}}, {"a": {}}, [Value("a.b", 1, None)]),
        ({"a": [1, {"c": 2}]}, {"a": [1, {"c": 3}]}, [Value("a[1].c", 2, 3)]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, [Value("a[]", None, 3)]),
        ({"a": [1, 2]}, {"a": [2, 3, 4]}, [Value("a[]", 1, None), Value("a[]", None, 3), Value("a[]", None, 4)]),
        ({"a": {"b": 1}}, {"a": "x"}, [Value("a", {"b": 1}, "x")]),
        ({}, {"a": False}, [Value("a", None, False)]),
    ],
)
def test_values_are_named_by_their_path(old: dict[str, object], new: dict[str, object], values: list[Value]) -> None:
    (change,) = difference([Resource(ALARM, "x", old)], [Resource(ALARM, "x", new)])
    assert change.values == values


def test_a_type_that_nobody_knows_is_changed() -> None:
    (change,) = difference([Resource("aws:x/y:Z", "x", {"name": 1})], [Resource("aws:x/y:Z", "x", {"name": 2})])
    assert (change.kind, dangers([change])) == (Kind.CHANGED, [])


def test_long_values_and_many_of_them_are_cut() -> None:
    old = Resource(ALARM, "x", {f"k{index:02}": "o" * 400 for index in range(MOST_VALUES + 3)})
    lines = text("dev", "main", difference([old], [Resource(ALARM, "x", {})])).splitlines()
    assert len(lines) == 2 + MOST_VALUES + 1
    assert lines[-1].strip() == "... and 3 more values"
    assert all(len(line) < 280 for line in lines)
    assert lines[2].endswith("... -> (none)")


def test_snapshots_are_read_back_and_another_format_is_refused() -> None:
    assert loaded(dumped([ORDERS, LATE])) == [ORDERS, LATE]
    with pytest.raises(ValueError, match="the snapshot has format 2, this revision reads 1"):
        loaded(json.dumps({"format": 2, "resources": []}))
