"""The project's own program, deployed as the demo deploys it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.state_machines import stepfunctions
from local.deploy import DeployContext, DeployError, Deployment, deploy_program
from local.deploy.project import load_stack
from local.functions.host import FunctionHost
from local.scheduler import Scheduler
from local.sources.mappings import StreamMapping
from local.states.manager import ExecutionManager
from tests.support.projects import shared_project


class Place:
    def __init__(self, work_dir: Path) -> None:
        self.scheduler = Scheduler.virtual()
        self.endpoint = AwsEndpoint(self.scheduler)
        self.host = FunctionHost(self.scheduler)
        self.work_dir = work_dir

    def deploy(self, stack: str, config: dict[str, str] | None = None) -> Deployment:
        endpoint = self.endpoint
        manager = ExecutionManager(self.scheduler, self.host, region=endpoint.region, account_id=endpoint.account_id)
        stepfunctions.install(endpoint, manager)
        context = DeployContext(endpoint, self.host, self.work_dir)
        return deploy_program(shared_project(), load_stack(shared_project(), stack, config), context)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The program of the default stack; its endpoint runs as long as the tests of this file."""
    place = Place(tmp_path_factory.mktemp("work"))
    with place.endpoint:
        yield place.deploy("dev")


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The same for prod, before the endpoint of ``dev`` starts: one runs at a time."""
    place = Place(tmp_path_factory.mktemp("prod"))
    with place.endpoint:
        return place.deploy("prod")


def test_both_stacks_declare_the_same_resources(prod: Deployment, dev: Deployment) -> None:
    declared = [sorted((one.type, one.name) for one in deployment.resources) for deployment in (prod, dev)]
    assert declared[0] == declared[1]
    assert set(prod.outputs) == set(dev.outputs)
    assert {one.outputs["deletionProtectionEnabled"] for one in prod.of_type("aws:dynamodb/table:Table")} == {True}


def test_inf_01_every_declared_table_exists_with_its_stream_ttl_and_index(dev: Deployment) -> None:
    client = boto3.client("dynamodb")
    declared = dev.of_type("aws:dynamodb/table:Table")
    assert sorted(client.list_tables()["TableNames"]) == sorted(one.outputs["name"] for one in declared)
    for one in declared:
        table = client.describe_table(TableName=one.outputs["name"])["Table"]
        stream = table.get("StreamSpecification", {}).get("StreamViewType")
        assert stream == one.inputs.get("streamViewType"), one.name
        ttl = client.describe_time_to_live(TableName=one.outputs["name"])["TimeToLiveDescription"]
        assert ttl["AttributeName"] == "ttl", one.name
    commands = client.describe_table(TableName=dev.outputs["commandsTableName"])["Table"]
    assert [one["IndexName"] for one in commands["GlobalSecondaryIndexes"]] == ["open"]
    assert commands["LatestStreamArn"] == dev.outputs["commandsStreamArn"]


def test_every_declared_queue_has_its_attributes_and_subscription(dev: Deployment) -> None:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    for one in dev.of_type("aws:sqs/queue:Queue"):
        found = sqs.get_queue_attributes(QueueUrl=one.outputs["url"], AttributeNames=["All"])["Attributes"]
        assert found["QueueArn"] == one.outputs["arn"]
        assert found["VisibilityTimeout"] == str(one.inputs.get("visibilityTimeoutSeconds", 30)), one.name
        expected = json.loads(one.inputs["redrivePolicy"]) if "redrivePolicy" in one.inputs else None
        assert (json.loads(found["RedrivePolicy"]) if "RedrivePolicy" in found else None) == expected, one.name
    subscribed = sns.list_subscriptions_by_topic(TopicArn=dev.outputs["mainTopicArn"])["Subscriptions"]
    declared = dev.of_type("aws:sns/topicSubscription:TopicSubscription")
    expected_endpoints = {one.inputs["endpoint"] for one in declared if one.inputs["protocol"] == "sqs"}
    assert {one["Endpoint"] for one in subscribed} == expected_endpoints


def test_functions_and_machine_are_callable(dev: Deployment) -> None:
    listed = boto3.client("lambda").list_functions()["Functions"]
    assert {one["FunctionName"] for one in listed} == set(dev.functions)
    for spec in dev.functions.values():
        module = spec.handler.rpartition(".")[0].replace(".", "/") + ".py"
        assert (spec.archive_dir / module).is_file(), spec.name
        assert dev.role_policies[spec.name], spec.name
    machines = {one["name"] for one in boto3.client("stepfunctions").list_state_machines()["stateMachines"]}
    assert set(dev.machine_policies) == machines
    assert all(dev.machine_policies.values())
    machine = boto3.client("stepfunctions").describe_state_machine(
        stateMachineArn=dev.outputs["commandStateMachineArn"]
    )
    assert "${" not in machine["definition"]


def test_nothing_is_missing_in_what_was_declared(dev: Deployment) -> None:
    for one in dev.resources:
        text = json.dumps({key: value for key, value in one.inputs.items() if key != "code"})
        text = text.replace('\\"ResultPath\\": null', "")  # the one null that means something
        for residue in ("null", "None", "Output[", "pulumi.output"):
            assert residue not in text, f"{one.type} {one.name}: {residue} in {text}"


def test_outputs_are_strings_or_maps_of_strings(dev: Deployment) -> None:
    for name, value in dev.outputs.items():
        if name == "entityTypes":
            assert value == {"allowed": [], "handled": ["AIRPORT", "ORDER"]}
        elif isinstance(value, dict):
            assert value or name == "customStateMachineArns", name
            assert all(isinstance(one, str) and one for one in value.values()), name
        else:
            assert isinstance(value, (str, int)), name
            assert value, name


@pytest.mark.parametrize(
    ("event", "image", "starts", "tells"),
    [
        ("INSERT", {"status": {"S": "publish:ACCEPTED"}}, True, False),
        ("INSERT", {"status": {"S": "publish:SYNC"}}, False, False),
        ("INSERT", {"result": {"S": "a request row has no status"}}, False, False),
        ("MODIFY", {"status": {"S": "publish:ACCEPTED"}}, False, False),
        ("MODIFY", {"status": {"S": "history_copy:FINISHED"}}, False, False),
        ("MODIFY", {"status": {"S": "finish:STARTED"}}, False, False),
        ("MODIFY", {"status": {"S": "finish:FINISHED"}}, False, True),
        ("MODIFY", {"status": {"S": "sync_data:FAILED"}}, False, True),
        ("MODIFY", {"status": {"S": "skipped"}}, False, True),
        ("MODIFY", {"result": {"S": "a request row has no status"}}, False, False),
        ("REMOVE", None, False, False),
    ],
)
def test_filters_of_the_commands_stream_on_sample_records(
    dev: Deployment, event: str, image: dict[str, Any] | None, starts: bool, tells: bool
) -> None:
    stream_record: dict[str, Any] = {"Keys": {"pk": {"S": "TENANT#t1"}}, "SequenceNumber": "1"}
    if image is not None:
        stream_record["NewImage"] = image
    record = {"eventName": event, "eventSource": "aws:dynamodb", "dynamodb": stream_record}
    passes = {name: mapping.filters.accepts_stream_record(record) for name, mapping in commands_mappings(dev).items()}
    assert passes == {"starts": starts, "tells": tells}


@pytest.mark.parametrize(
    ("event", "image", "passes"),
    [
        ("INSERT", {"kind": "task", "status": "CREATED"}, True),
        ("INSERT", {"kind": "batch", "status": "CREATED"}, True),
        ("MODIFY", {"kind": "batch", "status": "CREATED"}, True),  # a retry
        ("INSERT", {"kind": "batch", "status": "COMPLETED"}, True),  # an empty list
        ("INSERT", {"kind": "item", "status": "CREATED"}, False),
        ("MODIFY", {"kind": "item", "status": "PROCESSING"}, False),
        ("MODIFY", {"kind": "item", "status": "COMPLETED"}, True),
        ("MODIFY", {"kind": "item", "status": "FAILED"}, True),
        ("MODIFY", {"kind": "task", "status": "QUEUED"}, False),
        ("MODIFY", {"kind": "batch", "status": "PROCESSING"}, False),
        ("MODIFY", {"kind": "task", "status": "CANCELLED"}, True),
        ("INSERT", {"requestId": "r1"}, False),
        ("REMOVE", None, False),
    ],
)
def test_filters_of_the_tasks_stream_on_sample_records(
    dev: Deployment, event: str, image: dict[str, str] | None, passes: bool
) -> None:
    stream = dev.outputs["tasksStreamArn"]
    (mapping,) = (
        one for one in dev.event_source_mappings if isinstance(one, StreamMapping) and one.stream_arn == stream
    )
    change: dict[str, Any] = {"Keys": {"pk": {"S": "SFN_TASK#t1"}}, "SequenceNumber": "1"}
    if image is not None:
        change["NewImage"] = {name: {"S": value} for name, value in image.items()}
    record = {"eventName": event, "eventSource": "aws:dynamodb", "dynamodb": change}
    assert mapping.filters.accepts_stream_record(record) == passes


def commands_mappings(deployment: Deployment) -> dict[str, StreamMapping]:
    """The two mappings of the commands stream, told apart by what they let through."""
    found = [
        one
        for one in deployment.event_source_mappings
        if isinstance(one, StreamMapping) and one.stream_arn == deployment.outputs["commandsStreamArn"]
    ]
    accepted = {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"NewImage": {"status": {"S": "publish:ACCEPTED"}}},
    }
    named = {"starts" if one.filters.accepts_stream_record(accepted) else "tells": one for one in found}
    assert len(named) == len(found)
    return named


def test_inf_03_wrong_configuration_creates_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with pytest.raises(DeployError) as caught:
        deploy_without_endpoint(place, {"cqrs:waitPollSeconds": "-1"})
    text = str(caught.value)
    assert "waitPollSeconds" in text
    assert "-1" in text
    assert "\n" not in text
    assert place.endpoint.calls == {}
    assert place.host.names == []


def deploy_without_endpoint(place: Place, config: dict[str, str]) -> Deployment:
    """The endpoint isn't running: any call would fail, so this also shows that none is made."""
    context = DeployContext(place.endpoint, place.host, place.work_dir)
    return deploy_program(shared_project(), load_stack(shared_project(), "dev", config), context)


def test_unknown_stack_of_the_project(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"unknown stack 'nowhere'; stacks: dev, prod"):
        Place(tmp_path).deploy("nowhere")
