"""Metrics in the embedded metric format: a log line that CloudWatch turns into a metric, without a call.

Source: CloudWatch User Guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import logging

from handlers.core.log import LOGGER_NAME

#: A child of the package's logger with its own level, so that ``logLevel`` doesn't suppress metrics.
_logger = logging.getLogger(f"{LOGGER_NAME}.metrics")
_logger.setLevel(logging.INFO)

SECONDS = "Seconds"
COUNT = "Count"


def emit(namespace: str, name: str, value: float, unit: str, now: float) -> None:
    """Emit one value of a metric without dimensions. ``now``: seconds since 1970."""
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": [{"Name": name, "Unit": unit}]}
    fields = {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}, name: value}
    _logger.info("metric", extra={"fields": fields})
