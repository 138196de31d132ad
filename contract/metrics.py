"""Metrics of the functions' own, which alarms and the dashboard name."""

from __future__ import annotations

#: The age of the oldest command without outcome, by the sweeper.
OLDEST_OPEN_COMMAND = "OldestOpenCommandSeconds"
