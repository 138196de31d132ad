"""Physical names: ``<project>-<stack>-<what>``, so that stacks share an account and people find things.

What AWS takes is checked for all of them before anything is declared (``physical_names``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Names of one stack."""

    project: str
    stack: str

    def of(self, what: str) -> str:
        """The physical name."""
        return f"{self.project}-{self.stack}-{what}"

    def bucket(self, account_id: str) -> str:
        """The bucket's name. It is global: the account id keeps teams apart."""
        return f"{self.of('store')}-{account_id}"

    def log_group_of_function(self, function: str) -> str:
        """Where Lambda writes a function's log."""
        return f"/aws/lambda/{self.of(function)}"

    def log_group_of_machine(self, machine: str) -> str:
        """A state machine's log. This prefix keeps clear of the size limit of CloudWatch's resource policy."""
        return f"/aws/vendedlogs/states/{self.of(machine)}-logs"

    def log_group_of_api(self, api: str) -> str:
        """Where an HTTP API's access log is; the prefix as that of machines."""
        return f"/aws/vendedlogs/apis/{self.of(api)}"

    @property
    def metric_namespace(self) -> str:
        """Where the functions' own metrics are."""
        return f"{self.project}-{self.stack}"

    @property
    def tags(self) -> dict[str, str]:
        """On every resource that takes tags."""
        return {"project": self.project, "stack": self.stack}


#: Partition to the host of its console, with the region (AWS documentation of each partition: China and GovCloud have
#: consoles of their own).
_CONSOLES = {
    "aws": "{region}.console.aws.amazon.com",
    "aws-cn": "{region}.console.amazonaws.cn",
    "aws-us-gov": "{region}.console.amazonaws-us-gov.com",
}


@dataclass(frozen=True)
class Account:
    """Where the stack lives; ARNs are built from names where a reference would be a cycle."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def dns_suffix(self) -> str:
        """How the names of regional services end."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def console(self) -> str:
        """The host of the AWS console."""
        return _CONSOLES.get(self.partition, _CONSOLES["aws"]).format(region=self.region)
