"""Updates a running deployment to the program's current declarations, if only functions and their like have changed.

For edits while ``./cqrs serve`` runs. Changes that need a restart (a new table, queue or machine) are refused before
anything is changed.
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
#: Types that are updated in place. Other changeable resources, such as alarms, aren't used here.
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
#: The maximum number of names in a refusal.
NAMED = 3


class Renewal:
    """Updates one deployment.

    Args:
        deployment: the running deployment, which is modified.
        evaluate: runs the program.
    """

    def __init__(
        self, project_dir: Path, context: DeployContext, deployment: Deployment, evaluate: Evaluate = evaluate
    ) -> None:
        self._project_dir = project_dir
        self._context = context
        self._deployment = deployment
        self._evaluate = evaluate
        #: The inputs of its declarations, if known.
        self._declared: Declared | None = None

    def note(self, settings: Stack) -> None:
        """Record the inputs of its declarations, so that the first edit of code is as fast as later ones."""
        self._remember(declared_from(self._project_dir, settings), Workspace(self._context, settings, self._deployment))

    def take(self, settings: Stack) -> list[str]:
        """Update changed resources, and return their names. The program is evaluated unless only code was edited.

        Args:
            settings: the stack's current configuration.

        Raises:
            DeployError: the program was refused, or the change needs a restart. Nothing is changed.
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
    """Creates nothing: returns the existing resources, and records those that have changed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._deployment = workspace.deployment
        self._calls = LocalEngine(workspace)
        #: resources that the program hasn't declared yet, by type and name
        self.known = {(one.type, one.name): one for one in self._deployment.resources}
        self.changed: list[tuple[Resource, dict[str, Any]]] = []
        self.refused: list[str] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """The id and outputs of the resource of this type and name."""
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
        """Answer a provider function as in the first deployment."""
        return self._calls.call(args)

    def abort(self, error: DeployError) -> None:
        """Does nothing: there is nothing to undo."""

    def _is_same(self, before: Resource, inputs: Mapping[str, Any]) -> bool:
        deployed: Mapping[str, FunctionSpec | Layer]
        if before.type == FUNCTION:
            deployed = self._deployment.functions
        elif before.type == LAYER:
            deployed = self._deployment.layers
        else:
            return dict(before.inputs) == inputs
        # The contents of files are compared, since their names may be equal.
        code = self._workspace.archives.unpack(inputs.get("code"), before.name)
        old, new = ({name: one for name, one in given.items() if name != "code"} for given in (before.inputs, inputs))
        return old == new and code.folder == deployed[str(before.id)].archive_dir
