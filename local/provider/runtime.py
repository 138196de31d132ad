"""The embedded runtime without its own deployment: the Pulumi engine deploys to it through the provider."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.deploy.model import Deployment
from local.deploy.program import Engine
from local.deploy.project import Stack
from local.provider.resources import Resources
from local.provider.service import PACKAGE, ProviderService
from local.runtime import LocalRuntime

#: Maximum concurrent requests of the engine, which sends one for every resource that is ready.
WORKERS = 32
#: The engine's limit for a message (pulumi, ``rpcutil``: 400 MB); gRPC's default of 4 MB is too small for states.
LARGEST_MESSAGE = 400 * 1024 * 1024


class EngineRuntime:
    """A running embedded AWS and its provider. A context manager, like ``LocalRuntime``.

    Args:
        options: those of ``LocalRuntime``; ``stack`` and ``project_dir`` determine the region.

    Raises:
        PortInUse, DeployError: as for ``LocalRuntime``.
    """

    def __init__(self, **options: Any) -> None:
        self.runtime = LocalRuntime(**options, evaluate=_nothing)
        self._server: grpc.Server | None = None
        #: the provider's port on 127.0.0.1
        self.port = 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment variable by which the Pulumi CLI finds the provider."""
        return {"PULUMI_DEBUG_PROVIDERS": f"{PACKAGE}:{self.port}"}

    def start(self) -> None:
        """Start with an empty AWS."""
        self.runtime.start()
        try:
            resources = Resources(self.runtime.context, self.runtime.endpoint.deploying, self._sources_changed)
            server = grpc.server(
                ThreadPoolExecutor(WORKERS, thread_name_prefix="cqrs-provider"),
                options=[
                    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
                    ("grpc.max_send_message_length", LARGEST_MESSAGE),
                ],
            )
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderService(resources), server)
            self.port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self._server = server
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both; state is dropped."""
        if self._server is not None:
            self._server.stop(grace=None).wait()
        self.runtime.stop()

    def __enter__(self) -> EngineRuntime:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _sources_changed(self, deployments: list[Deployment]) -> None:
        self.runtime.run_sources(
            [mapping for one in deployments for mapping in one.event_source_mappings],
            [rule for one in deployments for rule in one.rules],
            {name: settings for one in deployments for name, settings in one.async_settings.items()},
        )


def _nothing(project_dir: Path, stack: Stack, engine: Engine) -> dict[str, Any]:
    """An ``Evaluate`` without a program."""
    return {}
