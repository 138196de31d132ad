"""Converts property values between the engine's protocol and plain Python.

The protocol has one number type, marks values unknown in a preview with a special text, and wraps assets,
archives and secrets in objects with a signature (Pulumi documentation, "Pulumi provider protocol": property values).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi import AssetArchive, FileArchive, FileAsset, StringAsset
from pulumi.runtime.rpc import UNKNOWN

from local.deploy.errors import DeployError
from local.deploy.properties import plain_property

SIGNATURE = "4dabf18193072939515e22adb298388d"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The properties as Python values: whole numbers as ints, without unset ones, and archives as objects."""
    return {key: plain_property(value) for key, value in json_format.MessageToDict(struct).items() if value is not None}


def struct_of(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Python values as properties."""
    struct = struct_pb2.Struct()
    struct.update(dict(properties))
    return struct


def has_unknown(value: Any) -> bool:
    """Whether the value contains an unknown one."""
    if isinstance(value, Mapping):
        return any(has_unknown(one) for one in value.values())
    if isinstance(value, list):
        return any(has_unknown(one) for one in value)
    return bool(value == UNKNOWN)


def with_assets(value: Any) -> Any:
    """The value with assets and archives as the SDK's objects, which ``local.deploy`` reads.

    Raises:
        DeployError: an asset or archive that isn't a file, a text or a collection (such as a URL), or has a relative
            path.
    """
    if isinstance(value, list):
        return [with_assets(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    signature = value.get(SIGNATURE)
    if signature == ASSET:
        if value.get("path"):
            return FileAsset(_absolute(value["path"]))
        if value.get("text") is not None:
            return StringAsset(value["text"])
    elif signature == ARCHIVE:
        if value.get("path"):
            return FileArchive(_absolute(value["path"]))
        if value.get("assets") is not None:
            return AssetArchive({name: with_assets(one) for name, one in value["assets"].items()})
    elif signature is None:
        return {key: with_assets(one) for key, one in value.items()}
    raise DeployError(f"a value with the fields {', '.join(sorted(set(value) - {SIGNATURE}))} is not supported")


def comparable(value: Any) -> Any:
    """The value with assets and archives as hashes, so that paths of files don't matter."""
    if isinstance(value, list):
        return [comparable(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if value.get(SIGNATURE) in (ASSET, ARCHIVE) and value.get("hash"):
        return value["hash"]
    return {key: comparable(one) for key, one in value.items()}


def _absolute(path: str) -> str:
    """Refuse relative paths: unlike a provider that the engine starts, this one doesn't run in the program's folder."""
    if not Path(path).is_absolute():
        raise DeployError(f"the path {path!r} of an asset is relative, which only a provider of the engine's own finds")
    return path
