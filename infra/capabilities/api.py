"""The HTTP API's function: answers the requests of people and other programs."""

from __future__ import annotations

import json

from contract.functions import API
from contract.messages import ALARM_TOPIC
from contract.objects import ATTRIBUTES, IMPORTS, REPORTS
from contract.state_machines import COMMAND_HANDLER, COMMAND_HANDLER_EXPRESS
from contract.tables import COMMANDS, DATA, HISTORY, IMPORT_TMP, TASKS
from infra.capabilities.application import with_application
from infra.capabilities.commands import pipeline_environment
from infra.capabilities.loader import with_more
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.functions import Function, FunctionSpec
from infra.components.places import Places
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.configuration.sync_targets import target_permissions
from infra.naming.layers import NoLayer, powertools
from infra.naming.names import Account
from infra.permissions.resources import ALARMS, executions, machine, objects, open_index, table, topic


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        **pipeline_environment(config, places),
        "TASKS_TABLE": places.tables[TASKS],
        "IMPORT_TABLE": places.tables[IMPORT_TMP],
        "IMPORT_BUCKETS": with_more(places.bucket, config.import_buckets),
        "TASK_MAX_CONCURRENCY": str(config.task_max_concurrency),
        "TASK_TIMEOUT_MINUTES": str(config.task_timeout_minutes),
        "API_TENANT_CLAIM": config.api_tenant_claim,
        "API_ROLE_CLAIM": config.api_role_claim,
        "API_TENANTS": json.dumps(config.api_tenants, separators=(",", ":"), sort_keys=True),
    }


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
    grants={
        table(COMMANDS): (
            *("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
            "dynamodb:UpdateItem",
        ),
        open_index(COMMANDS): ("dynamodb:Query",),
        table(DATA): ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        table(HISTORY): ("dynamodb:PutItem", "dynamodb:Query"),
        table(TASKS): ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        table(IMPORT_TMP): ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        objects(ATTRIBUTES): ("s3:GetObject", "s3:PutObject"),
        # Callers' uploads and downloads: a presigned URL has the permissions of the role that signed it.
        objects(IMPORTS): ("s3:GetObject", "s3:PutObject"),
        objects(REPORTS): ("s3:GetObject",),
        machine(COMMAND_HANDLER): ("states:SendTaskSuccess", "states:StartExecution"),
        machine(COMMAND_HANDLER_EXPRESS): ("states:StartExecution",),
        executions(COMMAND_HANDLER): ("states:GetExecutionHistory",),
        topic(ALARM_TOPIC): ("sns:Publish",),
        ALARMS: ("cloudwatch:DescribeAlarms",),
    },
    environment=_environment,
    configured=lambda config, _: target_permissions(config.sync_targets),
    layers=_layers,
)


def api_function(deployment: Deployment) -> Function:
    """The function, with the permissions of the application's sync handlers. The API declares what invokes it."""
    return Function(API, with_application(SPEC, deployment))
