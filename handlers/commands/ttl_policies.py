"""Time-to-live policies: days per table, with overrides per tenant and type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.tables import MAX_TTL_DAYS, WITH_TTL_POLICIES
from handlers.core.errors import SettingsError
from handlers.core.expiry import SECONDS_PER_DAY
from handlers.core.light_dataclasses import dataclass, field

if TYPE_CHECKING:
    from handlers.commands.keys import EntityKey


@dataclass(frozen=True)
class TtlPolicy:
    """Days to keep rows of one table; None keeps them forever.

    Overrides are looked up as ``<tenant>/<TYPE>``, then ``*/<TYPE>``, then ``<tenant>/*``.
    """

    default: int | None = None
    overrides: Mapping[str, int] = field(default_factory=dict)

    def expires_at(self, key: EntityKey, now: float) -> int | None:
        """Seconds since 1970 for the ``ttl`` attribute, or None: never."""
        names = (f"{key.tenant_code}/{key.type}", f"*/{key.type}", f"{key.tenant_code}/*")
        days = next((self.overrides[name] for name in names if name in self.overrides), self.default)
        return None if days is None else int(now) + days * SECONDS_PER_DAY


@dataclass(frozen=True)
class TtlPolicies:
    """The policies of a stack; a table without one keeps its rows forever."""

    tables: Mapping[str, TtlPolicy] = field(default_factory=dict)

    def of(self, table: str) -> TtlPolicy:
        """The policy of a logical table."""
        return self.tables.get(table, TtlPolicy())

    @classmethod
    def parse(cls, text: str) -> TtlPolicies:
        """From the ``TTL_DAYS`` variable: ``{"commands": {"default": 90, "overrides": {"t1/ORDER": 10}}}``.

        Raises:
            SettingsError: not JSON of that form, a table that can't have a policy, or an invalid number of days.
        """
        try:
            parsed: dict[str, Any] = json.loads(text)
            tables = {
                table: TtlPolicy(policy.get("default"), dict(policy.get("overrides", {})))
                for table, policy in parsed.items()
            }
        except (ValueError, AttributeError, TypeError) as error:
            raise SettingsError(f"TTL_DAYS: {text!r} is not an object of policies per table: {error}") from error
        for table, policy in tables.items():
            if table not in WITH_TTL_POLICIES:
                raise SettingsError(f"TTL_DAYS: {table!r} is not one of {', '.join(WITH_TTL_POLICIES)}")
            default = {} if policy.default is None else {"default": policy.default}
            for name, days in {**default, **policy.overrides}.items():
                if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_TTL_DAYS:
                    expected = f"expected whole days from 1 to {MAX_TTL_DAYS}"
                    raise SettingsError(f"TTL_DAYS: {table}: {name}: {days!r} is not allowed; {expected}")
        return cls(tables)
