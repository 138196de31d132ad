"""Shared by the creators of resources: clients, names, archives, and data that the deployment collects."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.aws.clients import client
from local.deploy.archives import Archives, Unpacked
from local.deploy.errors import DeployError, UnsupportedResource
from local.deploy.model import DeployContext, Deployment
from local.deploy.project import Stack
from local.partitions import partition_of

_HEX = re.compile(r"\$\{(?:hex|alphanum|string)\((\d+)\)\}")


@dataclass(frozen=True)
class Request:
    """One resource to create. ``inputs`` are camelCase, without unset values, whole numbers as ints."""

    type: str
    name: str
    inputs: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Type and name, for messages."""
        return f"{self.type} {self.name!r}"

    def known(self, *names: str) -> None:
        """Refuse properties other than ``names``: an ignored one would make a difference in AWS.

        Raises:
            UnsupportedResource: names the unknown properties and the supported ones.
        """
        unknown = sorted(set(self.inputs) - set(names) - {"tags", "tagsAll", "region"})
        if unknown:
            raise UnsupportedResource(
                f"local runtime does not support {', '.join(unknown)} of {self.label}; supported: {', '.join(names)}"
            )


@dataclass(frozen=True)
class Created:
    """The id of a new resource, and its outputs in addition to its inputs."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


Creator = Callable[["Workspace", Request], Created]


class Workspace:
    """The state of one deployment."""

    def __init__(self, context: DeployContext, stack: Stack, deployment: Deployment) -> None:
        self.context = context
        self.stack = stack
        self.deployment = deployment
        self.archives = Archives(context.work_dir)
        self.region = context.endpoint.region
        self.partition = partition_of(self.region)
        self.account_id = context.endpoint.account_id
        #: policy documents by role name, and (function, principal) pairs that may invoke
        self.role_documents: dict[str, list[dict[str, Any]]] = {}
        self.permissions: set[tuple[str, str]] = set()
        #: digest of an archive to its bucket; None: archives aren't shared
        self._code_buckets: dict[str, str] | None = None

    def client(self, service: str) -> Any:
        """A boto3 client, created on first use."""
        return client(service, self.region)

    @contextmanager
    def sharing_code(self) -> Iterator[None]:
        """Inside, functions are created with archives from a temporary bucket. As an argument of each call, the archive
        would be encoded and decoded several times, which is half of the work of a deployment.
        """
        self._code_buckets = {}
        try:
            yield
        finally:
            for digest, bucket in self._code_buckets.items():
                self.client("s3").delete_object(Bucket=bucket, Key=digest)
                self.client("s3").delete_bucket(Bucket=bucket)
            self._code_buckets = None

    def code_argument(self, code: Unpacked) -> dict[str, Any]:
        """``Code`` of CreateFunction."""
        if self._code_buckets is None:
            return {"ZipFile": code.zip}
        bucket = self._code_buckets.get(code.digest)
        if bucket is None:
            bucket = self._code_buckets[code.digest] = f"code-{code.digest[:32]}"
            self.client("s3").create_bucket(Bucket=bucket, **location_of(self.region))
            self.client("s3").put_object(Bucket=bucket, Key=code.digest, Body=code.zip)
        return {"S3Bucket": bucket, "S3Key": code.digest}

    def physical_name(self, request: Request, property_name: str = "name", *, lower: bool = False) -> str:
        """The name that the program gives, or an autonamed one as Pulumi's.

        Without a pattern, that is the logical name and seven hexadecimal digits (Pulumi documentation, "Autonaming"),
        here derived from the name so that they are the same in every run.
        """
        given = request.inputs.get(property_name)
        if given is not None:
            return str(given)
        digest = hashlib.sha256(f"{self.stack.project}/{self.stack.name}/{request.type}/{request.name}".encode())
        digits = digest.hexdigest()
        if self.stack.autonaming is None:
            name = f"{request.name}-{digits[:7]}"
        else:
            name = self.stack.autonaming
            for placeholder, value in (
                ("${project}", self.stack.project),
                ("${stack}", self.stack.name),
                ("${name}", request.name),
            ):
                name = name.replace(placeholder, value)
            name = _HEX.sub(lambda match: digits[: int(match[1])], name)
            if "${" in name:
                raise DeployError(f"autonaming pattern {self.stack.autonaming!r} has an unknown placeholder")
        return name.lower() if lower else name

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def tags(self, request: Request) -> dict[str, str]:
        """The resource's tags."""
        return {str(key): str(value) for key, value in (request.inputs.get("tags") or {}).items()}


def location_of(region: str) -> dict[str, Any]:
    """Arguments of CreateBucket; none for us-east-1 (S3 API reference)."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def json_text(value: Any) -> str:
    """A JSON document that the program gave as text or as an object."""
    return value if isinstance(value, str) else json.dumps(value)


def document(value: Any, request: Request, property_name: str) -> dict[str, Any]:
    """A policy or another JSON object, parsed.

    Raises:
        DeployError: it isn't a JSON object; names the resource and the property.
    """
    try:
        parsed = json.loads(json_text(value))
    except ValueError as error:
        raise DeployError(f"{property_name} of {request.label} is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise DeployError(f"{property_name} of {request.label} is not a JSON object")
    return parsed


def list_of(value: Any) -> list[Any]:
    """A property as a list, which may be a single value or unset."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
