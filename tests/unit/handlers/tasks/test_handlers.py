"""Task handlers are found by explicit types; mistakes end the start, naming the class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.core.context import InvokeContext
from handlers.core.errors import NotFound, RegistryError, ValidationError
from handlers.store.memory import MemoryTableStore
from handlers.store.port import DATA
from handlers.tasks.handlers import TaskCall, load_task_handlers, task_types
from tests.modules.airports import airport_input
from tests.support.pipelines import CONTEXT, World
from tests.support.written_modules import WriteModule, written_modules

HEADER = "from handlers.tasks.handlers import task_handler\n"
JOB = "@task_handler('{0}')\nclass {1}:\n    def run(self, given): return [given]\n"
CALL = TaskCall("TASK#t1#a#1", 1, None, CONTEXT)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    with written_modules(tmp_path, monkeypatch, HEADER) as write:
        yield write


def test_handlers_are_found_and_called(module: WriteModule) -> None:
    text = JOB.format("a", "A") + "@task_handler('b', expected_seconds=9)\nclass B:\n"
    text += (
        "    def __init__(self, clock): self.clock = clock\n    def run(self, given, call): return (given, call.id)\n"
    )
    name = module("task_ok", text)
    assert {one.name: one.expected_seconds for one in task_types([name]).values()} == {"a": 1.0, "b": 9.0}
    handlers = load_task_handlers([name], {"store": None, "clock": "the clock"})
    assert handlers.run("a", 1, CALL) == [1]
    assert handlers.run("b", 1, CALL) == (1, CALL.id)
    with pytest.raises(ValidationError, match="taskType: 'c' is not allowed; expected one of a, b"):
        handlers.run("c", 1, CALL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (JOB.format("a", "A") + JOB.format("a", "B"), r"wrong\.B: task type 'a' is already used by wrong\.A"),
        (JOB.format("A b", "A"), r"wrong\.A: task type 'A b' is not allowed; expected lower-case letters"),
        (JOB.format("a#b", "A"), r"task type 'a#b' is not allowed"),
        ("@task_handler('a', expected_seconds=0)\nclass A: pass\n", r"expected_seconds: 0 is not allowed"),
        ("@task_handler('a', expected_seconds=10**400)\nclass A: pass\n", r"expected_seconds: 10+\.\.\. is not"),
        ("@task_handler('a', expected_seconds=1e400)\nclass A: pass\n", r"above 0, at most 900"),
        ("@task_handler('a')\nclass A: pass\n", r"wrong\.A: a task handler needs a method run\(input\)"),
        (
            "@task_handler('a')\nclass A:\n    def run(self): pass\n",
            r"wrong\.A: run takes \(input\) or \(input, call\), not 0 parameters",
        ),
        (
            JOB.format("a", "A") + "    def __init__(self, disk): pass\n",
            r"unknown parameter 'disk'; available: clock, store",
        ),
    ],
)
def test_mistakes_end_the_start(module: WriteModule, text: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        load_task_handlers([module("wrong", text)], {"store": None, "clock": None})


def test_a_type_of_two_modules_is_refused(module: WriteModule) -> None:
    names = [module("task_one", JOB.format("a", "A")), module("task_two", JOB.format("a", "A"))]
    with pytest.raises(RegistryError, match=r"task_two\.A: task type 'a' is already used by task_one\.A"):
        task_types(names)


def test_the_sample_computes_the_distance_to_the_equator() -> None:
    world = World()
    row = dict.fromkeys(("iata", "city", "subd", "tz", "lid"), "")
    row.update(icao="LSZH", name="Zurich", country="CH", lat="47.46", lon="8.55", elevation="1416")
    world.publish_and_apply(airport_input(row))
    handlers = load_task_handlers(["tests.modules.airports"], {"store": world.store, "clock": world.clock})
    for _ in range(2):
        assert handlers.run("airport-distances", "LSZH", CALL) == {"kilometresToEquator": 5274}
    beside = world.store.get(DATA, "AIRPORT_DISTANCE#t1", "AIRPORT#LSZH")
    assert beside is not None
    assert (beside["kilometresToEquator"], beside["version"]) == (5274, 1)
    with pytest.raises(NotFound, match="XXXX"):
        handlers.run("airport-distances", "XXXX", CALL)
    other = TaskCall(CALL.id, 1, None, InvokeContext("u", "t2"))
    with pytest.raises(NotFound, match="TENANT#t2"):
        handlers.run("airport-distances", "LSZH", other)


def test_the_sample_leaves_a_later_version_alone() -> None:
    store = MemoryTableStore()
    airport = {"pk": "TENANT#t1", "sk": "AIRPORT#LSZH", "version": 3, "attributes": {"lat": 47.46}}
    later = {"pk": "AIRPORT_DISTANCE#t1", "sk": "AIRPORT#LSZH", "version": 4, "kilometresToEquator": 1}
    store.put(DATA, airport)
    store.put(DATA, later)
    load_task_handlers(["tests.modules.airports"], {"store": store, "clock": None}).run(
        "airport-distances", "LSZH", CALL
    )
    assert store.get(DATA, "AIRPORT_DISTANCE#t1", "AIRPORT#LSZH") == later
