"""A machine as imports have it, with its file and its results in the endpoint's bucket, in virtual and in real time."""

from __future__ import annotations

import json
import threading
from typing import Any

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.state_machines.map_objects import S3MapObjects
from local.aws.state_machines.stepfunctions import install
from local.functions.model import InvokeResult
from local.scheduler import Scheduler
from local.states import Execution, ExecutionManager

from .conftest import FUNCTION, INVOKE, ROLE

ENVELOPE = {"context.$": "$$", "input.$": "$"}


def invoke(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": INVOKE,
        "Parameters": {"FunctionName": FUNCTION + name, "Payload": ENVELOPE},
        "OutputPath": "$.Payload[0][0]",
        "TimeoutSeconds": 60,
        **fields,
    }


MACHINE = {
    "StartAt": "csv_loader",
    "TimeoutSeconds": 86_400,
    "States": {
        "csv_loader": invoke("loader", Next="import-csv"),
        "import-csv": {
            "Type": "Map",
            "Label": "import-csv",
            "MaxConcurrency": 5,
            "ToleratedFailurePercentage": 100,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key", "VersionId.$": "$.versionId"},
            },
            "ItemSelector": {"index.$": "$$.Map.Item.Index", "row.$": "$$.Map.Item.Value"},
            "ItemBatcher": {
                "MaxItemsPerBatch": 10,
                "MaxInputBytesPerBatch": 200_000,
                "BatchInput": {"Attributes": {"job.$": "$$.Execution.Input.job"}},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "csv_rows_handler",
                "States": {"csv_rows_handler": invoke("rows", End=True)},
            },
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket.$": "$.bucket", "Prefix": "map-results"},
            },
            "ResultPath": "$.map",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "finalize_parent_job"}],
            "Next": "wait_rows",
        },
        "wait_rows": {"Type": "Wait", "SecondsPath": "$.waitSeconds", "Next": "check_rows"},
        "check_rows": invoke("check", Next="complete"),
        "complete": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.complete", "BooleanEquals": True, "Next": "finalize_parent_job"}],
            "Default": "wait_rows",
        },
        "finalize_parent_job": invoke("finalize", Next="success"),
        "success": {"Type": "Succeed"},
    },
}


class Functions:
    """The import's functions. In real time they run on the scheduler's worker threads."""

    def __init__(self, scheduler: Scheduler, bucket: str, versions: list[str], unit: int) -> None:
        self.scheduler = scheduler
        self.loaded = {"bucket": bucket, "key": "rows.csv", "versionId": versions[0], "waitSeconds": 5 * unit}
        self.unit = unit
        self.seen: list[tuple[int, str]] = []
        self.batches: list[Any] = []
        self.checks: list[float] = []

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        name = function.rpartition(":")[2]
        return InvokeResult([[self.scheduler.wait(self.scheduler.execute(getattr(self, name), payload))]], None, "r")

    def loader(self, payload: Any) -> Any:
        return self.loaded

    def rows(self, payload: Any) -> Any:
        self.batches.append(payload["input"])
        for item in payload["input"]["Items"]:
            self.seen.append((item["index"], item["row"]["code"]))
        return {"done": len(payload["input"]["Items"])}

    def check(self, payload: Any) -> Any:
        self.checks.append(self.scheduler.now())
        return {"complete": len(self.checks) == 3, "waitSeconds": 10 * self.unit * len(self.checks)}

    def finalize(self, payload: Any) -> Any:
        return {"finalized": payload["input"]}


@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_an_import_machine(clock: str) -> None:
    scheduler = Scheduler.virtual(seed=3) if clock == "virtual" else Scheduler.real()
    with AwsEndpoint(scheduler) as endpoint:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})

        def put(body: str) -> str:
            return s3.put_object(Bucket="bucket", Key="rows.csv", Body=body)["VersionId"]

        versions = [put("code,name\n" + "".join(f"c{n},x\n" for n in range(95))), put("code,name\nother,x\n")]
        functions = Functions(scheduler, "bucket", versions, 1 if clock == "virtual" else 0)
        manager = ExecutionManager(
            scheduler,
            functions,
            region="us-east-1",
            account_id=endpoint.account_id,
            objects=S3MapObjects(piece=256),
            on_access=endpoint.note_access,
        )
        install(endpoint, manager)
        arn = manager.create_state_machine("import-csv", MACHINE, ROLE)
        execution = run(scheduler, manager, arn)
        assert (execution.status, execution.cause) == ("SUCCEEDED", None)
        assert sorted(functions.seen) == [(n, f"c{n}") for n in range(95)]
        assert [len(batch["Items"]) for batch in functions.batches].count(10) == 9
        assert all(batch["BatchInput"] == {"Attributes": {"job": "j1"}} for batch in functions.batches)
        if clock == "virtual":
            assert [at - execution.started for at in functions.checks] == [5, 15, 35]
        manifest_key = next(
            one["Key"]
            for one in s3.list_objects_v2(Bucket="bucket")["Contents"]
            if one["Key"].endswith("manifest.json")
        )
        manifest = json.loads(s3.get_object(Bucket="bucket", Key=manifest_key)["Body"].read())
        (file,) = manifest["ResultFiles"]["SUCCEEDED"]
        written = json.loads(s3.get_object(Bucket="bucket", Key=file["Key"])["Body"].read())
        assert sum(json.loads(one["Output"])["done"] for one in written) == 95
        used = endpoint.calls_by_function()["import-csv"]
    assert used["states:StartExecution"] == {arn}
    assert used["lambda:InvokeFunction"] == {FUNCTION + name for name in ("loader", "rows", "check", "finalize")}
    assert used["s3:GetObjectVersion"] == {"arn:aws:s3:::bucket/rows.csv"}
    assert used["s3:PutObject"] == {f"arn:aws:s3:::bucket/{key}" for key in (manifest_key, file["Key"])}
    assert set(used) == {"states:StartExecution", "lambda:InvokeFunction", "s3:GetObjectVersion", "s3:PutObject"}


def run(scheduler: Scheduler, manager: ExecutionManager, arn: str) -> Execution:
    ended = threading.Event()
    manager.on_status_change(lambda _: ended.set())
    execution = manager.start_execution(arn, "e1", json.dumps({"job": "j1"}))
    if scheduler.is_virtual:
        scheduler.run_until_idle()
    else:
        scheduler.start_thread()
        assert ended.wait(60)
        scheduler.stop()
    return execution
