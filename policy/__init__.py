"""Guard rails: what no stack may declare. Pure functions over types and inputs, for tests and for previews."""

from policy.model import Declared, ResourceRule, Rule, StackRule, Violation, violations
from policy.rules import PROTECTED_RULES, RULES

__all__ = [
    "PROTECTED_RULES",
    "RULES",
    "Declared",
    "ResourceRule",
    "Rule",
    "StackRule",
    "Violation",
    "violations",
]
