"""Deploys a program: its registrations become resources on the endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from local.deploy.errors import DeployError, UnsupportedResource
from local.deploy.model import DeployContext, Deployment, Resource
from local.deploy.program import Engine, Evaluate, evaluate
from local.deploy.project import Stack
from local.deploy.properties import plain_property
from local.deploy.resources import CREATORS
from local.deploy.resources.apigateway import INTEGRATION, function_of
from local.deploy.workspace import Request, Workspace
from local.partitions import suffix_of
from local.sources.eventbridge import RuleError
from local.sources.filters import PatternError
from local.sources.mappings import MappingError

PROVIDERS = "pulumi:providers:"


def deploy_program(
    project_dir: Path, settings: Stack, context: DeployContext, evaluate: Evaluate = evaluate
) -> Deployment:
    """Evaluate the program of ``project_dir`` and create its resources through boto3.

    Args:
        project_dir: the folder of ``__main__.py``.
        settings: the stack's configuration, from ``load_stack``; its region is the endpoint's.
        context: the running endpoint, the function host and a folder for code.
        evaluate: runs the program.

    Raises:
        DeployError: refused configuration, a resource or property that the local runtime doesn't support, or a failure
            of the program. Functions are unregistered; the endpoint keeps the resources created so far, so the caller
            stops it.
    """
    deployment = Deployment(settings.project, settings.name)
    workspace = Workspace(context, settings, deployment)
    try:
        with workspace.sharing_code():
            deployment.outputs = evaluate(project_dir, settings, LocalEngine(workspace))
        _check_permissions(workspace)
    except BaseException:
        for name in deployment.functions:
            context.functions.unregister(name)
        raise
    # the order of creation can differ, since it depends on when inputs became ready; the order of starts must not
    deployment.event_source_mappings.sort(key=lambda one: one.id)
    deployment.rules.sort(key=lambda one: one.name)
    for spec in deployment.functions.values():
        deployment.role_policies[spec.name] = _documents(workspace, spec.role_arn)
    for machine in deployment.of_type("aws:sfn/stateMachine:StateMachine"):
        deployment.machine_policies[machine.outputs["name"]] = _documents(workspace, machine.inputs["roleArn"])
    return deployment


def _documents(workspace: Workspace, role_arn: str) -> list[dict[str, Any]]:
    return workspace.role_documents.get(role_arn.rsplit("/", 1)[-1], [])


class LocalEngine(Engine):
    """Creates each resource when it is registered. After a refusal, nothing more is created."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._failure: DeployError | None = None

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create the resource, and return its id and outputs.

        Raises:
            DeployError: it can't be created, or an earlier resource couldn't be.
        """
        if self._failure is not None:
            raise self._failure
        inputs = {name: plain_property(value) for name, value in args.inputs.items() if value is not None}
        try:
            resource = self._create(args, inputs)
        except DeployError as error:
            self._failure = error
            raise
        except (ClientError, BotoCoreError, MappingError, RuleError, PatternError) as error:
            self._failure = DeployError(f"{args.typ} {args.name!r}: {reason(error)}")
            raise self._failure from error
        except KeyError as error:
            self._failure = DeployError(f"{args.typ} {args.name!r} has no {error.args[0]}")
            raise self._failure from error
        self._workspace.deployment.resources.append(resource)
        return resource.id, dict(resource.outputs)

    def abort(self, error: DeployError) -> None:
        """Create nothing more."""
        self._failure = error

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Answer a provider function.

        Raises:
            UnsupportedResource: an unknown one.
        """
        workspace = self._workspace
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": workspace.account_id,
                "arn": f"arn:{workspace.partition}:iam::{workspace.account_id}:root",
                "userId": workspace.account_id,
                "id": workspace.account_id,
            },
            "aws:index/getRegion:getRegion": {
                "region": workspace.region,
                "name": workspace.region,
                "id": workspace.region,
                "description": workspace.region,
            },
            "aws:index/getPartition:getPartition": {
                "partition": workspace.partition,
                "dnsSuffix": suffix_of(workspace.region),
                "reverseDnsPrefix": ".".join(reversed(suffix_of(workspace.region).split("."))),
                "id": workspace.partition,
            },
        }
        if args.token not in answers:
            raise UnsupportedResource(f"local runtime cannot call {args.token}; known: {', '.join(sorted(answers))}")
        return answers[args.token], []

    def _create(self, args: MockResourceArgs, inputs: dict[str, Any]) -> Resource:
        if args.resource_id:
            raise UnsupportedResource(
                f"{args.typ} {args.name!r} imports or reads the existing {args.resource_id!r}; "
                "the local runtime only creates"
            )
        if not args.custom:
            return Resource(args.typ, args.name, inputs, inputs, None, False)
        if args.typ.startswith(PROVIDERS):
            return Resource(args.typ, args.name, inputs, inputs, f"{args.name}-id", True)
        creator = CREATORS.get(args.typ)
        if creator is None:
            known = ", ".join(sorted(CREATORS))
            raise UnsupportedResource(f"local runtime cannot create {args.typ} {args.name!r}; known: {known}")
        request = Request(args.typ, args.name, inputs)
        created = creator(self._workspace, request)
        outputs = {**inputs, **created.outputs}
        return Resource(args.typ, args.name, inputs, outputs, created.id, True)


def _check_permissions(workspace: Workspace) -> None:
    """Refuse targets and integrations that AWS wouldn't invoke, because no permission allows the service."""
    called = [
        (f"rule {rule.name!r}", target.function, "events.amazonaws.com")
        for rule in workspace.deployment.rules
        for target in rule.targets
    ]
    called += [
        (f"integration {one.name!r}", function_of(one.inputs["integrationUri"]), "apigateway.amazonaws.com")
        for one in workspace.deployment.of_type(INTEGRATION)
    ]
    for caller, function, service in called:
        name = function.rsplit(":", 1)[-1]
        if (name, service) not in workspace.permissions:
            raise DeployError(
                f"{caller} targets function {name!r}, but no aws:lambda/permission:Permission lets {service} invoke it"
            )


def reason(error: Exception) -> str:
    """The service's message, without botocore's "An error occurred ... when calling"."""
    if isinstance(error, ClientError):
        return " ".join(str(error.response["Error"]["Message"]).split())
    return str(error)
