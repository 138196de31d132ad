"""Policies that every stack must satisfy: pure functions of resource types and inputs, for tests and previews."""

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
