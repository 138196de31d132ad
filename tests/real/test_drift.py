"""ENG-05, ENG-06: what was changed by hand is shown and healed; what ``destroy`` leaves."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from contract.tables import TABLES
from tests.real.world import Project, World, errors

pytestmark = pytest.mark.real
REGION = "us-east-1"
#: Logical names of what holds data.
PROTECTED = {*(table.replace("_", "-") for table in TABLES), "bucket"}


@pytest.fixture(scope="module")
def project(world: World) -> Project:
    project = world.program()
    project.init("dev")
    project.up("dev")
    return project


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


def test_eng_05_drift_is_shown_and_healed(project: Project) -> None:
    sqs = client("sqs")
    outputs = project.outputs("dev")
    changed, deleted = outputs["notificationQueueUrl"], outputs["deadLetterQueueUrls"]["stream-failures"]
    declared = sqs.get_queue_attributes(QueueUrl=changed, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=changed, Attributes={"VisibilityTimeout": "7"})
    sqs.delete_queue(QueueUrl=deleted)
    project.run("preview", "--stack", "dev", "--expect-no-changes")  # the engine believes its state
    refresh = project.run("refresh", "--stack", "dev", "--yes", "--skip-preview", "--diff")
    assert "visibilityTimeoutSeconds" in refresh
    assert "1 updated" in refresh
    assert "3 deleted" in refresh  # with its policy and whom it takes messages from
    changes = project.changes("dev")
    assert changes["aws:sqs/queue:Queue", "stream-failures"]["op"] == "create"
    assert changes["aws:sqs/queue:Queue", "notification-queue"]["diff"] == ["visibilityTimeoutSeconds"]
    project.up("dev")
    healed = sqs.get_queue_attributes(QueueUrl=changed, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert healed == declared
    assert sqs.get_queue_url(QueueName="cqrs-dev-stream-failures")["QueueUrl"] == deleted
    project.run("refresh", "--stack", "dev", "--yes", "--skip-preview", "--expect-no-changes")
    project.run("preview", "--stack", "dev", "--expect-no-changes")


def test_eng_06_destroy_leaves_nothing_of_dev(project: Project) -> None:
    destroyed = project.run("destroy", "--stack", "dev", "--yes", "--skip-preview")
    assert "error" not in destroyed
    left = {
        "tables": client("dynamodb").list_tables()["TableNames"],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "topics": client("sns").list_topics()["Topics"],
        "buckets": client("s3").list_buckets()["Buckets"],
        "roles": client("iam").list_roles()["Roles"],
        "machines": client("stepfunctions").list_state_machines()["stateMachines"],
        "functions": client("lambda").list_functions()["Functions"],
        "mappings": client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "rules": client("events").list_rules()["Rules"],
        "log groups": client("logs").describe_log_groups()["logGroups"],
    }
    assert {kind: found for kind, found in left.items() if found} == {}
    project.run("stack", "rm", "dev", "--yes", "--preserve-config")


def test_eng_06_destroy_of_prod_says_what_is_protected(project: Project) -> None:
    project.init("prod")
    project.up("prod")
    destroyed = project.run("destroy", "--stack", "prod", "--yes", "--skip-preview", refused=True)
    told = [one for one in errors(destroyed) if "cannot be deleted" in one]
    protected = {name for name in PROTECTED for one in told if f"::{name}" in one}
    print(told)
    assert protected == PROTECTED
    assert set(client("dynamodb").list_tables()["TableNames"]) == {f"cqrs-prod-{table}" for table in TABLES}
    with project.configured("prod", {"deletionProtection": False}):
        project.up("prod")  # gives up the protection, and brings back what went
        project.run("destroy", "--stack", "prod", "--yes", "--skip-preview")
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert client("s3").list_buckets()["Buckets"] == []
