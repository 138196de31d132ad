"""APP-02: what configuration and ``infra/application.py`` give reaches the application's classes and their roles."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import boto3
import pytest

from contract.state_machines import INLINE
from handlers.commands.model import CommandInput
from handlers.core.aws import clients as aws
from handlers.imports.jobs.model import STEP_FUNCTION
from handlers.imports.service import ImportService
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from handlers.tasks.handlers import TaskType
from handlers.tasks.service import TaskService
from local.functions.model import InvokeResult, SimulatedCrash
from local.runtime import PROJECT_DIR
from tests.support.api_calls import call
from tests.support.imports import DeployedImports
from tests.support.permissions import allowed_not_used, merged
from tests.support.pipelines import CONTEXT

ASKING = Path(__file__).parents[1].joinpath("support", "asking_handlers.py").read_text(encoding="utf-8")
DEFINITION = {
    "StartAt": "only_step",
    "TimeoutSeconds": 60,
    "States": {
        "only_step": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "TimeoutSeconds": 40,
            "End": True,
            "Comment": "Uses all.",
        }
    },
    "Comment": "Asks for all.",
}
SECRETS = {
    "partner-key": "arn:aws:secretsmanager:us-east-1:123456789012:secret:partner/key-AbCdEf",
    "partner-url": "arn:aws:ssm:us-east-1:123456789012:parameter/partner/url",
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:partner"
CONFIG = {
    "handlerModules": json.dumps(["handlers.domain.asking"]),
    "handlerEnvironment": json.dumps({"COLOUR": "green", "OWN_TOPIC": TOPIC}),
    "handlerSecrets": json.dumps(SECRETS),
    "handlerPermissions": json.dumps([{"actions": ["sns:Publish"], "resources": [TOPIC]}]),
}
VALUES = {"CQRS_SECRET_PARTNER_KEY": "s3cret-value", "CQRS_SECRET_PARTNER_URL": "parameter-value"}
OWN_TABLE = """
from infra.components.application import Application, ApplicationArgs


def declare(args: ApplicationArgs) -> Application:
    table = args.table("own")
    return Application(
        outputs={"ownTableName": table.name},
        environment={"OWN_TABLE": table.name},
        grants=[(table.arn, ("dynamodb:PutItem",))],
    )
"""
CALL = "build(config, names, Path(__file__).parent)"


class Asking(DeployedImports):
    """The program as committed but for ``infra/application.py``, whose place a function in ``__main__.py`` takes."""

    def __init__(self, tmp_path: Path, *, config: dict[str, str] | None = None) -> None:
        super().__init__(
            tmp_path,
            config={**CONFIG, **(config or {})},
            extra={"asking.py": ASKING, "asking.asl.json": json.dumps(DEFINITION)},
            secrets=VALUES,
        )
        main = self.project_dir / "__main__.py"  # nobody else has a copy with these files
        text = (PROJECT_DIR / "__main__.py").read_text()
        assert CALL in text
        first, _, rest = text.partition("\ntry:\n")
        main.write_text(f"{first}\n{OWN_TABLE}\n\ntry:\n{rest.replace(CALL, CALL[:-1] + ', declare)')}")


def crash(payload: Any, proceed: Any) -> InvokeResult:
    raise SimulatedCrash


def drive(asking: DeployedImports) -> None:
    """Every class, in every function that makes it."""
    asking.publish(CommandInput("ITEM", "i1", "an item", {}))
    at_once = {"type": "ITEM", "code": "i2", "name": "another", "attributes": {}}
    assert call(asking, "POST", "/commands", at_once, query="mode=sync").body["outcome"] == "APPLIED"
    tasks = TaskService(asking.task_store, asking.scheduler, {"asking": TaskType("asking", 1.0, object)})
    task = tasks.create_task("asking", {}, CONTEXT)
    asking.run()
    assert asking.task(task).result == {"colour": "green", "secret": 12, "parameter": 15}
    imports = ImportService(asking.import_store, asking.scheduler, ["asked"], [asking.bucket])
    asking.upload(b"code\nr1\n", "asked.csv")
    job = imports.create_csv_import("asked", asking.bucket, "imports/asked.csv", CONTEXT)
    with asking.intercepted("csv_rows_handler", crash):  # the loader writes the rows itself, later
        late = imports.create_csv_import("asked", asking.bucket, "imports/asked.csv", CONTEXT, mode=STEP_FUNCTION)
        asking.run()
    workflows = StepFunctionsWorkflows(aws.stepfunctions, asking.runtime.outputs["customStateMachineArns"])
    workflows.start("asking", {"uses": True}, "from outside")
    asking.run()
    assert call(asking, "POST", "/workflows/asking", {"id": "w1", "input": {"uses": True}}).status == 202
    assert call(asking, "GET", "/workflows/asking/w1/run").body["status"] == "SUCCEEDED"
    first = call(asking, "GET", "/workflows/asking", query="limit=1").body
    assert [(one["id"], one["status"]) for one in first["items"]] == [("w1", "SUCCEEDED")]
    rest = call(asking, "GET", "/workflows/asking", query=f"cursor={first['cursor']}").body
    assert rest == {"items": [], "cursor": None}  # that from outside
    assert (asking.job(job).counts.applied, asking.job(late).counts.unchanged) == (1, 1)
    executions = asking.runtime.executions.list_executions(asking.runtime.outputs["customStateMachineArns"]["asking"])
    assert {one.status for one in executions} == {"SUCCEEDED"}
    assert asking.alarms() == []


def test_app_02_everything_reaches_every_class_and_its_role_in_both_directions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="cqrs.handlers"), Asking(tmp_path) as asking:
        boto3.client("sns").create_topic(Name="partner")
        drive(asking)
        own = boto3.client("dynamodb").scan(TableName=asking.runtime.outputs["ownTableName"])["Items"]
        assert {row["pk"]["S"] for row in own} >= {"handler", "task", "workflow", "strategy-imports", "strategy-loader"}
        logs = "\n".join(
            f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name == "cqrs.handlers"
        )
        assert "used everything" in logs
        assert not [value for value in VALUES.values() if value in logs]
    with Asking(tmp_path, config={"commandWorkflow": INLINE}) as inline:
        boto3.client("sns").create_topic(Name="partner")
        inline.publish(CommandInput("ITEM", "i1", "an item", {}))
        inline.run()
        assert inline.alarms() == []
    unused = allowed_not_used(merged([asking.used, inline.used]), asking.policies)
    application = ("ASKING", "/application/", "own", "partner", "secret", "parameter")
    assert [one for one in unused if any(word in one for word in application)] == []
