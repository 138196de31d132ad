"""The application's sync handlers: found in the configured modules, by explicit ids.

A decorator only marks a class; importing registers nothing. The registry is built once per function at start-up and
rejects duplicates then, so a mistake shows at the first deployment and not at the first command.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from contract.targets import BUILT_IN
from handlers.core.errors import RegistryError
from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.commands.model import Command
    from handlers.commands.targets.previous import Before

#: Results that ``up`` may return: the target applied the version, or has a later one. A resync counts them; other
#: results, or none, have no meaning. The pipeline ignores results.
APPLIED = "APPLIED"
SKIPPED = "SKIPPED"
_MARK = "__cqrs_data_sync__"
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")


class SyncHandler(Protocol):
    """The interface of ``@sync_handler`` classes."""

    def up(self, command: Command) -> object:
        """Apply one version to the target. Must be conditional on (key, version); may be called again.

        May return APPLIED or SKIPPED. If ``up`` takes a second parameter, it receives the entity's state before this
        version (``Command`` or None), the same on every call.
        """
        ...


@dataclass(frozen=True)
class RemoteHandler:
    """A target in another project, from configuration rather than from a module."""

    id: str
    types: tuple[str, ...]
    handler: SyncHandler


C = TypeVar("C", bound=type)


def sync_handler(type_: str, *, id: str) -> Callable[[C], C]:
    """Mark a class as sync target ``id`` for commands of ``type_``.

    The constructor may take collaborators by parameter name (see ``docs/application.md``). An optional method
    ``empty()`` removes everything that the target has written, for ``./cqrs resync --rebuild``; it may be called again.
    """

    def mark(cls: C) -> C:
        setattr(cls, _MARK, (type_, id))
        return cls

    return mark


class Registry:
    """The sync handlers of a deployment."""

    def __init__(
        self,
        handlers: Mapping[str, tuple[str, SyncHandler]] | None = None,
        remote: Iterable[RemoteHandler] = (),
        emptying: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        """``handlers``: this project's, id to type and handler. ``emptying``: id to the function that empties it."""
        self._emptying = dict(emptying or {})
        self._handlers: dict[str, tuple[tuple[str, ...], SyncHandler]] = {
            target: ((type_,), handler) for target, (type_, handler) in (handlers or {}).items()
        }
        self._handlers.update({one.id: (one.types, one.handler) for one in remote})

    def sync_targets(self, type_: str) -> list[str]:
        """Ids of the targets for commands of a type, in stable order."""
        return sorted(target for target, (handled, _) in self._handlers.items() if type_ in handled)

    def sync_handler(self, target: str) -> SyncHandler:
        """The handler of a target. Raises RegistryError: it no longer exists, as after a deployment during a run."""
        if target not in self._handlers:
            raise RegistryError(f"sync target {target!r} is not registered; known: {sorted(self._handlers)}")
        return self._handlers[target][1]

    def emptying(self, target: str) -> Callable[[], object]:
        """The target's method ``empty``, which removes all that it has written. Raises RegistryError: it has none."""
        self.sync_handler(target)
        if target not in self._emptying:
            raise RegistryError(f"sync target {target!r} can't be rebuilt: its class has no method empty()")
        return self._emptying[target]

    def types_of(self, target: str) -> tuple[str, ...]:
        """The types of commands that a target receives. Raises RegistryError: no such target."""
        self.sync_handler(target)
        return self._handlers[target][0]


def load_registry(
    module_names: Iterable[str],
    collaborators: Mapping[str, Any],
    remote: Sequence[RemoteHandler] = (),
    *,
    before: Before,
) -> Registry:
    """Import the modules and build the registry, including the targets in other projects.

    ``before`` (``StatesBefore``) provides the second parameter of ``up``, for classes that take one.

    Raises:
        RegistryError: a module can't be imported, an id is invalid or used twice, or ``up`` has other parameters.
    """
    found: dict[str, tuple[str, Any]] = {}
    handlers: dict[str, tuple[str, SyncHandler]] = {}
    for module_name in module_names:
        for cls in marked_classes(module_name, _MARK):
            type_, target = getattr(cls, _MARK)
            where = f"{module_name}.{cls.__name__}"
            _check_id(where, target)
            if target in found:
                other = type(found[target][1])
                raise RegistryError(
                    f"{where}: sync target id {target!r} is already used by {other.__module__}.{other.__name__}"
                )
            handler = instance_of(cls, where, collaborators, "a sync handler", "up(command)")
            found[target] = (type_, handler)
            handlers[target] = (type_, _adapted(handler, where, before))
    places = {target: f"{type(handler).__module__}.{type(handler).__name__}" for target, (_, handler) in found.items()}
    for one in remote:
        _check_id("SYNC_TARGETS", one.id)
        if one.id in places:
            raise RegistryError(f"SYNC_TARGETS: sync target id {one.id!r} is already used by {places[one.id]}")
        places[one.id] = "SYNC_TARGETS"
    emptying = {target: one.empty for target, (_, one) in found.items() if callable(getattr(one, "empty", None))}
    return Registry(handlers, remote, emptying)


def _adapted(handler: SyncHandler, where: str, before: Before) -> SyncHandler:
    """A handler as the pipeline calls it: with the command only."""
    count = len(inspect.signature(handler.up).parameters)
    if count == 1:
        return handler
    if count != 2:
        raise RegistryError(f"{where}: up takes (command) or (command, previous), not {count} parameters")
    from handlers.commands.targets.previous import WithPrevious  # most handlers need no history

    return WithPrevious(handler.up, before)


def _check_id(where: str, target: object) -> None:
    if not isinstance(target, str) or not _ID.fullmatch(target) or target == BUILT_IN:
        raise RegistryError(
            f"{where}: sync target id {target!r} is not allowed; expected lower-case letters, digits and '-', "
            f"starting with a letter, and not {BUILT_IN!r}"
        )


def _import(module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except Exception as error:  # boundary: the application's module; start-up fails with one line
        detail = str(error) if isinstance(error, ImportError | SyntaxError) else f"{type(error).__name__}: {error}"
        raise RegistryError(f"handler module {module_name!r} can't be imported: {detail}") from error


def marked_classes(module_name: str, mark: str) -> list[type]:
    """The marked classes that a module defines itself. Raises RegistryError: the module can't be imported."""
    module = _import(module_name)
    classes = (value for value in vars(module).values() if inspect.isclass(value))
    return [cls for cls in classes if mark in vars(cls) and cls.__module__ == module.__name__]


def instance_of(cls: type, where: str, collaborators: Mapping[str, Any], what: str, method: str) -> Any:
    """Create an instance, with the collaborators that its constructor takes by name.

    Raises:
        RegistryError: it lacks ``method`` (``name(parameters)``), or takes an unknown parameter.
    """
    if not callable(getattr(cls, method.partition("(")[0], None)):
        raise RegistryError(f"{where}: {what} needs a method {method}")
    wanted = list(inspect.signature(cls).parameters) if "__init__" in vars(cls) else []
    unknown = [name for name in wanted if name not in collaborators]
    if unknown:
        raise RegistryError(f"{where}: unknown parameter {unknown[0]!r}; available: {', '.join(sorted(collaborators))}")
    return cls(**{name: collaborators[name] for name in wanted})
