"""Sample workflow: three sequential steps, each passing its result to the next."""

from __future__ import annotations

from typing import Any

from handlers import ValidationError, WorkflowEvent, workflow

MAX_NUMBERS = 1_000


@workflow("three_steps")
class ThreeSteps:
    """Sums a list of numbers. ``{numbers: [...]}`` becomes ``{count, sum, mean}``."""

    def initialize(self, event: WorkflowEvent) -> dict[str, Any]:
        """Check the input. Raises ValidationError, which ends the execution as FAILED with that name."""
        numbers = event.input.get("numbers") if isinstance(event.input, dict) else None
        if not isinstance(numbers, list) or not 0 < len(numbers) <= MAX_NUMBERS:
            raise ValidationError("numbers", numbers, f"a list of 1 to {MAX_NUMBERS} numbers")
        for index, number in enumerate(numbers):
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValidationError(f"numbers[{index}]", number, "a number")
        return {"numbers": numbers}

    def process(self, event: WorkflowEvent) -> dict[str, Any]:
        """Compute count and sum."""
        numbers = event.input["numbers"]
        return {"count": len(numbers), "sum": sum(numbers)}

    def finalize(self, event: WorkflowEvent) -> dict[str, Any]:
        """Add the mean; this is the execution's output."""
        return {**event.input, "mean": event.input["sum"] / event.input["count"]}
