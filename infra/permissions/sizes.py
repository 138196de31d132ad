"""Policies of functions' roles within IAM's limit, before anything is declared."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.configuration.stack_config import ConfigError

#: All inline policies of a role together, without white space (IAM User Guide, "IAM and AWS STS quotas").
MAX_CHARACTERS = 10_240


def characters(document: Mapping[str, object]) -> int:
    """What IAM counts of a policy document."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def check_policies(given: Mapping[str, Mapping[str, object]]) -> None:
    """Hold each function's policy, made of the ARNs as they will be, against IAM's limit.

    Raises:
        ConfigError: one line per function, with what makes policies long.
    """
    problems = [
        f"the policy of the function {function!r} has {characters(document)} characters; expected at most "
        f"{MAX_CHARACTERS}: syncTargets, importBuckets, handlerPermissions and the application's workflows add to it"
        for function, document in given.items()
        if characters(document) > MAX_CHARACTERS
    ]
    if problems:
        raise ConfigError(problems)
