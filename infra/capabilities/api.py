"""The HTTP API's function: answers the requests of people and other programs."""

from __future__ import annotations

from contract.functions import API
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.functions import Function, FunctionArgs, FunctionSpec
from infra.components.places import Places
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.naming.layers import NoLayer, powertools
from infra.naming.names import Account


def _environment(config: StackConfig, places: Places) -> Environment:
    return {}


def _layers(config: StackConfig, account: Account) -> list[str]:
    try:
        return [powertools(account, config.lambda_runtime, config.lambda_architecture)]
    except NoLayer as error:
        raise ConfigError([f"aws:region: {account.region!r} is not allowed with the API: {error}"]) from None


SPEC = FunctionSpec(
    API,
    "Answers the requests of the HTTP API",
    # API Gateway gives up after 30 seconds (API Gateway Developer Guide, "Quotas for configuring and running an HTTP
    # API").
    timeout=29,
    grants={},
    environment=_environment,
    layers=_layers,
)


def api_function(deployment: Deployment) -> Function:
    """The function. What calls it is declared beside the API."""
    return Function(API, FunctionArgs(SPEC, deployment))
