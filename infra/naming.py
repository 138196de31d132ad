"""Physical names: ``<project>-<stack>-<what>``, so that stacks share an account and people find things."""

from __future__ import annotations

from dataclasses import dataclass

#: The tightest limits of what is named here: functions and roles 64, state machines 80 (service quotas pages).
MAX_LENGTH = 64


@dataclass(frozen=True)
class Names:
    """Names of one stack."""

    project: str
    stack: str

    def of(self, what: str) -> str:
        """The physical name. Raises ValueError when AWS would refuse it for its length."""
        name = f"{self.project}-{self.stack}-{what}"
        if len(name) > MAX_LENGTH:
            raise ValueError(
                f"name {name!r} has {len(name)} characters; at most {MAX_LENGTH}: use a shorter stack name"
            )
        return name

    @property
    def metric_namespace(self) -> str:
        """Where the functions' own metrics are."""
        return f"{self.project}-{self.stack}"

    @property
    def tags(self) -> dict[str, str]:
        """On every resource that takes tags."""
        return {"project": self.project, "stack": self.stack}


@dataclass(frozen=True)
class Account:
    """Where the stack lives; ARNs are built from names where a reference would be a cycle."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"
