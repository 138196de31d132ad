"""Secrets on this machine: those of ``handlerSecrets``, with values from environment variables.

``CQRS_SECRET_<NAME>`` (upper case, ``-`` as ``_``) has the value of the secret ``<name>``. A secret without a variable
doesn't exist; it can be created by ``aws secretsmanager create-secret`` or ``aws ssm put-parameter`` against
``./cqrs serve``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from local.aws.clients import client

VARIABLE = "HANDLER_SECRETS"
PREFIX = "CQRS_SECRET_"


def variable_of(name: str) -> str:
    """The environment variable with a secret's value."""
    return PREFIX + name.upper().replace("-", "_")


def named(environments: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The secrets in the functions' environments, name to ARN."""
    arns: dict[str, str] = {}
    for environment in environments:
        arns |= json.loads(environment.get(VARIABLE, "{}"))
    return arns


def how_to_give(name: str, arn: str) -> str:
    """How to set the value of a secret that has none."""
    if is_parameter(arn):
        made = f"aws ssm put-parameter --type SecureString --name {path_of(arn)} --value VALUE"
    else:
        made = f"aws secretsmanager create-secret --name {path_of(arn)} --secret-string VALUE"
    return f"start it with {variable_of(name)} set, or: {made}"


def is_parameter(arn: str) -> bool:
    """Whether it is an SSM parameter; otherwise it is a secret of Secrets Manager."""
    return arn.split(":")[2] == "ssm"


def path_of(arn: str) -> str:
    """Its local name. A secret's includes AWS's random characters, so that it is found by the ARN."""
    return arn.partition(":parameter" if is_parameter(arn) else ":secret:")[2]


def provide(arns: Mapping[str, str], values: Mapping[str, str], region: str) -> dict[str, str]:
    """Store the secrets with a variable in ``values`` (``os.environ``); returns the others."""
    for name, arn in arns.items():
        value = values.get(variable_of(name))
        if value is None:
            continue
        if is_parameter(arn):
            client("ssm", region).put_parameter(Name=path_of(arn), Value=value, Type="SecureString", Overwrite=True)
            continue
        secrets = client("secretsmanager", region)
        try:
            secrets.create_secret(Name=path_of(arn), SecretString=value)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=path_of(arn), SecretString=value)
    return {name: arn for name, arn in arns.items() if variable_of(name) not in values}
