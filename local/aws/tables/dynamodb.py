"""DynamoDB of the local endpoint: moto's tables and expressions, our writes, queries and transactions.

Why moto isn't enough (measured or read in moto 5.2.5): an update of an absent item writes two INSERT stream records; a
query scans the whole table; a scan that needs a second page skips items; a transaction copies every table it touches,
and isn't atomic between threads otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from local.aws.tables.items import Condition, apply, plan_delete, plan_put, plan_update
from local.aws.tables.key_order import table_of_items_with
from local.aws.tables.reading import items_in_order, page, select, table_page
from local.aws.tables.streams import LocalShard
from local.aws.tables.transactions import TokenStore, transact_write
from local.partitions import partition_of

#: The id of the key with the alias ``aws/dynamodb``.
AWS_MANAGED_KEY = "a9e1c0de-0000-4000-8000-000000000000"


class LocalDynamoDB(DynamoDBBackend):  # type: ignore[misc]  # moto has no types that mypy can follow
    """The tables of one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._stand_in: Table | None = None
        self.tokens = TokenStore()

    def create_table(self, name: str, *args: Any, **kwargs: Any) -> Table:
        """moto's table with our stream. AWS's key is named here, since moto would generate an RSA key to name it."""
        encryption = kwargs.get("sse_specification")
        if encryption:
            partition = partition_of(self.region_name)
            key = f"arn:{partition}:kms:{self.region_name}:{self.account_id}:key/{AWS_MANAGED_KEY}"
            kwargs["sse_specification"] = {"KMSMasterKeyId": key, **encryption}
        table = super().create_table(name, *args, **kwargs)
        _replace_shard(table)
        return table

    def update_table_streams(self, table: Table, stream_specification: dict[str, Any]) -> None:
        """Enable or disable a table's stream."""
        super().update_table_streams(table, stream_specification)
        if not table.stream_specification["StreamEnabled"]:
            table.stream_shard = table.latest_stream_label = None  # moto would continue writing to it
        _replace_shard(table)

    def put_item(
        self,
        table_name: str,
        item_attrs: dict[str, Any],
        expected: dict[str, Any] | None = None,
        condition_expression: str | None = None,
        expression_attribute_names: dict[str, Any] | None = None,
        expression_attribute_values: dict[str, Any] | None = None,
        overwrite: bool = False,
        return_values_on_condition_check_failure: str | None = None,
    ) -> Item:
        """PutItem; returns the item that was written."""
        condition = Condition(
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure == "ALL_OLD",
            None if overwrite else expected,
        )
        change = plan_put(self.get_table(table_name), item_attrs, condition)
        apply(change)
        return change.new

    def update_item(
        self,
        table_name: str,
        key: dict[str, dict[str, Any]],
        update_expression: str,
        expression_attribute_names: dict[str, Any],
        expression_attribute_values: dict[str, Any],
        attribute_updates: dict[str, Any] | None = None,
        expected: dict[str, Any] | None = None,
        condition_expression: str | None = None,
        return_values_on_condition_check_failure: str | None = None,
    ) -> Item:
        """UpdateItem; returns the updated item."""
        condition = Condition(
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure == "ALL_OLD",
            expected,
        )
        change = plan_update(self.get_table(table_name), key, update_expression, condition, attribute_updates)
        apply(change)
        return change.new

    def delete_item(
        self,
        table_name: str,
        key: dict[str, Any],
        expression_attribute_names: dict[str, Any] | None = None,
        expression_attribute_values: dict[str, Any] | None = None,
        condition_expression: str | None = None,
        return_values_on_condition_check_failure: str | None = None,
    ) -> Item | None:
        """DeleteItem; returns the deleted item."""
        condition = Condition(
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure == "ALL_OLD",
        )
        change = plan_delete(self.get_table(table_name), key, condition)
        apply(change)
        return change.old

    def get_table(self, table_name: str) -> Table:
        """The table, or the one that stands in for it during a query."""
        return self._stand_in if self._stand_in is not None else super().get_table(table_name)

    @contextmanager
    def _as_if(self, table: Table) -> Iterator[None]:
        """Inside, moto gets ``table`` for every name."""
        self._stand_in = table
        try:
            yield
        finally:
            self._stand_in = None

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """All or nothing; see ``transactions``."""
        transact_write(self.get_table, transact_items)

    def query(
        self,
        table_name: str,
        hash_key_dict: dict[str, Any] | None,
        range_comparison: str | None,
        range_value_dicts: list[dict[str, Any]],
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        scan_index_forward: bool,
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        consistent_read: bool = False,
        expr_names: dict[str, str] | None = None,
        expr_values: dict[str, dict[str, str]] | None = None,
        filter_expression: str | None = None,
        **others: Any,
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """A query of the table itself goes directly to its rows; one of an index is left to moto."""
        table = self.get_table(table_name)
        legacy = others.keys() - {"hash_key_conditions", "range_key_conditions"}
        if index_name or not table.range_key_attr or hash_key_dict is None or legacy:
            if index_name and others.get("hash_key_conditions"):
                name, value = others["hash_key_conditions"][0]
                table = table_of_items_with(table, name, value)
            with self._as_if(table):
                return super().query(  # type: ignore[no-any-return]
                    table_name,
                    hash_key_dict,
                    range_comparison,
                    range_value_dicts,
                    limit,
                    exclusive_start_key,
                    scan_index_forward,
                    projection_expressions,
                    index_name,
                    consistent_read,
                    expr_names,
                    expr_values,
                    filter_expression,
                    **others,
                )
        found, next_key = table_page(
            table,
            hash_key_dict,
            range_comparison,
            range_value_dicts,
            limit=limit,
            start=exclusive_start_key,
            forward=scan_index_forward,
        )
        return select(found, filter_expression, expr_names, expr_values, projection_expressions), len(found), next_key

    def scan(
        self,
        table_name: str,
        filters: dict[str, Any],
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        filter_expression: str | None,
        expr_names: dict[str, Any],
        expr_values: dict[str, Any],
        index_name: str | None,
        consistent_read: bool,
        projection_expression: list[list[str]] | None,
        segments: Any,
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """A scan of the table itself, in key order so that pages neither skip nor repeat; others are moto's."""
        table = self.get_table(table_name)
        if index_name or filters:
            return super().scan(  # type: ignore[no-any-return]
                table_name,
                filters,
                limit,
                exclusive_start_key,
                filter_expression,
                expr_names,
                expr_values,
                index_name,
                consistent_read,
                projection_expression,
                segments,
            )
        items = items_in_order(table, exclusive_start_key)
        found, next_key = page(table, (item for item in items if item.is_within_segment(segments)), limit)
        return (
            select(found, filter_expression, expr_names, expr_values, projection_expression),
            len(found),
            next_key,
        )


def _replace_shard(table: Table) -> None:
    if table.stream_shard is not None and not isinstance(table.stream_shard, LocalShard):
        table.stream_shard = LocalShard(table)
