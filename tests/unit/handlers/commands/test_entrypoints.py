"""The entry points on in-memory ports: routing, answers, partial failures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.starter import CommandStarter, execution_name
from handlers.consumers.batch_results import partial_answer
from handlers.core.errors import ValidationError
from handlers.entrypoints import events, states
from handlers.entrypoints.wiring.events import EventPorts
from handlers.store.values import item_to_dynamo
from handlers.topics.memory import MemoryTopic
from tests.support.pipelines import World, order
from tests.unit.handlers.test_settings import EVENTS, STATES

ROOT = Path(__file__).parents[4]


def state_payload(world: World, state: str, **given: Any) -> dict[str, Any]:
    row = world.row(1)
    execution_input = {name: row[name] for name in ("pk", "sk", "id", "attempt")}
    return {
        "source": "step-function",
        "context": {
            "Execution": {"Id": "arn:e", "Name": "e", "StartTime": "s", "Input": execution_input},
            "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": state, "RetryCount": 0},
            "StateMachine": {"Id": "arn:m", "Name": "m"},
        },
        "input": execution_input,
        **given,
    }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def handle(world: World) -> Any:
    from handlers.commands.ports import Ports

    env = {**STATES, "HANDLER_MODULES": "tests.modules.orders"}
    ports = Ports(world.store, world.workflows, world.alarms, world.clock)
    return states.create(env, ports=ports, attributes=world.attributes)


def test_pipe_11_states_answer_in_double_brackets(world: World, handle: Any) -> None:
    world.publish(order(0, lines=[{"quantity": 2, "price": 1.5}]))
    assert handle(state_payload(world, "check_version"), None) == [[{"result": 0}]]
    assert handle(state_payload(world, "set_ttl_command"), None) == [[{"changed": False}]]
    assert handle(state_payload(world, "history_copy"), None) == [[{"copied": False}]]
    targets = [{"target": "data"}, {"target": "order-summary"}]
    assert handle(state_payload(world, "transform_data"), None) == [[targets]]
    for target in targets:
        answer = handle(state_payload(world, "sync_data", input=target), None)
        assert answer == [[{**target, "outcome": "APPLIED"}]]
    outputs = [{**target, "outcome": "APPLIED"} for target in targets]
    assert handle(state_payload(world, "finish", input=outputs), None) == [[{"result": "done", "woken": False}]]
    summary = world.store.get("data", "ORDER_SUMMARY#t1", "ORDER#o1")
    assert summary is not None
    assert summary["total"] == 3.0


def test_a_lost_run_walks_on_to_success(world: World, handle: Any) -> None:
    world.publish(order(0, n=1))
    assert handle(state_payload(world, "transform_data"), None) == [[[]]]
    assert handle(state_payload(world, "finish", input=[]), None) == [[{"result": "lost"}]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "elsewhere"}, "source"),
        ({"context": {}}, "Execution"),
        ({"context": {"Execution": {"Input": [], "Id": "x", "Name": "n"}, "State": {}}}, "Execution.Input"),
    ],
)
def test_malformed_payloads_are_named(world: World, handle: Any, change: dict[str, Any], field: str) -> None:
    world.publish(order(0, n=1))
    with pytest.raises(ValidationError) as caught:
        handle({**state_payload(world, "finish"), **change}, None)
    assert caught.value.field == field


def test_unknown_state_is_named(world: World, handle: Any) -> None:
    world.publish(order(0, n=1))
    with pytest.raises(ValidationError, match=r"State.Name: 'polish' is not allowed; expected one of check_version"):
        handle(state_payload(world, "polish"), None)


def record(row: dict[str, Any], name: str = "INSERT", number: str = "1") -> dict[str, Any]:
    return {"eventName": name, "dynamodb": {"NewImage": item_to_dynamo(row), "SequenceNumber": number}}


@pytest.fixture
def on_events(world: World) -> Any:
    ports = EventPorts(world.store, world.workflows, world.alarms, world.clock, MemoryTopic(), world.letters)
    return events.create(EVENTS, ports=ports)


def test_dup_01_a_repeated_record_starts_nothing_new(world: World, on_events: Any) -> None:
    world.publish(order(0, n=1))
    row = world.row(1)
    batch = {"Records": [record(row), record(row)]}
    assert on_events(batch, None) == {"batchItemFailures": []}
    assert on_events(batch, None) == {"batchItemFailures": []}
    name = execution_name(row["pk"], row["sk"], row["id"], 1, 0)
    expected = {"pk": "TENANT#t1", "sk": "ORDER#o1@0000000001", "id": row["id"], "attempt": 1}
    assert world.workflows.started == {("m", name): expected}


def test_a_batch_without_records_is_answered(on_events: Any) -> None:
    assert on_events({"Records": []}, None) == {"batchItemFailures": []}


def test_names_differ_by_every_part_and_fit_step_functions() -> None:
    base = ("p", "s", "i", 1, 0)
    names = {execution_name(*base), *(execution_name(*[*base[:n], "x", *base[n + 1 :]]) for n in range(5))}  # type: ignore[arg-type]
    assert len(names) == 6
    assert all(len(name) <= 80 and name.isalnum() for name in names)


def test_only_new_asynchronous_commands_start(world: World, on_events: Any) -> None:
    world.publish(order(0, n=1))
    row = world.row(1)
    others = [
        record(row, "MODIFY"),
        record({**row, "status": "publish:SYNC"}),
        record({"pk": "TENANT#t1", "sk": "REQ#1"}),
        {"eventName": "REMOVE", "dynamodb": {"Keys": {}}},
    ]
    assert on_events({"Records": others}, None) == {"batchItemFailures": []}
    assert world.workflows.started == {}


def test_dup_06_a_poison_record_does_not_keep_back_the_others(world: World, on_events: Any) -> None:
    world.publish(order(0, n=1))
    row = world.row(1)
    poison = {"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"??": 1}}, "SequenceNumber": "7"}}
    answer = on_events({"Records": [poison, record(row, number="8")]}, None)
    assert answer == {"batchItemFailures": []}
    assert [one["dynamodb"]["SequenceNumber"] for one, _ in world.letters.letters] == ["7"]
    assert len(world.workflows.started) == 1


def test_starter_passes_a_throttle_on() -> None:
    class Throttled:
        def start(self, *args: Any) -> bool:
            raise RuntimeError("throttled")

    starter = CommandStarter(Throttled(), "m")  # type: ignore[arg-type]
    world = World()
    world.publish(order(0, n=1))
    records = [record(world.row(1), number="9")]
    answer = partial_answer(records, starter.on_stream_records(records), world.letters)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "9"}]}


def test_events_of_another_kind_are_named(on_events: Any) -> None:
    with pytest.raises(ValidationError, match=r"a batch of a stream, or an aws\.states event"):
        on_events({"hello": 1}, None)


FORBIDDEN = {"pulumi", "moto", "pydantic", "boto3", "aws_xray_sdk", "requests", "s3transfer", "infra", "local"}


@pytest.mark.parametrize("name", ["events", "outcomes", "sweeper", "tasks", "states"])
def test_entry_points_import_nothing_heavy(name: str) -> None:
    code = (
        "import json, sys\n"
        f"import handlers.entrypoints.{name} as module\n"
        "assert callable(module.handler)\n"
        "print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "handlers" in loaded
    assert loaded & FORBIDDEN == set()
