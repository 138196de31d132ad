"""Names of the Lambda functions: a function's entry point is ``handlers.entrypoints.<name>``."""

from __future__ import annotations

API = "api"
APPLY = "apply"
EVENTS = "events"
IMPORTS = "imports"
LOADER = "loader"
OUTCOMES = "outcomes"
SWEEPER = "sweeper"
TASKS = "tasks"
STATES = "states"
FUNCTIONS = (API, APPLY, EVENTS, IMPORTS, LOADER, OUTCOMES, SWEEPER, TASKS, STATES)
