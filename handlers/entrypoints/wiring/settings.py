"""The functions' environment, one typed object each, checked when the function starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from handlers.commands.outcomes import KINDS
from handlers.commands.pipeline.run import FULL, TERMINAL
from handlers.commands.targets.model import TargetSpec, parse_targets
from handlers.commands.ttl_policies import TtlPolicies
from handlers.core.errors import SettingsError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class EventsSettings:
    """Environment of the ``events`` function."""

    commands_table: str
    tasks_table: str
    command_state_machine_arn: str
    task_state_machine_arn: str
    alarm_topic_arn: str
    main_topic_arn: str
    status_events: str
    stream_failures_url: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> EventsSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            commands_table=_text(env, "COMMANDS_TABLE"),
            tasks_table=_text(env, "TASKS_TABLE"),
            command_state_machine_arn=_text(env, "COMMAND_STATE_MACHINE_ARN"),
            task_state_machine_arn=_text(env, "TASK_STATE_MACHINE_ARN"),
            alarm_topic_arn=_text(env, "ALARM_TOPIC_ARN"),
            main_topic_arn=_text(env, "MAIN_TOPIC_ARN"),
            status_events=_one_of(env, "STATUS_EVENTS", KINDS),
            stream_failures_url=_text(env, "STREAM_FAILURES_URL"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


@dataclass(frozen=True)
class OutcomesSettings:
    """Environment of the ``outcomes`` function."""

    commands_table: str
    import_table: str
    main_topic_arn: str
    status_events: str
    event_bus_name: str
    stream_failures_url: str
    dead_letter_queue_url: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> OutcomesSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            commands_table=_text(env, "COMMANDS_TABLE"),
            import_table=_text(env, "IMPORT_TABLE"),
            main_topic_arn=_text(env, "MAIN_TOPIC_ARN"),
            status_events=_one_of(env, "STATUS_EVENTS", KINDS),
            event_bus_name=_text(env, "EVENT_BUS_NAME"),
            stream_failures_url=_text(env, "STREAM_FAILURES_URL"),
            dead_letter_queue_url=_text(env, "DEAD_LETTER_QUEUE_URL"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


@dataclass(frozen=True)
class LoaderSettings:
    """Environment of the ``loader`` function. ``import_buckets``: where files may be, the stack's own bucket first."""

    import_table: str
    bucket: str
    import_buckets: tuple[str, ...]
    import_csv_state_machine_arn: str
    import_zip_state_machine_arn: str
    handler_modules: tuple[str, ...]
    direct_rows: int
    timeout_hours: int
    zip_max_entries: int
    zip_max_bytes: int
    zip_max_ratio: int
    stream_failures_url: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> LoaderSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            import_table=_text(env, "IMPORT_TABLE"),
            bucket=_text(env, "BUCKET_NAME"),
            import_buckets=_names(env, "IMPORT_BUCKETS"),
            import_csv_state_machine_arn=_text(env, "IMPORT_CSV_STATE_MACHINE_ARN"),
            import_zip_state_machine_arn=_text(env, "IMPORT_ZIP_STATE_MACHINE_ARN"),
            handler_modules=_names(env, "HANDLER_MODULES"),
            direct_rows=_number(env, "IMPORT_DIRECT_ROWS"),
            timeout_hours=_number(env, "IMPORT_TIMEOUT_HOURS"),
            zip_max_entries=_number(env, "ZIP_MAX_ENTRIES"),
            zip_max_bytes=_number(env, "ZIP_MAX_BYTES"),
            zip_max_ratio=_number(env, "ZIP_MAX_RATIO"),
            stream_failures_url=_text(env, "STREAM_FAILURES_URL"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


@dataclass(frozen=True)
class ImportsSettings:
    """Environment of the ``imports`` function."""

    import_table: str
    commands_table: str
    data_table: str
    history_table: str
    bucket: str
    main_topic_arn: str
    alarm_topic_arn: str
    handler_modules: tuple[str, ...]
    inline_attribute_limit: int
    max_receives: int
    sync_targets: tuple[TargetSpec, ...]
    lease_seconds: int
    ttl: TtlPolicies
    stream_failures_url: str
    dead_letter_queue_url: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ImportsSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            import_table=_text(env, "IMPORT_TABLE"),
            commands_table=_text(env, "COMMANDS_TABLE"),
            data_table=_text(env, "DATA_TABLE"),
            history_table=_text(env, "HISTORY_TABLE"),
            bucket=_text(env, "BUCKET_NAME"),
            main_topic_arn=_text(env, "MAIN_TOPIC_ARN"),
            alarm_topic_arn=_text(env, "ALARM_TOPIC_ARN"),
            handler_modules=_names(env, "HANDLER_MODULES"),
            inline_attribute_limit=_number(env, "INLINE_ATTRIBUTE_LIMIT"),
            max_receives=_number(env, "MAX_RECEIVE_COUNT"),
            sync_targets=parse_targets(_text(env, "SYNC_TARGETS")),
            lease_seconds=_number(env, "LEASE_SECONDS"),
            ttl=TtlPolicies.parse(_text(env, "TTL_DAYS")),
            stream_failures_url=_text(env, "STREAM_FAILURES_URL"),
            dead_letter_queue_url=_text(env, "DEAD_LETTER_QUEUE_URL"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


@dataclass(frozen=True)
class StatesSettings:
    """Environment of the ``states`` function."""

    commands_table: str
    data_table: str
    history_table: str
    tasks_table: str
    command_state_machine_arn: str
    custom_machines: Mapping[str, str]
    bucket: str
    inline_attribute_limit: int
    alarm_topic_arn: str
    handler_modules: tuple[str, ...]
    sync_targets: tuple[TargetSpec, ...]
    status_detail: str
    wait_limit_hours: int
    lease_seconds: int
    ttl: TtlPolicies
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> StatesSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            commands_table=_text(env, "COMMANDS_TABLE"),
            data_table=_text(env, "DATA_TABLE"),
            history_table=_text(env, "HISTORY_TABLE"),
            tasks_table=_text(env, "TASKS_TABLE"),
            command_state_machine_arn=_text(env, "COMMAND_STATE_MACHINE_ARN"),
            custom_machines=_arns(env, "CUSTOM_STATE_MACHINE_ARNS"),
            bucket=_text(env, "BUCKET_NAME"),
            inline_attribute_limit=_number(env, "INLINE_ATTRIBUTE_LIMIT"),
            alarm_topic_arn=_text(env, "ALARM_TOPIC_ARN"),
            handler_modules=_names(env, "HANDLER_MODULES"),
            sync_targets=parse_targets(_text(env, "SYNC_TARGETS")),
            status_detail=_one_of(env, "STATUS_DETAIL", (FULL, TERMINAL)),
            wait_limit_hours=_number(env, "WAIT_LIMIT_HOURS"),
            lease_seconds=_number(env, "LEASE_SECONDS"),
            ttl=TtlPolicies.parse(_text(env, "TTL_DAYS")),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


@dataclass(frozen=True)
class SweeperSettings:
    """Environment of the ``sweeper`` function."""

    commands_table: str
    data_table: str
    tasks_table: str
    import_table: str
    command_state_machine_arn: str
    alarm_topic_arn: str
    main_topic_arn: str
    wait_limit_hours: int
    import_timeout_hours: int
    metric_namespace: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> SweeperSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            commands_table=_text(env, "COMMANDS_TABLE"),
            data_table=_text(env, "DATA_TABLE"),
            tasks_table=_text(env, "TASKS_TABLE"),
            import_table=_text(env, "IMPORT_TABLE"),
            command_state_machine_arn=_text(env, "COMMAND_STATE_MACHINE_ARN"),
            alarm_topic_arn=_text(env, "ALARM_TOPIC_ARN"),
            main_topic_arn=_text(env, "MAIN_TOPIC_ARN"),
            wait_limit_hours=_number(env, "WAIT_LIMIT_HOURS"),
            import_timeout_hours=_number(env, "IMPORT_TIMEOUT_HOURS"),
            metric_namespace=_text(env, "METRIC_NAMESPACE"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


@dataclass(frozen=True)
class TasksSettings:
    """Environment of the ``tasks`` function."""

    tasks_table: str
    data_table: str
    task_state_machine_arn: str
    handler_modules: tuple[str, ...]
    task_timeout_minutes: int
    lease_seconds: int
    max_receives: int
    dead_letter_queue_url: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> TasksSettings:
        """Raises SettingsError naming the variable."""
        return cls(
            tasks_table=_text(env, "TASKS_TABLE"),
            data_table=_text(env, "DATA_TABLE"),
            task_state_machine_arn=_text(env, "TASK_STATE_MACHINE_ARN"),
            handler_modules=_names(env, "HANDLER_MODULES"),
            task_timeout_minutes=_number(env, "TASK_TIMEOUT_MINUTES"),
            lease_seconds=_number(env, "LEASE_SECONDS"),
            max_receives=_number(env, "MAX_RECEIVE_COUNT"),
            dead_letter_queue_url=_text(env, "DEAD_LETTER_QUEUE_URL"),
            log_level=_one_of(env, "LOG_LEVEL", LOG_LEVELS),
        )


def _names(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A list separated by commas, which may be empty."""
    return tuple(part for part in map(str.strip, env.get(name, "").split(",")) if part)


def _arns(env: Mapping[str, str], name: str) -> dict[str, str]:
    """Names to ARNs, as JSON."""
    value = _text(env, name)
    try:
        arns = json.loads(value)
    except ValueError:
        arns = None
    if not isinstance(arns, dict) or not all(isinstance(arn, str) and ":stateMachine:" in arn for arn in arns.values()):
        raise SettingsError(f"environment variable {name}: {value!r} is not a JSON object of state machine ARNs")
    return arns


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"environment variable {name} is not set")
    return value


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = _text(env, name)
    if value not in allowed:
        raise SettingsError(f"environment variable {name}: {value!r} is not one of {', '.join(allowed)}")
    return value


def _number(env: Mapping[str, str], name: str) -> int:
    value = _text(env, name)
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise SettingsError(f"environment variable {name}: {value!r} is not a whole number of at least 1")
    return number
