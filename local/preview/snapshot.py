"""The resources of a stack in one revision of the program, as JSON: ``python -m local.preview.snapshot STACK``.

Each revision runs this with its own code in a separate process, so that any two revisions can be compared; only the
format is shared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pulumi

from infra.packaging import content_hash
from local.deploy.errors import DeployError
from local.deploy.registrations import Evaluation, evaluated

#: Incremented with every incompatible change.
FORMAT = 1
ROOT = Path(__file__).resolve().parents[2]


class Resource(NamedTuple):
    """A declared resource. ``props``: JSON values, with JSON texts parsed, and archives as fingerprints."""

    type: str
    name: str
    props: Mapping[str, Any]


def declared(root: Path, stack: str) -> list[Resource]:
    """The stack's resources, without components. Raises DeployError."""
    return resources_of(evaluated(stack, project_dir=root))


def resources_of(evaluation: Evaluation) -> list[Resource]:
    """The resources of an evaluation, without components."""
    return [Resource(one.type, one.name, _plain(one.props)) for one in evaluation.registrations if one.custom]


def dumped(resources: list[Resource]) -> str:
    """The resources as one JSON document."""
    return json.dumps({"format": FORMAT, "resources": [one._asdict() for one in resources]}, sort_keys=True)


def loaded(text: str) -> list[Resource]:
    """The resources in such a document. Raises ValueError: another format."""
    document = json.loads(text)
    if document["format"] != FORMAT:
        raise ValueError(f"the snapshot has format {document['format']}, this revision reads {FORMAT}")
    return [Resource(**one) for one in document["resources"]]


def _plain(value: Any) -> Any:
    if isinstance(value, pulumi.AssetArchive):
        files = [
            (name, Path(asset.path)) for name, asset in value.assets.items() if isinstance(asset, pulumi.FileAsset)
        ]
        return f"archive {content_hash(dict(sorted(files)))[:16]}"
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def main(arguments: list[str]) -> int:
    """Print the stack's snapshot. Returns the exit code."""
    (stack,) = arguments
    try:
        text = dumped(declared(ROOT, stack))
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
