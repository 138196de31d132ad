"""The embedded AWS: endpoint, functions, state machines, event sources, and the deployed program."""

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
from local.aws.address import serve_at
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

#: The repository, with ``__main__.py`` and ``Pulumi.yaml``.
PROJECT_DIR = Path(__file__).resolve().parents[1]


class LocalRuntime:
    """One deployment of the program on this machine. A context manager, which leaves nothing behind.

    Args:
        project_dir: the folder of ``Pulumi.yaml`` and ``__main__.py``.
        stack: the stack, configured by ``Pulumi.<stack>.yaml``.
        config: values that override that file.
        scheduler: ``Scheduler.real()`` (the default) or, for tests, ``Scheduler.virtual(seed)``.
        faults: crashes and throttles at AWS calls, for tests.
        delivery_faults: duplicated and delayed deliveries, for tests.
        evaluate: runs the program; tests replay the registrations of an earlier run.
        work_dir: where functions' code is unpacked and kept for the next deployment; None: a temporary folder.
        secrets: values of secrets by names of environment variables (``local.secrets``); None: the process's own.
        port: the port on 127.0.0.1 that serves the endpoint, 0 for any free one; None: only in this process.
        token_secret: signs tokens of HTTP APIs' callers (``local.gateway.callers``); None: no token is accepted.
        tables_url: another server of DynamoDB's API on this machine for the tables and their streams.
        importable: what functions may import here but not on AWS, for handlers in tests.
        data: a folder for the state, so that a later runtime continues where this one ended, even after a crash; None:
            the state is only in memory.

    Raises:
        PortInUse: another program uses the port; nothing was started.
        FolderError: ``data`` can't be used.
        EndpointError: no DynamoDB answers at ``tables_url``, or it isn't on this machine.
        DeployError: the stack is unknown, or the Pulumi CLI would refuse its files.
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
        #: Events on the stack's buses.
        self.live = LiveEvents()
        self._project_dir = project_dir
        self._secrets = os.environ if secrets is None else secrets
        #: The functions' secrets without a value, name to ARN.
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
        """Deploy and run the program.

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
        """Stop everything within two seconds; the state is dropped, or stays in its folder."""
        if self._data is not None:
            self._data.close()  # first, so that nothing interrupted by the rest is stored
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
        """Remove temporary files, for a process that ends without ``stop``. Doesn't raise."""
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
        """Record the inputs of the deployment's declarations, so that the first ``renew`` is fast, too."""
        self._renewal.note(self._load())

    def renew(self) -> list[str]:
        """Deploy the current code and configuration, and return what was changed. State and running executions stay.

        Raises:
            DeployError: they were refused, or need a restart. The functions are unchanged.
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
        """Run these event sources and rules from now on; those that are running continue at their positions."""
        if self._sources is None:
            raise RuntimeError("the runtime is not started")
        self._sources.change(mappings, rules, settings)

    # -- reading ------------------------------------------------------------------------------------

    @property
    def context(self) -> DeployContext:
        """The context for deployments."""
        return DeployContext(self.endpoint, self.host, self._work_dir, self._project_dir / CACHE)

    @property
    def deployment(self) -> Deployment:
        """The deployment."""
        if self._deployment is None:
            raise RuntimeError("the runtime is not started")
        return self._deployment

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return self.deployment.outputs

    @property
    def url(self) -> str:
        """The URL of the endpoint. Raises RuntimeError: it isn't served."""
        if self._server is None:
            raise RuntimeError("the runtime was made without a port")
        return self._server.url

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is being delivered from a stream or queue to its function, and no execution is running."""
        return self.is_idle and not self.running_executions()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being delivered from a stream or queue to its function."""
        return self._sources is None or self._sources.idle

    def running_executions(self) -> list[Execution]:
        """The running executions of all machines."""
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
                serve_at(None)  # else a later runtime of this process would name this port in queue URLs
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
