"""``./cqrs demo``: the whole program on the embedded runtime, with real data through the real state machine."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

from cli.demo.audit import OrderAudit, Statuses
from cli.demo.imports import run_imports
from cli.demo.outcome import DONE, Outcome, blocked, has_ended
from cli.demo.patience import Patience
from cli.demo.tasks import run_task
from cli.develop.errors import CommandError
from cli.develop.start import started
from cli.operate.explain import rendered
from cli.output import Progress
from cli.samples import airports
from cli.terminal import show
from contract.outputs import ALARM_TOPIC_ARN, TABLE_NAME
from contract.tables import COMMANDS, DATA
from handlers.commands import status
from handlers.commands.keys import VersionKey
from handlers.commands.model import CommandInput
from handlers.core.aws import clients as aws
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.core.keys import row_id
from handlers.operations.explain import Explainer
from handlers.operations.key_text import parse_key, pasteable
from handlers.store.dynamodb import DynamoTableStore
from local.aws.tables.streams import read_new_records
from local.runtime import LocalRuntime

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
        "--rows",
        type=_rows,
        default=DEFAULT_ROWS,
        help=f"airports to publish, 1 to {MAX_ROWS:,} (default {DEFAULT_ROWS}); every fifth in three versions",
    )
    parser.add_argument("--fail", action="store_true", help="add a sync handler that fails for one airport in ten")
    parser.add_argument("--stack", default="dev", help="stack whose Pulumi.<stack>.yaml is used (default dev)")


def run(options: argparse.Namespace) -> int:
    """Deploy, publish, wait, report. Returns 0 if the outcome is as expected; with --fail, failures are expected.

    Raises:
        CommandError: the outcome isn't as expected; one line per problem.
    """
    given = airports.load(options.rows)
    with started(options.stack, {"handlerModules": _modules(options.fail)}) as runtime:
        outcome = _Demo(runtime, given).run()
        explained = _explained(runtime, outcome) if outcome.failed else ""
        task = run_task(runtime, _applied(outcome), CONTEXT)
        # With a failing handler, rows of the file would fail as well, which the other figures show already.
        imports = None if options.fail else run_imports(runtime, options.rows)
    show(f"{outcome.report()}\n\n{task.report()}")
    problems = outcome.problems(failures_expected=options.fail) + task.problems()
    if imports is not None:
        show(f"\n{imports.report()}")
        problems += imports.problems()
    if problems:
        raise CommandError("\n".join(problems))
    show(f"\n{_verdict(outcome, options)}")
    if explained:
        show(f"\n{explained}")
    return 0


def _applied(outcome: Outcome) -> list[str]:
    """The codes of the airports whose first version is in the read model."""
    keys = (VersionKey.parse(pk, sk) for (pk, sk), one in sorted(outcome.rows.items()) if one == DONE)
    return list(dict.fromkeys(key.entity.code for key in keys))


def _explained(runtime: LocalRuntime, outcome: Outcome) -> str:
    """What an operator sees and can do about a failed command, preferably one that others wait for."""
    outputs = runtime.outputs
    tables = {COMMANDS: outputs[TABLE_NAME[COMMANDS]], DATA: outputs[TABLE_NAME[DATA]]}
    waiting = {parse_key(row_id(pk, sk))[0] for pk, sk in blocked(outcome.rows)}
    failed = [parse_key(one) for one in outcome.failed]
    key, version = next((one for one in failed if one[0] in waiting), failed[0])
    explanation = Explainer(DynamoTableStore(aws.dynamodb(), tables), SystemClock())(key)
    one = pasteable(f"{key}@{version}")
    return (
        f"./cqrs explain {pasteable(key)} on such a stack prints:\n\n{rendered(explanation)}\n\n"
        f"Once the target is fixed, ./cqrs redrive {one} applies it, and the versions waiting behind it follow; "
        "./cqrs redrive --since 1h does so for all. See docs/operations.md."
    )


def _verdict(outcome: Outcome, options: argparse.Namespace) -> str:
    if not options.fail:
        return "All commands were applied, in order. Next: ./cqrs demo --fail, or ./cqrs serve to explore it yourself."
    if not outcome.failed:
        return "Nothing failed: the failing handler rejects one airport in ten, and none of these. Try more --rows."
    return (
        f"As expected: {len(outcome.failed):,} commands failed, each with one alarm; later versions of those "
        "airports wait, all others were applied. Targets don't wait for each other: a failed command is in the read "
        "model (target data, APPLIED) all the same, and a redrive calls the target that failed."
    )


class _Demo:
    """One run."""

    def __init__(self, runtime: LocalRuntime, given: airports.Input) -> None:
        self._runtime = runtime
        self._given = given
        outputs = runtime.outputs
        tables = {COMMANDS: outputs[TABLE_NAME[COMMANDS]], DATA: outputs[TABLE_NAME[DATA]]}
        self._publisher = airports.publisher(outputs)
        self._audit = OrderAudit("TENANT")
        self._statuses = Statuses()
        self._followers = {tables[DATA]: self._audit.follow, tables[COMMANDS]: self._statuses.follow}
        self._positions: Counter[str] = Counter()
        self._alarms = _AlarmQueue(outputs[ALARM_TOPIC_ARN], runtime.endpoint.region)

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
            rows=self._rows(),
            entities=self._audit.entities_by_version(),
            violations=self._audit.violations,
            alarms=self._alarms.receive(),
            refused=self._given.refused,
            commands=self._given.total,
            seconds=seconds,
            calls={service: by_service[service] for service in SERVICES},
        )

    def _publish(self, pool: ThreadPoolExecutor) -> None:
        """Publish all rounds without waiting for the previous ones, so that versions queue up behind each other."""
        progress, done = Progress("publish", self._given.total), 0
        for one in self._given.rounds:
            for _ in pool.map(self._publish_one, one):
                done += 1
                progress.show(done)
        progress.end()

    def _publish_one(self, given: CommandInput) -> None:
        self._publisher.publish_async(given, CONTEXT)

    def _await_all(self) -> None:
        """Wait until every command has ended or waits behind one that failed.

        Raises:
            CommandError: no command has ended for too long; names the running executions, each with its state.
        """
        progress, patience = Progress("apply", self._given.total), Patience(self._open)
        while not self._settled():
            patience.note(self._ended())
            progress.show(self._ended())
            time.sleep(POLL_SECONDS)
        progress.show(self._ended(), last=True)
        progress.end()

    def _settled(self) -> bool:
        self._follow()
        ended, rows = self._ended(), self._statuses.rows
        if ended == self._given.total:
            return self._runtime.is_quiet
        if ended + len(blocked(rows)) < self._given.total:
            return False
        # Executions that wait for their token are still running; everything else, alarms included, must have ended.
        states = [one.visited()[-1:] for one in self._runtime.running_executions()]
        return self._runtime.is_idle and all(one == [status.WAIT_PREV_COMMAND] for one in states)

    def _open(self) -> list[str]:
        running = self._runtime.running_executions()
        return [f"{one.name} in {', '.join(one.visited()[-1:]) or 'no state'}" for one in running]

    def _ended(self) -> int:
        return sum(has_ended(one) for one in self._statuses.rows.values())

    def _follow(self) -> None:
        for name, follow in self._followers.items():
            position = self._positions[name]
            records, self._positions[name] = read_new_records(self._runtime.endpoint, name, position, reader="demo")
            follow(records)

    def _rows(self) -> dict[tuple[str, str], str]:
        """Key of each command to its status."""
        client = aws.dynamodb()
        pages = client.get_paginator("scan").paginate(
            TableName=self._runtime.outputs[TABLE_NAME[COMMANDS]],
            ProjectionExpression="pk, sk, #s",
            ExpressionAttributeNames={"#s": "status"},
            ConsistentRead=True,
        )
        items = (item for page in pages for item in page["Items"] if "status" in item)
        return {(item["pk"]["S"], item["sk"]["S"]): item["status"]["S"] for item in items}


class _AlarmQueue:
    """A queue subscribed to the alarm topic, in place of an operator's mailbox."""

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


def _rows(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_ROWS:,}")
    return int(text)


def _modules(fail: bool) -> str:
    modules = ["handlers.domain.orders", "handlers.domain.airports", *([FAILING_MODULE] if fail else [])]
    return json.dumps(modules)
