"""Requests made of the OpenAPI document by schemathesis: what it allows, what it doesn't, and in sequences.

Nothing is answered with 5xx, no answer is one that the document does not describe, no wrong value is accepted, and a
refused request (4xx) changes no row of any table, no object, and starts nothing.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from tests.fuzzing.wsgi import WebApi
from tests.support.api import WORKFLOWS, ApiWorld
from tests.support.operations import fail
from tests.support.pipelines import order

load_all_checks()
#: A document can't say everything: what it allows may be refused by 422 (a version, blanks at the ends of a code). The
#: other one calls without the credentials that the document names, which are the gateway's to check.
LEFT_OUT = [CHECKS.get_one(name) for name in ("positive_data_acceptance", "ignored_auth")]
NEGATIVE_REFUSED = CHECKS.get_one("negative_data_rejection")
HEADERS = {"Authorization": "Bearer token"}
#: Field to the values that the stack in memory knows: in the document of every stack they are any text.
KNOWN: dict[tuple[str, str], list[str]] = {
    ("GivenTask", "type"): ["job"],
    ("GivenImport", "table"): ["airports"],
    ("GivenRow", "table"): ["airports"],
    ("GivenImport", "key"): ["imports/t1/a.csv", "imports/t1/a.jsonl", "imports/t1/a.zip", "imports/t2/a.csv"],
}
PARTS = {"name": sorted(WORKFLOWS), "workflow": ["approval"], "type": ["ORDER", "OTHER"], "code": ["o1", "o2", "f1"]}
STEPS = 8


@dataclass
class Report:
    """``statuses``: of all answers; ``failures``: what was found, by operation and kind, with how to repeat it."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many were answered by 4xx; all tables were compared after each."""
        return sum(number for status, number in self.statuses.items() if 400 <= status < 500)

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(self.statuses.values())

    @contextmanager
    def noting(self, label: str) -> Iterator[None]:
        """Keep what is raised inside: schemathesis raises groups of failures."""
        try:
            yield
        except (Unsatisfiable, FlakyStrategyDefinition):
            return  # nothing of the route can be wrong; or a repeated sequence met what it had changed before
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - boundary: the failure is the result
            text = str(error)
            self.failures.setdefault(f"{label}: {text.splitlines()[2] if text.count(chr(10)) > 2 else text}", text)


def fuzz(
    requests: int,
    seed: int,
    *,
    world: Callable[[], ApiWorld] | None = None,
    only: Collection[str] | None = None,
) -> Report:
    """Send about so many requests, half of them in sequences in which answers go into what follows.

    ``only``: of these operations, each alone, ``POST /commands``; without sequences.
    """
    app = WebApi((world or inhabited)())
    report = Report(app.statuses)
    schema = schemathesis.openapi.from_wsgi("/narrowed.json", Narrowed(app))
    plain = schemathesis.openapi.from_wsgi("/openapi.json", app)
    for of, mode in ((schema, GenerationMode.POSITIVE), (plain, GenerationMode.NEGATIVE)):
        found: list[Any] = [cast("Any", one).ok() for one in of.get_all_operations()]
        operations = [one for one in found if only is None or one.label in only]
        for operation in operations:
            share = 2 if only is not None else 4
            _alone(operation, mode, report, max(1, requests // (share * len(operations))), seed)
    while only is None and report.requests < requests:
        _sequences(schema, report, max(1, (requests - report.requests) // STEPS), seed)
        seed += 1
    report.failures |= {f"{label}: refused and written": text for label, text in app.written.items()}
    return report


def _alone(operation: Any, mode: GenerationMode, report: Report, requests: int, seed: int) -> None:
    label = f"{operation.label} {mode.value}"

    @seeded(seed)
    @quiet(requests)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        with report.noting(label):
            case.call_and_validate(headers=HEADERS, excluded_checks=LEFT_OUT)

    with report.noting(label):
        check()


def _sequences(schema: Any, report: Report, sequences: int, seed: int) -> None:
    class Sequence(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": HEADERS}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            with report.noting(f"{case.operation.label} in a sequence"):
                # What breaks the narrowed document alone is right by the other one.
                case.validate_response(response, excluded_checks=[*LEFT_OUT, NEGATIVE_REFUSED])

    test = seeded(seed)(Sequence.TestCase)
    with report.noting("a sequence"):
        test.settings = quiet(sequences, stateful_step_count=STEPS)
        test().runTest()


def quiet(examples: int, **more: Any) -> settings:
    """Only generate: what fails is kept as it is."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        **more,
    )


class Narrowed:
    """The application with a document that names what its stack has."""

    def __init__(self, app: WebApi) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request."""
        if environ.get("PATH_INFO") != "/narrowed.json":
            return self._app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(narrowed(self._app)).encode()]


def narrowed(app: WebApi) -> dict[str, Any]:
    """The document, in which known values stand for any text."""
    document: dict[str, Any] = copy.deepcopy(app.api.get("/openapi.json").body)
    for (model, name), values in KNOWN.items():
        document["components"]["schemas"][model]["properties"][name] = {"enum": values}
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in PARTS:
                    parameter["schema"] = {"anyOf": [{"enum": PARTS[parameter["name"]]}, parameter["schema"]]}
    return document


def inhabited() -> ApiWorld:
    """A stack with orders, a failed one among them, tasks, imports and something that waits for a person."""
    from tests.unit.handlers.api.test_rooms import asked

    api = ApiWorld()
    api.publish("o1", n=1)
    api.publish("o1", 1, n=2)
    api.publish("o2", text="x")
    fail(api.world, api.world.publish(order(code="f1")))
    for number in range(3):
        api.post("/tasks", {"type": "job", "items": [number]})
        api.post("/imports", {"table": "airports", "key": f"imports/t1/{number}.csv"})
        asked(api, f"r{number}")
    return api
