"""A workflow that waits for another system with heartbeats (WF-06). Who gets the token is the world's to decide."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from handlers.workflows.workflow import WorkflowEvent, workflow

BEATS_EVERY = 40.0
#: ``(execution name, token)``; set by the world.
hand_over: ContextVar[Callable[[str, str], None]] = ContextVar("hand_over")

DEFINITION: dict[str, Any] = {
    "StartAt": "work",
    "TimeoutSeconds": 7_200,
    "States": {
        "work": {
            "Comment": "Somebody else works and tells that it goes on.",
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "TimeoutSeconds": 3_600,
            "HeartbeatSeconds": 60,
            "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "ResultPath": "$.error", "Next": "lost"}],
            "Next": "done",
        },
        "done": {"Comment": "Told.", "Type": "Succeed"},
        "lost": {"Comment": "No beat for a minute.", "Type": "Fail", "Error": "Lost", "Cause": "no heartbeat"},
    },
}


@workflow("beats")
class Beats:
    """Hands its token over."""

    def work(self, event: WorkflowEvent) -> None:
        assert event.task_token is not None
        hand_over.get()(event.execution_name, event.task_token)
