"""EDGE-41: nothing of the user's AWS environment reaches the embedded endpoint."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore
import botocore.session
import pytest

from cli.operate.stack import Stack, StackArgs
from local.aws.endpoint import AwsEndpoint
from local.aws.environment import ACCESS_KEY, botocore_variables, clean_environment, is_users
from local.aws.model import EndpointError
from tests.support.hostile import Listener, hostile_environment

#: Read by botocore, and not the user's word about AWS: debugging aids, and the terminal's.
HARMLESS = {"SSLKEYLOGFILE", "FOO", "HOME", "NO_COLOR"}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listener: Listener) -> Listener:
    """Every variable and file that botocore reads points at the listener, or breaks whoever believes it."""
    for name, value in hostile_environment(listener.url, tmp_path).items():
        monkeypatch.setenv(name, value)
    return listener


def test_edge_41_every_variable_that_botocore_reads_is_out_of_sight() -> None:
    """Those of its tables, and each that its source names in an access to the environment."""
    assert len(botocore_variables()) > 30
    assert {"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE", "BOTOCORE_TCP_KEEPALIVE"} <= botocore_variables()
    source = "\n".join(path.read_text() for path in Path(botocore.__file__).parent.rglob("*.py"))
    read = set(re.findall(r"environ(?:\.get\(|\[)\s*[frb]?['\"](\w+)['\"]", source))
    named = set(re.findall(r"['\"]((?:AWS|BOTO|BOTOCORE)_[A-Z][A-Z0-9_]+)['\"]", source))
    assert len(named) > 50
    assert [name for name in sorted(read | named) if not is_users(name) and name not in HARMLESS] == []
    assert all(map(is_users, ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "AWS_ENDPOINT_URL_DYNAMODB")))
    assert not any(map(is_users, ("PATH", "HOME", "PYTHONPATH", "PULUMI_CONFIG", "LAWS_OF")))


def test_edge_41_clients_of_every_service_reach_the_endpoint(hostile: Listener) -> None:
    before = dict(os.environ)
    with AwsEndpoint(region="eu-west-1"):
        boto3.client("dynamodb").list_tables()
        boto3.client("sqs").create_queue(QueueName="q")
        boto3.client("sns").list_topics()
        boto3.client("s3").list_buckets()
        boto3.client("lambda").list_functions()
        boto3.client("events").list_rules()
        boto3.client("iam").list_roles()
        boto3.client("logs").describe_log_groups()
        boto3.client("sts").get_caller_identity()
        own = botocore.session.get_session()
        assert own.full_config == {"profiles": {}}
        assert (own.profile, own.get_config_variable("region")) == (None, "eu-west-1")
        assert (credentials := own.get_credentials()) is not None
        assert credentials.access_key == ACCESS_KEY
    assert hostile.seen == []
    assert dict(os.environ) == before


def test_edge_41_processes_that_it_starts_see_the_same(hostile: Listener) -> None:
    text = "import os, json; print(json.dumps(sorted(n for n in os.environ if 'AWS' in n or 'roxy' in n.lower())))"
    with clean_environment("eu-west-1"):
        shown = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == (
        '["AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_REGION", '
        '"AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE"]'
    )


def test_a_client_with_our_credentials_goes_nowhere_else(listener: Listener) -> None:
    with AwsEndpoint():
        client = boto3.client("dynamodb", endpoint_url=listener.url)
        with pytest.raises(EndpointError, match=f"made for {listener.url}, which is not the local endpoint"):
            client.list_tables()
    assert listener.seen == []


def test_edge_41_commands_for_operators_honour_the_users_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They start no endpoint: profile, region and endpoint are those of the shell."""
    (tmp_path / "config").write_text("[profile work]\nregion = ap-northeast-1\n")
    for name in [one for one in os.environ if is_users(one)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://aws.example")
    stack = Stack(StackArgs("dev", "cqrs"))
    assert (stack.region, str(stack.place.words)) == (
        "ap-northeast-1",
        "stack dev of project cqrs at https://aws.example",
    )
