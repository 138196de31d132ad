"""A cold start: from a function's specification to the callable that handles its events."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from local.functions.archive_modules import ArchiveModules, unmounted
from local.functions.environment import runtime_environment
from local.functions.model import HANDLER_NOT_FOUND, IMPORT_FAILED, FunctionError, FunctionSpec

SYNTAX_ERROR = "Runtime.UserCodeSyntaxError"

Handler = Callable[[Any, Any], Any]


class InitFailed(Exception):
    """The cold start failed; ``error`` is what Lambda reports."""

    def __init__(self, error: FunctionError) -> None:
        super().__init__(error.message)
        self.error = error


def start_instance(spec: FunctionSpec, modules: ArchiveModules, overrides: Mapping[str, Any]) -> Handler:
    """Import the function's module from its archive and create its handler.

    A module function ``create(env, **overrides) -> handler`` is preferred, which gets the overrides that it has
    parameters for; without it, the handler attribute is used, as in Lambda.

    Raises:
        InitFailed: the module can't be imported, has no such handler, or ``create`` raised.
    """
    module_name, _, attribute = spec.handler.replace("/", ".").rpartition(".")
    env = runtime_environment(spec)
    try:
        module = modules.load(module_name)
        create = getattr(module, "create", None)
        handler = _created(create, env, overrides) if create is not None else getattr(module, attribute, None)
    except SyntaxError as error:
        raise InitFailed(_error(SYNTAX_ERROR, f"Syntax error in module '{module_name}': {error}", error)) from error
    except ImportError as error:
        raise InitFailed(_error(IMPORT_FAILED, f"Unable to import module '{module_name}': {error}", error)) from error
    except Exception as error:  # boundary: Lambda reports any exception of the start
        raise InitFailed(_error(type(error).__name__, str(error), error)) from error
    if not callable(handler):
        raise InitFailed(FunctionError(HANDLER_NOT_FOUND, f"Handler '{attribute}' missing on module '{module_name}'"))
    return handler  # type: ignore[no-any-return]  # create is the archive's, its annotation isn't ours to see


def _created(create: Callable[..., Any], env: Mapping[str, str], overrides: Mapping[str, Any]) -> Any:
    taken = inspect.signature(create).parameters
    return create(env, **{name: value for name, value in overrides.items() if name in taken})


def _error(kind: str, message: str, error: BaseException) -> FunctionError:
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    return FunctionError(kind, unmounted(message), tuple(map(unmounted, stack)))
