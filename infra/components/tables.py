"""The five tables of docs/spec/data.md, with their streams, time-to-live and the index of open rows."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws import dynamodb

from contract.tables import DUE_AT, OPEN_ATTRIBUTES, OPEN_INDEX, OPEN_SHARD, TABLES, WITH_OPEN_INDEX, WITH_STREAM
from infra.naming.names import Names
from infra.permissions import resources


@dataclass(frozen=True)
class TablesArgs:
    """Arguments of ``Tables``."""

    names: Names
    point_in_time_recovery: bool
    deletion_protection: bool
    key: pulumi.Input[str] | None


class Tables(pulumi.ComponentResource):
    """All tables; ``by_name`` maps the logical name to the resource."""

    by_name: dict[str, dynamodb.Table]

    def __init__(self, name: str, args: TablesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Tables", name, None, opts)
        self.by_name = {table: self._table(table, args) for table in TABLES}
        self.register_outputs({table: resource.name for table, resource in self.by_name.items()})

    def arns(self) -> dict[str, pulumi.Input[str]]:
        """For permissions: tables, their streams and indexes."""
        tables = self.by_name
        return {
            **{resources.table(name): one.arn for name, one in tables.items()},
            **{resources.stream(name): tables[name].stream_arn for name in WITH_STREAM},
            **{
                resources.open_index(name): pulumi.Output.concat(tables[name].arn, f"/index/{OPEN_INDEX}")
                for name in WITH_OPEN_INDEX
            },
        }

    def _table(self, table: str, args: TablesArgs) -> dynamodb.Table:
        has_stream, has_index = table in WITH_STREAM, table in WITH_OPEN_INDEX
        attributes = [("pk", "S"), ("sk", "S"), *([(OPEN_SHARD, "N"), (DUE_AT, "N")] if has_index else [])]
        return dynamodb.Table(
            table.replace("_", "-"),
            name=args.names.of(table),
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[dynamodb.TableAttributeArgs(name=attribute, type=kind) for attribute, kind in attributes],
            global_secondary_indexes=[_open_index()] if has_index else [],
            ttl=dynamodb.TableTtlArgs(attribute_name="ttl", enabled=True),
            stream_enabled=has_stream,
            stream_view_type="NEW_AND_OLD_IMAGES" if has_stream else None,
            server_side_encryption=dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=args.key),
            point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(enabled=args.point_in_time_recovery),
            deletion_protection_enabled=args.deletion_protection,
            tags=args.names.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )


def _open_index() -> dynamodb.TableGlobalSecondaryIndexArgs:
    return dynamodb.TableGlobalSecondaryIndexArgs(
        name=OPEN_INDEX,
        key_schemas=[
            dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=OPEN_SHARD, key_type="HASH"),
            dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=DUE_AT, key_type="RANGE"),
        ],
        projection_type="INCLUDE",
        non_key_attributes=list(OPEN_ATTRIBUTES),
    )
