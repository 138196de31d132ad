"""The attempt of a job that an execution works on: what its input names, and what its name is made of."""

from __future__ import annotations

import hashlib
from typing import Any

from handlers.core.keys import check_version_number
from handlers.core.light_dataclasses import dataclass
from handlers.imports.keys import ImportJobKey
from handlers.state_machines.state_payload import check_fields


@dataclass(frozen=True)
class JobRun:
    """One attempt of a job, which a machine works on."""

    key: ImportJobKey
    attempt: int

    @classmethod
    def parse(cls, given: Any) -> JobRun:
        """From the execution's input, or from what each of its children gets. Raises ValidationError."""
        fields = check_fields(given, ("jobKey", "attempt"))
        attempt = check_version_number("Execution.Input.attempt", fields["attempt"])
        return cls(ImportJobKey.parse_id(fields["jobKey"]), attempt)

    @property
    def execution_name(self) -> str:
        """A pure function of the attempt, so that a repeated start finds the execution that is there."""
        return hashlib.sha256("\0".join((self.key.id, str(self.attempt))).encode()).hexdigest()
