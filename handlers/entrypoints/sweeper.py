"""The ``sweeper`` function: runs on a schedule and heals rows that a crash or a lost message left open."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.metrics import OLDEST_OPEN_COMMAND
from handlers.core import metrics
from handlers.core.errors import CqrsError, Nature
from handlers.core.log import log_step
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import SweeperSettings
from handlers.entrypoints.wiring.sweeper import COMMANDS_SWEEP, SweeperPorts, on_aws, sweeps

if TYPE_CHECKING:
    from handlers.core.clock import Clock


#: Reserved for the last row and the response.
RESERVE_SECONDS = 15.0


class SweepIncomplete(CqrsError):
    """Some rows could not be healed; each is logged, and the next sweep retries."""

    nature = Nature.TRANSIENT


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: SweeperPorts | None = None) -> Handler:
    """The function's handler. Raises SettingsError naming the variable."""
    settings = SweeperSettings(env)
    ports = ports or on_aws(settings, clock)
    now, all_sweeps = ports.clock.now, sweeps(settings, ports)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        seconds = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
        deadline = now() + seconds
        reports = {
            name: sweep(deadline if name == COMMANDS_SWEEP else now() + seconds / 3)
            for name, sweep in all_sweeps.items()
        }
        oldest = round(reports[COMMANDS_SWEEP].oldest_seconds)
        metrics.emit(settings.metric_namespace, OLDEST_OPEN_COMMAND, oldest, metrics.SECONDS, now())
        outcomes = {name: dict(sorted(report.outcomes.items())) for name, report in reports.items()}
        complete = all(report.complete for report in reports.values())
        log_step(
            "swept all" if complete else "out of time",
            level=logging.INFO,
            outcomes=outcomes["outcomes"],
            tasks=outcomes["tasks"],
            imports=outcomes["imports"],
        )
        errors = sum(report.errors for report in reports.values())
        if errors:
            raise SweepIncomplete(f"{errors} rows could not be healed; see the log")
        return {**outcomes, "oldestSeconds": oldest, "complete": complete}

    return bounded(handle)


handler = lambda_handler(create)
