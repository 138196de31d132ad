"""What a function may import besides its own code: what Lambda's runtime has, and the packages of its layers.

The process that runs functions here has far more in its path: what the laptop's tools need. A function that got it
would work here and not on AWS.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

#: Beside the standard library (Lambda Developer Guide, "Runtime dependencies in Python": boto3 and what it needs).
OF_RUNTIME = frozenset({"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"})
#: AWS's layer of Powertools has these (Powertools for AWS Lambda, "Installation", Lambda layer); the laptop's are used.
OF_POWERTOOLS = frozenset(
    {"annotated_types", "aws_lambda_powertools", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
)


@dataclass(frozen=True)
class Importable:
    """Top-level names that a function may import besides those of its archive.

    ``folder``: of the application's packages, on the path while they are used; ``mounted``: those packages there that
    are loaded like the archive's own code, because they have handlers in them.
    """

    names: frozenset[str] = frozenset()
    folder: Path | None = None
    mounted: frozenset[str] = frozenset()

    def allows(self, name: str) -> bool:
        """Whether a module of this top-level name may be imported."""
        return name in self.names or name in OF_RUNTIME or name in sys.stdlib_module_names

    def also(self, names: Collection[str]) -> Importable:
        """With more names."""
        return Importable(self.names | frozenset(names), self.folder, self.mounted)


NOTHING_ELSE = Importable()


def on_path(folder: Path) -> None:
    """Let Python find the folder's packages, behind all that it finds anyway."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def off_path(folder: Path) -> None:
    """The opposite; what was imported stays."""
    while str(folder) in sys.path:
        sys.path.remove(str(folder))
