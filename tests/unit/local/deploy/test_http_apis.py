"""HTTP APIs: what would not be served as declared is refused, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.deploy.errors import DeployError
from local.runtime import LocalRuntime
from local.scheduler import Scheduler
from tests.unit.local.deploy.sample import write_project
from tests.unit.local.gateway.test_served import PROGRAM


def refusal(tmp_path: Path, program: str) -> str:
    folder = write_project(tmp_path, program=program)
    with pytest.raises(DeployError) as refused:
        LocalRuntime(project_dir=folder, scheduler=Scheduler.virtual()).start()
    return str(refused.value)


def test_a_function_that_lets_the_gateway_in_nowhere(tmp_path: Path) -> None:
    begin, end = PROGRAM.index("# PERMISSION"), PROGRAM.index("# END")
    text = refusal(tmp_path, PROGRAM[:begin] + PROGRAM[end:])
    assert "targets function 'sample-f', but no aws:lambda/permission:Permission" in text
    assert "apigateway.amazonaws.com" in text


@pytest.mark.parametrize(
    ("here", "there", "text"),
    [
        ('protocol_type="HTTP"', 'protocol_type="WEBSOCKET"', "protocolType 'WEBSOCKET'"),
        ('payload_format_version="2.0"', 'payload_format_version="1.0"', "payloadFormatVersion '1.0'"),
        ('"AWS_PROXY"', '"HTTP_PROXY"', "integrationType 'HTTP_PROXY'"),
        ('authorization_type="AWS_IAM"', 'authorization_type="CUSTOM"', "authorizationType 'CUSTOM'"),
        ('authorization_type="AWS_IAM"', 'authorization_type="JWT"', "have an authorizerId"),
        ('authorizer_type="JWT"', 'authorizer_type="REQUEST"', "authorizerType 'REQUEST'"),
        ("request.header.Authorization", "request.querystring.t", "identitySources"),
        ('name="$default"', 'name="prod"', "name 'prod'"),
        ("auto_deploy=True", "auto_deploy=False", "autoDeploy False"),
        (
            'protocol_type="HTTP"',
            'protocol_type="HTTP", disable_execute_api_endpoint=True',
            "disableExecuteApiEndpoint",
        ),
    ],
)
def test_what_would_not_be_served_as_declared(tmp_path: Path, here: str, there: str, text: str) -> None:
    assert here in PROGRAM
    assert text in refusal(tmp_path, PROGRAM.replace(here, there))
