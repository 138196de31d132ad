"""EDGE-45: application threads import modules for the first time while functions are started from an archive."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.functions.host import FunctionHost
from local.functions.model import FunctionSpec, InvokeResult
from local.scheduler import Scheduler

PACKAGE = "edge45"
MODULES = 120
STARTS = 40
PATIENCE_SECONDS = 60.0


def write_package(directory: Path, label: str) -> None:
    """A package whose modules import each other in a chain and again by name in functions."""
    package = directory / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"LABEL = {label!r}\n")
    for number in range(MODULES):
        following = f"from {PACKAGE} import m{number + 1}\n" if number % 10 != 9 and number + 1 < MODULES else ""
        (package / f"m{number}.py").write_text(
            f"from {PACKAGE} import LABEL\nimport {PACKAGE}\n{following}"
            f"def label():\n    from {PACKAGE} import LABEL as late\n    assert late == LABEL\n    return late\n"
        )
    (package / "entry.py").write_text(
        f"from {PACKAGE} import m0, m10, m20, m30\n"
        f"def create(env, **overrides):\n"
        f"    import importlib\n"
        f"    late = importlib.import_module('{PACKAGE}.m' + env['NUMBER'])\n"
        f"    return lambda event, context: sorted({{m0.label(), m10.label(), late.label()}})\n"
    )


@pytest.fixture
def on_path(tmp_path: Path) -> Iterator[Path]:
    """The process's own package of the same name as the archives'."""
    write_package(tmp_path / "process", "process")
    sys.path.insert(0, str(tmp_path / "process"))
    yield tmp_path
    sys.path.remove(str(tmp_path / "process"))
    for name in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.mark.parametrize("archives", [1, 4])
def test_edge_45_imports_in_threads_at_every_cold_start(on_path: Path, archives: int) -> None:
    """Nobody waits for anybody for ever, and nobody sees another one's modules."""
    scheduler = Scheduler.real()
    host = FunctionHost(scheduler)
    for number in range(archives):
        write_package(on_path / str(number), f"archive {number}")
    names = [f"f{number}" for number in range(archives)]
    for number, name in enumerate(names):
        host.register(spec(name, on_path / str(number), 0))
    labels: list[str] = []
    failures: list[BaseException] = []

    def import_all(first: int) -> None:
        try:
            for number in range(MODULES):
                module = importlib.import_module(f"{PACKAGE}.m{(first + number) % MODULES}")
                labels.append(module.label())
                time.sleep(0)  # let others in; no waiting
        except BaseException as error:  # noqa: BLE001 - boundary: told to the test
            failures.append(error)

    def start_again_and_again() -> list[InvokeResult]:
        results = []
        for turn in range(STARTS):
            for number, name in enumerate(names):
                host.update(spec(name, on_path / str(number), turn % MODULES))
                results.append(host.invoke(name, {}))
        return results

    threads = [threading.Thread(target=import_all, args=(10 * n,), daemon=True) for n in range(8)]
    task = scheduler.spawn(start_again_and_again)
    for thread in threads:
        thread.start()
    scheduler.run_until(lambda: task.future.done, timeout=PATIENCE_SECONDS)
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    scheduler.stop()

    assert not [thread for thread in threads if thread.is_alive()]
    assert failures == []
    assert set(labels) == {"process"}
    results = task.future.result()
    assert [(one.payload, one.error) for one in results] == [
        ([f"archive {number}"], None) for _ in range(STARTS) for number in range(archives)
    ]


def spec(name: str, directory: Path, number: int) -> FunctionSpec:
    return FunctionSpec(
        name=name,
        arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        handler=f"{PACKAGE}.entry.handler",
        archive_dir=directory,
        env={"NUMBER": str(number)},
        timeout_s=10.0,
    )
