"""Tables."""

from __future__ import annotations

from typing import Any

from local.deploy.workspace import Created, Creator, Request, Workspace

_TABLE = (
    "attributes",
    "billingMode",
    "deletionProtectionEnabled",
    "globalSecondaryIndexes",
    "hashKey",
    "name",
    "onDemandThroughput",
    "pointInTimeRecovery",
    "rangeKey",
    "serverSideEncryption",
    "streamEnabled",
    "streamViewType",
    "tableClass",
    "ttl",
)


def table(workspace: Workspace, request: Request) -> Created:
    """A table with its indexes, stream, TTL and point-in-time recovery."""
    request.known(*_TABLE)
    inputs = request.inputs
    client = workspace.client("dynamodb")
    name = workspace.physical_name(request)
    arguments: dict[str, Any] = {
        "TableName": name,
        "AttributeDefinitions": [
            {"AttributeName": one["name"], "AttributeType": one["type"]} for one in inputs.get("attributes", [])
        ],
        "KeySchema": _key_schema(inputs),
        "BillingMode": inputs.get("billingMode", "PROVISIONED"),
        "DeletionProtectionEnabled": bool(inputs.get("deletionProtectionEnabled", False)),
        "Tags": [{"Key": key, "Value": value} for key, value in workspace.tags(request).items()],
    }
    indexes = [_index(one) for one in inputs.get("globalSecondaryIndexes", [])]
    if indexes:
        arguments["GlobalSecondaryIndexes"] = indexes
    if inputs.get("streamEnabled"):
        arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}
    if inputs.get("serverSideEncryption"):
        arguments["SSESpecification"] = _encryption(inputs["serverSideEncryption"])
    description = client.create_table(**arguments)["TableDescription"]
    ttl = inputs.get("ttl")
    if ttl:
        specification = {"AttributeName": ttl["attributeName"], "Enabled": bool(ttl.get("enabled", True))}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    recovery = inputs.get("pointInTimeRecovery")
    if recovery and recovery.get("enabled"):
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    outputs = {"name": name, "arn": description["TableArn"]}
    if "LatestStreamArn" in description:
        outputs |= {"streamArn": description["LatestStreamArn"], "streamLabel": description["LatestStreamLabel"]}
    return Created(name, outputs)


def _encryption(declared: Any) -> dict[str, Any]:
    specification: dict[str, Any] = {"Enabled": bool(declared.get("enabled", False))}
    if "kmsKeyArn" in declared:
        specification |= {"SSEType": "KMS", "KMSMasterKeyId": declared["kmsKeyArn"]}
    return specification


def _key_schema(inputs: Any) -> list[dict[str, str]]:
    schema = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    if "rangeKey" in inputs:
        schema.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
    return schema


def _index(index: Any) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index["nonKeyAttributes"]
    if "keySchemas" in index:
        schema = [{"AttributeName": key["attributeName"], "KeyType": key["keyType"]} for key in index["keySchemas"]]
    else:
        schema = _key_schema(index)
    return {"IndexName": index["name"], "KeySchema": schema, "Projection": projection}


CREATORS: dict[str, Creator] = {"aws:dynamodb/table:Table": table}
