"""Values of configuration that the functions read as they are."""

from __future__ import annotations

#: ``statusEvents``: which statuses of commands are published.
TERMINAL = "terminal"
ALL = "all"
NONE = "none"
STATUS_EVENTS = (TERMINAL, ALL, NONE)

#: ``statusDetail``: every state's status is written, or the last one only.
FULL = "full"
STATUS_DETAILS = (FULL, TERMINAL)
