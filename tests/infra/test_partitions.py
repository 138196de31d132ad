"""E7: every ARN is of the partition of the stack's region, also in definitions."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pulumi
import pytest

from infra.definitions.checks import in_partition
from tests.support.evaluation import Evaluation, evaluated

REGIONS = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eu-west-1": "aws"}
MODULES = '["handlers.domain.approval","handlers.domain.three_steps"]'
_ARN = re.compile(r"arn:(aws[a-z-]*):")


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for child in children for text in texts(child)]


@cache
def in_region(region: str) -> Evaluation:
    # The stack's tenants name roles of the partition aws, as its user wrote them.
    config = {"aws:region": region, "handlerModules": MODULES, "importBuckets": '["files"]', "apiTenants": "{}"}
    return evaluated("dev", config)


@pytest.mark.parametrize("region", REGIONS)
def test_edge_07_every_arn_is_of_the_partition(region: str) -> None:
    evaluation = in_region(region)
    found = {
        (one.name, partition)
        for one in evaluation.registrations
        for text in texts({key: value for key, value in one.props.items() if not isinstance(value, pulumi.Archive)})
        for partition in _ARN.findall(text)
    }
    assert {partition for _, partition in found} == {REGIONS[region]}
    assert {partition for text in texts(evaluation.outputs) for partition in _ARN.findall(text)} == {REGIONS[region]}


@pytest.mark.parametrize("region", REGIONS)
def test_edge_07_integrations_are_of_the_partition(region: str) -> None:
    machines = in_region(region).of_type("aws:sfn/stateMachine:StateMachine")
    assert {"approval", "three_steps", "import-csv"} <= set(machines)
    for name, props in machines.items():
        resources = re.findall(r'"Resource": "(.*?)"', json.dumps(json.loads(props["definition"])))
        assert resources, name
        assert {one.split(":")[1] for one in resources} == {REGIONS[region]}, name


def test_edge_07_only_integrations_are_changed() -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "arn:aws:states:::x"}}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"Payload": "arn:aws:states:::x"},
    }
    given = {
        "States": {
            "map": {"Type": "Map", "ItemReader": reader, "ItemProcessor": {"States": {"inner": task}}},
            "both": {"Type": "Parallel", "Branches": [{"States": {"branch": task}}]},
            "data": {"Type": "Pass", "Result": {"Resource": "arn:aws:states:::lambda:invoke"}},
        }
    }
    moved = in_partition(given, "aws-cn")
    assert json.dumps(moved).count("arn:aws-cn:") == 3
    assert moved["States"]["map"]["ItemReader"]["Resource"] == "arn:aws-cn:states:::s3:getObject"
    assert moved["States"]["data"] == given["States"]["data"]
    assert "aws-cn" not in json.dumps(given)
