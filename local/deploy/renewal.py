"""Brings a running deployment to what the program declares now, where that is code and configuration of functions.

For people who edit while ``./cqrs serve`` runs. What only a new start can do is refused as a whole, before anything
is changed: another table, queue or machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from local.deploy.code_edits import Declared, archive_of, declared_from, is_deployed
from local.deploy.deploy import LocalEngine, reason
from local.deploy.errors import DeployError
from local.deploy.existing import EXISTING, State
from local.deploy.model import DeployContext, Deployment, Layer, Resource
from local.deploy.program import Engine, Evaluate, evaluate
from local.deploy.project import Stack
from local.deploy.properties import plain_property
from local.deploy.workspace import Request, Workspace
from local.functions.model import FunctionSpec

FUNCTION = "aws:lambda/function:Function"
LAYER = "aws:lambda/layerVersion:LayerVersion"
#: What is changed in place. Nobody looks at what else there is to change here, alarms and the dashboard.
RENEWED = frozenset(
    {
        FUNCTION,
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "aws:sfn/stateMachine:StateMachine",
    }
)
#: Names that a refusal gives.
NAMED = 3


class Renewal:
    """Of one deployment.

    Args:
        deployment: what runs; it is changed.
        evaluate: runs the program.
    """

    def __init__(
        self, project_dir: Path, context: DeployContext, deployment: Deployment, evaluate: Evaluate = evaluate
    ) -> None:
        self._project_dir = project_dir
        self._context = context
        self._deployment = deployment
        self._evaluate = evaluate
        #: What it was declared from, where that is known.
        self._declared: Declared | None = None

    def note(self, settings: Stack) -> None:
        """Remember what it was declared from, so that the first edit of code is taken as fast as later ones."""
        self._remember(declared_from(self._project_dir, settings), Workspace(self._context, settings, self._deployment))

    def take(self, settings: Stack) -> list[str]:
        """Change what is another now; answers the names of what was changed. The program is evaluated unless only code
        was edited.

        Args:
            settings: the stack's configuration as it is now.

        Raises:
            DeployError: the program was refused, or wants what only a new start can do. Nothing is changed.
        """
        workspace = Workspace(self._context, settings, self._deployment)
        now = declared_from(self._project_dir, settings)
        if now is not None and now == self._declared:
            changed = self._with_code(now, workspace)
        else:
            changed = self._evaluated(settings, workspace)
            self._remember(now, workspace)
        return changed

    def _remember(self, now: Declared | None, workspace: Workspace) -> None:
        is_sure = now is not None and is_deployed(now, self._project_dir, workspace)
        self._declared = now if is_sure else None

    def _with_code(self, now: Declared, workspace: Workspace) -> list[str]:
        code = archive_of(now, self._project_dir)
        folder = workspace.archives.unpack(code, "the functions").folder
        functions = self._deployment.functions
        old = [one for one in self._deployment.of_type(FUNCTION) if functions[str(one.id)].archive_dir != folder]
        return self._changed([(one, {**one.inputs, "code": code}) for one in old], workspace)

    def _evaluated(self, settings: Stack, workspace: Workspace) -> list[str]:
        engine = _Comparison(workspace)
        outputs = self._evaluate(self._project_dir, settings, engine)
        gone = [resource.name for resource in engine.known.values() if resource.custom]
        refused = [*engine.refused, *gone]
        if refused:
            more = f" and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
            names = ", ".join(refused[:NAMED])
            raise DeployError(f"start it again to have {names}{more}: resources that come, go or change")
        changed = self._changed(engine.changed, workspace)
        self._deployment.outputs = outputs
        return changed

    def _changed(self, changes: Iterable[tuple[Resource, Mapping[str, Any]]], workspace: Workspace) -> list[str]:
        resources = self._deployment.resources
        names = []
        for before, inputs in changes:
            update = EXISTING[before.type].update
            assert update is not None, before.type
            state = State(before.type, before.name, str(before.id), before.inputs, before.outputs)
            try:
                update(workspace, state, Request(before.type, before.name, inputs))
            except (ClientError, BotoCoreError) as error:
                raise DeployError(f"{before.type} {before.name!r}: {reason(error)}") from error
            after = replace(before, inputs=inputs, outputs={**before.outputs, **inputs})
            resources[resources.index(before)] = after
            names.append(before.name)
        return names


class _Comparison(Engine):
    """Creates nothing: answers what there is, and notes what would be another."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._deployment = workspace.deployment
        self._calls = LocalEngine(workspace)
        #: what the program has not declared yet, by type and name
        self.known = {(one.type, one.name): one for one in self._deployment.resources}
        self.changed: list[tuple[Resource, dict[str, Any]]] = []
        self.refused: list[str] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """The resource of this type and name, with its outputs."""
        inputs = {name: plain_property(value) for name, value in args.inputs.items() if value is not None}
        before = self.known.pop((args.typ, args.name), None)
        if before is None:
            if args.custom:
                self.refused.append(args.name)
            return f"{args.name}-id", inputs
        if before.custom and not self._is_same(before, inputs):
            if args.typ in RENEWED:
                self.changed.append((before, inputs))
            else:
                self.refused.append(args.name)
        return before.id, {**before.outputs, **inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """As at the first time."""
        return self._calls.call(args)

    def abort(self, error: DeployError) -> None:
        """Nothing to undo."""

    def _is_same(self, before: Resource, inputs: Mapping[str, Any]) -> bool:
        deployed: Mapping[str, FunctionSpec | Layer]
        if before.type == FUNCTION:
            deployed = self._deployment.functions
        elif before.type == LAYER:
            deployed = self._deployment.layers
        else:
            return dict(before.inputs) == inputs
        # What was declared names files, which may be others by now: their content is compared.
        code = self._workspace.archives.unpack(inputs.get("code"), before.name)
        old, new = ({name: one for name, one in given.items() if name != "code"} for given in (before.inputs, inputs))
        return old == new and code.folder == deployed[str(before.id)].archive_dir
