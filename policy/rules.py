"""All rules."""

from __future__ import annotations

from policy import apis, buckets, functions, machines, messaging, naming, permissions, tables
from policy.model import Rule

#: Rules for every stack.
RULES: tuple[Rule, ...] = (
    *tables.RULES,
    *messaging.RULES,
    *functions.RULES,
    *machines.RULES,
    *buckets.RULES,
    *permissions.RULES,
    *naming.RULES,
    *apis.RULES,
)
#: Additional rules for stacks that protect their data.
PROTECTED_RULES: tuple[Rule, ...] = tables.PROTECTED_RULES
