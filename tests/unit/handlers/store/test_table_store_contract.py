"""One contract for every adapter of the table port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers.core.errors import ValidationError
from handlers.store.conditions import Condition, absent, at_most, equals, exists, less, one_of
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.memory import MemoryTableStore
from handlers.store.port import (
    Change,
    Check,
    ConditionFailed,
    Delete,
    Put,
    TableStore,
    TransactionFailed,
    Update,
    Write,
)
from tests.support.moto_clients import moto_session


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[TableStore]:
    if request.param == "memory":
        yield MemoryTableStore()
        return
    with moto_session() as session:
        client = session.client("dynamodb")
        for table in ("real-commands", "real-data"):
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )
        yield DynamoTableStore(client, {"commands": "real-commands", "data": "real-data"})


VALUES = {
    "text": "ü€😀",
    "empty": "",
    "whole": 10**37,
    "fraction": 0.1,
    "negative": -2.5e-7,
    "yes": True,
    "no": False,
    "null": None,
    "list": [1, "a", None, [True]],
    "map": {"inner": {"deep": 1}, "with space": 2, "#odd.name": 3},
}


class TestTableStore:
    def test_put_and_get_keep_every_json_value(self, store: TableStore) -> None:
        store.put("commands", {"pk": "p", "sk": "s", **VALUES})
        item = store.get("commands", "p", "s")
        assert item == {"pk": "p", "sk": "s", **VALUES}
        assert item is not None
        assert item["yes"] is True
        assert isinstance(item["whole"], int)

    def test_get_of_nothing_is_none(self, store: TableStore) -> None:
        assert store.get("commands", "p", "s") is None

    def test_tables_are_separate(self, store: TableStore) -> None:
        store.put("commands", {"pk": "p", "sk": "s"})
        assert store.get("data", "p", "s") is None

    def test_conditional_put_returns_the_conflicting_item(self, store: TableStore) -> None:
        store.put("commands", {"pk": "p", "sk": "s", "v": 1}, absent("pk"))
        with pytest.raises(ConditionFailed) as caught:
            store.put("commands", {"pk": "p", "sk": "s", "v": 2}, absent("pk"))
        assert caught.value.item == {"pk": "p", "sk": "s", "v": 1}
        assert store.get("commands", "p", "s") == {"pk": "p", "sk": "s", "v": 1}

    def test_update_returns_the_new_item(self, store: TableStore) -> None:
        store.put("commands", {"pk": "p", "sk": "s", "n": 1, "old": "x", "targets": {}})
        change = Change(
            set={"status": "done", ("targets", "a.b-c"): {"ok": True}},
            set_once={"n": 100, "first": 7},
            add={"count": 2},
            remove=("old", "never there"),
        )
        expected = {
            "pk": "p",
            "sk": "s",
            "n": 1,
            "status": "done",
            "targets": {"a.b-c": {"ok": True}},
            "first": 7,
            "count": 2,
        }
        assert store.update("commands", "p", "s", change) == expected
        assert store.get("commands", "p", "s") == expected

    def test_update_resurrects_nothing(self, store: TableStore) -> None:
        with pytest.raises(ConditionFailed) as caught:
            store.update("commands", "p", "s", Change(set={"ttl": 1}))
        assert caught.value.item is None
        assert store.get("commands", "p", "s") is None

    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            (equals("n", 5), True),
            (equals("n", "5"), False),
            (equals("absent", 5), False),
            (~equals("absent", 5), True),
            (less("n", 5), False),
            (less("n", 6), True),
            (less("absent", 6), False),
            (at_most("n", 5), True),
            (less("name", "c"), True),
            (exists("null"), True),
            (absent("null"), False),
            (absent(("map", "x")), False),
            (absent(("map", "y")), True),
            (absent(("none", "y")), True),
            (one_of("name", ["a", "b"]), True),
            (one_of("name", ["c"]), False),
            (absent("n") | at_most("n", 5), True),
            (absent("n") & at_most("n", 5), False),
            ((less("n", 1) | equals("name", "b")) & ~exists("absent"), True),
        ],
    )
    def test_conditions(self, store: TableStore, condition: Condition, holds: bool) -> None:
        item = {"pk": "p", "sk": "s", "n": 5, "name": "b", "null": None, "map": {"x": 1}, "yes": True}
        store.put("commands", item)
        if holds:
            store.update("commands", "p", "s", Change(set={"touched": True}), condition)
            assert store.get("commands", "p", "s") == {**item, "touched": True}
        else:
            with pytest.raises(ConditionFailed):
                store.update("commands", "p", "s", Change(set={"touched": True}), condition)
            assert store.get("commands", "p", "s") == item

    def test_get_together_keeps_the_order(self, store: TableStore) -> None:
        store.put("commands", {"pk": "p", "sk": "1"})
        store.put("data", {"pk": "p", "sk": "1", "v": 1})
        keys = [("data", "p", "1"), ("commands", "p", "2"), ("commands", "p", "1")]
        assert store.get_together(keys) == [{"pk": "p", "sk": "1", "v": 1}, None, {"pk": "p", "sk": "1"}]

    def test_get_each_says_which_are_there(self, store: TableStore) -> None:
        store.put("commands", {"pk": "p", "sk": "1"})
        store.put("data", {"pk": "p", "sk": "1", "v": 1})
        keys = [("data", "p", "1"), ("commands", "p", "2"), ("commands", "p", "1"), ("data", "p", "1")]
        assert store.get_each(keys) == {
            ("data", "p", "1"): {"pk": "p", "sk": "1", "v": 1},
            ("commands", "p", "2"): None,
            ("commands", "p", "1"): {"pk": "p", "sk": "1"},
        }

    def test_transaction_applies_all(self, store: TableStore) -> None:
        store.put("data", {"pk": "p", "sk": "1", "n": 1})
        store.put("data", {"pk": "p", "sk": "2"})
        store.transact(
            [
                Put("commands", {"pk": "p", "sk": "new"}, absent("pk")),
                Update("data", "p", "1", Change(add={"n": 1}), equals("n", 1)),
                Check("data", "p", "2", exists("pk")),
            ]
        )
        assert store.get("commands", "p", "new") == {"pk": "p", "sk": "new"}
        assert store.get("data", "p", "1") == {"pk": "p", "sk": "1", "n": 2}

    def test_transaction_applies_nothing_and_names_each_failure(self, store: TableStore) -> None:
        store.put("data", {"pk": "p", "sk": "1", "n": 1})
        writes: list[Write] = [
            Put("commands", {"pk": "p", "sk": "new"}, absent("pk")),
            Update("data", "p", "1", Change(add={"n": 1}), equals("n", 7)),
            Update("data", "p", "gone", Change(add={"n": 1})),
        ]
        with pytest.raises(TransactionFailed) as caught:
            store.transact(writes)
        assert caught.value.failed == {1: {"pk": "p", "sk": "1", "n": 1}, 2: None}
        assert store.get("commands", "p", "new") is None
        assert store.get("data", "p", "1") == {"pk": "p", "sk": "1", "n": 1}

    def test_a_deleted_item_is_gone_from_reads_and_queries(self, store: TableStore) -> None:
        for sk in ("1", "2", "3"):
            store.put("data", {"pk": "p", "sk": sk})
        store.delete("data", "p", "2")
        assert store.get("data", "p", "2") is None
        assert [item["sk"] for item in store.query("data", "p").items] == ["1", "3"]
        assert [item["sk"] for item in store.scan("data").items] == ["1", "3"]
        store.put("data", {"pk": "p", "sk": "2", "again": True})
        assert [item["sk"] for item in store.query("data", "p").items] == ["1", "2", "3"]

    def test_deleting_nothing_is_no_error_unless_the_condition_wants_something(self, store: TableStore) -> None:
        store.delete("data", "p", "never there")
        with pytest.raises(ConditionFailed) as caught:
            store.delete("data", "p", "never there", exists("pk"))
        assert caught.value.item is None

    def test_conditional_delete_returns_the_conflicting_item_and_keeps_it(self, store: TableStore) -> None:
        store.put("data", {"pk": "p", "sk": "s", "version": 3})
        with pytest.raises(ConditionFailed) as caught:
            store.delete("data", "p", "s", at_most("version", 2))
        assert caught.value.item == {"pk": "p", "sk": "s", "version": 3}
        assert store.get("data", "p", "s") == {"pk": "p", "sk": "s", "version": 3}
        store.delete("data", "p", "s", at_most("version", 3))
        assert store.get("data", "p", "s") is None

    def test_a_transaction_deletes_with_the_rest_or_not_at_all(self, store: TableStore) -> None:
        store.put("data", {"pk": "p", "sk": "old", "version": 1})
        put = Put("data", {"pk": "p", "sk": "new"})
        with pytest.raises(TransactionFailed) as caught:
            store.transact([put, Delete("data", "p", "old", equals("version", 2))])
        assert caught.value.failed == {1: {"pk": "p", "sk": "old", "version": 1}}
        assert [item["sk"] for item in store.query("data", "p").items] == ["old"]
        store.transact([put, Delete("data", "p", "old", equals("version", 1)), Delete("data", "p", "gone")])
        assert [item["sk"] for item in store.query("data", "p").items] == ["new"]

    def test_query_by_prefix_in_order_and_pages(self, store: TableStore) -> None:
        for sk in ("A#1@0000000009", "A#1@0000000010", "A#1@0000000099", "A#10@0000000100", "A#2@0000000001"):
            store.put("commands", {"pk": "p", "sk": sk})
        store.put("commands", {"pk": "other", "sk": "A#1@0000000500"})
        latest = store.query("commands", "p", sk_prefix="A#1@", descending=True, limit=1)
        assert [item["sk"] for item in latest.items] == ["A#1@0000000099"]
        first = store.query("commands", "p", sk_prefix="A#1@", limit=2)
        assert [item["sk"] for item in first.items] == ["A#1@0000000009", "A#1@0000000010"]
        second = store.query("commands", "p", sk_prefix="A#1@", limit=2, start=first.next_key)
        assert [item["sk"] for item in second.items] == ["A#1@0000000099"]
        assert second.next_key is None
        down = store.query("commands", "p", sk_prefix="A#1@", limit=1, descending=True, start=latest.next_key)
        assert [item["sk"] for item in down.items] == ["A#1@0000000010"]
        assert len(store.query("commands", "p").items) == 5
        for start in ({"pk": "p", "sk": "A#2@0000000001"}, {"pk": "other", "sk": "A#1@0000000500"}):
            with pytest.raises(ValidationError, match=r"cursor: .* of the same list"):
                store.query("commands", "p", sk_prefix="A#1@", start=start)

    def test_scan_pages_through_all_partitions(self, store: TableStore) -> None:
        for number in range(7):
            store.put("commands", {"pk": f"p{number % 3}", "sk": f"s{number}", "n": number})
        store.put("data", {"pk": "p0", "sk": "other table", "n": 1})
        found, scanned, pages, start = [], 0, 0, None
        while True:
            page = store.scan("commands", limit=2, start=start)
            found += [item["n"] for item in page.items]
            scanned, pages, start = scanned + page.scanned, pages + 1, page.next_key
            if start is None:
                break
        assert sorted(found) == list(range(7))
        assert (scanned, pages) == (7, 4)

    def test_scan_filters_after_the_limit(self, store: TableStore) -> None:
        for number in range(6):
            store.put("commands", {"pk": "p", "sk": f"s{number}", "n": number, "status": f"s{number % 2}"})
        page = store.scan("commands", keep=one_of("status", ["s1"]) & ~less("n", 3), limit=4)
        assert [item["n"] for item in page.items] == [3]
        assert page.scanned == 4
        rest = store.scan("commands", keep=one_of("status", ["s1"]) & ~less("n", 3), start=page.next_key)
        assert [item["n"] for item in rest.items] == [5]
        assert rest.next_key is None


def test_a_number_is_no_truth_value() -> None:
    # As in DynamoDB: types differ, so it is false. moto 5.2.5 compares Python values, so this is not in the contract.
    assert not equals("yes", 1).holds({"yes": True})
