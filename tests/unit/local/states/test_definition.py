"""What create_state_machine refuses: by name, with the JSON path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.states import InvalidDefinition, UnsupportedFeature, validate

from .conftest import CALLBACK, FUNCTION, INVOKE, Runtime, callback, chain, task

PASS = {"Type": "Pass", "End": True}
PROCESSOR = {"StartAt": "i", "States": {"i": PASS}}


def machine(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"StartAt": "a", "States": {"a": state, "b": PASS}, **top}


def with_rule(**rule: Any) -> dict[str, Any]:
    return machine({"Type": "Choice", "Choices": [{"Next": "b", **rule}]})


UNSUPPORTED = [
    (machine({"Type": "Loop", "End": True}), "$.States.a.Type: unknown state type 'Loop'"),
    (machine({**PASS, "Colour": 1}), "$.States.a.Colour: unknown field 'Colour'"),
    (machine(PASS, Colour=1), "$.Colour: unknown field 'Colour'"),
    (machine(PASS, QueryLanguage="JSONata"), "$.QueryLanguage: JSONata is not supported"),
    (machine({**PASS, "QueryLanguage": "JSONata"}), "$.States.a.QueryLanguage: JSONata is not supported"),
    (machine({**PASS, "Assign": {"x": 1}}), "$.States.a.Assign: variables (Assign)"),
    (machine(task(End=True, Arguments={})), "$.States.a.Arguments: JSONata (Arguments)"),
    (machine(task(End=True, Credentials={})), "$.States.a.Credentials: "),
    (
        machine({"Type": "Pass", "Parameters": {"x": {"y.$": "States.Sum($.a)"}}, "End": True}),
        "$.States.a.Parameters.x.y.$: the intrinsic function States.Sum is not supported",
    ),
    (
        machine({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}),
        "$.States.a.Resource: the resource 'arn:aws:states:::sqs:sendMessage' is not supported",
    ),
    (
        machine({"Type": "Task", "Resource": "${StatesFunctionArn}", "End": True}),
        "$.States.a.Resource: the resource '${StatesFunctionArn}' is not supported",
    ),
    (
        machine(
            {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "f", "Qualifier": "1"}, "End": True}
        ),
        "$.States.a.Parameters.Qualifier: this parameter of lambda:invoke is not supported",
    ),
    (
        machine({**PASS, "InputPath": "$.a[?(@.b == 1)]"}),
        "$.States.a.InputPath: path '$.a[?(@.b == 1)]': filter expressions ([?...) are not supported",
    ),
    (machine({**PASS, "OutputPath": "$.a.length()"}), "$.States.a.OutputPath: path '$.a.length()': the path function"),
    (with_rule(Variable="$.x", StringLike="a"), "$.States.a.Choices[0].StringLike: unknown field or comparison"),
    (
        machine(task(End=True, Retry=[{"ErrorEquals": ["E"], "Attempts": 1}])),
        "$.States.a.Retry[0].Attempts: unknown field 'Attempts'",
    ),
]


@pytest.mark.parametrize(("definition", "message"), UNSUPPORTED, ids=[m.split(":")[0] for _, m in UNSUPPORTED])
def test_loc_03_unknown_features_are_refused_by_name_and_path(definition: dict[str, Any], message: str) -> None:
    with pytest.raises((UnsupportedFeature, InvalidDefinition)) as caught:
        validate(definition)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


INVALID = [
    ({**machine(PASS), "StartAt": "x"}, "$.StartAt: there is no state 'x'"),
    (machine({"Type": "Pass", "Next": "x"}), "$.States.a.Next: there is no state 'x'"),
    (with_rule(Variable="$.x", IsNull=True, Next="x"), "$.States.a.Choices[0].Next: there is no state 'x'"),
    (
        machine({"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "b"}], "Default": "x"}),
        "$.States.a.Default: there is no state 'x'",
    ),
    (
        machine(task(End=True, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "x"}])),
        "$.States.a.Catch[0].Next: there is no state 'x'",
    ),
    (machine({"Type": "Pass"}), "$.States.a: must have exactly one of Next, End, has none"),
    (machine({**PASS, "Next": "b"}), "$.States.a: must have exactly one of Next, End, has Next, End"),
    (machine({"Type": "Pass", "End": False}), "$.States.a.End: must be true where it is given"),
    ({"StartAt": "a"}, "$.States: must be a non-empty object of states"),
    ({"StartAt": "a", "States": {"a": {"Type": "Pass", "Next": "a"}}}, "$.States: no state ends the branch"),
    (machine(PASS, TimeoutSeconds="10"), "$.TimeoutSeconds: must be an integer from 1 to 99999999, not '10'"),
    (machine({**PASS, "InputPath": "a.b"}), "$.States.a.InputPath: path 'a.b' must start with '$'"),
    (machine({**PASS, "ResultPath": "$.a[*]"}), "$.States.a.ResultPath: path '$.a[*]' must be a reference path"),
    (machine({**PASS, "ResultPath": "$$.a"}), "$.States.a.ResultPath: path '$$.a' must not be in the context"),
    (machine({"Type": "Wait", "End": True}), "$.States.a: must have exactly one of Seconds, SecondsPath"),
    (machine({"Type": "Wait", "Timestamp": "soon", "End": True}), "$.States.a.Timestamp: 'soon' is not an RFC 3339"),
    (machine({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}), "$.States.a: must have at most one of Error, ErrorP"),
    (with_rule(Variable="$.x", NumericEquals="1"), "$.States.a.Choices[0].NumericEquals: must be a numeric value"),
    (with_rule(Variable="$.x", StringMatches="a\\b"), "$.States.a.Choices[0].StringMatches: 'a\\\\b' has"),
    (with_rule(StringEquals="1"), "$.States.a.Choices[0]: the operator StringEquals needs the field Variable"),
    (
        machine(
            {"Type": "Choice", "Choices": [{"Not": {"Variable": "$.x", "IsNull": True, "Next": "b"}, "Next": "b"}]}
        ),
        "$.States.a.Choices[0].Not.Next: unknown field",
    ),
    (
        machine(task(End=True, Retry=[{"ErrorEquals": ["States.ALL", "E"]}])),
        "$.States.a.Retry[0].ErrorEquals: States.ALL must stand alone",
    ),
    (
        machine(task(End=True, Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}])),
        "$.States.a.Retry[0].ErrorEquals: States.ALL must stand alone",
    ),
    (machine(task(End=True, Retry=[{"ErrorEquals": []}])), "$.States.a.Retry[0].ErrorEquals: must be a non-empty"),
    (
        machine(task(End=True, Retry=[{"ErrorEquals": ["E"], "BackoffRate": 0.5}])),
        "$.States.a.Retry[0].BackoffRate: must be a number of at least 1.0, not 0.5",
    ),
    (
        machine(task(End=True, TimeoutSeconds=5, HeartbeatSeconds=5)),
        "$.States.a.HeartbeatSeconds: must be smaller than TimeoutSeconds (5), not 5",
    ),
    (
        machine({"Type": "Task", "Resource": INVOKE, "Parameters": {"Payload": {}}, "End": True}),
        "$.States.a.Parameters: must have exactly one of FunctionName, FunctionName.$, has none",
    ),
    (
        machine({"Type": "Map", "ItemProcessor": {"StartAt": "a", "States": {"a": PASS}}, "End": True}),
        "$.States.a.ItemProcessor.States.a: the state name 'a' is used twice",
    ),
    (
        machine(
            {
                "Type": "Map",
                "ItemProcessor": {"StartAt": "i", "States": {"i": {"Type": "Pass", "Next": "b"}}},
                "End": True,
            }
        ),
        "$.States.a.ItemProcessor.States.i.Next: there is no state 'b'",
    ),
    (
        machine({"Type": "Pass", "Parameters": {"x": 1, "x.$": "$.y"}, "End": True}),
        "$.States.a.Parameters.x.$: the field 'x' occurs twice",
    ),
    (
        machine({"Type": "Pass", "Parameters": {"x.$": 1}, "End": True}),
        "$.States.a.Parameters.x.$: the value of a field",
    ),
    (
        machine({"Type": "Pass", "Parameters": {"x.$": "States.Format('{}"}, "End": True}),
        '$.States.a.Parameters.x.$: "States.Format(\'{}" ends too early',
    ),
]


@pytest.mark.parametrize(("definition", "message"), INVALID, ids=[m[:60] for _, m in INVALID])
def test_invalid_definitions_are_refused_with_one_clear_line(definition: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        validate(json.dumps(definition))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_text_that_is_no_json() -> None:
    with pytest.raises(InvalidDefinition, match=r"^\$: the definition is not JSON"):
        validate("{")


def test_loc_03_creating_a_machine_checks_its_definition(runtime: Runtime) -> None:
    with pytest.raises(UnsupportedFeature, match="unknown state type 'Loop'"):
        runtime.machine(machine({"Type": "Loop"}))
    assert runtime.manager.list_state_machines() == []


def test_an_express_machine_cannot_wait_for_a_token() -> None:
    definition = chain(("a", callback()))
    validate(definition)
    with pytest.raises(InvalidDefinition, match=r"^\$\.States\.a\.Resource: an EXPRESS machine can't use " + CALLBACK):
        validate(definition, "EXPRESS")


@pytest.mark.parametrize("arn", [FUNCTION + "f", FUNCTION + "f:prod", FUNCTION + "f:$LATEST"])
def test_function_arns_are_resources(arn: str) -> None:
    validate(machine({"Type": "Task", "Resource": arn, "End": True}))
