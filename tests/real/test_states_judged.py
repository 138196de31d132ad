"""REAL-03: the table of states, put to MiniStack and, with credentials, to AWS.

```sh
CQRS_TEST_STATE=aws .venv/bin/python -m pytest -m real tests/real/test_states_judged.py   # needs AWS: states:TestState
```
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.definitions.checks import all_states
from tests.real import judging, ministack
from tests.real.judging import Finding, outcome
from tests.support.state_cases import Case, answered, cases, definitions

pytestmark = pytest.mark.real


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    program = judging.program("ministack")
    if program is None:
        pytest.skip(judging.versions()["ministack"])
    with ministack.running(program, tmp_path) as found:
        yield found


def test_real_03_ministack_agrees_on_every_state(client: Any) -> None:
    count, findings = _judged(client, "ministack")
    assert count > 400
    assert outcome("ministack", findings) == ([], [])


@pytest.mark.skipif(os.environ.get("CQRS_TEST_STATE") != "aws", reason="needs AWS: CQRS_TEST_STATE=aws and credentials")
def test_real_03_aws_agrees_on_every_state() -> None:
    count, findings = _judged(boto3.client("stepfunctions"), "aws")
    assert count > 400
    assert outcome("aws", findings) == ([], [])


def _judged(client: Any, judge: str) -> tuple[int, list[Finding]]:
    count, findings = 0, []
    for machine, definition in definitions().items():
        for case in cases(machine, definition):
            count += 1
            difference = _difference(client, case, definition)
            if difference:
                findings.append(Finding(judge, difference, case.name))
    return count, findings


def _difference(client: Any, case: Case, definition: str) -> str:
    params = dict(case.params)
    machine, name = json.loads(definition), case.row["state"]
    if name not in machine["States"]:  # inside of a Map: put alone
        params["definition"] = json.dumps(dict(all_states(machine))[name])
    try:
        found = answered(client.test_state(**params))
    except ClientError as error:
        return f"refused: {error.response['Error']['Message']}"
    expected = case.expected
    for one in (found, expected):
        _forget_time(one.get("parameters"))
    fields = [name for name in sorted({*expected, *found}) if name != "parameters" or name in expected]
    told = [
        f"{one}: {_told(found, one)}, not {_told(expected, one)}"
        for one in fields
        if found.get(one) != expected.get(one)
    ]
    return "; ".join(told)


def _forget_time(parameters: Any) -> None:
    """When the state was entered is the judge's own."""
    context = parameters.get("Payload", {}).get("context") if isinstance(parameters, dict) else None
    if context is not None:
        context["State"] = {"Name": context["State"]["Name"]}


def _told(given: dict[str, Any], field: str) -> str:
    return json.dumps(given[field], sort_keys=True) if field in given else "nothing"
