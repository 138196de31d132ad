"""One simulated deployment: the real handlers and definitions on in-memory ports, in virtual time."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from contract.state_machines import COMMAND_MACHINES
from handlers.commands import status
from handlers.commands.attributes import AttributeStore
from handlers.commands.model import Command
from handlers.commands.pipeline.steps import Pipeline, PipelineOptions
from handlers.commands.ports import Ports
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.publishing.sync_publisher import SyncPublisher
from handlers.commands.starter import CommandStarter
from handlers.commands.targets.previous import StatesBefore
from handlers.commands.targets.registry import load_registry
from handlers.commands.ttl_policies import TtlPolicies
from handlers.entrypoints import apply, events, outcomes, states, sweeper
from handlers.entrypoints.wiring.apply import ApplyPorts
from handlers.entrypoints.wiring.events import EventPorts
from handlers.entrypoints.wiring.outcomes import OutcomePorts
from handlers.entrypoints.wiring.sweeper import SweeperPorts
from handlers.objects.memory import MemoryObjects
from handlers.operations.redrive import Redriver
from handlers.operations.skip import Skipper
from handlers.state_machines.port import CustomWorkflows
from handlers.store.memory import Listener, MemoryTableStore
from handlers.store.port import COMMANDS, Item
from handlers.store.values import item_to_dynamo
from local.functions.host import FunctionHost
from local.functions.model import FunctionSpec, InvokeResult, SimulatedCrash, TooManyRequests
from local.scheduler import VIRTUAL_EPOCH, Scheduler, Stalled
from local.sources.async_calls import AsyncCaller
from local.sources.eventbridge import EventBus, Rule
from local.sources.faults import DeliveryFaults
from local.sources.mappings import StreamMapping
from local.sources.streams import StreamSource
from local.states.definition.model import EXPRESS, STANDARD
from local.states.manager import ExecutionManager
from local.states.maps.objects import Objects
from local.states.running.executions import RUNNING, Execution
from tests.simulation import deployment
from tests.simulation.concurrency import WatchedTasks
from tests.simulation.gate import PlanGate
from tests.simulation.keys import version_key
from tests.simulation.plan import FaultPlan, NoFaults
from tests.simulation.ports import GatedObjects, GatedStore, GatedTopic, GatedWorkflows
from tests.simulation.sites import CRASH, HANDLER, INVOKE, REFUSED, TWICE, TWICE_LATE, WORDS, Visit, current_visit
from tests.simulation.story import Story
from tests.simulation.targets import TARGETS, apply_to_target
from tests.simulation.watcher import Violation, Watcher

R = TypeVar("R")

#: A redelivered Lambda call that comes so late that its predecessor's outcome is long known.
LATE_SECONDS = 90.0
#: A sweep's distance; and the end of a run in which commands stay open.
SWEEP_SECONDS = 300.0
MOST_SECONDS = 40 * 3600.0


@dataclass(frozen=True)
class Setup:
    """What is deployed. ``lanes`` and ``delivery`` shape the stream: overtaking, delays, duplicates."""

    command_workflow: str = STANDARD
    status_detail: str | None = None
    wait_poll_seconds: int = 300
    wait_limit_hours: int = 1
    lease_seconds: int = 180
    ttl_days: Mapping[str, int] = field(default_factory=lambda: {"commands": 90, "history": 30})
    inline_limit: int = 1024
    lanes: int = 4
    duplicate: float = 0.0
    duplicate_after: float = 600.0
    delay: float = 0.0
    with_sweeper: bool = True
    sweep_minutes: int | None = None


class SimulatedWorld:
    """See the module's text. ``seed`` decides which runnable task goes first; ``plan`` what goes wrong.

    ``memory`` makes the store; a test of the invariants brings a broken one.
    """

    #: The application's module with the sync handlers, and further ones; its targets; its workflows' ARNs.
    modules: tuple[str, ...] = ("tests.simulation.targets",)
    targets: tuple[str, ...] = TARGETS
    custom_arns: Mapping[str, str] = {}
    custom: CustomWorkflows | None = None

    def __init__(
        self,
        seed: int | None,
        plan: FaultPlan | None = None,
        setup: Setup | None = None,
        *,
        memory: Callable[[Listener], MemoryTableStore] = MemoryTableStore,
    ) -> None:
        self.setup = setup or Setup()
        self.plan = plan or NoFaults()
        self.scheduler = Scheduler.virtual(seed)
        self.story = Story(self.scheduler.now)
        self.watcher = Watcher(self.scheduler.now, targets=self.targets)
        self.memory = memory(self._changed)
        self.objects = self._bucket()
        self.host = FunctionHost(self.scheduler)
        self.host.interceptors.append(self._invoked)
        self.executions = ExecutionManager(
            self.scheduler,
            self.host,
            region=deployment.REGION,
            account_id=deployment.ACCOUNT,
            keep_histories=0,
            objects=self._map_objects(),
        )
        self.gate = PlanGate(self.scheduler, self.plan, self.story, self.abort, self.watcher.goes_round)
        self._stale: dict[tuple[str, str, str], Item | None] = {}
        self.store = GatedStore(self.memory, self._stale, self.gate)
        self.attributes = AttributeStore(GatedObjects(self.objects, self.gate), self.setup.inline_limit)
        self.workflows = self._workflow_port()
        self.alarms = GatedTopic(self.gate, "the alarm", self._alarm)
        self.main_topic = GatedTopic(self.gate, "the status events", self._notified)
        self.discarded: list[Mapping[str, Any]] = []
        self._records: dict[str, list[dict[str, Any]]] = {}
        self._visits: Counter[tuple[str, int, str]] = Counter()
        self._random = random.Random(seed)
        self._deploy(seed)

    # -- doing --------------------------------------------------------------------------------------

    def publisher(self, **arguments: Any) -> CommandPublisher:
        """A publisher behind the gate; call it inside a visit."""
        return CommandPublisher(self.store, self.attributes, self.scheduler, new_id=self._new_id, **arguments)

    def _new_id(self) -> str:
        """A seeded uuid4().hex."""
        return f"{self._random.getrandbits(128):032x}"

    def pipeline(self) -> Pipeline:
        """The pipeline's steps behind the gate, with the deployment's own settings."""
        environment = self._environments["states"]
        options = PipelineOptions(
            commands_table=environment["COMMANDS_TABLE"],
            machine_arn=environment["COMMAND_STATE_MACHINE_ARN"],
            status_detail=environment["STATUS_DETAIL"],
            lease_seconds=self.setup.lease_seconds,
            wait_limit_hours=self.setup.wait_limit_hours,
            ttl=TtlPolicies.parse(environment["TTL_DAYS"]),
        )
        before = StatesBefore(self.store, self.scheduler.now, self.attributes.decoded)
        registry = load_registry(self.modules[:1], {}, before=before)
        return Pipeline(self._ports(Ports), self.attributes, registry, options)

    def sync_publisher(self) -> SyncPublisher:
        """A synchronous publisher behind the gate."""
        publisher, pipeline = self.publisher(), self.pipeline()
        return SyncPublisher(publisher, pipeline, self.scheduler, lease_seconds=self.setup.lease_seconds)

    def redriver(self) -> Redriver:
        """What an operator redrives with, behind the gate."""
        starter = CommandStarter(self.workflows, self._environments["states"]["COMMAND_STATE_MACHINE_ARN"])
        recorder = self.pipeline().record_failure
        return Redriver(self.store, self.scheduler, starter, recorder, dry_run=False)

    def skipper(self) -> Skipper:
        """What an operator skips with, behind the gate."""
        pipeline = self.pipeline()
        return Skipper(self.store, self.scheduler, pipeline.finisher, pipeline.record_failure)

    def switch(self, command_workflow: str) -> None:
        """Deploy again with another workflow: the functions' next calls are cold starts with its environment, and
        new commands come to the function of that workflow, from where the other one was.
        """
        self.setup = replace(self.setup, command_workflow=command_workflow)
        self._environments = self._environment()
        self.story.note(f"SWITCHED to {command_workflow}", entity="all")
        for name in self.host.names:
            self.host.update(self.host.get(name))
        first = self.streams[0]
        first.mapping = replace(first.mapping, function=deployment.starts_function(command_workflow))

    def visit(self, entity: str, version: int, state: str, execution: str | None = None) -> Visit:
        """The next visit of a state (or another piece of code)."""
        place = (entity, version, state)
        self._visits[place] += 1
        return Visit(entity, version, state, self._visits[place], execution)

    def abort(self, execution_arn: str) -> None:
        """An operator, or a quota, ends an execution."""
        self.executions.stop_execution(execution_arn, "Aborted", "by the fault plan")

    def run(self) -> None:
        """Until nothing is left to do for anybody, or an invariant is broken.

        The sweeper's schedule never ends. It gets its time as long as commands are open; if they still are after
        ``MOST_SECONDS``, something waits for ever.
        """
        with self.quiet():
            while not self.watcher.violations:
                try:
                    self.scheduler.run_until(lambda: bool(self.watcher.violations))
                except Stalled:
                    if not self._is_open() or not self.setup.with_sweeper or self._is_late():
                        return
                    self.scheduler.run_for(SWEEP_SECONDS)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """While it runs: nothing is logged."""
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)

    def _is_open(self) -> bool:
        """Whether something is left that the sweeper may have to heal."""
        return bool(self.watcher.open_commands)

    def _is_late(self) -> bool:
        return self.scheduler.now() > VIRTUAL_EPOCH + MOST_SECONDS

    def spawn(self, work: Callable[[], None], name: str) -> None:
        """A caller of ours: its own task."""
        self.scheduler.spawn(work, name=name)

    # -- looking ------------------------------------------------------------------------------------

    @property
    def violations(self) -> list[str]:
        """Broken guarantees so far."""
        return [str(one) for one in self.watcher.violations]

    def running(self) -> list[Execution]:
        """Executions that have not ended."""
        kinds = (STANDARD, EXPRESS)
        return [one for kind in kinds for one in self.executions.list_executions(deployment.machine_arn(kind), RUNNING)]

    # -- inside: what is deployed -------------------------------------------------------------------

    def _config(self) -> dict[str, Any]:
        setup = self.setup
        return {
            "commandWorkflow": setup.command_workflow,
            **({"statusDetail": setup.status_detail} if setup.status_detail else {}),
            "waitPollSeconds": setup.wait_poll_seconds,
            "waitLimitHours": setup.wait_limit_hours,
            "leaseSeconds": setup.lease_seconds,
            "ttlDays": dict(setup.ttl_days),
        }

    def _environment(self) -> dict[str, dict[str, str]]:
        return deployment.environments(self._config(), self.modules, self.custom_arns)

    def _deploy(self, seed: int | None) -> None:
        setup = self.setup
        self._environments = self._environment()
        for name, (start, timeout) in self._functions().items():
            start()  # a wrong environment or port ends the run here, not as a failed command
            self.host.register(
                FunctionSpec(name, deployment.function_arn(name), "", Path(), timeout_s=timeout), start=start
            )
        for kind in (STANDARD, EXPRESS):
            text = deployment.definition_text(kind, setup.wait_poll_seconds, setup.wait_limit_hours)
            self.executions.create_state_machine(COMMAND_MACHINES[kind], text, "arn:aws:iam::1:role/sim", kind)
        self.delivery = DeliveryFaults(
            random.Random(None if seed is None else seed + 1), setup.duplicate, setup.duplicate_after, setup.delay
        )
        self.streams = [
            StreamSource(
                self.scheduler,
                mapping,
                self,
                self.host,
                lambda _, message: self.discarded.append(message),
                function_arn=deployment.function_arn(mapping.function),
                faults=self.delivery,
            )
            for mapping in self._stream_mappings()
        ]
        self.caller = AsyncCaller(self.scheduler, self.host)
        self.bus = EventBus(self.scheduler, self.caller, region=deployment.REGION, account_id=deployment.ACCOUNT)
        for rule in self._rules():
            if rule.schedule is None or setup.with_sweeper:
                self.bus.add(rule)
        self.executions.on_status_change(self._ended)
        apply_to_target.set(self._apply)

    def _functions(self) -> dict[str, tuple[Callable[[], Any], float]]:
        """What starts each function, and its time limit in seconds."""
        starts: dict[str, Callable[[], Any]] = {
            "apply": lambda: apply.create(
                self._environments["apply"],
                ports=self._ports(ApplyPorts),
                attributes=self.attributes,
                workflows=self.custom,
                concurrency=WatchedTasks(self.scheduler, self.visit),
                new_id=self._new_id,
            ),
            "states": lambda: states.create(
                self._environments["states"],
                ports=self._ports(Ports),
                attributes=self.attributes,
                workflows=self.custom,
                new_id=self._new_id,
            ),
            "events": lambda: events.create(self._environments["events"], ports=self._ports(EventPorts)),
            "outcomes": lambda: outcomes.create(self._environments["outcomes"], ports=self._ports(OutcomePorts)),
            "sweeper": lambda: sweeper.create(self._environments["sweeper"], ports=self._ports(SweeperPorts)),
        }
        return {name: (starts[name], timeout) for name, timeout in deployment.TIMEOUTS.items()}

    def _stream_mappings(self) -> list[StreamMapping]:
        return deployment.stream_mappings(self.setup.lanes, self.setup.command_workflow)

    def _rules(self) -> list[Rule]:
        return deployment.rules(self.setup.sweep_minutes)

    def _map_objects(self) -> Objects | None:
        """What Distributed Maps read and write."""
        return None

    def _bucket(self) -> MemoryObjects:
        return MemoryObjects()

    def _workflow_port(self) -> GatedWorkflows:
        return GatedWorkflows(self.executions, self.gate, self.story, self.watcher.started)

    def _available_ports(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "state_machines": self.workflows,
            "alarms": self.alarms,
            "main_topic": self.main_topic,
            "dead_letters": NoLetters(self.watcher),
            "clock": self.scheduler,
        }

    def _ports(self, kind: Callable[..., R]) -> R:
        """The ports that a function asks for, by name."""
        available = self._available_ports()
        names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
        return kind(**{name: available.get(name) or NotSimulated(name) for name in names})

    def end(self, stream_arn: str) -> int:
        """See StreamReader."""
        return len(self._records.get(stream_arn, ()))

    def read(self, stream_arn: str, position: int, reader: str) -> tuple[Sequence[Mapping[str, Any]], int]:
        """See StreamReader."""
        records = self._records.get(stream_arn, [])
        return records[position:], len(records)

    # -- inside: what happens -----------------------------------------------------------------------

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        row = after if after is not None else before
        assert row is not None
        with self.watcher.looks_at(row):
            self.watcher.changed(table, before, after)
            self.watcher.written_by(current_visit.get(None), before, after)
        self._stale[table, row["pk"], row["sk"]] = before
        of: dict[str, Any] = {"entity": row.get("code", ""), "version": row.get("version", 0)}
        if table != COMMANDS:
            self.story.note(f"writes {table} {row['sk']}", **of)
            return
        old, new = (None if one is None else one.get("status") for one in (before, after))
        if old != new:
            self.story.note(f"{old or 'nothing'} -> {new}", **of)
            if before is None or status.is_terminal(new or ""):
                self._emit(deployment.STREAM, before, after)
        elif before is not None and after is not None and ("taskToken" in before) != ("taskToken" in after):
            self.story.note(f"its token is {'stored' if 'taskToken' in after else 'removed'}", **of)
        elif before is not None and after is not None:
            self.story.note(f"{new} with other {', '.join(_differences(before, after))}", **of)

    def _emit(self, stream_arn: str, before: Item | None, after: Item | None) -> None:
        """A stream gets a record. Changes of commands to other statuses are left out: no filter of ours wants them."""
        records = self._records.setdefault(stream_arn, [])
        records.append(self._record(len(records) + 1, before, after))
        for stream in self.streams:
            if stream.mapping.stream_arn == stream_arn:
                stream.wake()

    def _record(self, number: int, before: Item | None, after: Item | None) -> dict[str, Any]:
        """A stream record (fixtures/events/dynamodb_stream.json)."""
        row = after if after is not None else before
        assert row is not None
        images = {"OldImage": before, "NewImage": after}
        return {
            "eventID": f"{number:032x}",
            "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": deployment.REGION,
            "dynamodb": {
                "ApproximateCreationDateTime": self.scheduler.now(),
                "Keys": item_to_dynamo({"pk": row["pk"], "sk": row["sk"]}),
                **{name: item_to_dynamo(image) for name, image in images.items() if image is not None},
                "SequenceNumber": str(100_000_000_000 + number),
                "SizeBytes": 1,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }

    def _alarm(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        key = version_key(message["pk"], message["sk"])
        text = f"ALARM {attributes['alarmId'].rpartition('#')[2]}: {message['content']['errorMessage']}"
        self.story.note(text, entity=key.entity.code, version=key.version)
        self.watcher.alarm(message, attributes)

    def _notified(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        self.watcher.notified(message)

    def _apply(self, target: str, command: Command, previous: Sequence[Command | None]) -> None:
        self.watcher.target_called(target, command.key)
        for state in previous:
            self.watcher.checked_previous_state(command.key, state)

        def take_effect() -> None:
            self.watcher.target_applied(target, command.key)
            self.story.note(f"target {target} takes version {command.version}")

        self.gate.cross(HANDLER, f"target {target}", take_effect)

    def _ended(self, execution: Execution) -> None:
        key = version_key(execution.input["pk"], execution.input["sk"])
        text = f"execution {execution.name[:8]} ended as {execution.status} {execution.error or ''}"
        self.story.note(text.rstrip(), entity=key.entity.code, version=key.version)
        self._tell_of(execution)

    def _tell_of(self, execution: Execution) -> None:
        self.bus.execution_status_changed(
            {
                "executionArn": execution.arn,
                "stateMachineArn": execution.machine.arn,
                "name": execution.name,
                "status": execution.status,
                "startDate": execution.started,
                "stopDate": execution.stopped,
                "input": execution.input_text,
                "output": None,
                "error": execution.error,
                "cause": execution.cause,
            }
        )

    def _invoked(self, function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        """Round every Lambda call: what it is for, and what may go wrong with it."""
        visit = self._visit_of(function, payload)
        token = current_visit.set(visit)
        try:
            site = visit.site()
            kind = self.plan.at(site, INVOKE, self.scheduler.now())
            if kind is not None:
                self.story.note(f"{WORDS[kind]} [{site}]".format(what="its first line"), visit=visit)
            if kind == CRASH:
                raise SimulatedCrash(site)
            if kind == REFUSED:
                raise TooManyRequests(site)
            result = proceed(payload)
            if kind == TWICE:
                result = proceed(payload)
            if kind == TWICE_LATE:
                self.scheduler.call_later(LATE_SECONDS, lambda: self._again(payload, proceed, visit))
            return result
        finally:
            current_visit.reset(token)

    def _again(self, payload: Any, proceed: Callable[[Any], InvokeResult], visit: Visit) -> None:
        def late() -> None:
            current_visit.set(self.visit(visit.entity, visit.version, visit.state, visit.execution))
            self.story.note("a late duplicate begins")
            proceed(payload)

        self.scheduler.spawn(late, name="duplicate call")

    def _visit_of(self, function: str, payload: Any) -> Visit:
        if "context" in payload:
            execution, state = payload["context"]["Execution"], payload["context"]["State"]["Name"]
            key = version_key(execution["Input"]["pk"], execution["Input"]["sk"])
            if state == "sync_data":
                state = f"sync_data({payload['input']['target']})"
            return self.visit(key.entity.code, key.version, state, execution["Id"])
        if payload.get("source") == "aws.states":
            name = payload["detail"]["executionArn"]
            given = self.executions.describe_execution(name).input
            key = version_key(given["pk"], given["sk"])
            return self.visit(key.entity.code, key.version, "ended_outside")
        return self.visit("", 0, function)


class NoLetters:
    """Dead-letter queues: no record or message of the simulation is one that nobody can work on."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def put(self, record: Mapping[str, Any], error: Exception) -> None:
        """See DeadLetters."""
        self._watcher.violations.append(Violation("G1", "", f"a dead letter: {error!r} of {record}"))


class NotSimulated:
    """A port that nothing here comes to; if something does, it says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"the simulation has no port {self._name!r} (asked for {name!r})")


def _differences(before: Item, after: Item) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
