"""The embedded AWS put together: endpoint, functions, state machines, event sources, and the deployed program."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.packages.layer import CACHE
from local.aws.clients import client
from local.aws.elsewhere.tables import TablesElsewhere
from local.aws.endpoint import AwsEndpoint
from local.aws.model import Faults
from local.aws.queues import Queues
from local.aws.state_machines import stepfunctions
from local.aws.state_machines.map_objects import S3MapObjects
from local.aws.tables.streams import TableStreams
from local.deploy.deploy import deploy_program
from local.deploy.model import DeployContext, Deployment
from local.deploy.program import Evaluate, evaluate
from local.deploy.project import Stack, load_stack
from local.deploy.renewal import Renewal
from local.functions.concurrency import collaborators
from local.functions.host import FunctionHost
from local.gateway.gateway import Gateway
from local.gateway.live import LiveEvents
from local.gateway.site import Site
from local.journal import activate
from local.kept.folder import DataFolder, FolderError
from local.kept.restore import restore
from local.scheduler import Scheduler
from local.secrets import named, provide
from local.sources.async_calls import AsyncSettings
from local.sources.destinations import Destinations
from local.sources.eventbridge import Rule
from local.sources.faults import DeliveryFaults
from local.sources.manager import EventSources
from local.sources.mappings import QueueMapping, StreamMapping
from local.states.manager import ExecutionManager
from local.states.running.executions import RUNNING, Execution

#: The repository: where ``__main__.py`` and ``Pulumi.yaml`` are.
PROJECT_DIR = Path(__file__).resolve().parents[1]


class LocalRuntime:
    """One deployment of the program on this machine. A context manager: leaving it leaves nothing behind.

    Args:
        project_dir: the folder of ``Pulumi.yaml`` and ``__main__.py``.
        stack: whose ``Pulumi.<stack>.yaml`` is read.
        config: values that win over that file.
        scheduler: ``Scheduler.real()`` for people (the default), ``Scheduler.virtual(seed)`` for tests.
        faults: crashes and throttles at AWS calls, for tests.
        delivery_faults: duplicated and delayed deliveries, for tests.
        evaluate: runs the program; tests replay what an earlier run registered.
        work_dir: where functions' code is unpacked and stays, for the next deployment; None: a folder that goes again.
        secrets: values of secrets by names of environment variables (``local.secrets``); None: the process's own.
        port: on which the endpoint is served on 127.0.0.1, 0 for any free one; None: only in this process.
        token_secret: signs tokens of HTTP APIs' callers (``local.gateway.callers``); None: no token is taken.
        tables_url: another server of DynamoDB's API on this machine, which then keeps the tables and their streams.
        importable: what functions may import here that they could not on AWS, for handlers of tests.
        data: a folder in which the state is kept, so that a later runtime goes on where this one ended, however it
            ended; None: the state goes with this object.

    Raises:
        PortInUse: another program has the port; nothing was started.
        FolderError: ``data`` can't be used.
        EndpointError: no DynamoDB answers at ``tables_url``, or it is not on this machine.
        DeployError: unknown stack, or files that the Pulumi CLI would refuse.
    """

    def __init__(
        self,
        *,
        project_dir: Path = PROJECT_DIR,
        stack: str = "dev",
        config: Mapping[str, str] | None = None,
        scheduler: Scheduler | None = None,
        faults: Faults | None = None,
        delivery_faults: DeliveryFaults | None = None,
        evaluate: Evaluate = evaluate,
        work_dir: Path | None = None,
        port: int | None = None,
        tables_url: str | None = None,
        data: Path | None = None,
        secrets: Mapping[str, str] | None = None,
        token_secret: str | None = None,
        importable: Collection[str] = (),
    ) -> None:
        self.scheduler = scheduler if scheduler is not None else Scheduler.real()
        self._load: Callable[[], Stack] = partial(load_stack, project_dir, stack, config)
        self._settings = self._load()
        self.endpoint = AwsEndpoint(self.scheduler, region=self._settings.region, faults=faults)
        self._elsewhere = None if tables_url is None else TablesElsewhere(self.endpoint, tables_url)
        self.host = FunctionHost(self.scheduler, create_overrides=collaborators(self.scheduler), importable=importable)
        self.executions = ExecutionManager(
            self.scheduler,
            self.host,
            region=self.endpoint.region,
            account_id=self.endpoint.account_id,
            objects=S3MapObjects(lambda: client("s3", self.endpoint.region)),
            on_access=self.endpoint.note_access,
        )
        #: Answers requests to the stack's HTTP APIs.
        self.gateway = Gateway(self.endpoint, self.host, secret=token_secret)
        #: What happens on the stack's buses.
        self.live = LiveEvents()
        self._project_dir = project_dir
        self._secrets = os.environ if secrets is None else secrets
        #: Those of the functions' secrets that have no value here, name to ARN.
        self.secrets_without_value: Mapping[str, str] = {}
        self._delivery_faults = delivery_faults
        self._evaluate = evaluate
        self._server = None if port is None else self.endpoint.bind_http(port)
        self._data = None if data is None else self._open(data)
        self._own_dir: tempfile.TemporaryDirectory[str] | None = None
        if work_dir is None:
            self._own_dir = tempfile.TemporaryDirectory(prefix="cqrs-")
            work_dir = Path(self._own_dir.name)
        self._work_dir = work_dir
        self._sources: EventSources | None = None
        self._deployment: Deployment | None = None

    # -- life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Deploy the program and let it run.

        Raises:
            DeployError: the program or its configuration was refused; nothing is left running.
        """
        self.endpoint.start()
        try:
            self.endpoint.on_call(self.live.on_call)
            stepfunctions.install(self.endpoint, self.executions)
            self._deployment = deploy_program(self._project_dir, self._settings, self.context, self._evaluate)
            self._renewal = Renewal(self._project_dir, self.context, self._deployment, self._evaluate)
            if self._data is not None:
                restore(self._data.journal, self.scheduler, self.endpoint, self.executions, self._deployment)
            self._sources = self._start_sources(self._deployment)
            self._provide_secrets()
            self.endpoint.seal()
            if self._server is not None:
                self._server.website = Site(self.gateway, self.live)
                self._server.start()
            if not self.scheduler.is_virtual:
                self.scheduler.start_thread()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything within two seconds; state is dropped, or stays in its folder."""
        if self._data is not None:
            self._data.close()  # first: what is cut off by the rest is as good as not begun
            activate(None)
        self.live.stop()
        if self._server is not None:
            self._server.stop()
        if self._sources is not None:
            self._sources.stop()
        self.scheduler.stop()
        self.endpoint.stop()
        if self._elsewhere is not None:
            self._elsewhere.close()
        self.host.close()
        if self._own_dir is not None:
            self._own_dir.cleanup()

    def drop_files(self) -> None:
        """Remove what is on disk, for a process that ends without ``stop``. Doesn't raise."""
        if self._own_dir is not None:
            shutil.rmtree(self._own_dir.name, ignore_errors=True)

    def __enter__(self) -> LocalRuntime:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def expect_edits(self) -> None:
        """Let ``renew`` be fast from the first time on: remember what the deployment was declared from."""
        self._renewal.note(self._load())

    def renew(self) -> list[str]:
        """Take the code and configuration that are there now; answers what was changed. State and what runs stay.

        Raises:
            DeployError: they were refused, or only a new start can have them. The functions are as before.
        """
        deployment = self.deployment
        with self.endpoint.deploying():
            changed = self._renewal.take(self._load())
        self._provide_secrets()
        self.run_sources(deployment.event_source_mappings, deployment.rules, deployment.async_settings)
        return changed

    def run_sources(
        self,
        mappings: Sequence[StreamMapping | QueueMapping],
        rules: Sequence[Rule],
        settings: Mapping[str, AsyncSettings],
    ) -> None:
        """Run these event sources and rules from now on; those that ran already go on where they are."""
        if self._sources is None:
            raise RuntimeError("the runtime is not started")
        self._sources.change(mappings, rules, settings)

    # -- looking at it ------------------------------------------------------------------------------

    @property
    def context(self) -> DeployContext:
        """Where to deploy."""
        return DeployContext(self.endpoint, self.host, self._work_dir, self._project_dir / CACHE)

    @property
    def deployment(self) -> Deployment:
        """What was deployed."""
        if self._deployment is None:
            raise RuntimeError("the runtime is not started")
        return self._deployment

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return self.deployment.outputs

    @property
    def url(self) -> str:
        """Where the endpoint is served. Raises RuntimeError if it isn't."""
        if self._server is None:
            raise RuntimeError("the runtime was made without a port")
        return self._server.url

    @property
    def is_quiet(self) -> bool:
        """Nothing is on its way from a stream or queue to its function, and no execution runs."""
        return self.is_idle and not self.running_executions()

    @property
    def is_idle(self) -> bool:
        """Nothing is on its way from a stream or queue to its function."""
        return self._sources is None or self._sources.idle

    def running_executions(self) -> list[Execution]:
        """Executions that have not ended, of all machines."""
        machines = self.executions.list_state_machines()
        return [one for machine in machines for one in self.executions.list_executions(machine.arn, RUNNING)]

    # -- inside -------------------------------------------------------------------------------------

    def _provide_secrets(self) -> None:
        arns = named(self.host.get(name).env for name in self.host.names)
        self.secrets_without_value = provide(arns, self._secrets, self.endpoint.region)

    def _open(self, data: Path) -> DataFolder:
        settings = self._settings
        owner = {"project": settings.project, "stack": settings.name, "region": settings.region}
        try:
            return DataFolder(data, owner)
        except FolderError:
            if self._server is not None:
                self._server.stop()
            raise

    def _start_sources(self, deployment: Deployment) -> EventSources:
        endpoint = self.endpoint
        sqs, sns = client("sqs", endpoint.region), client("sns", endpoint.region)
        sources = EventSources(
            self.scheduler,
            self.host,
            region=endpoint.region,
            account_id=endpoint.account_id,
            streams=TableStreams(endpoint),
            queues=Queues(endpoint, sqs),
            discard=Destinations(sqs, sns).send,
            faults=self._delivery_faults,
            journal=None if self._data is None else self._data.journal,
        )
        endpoint.install_lambda(self.host, call_async=sources.caller.call)
        endpoint.on_call(sources.on_call)
        self.executions.on_status_change(lambda one: sources.bus.execution_status_changed(one.described()))
        sources.start(deployment.event_source_mappings, deployment.rules, deployment.async_settings)
        return sources
