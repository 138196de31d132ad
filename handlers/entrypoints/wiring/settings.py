"""The functions' environment variables, one typed object per function, validated at start-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from contract.options import STATUS_DETAILS, STATUS_EVENTS
from handlers.core.errors import SettingsError

if TYPE_CHECKING:
    from handlers.commands.pipeline.steps import PipelineOptions
    from handlers.commands.publishing.entity_types import EntityTypes
    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.ttl_policies import TtlPolicies

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class ApplicationSettings:
    """Environment of each function that runs the application's classes."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        self.commands_table = _text(env, "COMMANDS_TABLE")
        self.data_table = _text(env, "DATA_TABLE")
        self.history_table = _text(env, "HISTORY_TABLE")
        self.bucket = _text(env, "BUCKET_NAME")
        self.inline_attribute_limit = _number(env, "INLINE_ATTRIBUTE_LIMIT")
        self.custom_machines = _arns(env, "CUSTOM_STATE_MACHINE_ARNS", ":stateMachine:")
        self.entity_types = _entity_types(env)
        self.secrets = _arns(env, "HANDLER_SECRETS", "arn:")
        self.handler_modules = _names(env, "HANDLER_MODULES")
        self.log_level = _log_level(env)


class EventsSettings:
    """Environment of the ``events`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        self.commands_table = _text(env, "COMMANDS_TABLE")
        self.tasks_table = _text(env, "TASKS_TABLE")
        self.command_state_machine_arn = _text(env, "COMMAND_STATE_MACHINE_ARN")
        self.task_state_machine_arn = _text(env, "TASK_STATE_MACHINE_ARN")
        self.alarm_topic_arn = _text(env, "ALARM_TOPIC_ARN")
        self.main_topic_arn = _text(env, "MAIN_TOPIC_ARN")
        self.status_events = _one_of(env, "STATUS_EVENTS", STATUS_EVENTS)
        self.stream_failures_url = _text(env, "STREAM_FAILURES_URL")
        self.log_level = _log_level(env)


class OutcomesSettings:
    """Environment of the ``outcomes`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        self.commands_table = _text(env, "COMMANDS_TABLE")
        self.import_table = _text(env, "IMPORT_TABLE")
        self.main_topic_arn = _text(env, "MAIN_TOPIC_ARN")
        self.status_events = _one_of(env, "STATUS_EVENTS", STATUS_EVENTS)
        self.event_bus_name = _text(env, "EVENT_BUS_NAME")
        self.stream_failures_url = _text(env, "STREAM_FAILURES_URL")
        self.dead_letter_queue_url = _text(env, "DEAD_LETTER_QUEUE_URL")
        self.log_level = _log_level(env)


class LoaderSettings(ApplicationSettings):
    """Environment of the ``loader`` function. ``import_buckets``: allowed buckets, the stack's own first."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.import_table = _text(env, "IMPORT_TABLE")
        self.import_buckets = _names(env, "IMPORT_BUCKETS")
        self.import_csv_state_machine_arn = _text(env, "IMPORT_CSV_STATE_MACHINE_ARN")
        self.import_zip_state_machine_arn = _text(env, "IMPORT_ZIP_STATE_MACHINE_ARN")
        self.direct_rows = _number(env, "IMPORT_DIRECT_ROWS")
        self.timeout_hours = _number(env, "IMPORT_TIMEOUT_HOURS")
        self.zip_max_entries = _number(env, "ZIP_MAX_ENTRIES")
        self.zip_max_bytes = _number(env, "ZIP_MAX_BYTES")
        self.zip_max_ratio = _number(env, "ZIP_MAX_RATIO")
        self.stream_failures_url = _text(env, "STREAM_FAILURES_URL")


class ImportsSettings(ApplicationSettings):
    """Environment of the ``imports`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.import_table = _text(env, "IMPORT_TABLE")
        self.main_topic_arn = _text(env, "MAIN_TOPIC_ARN")
        self.alarm_topic_arn = _text(env, "ALARM_TOPIC_ARN")
        self.max_receives = _number(env, "MAX_RECEIVE_COUNT")
        self.sync_targets = _targets(env)
        self.lease_seconds = _number(env, "LEASE_SECONDS")
        self.ttl = _ttl(env)
        self.stream_failures_url = _text(env, "STREAM_FAILURES_URL")
        self.dead_letter_queue_url = _text(env, "DEAD_LETTER_QUEUE_URL")


class PipelineSettings(ApplicationSettings):
    """Environment of each function that contains the pipeline."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.command_state_machine_arn = _text(env, "COMMAND_STATE_MACHINE_ARN")
        self.alarm_topic_arn = _text(env, "ALARM_TOPIC_ARN")
        self.sync_targets = _targets(env)
        self.status_detail = _one_of(env, "STATUS_DETAIL", STATUS_DETAILS)
        self.wait_limit_hours = _number(env, "WAIT_LIMIT_HOURS")
        self.lease_seconds = _number(env, "LEASE_SECONDS")
        self.ttl = _ttl(env)

    @property
    def pipeline(self) -> PipelineOptions:
        """The options of the pipeline."""
        from handlers.commands.pipeline.steps import PipelineOptions  # most functions have none

        return PipelineOptions(
            commands_table=self.commands_table,
            machine_arn=self.command_state_machine_arn,
            status_detail=self.status_detail,
            lease_seconds=self.lease_seconds,
            wait_limit_hours=self.wait_limit_hours,
            ttl=self.ttl,
        )


class StatesSettings(PipelineSettings):
    """Environment of the ``states`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.tasks_table = _text(env, "TASKS_TABLE")


class ApplySettings(PipelineSettings):
    """Environment of the ``apply`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.inline_threads = _number(env, "INLINE_THREADS")
        self.inline_target_seconds = _number(env, "INLINE_TARGET_SECONDS")
        self.stream_failures_url = _text(env, "STREAM_FAILURES_URL")


class ApiSettings(StatesSettings):
    """Environment of the ``api`` function; it contains the pipeline to apply commands synchronously."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.import_table = _text(env, "IMPORT_TABLE")
        self.import_buckets = _names(env, "IMPORT_BUCKETS")
        self.task_max_concurrency = _number(env, "TASK_MAX_CONCURRENCY")
        self.task_timeout_minutes = _number(env, "TASK_TIMEOUT_MINUTES")
        self.tenant_claim = _text(env, "API_TENANT_CLAIM")
        self.role_claim = _text(env, "API_ROLE_CLAIM")
        self.tenants = _text(env, "API_TENANTS")


class SweeperSettings:
    """Environment of the ``sweeper`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        self.commands_table = _text(env, "COMMANDS_TABLE")
        self.data_table = _text(env, "DATA_TABLE")
        self.tasks_table = _text(env, "TASKS_TABLE")
        self.import_table = _text(env, "IMPORT_TABLE")
        self.command_state_machine_arn = _text(env, "COMMAND_STATE_MACHINE_ARN")
        self.alarm_topic_arn = _text(env, "ALARM_TOPIC_ARN")
        self.main_topic_arn = _text(env, "MAIN_TOPIC_ARN")
        self.wait_limit_hours = _number(env, "WAIT_LIMIT_HOURS")
        self.import_timeout_hours = _number(env, "IMPORT_TIMEOUT_HOURS")
        self.metric_namespace = _text(env, "METRIC_NAMESPACE")
        self.log_level = _log_level(env)


class TasksSettings(ApplicationSettings):
    """Environment of the ``tasks`` function."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingsError naming the variable."""
        super().__init__(env)
        self.tasks_table = _text(env, "TASKS_TABLE")
        self.task_state_machine_arn = _text(env, "TASK_STATE_MACHINE_ARN")
        self.task_timeout_minutes = _number(env, "TASK_TIMEOUT_MINUTES")
        self.lease_seconds = _number(env, "LEASE_SECONDS")
        self.max_receives = _number(env, "MAX_RECEIVE_COUNT")
        self.dead_letter_queue_url = _text(env, "DEAD_LETTER_QUEUE_URL")


def _targets(env: Mapping[str, str]) -> tuple[TargetSpec, ...]:
    from handlers.commands.targets.model import parse_targets  # most functions have none

    return parse_targets(_text(env, "SYNC_TARGETS"))


def _entity_types(env: Mapping[str, str]) -> EntityTypes:
    from handlers.commands.publishing.entity_types import EntityTypes  # most functions publish nothing

    return EntityTypes.parse(_text(env, "ENTITY_TYPES"))


def _ttl(env: Mapping[str, str]) -> TtlPolicies:
    from handlers.commands.ttl_policies import TtlPolicies  # most functions have none

    return TtlPolicies.parse(_text(env, "TTL_DAYS"))


def _names(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A comma-separated list, which may be empty."""
    return tuple(part for part in map(str.strip, env.get(name, "").split(",")) if part)


def _arns(env: Mapping[str, str], name: str, part: str) -> dict[str, str]:
    """Names to ARNs, as JSON. ``part``: a text that each ARN contains."""
    value = _text(env, name)
    try:
        arns = json.loads(value)
    except ValueError:
        arns = None
    if not isinstance(arns, dict) or not all(isinstance(arn, str) and part in arn for arn in arns.values()):
        raise SettingsError(f"environment variable {name}: {value!r} is not a JSON object of ARNs with {part!r}")
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


def _log_level(env: Mapping[str, str]) -> str:
    return _one_of(env, "LOG_LEVEL", LOG_LEVELS)


def _number(env: Mapping[str, str], name: str) -> int:
    value = _text(env, name)
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise SettingsError(f"environment variable {name}: {value!r} is not a whole number of at least 1")
    return number
