"""The layer with the application's packages: checked before anything is declared, then declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pulumi
from pulumi_aws import lambda_

from infra.configuration.stack_config import StackConfig
from infra.naming.names import Names
from infra.packages.requirements import FILE, application_pins
from infra.packages.targets import of_functions
from infra.packages.wheels import Packages, installed
from infra.packaging import ALLOWED, PackagingError

#: Maximum size of a function with its layers, unpacked, and of a direct upload (Lambda Developer Guide, "Lambda
#: quotas": deployment package, 250 MB unzipped; 50 MB zipped when uploaded through the API).
MOST_UNPACKED = 250 * 1024 * 1024
MOST_ZIPPED = 50 * 1024 * 1024
#: Folder of the installed packages, relative to the repository.
CACHE = ".local/packages"
#: The layer's folder of Python packages ("Working with layers for Python Lambda functions"), and the list of packages,
#: which the local runtime reads.
PYTHON, LIST = "python", "requirements.txt"
NAME = "application-packages"


@dataclass(frozen=True)
class ApplicationPackages:
    """The packages of one stack's functions, on disk."""

    packages: Packages
    requirements: Path

    @cached_property
    def files(self) -> dict[str, Path]:
        """Path in the folder to file, sorted."""
        folder = self.packages.folder
        found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(folder).as_posix(): path for path in sorted(found)}

    @property
    def sources(self) -> dict[str, Path]:
        """The modules and definitions among the files, which the program parses."""
        return {name: path for name, path in self.files.items() if any(path.match(one) for one in ALLOWED)}


def application_packages(root: Path, config: StackConfig, archive: Mapping[str, Path]) -> ApplicationPackages | None:
    """Install the packages of ``handlers/requirements.txt`` for the functions; None: it lists none.

    Args:
        archive: the functions' own files, which count towards the size limit.

    Raises:
        PackagingError: a wrong line in the file, a package without a wheel, or packages beyond the size limits.
    """
    target = of_functions(config.lambda_runtime, config.lambda_architecture)
    pins = target.of(application_pins(root))
    if not pins:
        return None
    packages = installed(pins, target, root / CACHE)
    unpacked = packages.unpacked + sum(path.stat().st_size for path in archive.values())
    check_sizes(unpacked, packages.zipped)
    return ApplicationPackages(packages, root / FILE)


def check_sizes(unpacked: int, zipped: int) -> None:
    """Check sizes, in bytes, against Lambda's limits. Raises PackagingError with the size and the limit."""
    for size, most, what, why in (
        (unpacked, MOST_UNPACKED, "unpacked, with the functions' own code", "Lambda's limit"),
        (zipped, MOST_ZIPPED, "as a zip file", "Lambda's limit for direct uploads, which the program uses"),
    ):
        if size > most:
            raise PackagingError(f"{FILE}: {_mb(size)} MB {what}; allowed are {_mb(most)} MB: {why}")


def declare_layer(own: ApplicationPackages, config: StackConfig, names: Names) -> lambda_.LayerVersion:
    """One layer for the functions that run application code."""
    assets: dict[str, pulumi.Asset | pulumi.Archive] = {
        f"{PYTHON}/{name}": pulumi.FileAsset(str(path)) for name, path in own.files.items()
    }
    assets[LIST] = pulumi.FileAsset(str(own.requirements))
    return lambda_.LayerVersion(
        NAME,
        layer_name=names.of(NAME),
        description=f"What {FILE} lists",
        code=pulumi.AssetArchive(assets),
        compatible_runtimes=[config.lambda_runtime],
        compatible_architectures=[config.lambda_architecture],
    )


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:,.1f}"
