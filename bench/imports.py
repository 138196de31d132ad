"""The cost of an imported row, and of the whole airports file, on the local runtime with the real handlers.

In virtual time and one thread: waiting takes no time, so wall time is the work of this machine, which simulates AWS.
"""

from __future__ import annotations

import itertools
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import prices
from bench.commands import index_writes, read_units, write_units
from cli.output import table
from contract.options import TERMINAL
from contract.outputs import BUCKET_NAME, TABLE_NAME
from contract.state_machines import CSV_ROWS_HANDLER, EXPRESS, INLINE, STANDARD
from contract.tables import COMMANDS, IMPORT_TMP
from handlers.core.aws import clients as aws
from handlers.core.context import InvokeContext
from handlers.imports.jobs.model import ImportJob
from handlers.imports.service import ImportService
from handlers.store.dynamodb import DynamoTableStore
from local.aws.model import AwsCall
from local.aws.tables.streams import read_new_records
from local.functions.model import InvokeResult
from local.runtime import PROJECT_DIR, LocalRuntime
from local.scheduler import Scheduler
from local.testing.copies import with_module

AIRPORTS = PROJECT_DIR / "data" / "airports.csv"
CONTEXT = InvokeContext(user_id="bench", tenant_code="t1")
TABLE = "bench-airports"
#: Rows of the file on which a row's cost is counted: enough for full batches.
ROWS = 300
COUNTED = ("dynamodb", "stepfunctions", "sns", "s3")
#: The airports' strategy, in the publish mode that is measured.
MODULE = '''"""The airports' strategy for figures."""

from handlers.domain.airports import COLUMNS, AirportImport
from handlers.imports.strategy import import_strategy


@import_strategy("bench-airports", columns=COLUMNS, key=("icao",), publish="{publish}")
class BenchImport(AirportImport):
    """As the airports'."""
'''


@dataclass(frozen=True)
class Variant:
    """``custom``: with the airports' own sync handler in addition to the built-in target."""

    publish: str
    workflow: str = EXPRESS
    mode: str = "STEP_FUNCTION"
    custom: bool = True

    @property
    def title(self) -> str:
        """For the table's header."""
        target = "custom handler" if self.custom else "built-in target"
        return f"{self.mode} {self.publish}, {self.workflow if self.publish == 'ASYNC' else target}"


@dataclass(frozen=True)
class RowCost:
    """Per row: AWS calls by ``service.Operation``, Lambda calls, transitions, EXPRESS executions, DynamoDB units."""

    variant: Variant
    calls: Mapping[str, float]
    invocations: float
    transitions: float
    express: float
    write_units: float
    read_units: float

    @property
    def dynamodb_calls(self) -> float:
        """DynamoDB calls; a transaction is one."""
        return sum(number for name, number in self.calls.items() if name.startswith("dynamodb."))

    @property
    def dollars_per_million(self) -> dict[str, float]:
        """Dollars by what is billed; the assumptions are below the table."""
        seconds = self.invocations * prices.CALL_OVERHEAD_SECONDS + sum(self.calls.values()) * prices.AWS_CALL_SECONDS
        express_seconds = max(seconds, self.express * prices.EXPRESS_STEP_SECONDS)
        per_row = {
            "state machines": self.transitions * prices.STATE_TRANSITION
            + self.express * prices.EXPRESS_REQUEST
            + (express_seconds * prices.EXPRESS_GB * prices.EXPRESS_GB_SECOND if self.express else 0.0),
            "functions": self.invocations * prices.LAMBDA_REQUEST
            + seconds * prices.LAMBDA_GB * prices.LAMBDA_GB_SECOND_ARM,
            "tables": self.write_units * prices.WRITE_UNIT + self.read_units * prices.READ_UNIT,
            "queue": prices.SQS_REQUESTS_PER_MESSAGE * prices.SQS_REQUEST,
            "events": self.calls.get("sns.PublishBatch", 0.0) * prices.SNS_PUBLISH * prices.MESSAGES_PER_BATCH,
            "objects": self.calls.get("s3.PutObject", 0.0) * prices.S3_PUT
            + self.calls.get("s3.GetObject", 0.0) * prices.S3_GET,
        }
        return {name: value * prices.MILLION for name, value in per_row.items()}


class ImportBench:
    """A deployment on which imports are counted. A context manager."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._folder = tempfile.TemporaryDirectory(prefix="cqrs-bench-")
        project = with_module(Path(self._folder.name), "bench_airports", MODULE.format(publish=variant.publish))
        modules = ["handlers.domain.bench_airports", *(["handlers.domain.airports"] if variant.custom else [])]
        config = {
            "commandWorkflow": variant.workflow,
            "statusDetail": TERMINAL,
            "handlerModules": json.dumps(modules),
            "importDirectRows": "10000",
        }
        self._runtime = LocalRuntime(project_dir=project, scheduler=Scheduler.virtual(1), config=config)
        self._calls: Counter[str] = Counter()
        self._invocations = self._children = self._writes = self._reads = 0

    def __enter__(self) -> ImportBench:
        runtime = self._runtime
        runtime.start()
        runtime.endpoint.on_call(self._note)
        runtime.host.interceptors.append(self._count)
        self._tables = {name: runtime.outputs[TABLE_NAME[name]] for name in (COMMANDS, IMPORT_TMP)}
        for name in self._tables.values():  # all records are counted at the end
            read_new_records(runtime.endpoint, name, 0, reader="bench")
        store = DynamoTableStore(aws.dynamodb(), self._tables)
        self._bucket = runtime.outputs[BUCKET_NAME]
        self._service = ImportService(store, runtime.scheduler, [TABLE], [self._bucket])
        return self

    def __exit__(self, *_: object) -> None:
        self._runtime.stop()
        self._folder.cleanup()

    def run(self, rows: int | None) -> tuple[ImportJob, RowCost]:
        """Import the file's first rows, or all; returns the job, and the cost of a row."""
        with AIRPORTS.open("rb") as file:
            content = b"".join(file if rows is None else itertools.islice(file, rows + 1))
        aws.s3().put_object(Bucket=self._bucket, Key="imports/airports.csv", Body=content)
        job = self._service.create_csv_import(
            TABLE, self._bucket, "imports/airports.csv", CONTEXT, mode=self.variant.mode
        )
        self._runtime.scheduler.run_until_idle()
        job = self._service.get_import(job.id, CONTEXT)
        return job, self._cost(job.counts.total or 1)

    def _cost(self, rows: int) -> RowCost:
        writes = self._writes + sum(sum(map(index_writes, self._records(name))) for name in self._tables.values())
        executions = self._executions()
        return RowCost(
            self.variant,
            {name: number / rows for name, number in sorted(self._calls.items())},
            self._invocations / rows,
            sum(len(one.visited()) for kind, one in executions if kind == STANDARD) / rows,
            (sum(kind == EXPRESS for kind, _ in executions) + self._children) / rows,
            writes / rows,
            self._reads / rows,
        )

    def _records(self, name: str) -> list[Mapping[str, Any]]:
        return list(read_new_records(self._runtime.endpoint, name, 0)[0])

    def _executions(self) -> list[tuple[str, Any]]:
        manager = self._runtime.executions
        machines = manager.list_state_machines()
        return [(machine.type, one) for machine in machines for one in manager.list_executions(machine.arn)]

    def _note(self, call: AwsCall) -> None:
        if call.service in COUNTED:
            self._calls[f"{call.service}.{call.operation}"] += 1
            self._writes += write_units(call)
            self._reads += read_units(call)

    def _count(self, function: str, payload: Any, proceed: Any) -> InvokeResult:
        self._invocations += 1
        state = payload.get("context", {}).get("State", {}).get("Name") if isinstance(payload, dict) else None
        self._children += state == CSV_ROWS_HANDLER
        result: InvokeResult = proceed(payload)
        return result


VARIANTS = (
    Variant("ASYNC", STANDARD),
    Variant("ASYNC", EXPRESS),
    Variant("ASYNC", INLINE),
    Variant("ASYNC", EXPRESS, mode="DIRECT"),
    Variant("SYNC", custom=False),
    Variant("SYNC"),
)


def cost_of_a_row(variant: Variant, rows: int = ROWS) -> RowCost:
    """The cost of a row, counted on a file of ``rows`` airports, all valid."""
    with ImportBench(variant) as bench:
        job, cost = bench.run(rows)
        assert (job.status, job.counts.applied) == ("COMPLETED", rows), job
        return cost


def figures() -> tuple[object, str]:
    """Calls and dollars per row in each variant, as data and as tables."""
    costs = [cost_of_a_row(variant) for variant in VARIANTS]
    return [_plain(cost) for cost in costs], "\n\n".join([_calls(costs), _dollars(costs), _NOTES])


def whole_file() -> tuple[object, str]:
    """Time and memory of the whole airports file, 28,298 rows of which 13 are invalid, published SYNC."""
    with ImportBench(Variant("SYNC", custom=False)) as bench:
        begin, cpu_before = time.monotonic(), time.process_time()
        job, cost = bench.run(None)
        seconds, cpu_seconds = time.monotonic() - begin, time.process_time() - cpu_before
    counts = job.counts
    figures = {
        "status": job.status,
        "rows": counts.total or 0,
        "applied": counts.applied,
        "failed": counts.failed,
        "seconds": round(seconds),
        "seconds of one core": round(cpu_seconds),
        "rows per second of one core": (counts.total or 0) / cpu_seconds,
        "DynamoDB calls per row": cost.dynamodb_calls,
        # Linux counts in KiB.
        "peak MB of the process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6),
    }
    title = f"The whole airports file on the local runtime, {cost.variant.title} (one process, virtual time)"
    return figures, table(title, list(figures.items()))


_NOTES = (
    f"Assumed: items of 1 KB; {prices.AWS_CALL_SECONDS * 1000:.0f} ms per AWS call and "
    f"{prices.CALL_OVERHEAD_SECONDS * 1000:.0f} ms per call of a function, with {prices.LAMBDA_GB * 1024:.0f} MB on "
    f"arm64;\n{prices.SQS_REQUESTS_PER_MESSAGE} SQS requests per row. Left out: logs, storage, API, readers of events."
)


def _calls(costs: Iterable[RowCost]) -> str:
    costs = list(costs)
    operations = sorted({name for cost in costs for name in cost.calls})
    rows: list[tuple[object, ...]] = [(name, *(cost.calls.get(name, 0.0) for cost in costs)) for name in operations]
    rows += [
        ("(DynamoDB calls)", *(cost.dynamodb_calls for cost in costs)),
        ("(Lambda invocations)", *(cost.invocations for cost in costs)),
        ("(state transitions)", *(cost.transitions for cost in costs)),
        ("(EXPRESS executions)", *(cost.express for cost in costs)),
        ("(write units)", *(cost.write_units for cost in costs)),
        ("(read units)", *(cost.read_units for cost in costs)),
    ]
    header = ("", *(cost.variant.title for cost in costs))
    return table("AWS calls per row of an import (first versions)", rows, header=header)


def _dollars(costs: Iterable[RowCost]) -> str:
    costs = list(costs)
    dollars = [cost.dollars_per_million for cost in costs]
    rows: list[tuple[object, ...]] = [(what, *(one[what] for one in dollars)) for what in dollars[0]]
    rows.append(("all", *(sum(one.values()) for one in dollars)))
    header = ("", *(cost.variant.title for cost in costs))
    return table("Dollars per million rows, us-east-1", rows, header=header)


def _plain(cost: RowCost) -> dict[str, Any]:
    return {
        "variant": cost.variant.title,
        "calls": dict(cost.calls),
        "dynamodbCalls": cost.dynamodb_calls,
        "dollarsPerMillion": cost.dollars_per_million,
    }
