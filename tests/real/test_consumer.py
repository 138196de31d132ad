"""ENG-07: another project reads the outputs by StackReference and receives the outcome of a command."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import boto3
import pytest
import yaml

from tests.real.world import Project, World, eventually, publish

pytestmark = pytest.mark.real
CONSUMER = World.source / "examples" / "consumer"


@pytest.fixture(scope="module")
def consumer(world: World) -> Project:
    folder = world.folder / "examples" / "consumer"
    shutil.copytree(CONSUMER, folder, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    shutil.copytree(World.source / "client", world.folder / "client", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(Path(sys.prefix).resolve())
    return Project(world, folder)


def test_eng_07_a_consumer_receives_the_outcome(world: World, consumer: Project) -> None:
    program = world.program()
    program.init("dev")
    program.up("dev")
    consumer.init("dev")
    consumer.up("dev")
    consumer.run("preview", "--stack", "dev", "--expect-no-changes")
    outputs, theirs = program.outputs("dev"), consumer.outputs("dev")
    assert theirs["sourceSchemaVersion"] == outputs["schemaVersion"]
    publish(outputs, "o1")
    table = boto3.resource("dynamodb", region_name="us-east-1").Table(theirs["outcomesTableName"])
    eventually(lambda: table.scan()["Count"] > 0)
    assert table.scan()["Items"] == [
        {"id": "TENANT#acme#ORDER#o1@0000000001", "attempt": 1, "status": "finish:FINISHED"}
    ]


def test_eng_07_a_source_that_is_not_there_is_said(consumer: Project) -> None:
    path = consumer.folder / "Pulumi.dev.yaml"
    document = yaml.safe_load(path.read_text())
    document["config"]["cqrs-consumer:source"] = "organization/cqrs/live"
    path.write_text(yaml.safe_dump(document))
    said = consumer.run("preview", "--stack", "dev", refused=True)
    assert 'unknown stack "organization/cqrs/live"' in said
