"""INLINE in memory: what is written in which order, what is handed over to a machine, and what comes again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handlers.commands.inline.batch import InlineConsumer
from handlers.commands.inline.entity import EntityVersions
from handlers.commands.inline.progress import InlineProgress
from handlers.commands.inline.targets import TargetCalls
from handlers.commands.inline.version import InlineVersion
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.run import Run
from handlers.commands.starter import execution_name
from handlers.commands.status import DONE_STATUSES
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from handlers.core.errors import TransientError, TransientThrottle, ValidationError
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY
from handlers.store.values import item_to_dynamo
from tests.support.pipelines import KEY, LEASE_SECONDS, World, order
from tests.support.side_by_side import InTurn

Behaviour = Callable[[Command], object]
AT_ONCE = 3


class Store(MemoryTableStore):
    """Notes the writes, and raises what ``refuse`` says for one."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.refuse: Callable[[str], BaseException | None] = lambda _: None

    def _note(self, what: str) -> None:
        error = self.refuse(what)
        if error is not None:
            raise error
        self.writes.append(what)

    def put(self, table: str, item: Any, condition: Any = None) -> None:
        self._note(f"put {table}")
        super().put(table, item, condition)

    def update(self, table: str, pk: str, sk: str, change: Any, condition: Any = None) -> Any:
        self._note(f"update {table}")
        return super().update(table, pk, sk, change, condition)

    def get(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Any:
        self._note(f"get {table}")
        return super().get(table, pk, sk, consistent=consistent)

    def get_together(self, keys: Any) -> Any:
        self._note(f"get {len(keys)}")
        return super().get_together(keys)

    def transact(self, writes: Any) -> None:
        self._note("transact")
        super().transact(writes)


class Workflows(MemoryWorkflows):
    """Raises what the store raises."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        error = self._store.refuse("start")
        if error is not None:
            raise error
        return super().start(machine, name, payload)


class Handler:
    """A target, of which a test changes what it does."""

    def __init__(self) -> None:
        self.does: Behaviour = lambda _: None
        self.seen: list[int] = []

    def up(self, command: Command) -> object:
        self.seen.append(command.version)
        return self.does(command)


class Inline(World):
    """The consumer, beside the pipeline."""

    def __init__(
        self, *targets: str, detail: str = "terminal", inline_limit: int = 65_536, ttl: TtlPolicies | None = None
    ) -> None:
        self.handlers = {name: Handler() for name in targets}
        store = Store()
        super().__init__(
            store=store,
            workflows=Workflows(store),
            handlers={name: ("ORDER", handler) for name, handler in self.handlers.items()},
            detail=detail,
            inline_limit=inline_limit,
            ttl=ttl,
        )
        self.side_by_side = InTurn()
        progress = InlineProgress(self.store, self.clock, lease_seconds=LEASE_SECONDS)
        calls = TargetCalls(self.side_by_side, self.clock, at_once=AT_ONCE, seconds=5)
        version = InlineVersion(self.pipeline, progress, calls, self.clock, wait_limit_hours=24)
        self.consumer = InlineConsumer(
            self.pipeline.repository,
            EntityVersions(self.pipeline, progress, version, self.clock),
            self.side_by_side,
            at_once=AT_ONCE,
            inline_attribute_limit=inline_limit,
        )

    @property
    def calls(self) -> list[str]:
        """Of the store, since the last look."""
        assert isinstance(self.store, Store)
        calls, self.store.writes = self.store.writes, []
        return calls

    def refuse(self, refuse: Callable[[str], BaseException | None]) -> None:
        """What the store raises from now on."""
        assert isinstance(self.store, Store)
        self.store.refuse = refuse

    def row(self, version: int, key: EntityKey = KEY) -> dict[str, Any]:
        """Without a note of the call, and whatever is refused."""
        row = MemoryTableStore.get(self.memory, COMMANDS, key.pk, VersionKey(key, version).sk)
        assert row is not None
        return row

    def record(self, version: int, key: EntityKey = KEY) -> dict[str, Any]:
        """As the stream tells of a new command."""
        row = self.row(version, key)
        image = item_to_dynamo({**row, "status": "publish:ACCEPTED"})
        return {"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": f"{key.code}-{version}"}}

    def deliver(self, *records: dict[str, Any], seconds: float = 60) -> dict[int, Exception]:
        """A batch, with so much time."""
        return self.consumer.on_stream_records(records, self.clock.now() + seconds)

    def apply_all(self, *versions: int) -> None:
        assert self.deliver(*map(self.record, versions)) == {}

    def started(self) -> list[str]:
        """Sort keys of the commands for which the machine was started."""
        return [payload["sk"] for payload in self.workflows.started.values()]

    def late_from(self, version: int) -> Behaviour:
        """A target that is slow from a version on."""
        return lambda command: self.side_by_side.late.add("one") if command.version >= version else None

    def run_machines(self) -> None:
        """All executions that were started, to their ends, and those that these start in turn."""
        ended: set[tuple[str, str]] = set()
        while left := self.workflows.started.keys() - ended:
            for machine, name in sorted(left):
                given = self.workflows.started[machine, name]
                key = VersionKey.parse(given["pk"], given["sk"])
                if self.row(key.version)["status"] not in DONE_STATUSES:
                    self.apply(Run(key, given["id"], given["attempt"], name))
                ended.add((machine, name))


def other(code: str) -> EntityKey:
    return EntityKey("TENANT", "t1", "ORDER", code)


def test_inl_08_a_first_version_without_targets_is_two_writes() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"put {DATA}", f"update {COMMANDS}", f"get {COMMANDS}"]
    row = world.row(1)
    assert (row["status"], row["targets"]["data"]["outcome"]) == ("finish:FINISHED", "APPLIED")
    assert not {"openShard", "dueAt"} & row.keys()


def test_inl_08_a_next_version_keeps_what_it_replaces_first() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    world.apply_all(1)
    world.publish(order(1, n=2))
    assert world.calls
    world.apply_all(2)
    assert world.calls == ["get 3", f"put {HISTORY}", f"put {DATA}", f"update {COMMANDS}", f"get {COMMANDS}"]


def test_inl_08_a_custom_target_costs_a_claim_and_its_own_writes() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"update {COMMANDS}", f"put {DATA}", f"update {COMMANDS}", f"get {COMMANDS}"]
    assert world.handlers["one"].seen == [1]
    assert set(world.row(1)["targets"]) == {"one", "data"}


def test_inl_08_entities_of_a_batch_are_read_together() -> None:
    world = Inline()
    records = []
    for code in "abc":
        world.publish(order(0, code=code, n=1))
        records.append(world.record(1, other(code)))
    assert world.calls
    assert world.deliver(*records) == {}
    calls = world.calls
    assert calls[0] == "get 6"
    assert "get 2" not in calls
    assert [world.row(1, other(code))["status"] for code in "abc"] == ["finish:FINISHED"] * 3


@pytest.mark.parametrize(("limit", "reads"), [(65_536, ["get 20", "get 2"]), (196_608, ["get 8", "get 8", "get 6"])])
def test_as_many_are_read_together_as_fit_into_an_answer(limit: int, reads: list[str]) -> None:
    """Three rows each, of half as much again as their JSON and 32 KiB: 10 of 64 KiB, 4 of 192 KiB within 4 MB."""
    world = Inline(inline_limit=limit)
    codes = [f"e{number:02d}" for number in range(11)]
    for code in codes:
        world.publish(order(0, code=code, n=1))
    records = [world.record(1, other(code)) for code in codes]
    assert world.calls
    assert world.deliver(*records) == {}
    assert [call for call in world.calls if call.startswith("get ") and call[4:].isdigit()] == reads
    assert {world.row(1, other(code))["status"] for code in codes} == {"finish:FINISHED"}


def test_pub_14_the_predecessor_gets_its_ttl() -> None:
    world = Inline(ttl=TtlPolicies({COMMANDS: TtlPolicy(default=90)}))
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(1, 2)
    assert ["ttl" in world.row(version) for version in (1, 2)] == [True, False]


def test_ord_11_a_wait_expires_after_its_limit_and_not_before() -> None:
    world = Inline()
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(2)
    world.clock.advance(24 * 3600)
    world.apply_all(2)
    assert world.row(2)["status"] == "wait_prev_command:STARTED"
    world.clock.advance(1)
    world.apply_all(2)
    assert world.row(2)["error"]["type"] == "WaitExpired"


@pytest.mark.parametrize("targets", [(), ("one",)])
@pytest.mark.parametrize("ended", ["done", "failed", "another attempt", "another run's", "gone"])
def test_nothing_is_started_for_what_has_ended_or_belongs_to_another_run(ended: str, targets: tuple[str, ...]) -> None:
    world = Inline(*targets)
    run = world.publish(order(0, n=1))
    record = world.record(1)
    match ended:
        case "done":
            world.apply_all(1)
        case "failed":
            world.pipeline.record_failure(run, world.failure("No"))
        case "another attempt":
            record["dynamodb"]["NewImage"]["attempt"] = {"N": "2"}
        case "another run's":
            world.pipeline.claim(run, world.row(1))
        case "gone":
            world.memory.delete(COMMANDS, KEY.pk, KEY.version_sk(1))
    assert world.deliver(record, seconds=0) == {}
    assert world.started() == []


def test_a_machine_is_started_under_the_name_of_the_last_restart() -> None:
    world = Inline()
    run = world.publish(order(0, n=1))
    world.pipeline.progress.restart(run, 0, 0)
    assert world.deliver(world.record(1), seconds=0) == {}
    row = world.row(1)
    assert [name for _, name in world.workflows.started] == [execution_name(row["pk"], row["sk"], row["id"], 1, 1)]


def test_entities_that_can_t_be_read_together_are_read_one_by_one() -> None:
    world = Inline()
    records = []
    for code in "ab":
        world.publish(order(0, code=code, n=1))
        records.append(world.record(1, other(code)))
    world.refuse(lambda what: ValidationError("rows", 4, "fewer") if what == "get 4" else None)
    assert world.deliver(*records) == {}
    assert [world.row(1, other(code))["status"] for code in "ab"] == ["finish:FINISHED"] * 2


def test_versions_of_a_batch_are_applied_in_order_without_looking_for_each_other() -> None:
    world = Inline("one")
    for version in range(3):
        world.publish(order(version, n=version))
    assert world.calls
    world.apply_all(3, 1, 2)
    assert world.handlers["one"].seen == [1, 2, 3]
    assert world.calls.count(f"get {COMMANDS}") == 1  # behind the last


def test_who_waits_is_parked_and_gone_on_with_by_its_predecessor() -> None:
    world = Inline("one")
    for version in range(3):
        world.publish(order(version, n=version))
    world.apply_all(3)
    world.apply_all(2)
    assert [world.row(version)["status"] for version in (2, 3)] == ["wait_prev_command:STARTED"] * 2
    world.apply_all(1)
    assert [world.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3
    assert world.handlers["one"].seen == [1, 2, 3]
    assert world.started() == []


def test_a_parked_successor_is_started_when_no_time_is_left() -> None:
    world = Inline("one")
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(2)
    world.handlers["one"].does = lambda _: world.clock.advance(50)
    assert world.deliver(world.record(1), seconds=40) == {}
    assert world.row(1)["status"] == "finish:FINISHED"
    assert world.started() == [KEY.version_sk(2)]


def test_a_successor_with_a_token_is_woken() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    world.workflows.open_tokens.add("token")
    world.pipeline.wait(second, "token", "2026-01-01T00:00:00.000Z")
    world.apply_all(1)
    assert [token for token, _ in world.workflows.resumed] == ["token"]
    assert world.row(2)["status"] == "wait_prev_command:STARTED"


def test_inl_03_without_time_each_command_gets_a_machine() -> None:
    world = Inline("one")
    for version in range(2):
        world.publish(order(version, n=version))
    assert world.deliver(world.record(1), world.record(2), seconds=0) == {}
    assert world.started() == [KEY.version_sk(1), KEY.version_sk(2)]
    assert world.handlers["one"].seen == []


def test_inl_03_a_slow_target_is_left_to_a_machine_and_others_are_not_called_again() -> None:
    world = Inline("one", "two")
    world.publish(order(0, n=1))
    world.side_by_side.late = {"two"}
    world.apply_all(1)
    row = world.row(1)
    assert world.started() == [KEY.version_sk(1)]
    assert set(row["targets"]) == {"one"}
    assert "runId" not in row
    assert world.store.get(DATA, KEY.pk, KEY.sk) is None
    for late in world.side_by_side.left:
        late()
    assert world.row(1) == row


def test_inl_03_a_slow_target_is_left_to_a_machine_where_every_status_shows() -> None:
    world = Inline("one", "two", detail="full")
    world.publish(order(0, n=1))
    world.side_by_side.late = {"two"}
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)
    assert world.row(1)["status"].startswith("sync_data:")


def test_every_state_s_step_is_made_where_every_status_shows() -> None:
    world = Inline("one", detail="full", ttl=TtlPolicies({COMMANDS: TtlPolicy(default=90)}))
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(1, 2)
    assert ["ttl" in world.row(version) for version in (1, 2)] == [True, False]
    assert world.store.get(HISTORY, KEY.pk, KEY.version_sk(1)) is not None


def test_inl_03_behind_a_slow_target_no_other_has_its_turn() -> None:
    world = Inline(*(f"t{number}" for number in range(5)))
    world.publish(order(0, n=1))
    world.side_by_side.late = {"t1"}
    world.apply_all(1)
    assert [bool(handler.seen) for handler in world.handlers.values()] == [True, False, True, False, False]


def test_inl_03_targets_have_their_turn_some_at_a_time_as_long_as_there_is_time() -> None:
    world = Inline(*(f"t{number}" for number in range(7)))
    world.publish(order(0, n=1))
    world.handlers["t4"].does = lambda _: world.clock.advance(30)
    assert world.deliver(world.record(1), seconds=20) == {}
    assert world.side_by_side.most_within == AT_ONCE
    assert [bool(handler.seen) for handler in world.handlers.values()] == [True] * 6 + [False]
    assert set(world.row(1)["targets"]) == {f"t{number}" for number in range(6)}
    assert world.started() == [KEY.version_sk(1)]


@pytest.mark.parametrize("count", [19, 20, 21, 45])
def test_outcomes_of_many_targets_are_written_some_at_a_time(count: int) -> None:
    world = Inline(*(f"t{number:02d}" for number in range(count)))
    world.publish(order(0, n=1))
    world.apply_all(1)
    assert len(world.row(1)["targets"]) == count + 1
    assert world.row(1)["status"] == "finish:FINISHED"


class Busy(Exception):
    """Has another name than ours."""


def raising(error: Exception) -> Behaviour:
    def up(_: Command) -> object:
        raise error

    return up


@pytest.mark.parametrize("error", [TransientError("busy"), TransientThrottle("busy"), ConnectionError("no route")])
def test_inl_03_what_may_pass_is_left_to_a_machine(error: Exception) -> None:
    world = Inline("one", "two")
    world.publish(order(0, n=1))
    world.handlers["two"].does = raising(error)
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)
    assert world.alarms.messages == []


def test_inl_03_an_error_is_matched_by_its_name_as_machines_do() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    named = type("TransientError", (Exception,), {})
    world.handlers["one"].does = raising(named("of another library"))
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]


@pytest.mark.parametrize("detail", ["terminal", "full"])
def test_pipe_04_a_permanent_error_is_recorded_and_the_others_keep_the_version(detail: str) -> None:
    world = Inline("one", "two", detail=detail)
    world.publish(order(0, n=1))
    world.handlers["two"].does = raising(Busy("customer 4711"))
    world.apply_all(1)
    row = world.row(1)
    assert row["status"] == "sync_data:FAILED"
    assert row["error"] == {"type": "Busy", "message": "customer 4711", "state": "sync_data", "target": "two"}
    assert set(row["targets"]) == {"one", "data"}
    data = world.store.get(DATA, KEY.pk, KEY.sk)
    assert data is not None
    assert data["version"] == 1
    assert len(world.alarms.messages) == 1
    assert world.started() == []


def test_a_failure_that_can_t_be_recorded_is_left_to_a_machine() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    world.handlers["one"].does = raising(Busy("no"))
    recording = world.pipeline.record_failure

    def refuse(*_: Any) -> dict[str, str]:
        raise TransientError("the topic is away")

    world.pipeline.record_failure = refuse  # type: ignore[assignment]
    world.apply_all(1)
    world.pipeline.record_failure = recording
    assert world.started() == [KEY.version_sk(1)]


@pytest.mark.parametrize("call", [f"update {COMMANDS}", f"put {DATA}", "get 2"])
def test_inl_03_a_throttled_call_is_left_to_a_machine(call: str) -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    left = [1]

    def once(what: str) -> Exception | None:
        if what == call and left:
            left.pop()
            return TransientThrottle("slow down", refused=True)
        return None

    world.refuse(once)
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)


def test_inl_03_when_no_machine_can_be_started_the_record_and_those_behind_it_come_again() -> None:
    world = Inline("one")
    for version in range(3):
        world.publish(order(version, n=version))
    world.publish(order(0, code="other", n=1))
    world.side_by_side.late = {"one"}
    world.workflows.refuse_starts = True
    failed = world.deliver(world.record(1), world.record(1, other("other")), world.record(2), world.record(3))
    assert set(failed) == {0, 1, 2, 3}
    assert all(isinstance(error, TransientError) for error in failed.values())
    world.side_by_side.late = set()
    assert world.deliver(*(world.record(version) for version in (1, 2, 3))) == {}
    assert world.row(3)["status"] == "finish:FINISHED"


def test_inl_04_a_claim_of_an_earlier_delivery_is_left_to_a_machine() -> None:
    """Its command may be what ended the function: it isn't called here again."""
    world = Inline("one")
    world.publish(order(0, n=1))
    world.handlers["one"].does = raising(SystemExit("the process is gone"))  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        world.deliver(world.record(1))
    assert world.row(1)["runId"].startswith("inline:")
    world.handlers["one"].does = lambda _: None
    world.apply_all(1)
    assert world.handlers["one"].seen == [1]
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)


def test_inl_04_a_record_that_can_t_be_read_doesn_t_keep_back_the_others() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    poison = world.record(1)
    poison["dynamodb"]["NewImage"] = {**poison["dynamodb"]["NewImage"], "sk": {"S": "no version"}}
    removed = {"eventName": "REMOVE", "dynamodb": {}}
    failed = world.deliver(poison, removed, world.record(1))
    assert {index: type(error) for index, error in failed.items()} == {0: ValidationError}
    assert world.row(1)["status"] == "finish:FINISHED"


def test_dup_01_a_record_that_comes_again_changes_nothing() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    world.apply_all(1)
    row = world.row(1)
    world.apply_all(1)
    assert world.row(1) == row
    assert world.handlers["one"].seen == [1]


def test_a_record_that_comes_again_goes_on_with_who_was_parked_meanwhile() -> None:
    world = Inline()
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(2)
    world.refuse(lambda what: TransientThrottle("no") if what == f"get {COMMANDS}" else None)
    failed = world.deliver(world.record(1))
    assert isinstance(failed[0], TransientError)
    assert world.row(1)["status"] == "finish:FINISHED"
    world.refuse(lambda _: None)
    world.apply_all(1)
    assert world.row(2)["status"] == "finish:FINISHED"


@pytest.mark.parametrize(
    ("targets", "detail", "hands_over"),
    [((), "terminal", False), (("one",), "terminal", False), (("one",), "terminal", True), (("one",), "full", False)],
)
def test_dup_03_a_consumer_that_dies_while_it_goes_on_with_successors(
    targets: tuple[str, ...], detail: str, hands_over: bool
) -> None:
    """Whatever call it dies before: when its record comes again, nobody waits for the sweeper."""
    deaths = 0
    while True:
        world = Inline(*targets, detail=detail)
        for version in range(3):
            world.publish(order(version, n=version))
        world.apply_all(3)
        world.apply_all(2)
        if hands_over:
            world.handlers["one"].does = world.late_from(2)
        left = iter(range(deaths))
        world.refuse(lambda _, left=left: SystemExit("out of memory") if next(left, None) is None else None)  # type: ignore[misc]
        try:
            world.deliver(world.record(1))
        except SystemExit:
            world.refuse(lambda _: None)
        else:
            break
        world.apply_all(1)
        world.run_machines()
        assert [world.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3, deaths
        assert all(list(dict.fromkeys(handler.seen)) == [1, 2, 3] for handler in world.handlers.values()), deaths
        deaths += 1
    assert deaths > 8


def test_a_record_that_comes_again_late_looks_behind_what_is_applied_at_once() -> None:
    world = Inline("one")
    for version in range(9):
        world.publish(order(version, n=version))
    world.apply_all(*range(1, 10))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"get {DATA}", f"get {COMMANDS}", f"get {COMMANDS}"]


def test_a_record_that_comes_again_leaves_another_run_s_successor_alone() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    world.apply_all(1)
    world.pipeline.claim(second, world.row(2))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"get {DATA}", f"get {COMMANDS}"]
    assert world.row(2)["runId"] == second.run_id
    assert world.started() == []


def test_ord_18_a_successor_that_can_t_be_read_is_told_and_the_command_stays_done() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    refused: list[str] = []

    def denied(what: str) -> Exception | None:
        if what == f"get {COMMANDS}" and not refused:
            refused.append(what)
            return ValidationError("key", "x", "another one")
        return None

    world.refuse(denied)
    world.apply_all(1)
    row = world.row(1)
    assert row["status"] == "finish:FINISHED"
    (message,) = world.alarms.messages
    assert message["content"]["errorMessage"].startswith("after it was applied: finish failed")


def test_another_run_s_claim_is_respected() -> None:
    world = Inline("one")
    run = world.publish(order(0, n=1))
    world.pipeline.claim(run, world.row(1))
    world.apply_all(1)
    assert world.handlers["one"].seen == []
    assert world.started() == []
    assert world.row(1)["runId"] == run.run_id


def test_a_run_that_lost_its_claim_meanwhile_writes_nothing_more() -> None:
    world = Inline("one")
    other_run = world.publish(order(0, n=1))

    def taken_over(_: Command) -> None:
        world.clock.advance(LEASE_SECONDS + 1)
        world.pipeline.claim(other_run, world.row(1))

    world.handlers["one"].does = taken_over
    assert world.deliver(world.record(1), seconds=1_000) == {}
    row = world.row(1)
    assert (row["status"], row["runId"]) == ("publish:ACCEPTED", other_run.run_id)
    assert world.started() == []


def test_without_targets_another_run_s_claim_is_respected_too() -> None:
    world = Inline()
    run = world.publish(order(0, n=1))
    world.pipeline.claim(run, world.row(1))
    world.apply_all(1)
    assert world.row(1)["status"] == "publish:ACCEPTED"
    assert world.row(1)["runId"] == run.run_id


def test_large_attributes_with_targets_are_left_to_a_machine() -> None:
    world = Inline("one", inline_limit=1_024)
    world.publish(CommandInput("ORDER", "o1", "n", {"text": "x" * 300_000}))
    world.publish(CommandInput("ORDER", "o2", "n", {"text": "x" * 200_000}))
    assert world.deliver(world.record(1), world.record(1, other("o2"))) == {}
    assert world.started() == [KEY.version_sk(1)]
    assert world.row(1, other("o2"))["status"] == "finish:FINISHED"


def test_large_attributes_without_targets_are_never_read() -> None:
    world = Inline(inline_limit=1_024)
    world.publish(CommandInput("ORDER", "o1", "n", {"text": "x" * 300_000}))
    world.apply_all(1)
    assert world.row(1)["status"] == "finish:FINISHED"


def test_ord_04_a_gap_is_recorded() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    world.publish(order(1, n=2))
    world.publish(order(2, n=3))
    world.memory.delete(COMMANDS, KEY.pk, VersionKey(KEY, 2).sk)
    world.apply_all(1, 3)
    assert world.row(3)["status"] == "check_version:FAILED"
    assert world.row(3)["error"]["type"] == "VersionGap"
    assert len(world.alarms.messages) == 1


def test_every_status_shows_where_that_is_configured() -> None:
    world = Inline("one", detail="full")
    seen: list[str] = []
    world.handlers["one"].does = lambda _: seen.append(world.row(1)["status"])
    world.publish(order(0, n=1))
    world.publish(order(1, n=2))
    world.apply_all(1)
    assert seen[0].startswith("sync_data:")
    assert world.row(1)["status"] == "finish:FINISHED"
    assert "openShard" not in world.row(1)


def test_another_attempt_is_left_alone() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    record = world.record(1)
    record["dynamodb"]["NewImage"]["attempt"] = {"N": "2"}
    assert world.deliver(record) == {}
    assert world.row(1)["status"] == "publish:ACCEPTED"


def test_an_empty_batch_makes_no_call() -> None:
    world = Inline()
    assert world.deliver() == {}
    assert world.calls == []
