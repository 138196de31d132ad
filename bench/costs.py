"""The cost of a stack: idle, from its declared resources, and per command, from the bench. In USD, us-east-1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench import prices
from bench.commands import Cost
from handlers.core.keys import OPEN_SHARDS
from local.deploy.registrations import Evaluation

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
RULE = "aws:cloudwatch/eventRule:EventRule"
TABLE = "aws:dynamodb/table:Table"


@dataclass(frozen=True)
class Item:
    """One line of a monthly bill: a number of units, and what they cost together."""

    what: str
    count: str
    dollars: float


def at_rest(declared: Evaluation) -> list[Item]:
    """The cost of a stack in a month without commands, from its declared resources. Storage isn't included."""
    return [*_watching(declared), *_polling(declared), *_sweeping(declared), *_key(declared)]


def per_million(cost: Cost) -> dict[str, float]:
    """The bench's costs plus those it leaves out: the functions' logs and the queue of status events."""
    log = cost.invocations * prices.LOG_BYTES_PER_CALL / prices.GIGABYTE * prices.LOG_GIGABYTE
    queue = prices.SQS_REQUESTS_PER_MESSAGE * prices.SQS_REQUEST
    return {**cost.dollars_per_million, "queue": queue * prices.MILLION, "log": log * prices.MILLION}


def _watching(declared: Evaluation) -> Iterator[Item]:
    alarms = declared.of_type(ALARM).values()
    metrics = sum(map(_metrics_of, alarms))
    yield Item("alarms, billed by metric", f"{len(alarms)} with {metrics}", metrics * prices.ALARM_METRIC)
    dashboards = len(declared.of_type(DASHBOARD))
    yield Item("dashboard (an account's first three are free)", str(dashboards), dashboards * prices.DASHBOARD)
    yield Item("sweeper's metric", "1", prices.CUSTOM_METRIC)


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    """An alarm on an expression is billed by the number of metrics in it (CloudWatch pricing)."""
    return sum("metric" in one for one in alarm.get("metricQueries", ())) or 1


def _polling(declared: Evaluation) -> Iterator[Item]:
    queues = [one for one in declared.of_type(MAPPING).values() if ":sqs:" in one["eventSourceArn"]]
    requests = len(queues) * prices.POLLERS * prices.SECONDS_PER_MONTH / prices.LONG_POLL_SECONDS
    what = "Lambda's polls of empty queues (polling streams is free)"
    yield Item(what, _short(requests), requests * prices.SQS_REQUEST)


def _sweeping(declared: Evaluation) -> Iterator[Item]:
    rate = declared.get(RULE, "sweep")["scheduleExpression"].removeprefix("rate(").split()
    sweeps = prices.SECONDS_PER_MONTH / (int(rate[0]) * 60)
    indexes = [one for one in declared.of_type(TABLE).values() if one.get("globalSecondaryIndexes")]
    reads = sweeps * len(indexes) * OPEN_SHARDS * prices.READ_UNITS_OF_A_LOOK
    memory = declared.get(FUNCTION, "sweeper")["memorySize"] / 1024
    seconds = prices.SWEEP_SECONDS * memory * prices.LAMBDA_GB_SECOND_ARM
    yield Item("sweeps", _short(sweeps), sweeps * (prices.LAMBDA_REQUEST + seconds) + reads * prices.READ_UNIT)


def _key(declared: Evaluation) -> Iterator[Item]:
    for _ in declared.of_type(KEY):
        yield Item("KMS key (each of the first two rotations adds the same amount)", "1", prices.KMS_KEY)


def _short(number: float) -> str:
    return f"{number:,.0f}"
