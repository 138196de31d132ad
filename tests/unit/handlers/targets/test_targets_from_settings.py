"""Targets from ``SYNC_TARGETS`` to the registry, and clients that are made only when they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.targets.handler import remote_handlers
from handlers.commands.targets.memory import MemoryTarget
from handlers.commands.targets.model import TargetSpec, parse_targets
from handlers.commands.targets.registry import load_registry
from handlers.core.errors import RegistryError, SettingsError
from handlers.entrypoints import states
from tests.support.pipelines import World, order
from tests.support.previous import nothing_before
from tests.unit.handlers.test_settings import STATES

ROOT = Path(__file__).parents[4]
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q.fifo"


def entry(**given: Any) -> dict[str, Any]:
    return {"id": "search", "types": ["ORDER"], "kind": "sqs", "arn": QUEUE, **given}


def test_parsed() -> None:
    (found,) = parse_targets(json.dumps([entry(types=["ORDER", "INVOICE"])]))
    assert found == TargetSpec("search", ("ORDER", "INVOICE"), "sqs", QUEUE)
    assert (found.region, found.is_fifo) == ("eu-west-1", True)
    assert parse_targets("[]") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "SYNC_TARGETS: not JSON"),
        ("{}", "is not a list"),
        (json.dumps([{"id": "a"}]), "entry 0 is not an object of id, types, kind and arn"),
        (json.dumps([entry(), entry(kind="pigeon")]), "entry 1: kind 'pigeon' is not one of lambda, sqs, sns"),
        (json.dumps([entry(kind="sns")]), r"entry 0: arn 'arn:aws:sqs:.* is not one of the service sns"),
        (json.dumps([entry(types=[])]), r"entry 0: types \[\] is not a list of types"),
    ],
)
def test_mistakes_stop_the_start(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        states.create({**STATES, "SYNC_TARGETS": text})


def specs(*ids: str) -> list[TargetSpec]:
    return [TargetSpec(id_, ("ORDER", "INVOICE"), "sqs", QUEUE) for id_ in ids]


def test_targets_stand_beside_this_projects_handlers() -> None:
    remote = remote_handlers(specs("z", "a"), "c", lambda spec: MemoryTarget())
    registry = load_registry(["tests.modules.orders"], {"store": None, "clock": None}, remote, before=nothing_before)
    assert registry.sync_targets("ORDER") == ["a", "order-summary", "z"]
    assert registry.sync_targets("INVOICE") == ["a", "z"]
    assert registry.sync_targets("AIRPORT") == []


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (("order-summary",), "SYNC_TARGETS: sync target id 'order-summary' is already used by tests.modules"),
        (("a", "a"), "SYNC_TARGETS: sync target id 'a' is already used by SYNC_TARGETS"),
        (("data",), "SYNC_TARGETS: sync target id 'data' is not allowed"),
        (("Bad Id",), "SYNC_TARGETS: sync target id 'Bad Id' is not allowed"),
    ],
)
def test_ids_are_unique_and_allowed(ids: tuple[str, ...], message: str) -> None:
    remote = remote_handlers(specs(*ids), "c", lambda spec: MemoryTarget())
    with pytest.raises(RegistryError, match=message):
        load_registry(["tests.modules.orders"], {"store": None, "clock": None}, remote, before=nothing_before)


def test_the_pipeline_delivers_and_notes_the_outcome() -> None:
    target = MemoryTarget()
    handler = remote_handlers(specs("search"), "c", lambda spec: target)[0].handler
    world = World(handlers={"search": ("ORDER", handler)})
    world.publish_and_apply(order(0, n=1))
    (delivery,) = target.deliveries
    assert json.loads(delivery.text)["content"]["attributes"] == {"n": 1}
    assert world.row(1)["targets"]["search"]["outcome"] == "APPLIED"


def test_no_client_is_made_before_the_first_delivery() -> None:
    targets = [
        entry(id="q"),
        entry(id="t", kind="sns", arn=QUEUE.replace("sqs", "sns")),
        entry(id="b", kind="eventbridge", arn="arn:aws:events:eu-west-1:123456789012:event-bus/b"),
        entry(id="f", kind="lambda", arn="arn:aws:lambda:eu-west-1:123456789012:function:f"),
    ]
    env = {**STATES, "SYNC_TARGETS": json.dumps(targets), "HANDLER_MODULES": ""}
    code = (
        "import os\n"
        "os.environ.update(AWS_DEFAULT_REGION='eu-west-1')\n"
        "from handlers.core.aws import clients as aws\n"
        "made = []\n"
        "real = aws._session().create_client\n"
        "aws._session().create_client = lambda name, **k: made.append(name) or real(name, **k)\n"
        "from handlers.entrypoints import states\n"
        f"states.create({env!r})\n"
        "print(sorted(made))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['dynamodb', 'sns', 'stepfunctions']"
