"""Evaluates a Pulumi program in this process, with the engine replaced by our own monitor.

Pulumi keeps its state (settings, configuration, root resource, pending work) in context variables. ``asyncio.Runner``
runs each evaluation in a copy of the context, with a separate event loop and worker thread, so that no state is left
and the next one starts clean. There is one worker thread, because the SDK passes registrations to the loop's executor:
in one thread they run one after the other, in the order in which their inputs became ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import runpy
import sys
import traceback
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import pulumi
from pulumi.runtime import settings
from pulumi.runtime.mocks import Mocks
from pulumi.runtime.stack import Stack as RootStack
from pulumi.runtime.stack import run_pulumi_func

from infra.refusal import Refused
from local.aws.bounds import rarer_collections
from local.deploy.errors import DeployError
from local.deploy.project import Stack

log = logging.getLogger("cqrs.local.deploy")

PROGRAM = "__main__.py"


class Engine(Mocks):
    """Mocks that can be told to create nothing more."""

    @abstractmethod
    def abort(self, error: DeployError) -> None:
        """Called when the program fails. Its remaining registrations must be refused with ``error``."""


class Evaluate(Protocol):
    """Evaluates a program: ``evaluate``, or a test's replay of its registrations."""

    def __call__(self, project_dir: Path, stack: Stack, engine: Engine) -> dict[str, Any]:
        """See ``evaluate``."""
        ...


def evaluate(project_dir: Path, stack: Stack, engine: Engine, *, preview: bool = False) -> dict[str, Any]:
    """Run the program of ``project_dir`` against ``engine``, and return its outputs as plain values.

    With ``preview``, outputs of new resources are unknown, as in ``pulumi preview``.

    Raises:
        DeployError: the program refused its configuration or failed, or ``engine`` refused a resource.
    """
    program = project_dir / PROGRAM
    if not program.is_file():
        raise DeployError(f"no {PROGRAM} in {project_dir}")
    executor = ThreadPoolExecutor(1, thread_name_prefix="cqrs-deploy")
    errors = _Errors()
    log.addFilter(errors)
    try:
        with rarer_collections(), asyncio.Runner() as runner, _importable(project_dir):
            runner.get_loop().set_default_executor(executor)
            runner.get_loop().set_exception_handler(_unretrieved)
            try:
                outputs = runner.run(_run(program, stack, engine, preview))
            finally:
                executor.submit(_close_loop_of_thread).result()
        if errors.texts:
            raise DeployError("\n".join(errors.texts))
        return outputs
    except DeployError:
        raise
    except Exception as error:  # boundary: any error of the program becomes a readable line
        raise DeployError(_readable(error, project_dir)) from error
    except Refused as error:
        raise DeployError(error.text) from error
    except SystemExit as error:
        raise DeployError(f"{PROGRAM} ended the process: {error}") from error
    finally:
        log.removeFilter(errors)
        executor.shutdown()


class _Errors(logging.Filter):
    """Collects errors that the program logs. They would fail an update in the engine, so they are raised instead."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            return True
        self.texts.append(record.getMessage())
        return False


async def _run(program: Path, stack: Stack, engine: Engine, preview: bool) -> dict[str, Any]:
    settings.SETTINGS.outputs = set()  # otherwise, tasks of a failed evaluation would be awaited here
    settings.ROOT.set(None)
    pulumi.runtime.set_all_config(dict(stack.config))
    pulumi.runtime.set_mocks(engine, project=stack.project, stack=stack.name, preview=preview, logger=log)
    root = settings.get_root_resource()
    assert isinstance(root, RootStack)
    # run_name is that of the Pulumi executor, since the program may check it
    await run_pulumi_func(lambda: _execute(program, engine))
    return _plain(await pulumi.Output.from_input(root.outputs).future())


def _execute(program: Path, engine: Engine) -> None:
    """Run the program's code. Registrations only start afterwards, so a program that fails here creates nothing."""
    try:
        runpy.run_path(str(program), run_name="__main__")
    except BaseException as error:
        engine.abort(DeployError(_readable(error, program.parent)))
        raise


def _plain(outputs: Mapping[str, Any] | None) -> dict[str, Any]:
    missing = sorted(name for name, value in (outputs or {}).items() if value is None)
    if missing:
        raise DeployError(f"outputs without a value: {', '.join(missing)}")
    return dict(outputs or {})


@contextlib.contextmanager
def _importable(project_dir: Path) -> Iterator[None]:
    """Inside, the program's folder is importable, as with the Pulumi executor."""
    path = str(project_dir)
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)


def _unretrieved(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log errors that weren't awaited: those of outputs that depend on the failed resource, which is reported."""
    log.debug("%s", context.get("message"), exc_info=context.get("exception"))


def _close_loop_of_thread() -> None:
    """Close the event loop that the SDK created for the thread."""
    with contextlib.suppress(RuntimeError):
        asyncio.get_event_loop_policy().get_event_loop().close()


def _readable(error: BaseException, project_dir: Path) -> str:
    """The message to show: a refusal's text, or an error with its location in the program."""
    cause: BaseException | None = error
    seen: set[int] = set()  # the SDK's future of a failed invoke raises an error that is its own cause
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, (DeployError, Refused, pulumi.RunError)):
            return str(cause)
        seen.add(id(cause))
        cause = cause.__cause__
    if isinstance(error, SyntaxError):
        where = Path(error.filename).name if error.filename else PROGRAM
        return f"{where}:{error.lineno}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _inside(frame.filename, project_dir)]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"the program failed: {type(error).__name__}: {error}{place}"


def _inside(filename: str, project_dir: Path) -> bool:
    path = Path(filename)
    return path.is_relative_to(project_dir) and not {"site-packages", "local"} & set(path.parts)
