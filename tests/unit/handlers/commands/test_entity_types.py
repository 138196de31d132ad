"""A misspelt type is refused where it is published, not stored for nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.commands.model import CommandInput
from handlers.commands.publishing.entity_types import EntityTypes
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.errors import SettingsError, ValidationError
from handlers.store.port import COMMANDS
from infra.capabilities.application import entity_types, problems_of_types
from infra.configuration.stack_config import StackConfig
from infra.definitions.handler_classes import HandlerClass
from tests.support.pipelines import CONTEXT, World


@pytest.mark.parametrize(
    ("allowed", "handled", "type_", "expected"),
    [
        ((), (), "anything", None),
        ((), ("BOOK",), "PAPER", None),
        ((), ("BOOK",), "book", "'BOOK', from which it differs only in case"),
        (("BOOK", "PAPER"), ("BOOK",), "BOOK", None),
        (("BOOK", "PAPER"), (), "BOK", "'BOOK', which is the closest; all: BOOK, PAPER"),
        (("BOOK", "PAPER"), (), "Paper", "'PAPER', from which it differs only in case"),
        (("BOOK", "PAPER"), (), "xyz", "one of BOOK, PAPER"),
    ],
)
def test_what_a_stack_takes(
    allowed: tuple[str, ...], handled: tuple[str, ...], type_: str, expected: str | None
) -> None:
    types = EntityTypes(allowed, handled)
    if expected is None:
        types.check(type_)
        return
    with pytest.raises(ValidationError) as caught:
        types.check(type_)
    assert str(caught.value) == f"type: {type_!r} is not allowed; expected {expected}"


def test_nothing_is_written_of_a_wrong_one() -> None:
    world = World()
    publisher = CommandPublisher(world.store, world.attributes, world.clock, types=EntityTypes(("BOOK",)))
    with pytest.raises(ValidationError, match="'BOOK'"):
        publisher.publish_async(CommandInput("book", "b1", "n", {}), CONTEXT)
    assert world.store.scan(COMMANDS).items == []
    assert publisher.publish_async(CommandInput("BOOK", "b1", "n", {}), CONTEXT) is not None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"allowed": 1, "handled": []}', '{"allowed": []}'])
def test_a_wrong_variable_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="ENTITY_TYPES"):
        EntityTypes.parse(text)


def config(**given: Any) -> StackConfig:
    return StackConfig.from_mapping(given)


CLASSES = [HandlerClass("sync_handler", "m.Books", (), "books", "BOOK"), HandlerClass("task_handler", "m.Job", ())]


def test_the_program_passes_the_types_of_handlers_and_targets() -> None:
    arn = "arn:aws:sqs:eu-west-1:123456789012:search"
    target = {"id": "search", "types": ["PAPER"], "kind": "sqs", "arn": arn}
    given = entity_types(config(entityTypes=["BOOK", "PAPER"], syncTargets=[target]), CLASSES)
    assert given == {"allowed": ["BOOK", "PAPER"], "handled": ["BOOK", "PAPER"]}
    assert EntityTypes.parse(json.dumps(given)) == EntityTypes(("BOOK", "PAPER"), ("BOOK", "PAPER"))


def test_a_handler_of_a_type_that_nobody_may_publish_is_refused() -> None:
    assert list(problems_of_types(config(entityTypes=["BOOK"]), CLASSES)) == []
    (problem,) = problems_of_types(config(entityTypes=["PAPER"]), CLASSES)
    assert problem == "cqrs:entityTypes: 'BOOK' is missing, which m.Books handles"
