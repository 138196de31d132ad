"""docs/runbook.md has a section for every metric that raises an alarm, and a line for every dead-letter queue."""

from __future__ import annotations

import re

from contract.messages import DEAD_LETTER_QUEUES, FAILURE_QUEUES
from infra.components.monitoring import alarms_of
from local.runtime import PROJECT_DIR

PAGE = (PROJECT_DIR / "docs" / "runbook.md").read_text(encoding="utf-8")


def test_every_alarm_has_a_section() -> None:
    metrics = {
        name.rpartition("-")[2]
        for name in alarms_of(("machine",), ("function",), ("reader",), ("queue",), ("letters",), ("rule",), ("api",))
    }
    sections = set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))
    assert sections == metrics


def test_every_dead_letter_queue_has_a_line() -> None:
    named = set(re.findall(r"^\| `([\w-]+)`", PAGE, re.MULTILINE))
    assert named == {*DEAD_LETTER_QUEUES.values(), *FAILURE_QUEUES}
