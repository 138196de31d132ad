"""The cost that the HTTP API adds to a command, counted on the local runtime, in virtual time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import prices
from bench.commands import COUNTED, read_units, write_units
from contract.functions import API
from contract.options import TERMINAL
from contract.state_machines import INLINE
from local.aws.http.model import WebRequest
from local.aws.model import AwsCall
from local.runtime import LocalRuntime
from local.scheduler import Scheduler

BATCH = 100
_ONE, _BATCH = "/commands", "/commands/batch"


@dataclass(frozen=True)
class Door:
    """A way to publish: one request with ``commands`` commands."""

    title: str
    path: str = _ONE
    query: str = ""
    key: bool = False
    commands: int = 1


DOORS = (
    Door("POST"),
    Door("with Idempotency-Key", key=True),
    Door("wait=20", query="wait=20"),
    Door(f"batch of {BATCH}", path=_BATCH, commands=BATCH),
)


@dataclass(frozen=True)
class DoorCost:
    """Per command: requests, AWS calls of the function ``api`` by ``service.Operation``, DynamoDB units, and the time
    that a request waits for the outcome.
    """

    title: str
    requests: float
    calls: Mapping[str, float]
    write_units: float
    read_units: float
    waited_seconds: float

    def added(self, publish: DoorCost) -> dict[str, float]:
        """Additional dollars for a million commands, compared with commands published without the API.

        ``publish``: the cost of only publishing, whose calls are also made without the API.
        """
        calls = sum(self.calls.values())
        seconds = self.requests * prices.CALL_OVERHEAD_SECONDS + calls * prices.AWS_CALL_SECONDS + self.waited_seconds
        log = self.requests * (prices.LOG_BYTES_PER_CALL + prices.LOG_BYTES_PER_REQUEST)
        units = (self.write_units - publish.write_units) * prices.WRITE_UNIT
        units += (self.read_units - publish.read_units) * prices.READ_UNIT
        per_command = {
            "API Gateway": self.requests * prices.HTTP_API_REQUEST,
            "function `api`": self.requests * prices.LAMBDA_REQUEST
            + seconds * prices.LAMBDA_GB * prices.LAMBDA_GB_SECOND_ARM,
            "tables": units,
            "logs": log / prices.GIGABYTE * prices.LOG_GIGABYTE,
        }
        return {name: value * prices.MILLION for name, value in per_command.items()}


class DoorBench:
    """A deployment whose API is called. A context manager."""

    def __init__(self) -> None:
        config = {"commandWorkflow": INLINE, "statusDetail": TERMINAL, "handlerModules": "[]"}
        self._runtime = LocalRuntime(scheduler=Scheduler.virtual(1), config=config)
        self._seen: list[AwsCall] = []
        self._codes = 0

    def __enter__(self) -> DoorBench:
        self._runtime.start()
        self._runtime.endpoint.on_call(self._seen.append)
        self.counted(DOORS[0], 1)  # a warm function
        return self

    def __exit__(self, *_: object) -> None:
        self._runtime.stop()

    def counted(self, door: Door, requests: int) -> DoorCost:
        """The mean cost per command of ``requests`` successive requests."""
        self._seen.clear()
        waited = round(sum(self._asked(door) for _ in range(requests)), 3)
        calls = [call for call in self._seen if call.service in COUNTED and (call.caller or "").endswith(f"-{API}")]
        count = requests * door.commands
        names = Counter(call.label for call in calls)
        return DoorCost(
            door.title,
            1 / door.commands,
            {name: number / count for name, number in sorted(names.items())},
            sum(map(write_units, calls)) / count,
            sum(map(read_units, calls)) / count,
            waited / count,
        )

    def _asked(self, door: Door) -> float:
        """Send one request and run everything that follows from it. Returns the seconds that it waited."""
        commands = [self._command() for _ in range(door.commands)]
        body = json.dumps(commands[0] if door.path == _ONE else {"commands": commands}).encode()
        key = [("idempotency-key", f"k{self._codes}")] if door.key else []
        request = WebRequest("POST", door.path, door.query, [("content-type", "application/json"), *key], body)
        scheduler = self._runtime.scheduler
        begun, ended = scheduler.now(), list[float]()

        def ask() -> None:
            answer = self._runtime.gateway.answer(request)
            if answer.status not in (200, 202):
                raise AssertionError(f"{door.title}: {answer.status} {answer.body!r}")
            ended.append(scheduler.now())

        scheduler.spawn(ask, name="request")
        scheduler.run_until_idle()
        return ended[0] - begun

    def _command(self) -> dict[str, object]:
        self._codes += 1
        return {"type": "ORDER", "code": f"o{self._codes}", "name": "an order", "attributes": {"lines": [1.5]}}


def measured() -> list[DoorCost]:
    """The cost of a command by each door; the first one only publishes."""
    with DoorBench() as bench:
        return [bench.counted(door, 1 if door.commands > 1 else 10) for door in DOORS]


def added(costs: Sequence[DoorCost]) -> dict[str, dict[str, float]]:
    """Dollars per million commands by title and by what is billed, see ``DoorCost.added``."""
    return {one.title: one.added(costs[0]) for one in costs}
