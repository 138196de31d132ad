"""E8: on what answers to task tokens are allowed is one constant (decision record 0143)."""

from __future__ import annotations

import json

from infra.permissions.task_tokens import TOKEN_ACTIONS, TOKENS_ON_MACHINES, placed
from tests.support.evaluation import TUNED, evaluated

MACHINE = ":stateMachine:"
GIVEN = [(("states:StartExecution", "states:SendTaskSuccess"), "m1"), (("states:SendTaskFailure",), "m2")]


def test_edge_08_tokens_are_answered_where_the_constant_says() -> None:
    evaluation = evaluated("dev", TUNED)
    found: dict[str, set[str]] = {}
    for props in evaluation.of_type("aws:iam/rolePolicy:RolePolicy").values():
        for statement in json.loads(props["policy"])["Statement"]:
            for action in {*TOKEN_ACTIONS} & {*statement["Action"]}:
                resources = statement["Resource"]
                found.setdefault(action, set()).update([resources] if isinstance(resources, str) else resources)
    assert set(found) == set(TOKEN_ACTIONS)
    for action, resources in found.items():
        assert all((MACHINE in one) if TOKENS_ON_MACHINES else one == "*" for one in resources), action


def test_edge_08_both_forms_allow_the_same_actions() -> None:
    assert placed(GIVEN, on_machines=True) == GIVEN
    assert placed(GIVEN, on_machines=False) == [
        (("states:StartExecution",), "m1"),
        (["states:SendTaskFailure", "states:SendTaskSuccess"], "*"),
    ]
    assert placed([(("sns:Publish",), "t")], on_machines=False) == [(("sns:Publish",), "t")]
