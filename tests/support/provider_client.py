"""The engine's side of the provider's protocol, for tests without the Pulumi CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi import AssetArchive, FileArchive, FileAsset, StringAsset
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc

from local.deploy.errors import DeployError
from local.deploy.program import Engine
from local.provider.values import ARCHIVE, ASSET, SIGNATURE, plain, struct_of


def wire(value: Any) -> Any:
    """Assets and archives as the engine sends them."""
    if isinstance(value, FileAsset):
        return {SIGNATURE: ASSET, "path": str(value.path)}
    if isinstance(value, StringAsset):
        return {SIGNATURE: ASSET, "text": value.text}
    if isinstance(value, FileArchive):
        return {SIGNATURE: ARCHIVE, "path": str(value.path)}
    if isinstance(value, AssetArchive):
        return {SIGNATURE: ARCHIVE, "assets": {name: wire(one) for name, one in value.assets.items()}}
    if isinstance(value, Mapping):
        return {key: wire(one) for key, one in value.items()}
    return [wire(one) for one in value] if isinstance(value, list) else value


@dataclass
class Held:
    """A resource as the engine's state has it."""

    urn: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def type(self) -> str:
        return self.urn.split("::")[2]

    @property
    def name(self) -> str:
        return self.urn.split("::")[3]


@dataclass
class ProtocolEngine(Engine):
    """Sends registrations to a provider as the engine does on a first update, and keeps a state."""

    port: int
    stack: str = "dev"
    project: str = "cqrs"
    state: list[Held] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.provider = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def urn(self, type_: str, name: str) -> str:
        return f"urn:pulumi:{self.stack}::{self.project}::{type_}::{name}"

    # -- as the program's engine ----------------------------------------------------------------------

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom or args.typ.startswith("pulumi:"):
            return f"{args.name}-id", dict(args.inputs)
        held = self.create(args.typ, args.name, {k: v for k, v in args.inputs.items() if v is not None})
        return held.id, held.outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        answer = self.provider.Invoke(pb.InvokeRequest(tok=args.token))
        return plain(getattr(answer, "return")), []

    def abort(self, error: DeployError) -> None:
        """The test sees the error itself."""

    # -- single operations ----------------------------------------------------------------------------

    def create(self, type_: str, name: str, inputs: Mapping[str, Any]) -> Held:
        urn, sent = self.urn(type_, name), struct_of(wire(inputs))
        checked = self.provider.Check(pb.CheckRequest(urn=urn, news=sent)).inputs
        answer = self.provider.Create(pb.CreateRequest(urn=urn, properties=checked))
        held = Held(urn, answer.id, plain(checked), plain(answer.properties))
        self.state.append(held)
        return held

    def get(self, type_: str, name: str) -> Held:
        return next(one for one in self.state if one.urn == self.urn(type_, name))

    def diff(self, held: Held, inputs: Mapping[str, Any]) -> pb.DiffResponse:
        answer: pb.DiffResponse = self.provider.Diff(
            pb.DiffRequest(
                id=held.id, urn=held.urn, olds=self._struct(held.outputs), old_inputs=self._struct(held.inputs),
                news=struct_of(wire(inputs)),
            )
        )  # fmt: skip
        return answer

    def update(self, held: Held, *, preview: bool = False, **changed: Any) -> dict[str, Any]:
        """Changed inputs by name; None takes one away. Answers the new outputs."""
        inputs = {key: value for key, value in {**held.inputs, **changed}.items() if value is not None}
        answer = self.provider.Update(
            pb.UpdateRequest(
                id=held.id, urn=held.urn, olds=self._struct(held.outputs), old_inputs=self._struct(held.inputs),
                news=struct_of(wire(inputs)), preview=preview,
            )
        )  # fmt: skip
        outputs = plain(answer.properties)
        if not preview:
            held.inputs, held.outputs = inputs, outputs
        return outputs

    def read(self, held: Held) -> dict[str, Any] | None:
        """The inputs as they are now, None if the resource is gone."""
        answer = self.provider.Read(
            pb.ReadRequest(
                id=held.id, urn=held.urn, properties=self._struct(held.outputs), inputs=self._struct(held.inputs)
            )
        )
        return plain(answer.inputs) if answer.id else None

    def delete(self, held: Held) -> None:
        self.provider.Delete(
            pb.DeleteRequest(
                id=held.id, urn=held.urn, properties=self._struct(held.outputs), old_inputs=self._struct(held.inputs)
            )
        )
        self.state.remove(held)

    @staticmethod
    def _struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
        return struct_of(properties)
