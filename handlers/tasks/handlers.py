"""The application's task handlers: found in the configured modules, by explicit task types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from handlers.commands.targets.registry import instance_of, marked_classes
from handlers.core.errors import RegistryError, ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.arguments import seconds
from handlers.tasks.model import MAX_EXPECTED_SECONDS

if TYPE_CHECKING:
    from handlers.core.context import InvokeContext

_MARK = "__cqrs_task__"
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class TaskCall:
    """Information for a handler about its call, in addition to the input.

    ``id``: of the task or the item. A handler may be called again for the same (id, attempt): after a crash, or by a
    run that was considered dead. Its writes must be conditional or idempotent.
    """

    id: str
    attempt: int
    index: int | None
    context: InvokeContext


@dataclass(frozen=True)
class TaskType:
    """A type of tasks. ``expected_seconds``: per item; lists that would take too long are rejected."""

    name: str
    expected_seconds: float
    cls: type


C = TypeVar("C", bound=type)


def task_handler(type_: str, *, expected_seconds: float = 1.0) -> Callable[[C], C]:
    """Mark a class as handler of tasks of ``type_``: its ``run(input)`` or ``run(input, call)`` returns the result.

    The constructor may take collaborators by parameter name (see ``docs/application.md``).
    """

    def mark(cls: C) -> C:
        setattr(cls, _MARK, (type_, expected_seconds))
        return cls

    return mark


def task_types(module_names: Iterable[str]) -> dict[str, TaskType]:
    """The task types of the modules, by name; no handler is built.

    Raises:
        RegistryError: a module can't be imported, or a type is invalid or used twice.
    """
    found: dict[str, TaskType] = {}
    for module_name in module_names:
        for cls in marked_classes(module_name, _MARK):
            type_, given = getattr(cls, _MARK)
            where = f"{module_name}.{cls.__name__}"
            if not isinstance(type_, str) or not _TYPE.fullmatch(type_):
                raise RegistryError(
                    f"{where}: task type {type_!r} is not allowed; expected lower-case letters, digits and '-', "
                    "starting with a letter, at most 63 characters"
                )
            try:
                expected = seconds("expected_seconds", given, MAX_EXPECTED_SECONDS)
            except ValidationError as error:
                raise RegistryError(f"{where}: {error}") from None
            if type_ in found:
                other = found[type_].cls
                raise RegistryError(
                    f"{where}: task type {type_!r} is already used by {other.__module__}.{other.__name__}"
                )
            found[type_] = TaskType(type_, expected, cls)
    return found


class TaskHandlers:
    """The task handlers of a deployment."""

    def __init__(self, handlers: Mapping[str, Any]) -> None:
        self._runs = {type_: _run_of(handler) for type_, handler in handlers.items()}

    def run(self, type_: str, given: Any, call: TaskCall) -> Any:
        """Run the handler. Raises its errors, and ValidationError: there is no handler of this type."""
        run = self._runs.get(type_)
        if run is None:
            raise ValidationError("taskType", type_, one_of_types(self._runs))
        return run(given, call)


def one_of_types(known: Iterable[str]) -> str:
    """Text that lists the allowed task types."""
    return f"one of {', '.join(sorted(known)) or '(none is registered)'}"


def load_task_handlers(module_names: Iterable[str], collaborators: Mapping[str, Any]) -> TaskHandlers:
    """Import the modules and build their task handlers. Raises RegistryError."""
    return TaskHandlers(
        {
            type_: instance_of(
                one.cls, f"{one.cls.__module__}.{one.cls.__name__}", collaborators, "a task handler", "run(input)"
            )
            for type_, one in task_types(module_names).items()
        }
    )


def _run_of(handler: Any) -> Callable[[Any, TaskCall], Any]:
    count = len(inspect.signature(handler.run).parameters)
    if count not in (1, 2):
        where = f"{type(handler).__module__}.{type(handler).__name__}"
        raise RegistryError(f"{where}: run takes (input) or (input, call), not {count} parameters")
    return handler.run if count == 2 else lambda given, call: handler.run(given)
