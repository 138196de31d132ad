"""The test kit for applications: deploys the program with some modules, in virtual time, without AWS.

    with ApplicationTest(["handlers.domain.orders"]) as app:
        app.publish(CommandInput("ORDER", "o1", "First", {"lines": []}))
        app.run()
        assert app.outcome("ORDER", "o1") == "APPLIED"

Waits, retries and timeouts take no real time. A deployment takes about a second of CPU time.
"""

from __future__ import annotations

import atexit
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from contract import outputs
from contract.functions import FUNCTIONS, LOADER, TASKS
from contract.objects import IMPORTS
from contract.tables import TABLES
from handlers.commands.attributes import AttributeStore
from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.publishing.entity_types import EntityTypes
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.reader import EntityReader
from handlers.core.context import InvokeContext
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.collaborators import Collaborators
from handlers.entrypoints.wiring.settings import ApplicationSettings
from handlers.imports.jobs.model import ImportJob
from handlers.imports.service import ImportService
from handlers.objects.s3 import S3Objects
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from handlers.store.dynamodb import DynamoTableStore
from handlers.tasks.model import Task, TaskLimits
from handlers.tasks.service import TaskService
from local.aws.clients import client
from local.functions.model import InvokeResult, SimulatedCrash
from local.runtime import PROJECT_DIR, LocalRuntime
from local.scheduler import Scheduler
from local.secrets import variable_of
from local.sources.faults import DeliveryFaults
from local.states.running.executions import RUNNING, Execution
from local.testing.faults import CallFaults
from local.testing.people import People, somebody_else
from local.testing.replay import ReplayedEvaluation
from local.testing.subscription import Subscription

#: The program is evaluated once per configuration and process, as this takes most of a deployment's time.
_REPLAYED = ReplayedEvaluation()


@dataclass(frozen=True)
class Notification:
    """A message that subscribers of the main topic get. ``content`` has no record data."""

    action: str
    content: Mapping[str, Any]


class ApplicationTest:
    """A deployment of modules. A context manager that removes everything on exit.

    Args:
        modules: as in ``cqrs:handlerModules``.
        config: further configuration, as in the stack's file; lists and objects as Python values.
        secrets: their values, by the names in ``cqrs:handlerSecrets``.
        tenant, user: who publishes, creates tasks and imports.
        seed: determines the order of concurrent work.
    """

    def __init__(
        self,
        modules: Sequence[str],
        *,
        config: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        tenant: str = "t1",
        user: str = "me",
        seed: int = 0,
        project_dir: Path = PROJECT_DIR,
        stack: str = "dev",
    ) -> None:
        self.modules = tuple(modules)
        self.context = InvokeContext(user, tenant)
        self.scheduler = Scheduler.virtual(seed)
        given = {"handlerModules": list(modules), **(config or {})}
        self.faults = CallFaults()
        self._deliveries = DeliveryFaults(random.Random(seed))
        self.runtime = LocalRuntime(
            project_dir=project_dir,
            stack=stack,
            scheduler=self.scheduler,
            evaluate=_REPLAYED,
            faults=self.faults,
            delivery_faults=self._deliveries,
            work_dir=shared_work_dir(),
            config={key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()},
            secrets={variable_of(name): text for name, text in (secrets or {}).items()},
        )

    def __enter__(self) -> ApplicationTest:
        self.runtime.start()
        self._outputs = self.runtime.outputs
        region = self.runtime.endpoint.region
        tables = {name: self._outputs[outputs.TABLE_NAME[name]] for name in TABLES}
        self.store = DynamoTableStore(client("dynamodb", region), tables)
        bucket = S3Objects(lambda: client("s3", region), self._outputs[outputs.BUCKET_NAME])
        self._attributes = AttributeStore(bucket, self._outputs[outputs.INLINE_ATTRIBUTE_LIMIT])
        self.reader = EntityReader(self.store, self.scheduler, self._attributes.decoded, sleep=self.scheduler.run_for)
        self.publisher = CommandPublisher(
            self.store,
            self._attributes,
            self.scheduler,
            types=EntityTypes(**self._outputs[outputs.ENTITY_TYPES]),
        )
        self._alarms = Subscription(self._outputs[outputs.ALARM_TOPIC_ARN], "test-alarms", region)
        self._notifications = Subscription(self._outputs[outputs.MAIN_TOPIC_ARN], "test-messages", region)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.runtime.stop()

    # -- actions -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run until nothing is left to do. Approvals that nobody decides expire."""
        self.scheduler.run_until_idle()

    def run_for(self, seconds: float) -> None:
        """Let this time pass and run everything due in it; the sweeper, for example, runs every five minutes."""
        self.scheduler.run_for(seconds)

    def publish(self, given: CommandInput, request_id: str | None = None) -> Command | None:
        """Accept a command; ``run`` applies it. Raises what ``publish_async`` raises."""
        context = InvokeContext(self.context.user_id, self.context.tenant_code, request_id=request_id)
        return self.publisher.publish_async(given, context)

    def task(self, type_: str, given: Any) -> Task:
        """Create a task for one input, run it, and return the ended task."""
        task = self._tasks.create_task(type_, given, self.context)
        self.run()
        return self._tasks.get_task(task.id, self.context)

    def task_over(self, type_: str, items: Sequence[Any]) -> Task:
        """The same for a list of inputs, by the task state machine."""
        task = self._tasks.create_step_function_task(type_, list(items), self.context)
        self.run()
        return self._tasks.get_task(task.id, self.context)

    def import_file(self, table: str, content: str | bytes, name: str = "file.csv") -> ImportJob:
        """Import a file and return the finished job."""
        key = f"{IMPORTS}{self.context.tenant_code}/{name}"
        body = content.encode() if isinstance(content, str) else content
        client("s3", self.runtime.endpoint.region).put_object(
            Bucket=self._outputs[outputs.BUCKET_NAME], Key=key, Body=body
        )
        job = self._imports.create_csv_import(table, self._outputs[outputs.BUCKET_NAME], key, self.context)
        self.run()
        return self._imports.get_import(job.id, self.context)

    def start(self, workflow: str, given: Mapping[str, Any], id_: str = "test 1") -> Execution:
        """Start a workflow and run it until it ends or waits for an answer.

        The execution that is returned has ``status``, ``output`` and ``error``.
        """
        arns = self._outputs[outputs.CUSTOM_STATE_MACHINE_ARNS]
        workflows = StepFunctionsWorkflows(lambda: client("stepfunctions", self.runtime.endpoint.region), arns)
        arn = workflows.start(workflow, given, id_)
        execution = self.runtime.executions.describe_execution(arn)
        self.scheduler.run_until(lambda: execution.status != RUNNING or execution.waits_for_answer)
        return execution

    def crash(self, function: str, *, times: int = 1) -> None:
        """Make the next calls of a function crash immediately. Raises ValueError if there is no such function."""
        if function not in FUNCTIONS:
            raise ValueError(f"no function {function!r}; there are {', '.join(FUNCTIONS)}")
        left = [times]

        def crashing(called: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if called.endswith(f"-{function}") and left[0] > 0:
                left[0] -= 1
                raise SimulatedCrash
            return proceed(payload)

        self.runtime.host.interceptors.append(crashing)

    def fail_call(self, call: str, code: str | None = None, *, times: int = 1) -> None:
        """Make the functions' next calls of, say, ``dynamodb.PutItem`` fail with ``code``; by default throttled.

        Raises:
            ValueError: there is no such call.
        """
        self.faults.plan(call, code, times)

    def disturb(self, *, duplicates: float = 0.0, delay: float = 0.0) -> None:
        """From now on deliver batches of streams and queues twice with this probability, and up to ``delay`` s late."""
        self._deliveries.duplicate, self._deliveries.duplicate_after, self._deliveries.delay = duplicates, delay, delay

    def approve(self, workflow: str, request_id: str) -> None:
        """Approve as another user and run the workflow on. Raises what ``Approvals.approve`` raises."""
        self._people.approve(workflow, request_id, somebody_else(self.context))
        self.run()

    def reject(self, workflow: str, request_id: str, reason: str) -> None:
        """Reject as another user and run the workflow on. Raises what ``Approvals.reject`` raises."""
        self._people.reject(workflow, request_id, somebody_else(self.context), reason)
        self.run()

    def redrive(self, type_: str, code: str, version: int = 1) -> list[str]:
        """Redrive a failed version and run until it ends. Raises NotFound."""
        outcomes = self._people.redrive(VersionKey(self._key(type_, code), version))
        self.run()
        return outcomes

    # -- queries -----------------------------------------------------------------------------------------

    def get(self, type_: str, code: str) -> Command | None:
        """The entity as currently applied."""
        return self.reader.get(self._key(type_, code))

    def outcome(self, type_: str, code: str, version: int = 1) -> str | None:
        """APPLIED, FAILED, SKIPPED or OPEN; None if there is no such version."""
        state = self.reader.version(self._key(type_, code), version)
        return None if state is None else state.outcome

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """This tenant's rows of a projection: those under ``<kind>#<tenant>`` in ``data``."""
        return self.store.query("data", f"{kind}#{self.context.tenant_code}").items

    def alarms(self) -> list[dict[str, Any]]:
        """Alarms since the last call."""
        return self._alarms.messages()

    def notifications(self) -> list[Notification]:
        """Messages on the main topic since the last call, including the outcomes of commands, tasks and imports."""
        return [Notification(one["action"], one["content"]) for one in self._notifications.messages()]

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, with those of ``infra/application.py``."""
        return self._outputs

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS: for what ``infra/application.py`` declares."""
        return client(service, self.runtime.endpoint.region)

    # -- internals ---------------------------------------------------------------------------------------

    def _key(self, type_: str, code: str) -> EntityKey:
        return EntityKey(DEFAULT_KIND, self.context.tenant_code, type_, code)

    @cached_property
    def _people(self) -> People:
        return People(self.store, self.scheduler, self._outputs, self.runtime.endpoint.region)

    @cached_property
    def _tasks(self) -> TaskService:
        limits = TaskLimits(self._outputs[outputs.TASK_MAX_CONCURRENCY], self._outputs[outputs.TASK_TIMEOUT_MINUTES])
        types = self._deployed(TASKS, "handlers.tasks.handlers").task_types(self.modules)
        return TaskService(self.store, self.scheduler, types, limits)

    @cached_property
    def _imports(self) -> ImportService:
        settings = ApplicationSettings({"LOG_LEVEL": "INFO", **self.runtime.host.get(self._named(LOADER)).env})
        collaborators = Collaborators(settings, self.store, self.scheduler)
        strategies = self._deployed(LOADER, "handlers.imports.strategy")
        tables = strategies.load_import_tables(self.modules, collaborators)
        return ImportService(self.store, self.scheduler, tables.names, [self._outputs[outputs.BUCKET_NAME]])

    def _named(self, function: str) -> str:
        return next(name for name in self.runtime.host.names if name.endswith(f"-{function}"))

    def _deployed(self, function: str, module: str) -> Any:
        """One of our modules with the deployed classes, as in the function: this process may have imported others."""
        return self.runtime.host.load(self._named(function), module)


@cache
def shared_work_dir() -> Path:
    """The folder for the unpacked code of this process's deployments, which rarely differs between them."""
    folder = tempfile.mkdtemp(prefix="cqrs-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
