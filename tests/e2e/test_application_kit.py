"""The test kit for applications, on the samples: about ten lines for each kind of class."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers import CommandInput, ValidationError
from local.testing import ApplicationTest
from tests.support.projects import shared_project

MODULES = [
    "handlers.domain.orders",
    "handlers.domain.airports",
    "handlers.domain.three_steps",
    "handlers.domain.failing",
]
HEADER = "icao,name,country,lat,lon,elevation\n"


@pytest.fixture
def app() -> Iterator[ApplicationTest]:
    with ApplicationTest(MODULES, project_dir=shared_project()) as deployed:
        yield deployed


def order(code: str, version: int = 0, **attributes: object) -> CommandInput:
    return CommandInput("ORDER", code, "An order", {"lines": [], **attributes}, version)


def test_a_sync_handler_keeps_its_projection(app: ApplicationTest) -> None:
    app.publish(order("o1", lines=[{"quantity": 2, "price": 5}]))
    app.publish(order("o1", 1, lines=[{"quantity": 3, "price": 5}]))
    app.run()
    current = app.get("ORDER", "o1")
    assert current is not None
    assert (current.version, app.outcome("ORDER", "o1"), app.outcome("ORDER", "o1", 2)) == (2, "APPLIED", "APPLIED")
    assert [row["total"] for row in app.rows("ORDER_SUMMARY")] == [15]
    assert [one.action for one in app.notifications()] == ["command-status", "command-status"]
    assert app.alarms() == []


def test_an_import_and_its_bad_row(app: ApplicationTest) -> None:
    job = app.import_file("airports", HEADER + "LSZH,Zurich,CH,47.46,8.55,1416\nLSZB,Bern,CH,91,7.5,1673\n")
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 1, 1)
    assert [row["elevationMetres"] for row in app.rows("AIRPORT_CARD")] == [432]


def test_a_task_alone_and_over_a_list(app: ApplicationTest) -> None:
    app.import_file("airports", HEADER + "LSZH,Zurich,CH,47.46,8.55,1416\n")
    assert app.task("airport-distances", "LSZH").result == {"kilometresToEquator": 5274}
    several = app.task_over("airport-distances", ["LSZH", "nowhere"])
    assert (several.status, several.succeeded, several.failed) == ("FAILED", 1, 1)
    assert len(app.alarms()) == 1


def test_a_workflow(app: ApplicationTest) -> None:
    assert app.start("three_steps", {"numbers": [1, 2, 3]}).output == {"count": 3, "sum": 6, "mean": 2}
    assert app.start("three_steps", {"numbers": "none"}, "test 2").error == "ValidationError"


def test_a_workflow_that_waits_for_somebody() -> None:
    # the second one waits until it expires, a day later: with fewer sweeps until then
    config = {"sweepMinutes": "60"}
    with ApplicationTest(["handlers.domain.approval"], project_dir=shared_project(), config=config) as app:
        given = {"tenantCode": "t1", "requestId": "r1", "subject": "Buy", "requestedBy": "me"}
        first, second = (app.start("approval", {**given, "requestId": one}, one) for one in ("r1", "r2"))
        assert (first.status, second.status) == ("RUNNING", "RUNNING")
        app.approve("approval", "r1")
        assert (first.status, first.output) == ("SUCCEEDED", {"decision": "APPROVED"})
    with ApplicationTest(["handlers.domain.approval"], project_dir=shared_project(), config=config) as app:
        execution = app.start("approval", given)
        app.reject("approval", "r1", "too dear")
        assert execution.error == "Rejected"
        tasks = app.client("dynamodb").scan(TableName=app.outputs["tasksTableName"])["Items"]
        assert [item["sk"]["S"] for item in tasks] == ["approval#r1"]


def test_functions_that_die(app: ApplicationTest) -> None:
    app.crash("events")
    app.crash("states", times=2)
    app.publish(order("o1"))
    app.run()
    assert app.outcome("ORDER", "o1") == "APPLIED"
    with pytest.raises(ValueError, match="no function 'other'"):
        app.crash("other")


def test_waiting_and_configuration() -> None:
    with ApplicationTest(
        MODULES, project_dir=shared_project(), config={"entityTypes": ["ORDER", "AIRPORT"]}, tenant="acme"
    ) as app:
        command = app.publish(order("o1"))
        assert command is not None
        assert app.outcome("ORDER", "o1") == "OPEN"
        assert app.reader.wait(command, 60).outcome == "APPLIED"
        with pytest.raises(ValidationError, match="'ORDER', from which it differs only in case"):
            app.publish(CommandInput("order", "o2", "n", {}))


def test_calls_that_fail_and_deliveries_that_repeat(app: ApplicationTest) -> None:
    app.fail_call("dynamodb.PutItem", times=3)
    app.fail_call("dynamodb.Query", "AccessDeniedException", times=1)
    app.disturb(duplicates=1.0, delay=30)
    for version in range(3):
        app.publish(order("o1", version, lines=[{"quantity": version + 1, "price": 5}]))
    app.run()
    app.run_for(600)
    outcomes = [app.outcome("ORDER", "o1", version) for version in (1, 2, 3)]
    assert outcomes[0] == "APPLIED"
    assert app.faults.left == {"dynamodb.PutItem": 0, "dynamodb.Query": 0}
    if "FAILED" in outcomes:
        app.redrive("ORDER", "o1", outcomes.index("FAILED") + 1)
    assert [app.outcome("ORDER", "o1", version) for version in (1, 2, 3)] == ["APPLIED"] * 3
    assert [row["total"] for row in app.rows("ORDER_SUMMARY")] == [15]
    with pytest.raises(ValueError, match=r"no call 'dynamodb\.Put'"):
        app.fail_call("dynamodb.Put")
