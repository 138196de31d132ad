"""What the deployment reads of the application's classes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.configuration.stack_config import ConfigError, StackConfig
from infra.definitions.handler_classes import HandlerClass, handler_classes, problems_of

TEXT = """
from handlers import ImportStrategy, import_strategy, sync_handler, task_handler, workflow
import handlers


class Plain:
    def __init__(self, anything): ...


@sync_handler("ORDER", id="alone")
class Alone:
    def up(self, command): ...


TYPE = "ORDER"


@handlers.sync_handler(TYPE, id="both")
class Both:
    def __init__(self, store, *, clock): ...
    def up(self, command, previous): ...


@task_handler("job")
class Job:
    def __init__(self, publisher, mailer): ...


@import_strategy("a", columns=("c",), key=("c",))
class Later(ImportStrategy): ...


@import_strategy("b", columns=("c",), key=("c",), publish="SYNC")
class AtOnce(ImportStrategy): ...


@workflow("flow")
class Flow:
    def __init__(self, sync_publisher, skipper): ...
"""


@pytest.fixture
def classes(tmp_path: Path) -> list[HandlerClass]:
    path = tmp_path / "shop.py"
    path.write_text(TEXT)
    return handler_classes({"handlers/domain/shop.py": path}, ["handlers.domain.shop"])


def test_what_is_read(classes: list[HandlerClass]) -> None:
    where = "handlers.domain.shop."
    assert classes == [
        HandlerClass("sync_handler", f"{where}Alone", (), "alone", "ORDER"),
        HandlerClass("sync_handler", f"{where}Both", ("store", "clock"), "both", "ORDER", takes_previous=True),
        HandlerClass("task_handler", f"{where}Job", ("publisher", "mailer")),
        HandlerClass("import_strategy", f"{where}Later", ()),
        HandlerClass("import_strategy", f"{where}AtOnce", (), applies_rows=True),
        HandlerClass("workflow", f"{where}Flow", ("sync_publisher", "skipper")),
    ]


def test_what_nobody_has_is_refused_by_class(classes: list[HandlerClass]) -> None:
    assert list(problems_of(classes)) == [
        "handlers.domain.shop.Job: unknown parameter 'mailer'; available: clock, logger, objects, publisher, reader, "
        "secrets, store, workflows"
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("handlerEnvironment", ["A"], "an object of names of environment variables to text"),
        ("handlerEnvironment", {"AWS_REGION": "x"}, "not 'AWS_REGION'"),
        ("handlerEnvironment", {"1A": "x"}, "not '1A'"),
        ("handlerEnvironment", {"A": 1}, "text as values; A has 1"),
        ("handlerSecrets", {"Bad Name": "arn"}, "not 'Bad Name'"),
        ("handlerSecrets", {"a": "hidden"}, "ARNs of Secrets Manager secrets or SSM parameters; a has something else"),
        ("handlerPermissions", [{"actions": ["s3:*"], "resources": ["arn:aws:s3:::b"]}], "without '*'; entry 1 has"),
        ("handlerPermissions", [{"actions": ["s3:GetObject"], "resources": ["b"]}], "a list of ARNs; entry 1 has"),
        ("handlerPermissions", [{"actions": ["s3:GetObject"], "resources": ["*"]}], "a reason, as text, with"),
        ("handlerPermissions", [{"actions": ["s3:GetObject"]}], "objects of actions, resources and an optional reason"),
        ("handlerPermissions", [{"actions": [], "resources": ["*"], "reason": "r"}], "actions as a list"),
    ],
)
def test_wrong_values_are_named(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StackConfig.from_mapping({key: value})
    assert f"cqrs:{key}: " in str(caught.value)
    assert message in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_every_resource_needs_a_reason() -> None:
    entry = {"actions": ["cloudwatch:PutMetricData"], "resources": ["*"], "reason": "CloudWatch has no resources"}
    (permission,) = StackConfig.from_mapping({"handlerPermissions": [entry]}).handler_permissions
    assert permission.resources == ("*",)
