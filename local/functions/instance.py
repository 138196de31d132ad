"""A cold start: from a function's specification to the callable that handles its events."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local.functions.archive_modules import ArchiveModules
from local.functions.model import HANDLER_NOT_FOUND, IMPORT_FAILED, FunctionError, FunctionSpec

SYNTAX_ERROR = "Runtime.UserCodeSyntaxError"

Handler = Callable[[Any, Any], Any]


class InitFailed(Exception):
    """The cold start failed; ``error`` is what Lambda reports."""

    def __init__(self, error: FunctionError) -> None:
        super().__init__(error.message)
        self.error = error


def start_instance(spec: FunctionSpec, modules: ArchiveModules, overrides: Mapping[str, Any]) -> Handler:
    """Import the function's module from its archive and make its handler.

    A module function ``create(env, **overrides) -> handler`` is preferred; without it the handler attribute
    is used as Lambda does, and finds its variables in ``os.environ`` only while the module is imported
    (functions share this process).

    Raises:
        InitFailed: the module can't be imported, has no such handler, or ``create`` raised.
    """
    module_name, _, attribute = spec.handler.replace("/", ".").rpartition(".")
    env = runtime_environment(spec)
    try:
        with modules.isolated(), _environ(env):
            module = modules.load(module_name)
            create = getattr(module, "create", None)
            handler = create(env, **overrides) if create is not None else getattr(module, attribute, None)
    except SyntaxError as error:
        raise InitFailed(
            FunctionError(SYNTAX_ERROR, f"Syntax error in module '{module_name}': {error}", _stack(error))
        ) from error
    except ImportError as error:
        raise InitFailed(
            FunctionError(IMPORT_FAILED, f"Unable to import module '{module_name}': {error}", _stack(error))
        ) from error
    except Exception as error:  # boundary: Lambda reports any exception of the start
        raise InitFailed(FunctionError(type(error).__name__, str(error), _stack(error))) from error
    if not callable(handler):
        raise InitFailed(FunctionError(HANDLER_NOT_FOUND, f"Handler '{attribute}' missing on module '{module_name}'"))
    return handler  # type: ignore[no-any-return]  # create is the archive's, its annotation isn't ours to see


def runtime_environment(spec: FunctionSpec) -> dict[str, str]:
    """The function's own variables and those that Lambda sets (Lambda Developer Guide, "Using environment
    variables", reserved variables).
    """
    parts = spec.arn.split(":")
    region = parts[3] if len(parts) > 3 else ""
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "_HANDLER": spec.handler,
        **spec.env,
    }


@contextmanager
def _environ(values: Mapping[str, str]) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _stack(error: BaseException) -> tuple[str, ...]:
    return tuple(traceback.format_list(traceback.extract_tb(error.__traceback__)[1:]))
