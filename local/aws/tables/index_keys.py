"""Keys of indexes in items: of the index's type, where they are there (Developer Guide, "Global secondary indexes").

moto checks text and numbers, in some operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table


def check_index_keys(table: Table, attributes: Mapping[str, Any]) -> None:
    """Of an item in DynamoDB's JSON. Raises MockValidationException: an attribute has another type than its index."""
    indexes = table.all_indexes()
    if not indexes:
        return
    types = {one["AttributeName"]: one["AttributeType"] for one in table.attr}
    for index in indexes:
        for key in index.schema:
            name = key["AttributeName"]
            value = attributes.get(name)
            if value is not None and types[name] not in value:
                raise MockValidationException(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                    f"Expected: {types[name]} Actual: {next(iter(value))} IndexName: {index.name}"
                )
