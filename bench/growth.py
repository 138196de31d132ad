"""How AWS calls grow with commands, versions, entities, rows and items: the exponent, 1.00 for linear growth.

``log(calls of the larger run / calls of the smaller) / log(larger / smaller)``, counted on the local runtime.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cli.output import table
from cli.samples import modules as samples
from contract.options import TERMINAL
from contract.state_machines import STARTED_MACHINES
from handlers.commands.model import LATEST, CommandInput
from handlers.tasks.handlers import TaskType
from handlers.tasks.model import TaskLimits
from handlers.tasks.service import TaskService
from local.runtime import PROJECT_DIR
from local.testing.application import ApplicationTest
from local.testing.copies import with_module

COUNTED = ("dynamodb", "stepfunctions", "sns", "s3")
#: The compared sizes; both fill their batches.
SMALL, LARGE = 20, 80
MOST = 1.05
AIRPORTS = PROJECT_DIR / "data" / "airports.csv"
NAME = "bench_growth"
MODULES = [samples.ORDERS, samples.AIRPORTS]
SOURCE = '''"""A task of figures: its items do nothing."""

from typing import Any

from handlers import TaskCall, task_handler


@task_handler("bench", expected_seconds=0.1)
class Bench:
    """Nothing."""

    def run(self, given: Any, call: TaskCall) -> None:
        """Nothing."""
'''


def figures() -> tuple[object, str]:
    """The exponents of each workflow, as data and as a table."""
    with tempfile.TemporaryDirectory(prefix="cqrs-bench-") as folder:
        project = with_module(Path(folder), NAME, SOURCE)
        found = {workflow: exponents(workflow, project) for workflow in STARTED_MACHINES}
    rows = [(what, *(f"{found[workflow][what]:.3f}" for workflow in found)) for what in GROWS]
    title = f"How AWS calls grow from {SMALL} to {LARGE}: the exponent (at most {MOST})"
    return found, table(title, rows, header=("", *found))


def exponents(workflow: str, project: Path) -> dict[str, float]:
    """Kind of growth to its exponent. ``project``: the program with the module of the bench."""
    config = {
        "commandWorkflow": workflow,
        "statusDetail": TERMINAL,
        "handlerModules": [*MODULES, f"handlers.domain.{NAME}"],
    }
    with ApplicationTest(MODULES, config=config, project_dir=project) as app:
        return {what: _exponent(app, run) for what, run in GROWS.items()}


def _exponent(app: ApplicationTest, run: Callable[[ApplicationTest, int], None]) -> float:
    run(app, 2)  # excludes calls that only the first ones make
    small, large = (_calls_of(app, run, size) for size in (SMALL, LARGE))
    return math.log(large / small) / math.log(LARGE / SMALL)


def _calls_of(app: ApplicationTest, run: Callable[[ApplicationTest, int], None], size: int) -> int:
    before = _calls(app)
    run(app, size)
    return _calls(app) - before


def _calls(app: ApplicationTest) -> int:
    made = app.runtime.endpoint.calls
    return sum(number for (caller, service, _), number in made.items() if caller is not None and service in COUNTED)


_codes = (f"o{number}" for number in itertools.count())
_amounts = itertools.count(1)


def _order(app: ApplicationTest, code: str) -> None:
    number = next(_amounts)
    app.publish(
        CommandInput("ORDER", code, "an order", {"lines": [{"quantity": number, "price": 1.5}]}, version=LATEST)
    )


def _entities(app: ApplicationTest, count: int) -> None:
    for _ in range(count):
        _order(app, next(_codes))
    app.run()


def _versions(app: ApplicationTest, count: int) -> None:
    code = next(_codes)
    for _ in range(count):
        _order(app, code)
        app.run()


def _burst(app: ApplicationTest, count: int) -> None:
    code = next(_codes)
    for _ in range(count):
        _order(app, code)
    app.run()


def _rows(app: ApplicationTest, count: int) -> None:
    with AIRPORTS.open(encoding="utf-8") as file:
        head, *rows = itertools.islice(file, count * 3 + 1)
    app.import_file("airports", "".join([head, *rows[count * 2 :]]), name=f"airports-{next(_codes)}.csv")


def _items(app: ApplicationTest, count: int) -> None:
    service = TaskService(app.store, app.scheduler, {"bench": TaskType("bench", 0.1, object)}, TaskLimits(4, 60))
    service.create_step_function_task("bench", list(range(count)), app.context)
    app.run()


GROWS: Mapping[str, Callable[[ApplicationTest, int], None]] = {
    "entities, a command each": _entities,
    "versions of an entity, one after the other": _versions,
    "versions of an entity in one burst": _burst,
    "rows of a file": _rows,
    "items of a task": _items,
}
