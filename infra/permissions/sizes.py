"""Checks the size of the functions' policies against IAM's limit before anything is declared."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.configuration.stack_config import ConfigError

#: Maximum for all inline policies of a role, without white space (IAM User Guide, "IAM and AWS STS quotas").
MAX_CHARACTERS = 10_240


def characters(document: Mapping[str, object]) -> int:
    """A policy document's size as IAM counts it."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def check_policies(given: Mapping[str, Mapping[str, object]]) -> None:
    """Check the size of each function's policy, made of the expected ARNs.

    Raises:
        ConfigError: one line per function, with the settings that make policies long.
    """
    problems = [
        f"the policy of the function {function!r} has {characters(document)} characters; expected at most "
        f"{MAX_CHARACTERS}: syncTargets, importBuckets, handlerPermissions and the application's workflows add to it"
        for function, document in given.items()
        if characters(document) > MAX_CHARACTERS
    ]
    if problems:
        raise ConfigError(problems)
