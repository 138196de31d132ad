"""Every door through which values of applications come: what they bring is plain, or refused before any write."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cli.operate.explain import rendered
from handlers.commands.failure import Failure
from handlers.commands.keys import EntityKey
from handlers.commands.model import NO_STATUS, Command, CommandInput, completed
from handlers.core.context import InvokeContext
from handlers.core.error_text import error_of
from handlers.core.errors import RequestConflict, ValidationError
from handlers.core.log import LOGGER_NAME
from handlers.imports.rows.preparation import prepare
from handlers.imports.service import ImportService
from handlers.imports.strategy import ImportStrategy, Row
from handlers.state_machines.checks import check_payload
from handlers.state_machines.memory import MemoryCustomWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, IMPORT_TMP, TASKS
from handlers.store.values import item_from_dynamo, item_to_dynamo
from handlers.tasks.handlers import TaskHandlers, TaskType
from handlers.tasks.items import ItemRunner
from handlers.tasks.keys import TaskKey
from handlers.tasks.model import Task
from handlers.tasks.service import TaskService
from handlers.workflows.approvals import Approvals
from handlers.workflows.keys import saga_partition
from handlers.workflows.saga import SagaLog
from handlers.workflows.states import CustomStates
from handlers.workflows.workflow import WorkflowEvent
from tests.support.clock import ManualClock
from tests.support.operations import Operator
from tests.support.pipelines import CONTEXT, KEY, World, order
from tests.support.values import Float64, Status, Word

HALF = "Cup \ud83d"
ME = InvokeContext("u1", "t1", "203.0.113.7")
NOBODY = [
    ("userId", replace(ME, user_id=None)),  # type: ignore[arg-type]
    ("userId", replace(ME, user_id=7)),  # type: ignore[arg-type]
    ("userId", replace(ME, user_id=HALF)),
    ("userId", replace(ME, user_id="x" * 1_001)),
    ("sourceIp", replace(ME, source_ip=None)),  # type: ignore[arg-type]
    ("sourceIp", replace(ME, source_ip=HALF)),
    ("tenantCode", replace(ME, tenant_code=None)),  # type: ignore[arg-type]
    ("tenantCode", replace(ME, tenant_code="t1 ")),
    ("requestId", replace(ME, request_id="")),
    ("requestId", replace(ME, request_id=HALF)),
]


class Mapper(ImportStrategy):
    """Answers what it is given."""

    def __init__(self, given: CommandInput) -> None:
        self._given = given

    def map(self, row: Row) -> CommandInput:
        return self._given


def tasks(store: MemoryTableStore) -> TaskService:
    return TaskService(store, ManualClock(), {"count": TaskType("count", 1.0, object)})


def imports(store: MemoryTableStore) -> ImportService:
    return ImportService(store, ManualClock(), ["things"], ["bucket"])


DOORS: dict[str, Callable[[MemoryTableStore, InvokeContext], Any]] = {
    "publish": lambda store, me: World(store=store).publisher.publish_async(order(), me),
    "partial": lambda store, me: World(store=store).publisher.publish_partial_async(
        "TENANT#t1", "ORDER#o9", -1, {}, me
    ),
    "task": lambda store, me: tasks(store).create_task("count", 1, me),
    "task with items": lambda store, me: tasks(store).create_step_function_task("count", [1], me),
    "row": lambda store, me: imports(store).create_import("things", {"id": "1"}, me),
    "file": lambda store, me: imports(store).create_csv_import("things", "bucket", "a.csv", me),
    "archive": lambda store, me: imports(store).create_zip_import("bucket", "a.zip", me),
}


@pytest.mark.parametrize(("field", "caller"), NOBODY)
@pytest.mark.parametrize("door", DOORS)
def test_edge_10_a_caller_who_is_nobody_is_refused_before_any_write(
    door: str, field: str, caller: InvokeContext
) -> None:
    store = MemoryTableStore()
    if door == "partial":
        World(store=store).publisher.publish_async(order(code="o9"), ME)
        if field == "tenantCode":
            field = "pk"  # the row is another tenant's
    before = [store.scan(table).items for table in (COMMANDS, TASKS, IMPORT_TMP)]
    with pytest.raises(ValidationError) as caught:
        DOORS[door](store, caller)
    assert caught.value.field == field
    assert [store.scan(table).items for table in (COMMANDS, TASKS, IMPORT_TMP)] == before


@pytest.mark.parametrize("door", [door for door in DOORS if door != "partial"])
def test_edge_10_nobody_known_is_empty_text(door: str) -> None:
    store = MemoryTableStore()
    DOORS[door](store, InvokeContext("", "t1"))
    rows = [row for table in (COMMANDS, TASKS, IMPORT_TMP) for row in store.scan(table).items if "createdBy" in row]
    assert [(row["createdBy"], row["createdIp"]) for row in rows] == [("", "")]


@pytest.mark.parametrize(
    "missing", ["createdBy", "createdIp", "updatedBy", "updatedIp", "source", "createdAt", "targets"]
)
def test_edge_10_rows_that_lack_a_field_are_read_and_published_on(missing: str) -> None:
    world = World()
    world.publish_and_apply(order(0, n=1))
    row = world.store.get(COMMANDS, KEY.pk, KEY.version_sk(1))
    assert row is not None
    world.store.put(COMMANDS, {name: value for name, value in row.items() if name != missing})
    run = world.publish(order(-1, n=2), CONTEXT)
    second = world.command(2)
    assert second.version == 2
    if missing == "createdAt":
        assert second.created_at
    world.apply(run)
    data = world.store.get(DATA, KEY.pk, KEY.sk)
    assert data is not None
    assert data["version"] == 2
    assert [view.version for view in Operator(world).explain().versions] == [1, 2]


def test_edge_10_explain_reads_rows_that_others_wrote() -> None:
    world = World()
    world.store.put(COMMANDS, {"pk": KEY.pk, "sk": KEY.version_sk(1), "note": "by hand"})
    world.store.put(COMMANDS, {"pk": KEY.pk, "sk": KEY.version_sk(2), "status": "check_version:FAILED"})
    world.store.put(DATA, {"pk": KEY.pk, "sk": KEY.sk, "note": "by hand"})
    explanation = Operator(world).explain()
    assert [(view.version, view.status) for view in explanation.versions] == [
        (1, NO_STATUS),
        (2, "check_version:FAILED"),
    ]
    assert explanation.data == {"version": 0, "updatedAt": "", "isDeleted": False, "command": None}
    assert "ORDER#o1" in rendered(explanation)


def test_edge_10_publishing_on_a_data_row_without_a_version_is_refused() -> None:
    world = World()
    world.store.put(DATA, {"pk": KEY.pk, "sk": KEY.sk, "note": "by hand"})
    for version in (0, -1):
        with pytest.raises(ValidationError, match="a data row with a version"):
            world.publisher.publish_async(order(version), CONTEXT)
    assert world.store.scan(COMMANDS).items == []


def test_edge_10_a_command_of_a_sparse_row_is_whole() -> None:
    command = Command.from_row({"pk": "TENANT#t1", "sk": "BOOK#b1@0000000007"})
    assert (command.code, command.type, command.tenant_code, command.version) == ("b1", "BOOK", "t1", 7)
    assert (command.attributes, command.is_deleted, command.created_by, command.id) == ({}, False, "", "")


def test_edge_10_the_products_rows_are_not_touched() -> None:
    world = World()
    world.publish_and_apply(order(0, n=1))
    for table in (COMMANDS, DATA):
        for row in world.store.scan(table).items:
            assert completed(row) is row


def test_edge_10_a_task_of_nobody_is_listed() -> None:
    store = MemoryTableStore()
    created = tasks(store).create_task("count", 1, ME)
    row = store.get(TASKS, created.key.pk, created.key.sk)
    assert row is not None
    del row["createdBy"], row["createdIp"]
    store.put(TASKS, row)
    assert [task.created_by for task in tasks(store).list_tasks(ME)] == [""]
    assert Task.from_row(row).key == TaskKey.parse(row["pk"], row["sk"])


PLAIN = {"status": Status.PAID, "price": Float64(1.5), "type": Word.BOOK, "n": 1e23, "zero": -0.0}
KEPT = {"status": 2, "price": 1.5, "type": "book", "n": 10**23, "zero": 0}


def test_edge_12_enumerations_and_numpys_numbers_are_plain_wherever_they_enter() -> None:
    store = MemoryTableStore()
    command = World(store=store).publisher.publish_async(
        CommandInput(Word.BOOK, Word.BOOK, Word.BOOK, PLAIN, seq=Status.PAID), ME
    )
    assert command is not None
    task = tasks(store).create_task("count", PLAIN, ME)
    batch = tasks(store).create_step_function_task("count", [PLAIN], ME)
    found: list[Any] = [command.attributes, task.input, next(tasks(store).list_items(batch.id, ME)).input]
    found.append(check_payload("output", PLAIN))
    saga = saga_partition("t1"), "pay#r1"
    SagaLog(store, ManualClock()).begin(saga, "one", PLAIN)
    found += [store.get(TASKS, *saga)["content"]]  # type: ignore[index]
    prepared = prepare({}, Mapper(CommandInput("T", "c", "x", PLAIN)))
    assert prepared.given is not None
    found.append(prepared.given.attributes)
    for values in found:
        assert values == KEPT
        assert repr(values) == repr(KEPT)
    assert (command.pk, command.sk, command.name, command.seq) == (
        "TENANT#t1",
        "book#book@0000000001",
        "book",
        2,
    )
    for table in (COMMANDS, TASKS):
        for row in store.scan(table).items:
            assert repr(item_from_dynamo(item_to_dynamo(row))) == repr(row)


@pytest.mark.parametrize("wrong", [HALF, float("nan"), {1: 2}, (1, 2), b"x", {1}, 10**38 + 1, {"": 1}])
def test_edge_12_what_no_table_keeps_is_refused_wherever_it_enters(wrong: Any) -> None:
    store = MemoryTableStore()
    saga = saga_partition("t1"), "pay#r1"
    doors: dict[str, Callable[[], Any]] = {
        "attributes.v": lambda: World(store=store).publisher.publish_async(
            CommandInput("T", "c", "x", {"v": wrong}), ME
        ),
        "input.v": lambda: tasks(store).create_task("count", {"v": wrong}, ME),
        "items[1]": lambda: tasks(store).create_step_function_task("count", [1, wrong], ME),
        "output.v": lambda: check_payload("output", {"v": wrong}),
        "content.v": lambda: SagaLog(store, ManualClock()).begin(saga, "one", {"v": wrong}),
    }
    for field, door in doors.items():
        with pytest.raises(ValidationError) as caught:
            door()
        assert caught.value.field.startswith(field)
    problem = prepare({}, Mapper(CommandInput("T", "c", "x", {"v": wrong}))).problem
    assert problem is not None
    assert problem.code == "InvalidValue"
    assert "attributes.v" in problem.message
    assert [row for table in (COMMANDS, TASKS, DATA) for row in store.scan(table).items] == []


@pytest.mark.parametrize(
    "changes", [{"name": HALF}, {"attributes": {"v": HALF}}, {"attributes": {HALF: 1}}, {"seq": 10**38 + 1}]
)
def test_edge_11_12_partial_updates_are_held_to_the_same(changes: Mapping[str, Any]) -> None:
    world = World()
    world.publisher.publish_async(order(0, n=1), CONTEXT)
    with pytest.raises(ValidationError):
        world.publisher.publish_partial_async(KEY.pk, KEY.sk, -1, dict(changes), CONTEXT)
    assert len(world.store.scan(COMMANDS).items) == 1


def test_edge_11_a_row_of_an_import_whose_code_has_two_forms_is_refused_with_the_row() -> None:
    for given in (
        CommandInput("T", "a ", "x", {}),
        CommandInput("T", "cafe\u0301", "x", {}),
        CommandInput("T", "c", HALF, {}),
    ):
        problem = prepare({}, Mapper(given)).problem
        assert problem is not None
        assert problem.code == "InvalidValue"


def test_edge_15_a_row_of_an_import_is_held_to_the_same_keys() -> None:
    for code in ("a ", "\ufeffa", "cafe\u0301"):
        problem = prepare({}, Mapper(CommandInput("T", code, "x", {}))).problem
        assert problem is not None
        assert (problem.code, problem.message.split(":")[0]) == ("InvalidValue", "code")


def test_edge_12_results_and_errors_of_task_items(caplog: pytest.LogCaptureFixture) -> None:
    # pytest-xdist can't carry a captured log with half a surrogate pair in it
    caplog.set_level(logging.CRITICAL + 1, LOGGER_NAME)

    class Handler:
        def run(self, given: Any) -> Any:
            if given == "raise":
                raise LookupError(HALF)
            return {"plain": PLAIN, "nan": {"v": float("nan")}, "half": HALF}[given]

    store, clock = MemoryTableStore(), ManualClock()
    batch = tasks(store).create_step_function_task("count", ["plain", "nan", "half", "raise"], ME)
    row = store.get(TASKS, batch.key.pk, batch.key.sk)
    assert row is not None
    store.put(TASKS, {**row, "status": "PROCESSING"})
    runner = ItemRunner(store, clock, TaskHandlers({"count": Handler()}), sleep=lambda _: None)
    outcomes = [runner.run(batch.key.item(index), 1)["result"] for index in range(4)]
    assert outcomes == ["COMPLETED", "FAILED", "FAILED", "FAILED"]
    items = list(tasks(store).list_items(batch.id, ME))
    assert repr(items[0].result) == repr(KEPT)
    assert [item.error["type"] for item in items[1:] if item.error] == [
        "ValidationError",
        "ValidationError",
        "LookupError",
    ]
    assert items[3].error == {"type": "LookupError", "message": "Cup \\ud83d"}


def test_edge_11_texts_of_errors_never_keep_an_outcome_from_being_stored() -> None:
    stored = {"type": "LookupError", "message": "Cup \\ud83d"}
    assert error_of("LookupError", HALF) == stored
    assert Failure.from_exception(LookupError(HALF)).stored("check_version") == {**stored, "state": "check_version"}


def test_edge_12_outputs_of_workflows_are_plain() -> None:
    class Flow:
        def first(self, event: WorkflowEvent) -> Any:
            return event.input

    context = {"Execution": {"Name": "e"}, "State": {"Name": "first"}, "StateMachine": {"Name": "flow"}}
    states = CustomStates({"flow": Flow()}, ManualClock())
    assert repr(states("flow", WorkflowEvent("step-function", context, PLAIN))) == repr([[KEPT]])
    with pytest.raises(ValidationError, match="output"):
        states("flow", WorkflowEvent("step-function", context, {1: 2}))


def test_edge_13_a_saga_that_is_asked_again_for_the_same_is_the_same() -> None:
    log, key = SagaLog(MemoryTableStore(), ManualClock()), (saga_partition("t1"), "pay#r1")
    log.begin(key, "one", {"amount": 1e23, "flag": True})
    log.begin(key, "two", {"amount": 1e23, "flag": True})
    with pytest.raises(RequestConflict):
        log.begin(key, "three", {"amount": 1e23, "flag": 1})


@pytest.mark.parametrize(("user", "reason"), [(HALF, "no"), ("u1", HALF), ("u1", ""), (None, "no")])
def test_edge_11_answers_to_approvals_are_held_to_the_same(user: Any, reason: str) -> None:
    approvals = Approvals(MemoryTableStore(), ManualClock(), MemoryCustomWorkflows({}))
    with pytest.raises(ValidationError):
        approvals.reject("flow", "r1", InvokeContext(user, "t1"), reason)


def test_edge_12_an_entity_key_of_an_enumeration_is_its_content() -> None:
    assert EntityKey(Word.BOOK, "t1", Word.BOOK, Word.BOOK).sk == "book#book"
    assert type(EntityKey(Word.BOOK, "t1", Word.BOOK, Word.BOOK).pk) is str
