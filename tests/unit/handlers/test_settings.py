from __future__ import annotations

import json

import pytest

from contract.tables import MAX_TTL_DAYS
from handlers.core.errors import SettingsError
from handlers.entrypoints.wiring.settings import (
    EventsSettings,
    OutcomesSettings,
    StatesSettings,
    SweeperSettings,
    TasksSettings,
)

APPLICATION = {
    "COMMANDS_TABLE": "c",
    "DATA_TABLE": "d",
    "HISTORY_TABLE": "h",
    "BUCKET_NAME": "b",
    "INLINE_ATTRIBUTE_LIMIT": "65536",
    "CUSTOM_STATE_MACHINE_ARNS": "{}",
    "HANDLER_SECRETS": "{}",
    "ENTITY_TYPES": '{"allowed": [], "handled": []}',
}
STATES = {
    **APPLICATION,
    "TASKS_TABLE": "t",
    "COMMAND_STATE_MACHINE_ARN": "m",
    "ALARM_TOPIC_ARN": "arn",
    "HANDLER_MODULES": "a.b, c.d",
    "SYNC_TARGETS": "[]",
    "STATUS_DETAIL": "full",
    "WAIT_LIMIT_HOURS": "24",
    "LEASE_SECONDS": "120",
    "TTL_DAYS": '{"commands": {"default": 90, "overrides": {"t1/ORDER": 7, "*/ORDER": 8, "t1/*": 9}}}',
    "LOG_LEVEL": "INFO",
}
EVENTS = {
    "COMMANDS_TABLE": "c",
    "TASKS_TABLE": "cqrs-test-tasks",
    "TASK_STATE_MACHINE_ARN": "task-machine",
    "COMMAND_STATE_MACHINE_ARN": "m",
    "ALARM_TOPIC_ARN": "a",
    "MAIN_TOPIC_ARN": "t",
    "STATUS_EVENTS": "terminal",
    "STREAM_FAILURES_URL": "https://q/stream_failures_url",
    "LOG_LEVEL": "INFO",
}
OUTCOMES = {
    "COMMANDS_TABLE": "c",
    "IMPORT_TABLE": "i",
    "MAIN_TOPIC_ARN": "t",
    "STATUS_EVENTS": "terminal",
    "EVENT_BUS_NAME": "b",
    "STREAM_FAILURES_URL": "https://q/stream_failures_url",
    "DEAD_LETTER_QUEUE_URL": "https://q/dead_letter_queue_url",
    "LOG_LEVEL": "INFO",
}
SWEEPER = {
    "COMMANDS_TABLE": "c",
    "DATA_TABLE": "d",
    "IMPORT_TABLE": "i",
    "IMPORT_TIMEOUT_HOURS": "24",
    "TASKS_TABLE": "cqrs-test-tasks",
    "COMMAND_STATE_MACHINE_ARN": "m",
    "ALARM_TOPIC_ARN": "a",
    "MAIN_TOPIC_ARN": "t",
    "WAIT_LIMIT_HOURS": "24",
    "METRIC_NAMESPACE": "cqrs-test",
    "LOG_LEVEL": "INFO",
}
TASKS_ENV = {
    **APPLICATION,
    "TASKS_TABLE": "cqrs-test-tasks",
    "TASK_STATE_MACHINE_ARN": "task-machine",
    "HANDLER_MODULES": "a.b",
    "TASK_TIMEOUT_MINUTES": "15",
    "LEASE_SECONDS": "150",
    "MAX_RECEIVE_COUNT": "5",
    "DEAD_LETTER_QUEUE_URL": "https://q/dead_letter_queue_url",
    "LOG_LEVEL": "INFO",
}


def test_workflow_settings() -> None:
    settings = StatesSettings(STATES)
    assert settings.handler_modules == ("a.b", "c.d")
    assert (settings.wait_limit_hours, settings.lease_seconds, settings.status_detail) == (24, 120, "full")


def test_no_handler_modules_is_allowed() -> None:
    assert StatesSettings({**STATES, "HANDLER_MODULES": ""}).handler_modules == ()


@pytest.mark.parametrize("name", sorted(set(STATES) - {"HANDLER_MODULES"}))
def test_a_missing_workflow_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        StatesSettings({key: value for key, value in STATES.items() if key != name})


@pytest.mark.parametrize("name", sorted(set(TASKS_ENV) - {"HANDLER_MODULES"}))
def test_a_missing_tasks_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        TasksSettings({key: value for key, value in TASKS_ENV.items() if key != name})


@pytest.mark.parametrize("name", sorted(SWEEPER))
def test_a_missing_sweeper_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        SweeperSettings({key: value for key, value in SWEEPER.items() if key != name})


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_missing_events_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        EventsSettings({key: value for key, value in EVENTS.items() if key != name})


@pytest.mark.parametrize("name", sorted(OUTCOMES))
def test_a_missing_notifications_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        OutcomesSettings({key: value for key, value in OUTCOMES.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STATUS_DETAIL", "some"),
        ("WAIT_LIMIT_HOURS", "0"),
        ("LEASE_SECONDS", "soon"),
        ("LOG_LEVEL", "LOUD"),
        ("TTL_DAYS", "90"),
        ("TTL_DAYS", "{"),
        ("TTL_DAYS", '{"commands": {"default": 0}}'),
        ("TTL_DAYS", '{"commands": {"default": -1}}'),
        ("TTL_DAYS", '{"commands": {"default": null, "overrides": {"a/b": 0.5}}}'),
        ("TTL_DAYS", '{"commands": {"overrides": 7}}'),
        ("TTL_DAYS", '{"tasks": {"default": 1}}'),
    ],
)
def test_wrong_values_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        StatesSettings({**STATES, name: value})


@pytest.mark.parametrize("days", ["0", "-1", "36501", "1e9", "true", '"7"', "1.5"])
def test_days_to_keep_rows_are_held_to_the_range_that_the_configuration_has(days: str) -> None:
    expected = f"{json.loads(days)!r} is not allowed; expected whole days from 1 to 36500"
    for policy, name in (
        (f'{{"default": {days}}}', "default"),
        (f'{{"overrides": {{"t1/ORDER": {days}}}}}', "t1/ORDER"),
    ):
        with pytest.raises(SettingsError) as refused:
            StatesSettings({**STATES, "TTL_DAYS": f'{{"data": {policy}}}'})
        assert str(refused.value) == f"TTL_DAYS: data: {name}: {expected}"


def test_the_longest_days_to_keep_rows() -> None:
    settings = StatesSettings({**STATES, "TTL_DAYS": '{"data": {"default": 36500, "overrides": {"t1/*": 1}}}'})
    assert settings.ttl.of("data").default == MAX_TTL_DAYS


def test_a_wrong_kind_of_status_events_is_named() -> None:
    with pytest.raises(SettingsError, match=r"STATUS_EVENTS: 'some' is not one of terminal, all, none"):
        OutcomesSettings({**OUTCOMES, "STATUS_EVENTS": "some"})


@pytest.mark.parametrize(
    "arns", ["", "[]", "{", '"a"', '{"a": 1}', '{"a": "arn:aws:lambda:eu-central-1:1:function:a"}']
)
def test_custom_machines_are_arns_of_state_machines(arns: str) -> None:
    with pytest.raises(SettingsError, match="CUSTOM_STATE_MACHINE_ARNS"):
        StatesSettings({**STATES, "CUSTOM_STATE_MACHINE_ARNS": arns})


def test_custom_machines_by_name() -> None:
    machines = {"a": "arn:aws:states:eu-central-1:1:stateMachine:a"}
    settings = StatesSettings({**STATES, "CUSTOM_STATE_MACHINE_ARNS": json.dumps(machines)})
    assert settings.custom_machines == machines
