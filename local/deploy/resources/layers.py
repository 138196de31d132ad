"""Layers: AWS's Powertools layer, whose packages are in .venv, and the application's, installed for this machine."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Iterable, Mapping

from infra.packages.layer import LIST, PYTHON
from infra.packages.requirements import Pin, parse
from infra.packages.targets import of_this_machine
from infra.packages.wheels import installed
from infra.packaging import PackagingError
from local.deploy.errors import DeployError, UnsupportedResource
from local.deploy.model import Layer
from local.deploy.workspace import Created, Request, Workspace
from local.functions.packages import OF_POWERTOOLS, OF_RUNTIME, Importable

log = logging.getLogger("cqrs.local.deploy")

#: Its packages are those of requirements.txt, so functions find them without the layer.
LAYER_OF_POWERTOOLS = ":layer:AWSLambdaPowertoolsPythonV3-"
_LAYER = ("code", "compatibleArchitectures", "compatibleRuntimes", "description", "layerName")


def layer_version(workspace: Workspace, request: Request) -> Created:
    """A layer with a list of its packages, of which the same versions are installed for this machine."""
    request.known(*_LAYER)
    archive = request.inputs.get("code")
    unpacked = workspace.archives.unpack(archive, request.label).folder
    wanted = unpacked / LIST
    if not wanted.is_file() or any(path.name not in (LIST, PYTHON) for path in unpacked.iterdir()):
        raise UnsupportedResource(f"{request.label}: only layers with {PYTHON}/ and {LIST} are supported here")
    try:
        target = of_this_machine()
        pins = target.of(parse(wanted.read_text(encoding="utf-8")))
        packages = installed(pins, target, workspace.context.packages_dir)
    except PackagingError as error:
        raise DeployError(str(error)) from error
    _warn_of_other_versions(pins)
    name = str(request.inputs["layerName"])
    arn = workspace.arn("lambda", f"layer:{name}")
    workspace.deployment.layers[f"{arn}:1"] = Layer(packages, unpacked)
    return Created(f"{arn}:1", {"arn": f"{arn}:1", "layerArn": arn, "version": "1", "layerVersionArn": f"{arn}:1"})


def importable(workspace: Workspace, function: str, layers: Iterable[str], variables: Mapping[str, str]) -> Importable:
    """The packages that a function with these layers may import. Those with handler modules are loaded like its code.

    Raises:
        UnsupportedResource: an unknown layer.
    """
    found = Importable()
    for layer in layers:
        if LAYER_OF_POWERTOOLS in layer:
            found = found.also(OF_POWERTOOLS)
            continue
        own: Layer | None = workspace.deployment.layers.get(layer)
        if own is None:
            raise UnsupportedResource(
                f"function {function}: the layer {layer} is not supported here, only the stack's own and AWS's of "
                "Powertools, whose packages are in .venv"
            )
        with_handlers = {one.partition(".")[0] for one in variables.get("HANDLER_MODULES", "").split(",")}
        names = own.packages.names
        found = Importable(found.names | names, own.packages.folder, names & with_handlers)
    return found


def _warn_of_other_versions(pins: Iterable[Pin]) -> None:
    for pin in pins:
        try:
            version = importlib.metadata.version(pin.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if version != pin.version and pin.key not in OF_RUNTIME:
            log.warning(
                "%s: version %s is used here, which the local tools need, not %s", pin.name, version, pin.version
            )
