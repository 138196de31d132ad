"""Creates, reads, updates and deletes resources on the embedded endpoint, for stacks of any project."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime.mocks import MockCallArgs

from local.deploy.deploy import LocalEngine, reason
from local.deploy.errors import DeployError, UnsupportedResource
from local.deploy.existing import EXISTING, State
from local.deploy.model import DeployContext, Deployment
from local.deploy.project import Stack
from local.deploy.resources import CREATORS
from local.deploy.workspace import Request, Workspace
from local.provider.values import with_assets
from local.sources.eventbridge import RuleError
from local.sources.filters import PatternError
from local.sources.mappings import MappingError

_REFUSALS = (ClientError, BotoCoreError, MappingError, RuleError, PatternError)


@dataclass(frozen=True)
class Urn:
    """A resource's URN in the engine: ``urn:pulumi:<stack>::<project>::<types>::<name>``."""

    stack: str
    project: str
    type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Parse a URN. Its last type, after ``$``, is the resource's own. Names may contain ``::``."""
        head, project, types, name = text.split("::", 3)
        return cls(head.rsplit(":", 1)[-1], project, types.rsplit("$", 1)[-1], name)

    @property
    def label(self) -> str:
        """Type and name, for messages."""
        return f"{self.type} {self.name!r}"


class Resources:
    """The resources of all stacks that are deployed through the provider.

    Args:
        context: the running endpoint, the function host and a folder for code.
        deploying: a scope in which this thread may change declarations.
        on_change: called with all deployments once event sources or rules may have changed.
    """

    def __init__(
        self,
        context: DeployContext,
        deploying: Callable[[], AbstractContextManager[None]],
        on_change: Callable[[list[Deployment]], None],
    ) -> None:
        self._context = context
        self._deploying = deploying
        self._on_change = on_change
        self._workspaces: dict[tuple[str, str], Workspace] = {}
        self._lock = threading.RLock()

    def check(self, urn: Urn) -> None:
        """Raises UnsupportedResource: the embedded runtime doesn't support the type."""
        if urn.type not in CREATORS:
            known = ", ".join(sorted(CREATORS))
            raise UnsupportedResource(f"local runtime cannot create {urn.label}; known: {known}")

    def create(self, urn: Urn, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create a resource; returns its id and all outputs. Raises DeployError."""
        self.check(urn)
        with self._changing(urn) as workspace:
            created = CREATORS[urn.type](workspace, _request(urn, inputs))
        return created.id, {**inputs, **created.outputs}

    def update(
        self, urn: Urn, id_: str, old: Mapping[str, Any], state: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Any:
        """Update a resource; returns all outputs. ``old``: the inputs of the last update; ``state``: its outputs.

        Raises:
            DeployError: the service refused, or the change isn't supported here.
        """
        update = EXISTING[urn.type].update
        if update is None:
            raise UnsupportedResource(f"{urn.label} cannot be changed in place")
        with self._changing(urn) as workspace:
            outputs = update(workspace, _state(urn, id_, old, state), _request(urn, new))
        kept = {key: value for key, value in state.items() if key not in old}
        return {**kept, **{key: value for key, value in outputs.items() if key not in old}, **new}

    def delete(self, urn: Urn, id_: str, old: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Delete a resource. Raises DeployError: the service refused."""
        with self._changing(urn) as workspace:
            EXISTING[urn.type].delete(workspace, _state(urn, id_, old, state))

    def read(
        self, urn: Urn, id_: str, old: Mapping[str, Any], state: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Current inputs and outputs; None if the resource doesn't exist. Raises DeployError."""
        read = EXISTING[urn.type].read
        if read is None:
            return dict(old), dict(state)
        with self._changing(urn) as workspace:
            live = read(workspace, _state(urn, id_, old, state))
        if live is None:
            return None
        declared = {key: value for key, value in live.items() if key in old}
        return {**old, **declared}, {**state, **live}

    def call(self, token: str) -> dict[str, Any]:
        """Answer a provider function. Raises DeployError: it is unknown here."""
        with self._lock:
            workspace = self._workspace(("", ""))
            return LocalEngine(workspace).call(MockCallArgs(token, {}, ""))[0]

    @contextmanager
    def _changing(self, urn: Urn) -> Iterator[Workspace]:
        """Serialise the engine's concurrent requests, since a workspace isn't thread-safe."""
        with self._lock, self._deploying():
            try:
                yield self._workspace((urn.project, urn.stack))
            except _REFUSALS as error:
                raise DeployError(f"{urn.label}: {reason(error)}") from error
            except KeyError as error:
                raise DeployError(f"{urn.label} has no {error.args[0]}") from error
            self._on_change([one.deployment for one in self._workspaces.values()])

    def _workspace(self, key: tuple[str, str]) -> Workspace:
        if key not in self._workspaces:
            stack = Stack(*key, config={})
            self._workspaces[key] = Workspace(self._context, stack, Deployment(*key))
        return self._workspaces[key]


def _request(urn: Urn, inputs: Mapping[str, Any]) -> Request:
    return Request(urn.type, urn.name, with_assets(inputs))


def _state(urn: Urn, id_: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> State:
    return State(urn.type, urn.name, id_, inputs, outputs)
