"""What a command costs in AWS calls, as ``./cqrs bench`` counts them, against what was promised."""

from __future__ import annotations

import pytest

from bench import costs, counted, door
from bench.cli import MEASURED
from bench.commands import Bench, Cost
from bench.imports import VARIANTS, RowCost, cost_of_a_row
from contract.options import STATUS_DETAILS, TERMINAL
from contract.state_machines import INLINE, STANDARD, STARTED_MACHINES
from tests.support.evaluation import evaluated

#: A first version, one sync handler, everything counted (DynamoDB, Step Functions, SNS); a transaction is one call.
LIMITS = {("STANDARD", "full"): 24, ("EXPRESS", "full"): 24, ("STANDARD", "terminal"): 12, ("EXPRESS", "terminal"): 13}


@pytest.mark.parametrize("counted_cost", counted.commands(), ids=lambda one: one.title)
def test_inl_08_the_committed_counts_are_those_of_today_and_as_promised(counted_cost: Cost) -> None:
    """docs/cost.md is computed from them. After a change: ``python -m bench.counted``, then ``./cqrs docs``.

    One deployment for all that is promised of a workflow: it takes most of the time.
    """
    assert_as_promised(counted_cost)
    with Bench(counted_cost.workflow, counted_cost.detail, custom=counted_cost.custom) as bench:
        assert bench.counted(MEASURED) == counted_cost
        if counted_cost.workflow == INLINE:
            return
        counts = [bench.next_version().total_calls for _ in range(8)]
        assert set(counts[2:]) == {counts[2]}, "a command costs the same whatever its version"
        one, ten = (bench.first_versions(count) for count in (1, 10))
    # the status events of ten go out together
    without_batches = [{k: v for k, v in cost.calls.items() if not k.startswith("sns.")} for cost in (one, ten)]
    assert without_batches[0] == without_batches[1]
    assert ten.calls["sns.PublishBatch"] <= one.calls["sns.PublishBatch"]


def assert_as_promised(cost: Cost) -> None:
    if cost.workflow != INLINE:
        assert cost.calls["stepfunctions.StartExecution"] == 1
        assert cost.calls["dynamodb.PutItem"] == 2  # the data row and the handler's own
        assert cost.total_calls <= LIMITS[cost.workflow, cost.detail]
        # check, choice, ttl, history, transform, Map, 2 x sync, finish, success: 8 + n transitions
        assert cost.transitions == 10
        if cost.workflow == STANDARD:
            assert cost.dollars_per_million["state machine"] == pytest.approx(250)
    elif cost.detail == TERMINAL:
        # publish, writes, targets and the event of the outcome; two batches of ten
        most_calls, most_dollars = (9, 9.50) if cost.custom else (6, 7.00)
        assert cost.total_calls <= most_calls
        assert sum(cost.dollars_per_million.values()) <= most_dollars
        assert cost.invocations <= 0.3
        assert (cost.hops, cost.transitions) == (1, 0)
        assert cost.calls["dynamodb.TransactGetItems"] == 0.1


def test_the_committed_counts_of_doors_are_those_of_today() -> None:
    counts = door.measured()
    assert counts == counted.doors()
    plain, keyed, waiting, batch = (sum(bill.values()) for bill in door.added(counts).values())
    assert counts[0].calls == {"dynamodb.Query": 1, "dynamodb.TransactWriteItems": 1}  # what any publisher does
    # a request of each: of the API, of its function, and its log; of a batch the hundredth part
    assert 1.20 < plain < 2
    assert batch < plain / 10
    # the row that remembers the key: in a transaction, and read before
    assert keyed - plain == pytest.approx(2 * 0.625 + 0.125 + 1e6 * 0.006 * 0.5 * 0.0000133334)
    assert plain < waiting < 2 * plain


@pytest.mark.slow
@pytest.mark.parametrize("counted_cost", counted.rows(), ids=lambda one: one.variant.title)
def test_the_committed_counts_of_rows_are_those_of_today(counted_cost: RowCost) -> None:
    assert cost_of_a_row(counted_cost.variant) == counted_cost


def test_every_workflow_and_detail_is_counted() -> None:
    kinds = {(one.workflow, one.detail) for one in counted.commands()}
    assert kinds == {(workflow, detail) for workflow in STARTED_MACHINES for detail in STATUS_DETAILS}
    assert [one.variant for one in counted.rows()] == list(VARIANTS)


def test_at_rest_every_line_follows_what_is_declared() -> None:
    dev, keyed = (evaluated("dev", config) for config in ({}, {"kmsKey": "create", "sweepMinutes": "10"}))
    lines = {item.what: item for item in costs.at_rest(dev)}
    others = {item.what: item for item in costs.at_rest(keyed)}
    alarms = dev.of_type(costs.ALARM)
    rates = sum(name.endswith("FailureRate") for name in alarms)
    alarm_line = lines["alarms, billed by metric"]
    assert rates > 0
    assert alarm_line.count == f"{len(alarms)} with {len(alarms) + rates}"  # a rate is of two metrics
    assert alarm_line.dollars == pytest.approx(0.10 * (len(alarms) + rates))
    assert lines["sweeps"].count == "8,640"
    assert others["sweeps"].dollars == pytest.approx(lines["sweeps"].dollars / 2)
    # three queues, five long polls of 20 s each, all month
    assert lines["Lambda's polls of empty queues (polling streams is free)"].count == f"{3 * 5 * 129_600:,}"
    (key,) = set(others) - set(lines)
    assert others[key].dollars == 1.0


def test_log_and_queue_come_on_top() -> None:
    cost = counted.commands()[0]
    bill = costs.per_million(cost)
    assert bill["log"] == pytest.approx(cost.invocations * 600 / 1e9 * 0.50 * 1e6)
    assert bill["queue"] == pytest.approx(1.2)
    assert {name: bill[name] for name in cost.dollars_per_million} == cost.dollars_per_million
