"""The functions' environments: exactly what each one's settings read (a test holds both sides), within Lambda's limit.

The same text is made twice: from names, before anything is declared, for the check; and from the resources.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from contract.messages import (
    ALARM_TOPIC,
    DEAD_LETTER_QUEUES,
    EVENT_BUS,
    IMPORT_QUEUE,
    MAIN_TOPIC,
    NOTIFICATION_QUEUE,
    STREAM_FAILURES,
    TASK_QUEUE,
)
from contract.state_machines import IMPORT_CSV, IMPORT_ZIP, TASK_HANDLER
from contract.tables import COMMANDS, DATA, HISTORY, IMPORT_TMP, TABLES, TASKS
from infra.components.messaging import MAX_RECEIVE_COUNT, TASKS_TIMEOUT_SECONDS, Messaging
from infra.components.storage import Storage
from infra.components.tables import Tables
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.configuration.sync_targets import targets_json
from infra.naming.names import Account, Names

#: All variables of a function together (Lambda Developer Guide, "Lambda quotas"). What is measured is their JSON: the
#: refusal shows it ("String measured: {...}", github-aws-runners/terraform-aws-github-runner issue 3594).
MAX_BYTES = 4_096
#: The largest variables that a refusal names.
SHOWN = 5
#: Longer than the function may run, so that only a run that is over can be taken over.
TASK_LEASE_SECONDS = TASKS_TIMEOUT_SECONDS + 30
#: Variable to what makes it long.
_MADE_OF = {
    "CUSTOM_STATE_MACHINE_ARNS": "one entry per workflow",
    "HANDLER_MODULES": "handlerModules",
    "IMPORT_BUCKETS": "importBuckets",
    "SYNC_TARGETS": "syncTargets",
    "TTL_DAYS": "ttlDays",
}
Environment = dict[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Places:
    """What variables name: tables by logical name, dead-letter queues by their queue's, others by what they are."""

    tables: Mapping[str, pulumi.Input[str]]
    bucket: pulumi.Input[str]
    main_topic_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]
    event_bus: pulumi.Input[str]
    stream_failures_url: pulumi.Input[str]
    dead_letter_urls: Mapping[str, pulumi.Input[str]]


def expected_places(names: Names, account: Account) -> Places:
    """As they will be called."""
    queues = f"https://sqs.{account.region}.amazonaws.com/{account.account_id}"
    return Places(
        {table: names.of(table) for table in TABLES},
        names.bucket(account.account_id),
        account.arn("sns", names.of(MAIN_TOPIC)),
        account.arn("sns", names.of(ALARM_TOPIC)),
        names.of(EVENT_BUS),
        f"{queues}/{names.of(STREAM_FAILURES)}",
        {queue: f"{queues}/{names.of(letters)}" for queue, letters in DEAD_LETTER_QUEUES.items()},
    )


def declared_places(tables: Tables, messaging: Messaging, storage: Storage) -> Places:
    """As the resources say."""
    return Places(
        {name: table.name for name, table in tables.by_name.items()},
        storage.bucket.bucket,
        messaging.main_topic.arn,
        messaging.alarm_topic.arn,
        messaging.event_bus.name,
        messaging.stream_failures.url,
        {name: queue.url for name, queue in messaging.dead_letter_queues.items()},
    )


def environments(
    config: StackConfig,
    names: Names,
    places: Places,
    machines: Mapping[str, str],
    custom_arns: Mapping[str, str],
) -> dict[str, Environment]:
    """Function to variables. ``machines``: the stack's own by name, and ``commands``, the one that receives starts."""
    tables, log_level = places.tables, config.log_level
    handler_modules = ",".join(config.handler_modules)
    ttl_days = json.dumps(config.ttl_days, sort_keys=True)
    return {
        "events": {
            "COMMANDS_TABLE": tables[COMMANDS],
            "TASKS_TABLE": tables[TASKS],
            "COMMAND_STATE_MACHINE_ARN": machines["commands"],
            "TASK_STATE_MACHINE_ARN": machines[TASK_HANDLER],
            "ALARM_TOPIC_ARN": places.alarm_topic_arn,
            "MAIN_TOPIC_ARN": places.main_topic_arn,
            "STATUS_EVENTS": config.status_events,
            "STREAM_FAILURES_URL": places.stream_failures_url,
            "LOG_LEVEL": log_level,
        },
        "imports": {
            "IMPORT_TABLE": tables[IMPORT_TMP],
            "COMMANDS_TABLE": tables[COMMANDS],
            "DATA_TABLE": tables[DATA],
            "HISTORY_TABLE": tables[HISTORY],
            "BUCKET_NAME": places.bucket,
            "MAIN_TOPIC_ARN": places.main_topic_arn,
            "ALARM_TOPIC_ARN": places.alarm_topic_arn,
            "HANDLER_MODULES": handler_modules,
            "INLINE_ATTRIBUTE_LIMIT": str(config.inline_attribute_limit),
            "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
            "SYNC_TARGETS": targets_json(config.sync_targets),
            "LEASE_SECONDS": str(config.lease_seconds),
            "TTL_DAYS": ttl_days,
            "STREAM_FAILURES_URL": places.stream_failures_url,
            "DEAD_LETTER_QUEUE_URL": places.dead_letter_urls[IMPORT_QUEUE],
            "LOG_LEVEL": log_level,
        },
        "loader": {
            "IMPORT_TABLE": tables[IMPORT_TMP],
            "BUCKET_NAME": places.bucket,
            "IMPORT_BUCKETS": _with_more(places.bucket, config.import_buckets),
            "IMPORT_ZIP_STATE_MACHINE_ARN": machines[IMPORT_ZIP],
            "HANDLER_MODULES": handler_modules,
            "IMPORT_CSV_STATE_MACHINE_ARN": machines[IMPORT_CSV],
            "IMPORT_DIRECT_ROWS": str(config.import_direct_rows),
            "IMPORT_TIMEOUT_HOURS": str(config.import_timeout_hours),
            "ZIP_MAX_ENTRIES": str(config.zip_max_entries),
            "ZIP_MAX_BYTES": str(config.zip_max_bytes),
            "ZIP_MAX_RATIO": str(config.zip_max_ratio),
            "STREAM_FAILURES_URL": places.stream_failures_url,
            "LOG_LEVEL": log_level,
        },
        "outcomes": {
            "COMMANDS_TABLE": tables[COMMANDS],
            "IMPORT_TABLE": tables[IMPORT_TMP],
            "MAIN_TOPIC_ARN": places.main_topic_arn,
            "STATUS_EVENTS": config.status_events,
            "EVENT_BUS_NAME": places.event_bus,
            "STREAM_FAILURES_URL": places.stream_failures_url,
            "DEAD_LETTER_QUEUE_URL": places.dead_letter_urls[NOTIFICATION_QUEUE],
            "LOG_LEVEL": log_level,
        },
        "sweeper": {
            "COMMANDS_TABLE": tables[COMMANDS],
            "DATA_TABLE": tables[DATA],
            "TASKS_TABLE": tables[TASKS],
            "IMPORT_TABLE": tables[IMPORT_TMP],
            "COMMAND_STATE_MACHINE_ARN": machines["commands"],
            "ALARM_TOPIC_ARN": places.alarm_topic_arn,
            "MAIN_TOPIC_ARN": places.main_topic_arn,
            "WAIT_LIMIT_HOURS": str(config.wait_limit_hours),
            "IMPORT_TIMEOUT_HOURS": str(config.import_timeout_hours),
            "METRIC_NAMESPACE": names.metric_namespace,
            "LOG_LEVEL": log_level,
        },
        "tasks": {
            "TASKS_TABLE": tables[TASKS],
            "DATA_TABLE": tables[DATA],
            "TASK_STATE_MACHINE_ARN": machines[TASK_HANDLER],
            "HANDLER_MODULES": handler_modules,
            "TASK_TIMEOUT_MINUTES": str(config.task_timeout_minutes),
            "LEASE_SECONDS": str(TASK_LEASE_SECONDS),
            "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
            "DEAD_LETTER_QUEUE_URL": places.dead_letter_urls[TASK_QUEUE],
            "LOG_LEVEL": log_level,
        },
        "states": {
            "COMMANDS_TABLE": tables[COMMANDS],
            "DATA_TABLE": tables[DATA],
            "HISTORY_TABLE": tables[HISTORY],
            "TASKS_TABLE": tables[TASKS],
            "COMMAND_STATE_MACHINE_ARN": machines["commands"],
            "CUSTOM_STATE_MACHINE_ARNS": json.dumps(custom_arns, separators=(",", ":")),
            "BUCKET_NAME": places.bucket,
            "INLINE_ATTRIBUTE_LIMIT": str(config.inline_attribute_limit),
            "ALARM_TOPIC_ARN": places.alarm_topic_arn,
            "HANDLER_MODULES": handler_modules,
            "STATUS_DETAIL": config.shown_status_detail,
            "SYNC_TARGETS": targets_json(config.sync_targets),
            "WAIT_LIMIT_HOURS": str(config.wait_limit_hours),
            "LEASE_SECONDS": str(config.lease_seconds),
            "TTL_DAYS": ttl_days,
            "LOG_LEVEL": log_level,
        },
    }


def check_sizes(given: Mapping[str, Environment]) -> None:
    """Hold each environment, made of ``expected_places``, against Lambda's limit.

    Raises:
        ConfigError: one line per function, with its largest variables and what makes them long.
    """
    problems = []
    for function, variables in given.items():
        size = _bytes(variables)
        if size > MAX_BYTES:
            largest = sorted(variables, key=lambda name: _bytes({name: variables[name]}), reverse=True)[:SHOWN]
            shown = ", ".join(f"{_label(name)} {_bytes({name: variables[name]})}" for name in largest)
            problems.append(
                f"the environment of the function {function!r} has {size} bytes; expected at most {MAX_BYTES}: {shown}"
            )
    if problems:
        raise ConfigError(problems)


def _bytes(variables: Mapping[str, pulumi.Input[str]]) -> int:
    return len(json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False).encode())


def _label(name: str) -> str:
    return f"{name} ({_MADE_OF[name]})" if name in _MADE_OF else name


def _with_more(bucket: pulumi.Input[str], more: tuple[str, ...]) -> pulumi.Input[str]:
    rest = [f",{one}" for one in more]
    return bucket + "".join(rest) if isinstance(bucket, str) else pulumi.Output.concat(bucket, *rest)
