"""``Approvals`` by the HTTP API."""

from __future__ import annotations

from dataclasses import asdict

from cli.doors.by_api import Api
from handlers.workflows.approvals import Approval


class ApiApprovals:
    """See ``cli.doors.port.Approvals``. The decision is stored under the caller's name."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def open(self, tenant: str, workflow: str | None) -> list[Approval]:
        """See ``Approvals``."""
        return [Approval(**asdict(one)) for one in self._api.of(tenant).approvals.list(workflow=workflow)]

    def answer(self, tenant: str, workflow: str, request: str, rejected_for: str | None) -> Approval:
        """See ``Approvals``."""
        approvals = self._api.of(tenant).approvals
        if rejected_for is None:
            return Approval(**asdict(approvals.approve(workflow, request)))
        return Approval(**asdict(approvals.reject(workflow, request, rejected_for)))
