"""Physical names: ``<project>-<stack>-<what>``, so that stacks can share an account and resources are easy to find.

All of them are checked against AWS's rules before anything is declared (``physical_names``).
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
        """The bucket's name. Bucket names are global, so it includes the account id."""
        return f"{self.of('store')}-{account_id}"

    def log_group_of_function(self, function: str) -> str:
        """The log group that Lambda writes a function's log to."""
        return f"/aws/lambda/{self.of(function)}"

    def log_group_of_machine(self, machine: str) -> str:
        """The log group of a state machine. This prefix avoids the size limit of CloudWatch Logs' resource policy."""
        return f"/aws/vendedlogs/states/{self.of(machine)}-logs"

    def log_group_of_api(self, api: str) -> str:
        """The log group of an HTTP API's access log; its prefix is that of machines for the same reason."""
        return f"/aws/vendedlogs/apis/{self.of(api)}"

    @property
    def metric_namespace(self) -> str:
        """The namespace of the functions' custom metrics."""
        return f"{self.project}-{self.stack}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every resource that supports tags."""
        return {"project": self.project, "stack": self.stack}


#: Partition to the host of its console (AWS documentation of each partition: China and GovCloud have separate
#: consoles).
_CONSOLES = {
    "aws": "{region}.console.aws.amazon.com",
    "aws-cn": "{region}.console.amazonaws.cn",
    "aws-us-gov": "{region}.console.amazonaws-us-gov.com",
}


@dataclass(frozen=True)
class Account:
    """The account that the stack is deployed to; builds ARNs from names where a reference would be a cycle."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def dns_suffix(self) -> str:
        """The DNS suffix of regional services."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def console(self) -> str:
        """The host of the AWS console."""
        return _CONSOLES.get(self.partition, _CONSOLES["aws"]).format(region=self.region)
