"""Create, read, update and delete on the embedded endpoint, for the stacks of any project."""

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
    """A resource's name as the engine has it: ``urn:pulumi:<stack>::<project>::<types>::<name>``."""

    stack: str
    project: str
    type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Of the types, which are joined by ``$``, the last one is the resource's own. Names may have ``::``."""
        head, project, types, name = text.split("::", 3)
        return cls(head.rsplit(":", 1)[-1], project, types.rsplit("$", 1)[-1], name)

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.type} {self.name!r}"


class Resources:
    """The resources of every stack that was deployed through the provider.

    Args:
        context: the running endpoint, the function host and a folder for code.
        deploying: a scope in which this thread may change what programs declare.
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
        """Raises UnsupportedResource for a type that the embedded runtime doesn't have."""
        if urn.type not in CREATORS:
            known = ", ".join(sorted(CREATORS))
            raise UnsupportedResource(f"local runtime cannot create {urn.label}; known: {known}")

    def create(self, urn: Urn, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The new resource's id and all its outputs. Raises DeployError."""
        self.check(urn)
        with self._changing(urn) as workspace:
            created = CREATORS[urn.type](workspace, _request(urn, inputs))
        return created.id, {**inputs, **created.outputs}

    def update(
        self, urn: Urn, id_: str, old: Mapping[str, Any], state: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Any:
        """All outputs afterwards. ``old``: the inputs of the last update; ``state``: the outputs it had.

        Raises:
            DeployError: the service refused, or the change can't be made here.
        """
        update = EXISTING[urn.type].update
        if update is None:
            raise UnsupportedResource(f"{urn.label} cannot be changed in place")
        with self._changing(urn) as workspace:
            outputs = update(workspace, _state(urn, id_, old, state), _request(urn, new))
        kept = {key: value for key, value in state.items() if key not in old}
        return {**kept, **{key: value for key, value in outputs.items() if key not in old}, **new}

    def delete(self, urn: Urn, id_: str, old: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Raises DeployError if the service refuses."""
        with self._changing(urn) as workspace:
            EXISTING[urn.type].delete(workspace, _state(urn, id_, old, state))

    def read(
        self, urn: Urn, id_: str, old: Mapping[str, Any], state: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Inputs and outputs as they are now; None if the resource is gone. Raises DeployError."""
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
        """Answer a provider function. Raises DeployError for one that isn't known here."""
        with self._lock:
            workspace = self._workspace(("", ""))
            return LocalEngine(workspace).call(MockCallArgs(token, {}, ""))[0]

    @contextmanager
    def _changing(self, urn: Urn) -> Iterator[Workspace]:
        """One after the other, since a workspace is for one thread; the engine sends many at once."""
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
