"""Every public method of the services, with each argument of every wrong kind: refused by name, or it is fine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import CommandInput
from handlers.commands.publishing.retry import publish_with_retry
from handlers.core.context import InvokeContext
from handlers.core.errors import CqrsError, ValidationError
from handlers.imports.service import ImportService
from handlers.operations.key_text import parse_key
from handlers.state_machines.memory import MemoryCustomWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, IMPORT_TMP, TASKS, Item
from handlers.tasks.handlers import TaskType
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import TaskService
from handlers.workflows.approvals import Approvals
from handlers.workflows.keys import approval_sk, saga_partition
from handlers.workflows.saga import SagaLog
from handlers.workflows.workflow import WorkflowEvent
from tests.modules.approval import Approval
from tests.modules.three_steps import ThreeSteps
from tests.modules.transfer import Transfer
from tests.support.operations import Operator
from tests.support.pipelines import World

ME = InvokeContext("u1", "t1", request_id="r1")
ORDER = CommandInput("ORDER", "o1", "name", {"n": 1})
KEY = EntityKey("TENANT", "t1", "ORDER", "o1")


class Doors:
    """The services over one store; each door by its name, with arguments that it takes."""

    def __init__(self) -> None:
        self.store = MemoryTableStore()
        self.world = World(store=self.store)
        clock = self.world.clock
        publisher, sync = self.world.publisher, self.world.sync
        tasks = TaskService(self.store, clock, {"count": TaskType("count", 1.0, object)})
        operations = TaskOperations(self.store, clock)
        imports = ImportService(self.store, clock, ["things"], ["bucket"])
        approvals = Approvals(self.store, clock, MemoryCustomWorkflows({}))
        flows = MemoryCustomWorkflows({"flow": "arn:flow"})
        self.operator = Operator(self.world)
        saga = (saga_partition("t1"), approval_sk("transfer", "r1"))
        task_id = f"TASK#t1#count#{'0' * 26}"
        job_id = f"CSV_IMPORT#t1#things#{'0' * 26}"
        zip_id = f"ZIP_IMPORT#t1#things#{'0' * 26}"
        me = {"context": ME}
        self.calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
            "publish_async": (publisher.publish_async, {"given": ORDER, **me}),
            "publish_sync": (sync.publish_sync, {"given": ORDER, **me}),
            "publish_partial_async": (
                publisher.publish_partial_async,
                {"pk": KEY.pk, "sk": KEY.sk, "version": -1, "changes": {"name": "x"}, **me},
            ),
            "result_of_request": (publisher.result_of_request, {"key": KEY, **me}),
            "withdraw": (publisher.withdraw, {"key": KEY, **me}),
            "publish_with_retry": (
                lambda key, context, attempts: publish_with_retry(
                    lambda _: ORDER,
                    attempts,
                    key=key,
                    context=context,
                    publisher=publisher,
                    publish=publisher.publish_async,
                ),
                {"key": KEY, "attempts": 3, **me},
            ),
            "create_task": (tasks.create_task, {"type_": "count", "given": 1, **me}),
            "create_step_function_task": (
                tasks.create_step_function_task,
                {
                    "type_": "count",
                    "items": [1],
                    **me,
                    "max_concurrency": 2,
                    "on_item_error": "stop",
                    "expected_seconds": 1,
                },
            ),
            "get_task": (tasks.get_task, {"task_id": task_id, **me}),
            "list_items": (tasks.list_items, {"task_id": task_id, **me}),
            "list_tasks": (tasks.list_tasks, {**me, "type_": "count", "limit": 3}),
            "retry_failed_items": (operations.retry_failed_items, {"task_id": task_id, **me}),
            "cancel": (operations.cancel, {"task_id": task_id, **me}),
            "create_import": (imports.create_import, {"table": "things", "row": {"a": "b"}, **me}),
            "create_csv_import": (
                imports.create_csv_import,
                {
                    "table": "things",
                    "bucket": "bucket",
                    "object_key": "a.csv",
                    **me,
                    "encoding": "CP932",
                    "mode": "DIRECT",
                },
            ),
            "create_zip_import": (
                imports.create_zip_import,
                {"bucket": "bucket", "object_key": "a.zip", **me, "table": "things", "encoding": "CP932"},
            ),
            "list_files": (imports.list_files, {"import_id": zip_id, **me}),
            "get_import": (imports.get_import, {"import_id": job_id, **me}),
            "cancel_import": (imports.cancel_import, {"import_id": job_id, **me}),
            "retry_failed_rows": (imports.retry_failed_rows, {"import_id": job_id, **me}),
            "list_imports": (imports.list_imports, {**me, "table": "things", "limit": 3, "after": job_id}),
            "list_open": (
                lambda **given: list(approvals.list_open(**given)),
                {"tenant_code": "t1", "workflow": "transfer"},
            ),
            "approve": (approvals.approve, {"workflow": "transfer", "request_id": "r1", **me}),
            "reject": (approvals.reject, {"workflow": "transfer", "request_id": "r1", **me, "reason": "no"}),
            "saga.begin": (
                lambda content: SagaLog(self.store, clock).begin(saga, "one", content),
                {"content": {"a": 1}},
            ),
            "workflows.start": (flows.start, {"name": "flow", "given": {"a": 1}, "id_": "1"}),
            "workflows.resume": (flows.resume, {"token": "t", "output": 1}),
            "workflows.fail": (flows.fail, {"token": "t", "error": "Late", "cause": "no"}),
            "workflows.heartbeat": (flows.heartbeat, {"token": "t"}),
            "skip": (self.operator.skip, {"key": VersionKey(KEY, 1)}),
            "explain": (self.operator.explain, {"key": KEY, "version": 1}),
            "parse_key": (parse_key, {"text": "TENANT#t1 ORDER#o1"}),
            "VersionKey.parse": (VersionKey.parse, {"pk": KEY.pk, "sk": KEY.version_sk(1)}),
            "EntityKey.parse": (EntityKey.parse, {"pk": KEY.pk, "sk": KEY.sk}),
        }

    def rows(self) -> list[Item]:
        return [row for table in (COMMANDS, DATA, TASKS, IMPORT_TMP) for row in self.store.scan(table).items]


HUGE = 10**400
CUT = f"{str(HUGE)[:77]}..."
WRONG: dict[str, Any] = {
    "None": None,
    "a dict": {"type": "ORDER"},
    "a list": ["x"],
    "a list of lists": [["a", "b"], ["c"]],
    "a text": "x",
    "an empty text": "",
    "bytes": b"x",
    "a number": 7,
    "a huge number": HUGE,
    "a negative number": -HUGE,
    "a float": 1.5,
    "infinity": float("inf"),
    "not a number": float("nan"),
    "a truth": True,
    "an object": object(),
    "a class": CommandInput,
}


def cases() -> Iterator[Any]:
    for door, (_, arguments) in Doors().calls.items():
        for argument in arguments:
            for name in WRONG:
                yield pytest.param(door, argument, name, id=f"{door} {argument} {name}")


@pytest.mark.parametrize(("door", "argument", "name"), list(cases()))
def test_whatever_an_argument_is_the_answer_is_an_error_of_ours_or_none(door: str, argument: str, name: str) -> None:
    doors = Doors()
    call, arguments = doors.calls[door]
    try:
        call(**{**arguments, argument: WRONG[name]})
    except ValidationError:
        assert doors.rows() == []
    except CqrsError:
        return


@pytest.mark.parametrize(
    ("door", "argument", "given", "message"),
    [
        (
            "publish_async",
            "given",
            {"type": "ORDER"},
            "given: {'type': 'ORDER'} is not allowed; expected a CommandInput",
        ),
        ("publish_sync", "given", [ORDER.type], "given: ['ORDER'] is not allowed; expected a CommandInput"),
        ("publish_async", "context", None, "context: None is not allowed; expected an InvokeContext"),
        ("publish_sync", "context", "u1", "context: 'u1' is not allowed; expected an InvokeContext"),
        ("publish_partial_async", "changes", None, "changes: None is not allowed; expected a dict"),
        (
            "publish_partial_async",
            "changes",
            {7: 1},
            "7: 1 is not allowed; expected one of name, attributes, is_deleted, seq",
        ),
        ("withdraw", "key", "TENANT#t1", "key: 'TENANT#t1' is not allowed; expected an EntityKey"),
        ("create_import", "table", ["x"], "tableName: ['x'] is not allowed; expected one of things"),
        (
            "list_imports",
            "limit",
            HUGE,
            f"limit: {CUT} is not allowed; expected a whole number from 1 to 100",
        ),
        (
            "create_step_function_task",
            "expected_seconds",
            HUGE,
            f"expectedSeconds: {CUT} is not allowed; expected a number of seconds above 0, at most 900",
        ),
    ],
)
def test_the_refusal_names_the_argument_what_was_given_and_what_is_allowed(
    door: str, argument: str, given: Any, message: str
) -> None:
    call, arguments = Doors().calls[door]
    with pytest.raises(ValidationError) as refused:
        call(**{**arguments, argument: given})
    assert str(refused.value) == message


@pytest.mark.parametrize("door", Doors().calls)
def test_a_caller_who_is_no_context_is_refused_at_every_door(door: str) -> None:
    call, arguments = Doors().calls[door]
    for nobody in (None, {"user_id": "u1", "tenant_code": "t1"}, "u1", 7):
        if "context" in arguments:
            with pytest.raises(ValidationError, match=r"^context: .* expected an InvokeContext$"):
                call(**{**arguments, "context": nobody})


def test_every_door_takes_what_it_should() -> None:
    """Else the cases above would be refused for something else."""
    for door in Doors().calls:
        call, arguments = Doors().calls[door]
        try:
            call(**arguments)
        except ValidationError as error:
            raise AssertionError(f"{door}: {error}") from error
        except CqrsError:
            pass  # nothing is stored yet


@pytest.mark.parametrize("given", [None, [1], "x", 7])
def test_an_execution_whose_input_is_no_object_ends_with_a_refusal_of_it(given: Any) -> None:
    doors = Doors()
    context = {"Execution": {"Name": "e", "Input": given}, "State": {"Name": "s", "RetryCount": 0}}
    event = WorkflowEvent("step-function", {**context, "StateMachine": {"Name": "m"}}, given, "token")
    transfer = Transfer(doors.store, doors.world.clock, doors.world.publisher, doors.world.sync, doors.operator.skip)
    approval = Approval(doors.store, doors.world.clock, MemoryCustomWorkflows({}))
    states = (transfer.debit, transfer.credit, approval.ask, ThreeSteps().initialize)
    for state in states:
        with pytest.raises(ValidationError, match=r"^(input|numbers): "):
            state(event)
    assert doors.rows() == []
