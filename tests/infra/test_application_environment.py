"""The application's variables meet the functions' own ones."""

from __future__ import annotations

import pytest

from infra.components.application import Application
from infra.components.environments import Environment, check_names_of_variables
from infra.configuration.stack_config import ConfigError
from infra.outputs import with_outputs_of_application


def test_a_name_that_a_function_has_is_refused() -> None:
    environments: dict[str, Environment] = {"states": {"COLOUR": "green", "TASKS_TABLE": "t"}}
    check_names_of_variables({"COLOUR": "green"}, environments)
    with pytest.raises(ConfigError, match="cqrs:handlerEnvironment: TASKS_TABLE is not allowed"):
        check_names_of_variables({"TASKS_TABLE": "mine"}, environments)


def test_names_of_infra_application_are_held_to_the_same() -> None:
    with pytest.raises(ConfigError, match=r"infra/application\.py: environment: expected names"):
        Application(environment={"AWS_REGION": "x"})


def test_outputs_of_the_same_name_are_refused() -> None:
    assert with_outputs_of_application({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
    with pytest.raises(ConfigError, match="output 'a' is not allowed"):
        with_outputs_of_application({"a": 1}, {"a": 2})
