"""Classes of an application, for the API's tests."""

from __future__ import annotations

from typing import Any

from handlers import task_handler


@task_handler("job")
class Job:
    """Answers its input."""

    def run(self, given: Any) -> Any:
        return given
