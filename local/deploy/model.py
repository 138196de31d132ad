"""The context and the result of a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from infra.packages.wheels import Packages
from local.functions.model import FunctionSpec
from local.sources.async_calls import AsyncSettings
from local.sources.eventbridge import Rule
from local.sources.mappings import QueueMapping, StreamMapping


class Endpoint(Protocol):
    """The part of the AWS endpoint that a deployment uses; boto3 clients in this process already call it."""

    @property
    def region(self) -> str:
        """The region of all resources."""
        ...

    @property
    def account_id(self) -> str:
        """The account of all resources."""
        ...


class FunctionRegistry(Protocol):
    """Makes functions callable."""

    def register(self, spec: FunctionSpec) -> None:
        """Add a function."""
        ...

    def update(self, spec: FunctionSpec) -> None:
        """Replace a function's specification; its next call is a cold start."""
        ...

    def unregister(self, name: str) -> None:
        """Remove a function."""
        ...


@dataclass(frozen=True)
class DeployContext:
    """Where to deploy: the running endpoint, the function host, a folder for unpacked archives."""

    endpoint: Endpoint
    functions: FunctionRegistry
    work_dir: Path
    #: where packages of layers are cached
    packages_dir: Path = field(default_factory=lambda: Path(".local/packages"))


@dataclass(frozen=True)
class Resource:
    """One registration of the program, in the order of creation. Components have no id and no outputs."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    id: str | None
    custom: bool


@dataclass(frozen=True)
class Layer:
    """A layer of the program: its packages for this machine, and the folder with what was declared."""

    packages: Packages
    archive_dir: Path


@dataclass
class Deployment:
    """A deployed program.

    Attributes:
        outputs: what the program exported, resolved to plain values.
        resources: everything it declared, components included.
        functions: the functions by name.
        event_source_mappings, rules, async_settings: the arguments of ``EventSources.start``.
        role_policies: the policy documents of each function's role, by function name.
        layers: the program's own layers, by ARN.
        machine_policies: the policy documents of each state machine's role, by machine name.
    """

    project: str
    stack: str
    outputs: dict[str, Any] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    functions: dict[str, FunctionSpec] = field(default_factory=dict)
    event_source_mappings: list[StreamMapping | QueueMapping] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    async_settings: dict[str, AsyncSettings] = field(default_factory=dict)
    role_policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    machine_policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of one Pulumi type, in order."""
        return [one for one in self.resources if one.type == type_]
