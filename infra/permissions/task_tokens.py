"""Which resource permissions for task tokens name; decided only here (decision record 0143)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

TOKEN_ACTIONS = ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess")
#: True: the machines whose tokens are answered. False: every resource.
TOKENS_ON_MACHINES = True

Arn = TypeVar("Arn")


def placed(
    allowed: Sequence[tuple[Sequence[str], Arn]], *, on_machines: bool = TOKENS_ON_MACHINES
) -> list[tuple[Sequence[str], Arn | str]]:
    """(Actions, resource) pairs of a policy, with the actions on tokens for their machines or for every resource."""
    if on_machines:
        return list(allowed)
    answers = sorted({action for actions, _ in allowed for action in actions} & set(TOKEN_ACTIONS))
    rest = [(tuple(one for one in actions if one not in answers), arn) for actions, arn in allowed]
    kept: list[tuple[Sequence[str], Arn | str]] = [(actions, arn) for actions, arn in rest if actions]
    return [*kept, (answers, "*")] if answers else kept
