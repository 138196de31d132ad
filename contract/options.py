"""Configuration values that the functions read unchanged."""

from __future__ import annotations

#: ``statusEvents``: which command statuses are published.
TERMINAL = "terminal"
ALL = "all"
NONE = "none"
STATUS_EVENTS = (TERMINAL, ALL, NONE)

#: ``statusDetail``: whether every state's status is written, or only the last one.
FULL = "full"
STATUS_DETAILS = (FULL, TERMINAL)
