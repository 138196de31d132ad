"""What a command costs in AWS calls, as ``./cqrs bench`` counts them, against what was promised."""

from __future__ import annotations

import pytest

from bench.commands import Bench

COMMANDS_IN_ALL = 20
#: A first version, one sync handler, everything counted (DynamoDB, Step Functions, SNS); a transaction is one call.
LIMITS = {("STANDARD", "full"): 24, ("EXPRESS", "full"): 24, ("STANDARD", "terminal"): 12, ("EXPRESS", "terminal"): 13}


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_calls_per_command(workflow: str, detail: str) -> None:
    with Bench(workflow, detail) as bench:
        cost = bench.first_versions(COMMANDS_IN_ALL)
    assert cost.calls["stepfunctions.StartExecution"] == 1
    assert cost.calls["dynamodb.PutItem"] == 2  # the data row and the handler's own
    assert cost.total_calls <= LIMITS[workflow, detail]


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_one_command_costs_the_same_whatever_the_version(workflow: str, detail: str) -> None:
    with Bench(workflow, detail) as bench:
        counts = [bench.next_version().total_calls for _ in range(8)]
    assert set(counts[2:]) == {counts[2]}


def test_ten_entities_cost_ten_times_one(workflow: str) -> None:
    with Bench(workflow, "full") as bench:
        one, ten = (bench.first_versions(count) for count in (1, 10))
    # the status events of ten go out together
    without_batches = [{k: v for k, v in cost.calls.items() if not k.startswith("sns.")} for cost in (one, ten)]
    assert without_batches[0] == without_batches[1]
    assert ten.calls["sns.PublishBatch"] <= one.calls["sns.PublishBatch"]


def test_dollars_are_those_of_the_price_list() -> None:
    with Bench("STANDARD", "full") as bench:
        cost = bench.first_versions(1)
    # check, choice, ttl, history, transform, Map, 2 x sync, finish, success: 8 + n transitions
    assert cost.transitions == 10
    assert cost.dollars_per_million["state machine"] == pytest.approx(250)
