"""The stack's configuration: typed, with defaults and ranges, all checked before any resource is declared.

``Pulumi.yaml`` declares the same keys for the Pulumi CLI; a test compares the two.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pulumi import get_project
from pulumi.runtime import config as runtime_config

from contract.options import FULL, STATUS_DETAILS, STATUS_EVENTS, TERMINAL
from contract.state_machines import STANDARD, STARTED_MACHINES
from infra.configuration.api_keys import ApiKeys
from infra.configuration.application_keys import Permission, parse_environment, parse_permissions, parse_secrets
from infra.configuration.bucket import parse_bucket
from infra.configuration.checks import NotAllowed, flag, one_of, parsed_by, setting, texts, whole
from infra.configuration.keys import misplaced
from infra.configuration.kms_key import CREATE, OF_AWS, contradiction, parse_key_arn
from infra.configuration.sync_targets import TYPE, SyncTarget, parse_sync_targets
from infra.configuration.ttl_days import parse_ttl_days
from infra.definitions import json_files

#: The default project name, which is the namespace of its keys. A project with another name has another namespace.
NAMESPACE = "cqrs"
#: Maximum polls of one wait: the wait limit divided by the poll interval (docs/spec/infrastructure.md).
MAX_POLLS = 1500
#: CloudWatch Logs API reference, PutRetentionPolicy.
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
#: Each takes about 150 of the 10,240 characters that a role's policies may have in total (IAM quotas).
MAX_IMPORT_BUCKETS = 10


class ConfigError(Exception):
    """The configuration is wrong. One line per problem: the key, the value, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class StackConfig(ApiKeys):
    """The settings of one environment. The fields are the keys of ``Pulumi.<stack>.yaml`` in snake_case."""

    handler_modules: tuple[str, ...] = setting(
        (),
        texts(
            r"(?!(contract|handlers)(\.|$)(?!domain\.))[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*",
            "a list of distinct module names in handlers.domain, applicationPackages or installed packages",
        ),
    )
    application_packages: tuple[str, ...] = setting(
        (),
        texts(
            r"([A-Za-z0-9_][A-Za-z0-9_-]*/)*[a-z_][a-z0-9_]*",
            "a list of distinct folders of the repository (src/acme), each with the name of its package",
        ),
    )
    status_events: str = setting(TERMINAL, one_of(*STATUS_EVENTS))
    command_workflow: str = setting(STANDARD, one_of(*STARTED_MACHINES))
    inline_threads: int = setting(8, whole(1, 10))  # an AWS client keeps ten connections
    #: The upper bound leaves at least half of the function's minute for the remaining work.
    inline_target_seconds: int = setting(5, whole(1, 20))
    inline_parallelization_factor: int = setting(1, whole(1, 10))
    inline_batch_window_seconds: int = setting(0, whole(0, 60))
    status_detail: str = setting("auto", one_of("auto", *STATUS_DETAILS))
    sync_targets: tuple[SyncTarget, ...] = setting((), parsed_by(parse_sync_targets))
    entity_types: tuple[str, ...] = setting((), texts(TYPE, "a list of distinct types without '#' and '@'"))
    handler_environment: dict[str, str] = field(default_factory=dict, metadata={"check": parsed_by(parse_environment)})
    handler_secrets: dict[str, str] = field(
        default_factory=dict, metadata={"check": parsed_by(parse_secrets), "hidden": True}
    )
    handler_permissions: tuple[Permission, ...] = setting((), parsed_by(parse_permissions))
    wait_poll_seconds: int = setting(300, whole(60, 86_400))
    #: With the additional hour of its machine, the upper bound is the year that an execution may run (Step Functions
    #: quotas).
    wait_limit_hours: int = setting(24, whole(1, 8_759))
    lease_seconds: int = setting(180, whole(90, 3_600))
    sweep_minutes: int = setting(5, whole(1, 60))
    ttl_days: dict[str, dict[str, Any]] = field(default_factory=dict, metadata={"check": parsed_by(parse_ttl_days)})
    #: The upper bound keeps an item below DynamoDB's 400 KB (decision record 0030).
    inline_attribute_limit: int = setting(65_536, whole(1_024, 196_608))
    task_max_concurrency: int = setting(2, whole(1, 40))
    task_timeout_minutes: int = setting(15, whole(1, 1_440))
    import_direct_rows: int = setting(1_000, whole(1, 10_000))
    import_max_concurrency: int = setting(50, whole(1, 1_000))
    import_batch_rows: int = setting(10, whole(1, 98))
    #: The lower bound fits the largest row that can be imported; the upper one keeps a state's input below 256 KiB.
    import_batch_bytes: int = setting(200_000, whole(196_000, 250_000))
    #: The upper bound keeps the events of polling the counters below the history's limit of 25,000.
    import_timeout_hours: int = setting(24, whole(1, 168))
    import_buckets: tuple[str, ...] = setting(
        (),
        texts(
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            f"a list of at most {MAX_IMPORT_BUCKETS} distinct names of buckets of the same account and region",
            MAX_IMPORT_BUCKETS,
        ),
    )
    #: The upper bound keeps the execution below 25,000 history events: a file needs 8.
    zip_max_entries: int = setting(1_000, whole(1, 1_000))
    zip_max_bytes: int = setting(10_737_418_240, whole(1_048_576, 107_374_182_400))
    zip_max_ratio: int = setting(200, whole(1, 10_000))
    stream_batch_size: int = setting(10, whole(1, 1_000))
    queue_batch_size: int = setting(10, whole(1, 10))
    log_level: str = setting("INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR"))
    log_retention_days: int = setting(180, one_of(*LOG_RETENTION_DAYS))
    workflow_log_level: str = setting("ERROR", one_of("ALL", "ERROR", "FATAL", "OFF"))
    tracing: bool = setting(False, flag)
    lambda_memory: int = setting(512, whole(256, 10_240))
    lambda_architecture: str = setting("arm64", one_of("arm64", "x86_64"))
    lambda_runtime: str = setting("python3.13", one_of("python3.11", "python3.12", "python3.13", "python3.14"))
    point_in_time_recovery: bool = setting(False, flag)
    deletion_protection: bool = setting(False, flag)
    force_destroy: bool = setting(False, flag)
    bucket_access_log: str = setting("", parsed_by(parse_bucket))
    kms_key: str = setting(OF_AWS, one_of(OF_AWS, CREATE))
    kms_key_arn: str = setting("", parsed_by(parse_key_arn))
    alarm_emails: tuple[str, ...] = setting(
        (), texts(r"[^@\s]+@[^@\s]+\.[^@\s]+", "a list of distinct e-mail addresses")
    )
    alarm_iterator_age_seconds: int = setting(300, whole(60, 86_400))
    alarm_oldest_message_seconds: int = setting(3_600, whole(60, 1_209_600))
    alarm_failed_executions: int = setting(1, whole(1, 100_000))
    alarm_failure_rate_percent: int = setting(5, whole(1, 100))
    alarm_execution_seconds: int = setting(900, whole(1, 31_536_000))
    alarm_oldest_open_command_seconds: int = setting(3_600, whole(600, 604_800))

    @property
    def shown_status_detail(self) -> str:
        """``status_detail``, with ``auto`` resolved by the command workflow."""
        if self.status_detail != "auto":
            return self.status_detail
        return FULL if self.command_workflow == STANDARD else TERMINAL

    @property
    def has_key(self) -> bool:
        """Whether a KMS key encrypts the stack."""
        return self.kms_key == CREATE or bool(self.kms_key_arn)

    @classmethod
    def keys(cls) -> dict[str, str]:
        """Configuration key to attribute: ``waitPollSeconds`` to ``wait_poll_seconds``."""
        return {_key(one.name): one.name for one in fields(cls)}

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], namespace: str = NAMESPACE) -> StackConfig:
        """From parsed values. Keys are given without ``namespace``; messages show them with it.

        Raises:
            ConfigError: naming every wrong or unknown key.
        """
        known = cls.keys()
        problems = [_unknown(key, known, namespace) for key in sorted(set(given) - set(known))]
        values: dict[str, Any] = {}
        for one in fields(cls):
            key = _key(one.name)
            if key not in given:
                continue
            try:
                values[one.name] = one.metadata["check"](given[key])
            except NotAllowed as refused:
                shown = "its value" if one.metadata.get("hidden") else _shown(given[key])
                problems.append(f"{namespace}:{key}: {shown} is not allowed; expected {refused}")
        if not problems:
            config = cls(**values)
            problems = config._contradictions(namespace)
            if not problems:
                return config
        raise ConfigError(problems)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], namespace: str = NAMESPACE) -> StackConfig:
        """From Pulumi's configuration, in which every value is text, and JSON unless it is a string.

        Raises:
            ConfigError: as ``from_mapping``; also for unknown keys of other namespaces.
        """
        prefix = f"{namespace}:"
        problems = list(misplaced(texts, namespace, cls.keys()))
        given: dict[str, Any] = {}
        for key, text in texts.items():
            if key.startswith(prefix):
                try:
                    given[key.removeprefix(prefix)] = _parsed(text)
                except json_files.RepeatedKey as error:
                    problems.append(f"{key}: {error}")
        try:
            config = cls.from_mapping(given, namespace)
        except ConfigError as error:
            raise ConfigError([*problems, *error.problems]) from None
        if problems:
            raise ConfigError(problems)
        return config

    @classmethod
    def from_pulumi(cls) -> StackConfig:
        """The configuration of the running Pulumi program.

        ``pulumi.Config`` can only be asked for known keys, but an unknown one (a typing error) must be refused, too.
        The engine passes the configuration in the environment, mocks and tests in the runtime's settings.

        Raises:
            ConfigError: as ``from_mapping``.
        """
        return cls.from_texts({**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}, get_project())

    def _contradictions(self, namespace: str) -> list[str]:
        problems = []
        polls = self.wait_limit_hours * 3600 / self.wait_poll_seconds
        if polls > MAX_POLLS:
            problems.append(
                f"{namespace}:waitPollSeconds: {self.wait_poll_seconds} is not allowed with waitLimitHours "
                f"{self.wait_limit_hours}; expected waitLimitHours x 3600 / waitPollSeconds of at most {MAX_POLLS}, "
                f"this is {polls:g}"
            )
        if self.force_destroy and self.deletion_protection:
            problems.append(
                f"{namespace}:forceDestroy: true is not allowed with deletionProtection true; expected one of them"
            )
        problems += contradiction(self.kms_key, self.kms_key_arn, namespace)
        return [*problems, *self.api_contradictions(namespace)]


def _key(attribute: str) -> str:
    first, *rest = attribute.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _parsed(text: str) -> Any:
    try:
        return json_files.parse(text)
    except json_files.RepeatedKey:
        raise
    except ValueError:
        return text


def _unknown(key: str, known: Mapping[str, str], namespace: str) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {namespace}:{close[0]}?" if close else f"; known: {', '.join(sorted(known))}"
    return f"{namespace}:{key} is not a known key{hint}"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."
