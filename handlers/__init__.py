"""The public names for application code: ``from handlers import Command, sync_handler``.

Importing this package loads none of its modules. A name is looked up at its first use by the module's ``__getattr__``
(PEP 562), so a function's cold start pays only for what its own modules use. Type checkers and editors read the imports
below. These names are stable; modules and their other contents may change without a changelog entry.

Never imports ``infra``, ``local`` or Pulumi.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
    from handlers.commands.model import LATEST, Command, CommandInput
    from handlers.commands.publishing.entity_types import EntityTypes
    from handlers.commands.publishing.publisher import CommandPublisher
    from handlers.commands.publishing.retry import publish_with_retry
    from handlers.commands.publishing.sync_publisher import SyncPublisher
    from handlers.commands.reader import EntityReader, Listing, VersionState
    from handlers.commands.status import is_done, is_failed
    from handlers.commands.targets.registry import APPLIED, SKIPPED, sync_handler
    from handlers.core.clock import Clock, SystemClock
    from handlers.core.context import InvokeContext
    from handlers.core.errors import (
        CommandFailed,
        CqrsError,
        NotFound,
        PendingVersions,
        RequestConflict,
        RequestWithdrawn,
        SkipRefused,
        TokenGone,
        TransientConflict,
        TransientError,
        TransientThrottle,
        ValidationError,
        VersionConflict,
        WrongStatus,
    )
    from handlers.core.keys import MAX_REQUEST_ID_CHARS
    from handlers.core.log import StepLogger, log_step
    from handlers.core.values.json_values import check_json
    from handlers.imports.rows.preparation import prepare as prepare_row
    from handlers.imports.service import ImportService
    from handlers.imports.strategy import CHANGED, EQUAL, NOT_EXIST, ImportStrategy, Row, import_strategy
    from handlers.objects.memory import MemoryObjects
    from handlers.objects.port import Objects
    from handlers.objects.s3 import S3Objects
    from handlers.operations.explain import Explainer
    from handlers.operations.key_text import parse_key
    from handlers.operations.skip import Skipper
    from handlers.secrets.memory import MemorySecrets
    from handlers.secrets.port import Secrets, SecretUnavailable
    from handlers.state_machines.memory import MemoryCustomWorkflows
    from handlers.state_machines.port import CustomWorkflows
    from handlers.store.conditions import Condition, absent, at_most, equals, exists, less, one_of
    from handlers.store.dynamodb import DynamoTableStore
    from handlers.store.memory import MemoryTableStore
    from handlers.store.port import (
        DATA,
        HISTORY,
        Change,
        Check,
        ConditionFailed,
        Delete,
        Item,
        Put,
        TableStore,
        TransactionFailed,
        Update,
    )
    from handlers.tasks.handlers import TaskCall, TaskType, task_handler, task_types
    from handlers.tasks.model import TaskLimits
    from handlers.tasks.retry import TaskOperations
    from handlers.tasks.service import TaskService
    from handlers.workflows.approval_states import ApprovalStates
    from handlers.workflows.approvals import BROKEN as APPROVAL_BROKEN
    from handlers.workflows.approvals import MAX_TEXT_CHARS as MAX_APPROVAL_TEXT_CHARS
    from handlers.workflows.approvals import AlreadyDecided, Approvals
    from handlers.workflows.keys import approval_partition, approval_sk, saga_partition
    from handlers.workflows.saga import SagaIsUndone, SagaLog
    from handlers.workflows.saga_steps import Saga, SagaRequest, SagaStep
    from handlers.workflows.workflow import WorkflowEvent, reason_of, workflow

__all__ = [
    "APPLIED",
    "APPROVAL_BROKEN",
    "CHANGED",
    "DATA",
    "DEFAULT_KIND",
    "EQUAL",
    "HISTORY",
    "LATEST",
    "MAX_APPROVAL_TEXT_CHARS",
    "MAX_REQUEST_ID_CHARS",
    "NOT_EXIST",
    "SKIPPED",
    "AlreadyDecided",
    "ApprovalStates",
    "Approvals",
    "AttributeStore",
    "Change",
    "Check",
    "Clock",
    "Command",
    "CommandFailed",
    "CommandInput",
    "CommandPublisher",
    "Condition",
    "ConditionFailed",
    "CqrsError",
    "CustomWorkflows",
    "Delete",
    "DynamoTableStore",
    "EntityKey",
    "EntityReader",
    "EntityTypes",
    "Explainer",
    "ImportService",
    "ImportStrategy",
    "InvokeContext",
    "Item",
    "Listing",
    "MemoryCustomWorkflows",
    "MemoryObjects",
    "MemorySecrets",
    "MemoryTableStore",
    "NotFound",
    "Objects",
    "PendingVersions",
    "Put",
    "RequestConflict",
    "RequestWithdrawn",
    "Row",
    "S3Objects",
    "Saga",
    "SagaIsUndone",
    "SagaLog",
    "SagaRequest",
    "SagaStep",
    "SecretUnavailable",
    "Secrets",
    "SkipRefused",
    "Skipper",
    "StepLogger",
    "SyncPublisher",
    "SystemClock",
    "TableStore",
    "TaskCall",
    "TaskLimits",
    "TaskOperations",
    "TaskService",
    "TaskType",
    "TokenGone",
    "TransactionFailed",
    "TransientConflict",
    "TransientError",
    "TransientThrottle",
    "Update",
    "ValidationError",
    "VersionConflict",
    "VersionKey",
    "VersionState",
    "WorkflowEvent",
    "WrongStatus",
    "absent",
    "approval_partition",
    "approval_sk",
    "at_most",
    "check_json",
    "equals",
    "exists",
    "import_strategy",
    "is_done",
    "is_failed",
    "less",
    "log_step",
    "one_of",
    "parse_key",
    "prepare_row",
    "publish_with_retry",
    "reason_of",
    "saga_partition",
    "sync_handler",
    "task_handler",
    "task_types",
    "workflow",
]

#: Module below this package to the names that come from it, ``new=old`` if it is called ``old`` there. This repeats the
#: imports above, which type checkers require; ``tests/unit/test_application_face.py`` compares both.
_NAMES = {
    "commands.attributes": "AttributeStore",
    "commands.keys": "DEFAULT_KIND EntityKey VersionKey",
    "commands.model": "LATEST Command CommandInput",
    "commands.publishing.entity_types": "EntityTypes",
    "commands.publishing.publisher": "CommandPublisher",
    "commands.publishing.retry": "publish_with_retry",
    "commands.publishing.sync_publisher": "SyncPublisher",
    "commands.reader": "EntityReader Listing VersionState",
    "commands.status": "is_done is_failed",
    "commands.targets.registry": "APPLIED SKIPPED sync_handler",
    "core.clock": "Clock SystemClock",
    "core.context": "InvokeContext",
    "core.errors": (
        "CommandFailed CqrsError NotFound PendingVersions RequestConflict RequestWithdrawn SkipRefused TokenGone "
        "TransientConflict TransientError TransientThrottle ValidationError VersionConflict WrongStatus"
    ),
    "core.values.json_values": "check_json",
    "core.keys": "MAX_REQUEST_ID_CHARS",
    "core.log": "StepLogger log_step",
    "imports.rows.preparation": "prepare_row=prepare",
    "imports.service": "ImportService",
    "imports.strategy": "CHANGED EQUAL NOT_EXIST ImportStrategy Row import_strategy",
    "objects.memory": "MemoryObjects",
    "objects.port": "Objects",
    "objects.s3": "S3Objects",
    "operations.explain": "Explainer",
    "operations.key_text": "parse_key",
    "operations.skip": "Skipper",
    "secrets.memory": "MemorySecrets",
    "secrets.port": "SecretUnavailable Secrets",
    "state_machines.memory": "MemoryCustomWorkflows",
    "state_machines.port": "CustomWorkflows",
    "store.conditions": "Condition absent at_most equals exists less one_of",
    "store.dynamodb": "DynamoTableStore",
    "store.memory": "MemoryTableStore",
    "store.port": "DATA HISTORY Change Check ConditionFailed Delete Item Put TableStore TransactionFailed Update",
    "tasks.handlers": "TaskCall TaskType task_handler task_types",
    "tasks.model": "TaskLimits",
    "tasks.retry": "TaskOperations",
    "tasks.service": "TaskService",
    "workflows.approval_states": "ApprovalStates",
    "workflows.approvals": "APPROVAL_BROKEN=BROKEN MAX_APPROVAL_TEXT_CHARS=MAX_TEXT_CHARS AlreadyDecided Approvals",
    "workflows.keys": "approval_partition approval_sk saga_partition",
    "workflows.saga": "SagaIsUndone SagaLog",
    "workflows.saga_steps": "Saga SagaRequest SagaStep",
    "workflows.workflow": "WorkflowEvent reason_of workflow",
}
_PLACES = {
    name.partition("=")[0]: (module, name.rpartition("=")[2])
    for module, names in _NAMES.items()
    for name in names.split()
}

if not TYPE_CHECKING:  # otherwise a type checker would accept any name

    def __getattr__(name: str) -> object:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, attribute = _PLACES[name]
        found = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
        globals()[name] = found  # later accesses skip this function
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
