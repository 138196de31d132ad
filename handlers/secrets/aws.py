"""The secrets port on Secrets Manager and on SSM's Parameter Store: whichever a secret's ARN names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from handlers.core.aws.errors import CALL_ERRORS, reason_of
from handlers.core.errors import ValidationError
from handlers.secrets.port import SecretUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_ssm.client import SSMClient

    from handlers.core.clock import Clock

#: Seconds for which a value is cached: a rotated secret takes effect after at most this time.
MAX_AGE_SECONDS = 300.0


class AwsSecrets:
    """See ``Secrets``. Clients are created when the first value of their service is read."""

    def __init__(
        self,
        arns: Mapping[str, str],
        clock: Clock,
        *,
        secrets_manager: Callable[[], SecretsManagerClient],
        ssm: Callable[[], SSMClient],
    ) -> None:
        """``arns``: name to the ARN of a secret or of a parameter."""
        self._arns = dict(arns)
        self._clock = clock
        self._secrets_manager = secrets_manager
        self._ssm = ssm
        self._kept: dict[str, tuple[float, str]] = {}

    def get(self, name: str) -> str:
        """See Secrets."""
        arn = self._arns.get(name)
        if arn is None:
            raise ValidationError("secret", name, f"one of {', '.join(sorted(self._arns)) or '(none is configured)'}")
        now = self._clock.now()
        kept = self._kept.get(name)
        if kept is not None and now < kept[0] + MAX_AGE_SECONDS:
            return kept[1]
        value = self._read(name, arn)
        self._kept[name] = (now, value)
        return value

    def _read(self, name: str, arn: str) -> str:
        try:
            if arn.split(":")[2] == "ssm":
                # Accepts a name or an ARN; a SecureString is returned decrypted (API reference, GetParameter).
                return self._ssm().get_parameter(Name=arn, WithDecryption=True)["Parameter"]["Value"]
            answer = self._secrets_manager().get_secret_value(SecretId=arn)
        except CALL_ERRORS as error:
            raise reason_of(error, f"secret {name!r}", SecretUnavailable) from None
        if "SecretString" not in answer:  # a binary one has SecretBinary (API reference, GetSecretValue)
            raise SecretUnavailable(f"secret {name!r} is binary; expected text")
        return answer["SecretString"]

    def __repr__(self) -> str:
        return f"AwsSecrets({', '.join(sorted(self._arns))})"
