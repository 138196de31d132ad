"""What keeps a file or an archive from being imported is its job's error by its own name, whoever reads the file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from handlers.core.errors import Nature
from handlers.imports.jobs.model import ImportJob
from tests.support.import_world import CONTEXT, ImportWorld
from tests.support.zip_world import ZipWorld, archive
from tests.support.zip_world import airports as csv_file
from tests.unit.handlers.imports.test_route import airports
from tests.unit.handlers.test_failure_policy import ERRORS

#: But for what readers of files use themselves.
SURE = [
    name
    for name, (error, nature) in ERRORS.items()
    if nature in (Nature.PERMANENT, Nature.MISCONFIGURED) and not isinstance(error, UnicodeDecodeError)
]


def raising(error: Exception) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    return refuse


def of_file(error: Exception, mode: str) -> ImportJob:
    world = ImportWorld(mode=mode)
    world.source.open = raising(error)  # type: ignore[method-assign]
    return world.import_file(airports("a", "b"))


def of_archive(error: Exception, _: str) -> ImportJob:
    world = ZipWorld()
    world.source.read_range = raising(error)  # type: ignore[method-assign]
    job = world.import_archive(archive(csv_file("a")))
    assert world.files(job) == []
    return job


@pytest.mark.parametrize(("read", "mode"), [(of_file, "DIRECT"), (of_file, "STEP_FUNCTION"), (of_archive, "")])
@pytest.mark.parametrize("name", SURE)
def test_imp_09_a_certain_error_is_reported_by_name(
    read: Callable[[Exception, str], ImportJob], mode: str, name: str
) -> None:
    error, _ = ERRORS[name]
    job = read(error, mode)
    assert (job.status, job.error) == ("FAILED", {"type": type(error).__name__, "message": str(error)})


@pytest.mark.parametrize(
    ("read", "mode", "told"),
    [
        (of_file, "STEP_FUNCTION", {"type": "MachineFailed", "message": "RuntimeError: broken"}),
        (of_archive, "", {"type": "RuntimeError", "message": "broken"}),
    ],
)
def test_imp_09_an_error_of_unknown_nature_is_reported_by_the_machine(
    read: Callable[[Exception, str], ImportJob], mode: str, told: dict[str, str]
) -> None:
    job = read(RuntimeError("broken"), mode)
    assert (job.status, job.error) == ("FAILED", told)


def test_the_log_of_an_unforeseen_error_holds_its_place_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    world = ImportWorld(mode="DIRECT")
    world.source.open = raising(ValueError("Ada, born 1815"))  # type: ignore[method-assign]
    world.put(airports("a"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT)
    with caplog.at_level(logging.INFO):
        world.loader.load(job.key)
    (record,) = (one for one in caplog.records if one.message == "file refused")
    fields: dict[str, Any] = record.fields  # type: ignore[attr-defined]
    assert (record.levelname, fields["code"], fields["errorType"]) == ("ERROR", "ValueError", "ValueError")
    assert any("raising" in one or "refuse" in one for one in fields["raisedAt"])
    assert "Ada" not in str(fields)
