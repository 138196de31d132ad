"""INF-02: the AWS calls that functions made, against what their roles allow, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.capabilities.application import GRANTS
from infra.capabilities.catalogue import FUNCTIONS
from infra.permissions.policies import USED_BY_LAMBDA_ITSELF

#: Function to action to the resources that it was used on; ``*`` where the request names none.
Used = Mapping[str, Mapping[str, set[str]]]
#: Function to the policy documents of its role.
Policies = Mapping[str, Sequence[Mapping[str, Any]]]


def calls_not_allowed(used: Used, policies: Policies) -> list[str]:
    """Calls that AWS would have refused, one text each."""
    allowed = {function: list(_allowed(documents)) for function, documents in policies.items()}
    return sorted(
        f"{function} called {action} on {resource}"
        for function, actions in used.items()
        for action, resources in actions.items()
        for resource in resources
        if not any(action == one and _covers(pattern, resource) for one, pattern in allowed.get(function, ()))
    )


def allowed_not_used(used: Used, policies: Policies) -> list[str]:
    """What roles allow without need, one text each; Lambda's own needs are left out."""
    return sorted(
        f"{function} may {action} on {pattern}"
        for function, documents in policies.items()
        for action, pattern in _allowed(documents)
        if not _is_lambdas_own(action, pattern)
        and not any(_covers(pattern, resource) for resource in used.get(function, {}).get(action, ()))
    )


def merged(several: Sequence[Used]) -> dict[str, dict[str, set[str]]]:
    """The calls of several deployments together."""
    together: dict[str, dict[str, set[str]]] = {}
    for used in several:
        for function, actions in used.items():
            for action, resources in actions.items():
                together.setdefault(function, {}).setdefault(action, set()).update(resources)
    return together


def _allowed(documents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for document in documents:
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow", "a Deny is not looked at here"
            for action in _list(statement["Action"]):
                for pattern in _list(statement["Resource"]):
                    yield action, pattern


def _is_lambdas_own(action: str, pattern: str) -> bool:
    resource, _ = USED_BY_LAMBDA_ITSELF.get(action, ("", ""))
    return bool(resource) and re.search(resource, pattern) is not None


def _covers(pattern: str, resource: str) -> bool:
    if resource == "*":  # a token names its machine, but the request doesn't show which
        return True
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), resource) is not None


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def of_collaborators_alone(text: str) -> bool:
    """A line of ``allowed_not_used`` tells of a right that only a collaborator brings; APP-02's test uses them all."""
    function, _, right = text.partition(" may ")
    action, _, pattern = right.partition(" on ")
    own = next((one.grants for one in FUNCTIONS if function == f"cqrs-dev-{one.name}"), {})
    return any(
        action in actions and pattern.endswith(_end_of(name)) and action not in own.get(name, ())
        for grants in GRANTS.values()
        for name, actions in grants.items()
    )


def _end_of(name: str) -> str:
    kind, _, what = name.partition(":")
    return f"table/cqrs-dev-{what}" if kind == "table" else f"/{what}*"
