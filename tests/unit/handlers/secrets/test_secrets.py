"""Secrets: read when first asked for, kept for a bounded time, never shown."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from handlers.core.errors import Nature, TransientError, TransientThrottle, ValidationError
from handlers.secrets.aws import MAX_AGE_SECONDS, AwsSecrets
from handlers.secrets.memory import MemorySecrets
from handlers.secrets.port import SecretUnavailable
from tests.support.clock import ManualClock

KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:pay-AbCdEf"
URL = "arn:aws:ssm:us-east-1:123456789012:parameter/pay/url"


class Service:
    """Both services' clients."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.value = "first"
        self.error: Exception | None = None

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        self.calls.append(SecretId)
        if self.error is not None:
            raise self.error
        return {"SecretString": self.value} if self.value else {"SecretBinary": b"x"}

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:
        assert WithDecryption
        self.calls.append(Name)
        return {"Parameter": {"Value": self.value}}


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def secrets(service: Service, clock: ManualClock) -> AwsSecrets:
    client: Any = lambda: service  # noqa: E731
    return AwsSecrets({"pay-key": KEY, "pay-url": URL}, clock, secrets_manager=client, ssm=client)


def test_each_is_read_from_its_own_service_and_kept(secrets: AwsSecrets, service: Service) -> None:
    assert [secrets.get(name) for name in ("pay-key", "pay-url", "pay-key")] == ["first"] * 3
    assert service.calls == [KEY, URL]


def test_a_rotated_one_is_seen_after_the_age(secrets: AwsSecrets, service: Service, clock: ManualClock) -> None:
    assert secrets.get("pay-key") == "first"
    service.value = "second"
    clock.advance(MAX_AGE_SECONDS - 1)
    assert secrets.get("pay-key") == "first"
    clock.advance(1)
    assert secrets.get("pay-key") == "second"


def test_an_unknown_name_lists_the_known_ones(secrets: AwsSecrets) -> None:
    with pytest.raises(ValidationError, match="'other' is not allowed; expected one of pay-key, pay-url"):
        secrets.get("other")
    with pytest.raises(ValidationError, match="none is configured"):
        AwsSecrets({}, ManualClock(), secrets_manager=None, ssm=None).get("other")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "kind", "nature"),
    [
        ("ResourceNotFoundException", SecretUnavailable, Nature.MISCONFIGURED),
        ("AccessDeniedException", SecretUnavailable, Nature.MISCONFIGURED),
        ("ThrottlingException", TransientThrottle, Nature.TRANSIENT),
    ],
)
def test_errors_name_the_secret(
    secrets: AwsSecrets, service: Service, code: str, kind: type[Exception], nature: Nature
) -> None:
    service.error = ClientError({"Error": {"Code": code, "Message": "m"}}, "GetSecretValue")
    with pytest.raises(kind, match="secret 'pay-key'") as caught:
        secrets.get("pay-key")
    assert caught.value.nature is nature  # type: ignore[attr-defined]


def test_a_service_that_is_not_reached_is_worth_another_try(secrets: AwsSecrets, service: Service) -> None:
    service.error = EndpointConnectionError(endpoint_url="there")
    with pytest.raises(TransientError):
        secrets.get("pay-key")
    service.error = None
    assert secrets.get("pay-key") == "first"


def test_a_binary_one_is_refused(secrets: AwsSecrets, service: Service) -> None:
    service.value = ""
    with pytest.raises(SecretUnavailable, match="'pay-key' is binary"):
        secrets.get("pay-key")


def test_values_are_not_shown(secrets: AwsSecrets) -> None:
    secrets.get("pay-key")
    assert repr(secrets) == "AwsSecrets(pay-key, pay-url)"
    assert repr(MemorySecrets({"a": "hidden"})) == "MemorySecrets(a)"


def test_in_memory() -> None:
    assert MemorySecrets({"a": "v"}).get("a") == "v"
    with pytest.raises(ValidationError, match="expected one of a"):
        MemorySecrets({"a": "v"}).get("b")
