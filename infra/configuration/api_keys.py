"""Configuration of the HTTP API: whether it is deployed, who may call it, its throttling and CORS origins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.configuration.api_tenants import parse_claim, parse_tenants
from infra.configuration.checks import flag, parsed_by, setting, texts, whole

#: API Gateway Developer Guide, "Quotas for configuring and running an HTTP API".
MAX_AUDIENCES = 50
#: Default quotas per account and region (API Gateway Developer Guide, "Amazon API Gateway quotas").
MAX_RATE, MAX_BURST = 10_000, 5_000
#: Scheme, host and port, without a trailing slash. Without TLS only for pages on the developer's own machine.
ORIGIN = r"https://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?"
_ISSUER = re.compile(r"https://[^\s/?#]+(/[^\s?#]*)?")


def parse_issuer(value: Any) -> str:
    """The issuer's URL; empty: none. Raises ValueError: what is allowed."""
    if not isinstance(value, str) or (value and not _ISSUER.fullmatch(value)):
        raise ValueError("the https:// URL of a token issuer, as in the claim iss, or nothing")
    return value


@dataclass(frozen=True)
class ApiKeys:
    """The API's part of ``StackConfig``."""

    api_enabled: bool = setting(True, flag)
    api_issuer: str = setting("", parsed_by(parse_issuer))
    api_audience: tuple[str, ...] = setting(
        (), texts(r"\S+", f"a list of at most {MAX_AUDIENCES} distinct audiences", MAX_AUDIENCES)
    )
    api_tenant_claim: str = setting("tenant", parsed_by(parse_claim))
    api_role_claim: str = setting("roles", parsed_by(parse_claim))
    api_tenants: dict[str, dict[str, list[str]]] = field(
        default_factory=dict, metadata={"check": parsed_by(parse_tenants)}
    )
    api_rate_limit: int = setting(100, whole(1, MAX_RATE))
    api_burst_limit: int = setting(200, whole(1, MAX_BURST))
    api_cors_origins: tuple[str, ...] = setting(
        (), texts(ORIGIN, "a list of distinct origins, https://<host>[:<port>], or http:// with localhost")
    )
    console_enabled: bool = setting(False, flag)
    #: The upper bound is the API's own timeout.
    alarm_api_seconds: int = setting(25, whole(1, 29))

    def api_contradictions(self, namespace: str) -> Iterator[str]:
        """One message per value that contradicts another."""
        if bool(self.api_issuer) != bool(self.api_audience):
            yield f"{namespace}:apiIssuer and {namespace}:apiAudience: expected both or neither"
        if self.console_enabled and not self.api_enabled:
            yield f"{namespace}:consoleEnabled: true is not allowed with apiEnabled false; the console needs the API"
        elif self.console_enabled and not self.api_issuer:
            yield (
                f"{namespace}:consoleEnabled: true is not allowed without {namespace}:apiIssuer; callers in a"
                " browser have tokens (decision record 0265)"
            )
