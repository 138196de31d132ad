"""Secrets on this machine: what ``handlerSecrets`` names, with the values of environment variables.

``CQRS_SECRET_<NAME>`` (upper case, ``-`` as ``_``) holds the value of the secret ``<name>``. One that is not set is not
there; ``aws secretsmanager create-secret`` and ``aws ssm put-parameter`` against ``./cqrs serve`` make it later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from local.aws.clients import client

VARIABLE = "HANDLER_SECRETS"
PREFIX = "CQRS_SECRET_"


def variable_of(name: str) -> str:
    """Where a secret's value is looked for."""
    return PREFIX + name.upper().replace("-", "_")


def provide(environments: Iterable[Mapping[str, str]], values: Mapping[str, str], region: str) -> None:
    """Store the secrets that the functions' environments name, as far as ``values`` (``os.environ``) has them."""
    arns: dict[str, str] = {}
    for environment in environments:
        arns |= json.loads(environment.get(VARIABLE, "{}"))
    for named, arn in arns.items():
        value = values.get(variable_of(named))
        if value is None:
            continue
        if arn.split(":")[2] == "ssm":
            path = arn.partition(":parameter")[2]
            client("ssm", region).put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=True)
        else:
            # By its last part, which has AWS's random characters: so that the ARN finds it.
            name, secrets = arn.partition(":secret:")[2], client("secretsmanager", region)
            try:
                secrets.create_secret(Name=name, SecretString=value)
            except secrets.exceptions.ResourceExistsException:
                secrets.put_secret_value(SecretId=name, SecretString=value)
