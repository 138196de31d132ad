"""``./cqrs demo``: the whole program on the embedded runtime, with real data through the real state machine."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

from handlers import aws
from handlers.clock import SystemClock
from handlers.commands.attributes import AttributeStore
from handlers.commands.model import CommandInput
from handlers.commands.publish import CommandPublisher
from handlers.context import InvokeContext
from handlers.objects.s3 import S3Objects
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA
from local.aws.streams import read_new_records
from local.cli import airports
from local.cli.audit import OrderAudit
from local.cli.output import Progress, table
from local.cli.start import started
from local.runtime import LocalRuntime
from local.states.executions import Execution

DEFAULT_ROWS = 500
MAX_ROWS = 28_298
PUBLISHERS = 8
POLL_SECONDS = 0.2
CONTEXT = InvokeContext(user_id="demo", tenant_code="demo")
FAILING_MODULE = "handlers.domain.failing"
SERVICES = ("dynamodb", "stepfunctions", "sns")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs demo``."""
    parser.add_argument(
        "--rows", type=_rows, default=DEFAULT_ROWS, help=f"airports to publish (default {DEFAULT_ROWS})"
    )
    parser.add_argument("--fail", action="store_true", help="switch on a sync handler that fails for some airports")
    parser.add_argument("--stack", default="dev", help="whose Pulumi.<stack>.yaml is used (default dev)")


def run(options: argparse.Namespace) -> int:
    """Deploy, publish, wait, report. Returns 0 if all is as it should be."""
    given = airports.load(options.rows)
    with started(options.stack, {"handlerModules": _modules(options.fail)} if options.fail else {}) as runtime:
        outcome = _Demo(runtime, given).run()
    print(outcome.report())
    return 0 if outcome.as_expected(failures_expected=options.fail) else 1


class _Demo:
    """One run."""

    def __init__(self, runtime: LocalRuntime, given: airports.Input) -> None:
        self._runtime = runtime
        self._given = given
        outputs = runtime.outputs
        self._data_table = outputs["dataTableName"]
        tables = {COMMANDS: outputs["commandsTableName"], DATA: self._data_table}
        attributes = AttributeStore(S3Objects(aws.s3, outputs["bucketName"]), outputs["inlineAttributeLimit"])
        store = DynamoTableStore(aws.dynamodb(), tables)
        self._publisher = CommandPublisher(store, attributes, SystemClock(), source="demo")
        self._audit = OrderAudit("TENANT")
        self._position = 0
        self._ended: Counter[str] = Counter()
        self._alarms = _AlarmQueue(outputs["alarmTopicArn"], runtime.endpoint.region)
        runtime.executions.on_status_change(self._count)

    def run(self) -> Outcome:
        """Publish everything and wait until every command has ended."""
        calls_before = Counter(self._runtime.endpoint.calls)
        begin = time.monotonic()
        with ThreadPoolExecutor(PUBLISHERS) as pool:
            self._publish(pool)
            self._await_all()
        seconds = time.monotonic() - begin
        calls = Counter(self._runtime.endpoint.calls)
        calls.subtract(calls_before)
        by_service: Counter[str] = Counter()
        for (_, service, _), count in calls.items():
            by_service[service] += count
        self._follow()
        return Outcome(
            statuses=self._statuses(),
            entities=self._audit.entities_by_version(),
            violations=self._audit.violations,
            alarms=self._alarms.receive(),
            refused=self._given.refused,
            commands=self._given.total,
            seconds=seconds,
            calls={service: by_service[service] for service in SERVICES},
        )

    def _publish(self, pool: ThreadPoolExecutor) -> None:
        """Round after round without waiting for what was published before: versions pile up behind each other."""
        progress, done = Progress("publish", self._given.total), 0
        for one in self._given.rounds:
            for _ in pool.map(self._publish_one, one):
                done += 1
                progress.show(done)
        progress.end()

    def _publish_one(self, given: CommandInput) -> None:
        self._publisher.publish_async(given, CONTEXT)

    def _await_all(self) -> None:
        total = self._given.total
        progress = Progress("apply", total)
        while (done := self._ended.total()) < total or not self._runtime.is_quiet:
            self._follow()
            progress.show(done)
            time.sleep(POLL_SECONDS)
        progress.show(total)
        progress.end()

    def _count(self, execution: Execution) -> None:
        if execution.status != "RUNNING":
            self._ended[execution.status] += 1

    def _follow(self) -> None:
        records, self._position = read_new_records(self._runtime.endpoint, self._data_table, self._position)
        self._audit.follow(records)

    def _statuses(self) -> dict[str, int]:
        client = aws.dynamodb()
        pages = client.get_paginator("scan").paginate(
            TableName=self._runtime.outputs["commandsTableName"],
            ProjectionExpression="#s",
            ExpressionAttributeNames={"#s": "status"},
        )
        return dict(Counter(item["status"]["S"] for page in pages for item in page["Items"] if "status" in item))


class _AlarmQueue:
    """A queue on the alarm topic: what an operator's mail box would get."""

    def __init__(self, topic_arn: str, region: str) -> None:
        self._sqs = boto3.client("sqs", region_name=region)
        self._url = self._sqs.create_queue(QueueName="demo-alarms")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        boto3.client("sns", region_name=region).subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)

    def receive(self) -> list[dict[str, Any]]:
        """All alarms so far."""
        alarms: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                alarms.append(json.loads(json.loads(message["Body"])["Message"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return alarms


class Outcome:
    """What a run did."""

    def __init__(
        self,
        *,
        statuses: dict[str, int],
        entities: dict[int, int],
        violations: list[str],
        alarms: list[dict[str, Any]],
        refused: list[str],
        commands: int,
        seconds: float,
        calls: dict[str, int],
    ) -> None:
        self._statuses = statuses
        self._entities = entities
        self._violations = violations
        self._alarms = alarms
        self._refused = refused
        self._commands = commands
        self._seconds = seconds
        self._calls = calls

    def as_expected(self, *, failures_expected: bool) -> bool:
        """Every command ended, in order, and nothing failed that should not."""
        failed = sum(count for status, count in self._statuses.items() if status.endswith(":FAILED"))
        done = self._statuses.get("finish:FINISHED", 0)
        waiting = self._commands - failed - done
        return not self._violations and (failures_expected or (waiting == 0 and failed == 0))

    def report(self) -> str:
        """The tables at the end."""
        alarmed = len({alarm["id"] for alarm in self._alarms})
        parts = [
            table("Commands by final status", sorted(self._statuses.items()), header=("status", "commands")),
            table(
                "Entities by version in the read model",
                [(f"version {version}", count) for version, count in self._entities.items()] or [("none", 0)],
                header=("", "entities"),
            ),
            table(
                "AWS calls per command",
                [(name, count, count / self._commands) for name, count in [*self._calls.items(), self._total()]],
                header=("service", "calls", "per command"),
            ),
            table(
                "Run",
                [
                    ("order violations", f"{len(self._violations):,}"),
                    ("alarms", f"{alarmed:,}"),
                    ("rows refused", f"{len(self._refused):,}"),
                    ("wall time", f"{self._seconds:.1f} s"),
                    ("commands per second", f"{self._commands / self._seconds:.1f}"),
                ],
            ),
        ]
        parts += self._violations[:5]
        parts += [f"refused {text}" for text in self._refused[:5]]
        if self._alarms:
            parts.append(f"the first alarm:\n{json.dumps(self._alarms[0], indent=2)}")
        return "\n\n".join(parts)

    def _total(self) -> tuple[str, int]:
        return "all", sum(self._calls.values())


def _rows(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_ROWS:,}")
    return int(text)


def _modules(fail: bool) -> str:
    modules = ["handlers.domain.orders", "handlers.domain.airports", *([FAILING_MODULE] if fail else [])]
    return json.dumps(modules)
