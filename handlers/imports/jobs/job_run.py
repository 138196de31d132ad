"""The attempt of a job that an execution works on: parsed from its input; determines its name."""

from __future__ import annotations

import hashlib
from typing import Any

from handlers.core.keys import check_version_number
from handlers.core.light_dataclasses import dataclass
from handlers.imports.keys import ImportJobKey
from handlers.state_machines.state_payload import check_fields


@dataclass(frozen=True)
class JobRun:
    """One attempt of a job, for an execution."""

    key: ImportJobKey
    attempt: int

    @classmethod
    def parse(cls, given: Any) -> JobRun:
        """From the input of the execution or of one of its children. Raises ValidationError."""
        fields = check_fields(given, ("jobKey", "attempt"))
        attempt = check_version_number("Execution.Input.attempt", fields["attempt"])
        return cls(ImportJobKey.parse_id(fields["jobKey"]), attempt)

    @property
    def execution_name(self) -> str:
        """A pure function of the attempt, so that a repeated start finds the existing execution."""
        return hashlib.sha256("\0".join((self.key.id, str(self.attempt))).encode()).hexdigest()
