"""What a class of the application may ask for in its constructor, by parameter name."""

from __future__ import annotations

STORE = "store"
OBJECTS = "objects"
CLOCK = "clock"
PUBLISHER = "publisher"
READER = "reader"
WORKFLOWS = "workflows"
SECRETS = "secrets"
LOGGER = "logger"
#: Classes of every kind, in every function.
COLLABORATORS = (STORE, OBJECTS, CLOCK, PUBLISHER, READER, WORKFLOWS, SECRETS, LOGGER)

SYNC_PUBLISHER = "sync_publisher"
SKIPPER = "skipper"
#: Additional ones for workflows: they run in the function that has the pipeline.
OF_WORKFLOWS = (SYNC_PUBLISHER, SKIPPER)
