"""The application's own workflows: ``@workflow`` on a class with one method per Lambda state."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from contract.state_machines import EXPRESS, SOURCE, STANDARD
from handlers.commands.targets.registry import instance_of, marked_classes
from handlers.core.errors import RegistryError, ValidationError
from handlers.core.light_dataclasses import dataclass

_MARK = "__cqrs_workflow__"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class WorkflowEvent:
    """One entry of one state, as its method receives it.

    ``context`` is the part of the context object that the definition passes: ``Execution`` (``Id``, ``Name``,
    ``StartTime``, ``Input``), ``State`` (``EnteredTime``, ``Name``, ``RetryCount``) and ``StateMachine`` (``Id``,
    ``Name``). ``task_token`` is None unless the state waits for one. A method may be called again with the same event.
    """

    source: str
    context: Mapping[str, Any]
    input: Any
    task_token: str | None = None

    @property
    def state(self) -> str:
        """The state's name."""
        return str(self.context["State"]["Name"])

    @property
    def machine(self) -> str:
        """The state machine's name in AWS."""
        return str(self.context["StateMachine"]["Name"])

    @property
    def execution_name(self) -> str:
        """The execution's name: the same for every start with the same id."""
        return str(self.context["Execution"]["Name"])

    @classmethod
    def parse(cls, payload: Any) -> WorkflowEvent:
        """From the Lambda payload. Raises ValidationError naming what is missing or wrong."""
        source = payload.get("source") if isinstance(payload, Mapping) else payload
        if source != SOURCE:
            raise ValidationError("source", source, SOURCE)
        context = payload.get("context")
        for part in ("Execution", "State", "StateMachine"):
            found = context.get(part) if isinstance(context, Mapping) else None
            if not isinstance(found, Mapping) or not isinstance(found.get("Name"), str):
                raise ValidationError(f"context.{part}.Name", None, "a state's payload with this field")
        if "input" not in payload:
            raise ValidationError("input", None, "a state's payload with this field")
        return cls(source, context, payload["input"], payload.get("taskToken"))


def reason_of(error: Mapping[str, Any]) -> dict[str, str]:
    """Convert a Catch's ``{Error, Cause}`` to ``{error, cause}``, with the function's own message as the cause."""
    cause = error.get("Cause") or ""
    with suppress(ValueError, KeyError, TypeError):  # timeouts, and tokens failed by hand, have no such text
        cause = json.loads(cause)["errorMessage"]
    # A token that is failed by hand may have no error name.
    return {"error": str(error.get("Error") or "States.TaskFailed"), "cause": str(cause)}


C = TypeVar("C", bound=type)


def workflow(name: str, *, type: str = STANDARD) -> Callable[[C], C]:
    """Mark a class as the handler of the workflow ``name``, whose definition is ``<name>.asl.json`` next to the module.

    Each public method is the Lambda state of its name: it takes a ``WorkflowEvent`` and returns the state's result.
    The constructor may take collaborators by parameter name (see ``docs/application.md``). ``name`` and ``type``
    must be literals: the deployment reads them without running the module.
    """

    def mark(cls: C) -> C:
        setattr(cls, _MARK, (name, type))
        return cls

    return mark


@dataclass(frozen=True)
class WorkflowClass:
    """A marked class that isn't instantiated yet."""

    name: str
    kind: str
    cls: type

    @property
    def where(self) -> str:
        """The qualified name, for messages."""
        return f"{self.cls.__module__}.{self.cls.__name__}"


def mark_of(cls: type) -> WorkflowClass:
    """The class's ``@workflow`` mark. Raises RegistryError."""
    where = f"{cls.__module__}.{cls.__name__}"
    if _MARK not in vars(cls):
        raise RegistryError(f"{where}: not marked with @workflow")
    name, kind = vars(cls)[_MARK]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RegistryError(
            f"{where}: workflow name {name!r} is not allowed; expected letters, digits, '-' and '_', starting with a "
            "letter, at most 40 characters"
        )
    if kind not in (STANDARD, EXPRESS):
        raise RegistryError(f"{where}: workflow type {kind!r} is not allowed; expected {STANDARD} or {EXPRESS}")
    return WorkflowClass(name, kind, cls)


def workflow_classes(module_names: Iterable[str]) -> dict[str, WorkflowClass]:
    """The workflows of the modules, by name; instantiates no handler.

    Raises:
        RegistryError: a module can't be imported, or a name is invalid or used twice.
    """
    found: dict[str, WorkflowClass] = {}
    for module_name in module_names:
        for cls in marked_classes(module_name, _MARK):
            one = mark_of(cls)
            if one.name in found:
                raise RegistryError(f"{one.where}: workflow {one.name!r} is already used by {found[one.name].where}")
            found[one.name] = one
    return found


def build_workflows(classes: Mapping[str, WorkflowClass], collaborators: Mapping[str, Any]) -> dict[str, Any]:
    """Name to handler. Raises RegistryError: one has no state or takes an unknown collaborator."""
    built = {}
    for name, one in classes.items():
        first = next(iter(state_methods(one.cls)), "<state>")
        built[name] = instance_of(one.cls, one.where, collaborators, "a workflow", f"{first}(event)")
    return built


def state_methods(cls: type) -> list[str]:
    """The states that a class handles: its public methods."""
    return [name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")]
