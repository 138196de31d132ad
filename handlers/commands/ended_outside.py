"""Executions that ended without recording it: failed in ``fail_unrecorded``, timed out, aborted.

Fed by the EventBridge rule on "Step Functions Execution Status Change" (Step Functions Developer
Guide, "Automating Step Functions event delivery with EventBridge").
"""

from __future__ import annotations

import json
from typing import Any

from handlers.commands.pipeline.failure import Failure, FailureRecorder
from handlers.commands.state_event import parse_run
from handlers.errors import NotRunning, ValidationError

SOURCE = "aws.states"


class EndedOutside:
    """Writes FAILED (NotRunning) for a command whose execution is gone, unless the outcome is stored already."""

    def __init__(self, recorder: FailureRecorder) -> None:
        self._recorder = recorder

    def __call__(self, event: dict[str, Any]) -> dict[str, str]:
        """Handle one event. Raises ValidationError if it is not one of the command machine."""
        detail = event.get("detail", {})
        try:
            execution_input = json.loads(detail["input"])
        except (KeyError, TypeError, ValueError):
            raise ValidationError("detail.input", detail.get("input"), "JSON with pk, sk, id, attempt") from None
        run = parse_run(execution_input, detail["executionArn"])
        message = f"execution {detail['name']} ended as {detail['status']}"
        if detail.get("error"):
            message = f"{message}: {detail['error']}"
        return self._recorder(run, Failure(NotRunning.__name__, message))
