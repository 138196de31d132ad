"""The functions' custom metrics, which alarms and the dashboard refer to."""

from __future__ import annotations

#: Age of the oldest command without an outcome; emitted by the sweeper.
OLDEST_OPEN_COMMAND = "OldestOpenCommandSeconds"
