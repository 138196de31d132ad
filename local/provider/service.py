"""The provider's side of the engine's protocol, on top of ``Resources``.

Shapes: Pulumi's ``provider.proto``, whose stubs are part of the ``pulumi`` package.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.deploy.errors import DeployError
from local.provider.changes import change_of
from local.provider.resources import Resources, Urn
from local.provider.values import has_unknown, plain, struct_of

log = logging.getLogger("cqrs.local.provider")

PACKAGE = "aws"
Answer = TypeVar("Answer")
Method = Callable[[Any, Any, grpc.ServicerContext], Answer]


def provider_version() -> str:
    """The version of the AWS provider that the program requests, which is that of its SDK."""
    return version("pulumi_aws")


def _answering(method: Method[Answer]) -> Method[Answer]:
    """Turn a refusal into an error of the engine with the same text, without a traceback."""

    @wraps(method)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Answer:
        try:
            return method(self, request, context)
        except DeployError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise  # not reached: abort raises

    return answer


class ProviderService(provider_pb2_grpc.ResourceProviderServicer):
    """The provider's service; methods have the protocol's names."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    # -- the plugin -----------------------------------------------------------------------------------

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Accept no optional features of the engine; ``Configure`` declares the same."""
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ignore the engine's address, since the provider doesn't call it."""
        return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ignore the cancellation of an update: operations take milliseconds and are completed."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version that the program's SDK requests."""
        return plugin_pb2.PluginInfo(version=provider_version())

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Name and version only; the types are in the program's SDK."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": PACKAGE, "version": provider_version()}))

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Accept the provider's configuration unchanged."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare configurations; a change replaces no resources."""
        changed = plain(request.old_inputs) != plain(request.news)
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=kind)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Request plain values instead of secrets and resources; previews are supported."""
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True, acceptResources=False)

    # -- resources ------------------------------------------------------------------------------------

    @_answering
    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Refuse types that the embedded runtime doesn't support, before anything is created."""
        self._resources.check(Urn.parse(request.urn))
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answering
    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """The changed properties, and whether they replace the resource."""
        change = change_of(
            Urn.parse(request.urn).type,
            plain(request.old_inputs),
            plain(request.news),
            frozenset(request.ignoreChanges),
        )
        kind = provider_pb2.DiffResponse.DIFF_SOME if change.changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=kind,
            diffs=change.changed,
            replaces=change.replacing,
            deleteBeforeReplace=change.delete_first,
        )

    @_answering
    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create a resource. In a preview, AWS's outputs (ARNs, URLs) are left out, so the program treats them as
        unknown.
        """
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=request.properties)
        id_, outputs = self._resources.create(Urn.parse(request.urn), plain(request.properties))
        return provider_pb2.CreateResponse(id=id_, properties=struct_of(outputs))

    @_answering
    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Read a resource for ``pulumi refresh``; a response without an id means that it doesn't exist."""
        urn = Urn.parse(request.urn)
        if not request.inputs.fields:
            raise DeployError(f"{urn.label}: the local runtime adopts nothing that it did not create ({request.id})")
        live = self._resources.read(urn, request.id, plain(request.inputs), plain(request.properties))
        if live is None:
            return provider_pb2.ReadResponse()
        inputs, outputs = live
        return provider_pb2.ReadResponse(id=request.id, properties=struct_of(outputs), inputs=struct_of(inputs))

    @_answering
    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Update a resource. In a preview, unaffected outputs stay known, so that nothing else seems to change."""
        urn, new = Urn.parse(request.urn), plain(request.news)
        old, state = plain(request.old_inputs), plain(request.olds)
        if request.preview or has_unknown(new):
            kept = {key: value for key, value in state.items() if key not in old}
            return provider_pb2.UpdateResponse(properties=struct_of({**kept, **new}))
        outputs = self._resources.update(urn, request.id, old, state, new)
        return provider_pb2.UpdateResponse(properties=struct_of(outputs))

    @_answering
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete a resource, if it exists."""
        self._resources.delete(Urn.parse(request.urn), request.id, plain(request.old_inputs), plain(request.properties))
        return empty_pb2.Empty()

    @_answering
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Call a function of the provider."""
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").update(self._resources.call(request.tok))
        return answer
