"""``examples/consumer`` without the engine (ENG-07 has it with one): what it takes from a stack and declares."""

from __future__ import annotations

import json
import runpy
from typing import Any

import boto3
import pytest
from pulumi.runtime.mocks import MockResourceArgs

from client_tests.fakes import Api, published
from local.aws.endpoint import AwsEndpoint
from local.deploy.errors import DeployError
from local.deploy.program import evaluate
from local.deploy.project import load_stack
from tests.infra.test_outputs import OUTPUTS
from tests.support.evaluation import PROJECT_DIR, Evaluation, Recorder

CONSUMER = PROJECT_DIR / "examples" / "consumer"
API = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
EXECUTION = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5"
POLICY = "arn:aws:iam::123456789012:policy/cqrs-dev-publisher"
SOURCE = {
    "schemaVersion": 1,
    "eventBusName": "cqrs-dev-events",
    "apiUrl": API,
    "apiExecutionArn": EXECUTION,
    "publisherPolicyArn": POLICY,
}


class Consumer(Recorder):
    """Answers the StackReference with a stack's outputs."""

    def __init__(self, evaluation: Evaluation, outputs: dict[str, Any]) -> None:
        super().__init__(evaluation)
        self._outputs = outputs
        self.asked: list[str] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            self.asked.append(str(args.inputs["name"]))
            return args.name, {"name": args.inputs["name"], "outputs": self._outputs}
        return super().new_resource(args)


def deployed(outputs: dict[str, Any]) -> tuple[Evaluation, list[str]]:
    evaluation = Evaluation("dev")
    engine = Consumer(evaluation, outputs)
    evaluation.outputs = evaluate(CONSUMER, load_stack(CONSUMER, "dev"), engine)
    return evaluation, engine.asked


def test_it_uses_promised_outputs_only() -> None:
    assert set(SOURCE) <= OUTPUTS
    evaluation, asked = deployed(SOURCE)
    assert asked == ["organization/cqrs/dev"]
    assert evaluation.outputs["sourceSchemaVersion"] == SOURCE["schemaVersion"]


def test_its_rule_is_on_the_sources_bus_and_reaches_its_queue() -> None:
    evaluation, _ = deployed(SOURCE)
    rule = evaluation.get("aws:cloudwatch/eventRule:EventRule", "outcomes")
    target = evaluation.get("aws:cloudwatch/eventTarget:EventTarget", "queue")
    assert rule["eventBusName"] == target["eventBusName"] == SOURCE["eventBusName"]
    assert target["arn"] == "arn:aws:sqs:us-east-1:123456789012:cqrs-consumer-dev-events"
    queue = evaluation.get("aws:sqs/queue:Queue", "events")
    function = evaluation.get("aws:lambda/function:Function", "follow")
    assert queue["visibilityTimeoutSeconds"] >= 6 * function["timeout"]


def test_it_publishes_through_the_api_and_past_it_by_the_stacks_policy() -> None:
    evaluation, _ = deployed(SOURCE)
    (invoke, _) = json.loads(evaluation.get("aws:iam/rolePolicy:RolePolicy", "order")["policy"])["Statement"]
    assert invoke["Action"] == "execute-api:Invoke"
    assert invoke["Resource"] == "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*"
    function = evaluation.get("aws:lambda/function:Function", "order")
    assert function["environment"]["variables"] == {"API_URL": API, "TENANT": "demo"}
    attached = evaluation.get("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "job")
    assert (attached["role"], attached["policyArn"]) == ("cqrs-consumer-dev-job", POLICY)


def test_its_function_publishes_once_however_often_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([published("APPLIED"), published("APPLIED")])
    function = runpy.run_path(str(CONSUMER / "function" / "order.py"))
    monkeypatch.setitem(function["client"].__globals__, "_client", api.client())
    event = {"id": "e1", "code": "o1", "name": "First", "lines": []}
    for _ in range(2):
        assert function["handler"](event, None) == {"code": "o1", "version": 1, "outcome": "APPLIED"}
    assert {one.headers["idempotency-key"] for one in api.asked} == {"e1"}
    assert api.asked[0].path == "/commands?wait=10"


def test_another_schema_version_is_refused() -> None:
    with pytest.raises(DeployError, match=r"schemaVersion 2.*; this project knows 1"):
        deployed({**SOURCE, "schemaVersion": 2})


def test_it_pins_what_the_program_pins() -> None:
    def pins(path: Any) -> set[str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {line.replace("_", "-") for line in lines if line.startswith("pulumi")}

    assert pins(CONSUMER / "requirements.txt") == pins(PROJECT_DIR / "requirements.txt")


def test_its_function_keeps_the_latest_attempt_whatever_comes_twice_or_late(monkeypatch: pytest.MonkeyPatch) -> None:
    function = runpy.run_path(str(CONSUMER / "function" / "follow.py"))
    monkeypatch.setenv("TABLE", "outcomes")
    with AwsEndpoint():
        table = boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName="outcomes",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        first, second = event(1, "sync_data:FAILED"), event(2, "finish:FINISHED")
        for body in (first, second, second, first):
            assert function["handler"]({"Records": [{"messageId": "m", "body": body}]}, None) == {
                "batchItemFailures": []
            }
        assert table.scan()["Items"] == [{"id": "T#a#ORDER#o@1", "attempt": 2, "status": "finish:FINISHED"}]
        broken = {"Records": [{"messageId": "bad", "body": "{}"}, {"messageId": "good", "body": second}]}
        assert function["handler"](broken, None) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def event(attempt: int, status: str) -> str:
    return json.dumps({"detail": {"id": "T#a#ORDER#o@1", "content": {"attempt": attempt, "status": status}}})
