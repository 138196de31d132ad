"""What classes may ask for: the same names in every function, made only when asked for."""

from __future__ import annotations

import pytest

from contract.collaborators import COLLABORATORS, OF_WORKFLOWS
from handlers.commands.ports import Ports
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.reader import EntityReader
from handlers.core.errors import ValidationError
from handlers.core.log import StepLogger
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.entrypoints.wiring.publishing import publishing
from handlers.entrypoints.wiring.settings import ApplicationSettings, StatesSettings
from handlers.objects.memory import MemoryObjects
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY
from tests.support.clock import ManualClock
from tests.support.pipelines import World
from tests.unit.handlers.test_settings import STATES


def collaborators() -> Collaborators:
    return Collaborators(ApplicationSettings(STATES), MemoryTableStore(), ManualClock(), objects=MemoryObjects())


def test_the_names_are_those_that_the_program_knows() -> None:
    assert sorted(collaborators()) == sorted(COLLABORATORS)
    world = World()
    ports = Ports(world.store, world.workflows, world.alarms, world.clock)
    more = publishing(collaborators(), ports, world.pipeline, StatesSettings(STATES))
    assert tuple(more) == OF_WORKFLOWS


def test_each_is_made_once_and_only_when_asked_for() -> None:
    made: list[str] = []
    lazy = collaborators().and_also({"costly": lambda: made.append("once") or "thing"})  # type: ignore[func-returns-value]
    assert "costly" in lazy
    assert sorted(lazy) == sorted((*COLLABORATORS, "costly"))
    assert made == []
    assert (lazy["costly"], lazy["costly"], made) == ("thing", "thing", ["once"])


def test_what_they_are() -> None:
    found = collaborators()
    kinds = {"publisher": CommandPublisher, "reader": EntityReader, "logger": StepLogger}
    assert {name: type(found[name]) for name in kinds} == kinds
    assert found["publisher"] is found["publisher"]


def test_application_code_reads_commands_data_and_history() -> None:
    assert application_tables(ApplicationSettings(STATES)) == {COMMANDS: "c", DATA: "d", HISTORY: "h"}


def test_objects_are_the_applications_own() -> None:
    objects = collaborators()["objects"]
    objects.put("application/a", b"1")
    assert objects.get("application/a", max_bytes=9) == b"1"
    objects.write("application/b", [b"1", b"2"])
    assert objects.get("application/b", max_bytes=9) == b"12"
    objects.delete("application/a")
    for key in ("reports/a", "application/", ""):
        with pytest.raises(ValidationError, match="a key that begins with application/"):
            objects.put(key, b"1")
