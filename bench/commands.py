"""The cost of a command, counted on the local runtime with the real definitions and handlers, in virtual time."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bench import prices
from cli.samples.modules import ORDERS
from contract.functions import APPLY, EVENTS, STATES
from contract.outputs import BUCKET_NAME, INLINE_ATTRIBUTE_LIMIT, TABLE_NAME
from contract.state_machines import INLINE, STANDARD
from contract.tables import COMMANDS, DATA, DUE_AT, OPEN_SHARD
from handlers.commands.attributes import AttributeStore
from handlers.commands.model import LATEST, CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.aws import clients as aws
from handlers.core.context import InvokeContext
from handlers.objects.s3 import S3Objects
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import OPEN_PROJECTION
from local.aws.model import AwsCall
from local.aws.tables.streams import read_new_records
from local.functions.model import InvokeResult
from local.runtime import LocalRuntime
from local.scheduler import Scheduler

START_EXECUTION = "stepfunctions.StartExecution"
COUNTED = ("dynamodb", "stepfunctions", "sns")
CONTEXT = InvokeContext(user_id="bench", tenant_code="t1")
#: One in-process sync handler in addition to the built-in target.
MODULES = [ORDERS]
WARM_UP = "warm-up"
#: Functions that process a command until it is DONE; the others report it.
ON_THE_WAY = (EVENTS, APPLY, STATES)
#: How long streams and queues wait for their batches to fill, since batches are full on a busy stack.
FILL_SECONDS = 1


@dataclass(frozen=True)
class Cost:
    """Per command: AWS calls by ``service.Operation``, state transitions, Lambda calls, DynamoDB units."""

    workflow: str
    detail: str
    calls: Mapping[str, float]
    transitions: float
    invocations: float
    write_units: float
    read_units: float
    #: Whether there is a target with one write in addition to the built-in target.
    custom: bool = True
    #: Successive Lambda calls from the publishing of a single command until it is DONE, including those of targets.
    hops: int = 0

    @property
    def title(self) -> str:
        """For a table's header."""
        return f"{self.workflow} {self.detail}{'' if self.custom else ', built-in target'}"

    @property
    def total_calls(self) -> float:
        """All counted calls; a transaction is one, Lambda invocations aren't counted."""
        return sum(self.calls.values())

    @property
    def dollars_per_million(self) -> dict[str, float]:
        """Dollars by what is billed, without SQS, logs, storage, subscribers of events and the API (``bench.door``)."""
        seconds = self._function_seconds
        if self.workflow == STANDARD:
            machine = self.transitions * prices.STATE_TRANSITION
        else:
            billed = math.ceil(seconds / prices.EXPRESS_STEP_SECONDS) * prices.EXPRESS_STEP_SECONDS
            express = prices.EXPRESS_REQUEST + billed * prices.EXPRESS_GB * prices.EXPRESS_GB_SECOND
            machine = self.calls.get(START_EXECUTION, 0.0) * express
        per_command = {
            "state machine": machine,
            "functions": self.invocations * prices.LAMBDA_REQUEST
            + seconds * prices.LAMBDA_GB * prices.LAMBDA_GB_SECOND_ARM,
            "tables": self.write_units * prices.WRITE_UNIT + self.read_units * prices.READ_UNIT,
            "events": self.calls.get("sns.PublishBatch", 0.0) * prices.SNS_PUBLISH,
        }
        return {name: value * prices.MILLION for name, value in per_command.items()}

    @property
    def _function_seconds(self) -> float:
        """A state's call takes the time of a warm call; a batch takes the sum of its AWS calls."""
        if self.workflow != INLINE:
            return self.invocations * prices.WARM_SECONDS
        return self.invocations * prices.CALL_OVERHEAD_SECONDS + self.total_calls * prices.AWS_CALL_SECONDS


class Bench:
    """A deployment on which commands are counted. A context manager."""

    def __init__(self, workflow: str, detail: str, *, custom: bool = True) -> None:
        """``custom``: with a sync handler in addition to the built-in target."""
        self._workflow = workflow
        self._detail = detail
        self._custom = custom
        modules = MODULES if custom else []
        config = {"commandWorkflow": workflow, "statusDetail": detail, "handlerModules": json.dumps(modules)}
        self._runtime = LocalRuntime(scheduler=Scheduler.virtual(1), config=config)
        self._seen: list[AwsCall] = []
        self._invocations = 0
        self._on_the_way = 0
        self._published = 0
        self._position = 0

    def __enter__(self) -> Bench:
        runtime = self._runtime
        runtime.start()
        runtime.endpoint.on_call(self._seen.append)
        runtime.host.interceptors.append(self._count)
        declared = runtime.deployment
        filled = [replace(one, batching_window=FILL_SECONDS) for one in declared.event_source_mappings]
        runtime.run_sources(filled, declared.rules, declared.async_settings)
        tables = {name: runtime.outputs[TABLE_NAME[name]] for name in (COMMANDS, DATA)}
        self._commands_table = tables[COMMANDS]
        store = DynamoTableStore(aws.dynamodb(), tables)
        objects = S3Objects(aws.s3, runtime.outputs[BUCKET_NAME])
        attributes = AttributeStore(objects, runtime.outputs[INLINE_ATTRIBUTE_LIMIT])
        self._publisher = CommandPublisher(store, attributes, runtime.scheduler)
        self._publish(WARM_UP)
        return self

    def __exit__(self, *_: object) -> None:
        self._runtime.stop()

    def first_versions(self, count: int) -> Cost:
        """Publish ``count`` new entities together; returns the mean cost of one."""
        return self._measure([f"o{self._published + number}" for number in range(count)])

    def counted(self, count: int) -> Cost:
        """``first_versions``, with the hops of a command published alone."""
        self._on_the_way = 0
        self._publish("alone")
        hops = self._on_the_way
        return replace(self.first_versions(count), hops=hops)

    def next_version(self) -> Cost:
        """The cost of one more version of the same entity."""
        return self._measure(["grows"])

    def _read(self, position: int) -> tuple[list[dict[str, Any]], int]:
        """Records of the commands' stream from ``position`` on, and the next position."""
        return read_new_records(self._runtime.endpoint, self._commands_table, position, reader="bench")

    def _measure(self, codes: list[str]) -> Cost:
        _, position = self._read(self._position)
        self._seen.clear()
        self._invocations = 0
        before = {one.arn for one in self._executions()}
        for code in codes:
            self._publish(code, run=False)
        self._runtime.scheduler.run_until_idle()
        counted = [call for call in self._seen if call.service in COUNTED]
        self._seen.clear()
        calls = Counter(f"{call.service}.{call.operation}" for call in counted)
        records, self._position = self._read(position)
        writes = sum(map(write_units, counted)) + sum(map(index_writes, records))
        transitions = sum(len(one.visited()) for one in self._executions() if one.arn not in before)
        count = len(codes)
        return Cost(
            self._workflow,
            self._detail,
            {name: number / count for name, number in sorted(calls.items())},
            transitions / count,
            self._invocations / count,
            writes / count,
            sum(map(read_units, counted)) / count,
            self._custom,
        )

    def _publish(self, code: str, *, run: bool = True) -> None:
        self._published += 1
        lines = [{"quantity": self._published, "price": 1.5}]
        given = CommandInput("ORDER", code, "an order", {"lines": lines}, version=LATEST)
        self._publisher.publish_async(given, CONTEXT)
        if run:
            self._runtime.scheduler.run_until_idle()

    def _executions(self) -> list[Any]:
        manager = self._runtime.executions
        return [one for machine in manager.list_state_machines() for one in manager.list_executions(machine.arn)]

    def _count(self, function: str, payload: Any, proceed: Any) -> InvokeResult:
        self._invocations += 1
        self._on_the_way += function.rpartition("-")[2] in ON_THE_WAY
        result: InvokeResult = proceed(payload)
        return result


def write_units(call: AwsCall) -> int:
    """For items up to 1 KB; a transaction costs double (Developer Guide, "DynamoDB read and write operations")."""
    if call.operation == "TransactWriteItems":
        return 2 * len(call.params["TransactItems"])
    return 1 if call.operation in ("PutItem", "UpdateItem") else 0


def read_units(call: AwsCall) -> int:
    """For consistent reads of items up to 4 KB; a transaction costs double."""
    if call.operation == "TransactGetItems":
        return 2 * len(call.params["TransactItems"])
    if call.operation == "BatchGetItem":
        return sum(len(asked["Keys"]) for asked in call.params["RequestItems"].values())
    return 1 if call.operation in ("GetItem", "Query") else 0


def index_writes(record: Mapping[str, Any]) -> int:
    """Write units of a command's change in the ``open`` index (Developer Guide, "Global secondary indexes", writes)."""
    old, new = (record["dynamodb"].get(name, {}) for name in ("OldImage", "NewImage"))
    was, will = (OPEN_SHARD in image and DUE_AT in image for image in (old, new))
    if was and will:
        if any(old[name] != new[name] for name in (OPEN_SHARD, DUE_AT)):
            return 2
        return 1 if any(old.get(name) != new.get(name) for name in OPEN_PROJECTION) else 0
    return 1 if was != will else 0
