"""Evaluates the program without an engine or an endpoint: records its registrations without creating anything.

Used by ``./cqrs preview`` to compare two revisions, and by tests of the declared resources.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from local.deploy.errors import DeployError
from local.deploy.program import Engine, evaluate
from local.deploy.program import log as deploy_log
from local.deploy.project import load_stack
from local.deploy.properties import plain_property
from local.partitions import partition_of, suffix_of

REGION = "us-east-1"
ACCOUNT = "123456789012"


def invokes(region: str) -> dict[str, dict[str, Any]]:
    """Provider functions that the program may call, and their results. Any other is an error."""
    partition = partition_of(region)
    return {
        "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "arn": "", "userId": "", "id": ""},
        "aws:index/getRegion:getRegion": {"region": region, "name": region, "description": "", "id": ""},
        "aws:index/getPartition:getPartition": {
            "partition": partition,
            "dnsSuffix": "",
            "reverseDnsPrefix": "",
            "id": "",
        },
    }


#: The property with a resource's physical name, where it isn't ``name``.
NAMED_BY = {
    "aws:s3/bucket:Bucket": "bucket",
    "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
    "aws:lambda/layerVersion:LayerVersion": "layerName",
}


@dataclass(frozen=True)
class Registration:
    """One declared resource; ``props`` are its inputs, camelCase, without unset ones, whole numbers as ints."""

    type: str
    name: str
    props: Mapping[str, Any]
    custom: bool


@dataclass
class Evaluation:
    """All registrations of one evaluation, its outputs and warnings."""

    stack: str
    registrations: list[Registration] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def of_type(self, type_: str) -> dict[str, Mapping[str, Any]]:
        """The inputs of all resources of one type, by logical name."""
        return {one.name: one.props for one in self.registrations if one.type == type_}

    def get(self, type_: str, name: str) -> Mapping[str, Any]:
        """The inputs of one resource. Raises KeyError listing the resources of its type."""
        found = self.of_type(type_)
        if name not in found:
            raise KeyError(f"no {type_} {name!r}; there are {', '.join(sorted(found)) or 'none'}")
        return found[name]


class Recorder(Engine):
    """Records each registration, and returns its inputs with identifiers like those of AWS."""

    def __init__(self, evaluation: Evaluation, region: str = REGION) -> None:
        self._evaluation = evaluation
        self._region = region
        self._invokes = invokes(region)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Record the resource. Returns its id and the outputs that it would have."""
        props = {name: plain_property(value) for name, value in args.inputs.items() if value is not None}
        self._evaluation.registrations.append(Registration(args.typ, args.name, props, bool(args.custom)))
        if not args.custom:
            return None, props
        identifiers = _identifiers(args.typ, args.name, props, self._region)
        return identifiers["id"], {**props, **identifiers}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Answer a provider function. Raises DeployError: it is unknown here."""
        if args.token not in self._invokes:
            raise DeployError(
                f"the program calls {args.token}, which has no answer here: add it to local.deploy.registrations"
            )
        return self._invokes[args.token], []

    def abort(self, error: DeployError) -> None:
        """Does nothing: registrations only start after the program's code has run."""


def evaluated(
    stack: str,
    config: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
    project_dir: Path,
) -> Evaluation:
    """Evaluate the program with one stack's file. Raises DeployError as a deployment would."""
    evaluation = Evaluation(stack)
    evaluate_into(evaluation, config, preview=preview, project_dir=project_dir)
    return evaluation


def evaluate_into(
    evaluation: Evaluation,
    config: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
    project_dir: Path,
) -> None:
    """``evaluated`` into a given ``Evaluation``, so that tests see the registrations before a refusal."""
    notes = _Notes(evaluation.warnings)
    deploy_log.addHandler(notes)
    try:
        settings = load_stack(project_dir, evaluation.stack, config)
        evaluation.outputs = evaluate(project_dir, settings, Recorder(evaluation, settings.region), preview=preview)
    finally:
        deploy_log.removeHandler(notes)


class _Notes(logging.Handler):
    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())


def _identifiers(type_: str, logical_name: str, props: Mapping[str, Any], region: str) -> dict[str, Any]:
    name = str(props.get(NAMED_BY.get(type_, "name"), logical_name))
    made: dict[str, Any] = {"id": name, "name": name, "arn": _arn(type_, name, region)}
    if type_ == "aws:dynamodb/table:Table" and props.get("streamEnabled"):
        made["streamArn"] = f"{made['arn']}/stream/2026-01-01T00:00:00.000"
    if type_ == "aws:sqs/queue:Queue":
        made["url"] = made["id"] = f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/{name}"
    if type_ == "aws:s3/bucket:Bucket":
        made["bucket"] = name
    if type_ == "aws:kms/key:Key":
        made["keyId"] = name
    if type_ == "aws:lambda/function:Function":
        invocation = f"lambda:path/2015-03-31/functions/{made['arn']}/invocations"
        made["invokeArn"] = f"arn:{partition_of(region)}:apigateway:{region}:{invocation}"
    if type_ == "aws:apigatewayv2/api:Api":
        made["id"] = "a1b2c3d4e5"
        made["apiEndpoint"] = f"https://{made['id']}.execute-api.{region}.{suffix_of(region)}"
        made["executionArn"] = f"arn:{partition_of(region)}:execute-api:{region}:{ACCOUNT}:{made['id']}"
    if type_ == "aws:cloudwatch/dashboard:Dashboard":
        made["dashboardArn"] = made["arn"]
    return made


#: ARNs after the partition that don't have the form ``<service>:<region>:<account>:<type>/<name>``.
_ARNS = {
    "aws:cloudwatch/dashboard:Dashboard": "cloudwatch::{account}:dashboard/{name}",
    "aws:cloudwatch/eventRule:EventRule": "events:{region}:{account}:rule/{name}",
    "aws:cloudwatch/eventBus:EventBus": "events:{region}:{account}:event-bus/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{region}:{account}:log-group:{name}",
    "aws:iam/policy:Policy": "iam::{account}:policy/{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:lambda/function:Function": "lambda:{region}:{account}:function:{name}",
    "aws:lambda/layerVersion:LayerVersion": "lambda:{region}:{account}:layer:{name}:1",
    "aws:s3/bucket:Bucket": "s3:::{name}",
    "aws:sfn/stateMachine:StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "aws:sns/topic:Topic": "sns:{region}:{account}:{name}",
    "aws:sqs/queue:Queue": "sqs:{region}:{account}:{name}",
}


def _arn(type_: str, name: str, region: str) -> str:
    service, kind = type_.split(":")[1].split("/")
    pattern = _ARNS.get(type_, f"{service}:{{region}}:{{account}}:{kind.lower()}/{{name}}")
    return f"arn:{partition_of(region)}:" + pattern.format(region=region, account=ACCOUNT, name=name)
