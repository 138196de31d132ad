"""INF-02: what functions call against what their roles allow, in both directions.

``Deployed`` holds every other test to the first direction. For the second, the scenarios here together make every
call that any role allows: a new permission needs a step here that uses it, or it goes.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from handlers.commands.keys import EntityKey
from handlers.commands.model import CommandInput
from handlers.imports.jobs.model import STEP_FUNCTION
from handlers.objects.s3 import PART_BYTES
from handlers.store.port import COMMANDS
from local.aws.model import AwsCall
from local.functions.model import InvokeResult, SimulatedCrash
from local.states.running.executions import RUNNING
from tests.modules.airports import COLUMNS, TEXT_COLUMNS, airport_input
from tests.support.api_calls import the_api_is_used
from tests.support.deployments import RECORDING, Deployed
from tests.support.imports import DeployedImports
from tests.support.permissions import allowed_not_used, calls_not_allowed, merged, of_collaborators_alone
from tests.support.pipelines import CONTEXT
from tests.support.tasks import DeployedTasks

TWO_SWEEPS = 660.0


class Outage:
    """Refuses one operation to all functions but one, while it lasts."""

    def __init__(self, operation: str, code: str, works_for: str) -> None:
        self._operation = operation
        self._code = code
        self._works_for = works_for
        self.lasts = False

    def before(self, call: AwsCall) -> str | None:
        theirs = call.caller is not None and not call.caller.endswith(self._works_for)
        return self._code if self.lasts and theirs and call.operation == self._operation else None

    def after(self, call: AwsCall) -> None:
        pass


def key(code: str) -> EntityKey:
    return EntityKey("TENANT", "t1", "ORDER", code)


def a_successor_waits_with_its_token(deployed: Deployed) -> None:
    deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(10)
    deployed.publish_versions(2, code="waits")
    deployed.run()
    assert deployed.applied_versions(key("waits")) == [1, 2]


def attributes_are_large(deployed: Deployed) -> None:
    """They are in the bucket, and the function reads them for the handlers."""
    deployed.publish(CommandInput("ORDER", "large", "v1", {"text": "x" * 100_000}))
    deployed.run()
    assert deployed.recorder.commands[-1].attributes == {"text": "x" * 100_000}


def a_handler_refuses(deployed: Deployed) -> None:
    def refuse(_: Any) -> None:
        raise ValueError("no")

    deployed.recorder.behaviours["two"] = refuse
    deployed.publish_versions(1, code="refused")
    deployed.run()
    assert deployed.row(1, key("refused"))["status"] == "sync_data:FAILED"
    deployed.recorder.behaviours.clear()


def an_execution_ends_unrecorded(deployed: Deployed) -> None:
    def crash(payload: Any, proceed: Any) -> InvokeResult:
        if "unrecorded" in payload["context"]["Execution"]["Input"]["sk"]:
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    for state in ("finish", "record_failure"):
        deployed.intercept(state, crash)
    deployed.publish_versions(1, code="unrecorded")
    deployed.run()
    assert deployed.row(1, key("unrecorded"))["error"]["type"] == "NotRunning"


def a_start_is_lost(deployed: Deployed) -> None:
    lost = True

    def crash(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if lost and function.endswith("-events") and "Records" in payload:
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(crash)
    deployed.publish_versions(1, code="lost")
    deployed.run()
    lost = False
    sweep(deployed)
    row = deployed.row(1, key("lost"))
    assert (row["status"], row["restart"]) == ("finish:FINISHED", 1)


def a_wake_up_is_lost(deployed: Deployed) -> None:
    outage = Outage("SendTaskSuccess", "TaskDoesNotExist", "-sweeper")
    deployed.runtime.endpoint.faults, outage.lasts = outage, True
    deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(10)
    deployed.publish_versions(2, code="unwoken")
    deployed.scheduler.run_for(60)
    assert deployed.applied_versions(key("unwoken")) == [1]
    sweep(deployed)
    assert deployed.applied_versions(key("unwoken")) == [1, 2]
    deployed.recorder.behaviours.clear()
    outage.lasts = False


def an_alarm_is_lost(deployed: Deployed) -> None:
    outage = Outage("Publish", "InternalError", "-sweeper")
    deployed.runtime.endpoint.faults, outage.lasts = outage, True
    deployed.recorder.behaviours["two"] = lambda _: 1 / 0
    deployed.publish_versions(1, code="unheard")
    deployed.run()
    assert "alarmedAt" not in deployed.row(1, key("unheard"))
    sweep(deployed)
    assert "alarmedAt" in deployed.row(1, key("unheard"))
    deployed.recorder.behaviours.clear()
    outage.lasts = False


def a_successor_is_parked(deployed: Deployed) -> None:
    """By the EXPRESS machine; for STANDARD as a switch of ``commandWorkflow`` leaves it."""
    deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(20)
    deployed.publish_versions(2, code="parked")
    deployed.scheduler.run_for(10)
    row = deployed.row(2, key("parked"))
    assert ("parkedAt" in row) != ("taskToken" in row)
    boto3.client("dynamodb").update_item(
        TableName=deployed.tables[COMMANDS],
        Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}},
        UpdateExpression="SET parkedAt = if_not_exists(parkedAt, :now)",
        ExpressionAttributeValues={":now": {"N": str(int(deployed.scheduler.now()))}},
    )
    deployed.run()
    assert deployed.applied_versions(key("parked")) == [1, 2]
    deployed.recorder.behaviours.clear()


def versions_follow_each_other(deployed: Deployed) -> None:
    deployed.publish_versions(2, code="follows")
    deployed.run()
    assert deployed.applied_versions(key("follows")) == [1, 2]


def a_slow_target_is_left_to_the_machine(deployed: Deployed) -> None:
    deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(8)
    deployed.publish_versions(1, code="slow")
    deployed.run()
    assert deployed.applied_versions(key("slow")) == [1]
    deployed.recorder.behaviours.clear()


def a_successor_sleeps_in_the_other_machine(deployed: Deployed) -> None:
    """As a switch of ``commandWorkflow`` leaves it."""
    deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(4)
    deployed.publish_versions(1, code="sleeps")
    deployed.scheduler.run_for(1)
    deployed.publish_versions(1, code="sleeps", after=1)
    row = deployed.row(2, key("sleeps"))
    boto3.client("dynamodb").update_item(
        TableName=deployed.tables[COMMANDS],
        Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}},
        UpdateExpression="SET taskToken = :token",
        ExpressionAttributeValues={":token": {"S": "of an execution"}},
    )
    deployed.run()
    assert deployed.applied_versions(key("sleeps")) == [1, 2]
    deployed.recorder.behaviours.clear()


def sweep(deployed: Deployed) -> None:
    """Until the schedule has called the sweeper and what it started has ended."""
    deployed.scheduler.run_for(TWO_SWEEPS)
    deployed.run()


def a_task_is_stopped_by_an_item(deployed: DeployedTasks) -> None:
    deployed.behave(lambda given: 1 / given)
    task = deployed.service.create_step_function_task("job", [1, 0, 1, 1], CONTEXT, on_item_error="stop")
    deployed.run()
    assert deployed.task(task).status == "FAILED"
    deployed.recorder.behaviours.clear()


def a_single_task_uses_the_read_model(deployed: DeployedTasks) -> None:
    given = {"icao": "LSZH", "name": "Zurich", "lat": "47.46", "lon": "8.55", "elevation": "1416", "country": "CH"}
    deployed.publish(airport_input({**dict.fromkeys(TEXT_COLUMNS, ""), **given}))
    deployed.run()
    task = deployed.service.create_task("airport-distances", "LSZH", CONTEXT)
    deployed.run()
    assert deployed.task(task).result == {"kilometresToEquator": 5274}


def an_execution_of_a_task_is_aborted(deployed: DeployedTasks) -> None:
    deployed.behave(lambda _: deployed.scheduler.sleep(30))
    task = deployed.service.create_step_function_task("job", list(range(4)), CONTEXT)
    deployed.scheduler.run_for(20)
    (running,) = deployed.runtime.executions.list_executions(deployed.task_machine_arn, RUNNING)
    deployed.runtime.executions.stop_execution(running.arn)
    deployed.run()
    assert deployed.task(task).status == "FAILED"
    deployed.recorder.behaviours.clear()


def the_outcome_of_an_item_is_never_recorded(deployed: DeployedTasks) -> None:
    """All calls for the item die: ``finalize_task`` closes it."""

    def crash(payload: Any, proceed: Any) -> InvokeResult:
        raise SimulatedCrash

    with deployed.intercepted("iterator", crash), deployed.intercepted("record_item_failure", crash):
        task = deployed.service.create_step_function_task("job", [1], CONTEXT)
        deployed.run()
    assert deployed.task(task).status == "FAILED"


def nothing_of_a_task_arrives(deployed: DeployedTasks) -> None:
    """The record is lost: the sweeper sends the message. Then the machine's end is lost: the sweeper ends the task."""

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        records = payload.get("Records", [{}])
        state = payload.get("context", {}).get("State", {}).get("Name", "")
        if "/stream/" in records[0].get("eventSourceARN", "") or payload.get("source") == "aws.states" or state:
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(lose)
    task = deployed.service.create_step_function_task("job", [1], CONTEXT)
    deployed.scheduler.run_for(4 * 3600)
    deployed.runtime.host.interceptors.remove(lose)
    deployed.run()
    assert deployed.task(task).status == "FAILED"


def files_are_imported(deployed: DeployedImports) -> None:
    """A value that is stored in the bucket and read back to be compared; rows that fail late, and at once."""
    header = ",".join(COLUMNS)
    large = f"LSZB,,Bern,{'x' * 70_000},,CH,,46.9,7.5,,"
    for outcome in ("applied", "unchanged"):
        job = deployed.import_file(f"{header}\n{large}\nLSZC,,Buochs,,,CH,,91,8.4,,\n".encode())
        assert (getattr(job.counts, outcome), job.counts.failed) == (1, 1)
    job = deployed.import_file(f"{header}\n{large},,\n".encode())
    assert (job.counts.total, job.counts.failed, len(job.report)) == (1, 1, 1)


def an_archive_is_imported(deployed: DeployedImports) -> None:
    """With a damaged file, of which two parts have been uploaded when that is found out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("20250101000000-airports.csv", ",".join(COLUMNS) + "\nLSZD,,Ascona,,,CH,,46,8,,\n")
        file.writestr("20250102000000-airports.csv", b"x" * (2 * PART_BYTES + 1_000_000))
    content = bytearray(buffer.getvalue())
    content[PART_BYTES + 500_000] = 0
    job = deployed.import_archive(bytes(content))
    assert (job.counts.applied, job.files, job.failed_files) == (1, 2, 1)


def a_large_file_is_imported_by_the_machine(deployed: DeployedImports) -> None:
    """From a copy without the byte order mark, of which a part can't be written at first."""
    refused = Outage("UploadPart", "AccessDenied", "-nobody")
    deployed.runtime.endpoint.faults, refused.lasts = refused, True
    row = f",,{'x' * 170_000},,,CH,,91,8.4,,\n"
    rows = "".join(f"X{number:03d}{row}" for number in range(2 * PART_BYTES // len(row) + 2))
    content = f"\ufeff{','.join(COLUMNS)}\n{rows}".encode()
    job = deployed.import_file(content, mode=STEP_FUNCTION)
    assert (job.status, job.counts.processed) == ("FAILED", 0)
    refused.lasts = False
    job = deployed.import_file(content, mode=STEP_FUNCTION)
    assert (job.status, job.counts.failed) == ("FAILED", job.counts.total)


def the_message_of_a_row_is_lost(deployed: DeployedImports) -> None:
    """Each receive dies: the sweeper finds the row that waits among its job's and queues it again."""
    receives: list[str] = []

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        record = payload.get("Records", [{}])[0]
        if function.endswith("-imports") and record.get("eventSource") == "aws:sqs" and len(receives) < 5:
            receives.append(record["messageId"])
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(lose)
    job = deployed.import_file((",".join(COLUMNS) + "\nLSZE,,Payerne,,,CH,,46,8,,\n").encode())
    deployed.scheduler.run_for(4 * 3600)
    deployed.runtime.host.interceptors.remove(lose)
    deployed.run()
    assert (deployed.job(job).status, len(receives)) == ("COMPLETED", 5)


def the_answer_for_a_file_is_lost(deployed: DeployedImports) -> None:
    """The record of its job's end: the sweeper tells the archive's machine."""

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        images = [record.get("dynamodb", {}).get("NewImage", {}) for record in payload.get("Records", ())]
        if function.endswith("-imports") and any("parent" in image for image in images):
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(lose)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("20250101000000-airports.csv", ",".join(COLUMNS) + "\n")
    job = deployed.import_archive(buffer.getvalue())
    deployed.runtime.host.interceptors.remove(lose)
    assert job.status == "COMPLETED"


def rows_are_applied_at_once(deployed: DeployedImports) -> None:
    """First and second versions, with other targets and without; rows alone, and several of a batch."""
    for table, name in (("orders", "a"), ("orders", "b"), ("notes", "a")):
        job = deployed.import_file(f"code,name\nat-once,{name}\n".encode(), table=table)
        assert (job.status, job.counts.applied) == ("COMPLETED", 1)
    job = deployed.import_file(b"code,name\nfirst,a\nsecond,a\n", table="notes")
    assert (job.status, job.counts.applied) == ("COMPLETED", 2)


def messages_that_nobody_can_read(deployed: DeployedImports) -> None:
    """Each is in its queue's dead-letter queue after one receive."""
    topic, began = deployed.runtime.outputs["mainTopicArn"], deployed.scheduler.now()
    for action in ("task-execute", "import-execute", "command-status"):
        boto3.client("sns").publish(
            TopicArn=topic,
            Message="no JSON",
            MessageAttributes={"action": {"DataType": "String", "StringValue": action}},
        )
    deployed.run()
    assert deployed.scheduler.now() - began < TWO_SWEEPS / 2
    queues = deployed.runtime.outputs["deadLetterQueueUrls"]
    for queue in ("task-action-queue", "import-action-queue", "notification-queue"):
        (body,) = deployed.drain(queues[queue])
        assert "no JSON" in body


#: What presigned URLs of the API's function let others do.
BY_LINK = tuple(
    f"cqrs-dev-api may {action} on arn:aws:s3:::cqrs-dev-store-123456789012/{prefix}"
    for action, prefix in (("s3:PutObject", "imports/"), ("s3:GetObject", "reports/"))
)
TASKS = [
    a_task_is_stopped_by_an_item,
    a_single_task_uses_the_read_model,
    an_execution_of_a_task_is_aborted,
    the_outcome_of_an_item_is_never_recorded,
    nothing_of_a_task_arrives,
]
IMPORTS = [
    files_are_imported,
    rows_are_applied_at_once,
    a_large_file_is_imported_by_the_machine,
    the_message_of_a_row_is_lost,
    an_archive_is_imported,
    the_answer_for_a_file_is_lost,
    messages_that_nobody_can_read,
]
API = [the_api_is_used]
STANDARD = [
    a_successor_waits_with_its_token,
    attributes_are_large,
    a_handler_refuses,
    an_execution_ends_unrecorded,
    a_start_is_lost,
    a_wake_up_is_lost,
    an_alarm_is_lost,
    a_successor_is_parked,
]
INLINE = [
    attributes_are_large,
    versions_follow_each_other,
    a_handler_refuses,
    a_slow_target_is_left_to_the_machine,
    a_successor_sleeps_in_the_other_machine,
]
EXPRESS = [a_handler_refuses, a_start_is_lost, a_successor_is_parked]


def test_inf_02_used_is_allowed_and_allowed_is_used(tmp_path: Path) -> None:
    used, policies = [], dict[str, list[Any]]()
    for workflow, detail, scenarios in (
        (
            "STANDARD",
            "full",
            [*STANDARD, *TASKS, *IMPORTS, *API],
        ),
        ("EXPRESS", "terminal", [*EXPRESS, *API]),
        ("INLINE", "terminal", INLINE),
    ):
        # A wait is not checked again before the sweeper comes.
        modules = json.dumps([RECORDING, "handlers.domain.airports"])
        config = {"statusDetail": detail, "waitPollSeconds": "86400", "handlerModules": modules}
        with DeployedImports(tmp_path / workflow, config=config, workflow=workflow) as deployed:
            for scenario in scenarios:
                scenario(deployed)
        used.append(deployed.used)
        for function, documents in deployed.policies.items():
            policies.setdefault(function, []).extend(documents)
    together = merged(used)
    assert set(together) == set(policies), "a function made no call at all"
    assert calls_not_allowed(together, policies) == []
    unused = [
        one
        for one in allowed_not_used(together, policies)
        if not of_collaborators_alone(one) and not one.startswith(BY_LINK)
    ]
    assert not unused, "no scenario here uses: " + "; ".join(dict.fromkeys(unused))


def test_inf_02_a_missing_permission_fails_the_test_that_needs_it(tmp_path: Path) -> None:
    def without_put() -> None:
        with Deployed(tmp_path) as deployed:
            for document in deployed.runtime.deployment.role_policies["cqrs-dev-states"]:
                for statement in document["Statement"]:
                    statement["Action"] = [one for one in statement["Action"] if one != "dynamodb:PutItem"]
            deployed.publish_versions(1)
            deployed.run()

    with pytest.raises(AssertionError, match="cqrs-dev-states called dynamodb:PutItem on arn:aws:dynamodb:"):
        without_put()


TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t"


def document(*statements: tuple[Any, Any]) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": one, "Resource": two} for one, two in statements]}


@pytest.mark.parametrize(
    ("action", "resource", "statement", "refused"),
    [
        ("dynamodb:GetItem", TABLE, ("dynamodb:GetItem", TABLE), False),
        ("dynamodb:GetItem", TABLE, (["dynamodb:PutItem", "dynamodb:GetItem"], [TABLE + "2", TABLE]), False),
        ("dynamodb:GetItem", TABLE + "2", ("dynamodb:GetItem", TABLE), True),
        ("dynamodb:Query", TABLE + "/index/open", ("dynamodb:Query", TABLE), True),
        ("dynamodb:Query", TABLE + "/index/open", ("dynamodb:Query", TABLE + "/index/*"), False),
        ("dynamodb:PutItem", TABLE, ("dynamodb:GetItem", TABLE), True),
        ("dynamodb:PutItem", TABLE, ("dynamodb:GetItem", "*"), True),
        ("states:SendTaskSuccess", "*", ("states:SendTaskSuccess", "arn:aws:states:::stateMachine:m"), False),
        ("states:SendTaskSuccess", "*", ("states:StartExecution", "arn:aws:states:::stateMachine:m"), True),
    ],
)
def test_inf_02_calls_are_matched_as_iam_does(
    action: str, resource: str, statement: tuple[Any, Any], refused: bool
) -> None:
    found = calls_not_allowed({"f": {action: {resource}}}, {"f": [document(statement)]})
    assert found == ([f"f called {action} on {resource}"] if refused else [])


def test_inf_02_a_function_without_a_role_may_nothing() -> None:
    assert calls_not_allowed({"f": {"sns:Publish": {"t"}}}, {}) == ["f called sns:Publish on t"]


def test_inf_02_what_is_not_used_is_reported() -> None:
    policies = {"f": [document((["dynamodb:GetItem", "dynamodb:PutItem"], TABLE), ("sqs:SendMessage", "arn:q"))]}
    assert allowed_not_used({"f": {"dynamodb:GetItem": {TABLE}}}, policies) == [
        f"f may dynamodb:PutItem on {TABLE}",
        "f may sqs:SendMessage on arn:q",
    ]


def test_inf_02_lambdas_own_needs_are_left_out_only_on_their_resources() -> None:
    own = document(
        ("dynamodb:GetRecords", TABLE + "/stream/1"),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:cqrs-dev-stream-failures"),
        ("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*"),
        ("xray:PutTraceSegments", "*"),
    )
    assert allowed_not_used({}, {"f": [own]}) == []
    others = document(("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:other"), ("logs:PutLogEvents", "*"))
    assert len(allowed_not_used({}, {"f": [others]})) == 2
