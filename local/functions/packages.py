"""Restricts the imports of functions to their own code, Lambda's runtime and the packages of their layers.

The process that runs functions here has many more packages, for the local tools. A function that imported one of them
would work here but not on AWS.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

#: In addition to the standard library (Lambda Developer Guide, "Runtime dependencies in Python": boto3 and its
#: dependencies).
OF_RUNTIME = frozenset({"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"})
#: Packages of AWS's Powertools layer (Powertools for AWS Lambda, "Installation", Lambda layer), here taken from .venv.
OF_POWERTOOLS = frozenset(
    {"annotated_types", "aws_lambda_powertools", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
)


@dataclass(frozen=True)
class Importable:
    """Top-level names that a function may import in addition to those of its archive.

    ``folder``: that of the application's packages, which is on the path while in use; ``mounted``: the packages in it
    that are loaded like the archive's own code, because they contain handlers.
    """

    names: frozenset[str] = frozenset()
    folder: Path | None = None
    mounted: frozenset[str] = frozenset()

    def allows(self, name: str) -> bool:
        """Whether a module of this top-level name may be imported."""
        return name in self.names or name in OF_RUNTIME or name in sys.stdlib_module_names

    def also(self, names: Collection[str]) -> Importable:
        """A copy with more names."""
        return Importable(self.names | frozenset(names), self.folder, self.mounted)


NOTHING_ELSE = Importable()


def on_path(folder: Path) -> None:
    """Append the folder to Python's path."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def off_path(folder: Path) -> None:
    """Remove the folder from Python's path; imported modules stay."""
    while str(folder) in sys.path:
        sys.path.remove(str(folder))
