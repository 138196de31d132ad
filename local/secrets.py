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


def named(environments: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The secrets that the functions' environments name, name to ARN."""
    arns: dict[str, str] = {}
    for environment in environments:
        arns |= json.loads(environment.get(VARIABLE, "{}"))
    return arns


def how_to_give(name: str, arn: str) -> str:
    """What somebody does about a secret without a value."""
    if is_parameter(arn):
        made = f"aws ssm put-parameter --type SecureString --name {path_of(arn)} --value VALUE"
    else:
        made = f"aws secretsmanager create-secret --name {path_of(arn)} --secret-string VALUE"
    return f"start it with {variable_of(name)} set, or: {made}"


def is_parameter(arn: str) -> bool:
    """Whether it is a parameter of SSM; else a secret of Secrets Manager."""
    return arn.split(":")[2] == "ssm"


def path_of(arn: str) -> str:
    """Its name here. A secret's has AWS's random characters, so that the ARN finds it."""
    return arn.partition(":parameter" if is_parameter(arn) else ":secret:")[2]


def provide(arns: Mapping[str, str], values: Mapping[str, str], region: str) -> dict[str, str]:
    """Store these secrets as far as ``values`` (``os.environ``) has them; answers the others."""
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
