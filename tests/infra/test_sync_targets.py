"""``syncTargets``: what configuration refuses, and the permissions that it adds."""

from __future__ import annotations

from typing import Any

import pytest

from infra.configuration.stack_config import ConfigError, StackConfig
from infra.configuration.sync_targets import duplicated_ids, target_permissions, targets_json
from infra.definitions.handler_classes import handler_classes
from infra.packaging import archive_members
from tests.support.projects import shared_project

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q.fifo"


def entry(**given: Any) -> dict[str, Any]:
    return {"id": "search", "types": ["ORDER"], "kind": "sqs", "arn": QUEUE, **given}


def parsed(*entries: Any) -> StackConfig:
    return StackConfig.from_mapping({"syncTargets": list(entries)})


def test_good_targets_give_exactly_their_permissions() -> None:
    arns = {
        "lambda": "arn:aws:lambda:eu-west-1:123456789012:function:f:live",
        "sqs": QUEUE,
        "sns": "arn:aws:sns:us-east-1:210987654321:t",
        "eventbridge": "arn:aws:events:eu-west-1:123456789012:event-bus/team/b",
    }
    config = parsed(*(entry(id=kind, kind=kind, arn=arn) for kind, arn in arns.items()))
    assert target_permissions(config.sync_targets) == {
        arns["lambda"]: ("lambda:InvokeFunction",),
        arns["sqs"]: ("sqs:SendMessage",),
        arns["sns"]: ("sns:Publish",),
        arns["eventbridge"]: ("events:PutEvents",),
    }


def test_the_variable_is_what_the_function_reads() -> None:
    from handlers.commands.targets.model import TargetSpec, parse_targets

    text = targets_json(parsed(entry()).sync_targets)
    assert parse_targets(text) == (TargetSpec("search", ("ORDER",), "sqs", QUEUE),)
    assert targets_json(()) == "[]"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["x"], "expected objects with exactly id, types, kind, arn; entry 1 is 'x'"),
        ([entry(url="x")], "objects with exactly id, types, kind, arn; entry 1"),
        ([entry(), entry(id="data")], "and not 'data'; entry 2 has 'data'"),
        ([entry(id="Search")], "entry 1 has 'Search'"),
        ([entry(), entry()], "expected unique ids; entry 2 has id 'search' of an earlier one"),
        ([entry(types=[])], r"entry 1 \(search\) has \[\]"),
        ([entry(types=["A", "A"])], "distinct types"),
        ([entry(types=["A#B"])], r"without '#' and '@'; entry 1 \(search\) has \['A#B'\]"),
        ([entry(kind="pigeon")], r"a kind of lambda, sqs, sns, eventbridge; entry 1 \(search\) has 'pigeon'"),
        ([entry(kind="sns")], r"an arn of the kind sns; entry 1 \(search\) has 'arn:aws:sqs"),
        ([entry(arn="https://sqs.eu-west-1.amazonaws.com/1/q")], "an arn of the kind sqs"),
    ],
)
def test_mistakes_name_key_entry_value_and_what_is_allowed(entries: list[Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parsed(*entries)
    assert str(caught.value).startswith("cqrs:syncTargets: ")
    assert "\n" not in str(caught.value)


def test_a_value_that_is_no_list() -> None:
    with pytest.raises(ConfigError, match=r"cqrs:syncTargets: \"x\" is not allowed; expected a list of"):
        StackConfig.from_mapping({"syncTargets": "x"})


def test_an_id_of_a_handler_module_is_refused_before_anything_runs() -> None:
    members = archive_members(shared_project())
    targets = parsed(entry(id="order-summary")).sync_targets
    airports, both = (
        handler_classes(members, [f"handlers.domain.{name}" for name in names])
        for names in (("airports",), ("airports", "orders"))
    )
    assert list(duplicated_ids(targets, airports)) == []
    (problem,) = duplicated_ids(targets, both)
    expected = "id 'order-summary' is not allowed; expected an id that handlers.domain.orders.OrderSummary does not use"
    assert problem == f"cqrs:syncTargets: {expected}"
