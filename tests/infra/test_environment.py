"""Each function's environment is what its settings read, in both directions, and they accept it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from handlers.core.errors import SettingsError
from handlers.entrypoints.wiring import settings
from tests.support.evaluation import Evaluation

#: Read by the entry points' shared frame (handlers/entrypoints/wiring/lazy.py), for every function.
BY_THE_FRAME = {"LOG_LEVEL"}


class Watched(Mapping[str, str]):
    """An environment that notes what is asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings must ask for variables by name")

    def __len__(self) -> int:
        return len(self._values)


def settings_of(function: str) -> Any:
    """``EventsSettings`` of ``handlers.entrypoints.events``."""
    name = "".join(part.capitalize() for part in function.split("_")) + "Settings"
    found = getattr(settings, name, None)
    assert found is not None, f"handlers/entrypoints/wiring/settings.py has no {name} for the function {function!r}"
    return found


def test_environment_and_settings_agree_in_both_directions(stack: Evaluation) -> None:
    functions = stack.of_type("aws:lambda/function:Function")
    assert functions
    for props in functions.values():
        function = props["handler"].split(".")[-2]
        given = Watched(props["environment"]["variables"])
        settings_of(function)(given)
        unset, unread = given.asked - set(given._values), set(given._values) - given.asked - BY_THE_FRAME
        assert not unset, f"{function} reads {', '.join(sorted(unset))}, which infra does not set"
        assert not unread, f"infra sets {', '.join(sorted(unread))} for {function}, which nothing reads"


def test_every_settings_class_belongs_to_a_function(dev: Evaluation) -> None:
    handlers = [props["handler"] for props in dev.of_type("aws:lambda/function:Function").values()]
    used = {settings_of(handler.split(".")[-2]).__name__ for handler in handlers}
    # That which several share is used by all of them.
    assert used | {"ApplicationSettings", "PipelineSettings"} == {
        name for name in vars(settings) if name.endswith("Settings")
    }


def test_values_are_texts(stack: Evaluation) -> None:
    for name, props in stack.of_type("aws:lambda/function:Function").items():
        for key, value in props["environment"]["variables"].items():
            assert isinstance(value, str), f"{name}: {key}"
            assert value or key == "HANDLER_MODULES", f"{name}: {key} is empty"


def test_the_watch_sees_both_faults() -> None:
    given = Watched({"COMMANDS_TABLE": "c", "TASKS_TABLE": "t", "EXTRA": "x"})
    with pytest.raises(SettingsError):
        settings.EventsSettings(given)
    assert given.asked - set(given._values) == {"COMMAND_STATE_MACHINE_ARN"}
    assert set(given._values) - given.asked == {"EXTRA"}
